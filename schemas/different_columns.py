"""Columns that a table's checks hold to differ: of two references to one key, one is to another row than the other, or to a greater."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from schemas.check_facts import TableFacts
from schemas.model import ForeignKey

if TYPE_CHECKING:
    from schemas.table_proposals import RawTable


def choose_other_rows(raw: RawTable, facts: TableFacts) -> None:
    """Give references the option `other_than` for checks by which they must differ; where none can have it, the check is unclear."""
    for sql, (one, other) in facts.different.items():
        if any({k.columns[0], k.greater_than} == {one, other} for k in raw.foreign_keys):
            continue
        pairs = [(_only_reference(raw, first), _only_reference(raw, second)) for first, second in ((other, one), (one, other))]
        chosen = next(((key, beside) for key, beside in pairs if key and beside and _can_differ(raw, key, beside)), None)
        if chosen is None:
            facts.unclear.append(sql)
            continue
        key, beside = chosen
        raw.foreign_keys = [replace(k, other_than=beside.columns[0]) if k is key else k for k in raw.foreign_keys]


def choose_greater_rows(raw: RawTable, facts: TableFacts, counted_keys: Collection[tuple[str, tuple[str, ...]]]) -> None:
    """Give references the option `greater_than` for checks by which they are above another to a key that counts (`counted_keys`)."""
    for key in raw.foreign_keys:
        after = facts.of(key.columns[0]).after
        lower = _only_reference(raw, after[0][0]) if len(after) == 1 else None
        if lower is None or _only_reference(raw, key.columns[0]) != key or not _can_be_ordered(raw, lower, key):
            continue
        if (key.table, key.target) in counted_keys and not facts.of(lower.columns[0]).after:
            raw.foreign_keys = [replace(k, greater_than=lower.columns[0]) if k is key else k for k in raw.foreign_keys]
            facts.of(key.columns[0]).after = []


def _can_be_ordered(raw: RawTable, lower: ForeignKey, upper: ForeignKey) -> bool:
    """Whether two references have no other say in them, and are unique together or not at all."""
    if (upper.table, upper.target) != (lower.table, lower.target) or upper is lower or upper.options or lower.options:
        return False
    if any(k.greater_than == lower.columns[0] for k in raw.foreign_keys):
        return False
    ends = {*lower.columns, *upper.columns}
    return all(ends <= set(s) or not ends & set(s) for s in raw.unique_sets())


def _only_reference(raw: RawTable, column: str) -> ForeignKey | None:
    """The reference that a column is by itself; None where it is part of another too, or computed."""
    found = [key for key in raw.foreign_keys if column in key.columns]
    computed = any(c.name == column and c.computed is not None for c in raw.columns)
    return found[0] if len(found) == 1 and found[0].columns == (column,) and not computed else None


def _can_differ(raw: RawTable, key: ForeignKey, beside: ForeignKey) -> bool:
    """Whether `key` can choose another row than `beside`: it may repeat, but for what is unique together with that one."""
    if (key.table, key.target) != (beside.table, beside.target) or key.other_than is not None:
        return False
    if key.greater_than is not None or any(k.greater_than == key.columns[0] for k in raw.foreign_keys):
        return False
    if key.columns[0] in _followed(raw, beside):
        return False
    sets = [set(s) for s in raw.unique_sets()]
    held = [s for s in sets if key.columns[0] in s and not any(other < s for other in sets)]
    return all(beside.columns[0] in s and not key.acyclic for s in held)


def _followed(raw: RawTable, key: ForeignKey) -> Sequence[str]:
    """The columns that a reference is other than, directly or by way of others."""
    found: list[str] = []
    while key.other_than is not None and key.other_than not in found:
        found.append(key.other_than)
        key = next(k for k in raw.foreign_keys if k.columns == (key.other_than,))
    return found
