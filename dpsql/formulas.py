"""Aggregates from noisy parts: values, and how far they may be off."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import sqrt

import pyarrow as pa

from dpsql.planning.model import Formula, Part
from dpsql.tree import Aggregate, Facts

NORMAL_95 = 1.959964
EPOCH = datetime.datetime(1970, 1, 1)
LONGEST = 10**38  # steps of a decimal; what has more is a double


@dataclass(frozen=True)
class Noisy:
    """A measured part: `values` by group, in steps; `deviation` and `error95` of the noise, in steps; None where not known."""

    part: Part
    values: Sequence[int]
    deviation: float | None
    error95: float | None


@dataclass(frozen=True)
class Estimate:
    """A column of a release: values by group (None where there are none), standard deviations and 95 % errors."""

    values: pa.Array
    deviations: Sequence[float | None]
    errors: Sequence[float | None]


def estimate(formula: Formula, aggregate: Aggregate, noisy: Mapping[str, Noisy]) -> Estimate:
    """Return what `formula` makes of noisy parts.

    Errors of a single part are those of its noise law; of means and variances they follow from the first-order propagation of the
    parts' variances. Neither has the error that clipping makes.
    """
    if formula.function in ("value", "quantile"):
        return _single(formula, aggregate, noisy[formula.parts["value"]])
    if formula.function == "mean":
        return _mean(formula, noisy[formula.parts["sum"]], noisy[formula.parts["count"]])
    return _variance(formula, noisy)


def _single(formula: Formula, aggregate: Aggregate, noisy: Noisy) -> Estimate:
    step = noisy.part.step
    exact: Sequence[int | Fraction] = noisy.values
    if step != 1 or formula.centre:
        exact = [value * step + formula.centre for value in noisy.values]
    deviation = None if noisy.deviation is None else noisy.deviation * float(step)
    error = None if noisy.error95 is None else noisy.error95 * float(step)
    count = len(exact)
    return Estimate(column(exact, aggregate.facts), [deviation] * count, [error] * count)


def _mean(formula: Formula, total: Noisy, count: Noisy) -> Estimate:
    step = float(total.part.step)
    values: list[float | None] = []
    deviations: list[float | None] = []
    for s, n in zip(total.values, count.values, strict=True):
        if n < 1:
            values.append(None)
            deviations.append(None)
            continue
        mean = s * step / n
        values.append(_within(mean + float(formula.centre), formula))
        deviations.append(sqrt(((total.deviation or 0.0) * step) ** 2 + (mean * (count.deviation or 0.0)) ** 2) / n)
    return _estimate(values, deviations)


def _variance(formula: Formula, noisy: Mapping[str, Noisy]) -> Estimate:
    total, square, count = (noisy[formula.parts[role]] for role in ("sum", "square", "count"))
    step = float(total.part.step)
    sampled, root = formula.function.endswith("_samp"), formula.function.startswith("stddev")
    values: list[float | None] = []
    deviations: list[float | None] = []
    for s, q, n in zip(total.values, square.values, count.values, strict=True):
        if n < (2 if sampled else 1):
            values.append(None)
            deviations.append(None)
            continue
        # whole numbers until the last division, so that nothing cancels
        spread = max(0.0, float(Fraction(q * n - s * s, n * (n - 1 if sampled else n)))) * step * step
        spread = _within(spread, formula)
        mean, mean_square = s * step / n, q * step * step / n
        deviation = (
            sqrt(
                ((square.deviation or 0.0) * step * step) ** 2
                + (2 * mean * (total.deviation or 0.0) * step) ** 2
                + ((mean_square - 2 * mean * mean) * (count.deviation or 0.0)) ** 2
            )
            / n
        )
        values.append(sqrt(spread) if root else spread)
        deviations.append(deviation / (2 * sqrt(spread)) if root and spread > 0 else None if root else deviation)
    return _estimate(values, deviations)


def _estimate(values: list[float | None], deviations: list[float | None]) -> Estimate:
    errors = [None if d is None else NORMAL_95 * d for d in deviations]
    return Estimate(pa.array(values, pa.float64()), deviations, errors)


def _within(value: float, formula: Formula) -> float:
    if formula.lo is None or formula.hi is None:
        return value
    return min(max(value, float(formula.lo)), float(formula.hi))


def column(exact: Sequence[int | Fraction | None], facts: Facts) -> pa.Array:
    """Return numbers (days or seconds since 1970 for dates and times) as an Arrow array of the kind of `facts`."""
    if facts.kind == "date":
        return pa.array([None if v is None else EPOCH.date() + datetime.timedelta(days=round(v)) for v in exact], pa.date32())
    if facts.kind in ("timestamp", "timestamptz"):
        moments = [None if v is None else EPOCH + datetime.timedelta(microseconds=round(v * 1_000_000)) for v in exact]
        return pa.array(moments, pa.timestamp("us", "UTC" if facts.kind == "timestamptz" else None))
    if facts.kind == "double":
        return pa.array([None if v is None else float(v) for v in exact], pa.float64())
    if facts.kind == "decimal" and facts.step is not None:
        return _decimals(exact, facts.step)
    whole = [None if v is None else round(v) for v in exact]
    if all(v is None or abs(v) < 2**63 for v in whole):
        return pa.array(whole, pa.int64())
    return _decimals([None if v is None else Fraction(v) for v in whole], Fraction(1))


def _decimals(exact: Sequence[int | Fraction | None], step: Fraction) -> pa.Array:
    scale = 0
    while scale < 18 and (step * 10**scale).denominator != 1:
        scale += 1
    steps = [None if v is None else round(v * 10**scale) for v in exact]
    if any(v is not None and abs(v) >= LONGEST for v in steps):
        return pa.array([None if v is None else float(v) for v in exact], pa.float64())
    return pa.array([None if v is None else Decimal(f"{v}E-{scale}") for v in steps], pa.decimal128(38, scale))
