"""The rule that splits aggregates into parts."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from dpsql.declaration import Declaration
from dpsql.errors import QueryRefused
from dpsql.planning.model import UNBOUNDED, Bounds, Formula, Part, PartKind, Plan
from dpsql.tree import Aggregate, Column, Expression, Facts

SQUARED = 2**20  # the largest distance from the middle whose squares are summed
BINS = 2**20  # the most candidates of a quantile


def split_aggregates(plan: Plan, declaration: Declaration) -> Plan:
    """Return `plan` with the parts that its aggregates need, each once, and the formulas that put them together again."""
    splitting = _Splitting(plan.release.rows.unit)
    formulas = tuple(splitting.formula(aggregate) for aggregate in plan.release.aggregates)
    if plan.private_keys or plan.settings.min_units:
        splitting.part("units")
    return replace(plan, formulas=formulas, parts=tuple(splitting.parts))


@dataclass
class _Splitting:
    unit: str | None
    parts: list[Part] = field(default_factory=list)

    def formula(self, aggregate: Aggregate) -> Formula:
        argument = aggregate.argument
        match aggregate.function:
            case "count":
                return Formula("value", {"value": self._count(aggregate)})
            case "sum" | "avg" if aggregate.distinct:
                assert argument is not None
                return self._of_distinct(aggregate, argument)
            case "sum":
                assert argument is not None
                return Formula("value", {"value": self._sum(argument)})
            case "avg":
                assert argument is not None
                return self._mean(argument)
            case "min" | "max" | "quantile":
                assert argument is not None
                return self._quantile(aggregate, argument)
            case function:
                assert argument is not None
                return self._variance(function, argument)

    def part(self, kind: PartKind, argument: Expression | None = None, **details: object) -> str:
        """The name of such a part, made where there is none yet."""
        made = Part(f"p{len(self.parts)}", kind, argument, **details)  # type: ignore[arg-type]
        for known in self.parts:
            if known.kind == kind and known.argument == argument and replace(known, name=made.name) == made:
                return known.name
        self.parts.append(made)
        return made.name

    def _count(self, aggregate: Aggregate) -> str:
        argument = aggregate.argument
        if aggregate.distinct:
            assert argument is not None
            own = isinstance(argument, Column) and argument.name == self.unit and not argument.facts.nullable
            return self.part("units") if own else self.part("distinct", argument)
        return self._values(argument)

    def _values(self, argument: Expression | None) -> str:
        if argument is None or not argument.facts.nullable:
            return self.part("rows", row=Bounds(0, 1))
        return self.part("values", argument, row=Bounds(0, 1))

    def _sum(self, argument: Expression) -> str:
        facts = argument.facts
        step = _step(facts)
        row = Bounds(min(0, _steps(facts.lo, step)), max(0, _steps(facts.hi, step))) if facts.bounded else None
        return self.part("sum", argument, step=step, row=row)

    def _of_distinct(self, aggregate: Aggregate, argument: Expression) -> Formula:
        """The sum of the different values, or that and their number."""
        facts = argument.facts
        if not facts.bounded:
            raise QueryRefused(f"{aggregate.function.upper()}(DISTINCT ...) needs a value with bounds on both sides")
        step = _step(facts)
        row = Bounds(min(0, _steps(facts.lo, step)), max(0, _steps(facts.hi, step)))
        if aggregate.function == "sum":
            return Formula("value", {"value": self.part("sum of distinct", argument, step=step, row=row)})
        count = self.part("distinct", argument)
        total = self.part("sum of distinct", argument, step=step, row=row)
        return Formula("mean", {"sum": total, "count": count}, Fraction(0), *limits(facts))

    def _mean(self, argument: Expression) -> Formula:
        facts = argument.facts
        step = _step(facts)
        count = self._values(argument)
        if not facts.bounded:
            return Formula("mean", {"sum": self._sum(argument), "count": count})
        lo, hi = _steps(facts.lo, step), _steps(facts.hi, step)
        middle = (lo + hi) // 2
        total = self.part("sum", argument, step=step, centre=middle, row=Bounds(lo - middle, hi - middle))
        return Formula("mean", {"sum": total, "count": count}, middle * step, *limits(facts))

    def _variance(self, function: str, argument: Expression) -> Formula:
        facts = argument.facts
        if not facts.bounded:
            raise QueryRefused(f"{function.upper()} needs a value with bounds on both sides")
        step = _step(facts)
        width = (_fraction(facts.hi) - _fraction(facts.lo)) / step
        # squares of at most SQUARED steps, so that many of them stay exact
        step *= max(1, -(-width // (2 * SQUARED)))
        lo, hi = _steps(facts.lo, step), _steps(facts.hi, step)
        middle = (lo + hi) // 2
        row = Bounds(lo - middle, hi - middle)
        total = self.part("sum", argument, step=step, centre=middle, row=row)
        square = self.part("square", argument, step=step, centre=middle, row=Bounds(0, row.largest**2))
        largest = Fraction(row.largest**2) * step * step
        return Formula(function, {"sum": total, "square": square, "count": self._values(argument)}, middle * step, Fraction(0), largest)

    def _quantile(self, aggregate: Aggregate, argument: Expression) -> Formula:
        facts = argument.facts
        if not facts.bounded:
            raise QueryRefused(f"{aggregate.function.upper()} needs a value with bounds on both sides")
        step = _step(facts)
        width = (_fraction(facts.hi) - _fraction(facts.lo)) / step
        step *= max(1, -(-(width + 1) // BINS))
        lo, hi = _steps(facts.lo, step), _steps(facts.hi, step)
        place = {"min": Fraction(0), "max": Fraction(1)}.get(aggregate.function, aggregate.fraction)
        assert place is not None
        name = self.part("quantile", argument, step=step, centre=lo, fraction=place, bins=hi - lo + 1)
        return Formula("quantile", {"value": name}, lo * step)


def _step(facts: Facts) -> Fraction:
    if facts.kind in ("date", "timestamp", "timestamptz"):
        return Fraction(1)
    if facts.step is None:
        raise QueryRefused("sums of floating-point values need declared bounds, which say how finely they are counted")
    return facts.step


def _fraction(bound: Any) -> Fraction:
    """A bound as a number: days since 1970 of a date, seconds of a time."""
    if isinstance(bound, datetime.datetime):
        naive = bound.astimezone(datetime.UTC).replace(tzinfo=None) if bound.tzinfo else bound
        since = naive - datetime.datetime(1970, 1, 1)
        return Fraction(since // datetime.timedelta(microseconds=1), 1_000_000)
    if isinstance(bound, datetime.date):
        return Fraction((bound - datetime.date(1970, 1, 1)).days)
    return Fraction(bound)


def _steps(bound: Any, step: Fraction) -> int:
    steps = round(_fraction(bound) / step)
    if abs(steps) > UNBOUNDED:
        raise QueryRefused("the declared bounds are too far apart for the precision of the values; declare narrower ones")
    return steps


def limits(facts: Facts) -> tuple[Fraction, Fraction]:
    """The bounds of a value as numbers: days since 1970 of a date, seconds of a time."""
    return _fraction(facts.lo), _fraction(facts.hi)
