"""Unique columns that the database computes, whose values are unique only where those that they are computed of are.

Nothing makes the values of a computed column before a database does. One is unique for sure where its formula has another result
for each value of a single unique column; so a unique computed column tells the same of that column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from schemas.check_facts import facts_of
from schemas.model import Column, Index, Unique
from schemas.sql_expressions import NotAnExpression, parse_expression
from schemas.table_proposals import Note, RawTable, is_roomy
from schemas.types import INTEGERS, TEXTS


def tell_of_inputs(tables: Sequence[RawTable], note: Note) -> None:
    """Make columns unique that have to be, for unique columns which are computed of them, where they have room for many values."""
    for table in tables:
        facts = facts_of([c.sql for c in table.checks], [c.name for c in table.columns])
        referencing = {c for key in table.foreign_keys for c in key.columns}
        for part, column in _computed_parts(table):
            source = _source_of(column, table)
            if source is None or (source.name,) in table.unique_sets() or source.name in referencing:
                continue
            if is_roomy(source.type, facts.of(source.name)):
                table.unique.append(Unique((source.name,)))
                note((table.name, source.name), f"unique, since {part.columns[0]}, which is computed of it, is unique")


def unheld(table: RawTable) -> list[Unique | Index]:
    """Return the unique constraints and indexes over a computed column that nothing makes unique."""
    sources = [(part, _source_of(column, table)) for part, column in _computed_parts(table)]
    return [part for part, source in sources if source is None or (source.name,) not in table.unique_sets()]


def _computed_parts(table: RawTable) -> Iterator[tuple[Unique | Index, Column]]:
    """Those over a computed column alone; with others, these others are made unique."""
    columns = {c.name: c for c in table.columns if c.computed is not None}
    parts: list[Unique | Index] = [*table.unique, *(i for i in table.indexes if i.unique)]
    for part in parts:
        if len(part.columns) == 1 and part.columns[0] in columns:
            yield part, columns[part.columns[0]]


def _source_of(column: Column, table: RawTable) -> Column | None:
    """The one column that a computed one is another value for each value of; None where there is none for sure."""
    try:
        tree = parse_expression(column.computed or "")
    except NotAnExpression:
        return None
    names = {c.name.casefold(): c for c in table.columns if c.computed is None}
    found = names.get(_carried(tree) or "")
    kinds = INTEGERS if column.type.kind in INTEGERS else TEXTS if column.type.kind in TEXTS else ()
    return found if found is not None and found.type.kind in kinds else None


def _carried(tree: exp.Expr) -> str | None:
    """The folded name of the column that a formula only adds whole numbers or fixed texts to, changes the sign of or digests."""
    match tree:
        case exp.Column():
            return tree.name.casefold()
        case exp.Paren() | exp.Neg() | exp.MD5():
            return _carried(tree.this)
        case exp.Cast() if tree.to.this in exp.DataType.TEXT_TYPES and not tree.to.expressions:
            return _carried(tree.this)
        case exp.Add() | exp.Sub() | exp.DPipe():
            sides = [tree.this, tree.expression]
            others = [side for side in sides if not _is_fixed(side, is_text=isinstance(tree, exp.DPipe))]
            return _carried(others[0]) if len(others) == 1 else None
    return None


def _is_fixed(tree: exp.Expr, *, is_text: bool) -> bool:
    if isinstance(tree, (exp.Cast, exp.Paren)) or (isinstance(tree, exp.Neg) and not is_text):
        return _is_fixed(tree.this, is_text=is_text)
    return isinstance(tree, exp.Literal) and tree.is_string == is_text and (is_text or tree.this.isdigit())
