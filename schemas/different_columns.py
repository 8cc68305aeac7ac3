"""Columns that a table's checks hold to differ: of two references to one key, one is to another row than the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from schemas.check_facts import TableFacts
from schemas.model import ForeignKey

if TYPE_CHECKING:
    from schemas.table_proposals import RawTable


def choose_other_rows(raw: RawTable, facts: TableFacts) -> None:
    """Give references the option `other_than` for checks by which they must differ; where none can have it, the check is unclear."""
    for sql, (one, other) in facts.different.items():
        pairs = [(_only_reference(raw, first), _only_reference(raw, second)) for first, second in ((other, one), (one, other))]
        chosen = next(((key, beside) for key, beside in pairs if key and beside and _can_differ(raw, key, beside)), None)
        if chosen is None:
            facts.unclear.append(sql)
            continue
        key, beside = chosen
        raw.foreign_keys = [replace(k, other_than=beside.columns[0]) if k is key else k for k in raw.foreign_keys]


def _only_reference(raw: RawTable, column: str) -> ForeignKey | None:
    """The reference that a column is by itself; None where it is part of another too, or computed."""
    found = [key for key in raw.foreign_keys if column in key.columns]
    computed = any(c.name == column and c.computed is not None for c in raw.columns)
    return found[0] if len(found) == 1 and found[0].columns == (column,) and not computed else None


def _can_differ(raw: RawTable, key: ForeignKey, beside: ForeignKey) -> bool:
    """Whether `key` can choose another row than `beside`: it may repeat, but for what is unique together with that one."""
    if (key.table, key.target) != (beside.table, beside.target) or key.other_than is not None:
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
