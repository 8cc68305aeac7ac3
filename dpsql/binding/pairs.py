"""Aggregates of two values, CORR, COVAR and REGR_SLOPE, as the means and variances that they are worked out of."""

from __future__ import annotations

from sqlglot import expressions as exp

from dpsql.binding.understood import check
from dpsql.errors import QueryInvalid

PAIRS = (exp.Corr, exp.CovarPop, exp.CovarSamp, exp.RegrSlope)


def pair_in(node: exp.Expr) -> exp.AggFunc | None:
    """Return such an aggregate, which may be within a Filter; None where `node` is another."""
    inner = node.this if isinstance(node, exp.Filter) else node
    if not isinstance(inner, PAIRS):
        return None
    if inner.args.get("expression") is None or inner.args.get("null_on_zero_variance") is not None:
        raise QueryInvalid(f"{inner.sql_name()} is of two values: {inner.sql_name()}(y, x)")
    check(inner)
    return inner


def written_out(place: exp.Expr) -> None:
    """Put what it is worked out of in its place: over rows in which neither value is null."""
    pair, conditions = (place.this, [place.expression.this]) if isinstance(place, exp.Filter) else (place, [])
    y, x = (exp.paren(value, copy=True) for value in (pair.this, pair.expression))
    conditions += [exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null())) for value in (y, x)]

    def over_pairs(aggregate: type[exp.AggFunc], value: exp.Expr) -> exp.Expr:
        condition = exp.and_(*conditions, copy=True)
        return exp.Filter(this=aggregate(this=value.copy()), expression=exp.Where(this=condition))

    both = over_pairs(exp.Avg, exp.Mul(this=y, expression=x))
    covariance: exp.Expr = exp.paren(both - over_pairs(exp.Avg, y) * over_pairs(exp.Avg, x))
    match pair:
        case exp.Corr():
            covariance = _within_one(covariance / _unless_zero(over_pairs(exp.StddevPop, y) * over_pairs(exp.StddevPop, x)))
        case exp.RegrSlope():
            covariance = covariance / _unless_zero(over_pairs(exp.VariancePop, x))
        case exp.CovarSamp():
            number = over_pairs(exp.Count, exp.Star())
            covariance = covariance * number / _unless_zero(number.copy() - 1)
    place.replace(exp.paren(covariance))


def _within_one(value: exp.Expr) -> exp.Expr:
    """`value` from -1 to 1, which noise leaves; LEAST and GREATEST would pass over a null."""
    one = exp.Literal.number(1)
    above = exp.Greatest(this=value, expressions=[exp.Neg(this=one.copy())], ignore_nulls=True)
    clamped = exp.Least(this=above, expressions=[one], ignore_nulls=True)
    return exp.Case(ifs=[exp.If(this=exp.Not(this=exp.Is(this=exp.paren(value), expression=exp.Null())), true=clamped)])


def _unless_zero(divisor: exp.Expr) -> exp.Expr:
    return exp.Nullif(this=divisor, expression=exp.Literal.number(0))
