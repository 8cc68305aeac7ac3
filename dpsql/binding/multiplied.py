"""How many public rows are put beside one private row: held before any data is read, since what one row takes up tells of its unit."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dpsql.errors import QueryRefused
from dpsql.tree import DistinctRows, Filter, FirstRows, Join, OneRow, PerUnit, Project, PublicGroups, Relation, Scan, Union, subrelations

MOST = 1_000_000


def hold_product(relation: Relation, sizes: Mapping[str, int]) -> None:
    """Raise QueryRefused where joins without a key put too many rows of VALUES and public tables beside each private row.

    `sizes` has the number of rows of each public table.
    """
    if any(_is_private(one, sizes) and _multiplied(one, sizes) > MOST for one in subrelations(relation)):
        raise QueryRefused(
            f"joins without a key would put more than {MOST:,} public rows beside each private one, and the memory which that takes could "
            "tell of single people; join public rows by a key, or by fewer lists"
        )


def multiplying(relation: Relation, public: Collection[str]) -> tuple[str, ...]:
    """The public tables of `relation`, if several of their rows may come beside a private one: their sizes matter then."""
    several = dict.fromkeys(public, 2)
    if not any(_is_private(one, several) and _multiplied(one, several) > 1 for one in subrelations(relation)):
        return ()
    return tuple(dict.fromkeys(one.table for one in subrelations(relation) if isinstance(one, Scan) and one.table in public))


def _multiplied(relation: Relation, public: Mapping[str, int]) -> int:
    """The most rows that come of one private row, or of public rows in all."""
    match relation:
        case Scan():
            return public.get(relation.table, 1)
        case OneRow() | PerUnit():
            return 1
        case Filter() | Project() | DistinctRows():
            return _multiplied(relation.input, public)
        case FirstRows():
            most = _multiplied(relation.input, public)
            return most if relation.limit is None else min(most, relation.limit)
        case PublicGroups():
            return _multiplied(relation.input, public) if relation.keys else 1
        case Union():
            each = [_multiplied(one, public) for one in relation.inputs]
            return max(each) if _is_private(relation, public) else sum(each)
        case Join():
            left, right = _multiplied(relation.left, public), _multiplied(relation.right, public)
            if relation.kind in ("semi", "anti"):
                return left
            if relation.right_once and not _is_private(relation.right, public):
                return left
            if relation.left_once and not _is_private(relation.left, public):
                return right
            return left * right


def _is_private(relation: Relation, public: Collection[str]) -> bool:
    return any(isinstance(one, Scan) and one.table not in public for one in subrelations(relation))
