"""Binding aggregates."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from sqlglot import expressions as exp

from dpsql.binding.constants import MOMENTS, NULL, case, constant
from dpsql.binding.expressions import Expressions
from dpsql.binding.mending import Mendable
from dpsql.binding.pairs import pair_in, written_out
from dpsql.binding.pruning import columns_of
from dpsql.binding.understood import check, excerpt
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import call
from dpsql.tree import Aggregate, AggregateFunction, Column, Expression, Facts, Literal

SPREADS: dict[type[exp.Expr], AggregateFunction] = {
    exp.Variance: "var_samp", exp.VariancePop: "var_pop", exp.Stddev: "stddev_samp", exp.StddevSamp: "stddev_samp",
    exp.StddevPop: "stddev_pop",
}  # fmt: skip
NAMED: dict[str, type[exp.Expr]] = {
    "var_samp": exp.Variance, "quantile_cont": exp.PercentileCont, "quantile_disc": exp.PercentileDisc, "quantile": exp.Quantile,
    "count_if": exp.CountIf, "countif": exp.CountIf, "mean": exp.Avg, "var": exp.Variance, "std": exp.Stddev, "median": exp.Median,
    "favg": exp.Avg, "fsum": exp.Sum, "sumkahan": exp.Sum, "kahan_sum": exp.Sum,
}  # fmt: skip
KNOWN: tuple[type[exp.Expr], ...] = (
    exp.Count, exp.CountIf, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Median, exp.Quantile, exp.WithinGroup, exp.PercentileCont,
    exp.PercentileDisc, exp.ApproxDistinct, exp.ApproxQuantile, exp.LogicalAnd, exp.LogicalOr, exp.Anonymous, *SPREADS,
)  # fmt: skip
# aggregates that show values of single rows
SHOWING = (
    exp.GroupConcat, exp.ArrayAgg, exp.AnyValue, exp.First, exp.Last, exp.Mode, exp.ArgMax, exp.ArgMin, exp.JSONArrayAgg,
)  # fmt: skip
NAMES: dict[type[exp.Expr], str] = {exp.VariancePop: "VAR_POP", exp.StddevPop: "STDDEV_POP", exp.StddevSamp: "STDDEV_SAMP"}
MONTH = 30 * 86400  # seconds
COUNT = Facts("integer", False, 0, None, Fraction(1))


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a node is an aggregate; a Filter or WithinGroup is, around one."""
    return isinstance(node, exp.AggFunc | exp.WithinGroup | exp.Filter | exp.IgnoreNulls) or (
        isinstance(node, exp.Anonymous) and str(node.this).lower() in NAMED
    )


def has_aggregate(node: exp.Expr) -> bool:
    """Whether `node` aggregates, not counting what is inside subqueries."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, exp.Query):
            continue
        if is_aggregate(part) and not isinstance(part.parent, exp.Window):
            return True
        waiting += part.iter_expressions()
    return False


class Aggregates:
    """Binds the aggregates of one SELECT. `within` says that they are of one unit's own rows, where MIN and MAX need no bounds."""

    def __init__(self, expressions: Expressions, within: bool) -> None:
        self._expressions = expressions
        self._within = within

    def bind(self, node: exp.Expr) -> Aggregate:
        """Return the bound aggregate."""
        binder = self._expressions
        if (pair := pair_in(node)) is not None:
            for value in (pair.this, pair.expression):
                self._number(value, pair.sql_name())
            raise Mendable(f"the aggregate {excerpt(node, binder.dialect)} cannot be answered here", node, written_out, equal=True)
        if isinstance(node, exp.Filter):
            check(node)
            condition = binder.condition(node.expression.this)
            inner = Aggregates(binder.knowing(condition, "true"), self._within)
            return _filtered(inner.bind(node.this), condition)
        if isinstance(node.this if isinstance(node, exp.WithinGroup | exp.IgnoreNulls) else node, SHOWING):
            raise _shows_values(node, binder.dialect)
        if not isinstance(node, KNOWN):
            raise QueryRefused(
                f"the aggregate {excerpt(node, binder.dialect)} cannot be answered; "
                "COUNT, SUM, AVG, VAR, STDDEV, MIN, MAX, MEDIAN and QUANTILE can"
            )
        check(node)
        return self._bind(node)

    def _bind(self, node: exp.Expr) -> Aggregate:
        if isinstance(node, exp.Anonymous):
            return self._named(node)
        match node:
            case exp.Count():
                return self._count(node)
            case exp.ApproxDistinct():
                return Aggregate("count", self._expressions.bind(node.this), COUNT, distinct=True)
            case exp.CountIf():
                return Aggregate("count", _when(self._expressions.condition(node.this), constant(1)), COUNT)
            case exp.Sum():
                return self._sum(node)
            case exp.Avg():
                argument = self._argument(node, "AVG")
                facts = replace(argument.facts, kind="double", nullable=True, values=None, step=None)
                return Aggregate("avg", argument, facts, distinct=isinstance(node.this, exp.Distinct))
            case exp.Min() | exp.Max():
                argument = self._argument(node, node.key.upper(), ordered=True)
                return Aggregate(node.key, argument, replace(argument.facts, nullable=True, values=None))  # type: ignore[arg-type]
            case exp.LogicalAnd() | exp.LogicalOr():
                return self._truth(node)
            case exp.Median():
                return self._quantile(node.this, Fraction(1, 2), True, node)
            case exp.Quantile() | exp.ApproxQuantile():
                return self._quantile(node.this, self._fraction(node.args["quantile"]), False, node)
            case exp.WithinGroup():
                return self._within_group(node)
            case exp.PercentileCont() | exp.PercentileDisc() if node.expression is not None:
                return self._quantile(node.this, self._fraction(node.expression), isinstance(node, exp.PercentileCont), node)
            case _ if type(node) in SPREADS:
                argument = self._argument(node, node.key.upper())
                return Aggregate(SPREADS[type(node)], argument, Facts("double"))
        raise QueryRefused(f"the aggregate {excerpt(node)} needs other arguments")

    def _named(self, node: exp.Anonymous) -> Aggregate:
        """An aggregate of the other dialect, that sqlglot has no name for."""
        kind = NAMED.get(str(node.this).lower())
        arguments = [a.copy() for a in node.expressions]
        if kind is None or len(arguments) != (2 if kind in (exp.PercentileCont, exp.PercentileDisc, exp.Quantile) else 1):
            raise QueryRefused(f"the aggregate {excerpt(node)} cannot be answered")
        second = {"quantile" if kind is exp.Quantile else "expression": arguments[1]} if len(arguments) > 1 else {}
        return self._bind(kind(this=arguments[0], **second))

    def _count(self, node: exp.Count) -> Aggregate:
        inner = node.this
        if isinstance(inner, exp.Distinct):
            check(inner)
            if len(inner.expressions) != 1 or isinstance(inner.expressions[0], exp.Tuple | exp.Star):
                raise QueryRefused(
                    "COUNT(DISTINCT ...) is answered for one value; count the rows of a subquery, SELECT DISTINCT a, b FROM ..., "
                    "which leaves out pairs of few units unless both are public"
                )
            return Aggregate("count", self._expressions.bind(inner.expressions[0]), COUNT, distinct=True)
        if node.expressions:
            raise QueryInvalid("COUNT takes one value")
        if inner is None or isinstance(inner, exp.Star):
            return Aggregate("count", None, COUNT)
        if isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star):
            raise QueryRefused("COUNT(table.*) is not understood; count a column that is never null")
        bound = self._expressions.bind(inner)
        return Aggregate("count", None if isinstance(bound, Literal) and bound.value is not None else bound, COUNT)

    def _sum(self, node: exp.Sum) -> Aggregate:
        argument = self._argument(node, "SUM")
        facts = argument.facts
        lo = 0 if facts.lo is not None and facts.lo >= 0 else None  # type: ignore[operator]
        return Aggregate("sum", argument, Facts(facts.kind, True, lo, None, facts.step), distinct=isinstance(node.this, exp.Distinct))

    def _truth(self, node: exp.LogicalAnd | exp.LogicalOr) -> Aggregate:
        """BOOL_AND and BOOL_OR: the least and greatest truth value of one unit's rows. Over many units it turns on a single row."""
        inner = node.this
        if isinstance(inner, exp.Distinct) and len(inner.expressions) == 1:
            inner = inner.expressions[0]  # the same values
        argument = self._expressions.condition(inner)
        if self._within:
            return Aggregate("min" if isinstance(node, exp.LogicalAnd) else "max", argument, replace(argument.facts, nullable=True))
        name, decisive = ("BOOL_AND", "false") if isinstance(node, exp.LogicalAnd) else ("BOOL_OR", "true")
        raise Mendable(
            f"{name} over many units turns on whether there is a single row where it is {decisive}, which noise must hide; count these "
            "rows, or ask it of each unit in a subquery",
            node,
            lambda place: _counted(place, exp.Not(this=exp.Paren(this=inner.copy())) if decisive == "false" else inner.copy()),
        )

    def _argument(self, node: exp.Expr, name: str, *, ordered: bool = False) -> Expression:
        inner = node.this
        if isinstance(inner, exp.Distinct):
            check(inner)
            if len(inner.expressions) != 1 or isinstance(inner.expressions[0], exp.Tuple | exp.Star):
                raise QueryInvalid(f"{name} needs one value")
            inner = inner.expressions[0]
        if inner is not node.this and type(node) in SPREADS:
            spread = NAMES.get(type(node), name)
            raise Mendable(
                f"{spread}(DISTINCT ...) cannot be answered, since whether a value is counted would depend on other units' rows",
                node.this,
                lambda inner: inner.replace(inner.expressions[0].copy()),
            )
        if node.expressions:
            raise QueryRefused(f"{name} is understood of one value")
        bound = self._number(inner, name, ordered=ordered)
        if inner is not node.this and not (ordered or self._within or bound.facts.bounded):
            raise Mendable(no_bounds(bound, name), inner, lambda place: place.replace(_clamped(place.copy(), bound.facts)))
        return bound

    def _number(self, node: exp.Expr, name: str, *, ordered: bool = False) -> Expression:
        bound = self._expressions.bind(node)
        if bound.facts.kind == "boolean" and name == "SUM" and self._expressions.dialect == "duckdb":
            bound = call("cast_integer", bound)
        facts = bound.facts
        whole = node.parent.parent if isinstance(node.parent, exp.Distinct) else node.parent
        if facts.identifies and not self._within:
            raise Mendable(
                f"{name} of ids of the privacy unit would tell of single ones; they can be counted",
                whole,
                lambda inner: inner.replace(exp.Count(this=exp.Star())),
            )
        if not facts.is_number and not (ordered and (facts.kind in MOMENTS or self._within)):
            raise Mendable(
                f"{name} needs numbers, not values of type {facts.kind}",
                whole,
                lambda inner: inner.replace(exp.Count(this=node.copy())) if facts.kind != "boolean" else _as_number(inner),
            )
        if facts.bounded or self._within or self._summed_by_unit(bound, name):
            return bound
        raise Mendable(no_bounds(bound, name), node, lambda inner: inner.replace(_clamped(inner.copy(), facts)))

    def _summed_by_unit(self, bound: Expression, name: str) -> bool:
        """Whether a value is made of sums and counts of one unit's rows alone, so that its bound is chosen privately."""
        known = bool(columns_of(bound)) and columns_of(bound) <= set(self._expressions.by_unit)
        exact = bound.facts.step is not None and bound.facts.kind != "double"
        return name in ("SUM", "AVG") and known and exact

    def _quantile(self, node: exp.Expr, fraction: Fraction, continuous: bool, whole: exp.Expr) -> Aggregate:
        argument = self._number(node, "a quantile", ordered=True)
        if not 0 <= fraction <= 1:
            raise QueryInvalid(f"the place of a quantile is from 0 to 1: {excerpt(whole)}")
        facts = replace(argument.facts, nullable=True, values=None)
        if continuous and facts.is_number:
            facts = replace(facts, kind="double")
        return Aggregate("quantile", argument, facts, fraction=fraction, continuous=continuous)

    def _within_group(self, node: exp.WithinGroup) -> Aggregate:
        inner, order = node.this, node.expression
        if not isinstance(inner, exp.PercentileCont | exp.PercentileDisc) or len(order.expressions) != 1:
            raise QueryRefused("WITHIN GROUP is understood of PERCENTILE_CONT and PERCENTILE_DISC with one order")
        ordered = order.expressions[0]
        check(ordered)
        fraction = self._fraction(inner.this)
        if ordered.args.get("desc"):
            fraction = 1 - fraction
        return self._quantile(ordered.this, fraction, isinstance(inner, exp.PercentileCont), node)

    def _fraction(self, node: exp.Expr) -> Fraction:
        if isinstance(node, exp.Array | exp.Tuple):
            reason = "several quantiles at once are not understood; ask for each by itself: QUANTILE(x, 0.25), QUANTILE(x, 0.75)"
            raise Mendable(reason, node, _each_by_itself)
        bound = self._expressions.bind(node)
        if not isinstance(bound, Literal) or not isinstance(bound.value, int | Fraction) or isinstance(bound.value, bool):
            raise QueryRefused("the place of a quantile must be one constant number")
        return Fraction(bound.value)


def _each_by_itself(place: exp.Expr) -> None:
    """A column for each of several quantiles."""
    shown = place
    while shown.parent is not None and not isinstance(shown.parent, exp.Select):
        shown = shown.parent
    select, position = shown.parent, shown.index
    if not isinstance(select, exp.Select) or shown.arg_key != "expressions" or position is None:
        return
    made: list[exp.Expr] = []
    for one in list(place.expressions):
        place = place.replace(one.copy())
        column = shown.copy()
        if isinstance(column, exp.Alias):
            column.set("alias", exp.to_identifier(f"{column.alias}_{len(made) + 1}"))
        made.append(column)
    select.set("expressions", [*select.expressions[:position], *made, *select.expressions[position + 1 :]])


def _as_number(place: exp.Expr) -> None:
    """The same aggregate of 1 for true and 0 for false."""
    value = place.this.expressions[0] if isinstance(place.this, exp.Distinct) else place.this
    value.replace(exp.cast(value.copy(), "int"))


def _shows_values(node: exp.Expr, dialect: str) -> Mendable:
    """Return the refusal of an aggregate that shows single values, which offers them as groups."""
    aggregate = node.this if isinstance(node, exp.WithinGroup | exp.IgnoreNulls) else node
    what = "STRING_AGG" if isinstance(aggregate, exp.GroupConcat) else excerpt(node, dialect)
    value = node.expression.expressions[0].this if isinstance(aggregate, exp.Mode) and aggregate.this is None else aggregate.this
    while isinstance(value, exp.Distinct | exp.Order):
        value = value.expressions[0] if isinstance(value, exp.Distinct) else value.this

    def grouped(place: exp.Expr) -> None:
        shown = place.parent if isinstance(place.parent, exp.Alias) else place
        select = shown.parent
        if not isinstance(select, exp.Select) or shown.arg_key != "expressions" or value is None:
            return
        place.replace(value.copy())
        if not any(has_aggregate(one) for one in select.expressions):
            select.append("expressions", exp.Count(this=exp.Star()))
        group = select.args.get("group") or exp.Group(expressions=[])
        group.append("expressions", value.copy())
        select.set("group", group)

    return Mendable(
        f"the aggregate {what} cannot be answered, since it would show values of single rows; values that enough units have are shown as "
        "groups, each with its count",
        node,
        grouped,
    )


def _counted(place: exp.Expr, condition: exp.Expr) -> None:
    """The count of rows for which a condition holds, in place of BOOL_AND or BOOL_OR; compared with zero where a truth value is needed."""
    every = isinstance(place, exp.LogicalAnd)
    count: exp.Expr = exp.Count(this=exp.Case(ifs=[exp.If(this=condition, true=exp.Literal.number(1))]))
    shown = place.parent if isinstance(place.parent, exp.Filter) else place
    if shown is not place:
        place.replace(count)
        count = shown.copy()
    if not isinstance(shown.parent, exp.Alias | exp.Select) or shown.arg_key in ("having", "qualify"):
        count = (exp.EQ if every else exp.GT)(this=count, expression=exp.Literal.number(0))
    shown.replace(count)


def no_bounds(bound: Expression, name: str) -> str:
    """Say that an aggregate's values have no bounds, and how to mend it."""
    what = f"'{bound.name.partition('_')[2]}'" if isinstance(bound, Column) else "this expression"
    return (
        f"{name} needs bounds on its values, since one unit could change it without limit otherwise, and {what} has none: declare them "
        f"under `privacy: {{columns: {{TABLE.COLUMN: {{bounds: [LEAST, GREATEST]}}}}}}`, or clamp in the query; it can be counted as it is"
    )


def _clamped(value: exp.Expr, facts: Facts) -> exp.Expr:
    """`value` between bounds that the analyst may change."""
    if facts.kind in MOMENTS:
        ends: list[exp.Expr] = [exp.cast(exp.Literal.string(day), facts.kind) for day in ("2020-01-01", "2030-01-01")]
    else:
        ends = [exp.Literal.number(0), exp.Literal.number(MONTH if _of_seconds(value) else 1000)]
    low, high = ends
    # marked as what both databases do with nulls, or sqlglot would write it out for DuckDB
    return exp.Least(this=exp.Greatest(this=value, expressions=[low], ignore_nulls=True), expressions=[high], ignore_nulls=True)


def _of_seconds(value: exp.Expr) -> bool:
    """Whether a value is the seconds between two times."""
    return isinstance(value, exp.Extract) and value.name.upper() == "EPOCH" and isinstance(value.expression.unnest(), exp.Sub)


def _filtered(aggregate: Aggregate, condition: Expression) -> Aggregate:
    """FILTER as a value that is null where the condition does not hold."""
    return replace(aggregate, argument=_when(condition, aggregate.argument or constant(1)))


def _when(condition: Expression, value: Expression) -> Expression:
    return case([(condition, value)], NULL)
