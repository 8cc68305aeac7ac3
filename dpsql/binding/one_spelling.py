"""Forms that say the same, in one of them: EVERY is BOOL_AND, SOME is ANY, = ANY is IN, ROW (1, 2) is (1, 2), $$a$$ is 'a' and so on."""

from __future__ import annotations

import operator
from collections.abc import Callable

from sqlglot import expressions as exp

OPPOSITE: dict[type[exp.Expr], type[exp.Binary]] = {
    exp.EQ: exp.NEQ, exp.NEQ: exp.EQ, exp.LT: exp.GTE, exp.GTE: exp.LT, exp.GT: exp.LTE, exp.LTE: exp.GT,
}  # fmt: skip
WORKED_OUT: dict[type[exp.Expr], Callable[[int, int], int]] = {exp.Add: operator.add, exp.Sub: operator.sub, exp.Mul: operator.mul}
MOST_DIGITS = 18
QUANTIFIERS: dict[str, type[exp.Any | exp.All]] = {"any": exp.Any, "some": exp.Any, "all": exp.All}
UNQUOTED = frozenset('"\\{}')  # letters by which the text of an array is more than items between commas
BLANKS = " \t\n\r\v\f"  # which PostgreSQL leaves out beside an item


def in_one_spelling(root: exp.Expr, dialect: str) -> None:
    """Change the tree of a query to the one spelling, in place; comparisons with several values in which there is no more to say are IN."""
    for node in list(root.find_all(exp.Anonymous)):
        if str(node.this).lower() == "every" and len(node.expressions) == 1:
            made = exp.LogicalAnd(this=node.expressions[0])
            made.meta.update(node.meta)  # by which its column is named as it was written
            node.replace(made)
        elif str(node.this).lower() == "row" and dialect == "postgres" and len(node.expressions) > 1:
            node.replace(exp.Tuple(expressions=node.expressions))
    for text in list(root.find_all(exp.RawString, exp.ByteString)):
        text.replace(exp.Literal.string(text.this))
    for clause in list(root.find_all(exp.Limit, exp.Offset)):
        count = _whole(clause.expression)
        if count is not None and count >= 0 and not isinstance(clause.expression, exp.Literal):
            clause.set("expression", exp.Literal.number(count))
    for cast in list(root.find_all(exp.Cast)):
        kind = cast.to.this if isinstance(cast.to, exp.DataType) else cast.to
        if cast.this.is_string and (isinstance(kind, exp.Interval) or kind == exp.DType.INTERVAL) and not _cuts(cast.to, dialect):
            cast.replace(exp.Interval(this=cast.this))
    for comparison in [node for node in root.find_all(*OPPOSITE) if isinstance(node, exp.Binary)]:
        quantifier = _quantifier(comparison.expression, dialect)
        if quantifier is not None:
            _respelled(comparison, *quantifier, dialect)


def _whole(node: exp.Expr | None) -> int | None:
    """The whole number that sums and products of whole numbers come to, where `node` is one of these."""
    if isinstance(node, exp.Paren):
        return _whole(node.this)
    if isinstance(node, exp.Literal):
        return int(node.name) if node.is_int and len(node.name) <= MOST_DIGITS else None
    if not isinstance(node, exp.Add | exp.Sub | exp.Mul):
        return None
    a, b = _whole(node.this), _whole(node.expression)
    found = None if a is None or b is None else WORKED_OUT[type(node)](a, b)
    return found if found is not None and abs(found) < 10**MOST_DIGITS else None


def _cuts(interval: exp.Expr, dialect: str) -> bool:
    """Whether a cast leaves a part of an interval out, as PostgreSQL does with INTERVAL DAY and INTERVAL(3), and DuckDB does not."""
    return dialect == "postgres" and interval.find(exp.Var, exp.DataTypeParam) is not None


def _quantifier(node: exp.Expr, dialect: str) -> tuple[type[exp.Any | exp.All], exp.Expr] | None:
    """ANY or ALL, and what it is of."""
    if isinstance(node, exp.Any | exp.All):
        kind, inner = type(node), node.this
    elif isinstance(node, exp.Anonymous) and len(node.expressions) == 1 and str(node.this).lower() in QUANTIFIERS:
        kind, inner = QUANTIFIERS[str(node.this).lower()], node.expressions[0]
    else:
        return None
    while isinstance(inner, exp.Paren | exp.Subquery) and inner.args.get("alias") is None:
        inner = inner.this
    if dialect == "postgres" and isinstance(inner, exp.Array):
        of_query = len(inner.expressions) == 1 and isinstance(inner.expressions[0], exp.Query)  # in DuckDB a list of one list
        inner = inner.expressions[0] if of_query else inner
    return kind, inner


def _respelled(node: exp.Binary, kind: type[exp.Any | exp.All], inner: exp.Expr, dialect: str) -> None:
    around: exp.Expr = node
    above: exp.Expr = node
    negated = False
    while isinstance(above.parent, exp.Not | exp.Paren):
        above = above.parent
        if isinstance(above, exp.Not):
            around, negated = above, not negated
    compared = OPPOSITE[type(node)] if negated else type(node)
    if negated:  # not greater than any is at most all, also where nulls are among them
        kind = exp.All if kind is exp.Any else exp.Any
    listed = _listed(inner, dialect)
    one_of = (compared, kind) in ((exp.EQ, exp.Any), (exp.NEQ, exp.All))
    several = isinstance(inner, exp.Query) or listed is not None
    # rows in a list are compared as values, in which nulls are alike, and those of a subquery column by column
    if one_of and several and not (isinstance(node.this, exp.Tuple) and (listed is not None or kind is exp.All)):
        found = exp.In(this=node.this)
        if isinstance(inner, exp.Query):
            found.set("query", exp.Subquery(this=inner))
        else:
            found.set("expressions", listed)
        made: exp.Expr = found if kind is exp.Any else exp.Paren(this=exp.Not(this=found))
    else:
        of = exp.Subquery(this=inner) if isinstance(inner, exp.Query) else exp.Array(expressions=listed) if listed is not None else inner
        made = compared(this=node.this, expression=kind(this=exp.Paren(this=of) if not isinstance(of, exp.Subquery) else of))
    around.replace(made)


def _listed(node: exp.Expr, dialect: str) -> list[exp.Expr] | None:
    """The values of a list: ARRAY[1, 2], VALUES (1), (2), and in PostgreSQL '{1,2}', also cast to an array of a type."""
    if isinstance(node, exp.Cast) and isinstance(node.to, exp.DataType) and node.to.args.get("nested") and len(node.to.expressions) == 1:
        values, to = _listed(node.this, dialect), node.to.expressions[0]
        return None if values is None else [exp.Cast(this=value, to=to.copy()) for value in values]
    if isinstance(node, exp.Array):
        return None if any(isinstance(value, exp.Query) for value in node.expressions) else list(node.expressions) or None
    if isinstance(node, exp.Values):
        rows = node.expressions
        return [row.expressions[0] for row in rows] if all(isinstance(r, exp.Tuple) and len(r.expressions) == 1 for r in rows) else None
    if dialect == "postgres" and isinstance(node, exp.Literal) and node.args.get("is_string"):
        text = str(node.this).strip(BLANKS)
        inside = text[1:-1]
        if text.startswith("{") and text.endswith("}") and inside.strip(BLANKS) and UNQUOTED.isdisjoint(inside):
            items = [item.strip(BLANKS) for item in inside.split(",")]
            return None if "" in items else [exp.Null() if item.upper() == "NULL" else exp.Literal.string(item) for item in items]
    return None
