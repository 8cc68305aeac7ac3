"""How many public rows are put beside one private row: held before any data is read, since what one row takes up tells of its unit."""

from __future__ import annotations

from collections.abc import Collection

from dpsql.errors import QueryRefused
from dpsql.tree import DistinctRows, Filter, FirstRows, Join, OneRow, PerUnit, Project, PublicGroups, Relation, Scan, Union, subrelations

MOST = 1_000_000
STORED = 1_000  # what a public table counts for, whose rows the query does not tell


def hold_product(relation: Relation, public: Collection[str]) -> None:
    """Raise QueryRefused where joins without a key put too many rows of VALUES and public tables beside each private row."""
    if any(_is_private(one, public) and _multiplied(one, public) > MOST for one in subrelations(relation)):
        raise QueryRefused(
            f"joins without a key would put more than {MOST:,} public rows beside each private one (a stored table counts as {STORED:,}), "
            "and the memory which that takes could tell of single people; join public rows by a key, or by fewer lists"
        )


def _multiplied(relation: Relation, public: Collection[str]) -> int:
    """The most rows that come of one private row, or of public rows in all."""
    match relation:
        case Scan():
            return STORED if relation.table in public else 1
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
