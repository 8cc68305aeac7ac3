"""Casts that give null where a value cannot be what it is cast to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from dpsql.functions import ranges
from dpsql.functions.registry import Function
from dpsql.tree import Call, Expression, Facts, Literal

TYPES = {  # the kinds that one may cast to, in both databases
    "integer": ("BIGINT", "bigint"), "decimal": ("DECIMAL(38, 9)", "numeric"), "double": ("DOUBLE", "double precision"),
    "text": ("VARCHAR", "text"), "boolean": ("BOOLEAN", "boolean"), "date": ("DATE", "date"), "timestamp": ("TIMESTAMP", "timestamp"),
    "timestamptz": ("TIMESTAMPTZ", "timestamptz"),
}  # fmt: skip
BIGINT = 2**63 - 1


def _facts(kind: str):  # type: ignore[no-untyped-def]
    def facts(arguments: Sequence[Expression]) -> Facts:
        value = arguments[0].facts
        if value.kind == kind:
            return value
        if kind in ("integer", "decimal", "double") and value.is_number:
            lo, hi, step = value.lo, value.hi, value.step
            if kind == "integer":
                step = Fraction(1)
                lo = None if lo is None else Fraction(lo).__floor__()  # type: ignore[arg-type]
                hi = None if hi is None else Fraction(hi).__ceil__()  # type: ignore[arg-type]
            if kind == "decimal" and len(arguments) > 1:
                digits = arguments[1]
                assert isinstance(digits, Literal)
                step = Fraction(1, 10 ** int(digits.value))  # type: ignore[arg-type]
            return ranges.number(kind, True, (lo, hi), step)
        if kind == "integer" and value.kind == "boolean":
            return ranges.number("integer", value.nullable, (0, 1), Fraction(1))
        if kind in ("integer", "decimal"):
            return Facts(kind, True, step=Fraction(1) if kind == "integer" else Fraction(1, 10**9))  # type: ignore[arg-type]
        if kind == "text" and value.values is not None and all(isinstance(v, int | str) and not isinstance(v, bool) for v in value.values):
            return Facts("text", value.nullable, values=tuple(str(v) for v in value.values), identifies=value.identifies)
        if kind in ("date", "timestamp") and value.kind in ("date", "timestamp") and value.bounded:
            return replace(value, kind=kind, nullable=True, lo=None, hi=None, values=None)  # type: ignore[arg-type]
        return Facts(kind, True, identifies=value.identifies)  # type: ignore[arg-type]

    return facts


def _in_duckdb(kind: str):  # type: ignore[no-untyped-def]
    def write(value: str, *digits: str, call: Call) -> str:
        target = TYPES[kind][0] if not digits else f"DECIMAL(38, {digits[0]})"
        return f"TRY_CAST({value} AS {target})"

    return write


def _in_postgres(kind: str):  # type: ignore[no-untyped-def]
    target = TYPES[kind][1]

    def write(value: str, *digits: str, call: Call) -> str:
        source = call.arguments[0].facts.kind
        wanted = target if not digits else f"numeric(1000, {digits[0]})"
        if source == "text":
            return f"(CASE WHEN pg_input_is_valid({value}, '{wanted}') THEN CAST({value} AS {wanted}) END)"
        if kind == "integer" and source in ("decimal", "double"):
            return f"(CASE WHEN {value} BETWEEN -{BIGINT - 1023} AND {BIGINT - 1023} THEN CAST({value} AS bigint) END)"
        if kind == "decimal" and source == "double":
            return f"(CASE WHEN {value} BETWEEN -1e150 AND 1e150 THEN CAST({value} AS {wanted}) END)"
        if kind == "double" and source == "decimal":
            return f"(CASE WHEN {value} BETWEEN -1e150 AND 1e150 THEN CAST({value} AS {wanted}) END)"
        if kind == "integer" and source == "boolean":
            return f"CAST(CAST({value} AS integer) AS bigint)"
        return f"CAST({value} AS {wanted})"

    return write


FUNCTIONS = tuple(Function(f"cast_{kind}", _facts(kind), _in_duckdb(kind), _in_postgres(kind), risky=True) for kind in TYPES)
