"""The keys of the schema that a plan takes at their word: those by which a unit has one row, or is in one group, at most.

Where the data is held to them, that need not be enforced, and no sum by unit is made. A file of Parquet holds nobody to a key, so an engine
is asked first (`Engine.unique`); where one is broken, units are told apart and clipped as everywhere else. Both ways come to the same
sums, of what each unit adds after clipping, so that which of them is taken tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from dpsql.engines.base import Engine, Reading
from dpsql.planning.model import Plan
from dpsql.tree import DistinctRows, Filter, FirstRows, Join, OneRow, PerUnit, Project, PublicGroups, Relation, Scan, Union
from schemas.model import Schema

Key = tuple[str, tuple[str, ...]]


def keys_hold(plan: Plan, schema: Schema, engine: Engine, reading: Reading) -> bool:
    """Whether the data is held to all keys that `plan` relies on; true where it relies on none."""
    alone = bool(plan.release.keys) and all(key.one_a_unit for key in plan.release.keys)
    if not plan.one_row and not alone:
        return True
    return all(key is not None and engine.unique(reading, *key) for key in _keys(plan.release.rows, schema))


def _keys(relation: Relation, schema: Schema) -> Iterator[Key | None]:
    """The keys of all rows that come together here, as far as their columns are read; None for rows without one."""
    match relation:
        case Scan():
            found = [unique for unique in schema.table(relation.table).unique_sets() if set(unique) <= set(relation.sources)]
            yield from (((relation.table, tuple(unique)) for unique in found) if found else (None,))
        case Filter() | Project() | DistinctRows() | FirstRows():
            yield from _keys(relation.input, schema)
        case Join():
            yield from _keys(relation.left, schema)
            if relation.kind not in ("semi", "anti"):  # which add no rows
                yield from _keys(relation.right, schema)
        case Union():
            for one in relation.inputs:
                yield from _keys(one, schema)
        case PerUnit() | PublicGroups() | OneRow():
            pass  # grouped by the unit or by its keys, it has one row for each by itself
