"""Conditions that people write over the rows of a table, in the dialect of its database."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from masking.errors import PolicyInvalid
from schemas.errors import Problem, nearest
from schemas.model import Table
from schemas.sql_expressions import NotAnExpression, columns_in, parse_expression

POLICY = "policy"


def condition_problem(table: Table, condition: str, dialect: str) -> str | None:
    """Say why `condition` is no expression over the columns of one row of `table`, None where it is one.

    `dialect` is sqlglot's name of the source's. Names of columns are compared without regard to case.
    """
    try:
        tree = parse_expression(condition, dialect)
    except NotAnExpression as error:
        return str(error)
    known = {c.name.lower(): c.name for c in table.database_columns}
    for column, _ in columns_in(tree):
        if column.lower() not in known:
            return f"there is no column '{column}'{nearest(column, known.values())}"
    return None


def check_condition(table: Table, condition: str, dialect: str) -> None:
    """Raise PolicyInvalid where `condition` is no expression over the columns of one row of `table`."""
    if (reason := condition_problem(table, condition, dialect)) is not None:
        raise refused(table.name, reason)


def refused(table: str, reason: str) -> PolicyInvalid:
    """The error of a condition over `table`."""
    return PolicyInvalid(POLICY, [Problem(f"the condition on '{table}': {reason}")])


def as_flags(conditions: Sequence[str]) -> list[str]:
    """Return SQL that is 1 where a condition accepts the row and 0 where not, named as `Source.read` has it."""
    # a line of its own, so that no comment in the condition hides what follows
    return [f"CASE WHEN (\n{condition}\n) THEN 1 ELSE 0 END AS condition_{i}" for i, condition in enumerate(conditions)]


def with_flags(schema: pa.Schema, conditions: int) -> pa.Schema:
    """The Arrow schema of a read with so many conditions."""
    return pa.schema([*schema, *(pa.field(f"condition_{i}", pa.bool_(), nullable=False) for i in range(conditions))])


def with_condition(sql: str, condition: str | None) -> str:
    """Return a query of which only the rows that `condition` accepts are wanted."""
    return sql if condition is None else f"{sql} WHERE (\n{condition}\n)"
