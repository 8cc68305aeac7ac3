"""Division as the databases have it: / of PostgreSQL and // of DuckDB give whole numbers of whole ones, and fractions of all others."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import expressions as exp

from dpsql.tree import Call, Case, Expression

# what PostgreSQL gives NUMERIC or DOUBLE PRECISION of, also where all values are whole
FRACTIONAL = (exp.Floor, exp.Ceil, exp.Round, exp.Trunc, exp.Sign, exp.Extract, exp.Avg)
FUNCTIONS = frozenset(("floor", "ceil", "round", "trunc", "sign", "extract"))
ARITHMETIC = frozenset(("add", "subtract", "multiply", "negate", "abs", "modulo", "coalesce", "nullif", "least", "greatest"))


def is_whole(value: Expression, dialect: str) -> bool:
    """Whether a number has a type of whole numbers in the database of a dialect."""
    return value.facts.kind == "integer" and not is_fractional(value, dialect)


def is_fractional(value: Expression, dialect: str = "postgres") -> bool:
    """Whether the database has values of whole numbers only in a type of fractions."""
    match value:
        case Call() if value.function in FUNCTIONS and dialect == "postgres":
            return True
        case Call() if value.function in ("floor", "ceil"):
            return True
        case Call() if value.function in ("round", "trunc"):
            return not is_whole(value.arguments[0], dialect)
        case Call() if value.function in ARITHMETIC:
            return any(is_fractional(a, dialect) for a in value.arguments)
        case Case():
            return any(is_fractional(v, dialect) for v in (*(v for _, v in value.branches), value.otherwise))
    return False


def divided(node: exp.Div, made: exp.Expr, is_wide: Callable[[exp.Sum], bool] | None) -> exp.Expr:
    """`made`, which is the quotient `node` over noisy tables, as DuckDB has to write it.

    DuckDB's // is of whole numbers between whole numbers, and of fractions between others. By zero PostgreSQL would fail, which a noisy
    divisor is now and then: the quotient is null.
    `is_wide` says of which sums PostgreSQL gives NUMERIC: of bigint. Without it they are sums of noisy counts and sums, all of which are.
    """
    divisor = made.args["expression"]
    zero = exp.Literal.number(0)
    number = isinstance(divisor, exp.Literal) and not divisor.is_string
    never = float(divisor.name) != 0 if number else isinstance(divisor, exp.Nullif) and divisor.expression == zero
    if not never:
        divisor = exp.Nullif(this=divisor, expression=zero)
    return (exp.Div if _is_fraction(node, is_wide) else exp.IntDiv)(this=made.this, expression=divisor)


def _is_fraction(node: exp.Expr, is_wide: Callable[[exp.Sum], bool] | None) -> bool:
    if isinstance(node, exp.Cast):
        return False  # its type says it
    if isinstance(node, exp.Query):
        return is_wide is None and any(_is_fraction(shown, None) for shown in node.selects)
    if isinstance(node, exp.Window):
        return isinstance(node.this, exp.Sum | exp.Avg)  # a window sums what was counted or summed before, which are bigint
    if isinstance(node, FRACTIONAL) or (isinstance(node, exp.Sum) and (is_wide is None or is_wide(node))):
        return True
    if isinstance(node, exp.AggFunc):
        return False
    return any(_is_fraction(part, is_wide) for part in node.iter_expressions())
