"""The parts of an exact expression: what they are, their values, and how a part of each kind is compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa
from sqlglot import exp

from datagen.arrays import Mask
from datagen.randomness import Int64
from datagen.rows import Kernel, Rows
from schemas.types import SqlType

if TYPE_CHECKING:
    from datagen.exact.doubles import Doubles

NUMBER, DOUBLE, LENGTH, TRUTH, TEXT, NULL = "number", "double", "length", "truth", "text", "null"
TEXTUAL = ("text", "varchar", "char", "enum")
DIGITS = 18  # what 64 bits hold for certain

_LIMIT = 2**62
# the arguments of nodes that are known to mean nothing else than what is compiled here
_UNDERSTOOD = (
    "this", "expression", "expressions", "ifs", "true", "default", "low", "high", "to", "decimals", "is_string", "negate", "ignore_nulls",
    "typed", "unit", "_type",
)  # fmt: skip

Find = Callable[[str], tuple[Kernel, SqlType]]


class NotExact(Exception):
    """The expression has a part that is not known here."""


class TooLarge(Exception):
    """Numbers of these rows might not fit 64 bits."""


@dataclass(frozen=True, slots=True)
class Units:
    """Numbers or moments in whole units, none beyond `most` in size; those in `absent` are null (and 0).

    `values` has no dimension where all are the same.
    """

    values: Int64
    most: int
    absent: Mask | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """Conditions; those in `absent` are null (and false)."""

    values: Mask
    absent: Mask | None = None


Value: TypeAlias = "Units | Doubles | Truth | pa.Array"
V = TypeVar("V", "Units", "Doubles", "Truth")
Run = Callable[[Rows], Value]


@dataclass(frozen=True, slots=True)
class Term:
    """A part of an expression: what it is and its values.

    It is a number with so many decimals, a double, a kind of moment, a length of time, truth, text or null.
    """

    kind: str
    run: Run
    decimals: int = 0
    literal: object = None


Compiler = Callable[[exp.Expr, Find], Term]
_COMPILERS: dict[type[exp.Expr], Compiler] = {}


def compiles(*nodes: type[exp.Expr]) -> Callable[[Compiler], Compiler]:
    """Register the decorated function for these kinds of nodes; it raises NotExact for what it does not know."""

    def register(compiler: Compiler) -> Compiler:
        _COMPILERS.update(dict.fromkeys(nodes, compiler))
        return compiler

    return register


def compiled(node: exp.Expr, find: Find) -> Term:
    """Compile a part of an expression; raises NotExact."""
    compiler = _COMPILERS.get(type(node))
    if compiler is None or any(value for name, value in node.args.items() if name not in _UNDERSTOOD):
        raise NotExact
    return compiler(node, find)


def sides(node: exp.Expr, find: Find) -> tuple[Term, Term]:
    """Compile both sides of a binary operation."""
    return compiled(node.this, find), compiled(node.expression, find)


def units_of(value: Value) -> Units:
    """The values of a term that is a number or a moment."""
    assert isinstance(value, Units)
    return value


def truth_of(value: Value) -> Truth:
    """The values of a term that is a condition."""
    assert isinstance(value, Truth)
    return value


def first_present(given: Iterable[V]) -> V:
    """For each row the first of some values of one kind that is not null."""
    first, *others = given
    for other in others:
        if first.absent is None:
            return first
        absent = None if other.absent is None else first.absent & other.absent
        first = replace(first, values=np.where(first.absent, other.values, first.values), absent=absent)
        if isinstance(first, Units) and isinstance(other, Units):
            first = replace(first, most=max(first.most, other.most))
    return first


def largest(values: Int64) -> int:
    """The size of the number that is furthest from 0; 0 where there is none."""
    return max(int(values.max()), -int(values.min())) if values.size else 0


def fits(most: int) -> int:
    """Return a bound of numbers if 64 bits hold them; raises TooLarge."""
    if most >= _LIMIT:
        raise TooLarge
    return most
