"""Arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from dpsql.functions import ranges
from dpsql.functions.registry import Function, Writer
from dpsql.tree import Call, Expression, Facts, Literal


def _binary(bounds: Callable[[Facts, Facts], tuple[Any, Any]], step: Callable[[Facts, Facts], Fraction | None]):  # type: ignore[no-untyped-def]
    def facts(arguments: Sequence[Expression]) -> Facts:
        a, b = (x.facts for x in arguments)
        kind = ranges.wider(a, b)
        return ranges.number(kind, ranges.nullable(arguments), bounds(a, b), step(a, b))

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
    return ranges.number("integer", True, (_floor(lo), _ceil(hi)), Fraction(1))


def _remainder(arguments: Sequence[Expression]) -> Facts:
    a, b = (x.facts for x in arguments)
    largest = max(abs(Fraction(b.lo)), abs(Fraction(b.hi))) if b.bounded else None  # type: ignore[arg-type]
    step = ranges.common_step([a, b])
    if largest is None or step is None:
        return ranges.number(ranges.wider(a, b), True, (None, None), step)
    lowest = 0 if a.lo is not None and a.lo >= 0 else -largest + step  # type: ignore[operator]
    return ranges.number(ranges.wider(a, b), True, (lowest, largest - step), step)


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
    """The digits after the point of ROUND; its second argument is a constant."""
    if len(arguments) == 1:
        return 0
    digits = arguments[1]
    assert isinstance(digits, Literal)
    assert isinstance(digits.value, int)
    return max(-12, min(12, digits.value))


def _rounded(arguments: Sequence[Expression]) -> Facts:
    a = arguments[0].facts
    step = Fraction(10) ** -places(arguments)
    lo = None if a.lo is None else _floor(Fraction(a.lo) / step) * step  # type: ignore[arg-type,operator]
    hi = None if a.hi is None else _ceil(Fraction(a.hi) / step) * step  # type: ignore[arg-type,operator]
    kind = "integer" if a.kind == "integer" else a.kind
    return ranges.number(kind, a.nullable, (lo, hi), step)


def _to_whole(arguments: Sequence[Expression]) -> Facts:
    a = arguments[0].facts
    return ranges.number(a.kind, a.nullable, (_floor(a.lo), _ceil(a.hi)), Fraction(1))


def _root(arguments: Sequence[Expression]) -> Facts:
    a = arguments[0].facts
    top = None if a.hi is None else Fraction(max(0.0, float(a.hi)) ** 0.5).limit_denominator(10**9) + Fraction(1, 10**6)  # type: ignore[arg-type]
    return ranges.number("double", True, (0, top), None)


def _floor(value: Any) -> Any:
    return None if value is None else Fraction(value).__floor__()  # type: ignore[arg-type]


def _ceil(value: Any) -> Any:
    return None if value is None else Fraction(value).__ceil__()  # type: ignore[arg-type]


def _infix(sign: str) -> tuple[Writer, Writer]:
    def duckdb(a: str, b: str, call: Call) -> str:
        return f"({_wide(a, call.arguments[0])} {sign} {_wide(b, call.arguments[1])})"

    def postgres(a: str, b: str, call: Call) -> str:
        if call.facts.kind == "double":
            return f"({_finite(a)} {sign} {_finite(b)})"
        return f"(CAST({a} AS NUMERIC) {sign} CAST({b} AS NUMERIC))"

    return duckdb, postgres


def _wide(written: str, argument: Expression) -> str:
    """Whole numbers as 128 bits, which sums and products of 64 do not leave; constants as they are."""
    return f"CAST({written} AS HUGEINT)" if argument.facts.kind == "integer" and not isinstance(argument, Literal) else written


def _finite(written: str) -> str:
    """A double of at most 1e150 in magnitude, so that a product with another does not overflow; else null."""
    return f"(CASE WHEN CAST({written} AS DOUBLE PRECISION) BETWEEN -1e150 AND 1e150 THEN CAST({written} AS DOUBLE PRECISION) END)"


def _divided(a: str, b: str, call: Call) -> str:
    return f"(CAST({a} AS DOUBLE) / NULLIF(CAST({b} AS DOUBLE), 0))"


def _divided_in_postgres(a: str, b: str, call: Call) -> str:
    small = f"(CASE WHEN ABS({_finite(b)}) >= 1e-150 THEN {_finite(b)} END)"
    return f"({_finite(a)} / {small})"


def _whole_divided(a: str, b: str, call: Call) -> str:
    return f"(CAST({a} AS HUGEINT) // NULLIF(CAST({b} AS HUGEINT), 0))"


def _modulo(a: str, b: str, call: Call) -> str:
    kind = "HUGEINT" if call.facts.kind == "integer" else "DOUBLE"
    return f"(CAST({a} AS {kind}) % NULLIF(CAST({b} AS {kind}), 0))"


_PLUS, _MINUS, _TIMES = _infix("+"), _infix("-"), _infix("*")

FUNCTIONS = (
    Function("add", _binary(ranges.add, _sum_step), *_PLUS, risky=True),
    Function("subtract", _binary(ranges.subtract, _sum_step), *_MINUS, risky=True),
    Function("multiply", _binary(ranges.multiply, _product_step), *_TIMES, risky=True),
    Function("divide", _quotient, _divided, _divided_in_postgres, risky=True),
    Function(
        "divide_whole",
        _whole_quotient,
        _whole_divided,
        lambda a, b, call: f"TRUNC(CAST({a} AS NUMERIC) / NULLIF(CAST({b} AS NUMERIC), 0))",
        risky=True,
    ),
    Function("modulo", _remainder, _modulo, lambda a, b, call: f"MOD(CAST({a} AS NUMERIC), NULLIF(CAST({b} AS NUMERIC), 0))", risky=True),
    Function(
        "abs", _absolute, lambda a, call: f"ABS({_wide(a, call.arguments[0])})", lambda a, call: f"ABS({_exact(a, call)})", risky=True
    ),
    Function("negate", _negated, lambda a, call: f"(-{_wide(a, call.arguments[0])})", lambda a, call: f"(-{_exact(a, call)})", risky=True),
    Function("sign", _sign, lambda a, call: f"CAST(SIGN({a}) AS INTEGER)", lambda a, call: f"CAST(SIGN({a}) AS INTEGER)", risky=True),
    Function(
        "round",
        _rounded,
        lambda *a, call: f"ROUND({a[0]}, {places(call.arguments)})",
        lambda *a, call: f"ROUND({_exact_decimal(a[0], call)}, {places(call.arguments)})",
        risky=True,
    ),
    Function("floor", _to_whole, lambda a, call: f"FLOOR({a})", lambda a, call: f"FLOOR({a})", risky=True),
    Function("ceil", _to_whole, lambda a, call: f"CEIL({a})", lambda a, call: f"CEIL({a})", risky=True),
    Function(
        "sqrt",
        _root,
        lambda a, call: f"SQRT(CASE WHEN CAST({a} AS DOUBLE) >= 0 THEN CAST({a} AS DOUBLE) END)",
        lambda a, call: f"SQRT(CASE WHEN CAST({a} AS DOUBLE PRECISION) >= 0 THEN CAST({a} AS DOUBLE PRECISION) END)",
        risky=True,
    ),
)


def _exact(written: str, call: Call) -> str:
    return written if call.arguments[0].facts.kind == "double" else f"CAST({written} AS NUMERIC)"


def _exact_decimal(written: str, call: Call) -> str:
    if call.arguments[0].facts.kind == "double":
        return f"CAST({_finite(written)} AS NUMERIC)"
    return f"CAST({written} AS NUMERIC)"
