"""Columns and literals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sqlglot import exp

from datagen.arrays import DAY, to_units
from datagen.coded import coded
from datagen.exact.terms import (
    DIGITS,
    NULL,
    NUMBER,
    TEXT,
    TEXTUAL,
    TRUTH,
    Find,
    NotExact,
    Term,
    Truth,
    Units,
    compiled,
    compiles,
    largest,
)
from datagen.rows import Rows
from schemas.times import parse_moment
from schemas.types import INTEGERS, MOMENTS


@compiles(exp.Column)
def _column(node: exp.Expr, find: Find) -> Term:
    source, type = find(node.name)
    if type.kind in INTEGERS or type.kind in MOMENTS or (type.kind == "numeric" and (type.precision or DIGITS + 1) <= DIGITS):
        kind = type.kind if type.kind in MOMENTS else NUMBER

        def units(rows: Rows) -> Units:
            values, absent = to_units(type, source(rows))
            return Units(values, largest(values), absent)

        return Term(kind, units, type.decimals)
    if type.kind == "boolean":

        def truth(rows: Rows) -> Truth:
            values = source(rows)
            absent = np.asarray(values.is_null()) if values.null_count else None
            return Truth(np.asarray(values.fill_null(False) if absent is not None else values), absent)

        return Term(TRUTH, truth)
    if type.kind in TEXTUAL:
        return Term(TEXT, source)
    raise NotExact


@compiles(exp.Literal)
def _literal(node: exp.Expr, find: Find) -> Term:
    text = node.name
    if node.args.get("is_string"):
        values = pa.array([text], pa.string())
        return Term(TEXT, lambda rows: coded(values, np.zeros(len(rows), np.int8)), literal=text)
    whole, point, fraction = text.partition(".")
    if not (whole + fraction).isdigit() or len(whole + fraction) > DIGITS or (point and not (whole and fraction)):
        raise NotExact
    return number(int(whole + fraction), len(fraction))


def number(value: int, decimals: int) -> Term:
    """A number, in units of so many decimals, that all rows have."""
    same = Units(np.array(value, np.int64), abs(value))
    return Term(NUMBER, lambda rows: same, decimals, value)


@compiles(exp.Null)
def null(node: exp.Expr, find: Find) -> Term:
    """Null in every row."""
    return Term(NULL, lambda rows: Units(np.zeros(len(rows), np.int64), 0, np.ones(len(rows), np.bool_)))


@compiles(exp.Boolean)
def _bool(node: exp.Expr, find: Find) -> Term:
    same = Truth(np.array(bool(node.this)))
    return Term(TRUTH, lambda rows: same)


@compiles(exp.Cast)
def _cast(node: exp.Expr, find: Find) -> Term:
    """DATE '2026-01-31' is a text that is cast, and so is a time stamp such as the anchor."""
    kind = {exp.DataType.Type.DATE: "date", exp.DataType.Type.TIMESTAMPTZ: "timestamptz"}.get(node.args["to"].this)
    if kind is None or not isinstance(node.this, exp.Literal) or not node.this.is_string:
        raise NotExact
    text = node.this.name
    if (len(text) == len("2026-01-31")) != (kind == "date"):
        raise NotExact
    try:
        units = parse_moment(text) // (DAY if kind == "date" else 1)
    except ValueError:
        raise NotExact from None
    same = Units(np.array(units, np.int64), abs(units))
    return Term(kind, lambda rows: same, literal=units)


@compiles(exp.Paren)
def _inside(node: exp.Expr, find: Find) -> Term:
    return compiled(node.this, find)
