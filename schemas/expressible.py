"""Makes a reflected schema one that a schema file can say: what the language refuses is renamed or left out, with a note.

Databases allow names of any length, references between columns of different kinds, tables without columns and more.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from schemas.consistency import check_problems, default_problems, sql_problems
from schemas.ddl_names import FreeNames
from schemas.model import Column, ForeignKey
from schemas.reference_rules import comparable
from schemas.reflection import RawSchema, ends_of
from schemas.sql_expressions import parse_expression
from schemas.table_proposals import RawTable
from schemas.yaml_nodes import MAX_NAME, name_fault

_MOST_BYTES = MAX_NAME - 5  # a number fits behind
_ONLY_CASE = "differs from another only in case"


def make_expressible(raw: RawSchema) -> None:
    """Change `raw` so that its schema reads: one step after the other, each noted where it changes something."""
    for step in (
        _leave_out_empty_tables, _rename_tables, _rename_columns, _forget_names, _name_columns_once, _leave_out_keys,
        _leave_out_references, _leave_out_expressions,
    ):  # fmt: skip
        step(raw)


def fitting_name(name: str) -> str:
    """Return `name` as one that databases can hold, with room for a number behind it."""
    printable = "".join("_" if unicodedata.category(c) == "Cc" else c for c in name)
    cut = printable if name_fault(printable) is None else printable.encode()[:_MOST_BYTES].decode(errors="ignore")
    return cut if cut.strip() else "unnamed"


def _leave_out_empty_tables(raw: RawSchema) -> None:
    for table in (t for t in raw.tables if not t.columns):
        raw.note((), f"table {table.name} is left out: it has no columns")
    raw.tables = [t for t in raw.tables if t.columns]


# Names


def _rename_tables(raw: RawSchema) -> None:
    renamed = _renamed([t.name for t in raw.tables], _table_fault, lambda name: ".".join(map(fitting_name, name.split(".", 1))))
    for table in raw.tables:
        if table.name in renamed:
            _move_notes(raw, (table.name,), (renamed[table.name][0],))
            raw.note((renamed[table.name][0],), f"in the database it is called {table.name}, which {renamed[table.name][1]}")
            table.name = renamed[table.name][0]
        table.foreign_keys = [replace(k, table=renamed[k.table][0]) if k.table in renamed else k for k in table.foreign_keys]


def _table_fault(name: str) -> str | None:
    return next((fault for part in name.split(".", 1) if (fault := name_fault(part)) is not None), None)


def _rename_columns(raw: RawSchema) -> None:
    for table in raw.tables:
        renamed = _renamed([c.name for c in table.columns], name_fault, fitting_name)
        if not renamed:
            continue
        names = {c.name: renamed[c.name][0] if c.name in renamed else c.name for c in table.columns}
        for old, (new, fault) in renamed.items():
            _move_notes(raw, (table.name, old), (table.name, new))
            raw.note((table.name, new), f"in the database it is called {old}, which {fault}")
        for other in raw.tables:
            other.foreign_keys = [replace(k, target=_all(names, k.target)) if k.table == table.name else k for k in other.foreign_keys]
        table.columns = [
            replace(c, name=names[c.name], computed=None if c.computed is None else _sql(names, c.computed)) for c in table.columns
        ]
        table.key = _all(names, table.key)
        table.unique = [replace(u, columns=_all(names, u.columns)) for u in table.unique]
        table.indexes = [replace(i, columns=_all(names, i.columns)) for i in table.indexes]
        table.foreign_keys = [replace(k, columns=_all(names, k.columns)) for k in table.foreign_keys]
        table.checks = [replace(c, sql=_sql(names, c.sql)) for c in table.checks]


def _renamed(names: Iterable[str], fault_of: Callable[[str], str | None], fitting: Callable[[str], str]) -> dict[str, tuple[str, str]]:
    """The new name, and what is wrong with the old one, of each that cannot stay."""
    free, wrong = FreeNames(), dict[str, str]()
    for name in names:
        fault = fault_of(name)
        if fault is not None or not free.claim(name):
            wrong[name] = fault or _ONLY_CASE
    return {name: (free.take(fitting(name)), fault) for name, fault in wrong.items()}


def _move_notes(raw: RawSchema, old: tuple[str, ...], new: tuple[str, ...]) -> None:
    raw.notes = {(*new, *place[len(old) :]) if place[: len(old)] == old else place: said for place, said in raw.notes.items()}


def _all(names: Mapping[str, str], columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(names.get(c, c) for c in columns)


def _sql(names: Mapping[str, str], sql: str) -> str:
    """An expression with the new `names` of all its table's columns."""
    from sqlglot import exp

    folded = {old.casefold(): new for old, new in names.items()}
    tree, changed = parse_expression(sql), False
    for column in (c for c in tree.find_all(exp.Column) if isinstance(c.this, exp.Identifier)):
        new = names.get(column.name) or (None if column.this.quoted else folded.get(column.name.casefold()))
        if new is not None and new not in names:
            column.set("this", exp.to_identifier(new, quoted=True))
            changed = True
    return tree.sql(dialect="postgres") if changed else sql


def _forget_names(raw: RawSchema) -> None:
    """Constraints and indexes can go without names; those that the database has are noted."""
    for table in raw.tables:
        seen: set[str] = set()

        def kept(part: Any, what: str, table: RawTable = table, seen: set[str] = seen) -> Any:
            if part.name is None:
                return part
            fault = name_fault(part.name) or ("is that of another" if part.name.casefold() in seen else None)
            if fault is None:
                seen.add(part.name.casefold())
                return part
            raw.note((table.name,), f"the name of {what}, {part.name or 'an empty one'}, is left out: it {fault}")
            return replace(part, name=None)

        table.foreign_keys = [kept(k, f"the reference {ends_of(k)}") for k in table.foreign_keys]
        table.unique = [kept(u, f"unique ({', '.join(u.columns)})") for u in table.unique]
        table.checks = [kept(c, f"check {c.sql}") for c in table.checks]
        table.indexes = [kept(i, f"an index ({', '.join(i.columns)})") for i in table.indexes]


# Constraints


def _name_columns_once(raw: RawSchema) -> None:
    for table in raw.tables:

        def once(part: Any, what: str, table: RawTable = table) -> Any:
            columns = tuple(dict.fromkeys(part.columns))
            if columns != part.columns:
                raw.note((table.name,), f"{what} ({', '.join(part.columns)}) names a column twice, which is left out")
            return replace(part, columns=columns)

        table.unique = [once(u, "unique") for u in table.unique]
        table.indexes = [once(i, f"index {i.name}") for i in table.indexes]


def _leave_out_keys(raw: RawSchema) -> None:
    for table in raw.tables:
        for column in (c for c in table.columns if c.name in table.key):
            fault = "is json" if column.type.kind == "json" else "is computed" if column.computed is not None else None
            if fault is not None:
                raw.note((table.name,), f"key ({', '.join(table.key)}) is left out: {column.name} {fault}, which cannot be part of a key")
                table.key = ()


def _leave_out_references(raw: RawSchema) -> None:
    known = {t.name: t for t in raw.tables}
    for table in raw.tables:
        kept = []
        for key in table.foreign_keys:
            fault = _fault_of(key, table, known.get(key.table))
            if fault is None:
                kept.append(key)
            else:
                raw.note((table.name,), f"the reference {ends_of(key)} is left out: {fault}")
        table.foreign_keys = kept


def _fault_of(key: ForeignKey, table: RawTable, parent: RawTable | None) -> str | None:
    """Why the language refuses a reference."""
    own = {c.name: c for c in table.columns}
    if len(set(key.columns)) < len(key.columns):
        return "it names a column twice"
    if parent is None:
        return None  # which is said of all reflections
    theirs = {c.name: c for c in parent.columns}
    for here, there in ((own[a], theirs[b]) for a, b in zip(key.columns, key.target, strict=False) if b in theirs):
        computed = next((c.name for c in (here, there) if c.computed is not None), None)
        if computed is not None:
            return f"{computed} is computed by the database"
        if not comparable(here.type, there.type):
            return f"{here.name} is {here.type}, and {there.name} is {there.type}"
    if table.rows and not parent.rows and not any(own[c].nullable for c in key.columns):
        return f"{parent.name} has no rows, and {', '.join(key.columns)} cannot be null"
    return None


def _leave_out_expressions(raw: RawSchema) -> None:
    """Leave out SQL over what is no column, such as SQLite's rowid or a text in double quotes."""
    for table in raw.tables:
        names = [c.name for c in table.columns]
        table.checks = [c for c in table.checks if not _noted(raw, (table.name,), "check", c.sql, check_problems(c.sql, table.columns))]
        table.columns = [_default(raw, table, _computed(raw, table, column, names)) for column in table.columns]


def _computed(raw: RawSchema, table: RawTable, column: Column, names: list[str]) -> Column:
    others = [name for name in names if name != column.name]
    sql = column.computed
    if sql is None or not _noted(raw, (table.name, column.name), "computed", sql, sql_problems(sql, others)):
        return column
    return replace(column, computed=None)


def _default(raw: RawSchema, table: RawTable, column: Column) -> Column:
    sql = column.default
    if sql is None or not _noted(raw, (table.name, column.name), "default", sql, default_problems(sql)):
        return column
    return replace(column, default=None)


def _noted(raw: RawSchema, place: tuple[str, ...], what: str, sql: str, problems: Iterator[str]) -> bool:
    fault = next(problems, None)
    if fault is not None:
        raw.note(place, f"{what} {sql} is left out: {fault}")
    return fault is not None
