"""Comparisons of rows of values and of lists, written out value by value."""

from __future__ import annotations

from sqlglot import expressions as exp

from dpsql.errors import QueryInvalid


def spelled_out(node: exp.Expr) -> exp.Expr:
    """Return (a, b) = (1, 2) as a = 1 AND b = 2, (a, b) IN ((1, 2), ...) likewise, and a = ANY(ARRAY[1, 2]) as a IN (1, 2).

    All else is returned as it is. Raises QueryInvalid where rows of values have not the same length.
    """
    if isinstance(node, exp.EQ) and isinstance(node.this, exp.Tuple) and isinstance(node.expression, exp.Tuple):
        return _equal(node.this, node.expression)
    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
        listed = node.expression.this.unnest()
        if isinstance(listed, exp.Array) and listed.expressions:
            return exp.In(this=node.this, expressions=list(listed.expressions))
    if isinstance(node, exp.In) and isinstance(node.this, exp.Tuple) and node.args.get("query") is None and node.expressions:
        rows = [_equal(node.this, one) for one in node.expressions]
        return rows[0] if len(rows) == 1 else exp.Paren(this=exp.or_(*rows))
    return node


def _equal(row: exp.Tuple, other: exp.Expr) -> exp.Expr:
    if not isinstance(other, exp.Tuple) or len(other.expressions) != len(row.expressions) or not row.expressions:
        raise QueryInvalid(f"a row of {len(row.expressions)} values is compared with something else: {other.sql()[:60]}")
    pairs = [exp.EQ(this=a.copy(), expression=b.copy()) for a, b in zip(row.expressions, other.expressions, strict=True)]
    return pairs[0] if len(pairs) == 1 else exp.Paren(this=exp.and_(*pairs))
