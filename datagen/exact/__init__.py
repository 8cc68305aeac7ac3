"""SQL expressions that need no database: exact arithmetic, comparisons, CASE and the like over whole units, by NumPy.

An expression is compiled to a function of rows where every part of it is known here; `NotExact` says that one is not, and DuckDB
evaluates the whole instead. Both give the same values: numbers are exact decimals, rounded half away from zero where they lose
digits; what might not fit 64 bits in some rows raises `TooLarge`, and these rows are left to DuckDB as well.
`terms` says what the parts are; each other module registers the parts that it compiles.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sqlglot import exp

from datagen.arrays import from_units, largest_units
from datagen.exact import choices as choices  # which imports all that register what they compile
from datagen.exact.arithmetic import rescaled
from datagen.exact.doubles import in_units
from datagen.exact.terms import (
    DOUBLE,
    NUMBER,
    TEXT,
    TEXTUAL,
    TRUTH,
    Find,
    NotExact,
    TooLarge,
    compiled,
    largest,
    truth_of,
    units_of,
)
from datagen.rows import Kernel, Rows
from schemas.types import INTEGERS, MOMENTS, SqlType

__all__ = ["NotExact", "TooLarge", "compile_exact"]


def compile_exact(tree: exp.Expr, find: Find, type: SqlType) -> Kernel:
    """Return a kernel of `type`'s arrays for an expression whose columns `find` knows; raises NotExact.

    Text comes as a dictionary array where all its sources do. The kernel raises TooLarge.
    """
    term = compiled(tree, find)
    if term.kind == DOUBLE and type.kind in (*INTEGERS, "numeric"):
        term = in_units(term, type)
    if term.kind == NUMBER and type.kind in (*INTEGERS, "numeric"):
        number, limit = rescaled(term, type.decimals), largest_units(type)

        def kernel(rows: Rows) -> pa.Array:
            units = units_of(number.run(rows))
            if units.most > limit and largest(units.values) > limit:
                raise TooLarge
            return from_units(type, np.broadcast_to(units.values, len(rows)), units.absent)

        return kernel
    if term.kind == type.kind and type.kind in MOMENTS:

        def moments(rows: Rows) -> pa.Array:
            units = units_of(term.run(rows))
            return from_units(type, np.broadcast_to(units.values, len(rows)), units.absent)

        return moments
    if term.kind == TRUTH and type.kind == "boolean":

        def booleans(rows: Rows) -> pa.Array:
            truth = truth_of(term.run(rows))
            return pa.array(np.broadcast_to(truth.values, len(rows)), mask=truth.absent)

        return booleans
    if term.kind == TEXT and type.kind in TEXTUAL:
        return lambda rows: term.run(rows)
    raise NotExact
