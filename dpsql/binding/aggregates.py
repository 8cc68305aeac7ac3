"""Binding aggregates."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from sqlglot import expressions as exp

from dpsql.binding.expressions import Expressions, case
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.tree import Aggregate, AggregateFunction, Column, Expression, Facts, Literal

MOMENTS: dict[type[exp.Expr], AggregateFunction] = {
    exp.Variance: "var_samp", exp.VariancePop: "var_pop", exp.Stddev: "stddev_samp", exp.StddevSamp: "stddev_samp",
    exp.StddevPop: "stddev_pop",
}  # fmt: skip
ANONYMOUS = {"var_samp": "var_samp", "variance": "var_samp"}
COUNT = Facts("integer", False, 0, None, Fraction(1))


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a node is an aggregate; a Filter or WithinGroup is, around one."""
    return isinstance(node, exp.AggFunc | exp.WithinGroup | exp.Filter) or (
        isinstance(node, exp.Anonymous) and str(node.this).lower() in ANONYMOUS
    )


class Aggregates:
    """Binds the aggregates of one SELECT. `within` says that they are of one unit's own rows, where MIN and MAX need no bounds."""

    def __init__(self, expressions: Expressions, within: bool) -> None:
        self._expressions = expressions
        self._within = within

    def bind(self, node: exp.Expr) -> Aggregate:
        """Return the bound aggregate."""
        condition: Expression | None = None
        if isinstance(node, exp.Filter):
            condition = self._expressions.condition(node.expression.this)
            node = node.this
        made = self._bind(node)
        return made if condition is None else _filtered(made, condition)

    def _bind(self, node: exp.Expr) -> Aggregate:
        match node:
            case exp.Count():
                return self._count(node)
            case exp.CountIf():
                return Aggregate("count", _when(self._expressions.condition(node.this), _one()), COUNT)
            case exp.Sum():
                return self._sum(node)
            case exp.Avg():
                argument = self._argument(node, "AVG")
                return Aggregate("avg", argument, replace(argument.facts, kind="double", nullable=True, values=None, step=None))
            case exp.Min() | exp.Max():
                argument = self._argument(node, node.key.upper(), moments=True)
                return Aggregate(node.key, argument, replace(argument.facts, nullable=True, values=None))  # type: ignore[arg-type]
            case exp.Median():
                return self._quantile(node.this, Fraction(1, 2), True, node)
            case exp.Quantile():
                return self._quantile(node.this, self._fraction(node.args["quantile"]), True, node)
            case exp.WithinGroup():
                return self._within_group(node)
            case exp.PercentileCont() | exp.PercentileDisc() if node.expression is not None:
                return self._quantile(node.this, self._fraction(node.expression), isinstance(node, exp.PercentileCont), node)
            case _ if type(node) in MOMENTS:
                argument = self._argument(node, node.key.upper())
                return Aggregate(MOMENTS[type(node)], argument, Facts("double"))
            case exp.Anonymous() if str(node.this).lower() in ANONYMOUS:
                argument = self._number(self._expressions.bind(node.expressions[0]), "VARIANCE")
                return Aggregate("var_samp", argument, Facts("double"))
        raise QueryRefused(
            f"the aggregate {node.sql()[:60]} cannot be answered; COUNT, SUM, AVG, VAR, STDDEV, MIN, MAX, MEDIAN and QUANTILE can"
        )

    def _count(self, node: exp.Count) -> Aggregate:
        inner = node.this
        if isinstance(inner, exp.Distinct):
            if len(inner.expressions) != 1:
                raise QueryRefused("COUNT(DISTINCT ...) is answered for one value")
            return Aggregate("count", self._expressions.bind(inner.expressions[0]), COUNT, distinct=True)
        if inner is None or isinstance(inner, exp.Star):
            return Aggregate("count", None, COUNT)
        if node.expressions:
            raise QueryInvalid("COUNT takes one value")
        bound = self._expressions.bind(inner)
        return Aggregate("count", None if isinstance(bound, Literal) and bound.value is not None else bound, COUNT)

    def _sum(self, node: exp.Sum) -> Aggregate:
        argument = self._argument(node, "SUM")
        facts = argument.facts
        lo = 0 if facts.lo is not None and facts.lo >= 0 else None  # type: ignore[operator]
        kind = facts.kind
        return Aggregate("sum", argument, Facts(kind, True, lo, None, facts.step))

    def _argument(self, node: exp.Expr, name: str, *, moments: bool = False, bounds: bool = True) -> Expression:
        if isinstance(node.this, exp.Distinct):
            raise QueryRefused(f"{name}(DISTINCT ...) cannot be answered, since one unit of privacy may change it without bound")
        bound = self._expressions.bind(node.this)
        return self._number(bound, name, moments=moments, bounds=bounds)

    def _number(self, bound: Expression, name: str, *, moments: bool = False, bounds: bool = True) -> Expression:
        facts = bound.facts
        if facts.kind == "boolean" and name in ("AVG", "SUM"):
            raise QueryInvalid(f"{name} needs numbers; cast the condition to an integer")
        if facts.identifies:
            raise QueryRefused(f"{name} of ids of the privacy unit would tell of single ones; they can be counted")
        if not facts.is_number and not (moments and facts.kind in ("date", "timestamp", "timestamptz")):
            raise QueryRefused(f"{name} needs numbers, not values of type {facts.kind}")
        derived = facts.step is not None and facts.kind != "double" and self._summed_by_unit(bound)
        needed = bounds and not (self._within and moments)
        if needed and not facts.bounded and not (derived and name in ("SUM", "AVG")):
            raise QueryRefused(no_bounds(bound, name), _clamped(name, bound))
        return bound

    def _summed_by_unit(self, bound: Expression) -> bool:
        return isinstance(bound, Column) and bound.name in self._expressions.by_unit

    def _quantile(self, node: exp.Expr, fraction: Fraction, continuous: bool, whole: exp.Expr) -> Aggregate:
        argument = self._number(self._expressions.bind(node), "a quantile", moments=True)
        if not 0 <= fraction <= 1:
            raise QueryInvalid(f"the place of a quantile is from 0 to 1: {whole.sql()[:60]}")
        facts = replace(argument.facts, nullable=True, values=None)
        if continuous and facts.is_number:
            facts = replace(facts, kind="double")
        return Aggregate("quantile", argument, facts, fraction=fraction, continuous=continuous)

    def _within_group(self, node: exp.WithinGroup) -> Aggregate:
        inner, order = node.this, node.expression
        if not isinstance(inner, exp.PercentileCont | exp.PercentileDisc) or len(order.expressions) != 1:
            raise QueryRefused("WITHIN GROUP is understood of PERCENTILE_CONT and PERCENTILE_DISC with one order")
        ordered = order.expressions[0]
        fraction = self._fraction(inner.this)
        if ordered.args.get("desc"):
            fraction = 1 - fraction
        return self._quantile(ordered.this, fraction, isinstance(inner, exp.PercentileCont), node)

    def _fraction(self, node: exp.Expr) -> Fraction:
        bound = self._expressions.bind(node)
        if not isinstance(bound, Literal) or not isinstance(bound.value, int | Fraction) or isinstance(bound.value, bool):
            raise QueryRefused("the place of a quantile must be one constant number")
        return Fraction(bound.value)


def no_bounds(bound: Expression, name: str) -> str:
    """Say that an aggregate's values have no bounds, and how to mend it."""
    what = f"'{bound.name.partition('_')[2]}'" if isinstance(bound, Column) else "this expression"
    return (
        f"{name} needs bounds on its values, since one unit could change it without limit otherwise, and {what} has none: declare them "
        f"under `privacy: {{columns: {{TABLE.COLUMN: {{bounds: [LEAST, GREATEST]}}}}}}`, or clamp in the query; it can be counted as it is"
    )


def _clamped(name: str, bound: Expression) -> str | None:
    if not isinstance(bound, Column):
        return None
    column = bound.name.partition("_")[2]
    return f"{name}(LEAST(GREATEST({column}, 0), 1000)), with bounds that fit"


def _filtered(aggregate: Aggregate, condition: Expression) -> Aggregate:
    """FILTER as a value that is null where the condition does not hold."""
    return replace(aggregate, argument=_when(condition, aggregate.argument or _one()))


def _when(condition: Expression, value: Expression) -> Expression:
    return case([(condition, value)], Literal(None, Facts("other")))


def _one() -> Literal:
    return Literal(1, Facts("integer", False, 1, 1, Fraction(1), (1,)))
