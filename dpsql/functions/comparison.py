"""Comparisons, and what is made of truth values. Texts are ordered by their code points in both databases."""

from __future__ import annotations

from collections.abc import Sequence

from dpsql.functions import ranges
from dpsql.functions.registry import Function
from dpsql.tree import Call, Column, Expression, Facts, Literal


def _truth(arguments: Sequence[Expression]) -> Facts:
    return Facts("boolean", ranges.nullable(arguments), values=(False, True))


def _certain(arguments: Sequence[Expression]) -> Facts:
    return Facts("boolean", False, values=(False, True))


def alike(written: Sequence[str], arguments: Sequence[Expression]) -> list[str]:
    """Numbers of PostgreSQL that are compared or chosen from: all NUMERIC where a double is among worked out ones.

    It would cast NUMERIC to double otherwise, which fails for large ones.
    """
    numbers = [a for a in arguments if a.facts.is_number]
    stored = all(isinstance(a, Literal) or (isinstance(a, Column) and a.facts.kind == "double") for a in numbers)
    if stored or all(a.facts.kind != "double" for a in numbers):
        return list(written)
    return [f"CAST({w} AS NUMERIC)" for w in written]


def _ordered(written: Sequence[str], arguments: Sequence[Expression]) -> list[str]:
    if all(a.facts.kind == "text" for a in arguments):
        return [f'{w} COLLATE "C"' for w in written]
    return alike(written, arguments)


def _compared(sign: str) -> Function:
    def duckdb(a: str, b: str, call: Call) -> str:
        return f"({a} {sign} {b})"

    def postgres(a: str, b: str, call: Call) -> str:
        written = (alike if sign in ("=", "<>") else _ordered)((a, b), call.arguments)
        return f"({written[0]} {sign} {written[1]})"

    return Function(sign, _truth, duckdb, postgres)


def _joined(word: str) -> Function:
    def write(*arguments: str, call: Call) -> str:
        return "(" + f" {word} ".join(arguments) + ")"

    return Function(word.lower(), _truth, write, write)


def _is(name: str, words: str) -> Function:
    def write(a: str, call: Call) -> str:
        return f"({a} {words})"

    return Function(name, _certain, write, write)


def _in(a: str, *others: str, call: Call) -> str:
    return f"({a} IN ({', '.join(others)}))"


def _in_postgres(*written: str, call: Call) -> str:
    a, *others = alike(written, call.arguments)
    return f"({a} IN ({', '.join(others)}))"


def _not(a: str, call: Call) -> str:
    return f"(NOT {a})"


def _distinct(a: str, b: str, call: Call) -> str:
    return f"({a} IS DISTINCT FROM {b})"


def _distinct_in_postgres(*written: str, call: Call) -> str:
    a, b = alike(written, call.arguments)
    return f"({a} IS DISTINCT FROM {b})"


FUNCTIONS = (
    *(_compared(sign) for sign in ("=", "<>", "<", "<=", ">", ">=")),
    _joined("AND"),
    _joined("OR"),
    Function("not", _truth, _not, _not),
    Function("in", _truth, _in, _in_postgres),
    Function("is_distinct", _certain, _distinct, _distinct_in_postgres),
    _is("is_null", "IS NULL"),
    _is("is_not_null", "IS NOT NULL"),
    _is("is_true", "IS TRUE"),
    _is("is_false", "IS FALSE"),
    _is("is_not_true", "IS NOT TRUE"),
    _is("is_not_false", "IS NOT FALSE"),
)
