"""Rules that keep the meaning of PostgreSQL expressions whose words DuckDB and SQLite read in another way, or lack.

Each rule is one function from node to node; `RULES` is their order. What cannot keep its meaning raises `Untranslatable`.
"""

from __future__ import annotations

from functools import reduce

from sqlglot import exp

from schemas.ddl_expressions import Untranslatable, bare, column_of
from schemas.model import Table
from schemas.sql_expressions import with_cut_texts

_WILD = frozenset(r"%_.\^$")  # of which SIMILAR TO and regular expressions make something else


def with_meaning(tree: exp.Expr, table: Table) -> exp.Expr:
    """Return an expression over `table` that means in DuckDB and SQLite what `tree` means in PostgreSQL."""
    if tree.find(exp.Column):
        tree = with_cut_texts(tree)
    for rule in RULES:
        tree = tree.transform(rule, table)
    return tree


def _counted_nulls(node: exp.Expr, _: Table) -> exp.Expr:
    """`num_nonnulls(a, b)` and `num_nulls(a, b)`, which only PostgreSQL has."""
    name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    if name not in ("num_nonnulls", "num_nulls") or not node.expressions:
        return node
    null, other = ("1", "0") if name == "num_nulls" else ("0", "1")
    ones: list[exp.Expr] = [exp.case().when(exp.Is(this=part, expression=exp.Null()), null).else_(other) for part in node.expressions]
    return exp.paren(reduce(lambda so_far, one: exp.Add(this=so_far, expression=one), ones))


def _substrings(node: exp.Expr, _: Table) -> exp.Expr:
    """A start is a place from 1 on: others take a pattern for one, and count from the end where it is below."""
    if isinstance(node, exp.Substring):
        start = bare(node.args["start"])
        if isinstance(start, exp.Neg) or (isinstance(start, exp.Literal) and start.is_string):
            raise Untranslatable("only PostgreSQL takes a substring by a pattern or from before the first character")
    return node


def _similar(node: exp.Expr, _: Table) -> exp.Expr:
    if isinstance(node, exp.SimilarTo):
        pattern = bare(node.expression)
        if not isinstance(pattern, exp.Literal) or _WILD & set(pattern.name):
            raise Untranslatable("SIMILAR TO has its wildcards in PostgreSQL alone; a regular expression (~) has none")
    return node


def _order_of_enums(node: exp.Expr, table: Table) -> exp.Expr:
    """PostgreSQL compares the values of an enum by their places in the list, others as texts."""
    if isinstance(node, (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)):
        for side in (node.this, node.args.get("expression")):
            name = column_of(side.unnest(), table) if side is not None and isinstance(side.unnest(), exp.Column) else None
            if name is not None and table.column(name).type.kind == "enum":
                raise Untranslatable(f"only PostgreSQL orders the values of '{name}' as its enum lists them")
    return node


RULES = (_counted_nulls, _substrings, _similar, _order_of_enums)
