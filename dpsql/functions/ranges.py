"""Ranges of numbers: exact interval arithmetic (Moore 1966), with None for a side that is not bounded."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from dpsql.tree import Expression, Facts, Value

FLOAT_STEPS = 2**40
CLOSED = 10_000  # the longest closed list that is worked out
LARGEST = 10**300
LONG = 2**1000


def number(kind: str, nullable: bool, bounds: tuple[Any, Any], step: Fraction | None) -> Facts:
    """Facts of a number; a double between bounds gets a step that divides them finely, a short range of whole ones is closed."""
    lo, hi = _held(bounds[0], -1), _held(bounds[1], 1)
    if step is not None and (step.denominator > LONG or step.numerator > LONG):
        step = None
    if kind == "double" and step is not None and lo is not None and hi is not None and hi - lo > step * FLOAT_STEPS:
        step = None  # of values on grids of their own the common one may be far finer than a double needs
    if kind == "double" and step is None and lo is not None and hi is not None:
        step = (hi - lo) / FLOAT_STEPS if hi > lo else Fraction(1, FLOAT_STEPS)
    facts = Facts(kind, nullable, _plain(lo), _plain(hi), step)  # type: ignore[arg-type]
    every = step.numerator if step is not None and step.denominator == 1 else 1 if kind == "integer" else None
    if every is not None and lo is not None and hi is not None and hi - lo < CLOSED * every:
        return replace(facts, values=tuple(n * every for n in range(math.ceil(lo / every), math.floor(hi / every) + 1)))
    return facts


def is_divided(facts: Facts) -> bool:
    """Whether a number has no other step than the one that divides its range finely."""
    return facts.kind == "double" and facts.bounded and facts.step == (Fraction(facts.hi) - Fraction(facts.lo)) / FLOAT_STEPS  # type: ignore[arg-type]


def _held(bound: Any, side: int) -> Fraction | None:
    """A bound as a fraction that is not too long to work with: rounded outwards, and none at all beyond what a double holds."""
    if bound is None:
        return None
    found = Fraction(bound)
    if abs(found) > LARGEST:
        return None
    if found.denominator > LONG:
        scaled = found * LONG
        return Fraction(scaled.__floor__() if side < 0 else scaled.__ceil__(), LONG)
    return found


def nullable(arguments: Iterable[Expression]) -> bool:
    """Whether any of `arguments` can be null."""
    return any(a.facts.nullable for a in arguments)


def truth(arguments: Iterable[Expression]) -> Facts:
    """Facts of what is true or false, and null only where an argument is."""
    return Facts("boolean", nullable(arguments), values=(False, True))


def uncertain(moment: Facts) -> bool:
    """Whether what is worked out of a moment can be null: where the moment is, or is far outside, which declared bounds leave out."""
    return moment.nullable or not moment.bounded


def wider(a: Facts, b: Facts) -> str:
    """The kind of number that holds both."""
    kinds = {a.kind, b.kind}
    return "double" if "double" in kinds else "decimal" if "decimal" in kinds else "integer"


def add(a: Facts, b: Facts) -> tuple[Any, Any]:
    return _both(a.lo, b.lo, lambda x, y: x + y), _both(a.hi, b.hi, lambda x, y: x + y)


def subtract(a: Facts, b: Facts) -> tuple[Any, Any]:
    return _both(a.lo, b.hi, lambda x, y: x - y), _both(a.hi, b.lo, lambda x, y: x - y)


def multiply(a: Facts, b: Facts) -> tuple[Any, Any]:
    if a.bounded and b.bounded:
        corners = [Fraction(x) * Fraction(y) for x in (a.lo, a.hi) for y in (b.lo, b.hi)]  # type: ignore[arg-type]
        return min(corners), max(corners)
    if _from_zero(a) and _from_zero(b):
        return 0, None
    return None, None


def divide(a: Facts, b: Facts) -> tuple[Any, Any]:
    if not (a.bounded and b.bounded) or b.lo <= 0 <= b.hi:  # type: ignore[operator]
        return None, None
    corners = [Fraction(x) / Fraction(y) for x in (a.lo, a.hi) for y in (b.lo, b.hi)]  # type: ignore[arg-type]
    return min(corners), max(corners)


def hull(facts: Iterable[Facts]) -> tuple[Any, Any]:
    """The least range with all of `facts` in it."""
    lows, highs = zip(*((f.lo, f.hi) for f in facts), strict=True)
    return (
        None if None in lows else min(lows),
        None if None in highs else max(highs),
    )


def common_step(facts: Iterable[Facts]) -> Fraction | None:
    """The coarsest step of which all steps are multiples, roughly: the smallest where it divides the others."""
    steps = [f.step for f in facts]
    if any(s is None for s in steps):
        return None
    known = [s for s in steps if s is not None]
    numerator, denominator = 0, 1
    for step in known:
        denominator = denominator * step.denominator // _gcd(denominator, step.denominator)
    for step in known:
        numerator = _gcd(numerator, step.numerator * (denominator // step.denominator))
    return Fraction(numerator, denominator)


def merged(facts: list[Facts], nulls: bool) -> Facts:
    """Facts of a value that is one of several of the same kind: of CASE, COALESCE, LEAST and the like."""
    kinds = {f.kind for f in facts}
    if kinds <= {"integer", "decimal", "double"}:
        kind = "double" if "double" in kinds else "decimal" if "decimal" in kinds else "integer"
        step = common_step(facts)
        if kind == "double":
            step = None if any(f.kind == "double" and f.step is None for f in facts) else step
        found = number(kind, nulls, hull(facts), step)
    else:
        found = Facts(facts[0].kind, nulls, *(hull(facts) if facts[0].kind in ("date", "timestamp", "timestamptz") else (None, None)))
    if any(f.identifies for f in facts):
        return replace(found, values=None, identifies=True)
    values = closed(facts)
    return replace(found, values=values) if values is not None or found.values is None else found


def closed(facts: list[Facts]) -> tuple[Value, ...] | None:
    """The closed values of a value that is one of several, or None."""
    values: dict[Value, None] = {}
    for one in facts:
        if one.values is None:
            return None
        values.update(dict.fromkeys(v for v in one.values if v is not None))
        if len(values) > CLOSED:
            return None
    return tuple(values)


def _from_zero(facts: Facts) -> bool:
    return facts.lo is not None and facts.lo >= 0  # type: ignore[operator]


def _both(x: Any, y: Any, combine: Any) -> Any:
    return None if x is None or y is None else combine(Fraction(x), Fraction(y))


def _plain(value: Fraction | None) -> int | Fraction | None:
    return value.numerator if value is not None and value.denominator == 1 else value


def _gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a
