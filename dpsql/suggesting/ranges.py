"""Ranges of values: bounds, and the closed list where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Scalar = str | bool | Fraction
Unit = Literal["plain", "moment", "span"]


class Unranged(ValueError):
    """Nothing is declared that bounds a column; the message says why, in words that follow the column's name."""


@dataclass(frozen=True)
class Range:
    """What values can be: from `low` to `high`, and all of `values` where that is a closed list.

    Numbers are exact; moments are microseconds since 1970 (UTC), spans of time are microseconds. Texts and truths have no bounds.
    """

    low: Fraction | None = None
    high: Fraction | None = None
    values: tuple[Scalar, ...] | None = None
    unit: Unit = "plain"

    @property
    def bounds(self) -> tuple[Fraction, Fraction]:
        """Both bounds; Unranged where there are none."""
        if self.low is None or self.high is None:
            raise Unranged("it has values that are no numbers")
        return self.low, self.high

    def within(self, low: Fraction | None, high: Fraction | None) -> Range:
        """The part of the range that other bounds leave."""
        mine = [(self.low, low, max), (self.high, high, min)]
        first, last = (a if b is None else b if a is None else pick(a, b) for a, b, pick in mine)
        values = self.values
        if values is not None and (low is not None or high is not None):
            values = tuple(v for v in values if not isinstance(v, Fraction) or ((low is None or v >= low) and (high is None or v <= high)))
        return Range(first, last, values, self.unit)


def closed(values: Iterable[Scalar], unit: Unit = "plain") -> Range:
    """The range of a list of values."""
    kept = tuple(dict.fromkeys(values))
    numbers = [v for v in kept if isinstance(v, Fraction)]
    if kept and len(numbers) == len(kept):
        return Range(min(numbers), max(numbers), kept, unit)
    return Range(values=kept, unit=unit)


def between(low: Fraction | None, high: Fraction | None, unit: Unit = "plain") -> Range:
    """The range from `low` to `high`, in either order."""
    if low is None or high is None:
        return Range(low, high, None, unit)
    return Range(min(low, high), max(low, high), None, unit)


def union(ranges: Sequence[Range]) -> Range:
    """The range of values that are in any of `ranges`."""
    units = {r.unit for r in ranges}
    if len(units) != 1:
        raise Unranged("it mixes numbers and times")
    unit = units.pop()
    if all(r.values is not None for r in ranges):
        return closed((v for r in ranges for v in r.values or ()), unit)
    pairs = [r.bounds for r in ranges]
    return Range(min(low for low, _ in pairs), max(high for _, high in pairs), None, unit)


def plus(a: Range, b: Range) -> Range:
    """The range of sums: of numbers, of spans, or of a moment and a span."""
    units = {a.unit, b.unit}
    if units not in ({"plain"}, {"span"}, {"moment", "span"}):
        raise Unranged("it adds what is of different kinds, such as times and numbers")
    unit: Unit = "moment" if "moment" in units else a.unit
    return Range(a.bounds[0] + b.bounds[0], a.bounds[1] + b.bounds[1], None, unit)


def times(a: Range, b: Range) -> Range:
    """The range of products: of numbers, or of a number and a span."""
    units = {a.unit, b.unit}
    if units not in ({"plain"}, {"plain", "span"}):
        raise Unranged("it multiplies times")
    products = [x * y for x in a.bounds for y in b.bounds]
    return Range(min(products), max(products), None, "span" if "span" in units else "plain")


def negative(a: Range) -> Range:
    """The range of the values with the other sign."""
    if a.unit == "moment":
        raise Unranged("it takes times from times")
    return Range(-a.bounds[1], -a.bounds[0], None, a.unit)
