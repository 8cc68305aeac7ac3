"""SQL of a tree, of a held length: what a dialect lacks is written out, and such forms in each other grow without end."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlglot
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError
from sqlglot.generator import Generator

from dpsql.errors import QueryRefused

LONGEST = 1_000_000  # characters of SQL that is written
MOST_PARTS = 200_000


def sql_of(node: exp.Expr, dialect: str = "") -> str:
    """Return the SQL of a tree in a dialect of sqlglot; raises QueryRefused where it would be far longer than any query, or cannot be."""
    given = sqlglot.Dialect.get_or_raise(dialect)
    try:
        return _held(given.generator_class)(dialect=given).generate(node)
    except SqlglotError as error:
        raise QueryRefused("a form of this query cannot be written for the database") from error


@cache
def _held(writer: type[Generator]) -> type[Generator]:
    class Held(writer):  # type: ignore[valid-type, misc]
        """Counts what it writes, part by part."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self._parts = 0

        def sql(self, expression: str | exp.Expr | None, key: str | None = None, comment: bool = True) -> str:
            text: str = super().sql(expression, key, comment)
            self._parts += 1
            if self._parts > MOST_PARTS or len(text) > LONGEST:
                raise QueryRefused("forms that are written out in each other make too long a query; put the inner ones into a subquery")
            return text

    return Held
