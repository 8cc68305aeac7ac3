"""Roots, powers and logarithms, null outside of where they are defined and finite."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from dpsql.functions import ranges
from dpsql.functions.registry import Function, Writer
from dpsql.tree import Call, Expression, Facts, Literal

SLACK = Fraction(1, 10**12)  # how much the bounds of a rounded function are widened
HIGHEST = 300  # the largest exponent of EXP and the largest decimal exponent of a power's outcome
Bound = Fraction | int | None


def _increasing(work: Callable[[float], float], least: float, most: float) -> Callable[..., Facts]:
    """Facts of an increasing function that is defined from `least` to `most`, both in."""

    def facts(arguments: Sequence[Expression]) -> Facts:
        a = arguments[0].facts
        lo: Any = None if a.lo is None or a.lo < least else _outside(work, a.lo, -1)  # type: ignore[operator]
        hi: Any = None if a.hi is None or a.hi > most else _outside(work, a.hi if a.hi >= least else least, 1)  # type: ignore[operator]
        if least == 0 and work(0.0) == 0 and lo is None:
            lo = 0
        return ranges.number("double", True, (lo, hi), None)

    return facts


def _outside(work: Callable[[float], float], at: Any, side: int) -> Fraction | None:
    try:
        value = Fraction(work(float(at)))
    except (OverflowError, ValueError):
        return None
    if value == round(value):
        return value
    return value + side * (abs(value) * SLACK + SLACK)


def _logarithm(work: Callable[[float], float]) -> Callable[..., Facts]:
    def facts(arguments: Sequence[Expression]) -> Facts:
        a = arguments[0].facts
        lo = _outside(work, a.lo, -1) if a.lo is not None and a.lo > 0 else None  # type: ignore[operator]
        hi = _outside(work, a.hi, 1) if a.hi is not None and a.hi > 0 else None  # type: ignore[operator]
        return ranges.number("double", True, (lo, hi), None)

    return facts


def exponent_of(arguments: Sequence[Expression]) -> Fraction:
    """The constant exponent of POWER."""
    found = arguments[1]
    assert isinstance(found, Literal)
    return Fraction(found.value)  # type: ignore[arg-type]


def _power(arguments: Sequence[Expression]) -> Facts:
    a, exponent = arguments[0].facts, exponent_of(arguments)
    if not a.bounded:
        even = exponent >= 0 and exponent.denominator == 1 and exponent.numerator % 2 == 0
        return ranges.number("double", True, (0 if even else None, None), None)
    lo, hi = Fraction(a.lo), Fraction(a.hi)  # type: ignore[arg-type]
    if exponent.denominator != 1:
        lo = max(lo, Fraction(0))
    if hi < lo or (exponent < 0 and lo <= 0 <= hi):
        return ranges.number("double", True, (None, None), None)
    if exponent.denominator == 1:
        corners = [x**exponent.numerator for x in (lo, hi)] + ([Fraction(0)] if lo < 0 < hi else [])
        return ranges.number("double", True, (min(corners), max(corners)), None)
    ends = [_outside(lambda x: x ** float(exponent), x, side) for x, side in ((lo, 0), (hi, 0))]
    if None in ends:
        return ranges.number("double", True, (None, None), None)
    low, high = sorted(e for e in ends if e is not None)
    return ranges.number("double", True, (low - abs(low) * SLACK, high + abs(high) * SLACK), None)


def _guarded(name: str, condition: str) -> tuple[Writer, Writer]:
    """A function of a double where `condition` holds; `{x}` stands for the value."""

    def write(kind: str) -> Writer:
        def written(a: str, call: Call) -> str:
            value = f"CAST({a} AS {kind})"
            return f"{name}(CASE WHEN {condition.format(x=value)} THEN {value} END)"

        return written

    return write("DOUBLE"), _numeric_outcome(write("DOUBLE PRECISION"))


def _numeric_outcome(write: Writer) -> Writer:
    return lambda *a, call: f"CAST({write(*(f'{_double(x)}' for x in a), call=call)} AS NUMERIC)"


def _double(written: str) -> str:
    """A NUMERIC that a double can hold, else null, so that the cast to one cannot fail."""
    return f"(CASE WHEN {written} BETWEEN -1e{HIGHEST} AND 1e{HIGHEST} THEN {written} END)"


def _raise(kind: str) -> Writer:
    def write(*arguments: str, call: Call) -> str:
        value, exponent = f"CAST({arguments[0]} AS {kind})", exponent_of(call.arguments)
        limit = HIGHEST / max(1.0, abs(float(exponent)))
        inside = f"ABS({value}) BETWEEN 1e-{limit:.0f} AND 1e{limit:.0f}"
        if exponent >= 0:
            inside = f"ABS({value}) <= 1e{limit:.0f}"
        if exponent.denominator != 1:
            inside += f" AND {value} >= 0"
        base = f"(CASE WHEN {inside} THEN {value} END)"
        if exponent > 1:
            # what is too small would be told as an error of its own by PostgreSQL
            base = f"(CASE WHEN ABS({base}) < 1e-{limit:.0f} THEN 0 ELSE {base} END)"
        return f"POWER({base}, CAST({float(exponent)!r} AS {kind}))"

    return write


def _root(a: float) -> float:
    return math.sqrt(a)


FUNCTIONS = (
    Function("sqrt", _increasing(_root, 0, math.inf), *_guarded("SQRT", "{x} >= 0 AND {x} < 1e300")),
    Function("cbrt", _increasing(math.cbrt, -math.inf, math.inf), *_guarded("CBRT", "ABS({x}) < 1e300")),
    Function("exp", _increasing(math.exp, -math.inf, HIGHEST), *_guarded("EXP", f"{{x}} BETWEEN -{HIGHEST} AND {HIGHEST}")),
    Function("ln", _logarithm(math.log), *_guarded("LN", "{x} > 1e-300 AND {x} < 1e300")),
    Function("log10", _logarithm(math.log10), *_guarded("LOG10", "{x} > 1e-300 AND {x} < 1e300")),
    Function(
        "log2",
        _logarithm(math.log2),
        _guarded("LOG2", "{x} > 1e-300 AND {x} < 1e300")[0],
        lambda a, call: f"({_guarded('LN', '{x} > 1e-300 AND {x} < 1e300')[1](a, call=call)} / CAST(0.6931471805599453 AS NUMERIC))",
    ),
    Function("power", _power, _raise("DOUBLE"), _numeric_outcome(_raise("DOUBLE PRECISION"))),
)
