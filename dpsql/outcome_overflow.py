"""Arithmetic of a noisy outcome whose numbers leave their types: null, since the outcome is paid for by then."""

from __future__ import annotations

import sqlglot
from sqlglot import expressions as exp

from dpsql.sql_text import sql_of

OVERFLOWING = (exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Abs)
UNTRIED = (exp.AggFunc, exp.Window, exp.Query)  # which DuckDB allows in no TRY
NOTE = "a number of this outcome that is too large for its type is null, where PostgreSQL would fail: cast to DOUBLE PRECISION before"


def null_on_overflow(residual: str) -> str:
    """Return `residual` with null for each number that its type does not hold, but for those worked out of aggregates and windows."""
    statement = sqlglot.parse_one(residual, dialect="duckdb")
    for node in list(statement.walk()):
        if type(node) is exp.Cast:
            node.replace(exp.TryCast(**node.args))
        elif isinstance(node, OVERFLOWING) and not isinstance(node.parent, exp.Try) and node.find(*UNTRIED) is None:
            tried = exp.Try()  # each by itself: DuckDB works out what comes twice beforehand, outside of any TRY around it
            node.replace(tried)
            tried.set("this", node)
    return sql_of(statement, "duckdb")
