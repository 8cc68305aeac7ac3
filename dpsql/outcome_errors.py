"""How far the columns of an answer may be off, computed beside them in the same statement.

The residual query's select list is extended: a noisy column that is shown as it is brings its 95 % error along, and an expression
over noisy columns gets the first-order propagation of their deviations, by moving each of them once by its own. What constants clamp
has the error that it has without them, but none wider than between the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import expressions as exp

from dpsql.outcome_columns import DEVIATION, ERROR, NotKnown, OutcomeRows
from dpsql.sql_text import sql_of

NORMAL_95 = "1.959964"


@dataclass(frozen=True)
class WithErrors:
    """`sql` has error columns after the answer's own; `errors` maps a position among the answer's columns to the one of its error.

    `unknown` are the positions of noisy columns whose error is not known. `columns` names the columns of the one release that the
    statement shows as they are, row by row, and is None where it does more than that.
    """

    sql: str
    errors: Mapping[int, int]
    unknown: tuple[int, ...]
    columns: tuple[str, ...] | None = None


@lru_cache(maxsize=1024)
def with_errors(residual: str, noisy: tuple[tuple[str, tuple[str, ...]], ...], moments: tuple[str, ...] = ()) -> WithErrors:
    """Return `residual` with the errors of its columns; `noisy` has releases with the names of their noisy columns.

    `moments` are those of them that are dates and times, by which no number can be moved. Where the
    residual does more than to show rows of one release, errors are not known.
    """
    statement = sqlglot.parse_one(residual, dialect="duckdb")
    releases = dict(noisy)
    shown = statement.selects if isinstance(statement, exp.Query) else []
    try:
        if not isinstance(statement, exp.Select):
            raise NotKnown
        rows = OutcomeRows(statement, releases)
    except NotKnown:
        return WithErrors(residual, {}, tuple(n for n, _ in enumerate(shown)) if any(releases.values()) else ())
    errors: dict[int, int] = {}
    unknown: list[int] = []
    made = list(rows.shown)
    for position, expression in enumerate(rows.shown):
        try:
            value = rows.meaning(expression.unalias())
        except NotKnown:
            unknown.append(position)
            continue
        touched = rows.touched(value)
        if not touched:
            continue
        alone = isinstance(value, exp.Column)
        if not alone and any(rows.noisy[name] in moments for name in touched):
            unknown.append(position)
            continue
        error = exp.column(touched[0] + ERROR) if alone else _propagated(value, touched)
        made.append(exp.alias_(error, f"__e{position}", quoted=True))
        errors[position] = len(rows.shown) + len(errors)
    rows.place(statement)
    statement.set("expressions", made)
    return WithErrors(sql_of(statement, "duckdb"), errors, tuple(unknown), _columns(statement))


def _columns(statement: exp.Select) -> tuple[str, ...] | None:
    shown = [expression.unalias() for expression in statement.selects]
    alone = {name for name, part in statement.args.items() if part} <= {"expressions", "from_", "from"} and _is_table(statement)
    return tuple(s.name for s in shown) if alone and all(isinstance(s, exp.Column) and not s.table for s in shown) else None


def _is_table(statement: exp.Select) -> bool:
    source = statement.args.get("from_") or statement.args.get("from")
    return source is not None and isinstance(source.this, exp.Table)


def _propagated(value: exp.Expr, touched: Sequence[str]) -> exp.Expr:
    """1.96 times the root of the summed squares of what one deviation of each noisy column changes."""
    widest = _width(value)
    while (inner := value.transform(_unclamped)) != value:
        value = inner
    terms = []
    for name in touched:
        moved = value.copy().transform(
            lambda node, name=name: (
                exp.paren(exp.Add(this=exp.cast(node, "double"), expression=exp.column(name + DEVIATION)))
                if isinstance(node, exp.Column) and node.name == name
                else node
            )
        )
        change = f"(TRY_CAST({sql_of(moved, 'duckdb')} AS DOUBLE) - TRY_CAST({sql_of(value, 'duckdb')} AS DOUBLE))"
        terms.append(f"TRY({change} * {change})")
    untold = " OR ".join(f'("{name}" IS NOT NULL AND "{name + DEVIATION}" IS NULL)' for name in touched)
    error = f"CASE WHEN {untold} THEN NULL ELSE TRY({NORMAL_95} * SQRT({' + '.join(terms)})) END"
    return sqlglot.parse_one(error if widest is None else f"CASE WHEN {error} > {widest} THEN {widest} ELSE {error} END", dialect="duckdb")


def _unclamped(node: exp.Expr) -> exp.Expr:
    """The one argument of LEAST and GREATEST that is no constant; any other node as it is."""
    if not isinstance(node, exp.Least | exp.Greatest):
        return node
    varying = [one for one in (node.this, *node.expressions) if one.find(exp.Column) is not None]
    return varying[0].copy() if len(varying) == 1 else node


def _width(value: exp.Expr) -> float | None:
    """How far apart the constants are that `value` is clamped between; None where it is not."""
    if isinstance(value, exp.Paren):
        return _width(value.this)
    if isinstance(value, exp.Case) and len(value.args["ifs"]) == 1 and value.args.get("default") is None:
        return _width(value.args["ifs"][0].args["true"])
    match value:
        case (
            exp.Least(this=exp.Greatest(expressions=[low]), expressions=[high])
            | exp.Greatest(this=exp.Least(expressions=[high]), expressions=[low])
        ):
            lo, hi = (_number(one) for one in (low, high))
            return None if lo is None or hi is None else max(hi - lo, 0.0)
    return None


def _number(node: exp.Expr) -> float | None:
    if isinstance(node, exp.Neg):
        number = _number(node.this)
        return None if number is None else -number
    return float(node.name) if isinstance(node, exp.Literal) and not node.is_string else None
