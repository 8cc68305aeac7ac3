"""SQL expressions that need no database: exact arithmetic, comparisons, CASE and the like over whole units, by NumPy.

An expression is compiled to a function of rows where every part of it is known here; `NotExact` says that one is not, and DuckDB
evaluates the whole instead. Both give the same values: numbers are exact decimals, rounded half away from zero where they lose
digits; what might not fit 64 bits in some rows raises `TooLarge`, and these rows are left to DuckDB as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from datagen.arrays import DAY, Mask, either, from_units, largest_units, to_units
from datagen.coded import MOST_VALUES, code_type, coded, codes_of, is_coded, plain
from datagen.randomness import Int64
from datagen.rows import Kernel, Rows
from schemas.times import parse_moment
from schemas.types import INTEGERS, SqlType

_LIMIT = 2**62
_DIGITS = 18
_MOMENTS = ("date", "timestamp", "timestamptz")
_TEXTUAL = ("text", "varchar", "char", "enum")
_NUMBER, _TRUTH, _TEXT, _NULL = "number", "truth", "text", "null"

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


Value: TypeAlias = "Units | Truth | pa.Array"
Run = Callable[[Rows], Value]


@dataclass(frozen=True, slots=True)
class Term:
    """A part of an expression: what it is (a number with so many decimals, a kind of moment, truth, text, null) and its values."""

    kind: str
    run: Run
    decimals: int = 0
    literal: object = None


def compile_exact(tree: exp.Expr, find: Find, type: SqlType) -> Kernel:
    """Return a kernel of `type`'s arrays for an expression whose columns `find` knows; raises NotExact.

    Text comes as a dictionary array where all its sources do. The kernel raises TooLarge.
    """
    term = _compile(tree, find)
    if term.kind == _NUMBER and type.kind in (*INTEGERS, "numeric"):
        number, limit = _rescaled(term, type.decimals), largest_units(type)

        def kernel(rows: Rows) -> pa.Array:
            units = _units(number.run(rows))
            if units.most > limit and _largest(units.values) > limit:
                raise TooLarge
            return from_units(type, np.broadcast_to(units.values, len(rows)), units.absent)

        return kernel
    if term.kind == type.kind and type.kind in _MOMENTS:

        def moments(rows: Rows) -> pa.Array:
            units = _units(term.run(rows))
            return from_units(type, np.broadcast_to(units.values, len(rows)), units.absent)

        return moments
    if term.kind == _TRUTH and type.kind == "boolean":

        def booleans(rows: Rows) -> pa.Array:
            truth = _truth(term.run(rows))
            return pa.array(np.broadcast_to(truth.values, len(rows)), mask=truth.absent)

        return booleans
    if term.kind == _TEXT and type.kind in _TEXTUAL:
        return lambda rows: term.run(rows)
    raise NotExact


def _units(value: Value) -> Units:
    assert isinstance(value, Units)
    return value


def _truth(value: Value) -> Truth:
    assert isinstance(value, Truth)
    return value


def _largest(values: Int64) -> int:
    return max(int(values.max()), -int(values.min())) if values.size else 0


def _compile(node: exp.Expr, find: Find) -> Term:
    compile_node = _NODES.get(type(node))
    if compile_node is None or any(value for name, value in node.args.items() if name not in _UNDERSTOOD):
        raise NotExact
    return compile_node(node, find)


_UNDERSTOOD = (
    "this", "expression", "expressions", "ifs", "true", "default", "low", "high", "to", "decimals", "is_string", "negate", "ignore_nulls",
    "_type",
)  # fmt: skip

# Columns and literals


def _column(node: exp.Expr, find: Find) -> Term:
    source, type = find(node.name)
    if type.kind in INTEGERS or type.kind in _MOMENTS or (type.kind == "numeric" and (type.precision or _DIGITS + 1) <= _DIGITS):
        kind = type.kind if type.kind in _MOMENTS else _NUMBER

        def units(rows: Rows) -> Units:
            values, absent = to_units(type, source(rows))
            return Units(values, _largest(values), absent)

        return Term(kind, units, type.decimals)
    if type.kind == "boolean":

        def truth(rows: Rows) -> Truth:
            values = source(rows)
            absent = np.asarray(values.is_null()) if values.null_count else None
            return Truth(np.asarray(values.fill_null(False) if absent is not None else values), absent)

        return Term(_TRUTH, truth)
    if type.kind in _TEXTUAL:
        return Term(_TEXT, source)
    raise NotExact


def _literal(node: exp.Expr, find: Find) -> Term:
    text = node.name
    if node.args.get("is_string"):
        values = pa.array([text], pa.string())
        return Term(_TEXT, lambda rows: coded(values, np.zeros(len(rows), np.int8)), literal=text)
    whole, point, fraction = text.partition(".")
    if not (whole + fraction).isdigit() or len(whole + fraction) > _DIGITS or (point and not (whole and fraction)):
        raise NotExact
    return _number(int(whole + fraction), len(fraction))


def _number(value: int, decimals: int) -> Term:
    same = Units(np.array(value, np.int64), abs(value))
    return Term(_NUMBER, lambda rows: same, decimals, value)


def _null(node: exp.Expr, find: Find) -> Term:
    return Term(_NULL, lambda rows: Units(np.zeros(len(rows), np.int64), 0, np.ones(len(rows), np.bool_)))


def _bool(node: exp.Expr, find: Find) -> Term:
    same = Truth(np.array(bool(node.this)))
    return Term(_TRUTH, lambda rows: same)


def _cast(node: exp.Expr, find: Find) -> Term:
    """DATE '2026-01-31' is a text that is cast."""
    if node.args["to"].this != exp.DataType.Type.DATE or not isinstance(node.this, exp.Literal) or not node.this.is_string:
        raise NotExact
    text = node.this.name
    try:
        moment = parse_moment(text if len(text) == len("2026-01-31") else "")
    except ValueError:
        raise NotExact from None
    same = Units(np.array(moment // DAY, np.int64), abs(moment // DAY))
    return Term("date", lambda rows: same, literal=moment // DAY)


# Arithmetic


def _fits(most: int) -> int:
    if most >= _LIMIT:
        raise TooLarge
    return most


def _rescaled(term: Term, decimals: int) -> Term:
    """The same number with other decimals, rounded half away from zero where there are fewer."""
    digits = decimals - term.decimals
    if digits == 0 or term.kind != _NUMBER:
        return term
    if abs(digits) > _DIGITS:
        raise NotExact
    factor = 10 ** abs(digits)
    if digits > 0 and isinstance(term.literal, int):
        return _number(term.literal * factor, decimals)

    def run(rows: Rows) -> Units:
        given = _units(term.run(rows))
        if digits > 0:
            return Units(given.values * factor, _fits(given.most * factor), given.absent)
        most = _fits(given.most + factor) // factor
        if not given.values.size or int(given.values.min()) >= 0:
            return Units((given.values + factor // 2) // factor, most, given.absent)
        rounded = (np.abs(given.values) + factor // 2) // factor
        return Units(np.where(given.values < 0, -rounded, rounded), most, given.absent)

    return Term(_NUMBER, run, decimals)


def _aligned(*terms: Term) -> list[Term]:
    """Terms that can be compared or chosen between: of one kind, numbers with the same decimals; nulls are of any kind."""
    kinds = {t.kind for t in terms} - {_NULL}
    if len(kinds) != 1:
        raise NotExact
    decimals = max(t.decimals for t in terms)
    return [_rescaled(t, decimals) for t in terms]


def _sides(node: exp.Expr, find: Find) -> tuple[Term, Term]:
    return _compile(node.this, find), _compile(node.expression, find)


def _sum(node: exp.Expr, find: Find) -> Term:
    left, right = _sides(node, find)
    if left.kind != _NUMBER or right.kind != _NUMBER:
        raise NotExact
    left, right = _aligned(left, right)
    operation = np.add if isinstance(node, exp.Add) else np.subtract

    def run(rows: Rows) -> Units:
        a, b = _units(left.run(rows)), _units(right.run(rows))
        return Units(operation(a.values, b.values), _fits(a.most + b.most), either(a.absent, b.absent))

    return Term(_NUMBER, run, left.decimals)


def _product(node: exp.Expr, find: Find) -> Term:
    left, right = _sides(node, find)
    if left.kind != _NUMBER or right.kind != _NUMBER or left.decimals + right.decimals > _DIGITS:
        raise NotExact

    def run(rows: Rows) -> Units:
        a, b = _units(left.run(rows)), _units(right.run(rows))
        return Units(a.values * b.values, _fits(a.most * b.most), either(a.absent, b.absent))

    return Term(_NUMBER, run, left.decimals + right.decimals)


def _remainder(node: exp.Expr, find: Find) -> Term:
    left, right = _sides(node, find)
    divisor = right.literal
    if left.kind != _NUMBER or right.kind != _NUMBER or left.decimals or right.decimals or not isinstance(divisor, int) or divisor < 1:
        raise NotExact

    def run(rows: Rows) -> Units:
        given = _units(left.run(rows))
        return Units(np.fmod(given.values, divisor), min(given.most, divisor), given.absent)

    return Term(_NUMBER, run)


def _negative(node: exp.Expr, find: Find) -> Term:
    term = _compile(node.this, find)
    if term.kind != _NUMBER:
        raise NotExact
    if isinstance(term.literal, int):
        return _number(-term.literal, term.decimals)

    def run(rows: Rows) -> Units:
        given = _units(term.run(rows))
        return Units(-given.values, given.most, given.absent)

    return Term(_NUMBER, run, term.decimals)


def _rounded(node: exp.Expr, find: Find) -> Term:
    term, places = _compile(node.this, find), node.args.get("decimals")
    digits = 0 if places is None else _compile(places, find).literal
    if term.kind != _NUMBER or not isinstance(digits, int) or not term.decimals or not 0 <= digits <= term.decimals:
        raise NotExact
    return _rescaled(term, digits)


# Conditions

_ORDERS: dict[type[exp.Expr], np.ufunc] = {
    exp.EQ: np.equal, exp.NEQ: np.not_equal, exp.LT: np.less, exp.LTE: np.less_equal, exp.GT: np.greater, exp.GTE: np.greater_equal,
}  # fmt: skip


def _compared(node: exp.Expr, find: Find) -> Term:
    left, right = _sides(node, find)
    return _comparison(type(node), left, right)


def _comparison(how: type[exp.Expr], left: Term, right: Term) -> Term:
    left, right = _aligned(left, right)
    if _NULL in (left.kind, right.kind) or _TRUTH in (left.kind, right.kind):
        raise NotExact
    if left.kind == _TEXT:
        if how not in (exp.EQ, exp.NEQ):
            raise NotExact
        return Term(_TRUTH, _same_text(left, right, how is exp.NEQ))
    order = _ORDERS[how]

    def run(rows: Rows) -> Truth:
        a, b = _units(left.run(rows)), _units(right.run(rows))
        return _known(order(a.values, b.values), either(a.absent, b.absent))

    return Term(_TRUTH, run)


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


def _condition(node: exp.Expr, find: Find) -> Term:
    term = _compile(node, find)
    if term.kind != _TRUTH:
        raise NotExact
    return term


def _all(terms: Sequence[Term]) -> Term:
    def run(rows: Rows) -> Truth:
        return reduce(_and, (_truth(t.run(rows)) for t in terms))

    return Term(_TRUTH, run)


def _and(a: Truth, b: Truth) -> Truth:
    unknown = either(a.absent, b.absent)
    if unknown is not None:  # null and false is false
        false = (~a.values if a.absent is None else ~a.values & ~a.absent) | (~b.values if b.absent is None else ~b.values & ~b.absent)
        unknown = unknown & ~false
    return Truth(a.values & b.values, unknown)


def _not(term: Term) -> Term:
    def run(rows: Rows) -> Truth:
        given = _truth(term.run(rows))
        return _known(~given.values, given.absent)

    return Term(_TRUTH, run)


def _conjunction(node: exp.Expr, find: Find) -> Term:
    return _all([_condition(node.this, find), _condition(node.expression, find)])


def _any(terms: Sequence[Term]) -> Term:
    return _not(_all([_not(t) for t in terms]))


def _disjunction(node: exp.Expr, find: Find) -> Term:
    return _any([_condition(node.this, find), _condition(node.expression, find)])


def _inverted(node: exp.Expr, find: Find) -> Term:
    return _not(_condition(node.this, find))


def _is_null(node: exp.Expr, find: Find) -> Term:
    if not isinstance(node.expression, exp.Null):
        raise NotExact
    term = _compile(node.this, find)

    def run(rows: Rows) -> Truth:
        value = term.run(rows)
        if isinstance(value, (Units, Truth)):
            return Truth(np.array(False) if value.absent is None else value.absent)
        return Truth(np.asarray(value.is_null()))

    found = Term(_TRUTH, run)
    return _not(found) if node.args.get("negate") else found


def _among(node: exp.Expr, find: Find) -> Term:
    if not node.expressions:
        raise NotExact
    term = _compile(node.this, find)
    others = [_compile(e, find) for e in node.expressions]
    if any(o.literal is None for o in others):
        raise NotExact
    return _any([_comparison(exp.EQ, term, o) for o in others])


def _between(node: exp.Expr, find: Find) -> Term:
    term, low, high = (_compile(node.args[part], find) for part in ("this", "low", "high"))
    return _all([_comparison(exp.GTE, term, low), _comparison(exp.LTE, term, high)])


# Choices between values


def _case(node: exp.Expr, find: Find) -> Term:
    subject = None if node.this is None else _compile(node.this, find)
    conditions, values = [], []
    for branch in node.args["ifs"]:
        conditions.append(_condition(branch.this, find) if subject is None else _comparison(exp.EQ, subject, _compile(branch.this, find)))
        values.append(_compile(branch.args["true"], find))
    default = node.args.get("default")
    values.append(_null(node, find) if default is None else _compile(default, find))
    values = _aligned(*values)
    kind = next(v.kind for v in values if v.kind != _NULL)
    if kind == _TRUTH:
        raise NotExact

    def run(rows: Rows) -> Value:
        # the first condition that holds decides, so it is laid on last
        chosen: list[tuple[Mask | None, Term]] = [(None, values[-1])]
        chosen += [(_truth(c.run(rows)).values, v) for c, v in zip(reversed(conditions), reversed(values[:-1]), strict=True)]
        return _chosen_texts(rows, chosen) if kind == _TEXT else _chosen_units(rows, chosen)

    return Term(kind, run, values[0].decimals)


Chosen = Sequence[tuple[Mask | None, Term]]


def _chosen_units(rows: Rows, chosen: Chosen) -> Units:
    result, most = np.zeros(len(rows), np.int64), 0
    absent: Mask | None = None
    for here, term in chosen:
        given = _units(term.run(rows))
        most = max(most, given.most)
        absent = _laid(here, given.absent, absent)
        result = np.where(True if here is None else here, given.values, result)
    return Units(result, most, absent if absent is not None and absent.any() else None)


def _laid(here: Mask | None, absent: Mask | None, below: Mask | None) -> Mask | None:
    """Which rows are absent once a value is laid over others where `here` holds (None for everywhere)."""
    if here is None or (absent is None and below is None):
        return absent
    return np.where(here, False if absent is None else absent, False if below is None else below)


def _chosen_texts(rows: Rows, chosen: Chosen) -> pa.Array:
    given = [(here, _text_or_literal(term, rows)) for here, term in chosen]
    known: dict[str, int] = {}
    for _, texts in given:
        if isinstance(texts, str):
            known.setdefault(texts, len(known))
        for value in texts.dictionary.to_pylist() if isinstance(texts, pa.DictionaryArray) else ():
            known.setdefault(value, len(known))
    if len(known) > MOST_VALUES or any(isinstance(texts, pa.Array) and not is_coded(texts) for _, texts in given):
        return _chosen_strings(rows, given)
    codes = np.zeros(len(rows), code_type(len(known)))
    absent: Mask | None = None
    for here, texts in given:
        missing: Mask | None = None
        if texts is None:
            absent = _laid(here, np.ones(len(rows), np.bool_), absent)
            continue
        if isinstance(texts, str):
            own = codes.dtype.type(known[texts])
        else:
            own, missing = codes_of(texts)
            places = np.array([known[v] for v in texts.dictionary.to_pylist()], codes.dtype)
            own = own.astype(codes.dtype) if np.array_equal(places, np.arange(len(places))) else places[own]
        absent = _laid(here, missing, absent)
        codes = np.where(True if here is None else here, own, codes)
    return coded(pa.array(list(known), pa.string()), codes, absent if absent is not None and absent.any() else None)


def _text_or_literal(term: Term, rows: Rows) -> Any:
    """An array, a text that all rows have, or None for null."""
    if term.kind == _NULL:
        return None
    return term.literal if isinstance(term.literal, str) else term.run(rows)


def _chosen_strings(rows: Rows, given: Sequence[tuple[Mask | None, Any]]) -> pa.Array:
    result = pa.nulls(len(rows), pa.string())
    for here, texts in given:
        own = plain(texts) if isinstance(texts, pa.Array) else pa.scalar(texts, pa.string())
        result = pc.if_else(pa.scalar(True) if here is None else pa.array(np.broadcast_to(here, len(rows))), own, result)
    return result


def _first_known(node: exp.Expr, find: Find) -> Term:
    terms = _aligned(_compile(node.this, find), *(_compile(e, find) for e in node.expressions))
    if terms[0].kind not in (_NUMBER, *_MOMENTS):
        raise NotExact

    def run(rows: Rows) -> Units:
        first, *others = (_units(t.run(rows)) for t in terms)
        for other in others:
            if first.absent is None:
                return first
            absent = None if other.absent is None else first.absent & other.absent
            first = Units(np.where(first.absent, other.values, first.values), max(first.most, other.most), absent)
        return first

    return Term(terms[0].kind, run, terms[0].decimals)


def _extreme(node: exp.Expr, find: Find) -> Term:
    """The least or the greatest of the values that are not null."""
    terms = _aligned(_compile(node.this, find), *(_compile(e, find) for e in node.expressions))
    if any(t.kind not in (_NUMBER, *_MOMENTS) for t in terms):
        raise NotExact
    fold = np.minimum if isinstance(node, exp.Least) else np.maximum

    def both(a: Units, b: Units) -> Units:
        values = fold(a.values, b.values)
        if a.absent is not None:
            values = np.where(a.absent, b.values, values)
        if b.absent is not None:
            values = np.where(b.absent, a.values, values)
        absent = None if a.absent is None or b.absent is None else a.absent & b.absent
        return Units(values, max(a.most, b.most), absent)

    return Term(terms[0].kind, lambda rows: reduce(both, (_units(t.run(rows)) for t in terms)), terms[0].decimals)


def _inside(node: exp.Expr, find: Find) -> Term:
    return _compile(node.this, find)


_NODES: dict[type[exp.Expr], Callable[[exp.Expr, Find], Term]] = {
    exp.Column: _column, exp.Literal: _literal, exp.Null: _null, exp.Boolean: _bool, exp.Cast: _cast, exp.Paren: _inside,
    exp.Add: _sum, exp.Sub: _sum, exp.Mul: _product, exp.Mod: _remainder, exp.Neg: _negative, exp.Round: _rounded,
    **dict.fromkeys(_ORDERS, _compared),
    exp.And: _conjunction, exp.Or: _disjunction, exp.Not: _inverted, exp.Is: _is_null, exp.In: _among, exp.Between: _between,
    exp.Case: _case, exp.Coalesce: _first_known, exp.Least: _extreme, exp.Greatest: _extreme,
}  # fmt: skip
