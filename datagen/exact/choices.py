"""Choices between values: CASE, COALESCE, the least and the greatest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from datagen.arrays import Mask
from datagen.coded import MOST_VALUES, Codes, code_type, coded, codes_of, is_coded, plain
from datagen.exact.arithmetic import aligned
from datagen.exact.conditions import comparison, condition
from datagen.exact.doubles import first_known
from datagen.exact.sources import null
from datagen.exact.terms import (
    DOUBLE,
    NULL,
    NUMBER,
    TEXT,
    TRUTH,
    Find,
    NotExact,
    Term,
    Units,
    Value,
    compiled,
    compiles,
    first_present,
    truth_of,
    units_of,
)
from datagen.rows import Rows
from schemas.types import MOMENTS


@compiles(exp.Case)
def _case(node: exp.Expr, find: Find) -> Term:
    subject = None if node.this is None else compiled(node.this, find)
    conditions, values = [], []
    for branch in node.args["ifs"]:
        conditions.append(condition(branch.this, find) if subject is None else comparison(exp.EQ, subject, compiled(branch.this, find)))
        values.append(compiled(branch.args["true"], find))
    default = node.args.get("default")
    values.append(null(node, find) if default is None else compiled(default, find))
    values = aligned(*values)
    kind = next(v.kind for v in values if v.kind != NULL)
    if kind == TRUTH:
        raise NotExact

    def run(rows: Rows) -> Value:
        # the first condition that holds decides, so it is laid on last
        chosen: list[tuple[Mask | None, Term]] = [(None, values[-1])]
        chosen += [(truth_of(c.run(rows)).values, v) for c, v in zip(reversed(conditions), reversed(values[:-1]), strict=True)]
        return _chosen_texts(rows, chosen) if kind == TEXT else _chosen_units(rows, chosen)

    return Term(kind, run, values[0].decimals)


Chosen = Sequence[tuple[Mask | None, Term]]


def _chosen_units(rows: Rows, chosen: Chosen) -> Units:
    result, most = np.zeros(len(rows), np.int64), 0
    absent: Mask | None = None
    for here, term in chosen:
        given = units_of(term.run(rows))
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
        codes = np.broadcast_to(own, len(rows)) if here is None else _where(here, own, codes)
    return coded(pa.array(list(known), pa.string()), codes, absent if absent is not None and absent.any() else None)


def _where(here: Mask, own: Codes | np.signedinteger[Any], others: Codes) -> Codes:
    """`np.where`, without a branch that is taken or not by chance."""
    chosen: Codes = others ^ ((others ^ own) & -here.view(np.int8))
    return chosen


def _text_or_literal(term: Term, rows: Rows) -> Any:
    """An array, a text that all rows have, or None for null."""
    if term.kind == NULL:
        return None
    return term.literal if isinstance(term.literal, str) else term.run(rows)


def _chosen_strings(rows: Rows, given: Sequence[tuple[Mask | None, Any]]) -> pa.Array:
    result = pa.nulls(len(rows), pa.string())
    for here, texts in given:
        own = plain(texts) if isinstance(texts, pa.Array) else pa.scalar(texts, pa.string())
        result = pc.if_else(pa.scalar(True) if here is None else pa.array(np.broadcast_to(here, len(rows))), own, result)
    return result


@compiles(exp.Coalesce)
def _first_known(node: exp.Expr, find: Find) -> Term:
    terms = [compiled(node.this, find), *(compiled(e, find) for e in node.expressions)]
    if any(t.kind == DOUBLE for t in terms):
        return first_known(terms)
    terms = aligned(*terms)
    if terms[0].kind == TRUTH:
        return Term(TRUTH, lambda rows: first_present(truth_of(t.run(rows)) for t in terms))
    if terms[0].kind not in (NUMBER, *MOMENTS):
        raise NotExact
    return Term(terms[0].kind, lambda rows: first_present(units_of(t.run(rows)) for t in terms), terms[0].decimals)


@compiles(exp.Least, exp.Greatest)
def _extreme(node: exp.Expr, find: Find) -> Term:
    """The least or the greatest of the values that are not null."""
    terms = aligned(compiled(node.this, find), *(compiled(e, find) for e in node.expressions))
    if any(t.kind not in (NUMBER, *MOMENTS) for t in terms):
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

    return Term(terms[0].kind, lambda rows: reduce(both, (units_of(t.run(rows)) for t in terms)), terms[0].decimals)
