"""From rows of which other tables a column is made, over any number of columns between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.model import Column, Recipe, Schema, Table
from schemas.paths import NoSuchPath, follow
from schemas.recipes import BY_NAME
from schemas.sql_expressions import NotAnExpression, columns_in, parse_expression


def tables_behind(schema: Schema, table: Table, column: Column) -> Iterator[str]:
    """Yield the other tables whose rows a column's generator sums, counts or copies, each once."""
    seen = {(table.name, column.name)}
    waiting = [(table, column)]
    told = {table.name}
    for at, made in waiting:
        for found, source in _sources(schema, at, made.generate):
            if found.name not in told:
                told.add(found.name)
                yield found.name
            if source is not None and (found.name, source.name) not in seen:
                seen.add((found.name, source.name))
                waiting.append((found, source))


def _sources(schema: Schema, table: Table, recipe: Recipe | None) -> Iterator[tuple[Table, Column | None]]:
    if recipe is None:
        return
    for name, value in recipe.args.items():
        parameter = BY_NAME[recipe.name].parameter(name)
        kind = "" if parameter is None else parameter.kind
        if kind == "table" and schema.has(str(value)):
            yield schema.table(str(value)), None
        elif kind == "child" and (found := schema.at(str(value))) is not None:
            yield found
        elif kind == "path":
            yield from _along(schema, table, str(value))
        elif name == "sql":
            yield from _in_sql(schema, table, str(value))
        for inner in _inner(value):
            yield from _sources(schema, table, inner)


def _along(schema: Schema, table: Table, path: str) -> Iterator[tuple[Table, Column | None]]:
    try:
        found = follow(schema, table, path)
    except NoSuchPath:
        return
    yield found.table, found.column


def _in_sql(schema: Schema, table: Table, sql: str) -> Iterator[tuple[Table, Column | None]]:
    try:
        paths = columns_in(parse_expression(sql))
    except NotAnExpression:
        return
    for path, _ in paths:
        yield from _along(schema, table, path)


def _inner(value: Any) -> Iterator[Recipe]:
    """The generators inside an argument."""
    if isinstance(value, Recipe):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _inner(one)
    elif isinstance(value, tuple):
        for one in value:
            yield from _inner(one)
