"""Writing expressions as SQL of one database."""

from __future__ import annotations

import datetime
from decimal import Decimal
from fractions import Fraction

from dpsql.functions.registry import FUNCTIONS
from dpsql.tree import Call, Case, Column, Expression, Literal, subexpressions


def emit(expression: Expression, dialect: str) -> str:
    """Return SQL of `expression` for 'duckdb' or 'postgres'; it gives a value or null for any row."""
    written = _emit(expression, dialect)
    if dialect == "duckdb" and any(isinstance(e, Call) and FUNCTIONS[e.function].risky for e in subexpressions(expression)):
        return f"TRY({written})"
    return written


def _emit(expression: Expression, dialect: str) -> str:
    match expression:
        case Column(name):
            return '"' + name.replace('"', '""') + '"'
        case Literal():
            return literal(expression, dialect)
        case Call(function, arguments):
            found = FUNCTIONS[function]
            written = [_emit(a, dialect) for a in arguments]
            return (found.duckdb if dialect == "duckdb" else found.postgres)(*written, call=expression)
        case Case(branches, otherwise):
            whens = " ".join(f"WHEN {_emit(c, dialect)} THEN {_emit(v, dialect)}" for c, v in branches)
            return f"(CASE {whens} ELSE {_emit(otherwise, dialect)} END)"


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
            return f"CAST({value!r} AS DOUBLE PRECISION)"
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
    digits = Decimal(round(value * 10**scale)).scaleb(-scale)
    return f"{digits:f}" if value >= 0 else f"({digits:f})"
