"""Doubles: lengths of time in seconds, and what multiplies and divides them.

Each operation is one of IEEE 754, which are the same on all machines, and the same that DuckDB takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlglot import exp

from datagen.arrays import DAY, SECOND, Mask, either
from datagen.elementary import Float64
from datagen.exact.terms import (
    DOUBLE,
    NULL,
    NUMBER,
    Find,
    NotExact,
    Term,
    TooLarge,
    Units,
    Value,
    compiled,
    compiles,
    first_present,
    units_of,
)
from datagen.rows import Rows
from schemas.types import INTEGERS, SqlType

_MOST = 2.0**62
_EXACT = 2**53  # whole numbers up to here are doubles


@dataclass(frozen=True, slots=True)
class Doubles:
    """Numbers in double precision; those in `absent` are null (and 0)."""

    values: Float64
    absent: Mask | None = None


def doubles_of(value: Value) -> Doubles:
    """The values of a term that is a double."""
    assert isinstance(value, Doubles)
    return value


def as_double(term: Term) -> Term:
    """A number as a double; raises NotExact for what is none."""
    if term.kind == DOUBLE:
        return term
    if term.kind != NUMBER:
        raise NotExact
    power = float(10**term.decimals)

    def run(rows: Rows) -> Doubles:
        given = units_of(term.run(rows))
        if given.most > _EXACT:
            raise TooLarge
        return Doubles(given.values / power, given.absent)

    return Term(DOUBLE, run)


def in_units(term: Term, type: SqlType) -> Term:
    """The number of a type that is next to a double; where two are, the even one of whole numbers, that away from zero of decimals."""
    power, whole = float(10**type.decimals), type.kind in INTEGERS

    def run(rows: Rows) -> Units:
        given = doubles_of(term.run(rows))
        scaled = given.values * power
        rounded = np.rint(scaled) if whole else _away_from_zero(scaled)
        most = float(np.abs(rounded).max(initial=0.0))
        if not most < _MOST:
            raise TooLarge
        return Units(rounded.astype(np.int64), int(most), given.absent)

    return Term(NUMBER, run, type.decimals)


def _away_from_zero(values: Float64) -> Float64:
    """Whole numbers next to doubles; a half is added to none, which would round it once more."""
    whole = np.trunc(values)
    result: Float64 = whole + np.where(np.abs(values - whole) >= 0.5, np.copysign(1.0, values), 0.0)
    return result


@compiles(exp.Extract)
def _seconds(node: exp.Expr, find: Find) -> Term:
    """EXTRACT(epoch FROM one time stamp - another)."""
    difference = node.expression.unnest()
    if node.name.upper() != "EPOCH" or not isinstance(difference, exp.Sub):
        raise NotExact
    later, earlier = compiled(difference.this, find), compiled(difference.expression, find)
    if later.kind != earlier.kind or later.kind not in ("timestamp", "timestamptz"):
        raise NotExact

    def run(rows: Rows) -> Doubles:
        a, b = units_of(later.run(rows)), units_of(earlier.run(rows))
        if a.most + b.most >= _MOST:
            raise TooLarge
        length = np.asarray(a.values - b.values)
        days = np.sign(length) * (np.abs(length) // DAY)
        return Doubles((days * (DAY // SECOND)).astype(np.float64) + (length - days * DAY) / float(SECOND), either(a.absent, b.absent))

    return Term(DOUBLE, run)


@compiles(exp.Div)
def _quotient(node: exp.Expr, find: Find) -> Term:
    left, right = compiled(node.this, find), compiled(node.expression, find)
    if left.kind != DOUBLE or not isinstance(right.literal, int) or not right.literal:  # a quotient of whole numbers is another
        raise NotExact
    divisor = right.literal / float(10**right.decimals)

    def run(rows: Rows) -> Doubles:
        given = doubles_of(left.run(rows))
        return Doubles(given.values / divisor, given.absent)

    return Term(DOUBLE, run)


def product(left: Term, right: Term) -> Term:
    """The product of two numbers of which one is a double."""
    left, right = as_double(left), as_double(right)

    def run(rows: Rows) -> Doubles:
        a, b = doubles_of(left.run(rows)), doubles_of(right.run(rows))
        return Doubles(a.values * b.values, either(a.absent, b.absent))

    return Term(DOUBLE, run)


def floored(term: Term) -> Term:
    """The greatest whole number up to a double, which stays a double."""

    def run(rows: Rows) -> Doubles:
        given = doubles_of(term.run(rows))
        return Doubles(np.floor(given.values), given.absent)

    return Term(DOUBLE, run)


def first_known(terms: list[Term]) -> Term:
    """COALESCE of numbers of which one is a double."""
    chosen = [as_double(term) for term in terms if term.kind != NULL]
    return Term(DOUBLE, lambda rows: first_present(doubles_of(t.run(rows)) for t in chosen))
