"""Comparisons, and what is made of truth values."""

from __future__ import annotations

from collections.abc import Sequence

from dpsql.functions import ranges
from dpsql.functions.registry import Function
from dpsql.tree import Call, Expression, Facts


def _truth(arguments: Sequence[Expression]) -> Facts:
    return Facts("boolean", ranges.nullable(arguments), values=(False, True))


def _certain(arguments: Sequence[Expression]) -> Facts:
    return Facts("boolean", False, values=(False, True))


def _compared(sign: str) -> Function:
    def write(a: str, b: str, call: Call) -> str:
        return f"({a} {sign} {b})"

    return Function(sign, _truth, write, write)


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


def _not(a: str, call: Call) -> str:
    return f"(NOT {a})"


def _distinct(a: str, b: str, call: Call) -> str:
    return f"({a} IS DISTINCT FROM {b})"


FUNCTIONS = (
    *(_compared(sign) for sign in ("=", "<>", "<", "<=", ">", ">=")),
    _joined("AND"),
    _joined("OR"),
    Function("not", _truth, _not, _not),
    Function("in", _truth, _in, _in),
    Function("is_distinct", _certain, _distinct, _distinct),
    _is("is_null", "IS NULL"),
    _is("is_not_null", "IS NOT NULL"),
    _is("is_true", "IS TRUE"),
    _is("is_false", "IS FALSE"),
    _is("is_not_true", "IS NOT TRUE"),
    _is("is_not_false", "IS NOT FALSE"),
)
