"""Arithmetic.

DuckDB: whole numbers as 64 bits where the facts say that these hold all, else as 128; what overflows all the same is null by TRY.
PostgreSQL, which has no TRY: everything as NUMERIC, which holds NaN and infinities too and does not overflow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from dpsql.functions import ranges
from dpsql.functions.mixing import in_duckdb
from dpsql.functions.registry import Function, Writer
from dpsql.tree import Call, Expression, Facts, Literal

FINEST = Fraction(1, 10**18)  # the finest step of a product that is kept as a decimal
LARGE = 2**62
LONGEST = 2**52  # the steps of a decimal; one with more is a double, which is as fine, and which a product of decimals does not overflow
Bounds = tuple[Any, Any]


def _binary(bounds: Callable[[Facts, Facts], Bounds], step: Callable[[Facts, Facts], Fraction | None]) -> Callable[..., Facts]:
    def facts(arguments: Sequence[Expression]) -> Facts:
        a, b = (x.facts for x in arguments)
        kind, fine, (lo, hi) = ranges.wider(a, b), step(a, b), bounds(a, b)
        long = fine is not None and None not in (lo, hi) and max(-lo, hi) > fine * LONGEST
        if kind == "decimal" and fine is not None and (fine < FINEST or long):
            kind, fine = "double", None
        return ranges.number(kind, ranges.nullable(arguments), (lo, hi), fine)

    return facts


def _sum_step(a: Facts, b: Facts) -> Fraction | None:
    return ranges.common_step([a, b])


def _product_step(a: Facts, b: Facts) -> Fraction | None:
    return None if a.step is None or b.step is None else a.step * b.step


def _quotient(arguments: Sequence[Expression]) -> Facts:
    a, b = (x.facts for x in arguments)
    return ranges.number("double", True, ranges.divide(a, b), None)


def _whole_quotient(arguments: Sequence[Expression]) -> Facts:
    a, b = (x.facts for x in arguments)
    lo, hi = ranges.divide(a, b)
    return ranges.number("integer", _may_be_null(a, b), (_toward_zero(lo), _toward_zero(hi)), Fraction(1))


def _remainder(arguments: Sequence[Expression]) -> Facts:
    a, b = (x.facts for x in arguments)
    largest: Any = max(abs(Fraction(b.lo)), abs(Fraction(b.hi))) if b.bounded else None  # type: ignore[arg-type]
    step = ranges.common_step([a, b])
    if largest is None or step is None:
        return ranges.number(ranges.wider(a, b), True, (None, None), step)
    kind = ranges.wider(a, b)
    if kind == "integer" and a.lo is not None and a.lo == a.hi and b.lo == b.hi != 0:
        rest = int(a.lo) - int(b.lo) * _toward_zero(Fraction(a.lo) / Fraction(b.lo))  # type: ignore[arg-type]
        return ranges.number(kind, _may_be_null(a, b), (rest, rest), Fraction(1))
    lowest = Fraction(0) if a.lo is not None and a.lo >= 0 else min(Fraction(0), step - largest)  # type: ignore[operator]
    return ranges.number(kind, kind != "integer" or _may_be_null(a, b), (lowest, max(Fraction(0), largest - step)), step)


def _may_be_null(a: Facts, b: Facts) -> bool:
    """Whether dividing whole numbers may give null: where one is, or the divisor is zero; by what is above zero nothing overflows."""
    return a.nullable or b.nullable or a.kind != "integer" or b.kind != "integer" or b.lo is None or b.lo <= 0  # type: ignore[operator]


def _absolute(arguments: Sequence[Expression]) -> Facts:
    a = arguments[0].facts
    if not a.bounded:
        return ranges.number(a.kind, a.nullable, (0, None), a.step)
    lo, hi = Fraction(a.lo), Fraction(a.hi)  # type: ignore[arg-type]
    least = Fraction(0) if lo <= 0 <= hi else min(abs(lo), abs(hi))
    return ranges.number(a.kind, a.nullable, (least, max(abs(lo), abs(hi))), a.step)


def _negated(arguments: Sequence[Expression]) -> Facts:
    a = arguments[0].facts
    lo = None if a.hi is None else -a.hi  # type: ignore[operator]
    hi = None if a.lo is None else -a.lo  # type: ignore[operator]
    return ranges.number(a.kind, a.nullable, (lo, hi), a.step)


def _sign(arguments: Sequence[Expression]) -> Facts:
    return ranges.number("integer", arguments[0].facts.nullable, (-1, 1), Fraction(1))


def places(arguments: Sequence[Expression]) -> int:
    """The digits after the point of ROUND and TRUNC; the second argument is a constant."""
    if len(arguments) == 1:
        return 0
    digits = arguments[1]
    assert isinstance(digits, Literal)
    assert isinstance(digits.value, int)
    return max(-12, min(12, digits.value))


def _rounded(arguments: Sequence[Expression]) -> Facts:
    a = arguments[0].facts
    step = Fraction(10) ** -places(arguments)
    if a.kind == "integer" and step <= 1:
        return a
    lo = None if a.lo is None else _floor(Fraction(a.lo) / step) * step  # type: ignore[arg-type]
    hi = None if a.hi is None else _ceil(Fraction(a.hi) / step) * step  # type: ignore[arg-type]
    return ranges.number(a.kind, a.nullable, (lo, hi), step)


def _to_whole(arguments: Sequence[Expression]) -> Facts:
    a = arguments[0].facts
    if a.kind == "integer":
        return a
    return ranges.number(a.kind, a.nullable, (_floor(a.lo), _ceil(a.hi)), Fraction(1))


def _toward_zero(value: Any) -> Any:
    return None if value is None else math.trunc(Fraction(value))


def _floor(value: Any) -> Any:
    return None if value is None else Fraction(value).__floor__()


def _ceil(value: Any) -> Any:
    return None if value is None else Fraction(value).__ceil__()


def _infix(sign: str) -> tuple[Writer, Writer]:
    def duckdb(a: str, b: str, call: Call) -> str:
        left, right = call.arguments
        if call.facts.kind == "double" and left.facts.kind != "double" and right.facts.kind != "double":
            return f"(CAST({a} AS DOUBLE) {sign} CAST({b} AS DOUBLE))"
        if left.facts.kind == right.facts.kind == "integer":
            return f"({wide(a, left, call)} {sign} {wide(b, right, call)})"
        if sign == "*":
            a, b = (
                f"TRY_CAST({w} AS DECIMAL(38, 0))" if x.facts.kind == "integer" and not isinstance(x, Literal) and not fits(x.facts) else w
                for w, x in ((a, left), (b, right))
            )
        else:
            a, b = in_duckdb((a, b), call.arguments)
        return f"({a} {sign} {b})"

    def postgres(a: str, b: str, call: Call) -> str:
        return f"({numeric(a, call.arguments[0])} {sign} {numeric(b, call.arguments[1])})"

    return duckdb, postgres


def wide(written: str, argument: Expression, call: Call) -> str:
    """A whole number for DuckDB: as wide as argument and outcome need; constants as they are, or too long for 64 bits."""
    small = fits(argument.facts) and fits(call.facts)
    if isinstance(argument, Literal) and small:
        return written
    return f"CAST({written} AS {'BIGINT' if small else 'HUGEINT'})"


def fits(facts: Facts) -> bool:
    """Whether a whole number of these facts has 64 bits at most."""
    lo: Any = facts.lo
    hi: Any = facts.hi
    return facts.bounded and lo > -LARGE and hi < LARGE


def numeric(written: str, argument: Expression) -> str:
    """A number as NUMERIC for PostgreSQL."""
    return written if isinstance(argument, Call) and argument.function in EXACT else f"CAST({written} AS NUMERIC)"


def holdable(written: str) -> str:
    """A NUMERIC of PostgreSQL that a double can hold, else null, so that the cast to one cannot fail: it would for tiny numbers too."""
    return f"(CASE WHEN {written} BETWEEN -1e-300 AND 1e-300 THEN 0 WHEN {written} BETWEEN -1e300 AND 1e300 THEN {written} END)"


def _divided(a: str, b: str, call: Call) -> str:
    return f"(CAST({a} AS DOUBLE) / NULLIF(CAST({b} AS DOUBLE), 0))"


def _divided_in_postgres(a: str, b: str, call: Call) -> str:
    return f"({numeric(a, call.arguments[0])} / NULLIF({numeric(b, call.arguments[1])}, 0))"


def _whole_divided(a: str, b: str, call: Call) -> str:
    left, right = call.arguments
    if left.facts.kind == right.facts.kind == "integer":
        return f"({wide(a, left, call)} // NULLIF({wide(b, right, call)}, 0))"
    return f"CAST(TRUNC(CAST({a} AS DOUBLE) / NULLIF(CAST({b} AS DOUBLE), 0)) AS HUGEINT)"


def _whole_divided_in_postgres(a: str, b: str, call: Call) -> str:
    return f"TRUNC({_divided_in_postgres(a, b, call)})"


def _modulo(a: str, b: str, call: Call) -> str:
    left, right = call.arguments
    if call.facts.kind == "integer":
        return f"({wide(a, left, call)} % NULLIF({wide(b, right, call)}, 0))"
    if call.facts.kind == "decimal":
        a, b = in_duckdb((a, b), call.arguments)
        return f"({a} % NULLIF({b}, 0))"
    return f"(CAST({a} AS DOUBLE) % NULLIF(CAST({b} AS DOUBLE), 0))"


def _modulo_in_postgres(a: str, b: str, call: Call) -> str:
    return f"MOD({numeric(a, call.arguments[0])}, NULLIF({numeric(b, call.arguments[1])}, 0))"


def _negate(a: str, call: Call) -> str:
    argument = call.arguments[0]
    return f"(-{wide(a, argument, call) if argument.facts.kind == 'integer' else a})"


def _abs(a: str, call: Call) -> str:
    argument = call.arguments[0]
    return f"ABS({wide(a, argument, call) if argument.facts.kind == 'integer' else a})"


def _signed(a: str, call: Call) -> str:
    """NaN has no sign; both databases hold it for larger than all numbers."""
    if call.arguments[0].facts.kind == "double":
        return f"(CASE WHEN {a} = 'NaN' THEN NULL WHEN {a} > 0 THEN 1 WHEN {a} = 0 THEN 0 WHEN {a} < 0 THEN -1 END)"
    return f"(CASE WHEN {a} > 0 THEN 1 WHEN {a} = 0 THEN 0 WHEN {a} < 0 THEN -1 END)"


def _stepwise(name: str) -> tuple[Writer, Writer]:
    """ROUND, TRUNC, FLOOR and CEIL; a whole number stays as it is."""
    rounds = name in ("ROUND", "TRUNC")

    def same(call: Call) -> bool:
        return call.arguments[0].facts.kind == "integer" and (not rounds or places(call.arguments) >= 0)

    def duckdb(*a: str, call: Call) -> str:
        if same(call):
            return a[0]
        if name == "TRUNC" and places(call.arguments) != 0:
            return _cut(a[0], places(call.arguments))
        return f"{name}({a[0]}, {places(call.arguments)})" if name == "ROUND" else f"{name}({a[0]})"

    def postgres(*a: str, call: Call) -> str:
        if same(call):
            return a[0]
        value = numeric(a[0], call.arguments[0])
        return f"{name}({value}, {places(call.arguments)})" if rounds else f"{name}({value})"

    return duckdb, postgres


def _cut(written: str, digits: int) -> str:
    """TRUNC to some digits, which DuckDB has for decimals by way of whole numbers."""
    scale = f"CAST(1{'0' * abs(digits)} AS DOUBLE)"
    up, down = ("*", "/") if digits > 0 else ("/", "*")
    return f"(TRUNC(CAST({written} AS DOUBLE) {up} {scale}) {down} {scale})"


def _overflows(call: Call) -> bool:
    """Doubles become infinite or no number, all else can overflow."""
    return call.facts.kind != "double"


_PLUS, _MINUS, _TIMES = _infix("+"), _infix("-"), _infix("*")

FUNCTIONS = (
    Function("add", _binary(ranges.add, _sum_step), *_PLUS, risky=_overflows),
    Function("subtract", _binary(ranges.subtract, _sum_step), *_MINUS, risky=_overflows),
    Function("multiply", _binary(ranges.multiply, _product_step), *_TIMES, risky=_overflows),
    Function("divide", _quotient, _divided, _divided_in_postgres),
    Function("divide_whole", _whole_quotient, _whole_divided, _whole_divided_in_postgres, risky=_overflows),
    Function("modulo", _remainder, _modulo, _modulo_in_postgres, risky=_overflows),
    Function("abs", _absolute, _abs, lambda a, call: f"ABS({numeric(a, call.arguments[0])})", risky=_overflows),
    Function("negate", _negated, _negate, lambda a, call: f"(-{numeric(a, call.arguments[0])})", risky=_overflows),
    Function("sign", _sign, _signed, _signed),
    Function("round", _rounded, *_stepwise("ROUND"), risky=_overflows),
    Function("trunc", _rounded, *_stepwise("TRUNC"), risky=_overflows),
    Function("floor", _to_whole, *_stepwise("FLOOR"), risky=_overflows),
    Function("ceil", _to_whole, *_stepwise("CEIL"), risky=_overflows),
)
EXACT = frozenset(("add", "subtract", "multiply", "divide", "divide_whole", "modulo", "abs", "negate"))  # NUMERIC in PostgreSQL
