"""Comparisons of rows of values and of lists, written out value by value."""

from __future__ import annotations

from sqlglot import expressions as exp

from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.sql_text import sql_of

MOST_COPIED = 2_000  # parts of what is compared with each of several values, over all of these
MOST_OF_ROWS = 20_000  # the same of rows of values
COMPARED = exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE
STRICT: dict[type[exp.Expr], type[exp.Binary]] = {exp.LT: exp.LT, exp.LTE: exp.LT, exp.GT: exp.GT, exp.GTE: exp.GT}


def spelled_out(node: exp.Expr, dialect: str) -> exp.Expr:
    """Return (a, b) = (1, 2) as a = 1 AND b = 2, (a, b) IN ((1, 2), ...) likewise, (a, b) < (1, 2) as a < 1 OR (a = 1 AND b < 2),
    a IN (VALUES (1), (2)) as a IN (1, 2), and comparisons with ANY and ALL of a list as one with each of its values.

    All else is returned as it is. Raises QueryInvalid where rows of values have not the same length.
    """
    if isinstance(node, exp.EQ) and isinstance(node.this, exp.Tuple) and isinstance(node.expression, exp.Tuple):
        return _equal(node.this, node.expression)
    if isinstance(node, exp.NEQ) and isinstance(node.this, exp.Tuple) and isinstance(node.expression, exp.Tuple):
        return _different(node.this, node.expression) if dialect == "duckdb" else exp.Not(this=_equal(node.this, node.expression))
    if compares_order(node):
        if written_out(node) > MOST_COPIED:
            raise QueryRefused("too long rows of values are compared too often; work out what they hold in a subquery")
        return _in_order(type(node), _pairs(node.this, node.expression))
    if isinstance(node, COMPARED) and isinstance(node.expression, exp.Any | exp.All):
        return _compared_with_each(node, node.expression, dialect)
    if isinstance(node, exp.In) and len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Values):
        rows = node.expressions[0].expressions
        if all(isinstance(row, exp.Tuple) and len(row.expressions) == 1 for row in rows):
            return exp.In(this=node.this, expressions=[row.expressions[0] for row in rows])
        if isinstance(node.this, exp.Tuple):
            node = exp.In(this=node.this, expressions=rows)
    if isinstance(node, exp.In) and isinstance(node.this, exp.Tuple) and node.args.get("query") is None and node.expressions:
        if len(node.expressions) * written_out(node.this) > MOST_OF_ROWS:
            raise QueryRefused("IN compares too long a row of values too often")
        rows = [_equal(node.this, one) for one in node.expressions]
        return rows[0] if len(rows) == 1 else exp.Paren(this=exp.or_(*rows))
    return node


def compares_order(node: exp.Expr) -> bool:
    """Whether `node` asks which of two rows of values comes first."""
    return type(node) in STRICT and isinstance(node.this, exp.Tuple) and isinstance(node.expression, exp.Tuple)


def written_out(node: exp.Expr) -> int:
    """How many parts a node has once all comparisons with lists inside of it are written out."""
    several = node.expression if isinstance(node.expression, exp.Any | exp.All) else node
    if compares_order(node):
        return 1 + 2 * sum(map(written_out, node.iter_expressions()))
    listed = several.this.unnest() if isinstance(several, exp.Any | exp.All) else several
    times = len(listed.expressions) if several is not node or (isinstance(node, exp.In) and isinstance(node.this, exp.Tuple)) else 1
    return 1 + max(times, 1) * sum(map(written_out, node.iter_expressions()))


def _in_order(kind: type[exp.Expr], pairs: list[tuple[exp.Expr, exp.Expr]]) -> exp.Expr:
    """Which row comes first: the first values decide, and where they are equal the next ones; null where a null would decide."""
    if any(isinstance(value, exp.Tuple) for values in pairs for value in values):
        raise QueryRefused("rows of values are compared without rows inside of them")
    (a, b), *rest = pairs
    if not rest:
        return kind(this=a.copy(), expression=b.copy())
    equal = exp.and_(exp.EQ(this=a.copy(), expression=b.copy()), _in_order(kind, rest))
    return exp.Paren(this=exp.or_(STRICT[kind](this=a.copy(), expression=b.copy()), equal))


def _different(row: exp.Tuple, other: exp.Tuple) -> exp.Expr:
    """That rows of values are different, to DuckDB, in whose rows null is a value like others."""
    pairs = _pairs(row, other)
    return exp.Paren(this=exp.or_(*(exp.NullSafeNEQ(this=a.copy(), expression=b.copy()) for a, b in pairs)))


def _compared_with_each(node: exp.Expr, several: exp.Any | exp.All, dialect: str) -> exp.Expr:
    listed = several.this.unnest()
    if not isinstance(listed, exp.Array) or not listed.expressions:
        return node
    among = (type(node), type(several)) in ((exp.EQ, exp.Any), (exp.NEQ, exp.All))
    if isinstance(node.this, exp.Tuple) and not among and (dialect == "duckdb" or not isinstance(node, exp.EQ | exp.NEQ)):
        return node  # which is sometimes null in DuckDB; and which of two rows as values comes first is told of nulls, too
    if len(listed.expressions) * written_out(node.this) > MOST_COPIED:
        raise QueryRefused("ANY and ALL compare too long an expression too often")
    each = [_compared_with_one(node, one) for one in listed.expressions]
    return each[0] if len(each) == 1 else exp.Paren(this=exp.or_(*each) if isinstance(several, exp.Any) else exp.and_(*each))


def _compared_with_one(node: exp.Expr, one: exp.Expr) -> exp.Expr:
    """A comparison with one of a list; of rows as values, in which nulls are alike."""
    if not isinstance(node.this, exp.Tuple) or not isinstance(one, exp.Tuple) or not isinstance(node, exp.EQ | exp.NEQ):
        return type(node)(this=node.this.copy(), expression=one.copy())
    different = _different(node.this, one)
    return different if isinstance(node, exp.NEQ) else exp.Not(this=different)


def _equal(row: exp.Tuple, other: exp.Tuple) -> exp.Expr:
    pairs = [exp.EQ(this=a.copy(), expression=b.copy()) for a, b in _pairs(row, other)]
    return pairs[0] if len(pairs) == 1 else exp.Paren(this=exp.and_(*pairs))


def _pairs(row: exp.Tuple, other: exp.Tuple) -> list[tuple[exp.Expr, exp.Expr]]:
    if not isinstance(other, exp.Tuple) or len(other.expressions) != len(row.expressions) or not row.expressions:
        raise QueryInvalid(f"a row of {len(row.expressions)} values is compared with something else: {sql_of(other)[:60]}")
    return list(zip(row.expressions, other.expressions, strict=True))
