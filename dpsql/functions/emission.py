"""Writing expressions as SQL of one database."""

from __future__ import annotations

import datetime
from decimal import Decimal
from fractions import Fraction

from dpsql.errors import QueryRefused
from dpsql.functions.arithmetic import holdable
from dpsql.functions.mixing import in_duckdb, in_postgres
from dpsql.functions.registry import FUNCTIONS
from dpsql.tree import Call, Case, Column, Expression, Literal

LONGEST = 100_000  # characters of one expression in SQL


def emit(expression: Expression, dialect: str) -> str:
    """Return SQL of `expression` for 'duckdb' or 'postgres'; it gives a value or null for any row.

    Raises QueryRefused where the SQL would become too long.
    """
    written = _emit(expression, dialect)
    if dialect == "postgres" and isinstance(expression, Call | Case) and expression.facts.kind in ("decimal", "double"):
        # whoever asks for it may cast it to a double
        return holdable(written)
    return written


def _emit(expression: Expression, dialect: str) -> str:
    written = _written(expression, dialect)
    if len(written) > LONGEST:
        raise QueryRefused("an expression of the query is too long, or nested too deeply, to be worked out safely")
    return written


def _written(expression: Expression, dialect: str) -> str:
    match expression:
        case Column(name):
            return '"' + name.replace('"', '""') + '"'
        case Literal():
            return literal(expression, dialect)
        case Call(function, arguments):
            found = FUNCTIONS[function]
            written = [_emit(a, dialect) for a in arguments]
            if dialect == "postgres":
                return found.postgres(*written, call=expression)
            # around each that can fail, and not around the whole: DuckDB works out what comes twice beforehand, outside of TRY
            made = found.duckdb(*written, call=expression)
            return f"TRY({made})" if found.risky(expression) else made
        case Case(branches, otherwise):
            values = [_emit(v, dialect) for _, v in branches] + [_emit(otherwise, dialect)]
            values = (in_postgres if dialect == "postgres" else in_duckdb)(values, [*(v for _, v in branches), otherwise])
            whens = " ".join(f"WHEN {_emit(c, dialect)} THEN {v}" for (c, _), v in zip(branches, values, strict=False))
            return f"(CASE {whens} ELSE {values[-1]} END)"


def literal(constant: Literal, dialect: str) -> str:
    """Return a constant as SQL."""
    value = constant.value
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value) if value >= 0 else f"({value})"
        case Fraction() | Decimal():
            return _decimal(Fraction(value))
        case float():
            return f"CAST({value!r} AS DOUBLE PRECISION)" if abs(value) < float("inf") else f"CAST('{value}' AS DOUBLE PRECISION)"
        case datetime.datetime():
            kind = "TIMESTAMPTZ" if constant.facts.kind == "timestamptz" else "TIMESTAMP"
            return f"{kind} '{value.isoformat(sep=' ')}'"
        case datetime.date():
            return f"DATE '{value.isoformat()}'"
        case str():
            return text(value, dialect)


def text(value: str, dialect: str) -> str:
    """Return a string as SQL; in PostgreSQL a backslash needs the form with escapes, whatever the server's settings."""
    quoted = value.replace("'", "''")
    if dialect == "postgres" and "\\" in value:
        return "E'" + quoted.replace("\\", "\\\\") + "'"
    return f"'{quoted}'"


def _decimal(value: Fraction) -> str:
    scale = 0
    while (value * 10**scale).denominator != 1 and scale < 18:
        scale += 1
    digits = Decimal(f"{round(value * 10**scale)}E-{scale}")
    return f"{digits:f}" if value >= 0 else f"({digits:f})"
