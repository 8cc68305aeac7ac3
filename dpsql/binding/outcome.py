"""What may be done with noisy tables."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import expressions as exp

from dpsql.binding.understood import called
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.sql_text import sql_of

# functions that read nothing but their arguments; all of sqlglot's own that are not named here are refused
ALLOWED = {
    "abs", "add", "and", "avg", "between", "bracket", "case", "cast", "ceil", "coalesce", "concat", "count", "countif", "date_trunc",
    "datetrunc", "timestamptrunc", "timestamp_trunc", "extract", "exp", "floor", "greatest", "if", "least", "left", "length", "ln", "log",
    "lower", "max", "median", "min", "nullif", "pow", "quantile", "right", "round", "row_number", "rownumber", "rank", "dense_rank",
    "denserank", "sign", "sqrt", "stddev", "stddevsamp", "stddevpop", "stddev_samp", "stddev_pop", "substring", "sum", "trim", "trycast",
    "try_cast", "upper", "variance", "variancepop", "variance_pop", "lag", "lead", "first_value", "firstvalue", "last_value", "lastvalue",
    "ntile", "percent_rank", "percentrank", "cume_dist", "cumedist", "percentilecont", "percentile_cont", "percentiledisc",
    "percentile_disc", "safedivide", "day", "month", "year", "quarter", "week", "or", "xor", "not", "startswith", "starts_with",
    "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "degrees", "radians", "pi", "cbrt", "log2", "log10",
    "trunc", "mod", "groupconcat", "arrayagg", "logicaland", "logicalor", "anyvalue", "mode", "corr", "covarpop", "covarsamp", "initcap",
    "reverse", "ascii", "datediff", "timetostr", "dateadd", "nthvalue", "isnan", "isinf",
    "atanh", "asinh", "acosh", "cot", "rand", "replace", "splitpart", "split_part", "strposition", "str_position", "exists",
    "grouping", "groupingid", "concatws", "translate",
}  # fmt: skip


def check_outcome(node: exp.Expr, tables: Collection[str], dialect: str) -> None:
    """Refuse what the outcome of a query may not do: read anything but `tables`, or call what is not known to be harmless."""
    ctes = {cte.alias for cte in node.find_all(exp.CTE)}
    for part in node.walk():
        if isinstance(part, exp.Table):
            if not isinstance(part.this, exp.Identifier) or part.args.get("db") or (part.name not in tables and part.name not in ctes):
                raise QueryRefused(f"FROM is understood of tables and subqueries, not of {sql_of(part)[:60]}")
        elif isinstance(part, exp.Func) and part.key not in ALLOWED:
            raise QueryRefused(f"'{called(part, dialect)}' is not a function that can be used on outcomes")
        elif isinstance(part, exp.Command | exp.DDL | exp.DML | exp.Into | exp.Lock | exp.Lateral | exp.Unnest | exp.TableSample):
            raise QueryRefused(f"{part.key.upper()} is not understood here")
        elif isinstance(part, exp.Window) and _is_plain(function := _windowed(part)):
            name = called(function, dialect).upper()
            raise QueryInvalid(
                f"{name} is no window function: OVER stands behind an aggregate or a window function, "
                f"as in {name}(SUM(x) OVER ()) or SUM({name}(x)) OVER ()"
            )


def _windowed(window: exp.Window) -> exp.Expr:
    """The function that OVER stands behind."""
    found: exp.Expr = window.this
    while isinstance(found, exp.Filter | exp.WithinGroup | exp.IgnoreNulls | exp.RespectNulls):
        found = found.this
    return found


def _is_plain(function: exp.Expr) -> bool:
    """Whether it is a function that OVER cannot follow; the name that WINDOW gives is none."""
    return isinstance(function, exp.Func) and not isinstance(function, exp.AggFunc | exp.RowNumber)
