"""What the binding of one query knows and gathers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import expressions as exp

from dpsql.binding.expressions import Expressions
from dpsql.binding.scopes import Scope
from dpsql.binding.sources import Kept, Names
from dpsql.declaration import Declaration
from dpsql.errors import QueryInvalid
from dpsql.tree import Release, Value


@dataclass(frozen=True)
class Open:
    """A part of the query that sees nothing private: SQL over noisy and public tables, and the names of its columns."""

    node: exp.Query
    names: tuple[str, ...]


Found = Kept | Open
# the CTEs that a query can name; each use of rows binds them anew, since no two columns may have one name
Environment = Mapping[str, Callable[[], Found]]
MOST_SOURCES = 100


@dataclass
class State:
    """The declaration and the query's surroundings; the releases and public tables found so far.

    `by_unit` are the fields that sum or count one unit's rows. `query` binds a query inside the query. `sql` is the analyst's text.
    """

    declaration: Declaration
    dialect: str
    parameters: Sequence[Value]
    sql: str
    query: Callable[[exp.Expr, Environment, State], Found]
    names: Names = field(default_factory=Names)
    releases: list[Release] = field(default_factory=list)
    public: dict[str, None] = field(default_factory=dict)
    by_unit: set[str] = field(default_factory=set)
    sources: int = 0

    def count_source(self) -> None:
        """Hold the number of tables and subqueries, which CTEs that use each other could double time and again."""
        self.sources += 1
        if self.sources > MOST_SOURCES:
            raise QueryInvalid(f"the query names more than {MOST_SOURCES} tables and subqueries")

    def expressions(self, scope: Scope) -> Expressions:
        """What binds expressions of `scope`."""
        return Expressions(scope, self.dialect, self.parameters, self.by_unit)
