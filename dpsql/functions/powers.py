"""Roots, powers and logarithms, null outside of where they are defined and finite."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from dpsql.functions import ranges
from dpsql.functions.arithmetic import holdable, numeric
from dpsql.functions.registry import Function, Writer
from dpsql.tree import Call, Expression, Facts, Literal

SLACK = Fraction(1, 10**12)  # how much the bounds of a rounded function are widened
HIGHEST = 300  # the largest exponent of EXP and the largest decimal exponent of a power's outcome


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


def _guarded(name: str, low: str, high: str, postgres: str = "") -> tuple[Writer, Writer]:
    """A function of values between `low` and `high`: of doubles in DuckDB, of NUMERIC in PostgreSQL."""

    def in_duckdb(a: str, call: Call) -> str:
        value = f"CAST({a} AS DOUBLE)"
        return f"{name}(CASE WHEN {value} BETWEEN {low} AND {high} THEN {value} END)"

    def in_postgres(a: str, call: Call) -> str:
        value = numeric(a, call.arguments[0])
        return f"{postgres or name}(CASE WHEN {value} BETWEEN {low} AND {high} THEN {value} END)"

    return in_duckdb, in_postgres


def _cube_root(a: str, call: Call) -> str:
    """There is none of NUMERIC."""
    return f"CAST(CBRT(CAST({holdable(a)} AS DOUBLE PRECISION)) AS NUMERIC)"


def _log2(a: str, call: Call) -> str:
    return f"({_LN[1](a, call=call)} / CAST(0.6931471805599453 AS NUMERIC))"


def _raised(write: Callable[[str, Expression], str], kind: str) -> Writer:
    """POWER of values whose outcome a double holds."""

    def written(*arguments: str, call: Call) -> str:
        value, exponent = write(arguments[0], call.arguments[0]), exponent_of(call.arguments)
        limit = int(HIGHEST / max(1.0, abs(float(exponent))))
        low = f"1e-{limit}" if exponent < 0 else "0" if exponent.denominator != 1 else f"-1e{limit}"
        inside = f"{value} BETWEEN {low} AND 1e{limit}"
        if exponent < 0 and exponent.denominator == 1:
            inside += f" OR {value} BETWEEN -1e{limit} AND -1e-{limit}"
        return f"POWER(CASE WHEN {inside} THEN {value} END, CAST({float(exponent)!r} AS {kind}))"

    return written


def _of_angle(name: str, most: str) -> tuple[Writer, Writer]:
    """A trigonometric function of doubles up to `most` either way, beyond which an angle has no digits left."""

    def in_duckdb(a: str, call: Call) -> str:
        value = f"CAST({a} AS DOUBLE)"
        return f"{name}(CASE WHEN {value} BETWEEN -{most} AND {most} THEN {value} END)"

    def in_postgres(a: str, call: Call) -> str:
        value = numeric(a, call.arguments[0])
        held = f"CASE WHEN {value} BETWEEN -{most} AND {most} THEN {value} END"
        return f"CAST({name}(CAST({holdable(f'({held})')} AS DOUBLE PRECISION)) AS NUMERIC)"

    return in_duckdb, in_postgres


def _wave(arguments: Sequence[Expression]) -> Facts:
    return ranges.number("double", True, (-1, 1), None)


_LN = _guarded("LN", "1e-300", "1e300")

FUNCTIONS = (
    Function("sqrt", _increasing(math.sqrt, 0, math.inf), *_guarded("SQRT", "0", "1e300")),
    Function("cbrt", _increasing(math.cbrt, -math.inf, math.inf), _guarded("CBRT", "-1e300", "1e300")[0], _cube_root),
    Function("exp", _increasing(math.exp, -math.inf, HIGHEST), *_guarded("EXP", f"-{HIGHEST}", str(HIGHEST))),
    Function("ln", _logarithm(math.log), *_LN),
    Function("log10", _logarithm(math.log10), *_guarded("LOG10", "1e-300", "1e300", "LOG")),
    Function("log2", _logarithm(math.log2), _guarded("LOG2", "1e-300", "1e300")[0], _log2),
    Function("sin", _wave, *_of_angle("SIN", "1e15")),
    Function("cos", _wave, *_of_angle("COS", "1e15")),
    Function("atan", _increasing(math.atan, -math.inf, math.inf), *_of_angle("ATAN", "1e300")),
    Function("power", _power, _raised(lambda w, _: f"CAST({w} AS DOUBLE)", "DOUBLE"), _raised(numeric, "NUMERIC")),
)
