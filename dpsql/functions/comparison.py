"""Comparisons, and what is made of truth values. Texts are ordered by their code points in both databases."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dpsql.functions import ranges
from dpsql.functions.mixing import in_duckdb, in_postgres
from dpsql.functions.registry import Function
from dpsql.tree import Call, Expression, Facts


def _certain(arguments: Sequence[Expression]) -> Facts:
    return Facts("boolean", False, values=(False, True))


def _ordered(written: Sequence[str], arguments: Sequence[Expression]) -> list[str]:
    if all(a.facts.kind == "text" for a in arguments):
        return [f'{w} COLLATE "C"' for w in written]
    return in_postgres(written, arguments)


def _compared(sign: str) -> Function:
    def duckdb(a: str, b: str, call: Call) -> str:
        a, b = in_duckdb((a, b), call.arguments)
        return f"({a} {sign} {b})"

    def postgres(a: str, b: str, call: Call) -> str:
        written = (in_postgres if sign in ("=", "<>") else _ordered)((a, b), call.arguments)
        return f"({written[0]} {sign} {written[1]})"

    return Function(sign, ranges.truth, duckdb, postgres)


def _of_one_kind(name: str, facts: Callable[[Sequence[Expression]], Facts], write: Callable[[Sequence[str]], str]) -> Function:
    def duckdb(*written: str, call: Call) -> str:
        return write(in_duckdb(written, call.arguments))

    def postgres(*written: str, call: Call) -> str:
        return write(in_postgres(written, call.arguments))

    return Function(name, facts, duckdb, postgres)


def _joined(word: str) -> Function:
    def write(*arguments: str, call: Call) -> str:
        return "(" + f" {word} ".join(arguments) + ")"

    return Function(word.lower(), ranges.truth, write, write)


def _is(name: str, words: str) -> Function:
    def write(a: str, call: Call) -> str:
        return f"({a} {words})"

    return Function(name, _certain, write, write)


def _not(a: str, call: Call) -> str:
    return f"(NOT {a})"


FUNCTIONS = (
    *(_compared(sign) for sign in ("=", "<>", "<", "<=", ">", ">=")),
    _joined("AND"),
    _joined("OR"),
    Function("not", ranges.truth, _not, _not),
    _of_one_kind("in", ranges.truth, lambda written: f"({written[0]} IN ({', '.join(written[1:])}))"),
    _of_one_kind("is_distinct", _certain, lambda written: f"({written[0]} IS DISTINCT FROM {written[1]})"),
    _is("is_null", "IS NULL"),
    _is("is_not_null", "IS NOT NULL"),
    _is("is_true", "IS TRUE"),
    _is("is_false", "IS FALSE"),
    _is("is_not_true", "IS NOT TRUE"),
    _is("is_not_false", "IS NOT FALSE"),
)
