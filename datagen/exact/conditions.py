"""Conditions: comparisons, and what is made of them with three values of truth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from datagen.arrays import Mask, either
from datagen.coded import codes_of, is_coded, plain
from datagen.exact.arithmetic import aligned
from datagen.exact.doubles import Doubles
from datagen.exact.terms import NULL, TEXT, TRUTH, Find, NotExact, Run, Term, Truth, Units, compiled, compiles, sides, truth_of, units_of
from datagen.rows import Rows

_ORDERS: dict[type[exp.Expr], np.ufunc] = {
    exp.EQ: np.equal, exp.NEQ: np.not_equal, exp.LT: np.less, exp.LTE: np.less_equal, exp.GT: np.greater, exp.GTE: np.greater_equal,
}  # fmt: skip


@compiles(*_ORDERS)
def _compared(node: exp.Expr, find: Find) -> Term:
    left, right = sides(node, find)
    return comparison(type(node), left, right)


def comparison(how: type[exp.Expr], left: Term, right: Term) -> Term:
    """Compare two terms as the node `how` says; raises NotExact for what cannot be compared here."""
    left, right = aligned(left, right)
    if NULL in (left.kind, right.kind) or TRUTH in (left.kind, right.kind):
        raise NotExact
    if left.kind == TEXT:
        if how not in (exp.EQ, exp.NEQ):
            raise NotExact
        return Term(TRUTH, _same_text(left, right, how is exp.NEQ))
    order = _ORDERS[how]

    def run(rows: Rows) -> Truth:
        a, b = units_of(left.run(rows)), units_of(right.run(rows))
        return _known(order(a.values, b.values), either(a.absent, b.absent))

    return Term(TRUTH, run)


def _known(values: Mask, absent: Mask | None) -> Truth:
    return Truth(values if absent is None else values & ~absent, absent)


def _same_text(left: Term, right: Term, inverted: bool) -> Run:
    if left.literal is not None:
        left, right = right, left

    def run(rows: Rows) -> Truth:
        texts: Any = left.run(rows)
        if right.literal is not None and is_coded(texts):
            codes, absent = codes_of(texts)
            same = np.array([value == right.literal for value in texts.dictionary.to_pylist()], np.bool_)[codes]
        else:
            found = pc.equal(plain(texts), pa.scalar(right.literal, pa.string()) if right.literal is not None else plain(right.run(rows)))
            absent = np.asarray(found.is_null()) if found.null_count else None
            same = np.asarray(found.fill_null(False) if absent is not None else found)
        return _known(~same if inverted else same, absent)

    return run


def condition(node: exp.Expr, find: Find) -> Term:
    """Compile a part that must be a condition; raises NotExact."""
    term = compiled(node, find)
    if term.kind != TRUTH:
        raise NotExact
    return term


def _all(terms: Sequence[Term]) -> Term:
    def run(rows: Rows) -> Truth:
        return reduce(_and, (truth_of(t.run(rows)) for t in terms))

    return Term(TRUTH, run)


def _and(a: Truth, b: Truth) -> Truth:
    unknown = either(a.absent, b.absent)
    if unknown is not None:  # null and false is false
        false = (~a.values if a.absent is None else ~a.values & ~a.absent) | (~b.values if b.absent is None else ~b.values & ~b.absent)
        unknown = unknown & ~false
    return Truth(a.values & b.values, unknown)


def _not(term: Term) -> Term:
    def run(rows: Rows) -> Truth:
        given = truth_of(term.run(rows))
        return _known(~given.values, given.absent)

    return Term(TRUTH, run)


@compiles(exp.And)
def _conjunction(node: exp.Expr, find: Find) -> Term:
    return _all([condition(node.this, find), condition(node.expression, find)])


def _any(terms: Sequence[Term]) -> Term:
    return _not(_all([_not(t) for t in terms]))


@compiles(exp.Or)
def _disjunction(node: exp.Expr, find: Find) -> Term:
    return _any([condition(node.this, find), condition(node.expression, find)])


@compiles(exp.Not)
def _inverted(node: exp.Expr, find: Find) -> Term:
    return _not(condition(node.this, find))


@compiles(exp.Is)
def _is_null(node: exp.Expr, find: Find) -> Term:
    if not isinstance(node.expression, exp.Null):
        raise NotExact
    term = compiled(node.this, find)

    def run(rows: Rows) -> Truth:
        value = term.run(rows)
        if isinstance(value, (Units, Doubles, Truth)):
            return Truth(np.array(False) if value.absent is None else value.absent)
        return Truth(np.asarray(value.is_null()))

    found = Term(TRUTH, run)
    return _not(found) if node.args.get("negate") else found


@compiles(exp.In)
def _among(node: exp.Expr, find: Find) -> Term:
    if not node.expressions:
        raise NotExact
    term = compiled(node.this, find)
    others = [compiled(e, find) for e in node.expressions]
    if any(o.literal is None for o in others):
        raise NotExact
    return _any([comparison(exp.EQ, term, o) for o in others])


@compiles(exp.Between)
def _between(node: exp.Expr, find: Find) -> Term:
    term, low, high = (compiled(node.args[part], find) for part in ("this", "low", "high"))
    return _all([comparison(exp.GTE, term, low), comparison(exp.LTE, term, high)])
