"""Columns that are written with the schema of their table, as tools do that look it up: schema.table.column is table.column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import expressions as exp

from dpsql.binding.scopes import folded

DEFAULT = (None, "public", "main")


def without_schemas(parts: Sequence[exp.Expr]) -> None:
    """Take the schema from the columns among `parts` whose table stands in a FROM around them, under its own name and of that schema."""
    qualified = [part for part in parts if isinstance(part, exp.Column) and part.args.get("db") and not part.args.get("catalog")]
    own = {folded(part.args["alias"].this) for part in parts if isinstance(part, exp.CTE)} if qualified else set()
    for column in qualified:
        if any(_is_of(column, table) for table in _around(column) if table.args.get("db") or folded(table.this) not in own):
            column.set("db", None)


def _is_of(column: exp.Column, table: exp.Table) -> bool:
    if folded(column.args["table"]) != folded(table.this):
        return False
    named, wanted = folded(table.args.get("db") or None), folded(column.args["db"])
    return named == wanted or (named is None and wanted in DEFAULT)


def _around(column: exp.Column) -> Iterator[exp.Table]:
    """The tables in the FROM of every SELECT around a column."""
    select = column.parent_select
    while select is not None:
        if isinstance(select, exp.Select):
            for clause in (select.args.get("from_"), *(select.args.get("joins") or [])):
                yield from _tables(clause)
        select = select.parent_select


def _tables(clause: exp.Expr | None) -> Iterator[exp.Table]:
    """The tables without an alias of a source, which may be a join in brackets."""
    source = clause.this if clause is not None else None
    if isinstance(source, exp.Table) and not source.alias and isinstance(source.this, exp.Identifier):
        yield source
    if isinstance(source, exp.Table):
        for joined in source.args.get("joins") or []:
            yield from _tables(joined)
    elif isinstance(source, exp.Subquery) and isinstance(source.this, exp.Table):
        yield from _tables(source)
