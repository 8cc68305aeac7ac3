"""Paths: how recipes name columns of this row, of rows that it references, and of rows that reference it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from schemas.errors import nearest
from schemas.model import Column, ForeignKey, Schema, Table


class NoSuchPath(ValueError):
    """A path that leads nowhere; the message says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path leads: the references it follows from table to table, and the table and column at its end."""

    hops: tuple[ForeignKey, ...]
    table: Table
    column: Column


def follow(schema: Schema, table: Table, path: str) -> Found:
    """Resolve `column`, `reference_column.column` or `table.column`, over any number of references; raises NoSuchPath.

    `table.column` needs exactly one reference to that table, or that the rows of this one are made per row of it.
    """
    if table.has(path):
        column = table.column(path)
        if column.computed is not None:
            raise NoSuchPath(f"'{path}' is computed by the database, so it is not known when values are made")
        return Found((), table, column)
    for own in table.columns:
        key = table.foreign_key_of(own.name)
        if key is not None and path.startswith(own.name + "."):
            return _beyond(schema, key, path[len(own.name) + 1 :])
    for name in sorted({f.table for f in table.foreign_keys}):
        if path.startswith(name + "."):
            keys = [f for f in table.foreign_keys if f.table == name]
            if len(keys) > 1 and table.rows.per != name:
                ways = " or ".join(f"'{f.columns[0]}.{path[len(name) + 1 :]}'" for f in keys)
                raise NoSuchPath(f"'{table.name}' references '{name}' more than once; write {ways}")
            return _beyond(schema, keys[0], path[len(name) + 1 :])
    raise NoSuchPath(f"'{path}' is no column of '{table.name}' or of a row that it references{nearest(path, reachable(schema, table))}")


def way_to_other(schema: Schema, table: Table, key: ForeignKey) -> tuple[ForeignKey, ...]:
    """The references from a row of `table` to the row that `key` is to be `other_than`; raises NoSuchPath."""
    name = key.other_than or ""
    found = follow(schema, table, name)
    for end in found.table.foreign_keys:
        another = found.hops or end.columns != key.columns
        if another and found.column.name in end.columns and (end.table, end.target) == (key.table, key.target):
            return (*found.hops, end)
    raise NoSuchPath(f"'{name}' must be part of another reference to {key.table}({', '.join(key.target)})")


def _beyond(schema: Schema, key: ForeignKey, rest: str) -> Found:
    found = follow(schema, schema.table(key.table), rest)
    return Found((key, *found.hops), found.table, found.column)


def reachable(schema: Schema, table: Table) -> list[str]:
    """The paths of none or one reference, for hints."""
    paths = [c.name for c in table.columns]
    for key in table.foreign_keys:
        for column in schema.table(key.table).columns:
            paths += [f"{key.columns[0]}.{column.name}", f"{key.table}.{column.name}"]
    return paths


def child(schema: Schema, parent: Table, path: str, *, column: bool) -> Table:
    """Return the table of `table.column` (or `table`, without `column`), which must reference `parent`; raises NoSuchPath."""
    children = [t for t in schema.tables if any(f.table == parent.name for f in t.foreign_keys)]
    if not column:
        named = next((t for t in schema.tables if t.name == path), None)
        known = [t.name for t in children]
    else:
        able = [t for t in schema.tables if path.startswith(t.name + ".")]
        named = next((t for t in able if t.has(path[len(t.name) + 1 :])), None)
        known = [f"{t.name}.{c.name}" for t in children for c in t.columns]
        if named is None and able:
            wanted = path[len(able[0].name) + 1 :]
            raise NoSuchPath(f"'{able[0].name}' has no column '{wanted}'{nearest(wanted, [c.name for c in able[0].columns])}")
    if named is None:
        what = "`table.column`" if column else "a table"
        raise NoSuchPath(f"'{path}' is not {what} that references '{parent.name}'{nearest(path, known)}")
    if named not in children:
        raise NoSuchPath(f"'{named.name}' does not reference '{parent.name}', so its rows do not belong to one of these")
    if column and named.column(path[len(named.name) + 1 :]).computed is not None:
        raise NoSuchPath(f"'{path}' is computed by the database, so it is not known when values are made")
    return named


def references_are_read(schema: Schema, table: Table, broken: Collection[tuple[str, ...]]) -> bool:
    """Whether the references of a table, and all beyond, were read, so that a path that leads nowhere is wrong itself."""
    if not broken:
        return True
    seen, waiting = set(), [table.name]
    while waiting:
        name = waiting.pop()
        if (name,) in broken or (name, "*references") in broken:
            return False
        if name not in seen:
            seen.add(name)
            waiting += [f.table for f in schema.table(name).foreign_keys]
    return True


def may_be_unread(path: str, broken: Collection[tuple[str, ...]]) -> bool:
    """Whether a path to a child table may be right, but for problems of that table that are told already."""
    return any(path.startswith(place[0]) and (len(place) == 1 or place[1] == "*references") for place in broken)
