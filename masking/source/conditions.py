"""Conditions that people write over the rows of a table, in the dialect of its database."""

from __future__ import annotations

from masking.errors import PolicyInvalid
from schemas.errors import Problem, nearest
from schemas.model import Table
from schemas.sql_expressions import NotAnExpression, columns_in, parse_expression

POLICY = "policy"


def check_condition(table: Table, condition: str, dialect: str) -> None:
    """Raise PolicyInvalid where `condition` is no expression over the columns of one row of `table`.

    `dialect` is sqlglot's name of the source's. Names of columns are compared without regard to case.
    """
    try:
        tree = parse_expression(condition, dialect)
    except NotAnExpression as error:
        raise refused(table.name, str(error)) from None
    known = {c.name.lower(): c.name for c in table.database_columns}
    for name, _ in columns_in(tree):
        column = name.removeprefix(f"{table.name}.")
        if column.lower() not in known:
            raise refused(table.name, f"there is no column '{column}'{nearest(column.lower(), known)}")


def refused(table: str, reason: str) -> PolicyInvalid:
    """The error of a condition over `table`."""
    return PolicyInvalid(POLICY, [Problem(f"the condition on '{table}': {reason}")])
