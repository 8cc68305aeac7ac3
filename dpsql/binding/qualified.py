"""Tables and columns that are written with more than their names, as tools do that look them up.

The database's own name before a schema says nothing, and schema.table.column is table.column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlglot import expressions as exp

from dpsql.binding.mending import Mendable
from dpsql.binding.scopes import folded

DEFAULT = (None, "public", "main")


def without_database(parts: Iterable[exp.Expr], database: str) -> None:
    """Take the database's own name, as current_database() gives it, from the tables and columns among `parts`."""
    for part in parts:
        if isinstance(part, exp.Table | exp.Column) and folded(part.args.get("catalog")) in (database, database.lower()):
            part.set("catalog", None)


def other_database(table: exp.Table, database: str) -> Mendable:
    """Return the refusal of a table of another database."""

    def of_this(place: exp.Expr) -> None:
        for part in place.root().find_all(exp.Table, exp.Column):
            part.set("catalog", None)

    name = folded(table.args["catalog"])
    return Mendable(f"there is no database '{name}' here; this one is called '{database}'", table, of_this)


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
