"""Rules across columns and tables: SQL over paths along references, and over the rows that reference this one.

total = sum(invoice_lines.amount)        an aggregate over the rows of a table that reference this row
starts_at >= rooms.opened_at             a column of the row that this row references
count(users) <= seats                    how many rows of a table reference this row
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import nearest
from schemas.model import ForeignKey, Schema, Table
from schemas.paths import Found, NoSuchPath, child, follow
from schemas.sql_expressions import NotAnExpression, anchored, parse_expression

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True)
class Aggregate:
    """A fold over the rows of `table` that reference the row by `key`; the columns in it are those of that table."""

    node: exp.Expr
    table: Table
    key: ForeignKey
    columns: tuple[tuple[exp.Expr, str], ...]
    counts_rows: bool


@dataclass(frozen=True)
class Rule:
    """A rule that is read: its SQL as a tree, the columns in it and where they lead, and the folds over other rows."""

    tree: exp.Expr
    paths: tuple[tuple[exp.Expr, Found], ...]
    aggregates: tuple[Aggregate, ...]


def read_rule(schema: Schema, table: Table, sql: str) -> Rule:
    """Parse a rule of `table` and resolve the names in it; raises NotAnExpression with the reason."""
    from sqlglot import exp

    tree = anchored(parse_expression(sql), schema.anchor)
    aggregates = []
    inside: set[int] = set()
    for node in list(tree.find_all(exp.AggFunc)):
        if not isinstance(node, (exp.Sum, exp.Count, exp.Min, exp.Max, exp.Avg)):
            raise NotAnExpression(f"{node.key.upper()} is no fold that rules know; they know sum, count, min, max and avg")
        if id(node) in inside:
            raise NotAnExpression(f"{node.sql(dialect='postgres')} stands inside of another fold")
        inside |= {id(part) for part in node.walk()}
        aggregates.append(_aggregate(schema, table, node))
    for part in tree.walk():
        if isinstance(part, (exp.Window, exp.UDTF, exp.Star)) and id(part) not in inside:
            raise NotAnExpression(f"{part.sql(dialect='postgres')} is no condition on one row")
    paths = tuple((c, _stored(_follow(schema, table, name_of(c)))) for c in tree.find_all(exp.Column) if id(c) not in inside)
    if not paths and not aggregates:
        raise NotAnExpression("it names no column")
    return Rule(tree, paths, tuple(aggregates))


def name_of(column: exp.Column) -> str:
    """The dotted name that a column of an expression is written with."""
    return ".".join(part.name for part in column.parts)


def child_key(table: Table, parent: str) -> ForeignKey | None:
    """The foreign key by which the rows of `table` belong to those of `parent`: that of its rows per parent, else the first."""
    keys = [f for f in table.foreign_keys if f.table == parent]
    own = [f for f in keys if table.rows.per == parent and not any(table.column(c).generate is not None for c in f.columns)]
    return min(own or keys, key=lambda f: bool(own) and f.within is not None, default=None)


def in_order_of_choice(table: Table, keys: Sequence[ForeignKey]) -> Sequence[ForeignKey]:
    """Return references of `table` in the order in which their rows are chosen: those of the most columns first.

    But one that is always there comes before a longer one that may be none and shares its columns: the row keeps its tenant.
    """

    def may_be_none(key: ForeignKey) -> bool:
        return any(table.column(c).nullable for c in key.columns)

    def is_shared(key: ForeignKey) -> bool:
        return not may_be_none(key) and any(set(key.columns) < set(longer.columns) and may_be_none(longer) for longer in keys)

    return sorted(keys, key=lambda key: (not is_shared(key), -len(key.columns), key.within is not None))


def _aggregate(schema: Schema, table: Table, node: exp.Expr) -> Aggregate:
    from sqlglot import exp

    text = node.sql(dialect="postgres")
    named = [(c, name_of(c)) for c in node.find_all(exp.Column)]
    if not named:
        raise NotAnExpression(f"{text} folds over the rows of a table; name it, such as {node.key}(table.column)")
    whole = isinstance(node, exp.Count) and isinstance(node.this, exp.Column) and schema.has(named[0][1])
    try:
        others = [child(schema, table, name, column=not whole) for _, name in named]
    except NoSuchPath as error:
        raise NotAnExpression(f"{text}: {error}") from None
    if any(other is not others[0] for other in others):
        raise NotAnExpression(f"{text}: a fold is over the rows of one table")
    key = child_key(others[0], table.name)
    assert key is not None
    columns = [] if whole else [(c, name[len(others[0].name) + 1 :]) for c, name in named]
    for _, column in columns:
        if others[0].column(column).hidden:
            raise NotAnExpression(f"{text}: '{column}' is hidden, so it is in no bundle")
    return Aggregate(node, others[0], key, tuple(columns), whole)


def _follow(schema: Schema, table: Table, path: str) -> Found:
    try:
        return follow(schema, table, path)
    except NoSuchPath as error:
        children = [t.name for t in schema.tables if path.startswith(t.name + ".") and child_key(t, table.name) is not None]
        hint = f"; of rows of '{children[0]}' a rule takes the sum, count, min, max or avg" if children else ""
        hint = hint or ("" if table.has(path) or "did you mean" in str(error) else nearest(path, [c.name for c in table.columns]))
        raise NotAnExpression(f"{error}{hint}") from None


def _stored(found: Found) -> Found:
    if found.column.hidden:
        raise NotAnExpression(f"'{found.column.name}' of '{found.table.name}' is hidden, so it is in no bundle")
    return found
