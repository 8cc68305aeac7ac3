"""The schema of the output: that of the source without the tables and columns that the policy drops, and what hung on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import TypeVar

import sqlglot
from sqlglot import expressions as exp

from masking.policy.model import DROP, Policy
from schemas.model import Check, ForeignKey, Index, Schema, Table, Unique

_PERSON = "a value of a person stands in it"
_Named = TypeVar("_Named", Unique, ForeignKey, Check, Index)


def output_schema(schema: Schema, policy: Policy, holds_a_person: Callable[[str], bool] | None = None) -> tuple[Schema, tuple[str, ...]]:
    """Return the schema of what `policy` leaves of `schema`, and a line for each constraint that could not stay.

    Defaults, checks and computed columns whose SQL `holds_a_person` are left out, and not shown, and so are such names of constraints and
    indexes, which the database that is loaded then names itself. Comments are left out, since they are free text that no policy speaks
    of; recipes and seeds of the reflection, since no value is made from them.
    """
    said: list[str] = []
    holds = holds_a_person or (lambda sql: False)
    dropped = {t for t, p in policy.tables.items() if p.drop}
    gone = {t: {c for c, treatment in p.columns.items() if treatment.mask.name == DROP} for t, p in policy.tables.items()}
    tables = [_table(table, dropped, gone, holds, said) for table in schema.tables if table.name not in dropped]
    return replace(schema, tables=tuple(tables), privacy=None, comment=None), tuple(said)


def _table(
    table: Table, dropped: Collection[str], gone: dict[str, set[str]], holds_a_person: Callable[[str], bool], said: list[str]
) -> Table:
    out = gone.get(table.name, set())

    def whole(columns: Collection[str], what: str) -> bool:
        lost = [c for c in columns if c in out]
        if lost:
            said.append(f"{table.name}: {what} ({', '.join(columns)}) is left out with {', '.join(lost)}")
        return not lost

    def named(kept: Iterable[_Named], what: str) -> tuple[_Named, ...]:
        made = []
        for item in kept:
            if item.name is not None and holds_a_person('"' + item.name.replace('"', '""') + '"'):
                said.append(f"{table.name}: the name of {what} is left out, since {_PERSON}")
                item = replace(item, name=None)
            made.append(item)
        return tuple(made)

    keys = []
    for key in table.foreign_keys:
        what = f"the reference to {key.table}"
        if key.table in dropped:
            said.append(f"{table.name}: {what} ({', '.join(key.columns)}) is left out with that table")
        elif any(c in gone.get(key.table, ()) for c in key.target):
            said.append(f"{table.name}: {what} ({', '.join(key.columns)}) is left out with the key that it refers to")
        elif whole(key.columns, what):
            keys.append(key)
    columns = []
    for column in table.columns:
        if column.name in out or column.hidden:
            continue
        if column.computed is not None and (holds_a_person(column.computed) or _lost(column.computed, out)):
            why = f", since {_PERSON}" if holds_a_person(column.computed) else " with a column that it is computed from"
            said.append(f"{table.name}: the computed column {column.name} is left out{why}")
            out = out | {column.name}
            continue
        if column.default is not None and holds_a_person(column.default):
            said.append(f"{table.name}: the default of {column.name} is left out, since {_PERSON}")
            column = replace(column, default=None)
        columns.append(replace(column, generate=None, comment=None))
    checks = [c for c in table.checks if not holds_a_person(c.sql)]
    said += [f"{table.name}: a check is left out, since {_PERSON}"] * (len(table.checks) - len(checks))
    return replace(
        table,
        columns=tuple(columns),
        key=table.key if whole(table.key, "the key") else (),
        unique=named((u for u in table.unique if whole(u.columns, "what is unique")), "what is unique"),
        foreign_keys=named(keys, "a reference"),
        checks=named((c for c in checks if _stays(table, c, out, said)), "a check"),
        indexes=named((i for i in table.indexes if whole(i.columns, "the index on")), "an index"),
        comment=None,
        correlate=(),
        rules=(),
        lives=None,
    )


def _stays(table: Table, check: Check, out: set[str], said: list[str]) -> bool:
    lost = _lost(check.sql, out)
    if lost:
        said.append(f"{table.name}: the check {check.sql} is left out with {', '.join(lost)}")
    return not lost


def _lost(sql: str, out: set[str]) -> list[str]:
    """Which of the columns that are `out` an expression names; all of them where it cannot be read."""
    try:
        named = {column.name.lower() for column in sqlglot.parse_one(sql, dialect="postgres").find_all(exp.Column)}
        return sorted(name for name in out if name.lower() in named)  # SQLite's expressions may write names in any case
    except sqlglot.errors.SqlglotError:
        return sorted(out)
