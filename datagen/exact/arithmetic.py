"""Exact arithmetic on numbers in whole units."""

from __future__ import annotations

import numpy as np
from sqlglot import exp

from datagen.arrays import DAY, SECOND, either
from datagen.exact.doubles import floored, product
from datagen.exact.sources import number
from datagen.exact.terms import (
    DIGITS,
    DOUBLE,
    LENGTH,
    NULL,
    NUMBER,
    Find,
    NotExact,
    Term,
    TooLarge,
    Units,
    compiled,
    compiles,
    fits,
    sides,
    units_of,
)
from datagen.rows import Rows

_LENGTHS = {"SECOND": SECOND, "MINUTE": 60 * SECOND, "HOUR": 3600 * SECOND, "DAY": DAY}


def rescaled(term: Term, decimals: int) -> Term:
    """The same number with other decimals, rounded half away from zero where there are fewer."""
    digits = decimals - term.decimals
    if digits == 0 or term.kind != NUMBER:
        return term
    if abs(digits) > DIGITS:
        raise NotExact
    factor = 10 ** abs(digits)
    if digits > 0 and isinstance(term.literal, int):
        return number(term.literal * factor, decimals)

    def run(rows: Rows) -> Units:
        given = units_of(term.run(rows))
        if digits > 0:
            return Units(given.values * factor, fits(given.most * factor), given.absent)
        most = fits(given.most + factor) // factor
        if not given.values.size or int(given.values.min()) >= 0:
            rounded = np.asarray(given.values + factor // 2)
            rounded //= factor
            return Units(rounded, most, given.absent)
        rounded = (np.abs(given.values) + factor // 2) // factor
        return Units(np.where(given.values < 0, -rounded, rounded), most, given.absent)

    return Term(NUMBER, run, decimals)


def aligned(*terms: Term) -> list[Term]:
    """Terms that can be compared or chosen between: of one kind, numbers with the same decimals; nulls are of any kind."""
    kinds = {t.kind for t in terms} - {NULL}
    if len(kinds) != 1 or DOUBLE in kinds:
        raise NotExact
    decimals = max(t.decimals for t in terms)
    return [rescaled(t, decimals) for t in terms]


@compiles(exp.Add, exp.Sub)
def _sum(node: exp.Expr, find: Find) -> Term:
    left, right = sides(node, find)
    moved = left.kind in ("timestamp", "timestamptz") and right.kind == LENGTH
    if not moved:
        if left.kind != NUMBER or right.kind != NUMBER:
            raise NotExact
        left, right = aligned(left, right)
    operation = np.add if isinstance(node, exp.Add) else np.subtract

    def run(rows: Rows) -> Units:
        a, b = units_of(left.run(rows)), units_of(right.run(rows))
        return Units(operation(a.values, b.values), fits(a.most + b.most), either(a.absent, b.absent))

    return Term(left.kind, run, left.decimals)


@compiles(exp.Interval)
def _length(node: exp.Expr, find: Find) -> Term:
    """A fixed length of time; a month is none."""
    count, unit = node.this, node.args.get("unit")
    length = _LENGTHS.get(unit.name.upper().removesuffix("S")) if isinstance(unit, exp.Var) else None
    if length is None or not isinstance(count, exp.Literal) or not count.name.isdigit():
        raise NotExact
    units = int(count.name) * length
    if units >= 2**62:
        raise NotExact
    same = Units(np.array(units, np.int64), units)
    return Term(LENGTH, lambda rows: same)


@compiles(exp.Mul)
def _product(node: exp.Expr, find: Find) -> Term:
    left, right = sides(node, find)
    if DOUBLE in (left.kind, right.kind):
        return product(left, right)
    length = LENGTH in (left.kind, right.kind)
    if {left.kind, right.kind} not in ({NUMBER}, {NUMBER, LENGTH}) or left.decimals + right.decimals > (0 if length else DIGITS):
        raise NotExact

    def run(rows: Rows) -> Units:
        a, b = units_of(left.run(rows)), units_of(right.run(rows))
        if length and max((side.most for term, side in ((left, a), (right, b)) if term.kind == NUMBER)) >= 2**31:
            raise TooLarge  # DuckDB multiplies lengths of time by 32 bits
        return Units(a.values * b.values, fits(a.most * b.most), either(a.absent, b.absent))

    return Term(LENGTH if length else NUMBER, run, left.decimals + right.decimals)


@compiles(exp.Mod)
def _remainder(node: exp.Expr, find: Find) -> Term:
    left, right = sides(node, find)
    divisor = right.literal
    if left.kind != NUMBER or right.kind != NUMBER or left.decimals or right.decimals or not isinstance(divisor, int) or divisor < 1:
        raise NotExact

    def run(rows: Rows) -> Units:
        given = units_of(left.run(rows))
        return Units(np.fmod(given.values, divisor), min(given.most, divisor), given.absent)

    return Term(NUMBER, run)


@compiles(exp.Neg)
def _negative(node: exp.Expr, find: Find) -> Term:
    term = compiled(node.this, find)
    if term.kind != NUMBER:
        raise NotExact
    if isinstance(term.literal, int):
        return number(-term.literal, term.decimals)

    def run(rows: Rows) -> Units:
        given = units_of(term.run(rows))
        return Units(-given.values, given.most, given.absent)

    return Term(NUMBER, run, term.decimals)


@compiles(exp.Round)
def _rounded(node: exp.Expr, find: Find) -> Term:
    term, places = compiled(node.this, find), node.args.get("decimals")
    digits = 0 if places is None else compiled(places, find).literal
    if term.kind != NUMBER or not isinstance(digits, int) or not term.decimals or not 0 <= digits <= term.decimals:
        raise NotExact
    return rescaled(term, digits)


@compiles(exp.Floor)
def _floored(node: exp.Expr, find: Find) -> Term:
    term = compiled(node.this, find)
    if term.kind == DOUBLE:
        return floored(term)
    if term.kind != NUMBER or not term.decimals:  # of a whole number it is a float
        raise NotExact
    factor = 10**term.decimals

    def run(rows: Rows) -> Units:
        given = units_of(term.run(rows))
        return Units(given.values // factor, given.most // factor + 1, given.absent)

    return Term(NUMBER, run)
