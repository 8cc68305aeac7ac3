"""CHECK constraints, held against the rows of a bundle by DuckDB.

Constraints are written in PostgreSQL's SQL and translated by sqlglot. As in a database, a check that is null for a row
holds for it. What DuckDB cannot evaluate is reported as such, never as passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb
import sqlglot
from sqlglot import expressions as exp

from bundles.scanning import Session, numbered, reason, scan
from schemas.conditions import why_no_condition
from schemas.ddl_names import quoted
from schemas.model import Check, Table
from schemas.sql_expressions import with_like_escape

_NEVER = (exp.Query, exp.Subquery, exp.Command, exp.AggFunc, exp.Window, exp.UDTF, exp.Alias, exp.Star)
_RENAMED = {"cardinality": "len", "jsonb_array_length": "json_array_length"}


class SqlUnusable(ValueError):
    """SQL that is no condition on one row."""


@dataclass(frozen=True, slots=True)
class Result:
    """How many rows of a table break a check or a rule, and the first; or why it could not be evaluated.

    A rule that is `implied` has the name of the column whose recipe promises it.
    """

    kind: Literal["check", "rule"]
    table: str
    condition: Check
    rows: int = 0
    first_row: int | None = None
    not_checked: str | None = None
    implied: bool = False

    @property
    def title(self) -> str:
        """The name of the condition, where it has one, and its SQL."""
        name, sql = self.condition.name, self.condition.sql
        if self.implied:
            return f"what the recipe of '{name}' promises ({sql})"
        return f"{self.kind} '{name}' ({sql})" if name else f"{self.kind} ({sql})"


def run_checks(session: Session, table: Table, paths: Sequence[Path]) -> list[Result]:
    """Evaluate every check of `table` on the rows in the Parquet files `paths`."""
    results: dict[int, Result] = {}
    conditions: dict[int, str] = {}
    for i, check in enumerate(table.checks):
        unusable = why_no_condition(check.sql, table.columns)
        if unusable is not None:
            results[i] = Result("check", table.name, check, not_checked=unusable)
            continue
        try:
            conditions[i] = translated(check.sql)
            session.prepare(f"SELECT {_breaks(conditions[i])} FROM {_relation(table, paths)}")
        except SqlUnusable as error:
            results[i] = Result("check", table.name, check, not_checked=str(error))
        except duckdb.Error as error:
            results[i] = Result("check", table.name, check, not_checked=reason(error))
    todo = {i: sql for i, sql in conditions.items() if i not in results}
    counts = _counts(session, table, paths, todo)
    for i, count in counts.items():
        if isinstance(count, str):
            results[i] = Result("check", table.name, table.checks[i], not_checked=count)
        else:
            first = _first(session, table, paths, todo[i]) if count else None
            results[i] = Result("check", table.name, table.checks[i], count, first)
    return [results[i] for i in sorted(results)]


def translated(sql: str) -> str:
    """Return a PostgreSQL check as DuckDB's SQL; SqlUnusable where it is no condition on one row."""
    try:
        trees = sqlglot.parse(f"SELECT {sql}", read="postgres")
    except sqlglot.errors.SqlglotError:
        raise SqlUnusable("its SQL cannot be read") from None
    tree = trees[0]
    others = {name for name, part in tree.args.items() if part} - {"expressions", "kind"} if tree else set()
    if len(trees) != 1 or not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or others:
        raise SqlUnusable("it is no single expression")
    condition = tree.expressions[0]
    for node in condition.walk():
        if isinstance(node, _NEVER):
            raise SqlUnusable("it is no condition on one row")
        if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.DECIMAL and not node.expressions:
            node.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(n)) for n in (38, 9)])
        if isinstance(node, exp.Anonymous) and node.name.lower() in _RENAMED:
            node.set("this", _RENAMED[node.name.lower()])
    return str(condition.transform(with_like_escape).sql(dialect="duckdb", identify=True, unsupported_level=sqlglot.ErrorLevel.IGNORE))


def _counts(session: Session, table: Table, paths: Sequence[Path], conditions: dict[int, str]) -> dict[int, int | str]:
    """Count the rows that break each condition in one pass, or one by one where a pass over all fails."""
    if not conditions:
        return {}
    counts = ", ".join(f"count(*) FILTER (WHERE {_breaks(sql)})" for sql in conditions.values())
    try:
        row = session.row(f"SELECT {counts} FROM {_relation(table, paths)}")
    except duckdb.Error as error:
        if len(conditions) == 1:
            return dict.fromkeys(conditions, reason(error))
        return {i: _counts(session, table, paths, {i: sql})[i] for i, sql in conditions.items()}
    return dict(zip(conditions, row, strict=True))


def _first(session: Session, table: Table, paths: Sequence[Path], condition: str) -> int:
    rows, number = numbered(scan(table, paths), [c.name for c in table.stored_columns])
    return int(session.row(f"SELECT min({number}) FROM ({rows}) AS {_alias(table)} WHERE {_breaks(condition)}")[0])


def _relation(table: Table, paths: Sequence[Path]) -> str:
    return f"({scan(table, paths)}) AS {_alias(table)}"


def _alias(table: Table) -> str:
    return quoted(table.name.rpartition(".")[2])


def _breaks(condition: str) -> str:
    return f"CAST(({condition}) AS BOOLEAN) = false"
