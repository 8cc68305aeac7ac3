"""What the binding of one query knows and gathers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import expressions as exp

from dpsql.binding.expressions import Expressions, Scalars
from dpsql.binding.scopes import Scope
from dpsql.binding.sources import Kept, Names
from dpsql.declaration import Declaration
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.tree import Release, Value


@dataclass(frozen=True)
class Open:
    """A part of the query that sees nothing private: SQL over noisy and public tables, and the names of its columns."""

    node: exp.Query
    names: tuple[str, ...]


Found = Kept | Open


@dataclass(frozen=True)
class Named:
    """A CTE: `found` binds it, rows anew each time, since no two columns may have one name. `public`: it names public tables alone."""

    found: Callable[[], Found]
    public: bool


Environment = Mapping[str, Named]
MOST_SOURCES = 100
MIXED = "rows and noisy outcomes cannot be joined; join noisy outcomes with each other, or rows with rows"


@dataclass
class State:
    """The declaration and the query's surroundings; the releases and public tables found so far.

    `by_unit` are the fields that sum or count one unit's rows. `query` binds a query inside the query. `sql` is the analyst's text.
    With `public_as_rows` a query of public tables is bound to rows, which private ones can be joined to, in place of SQL for the outcome.
    `scalars` are the values of public subqueries, by their place in the query. `root` is the whole query, whose rows would be shown.
    With `narrowing` conditions on keys are asked of the rows; `narrowed` says that some were.
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
    root: exp.Expr | None = None
    public_as_rows: bool = False
    scalars: Scalars = field(default_factory=dict)
    narrowing: bool = True
    narrowed: bool = False

    def __post_init__(self) -> None:
        words = {i.name.lower() for i in self.root.find_all(exp.Identifier)} if self.root is not None else set()
        words |= {table.name.lower() for table in self.declaration.schema.tables}
        self._prefix = "r"
        while any(word.startswith(self._prefix) and word[len(self._prefix) :].isdigit() for word in words):
            self._prefix += "_"

    def release_name(self) -> str:
        """The name of the next release, which no table and nothing in the query has: its own WITH would hide the release."""
        return f"{self._prefix}{len(self.releases)}"

    def as_rows(self, bind: Callable[[], Found]) -> Kept:
        """Return the rows of a query of public tables that `bind` binds."""
        before, self.public_as_rows = self.public_as_rows, True
        try:
            found = bind()
        finally:
            self.public_as_rows = before
        if isinstance(found, Open):
            raise QueryRefused(MIXED)
        return found

    def keep_named(self, outcome: exp.Query) -> None:
        """Leave out releases and public tables that the outcome does not name: a subquery may have been bound more than once."""
        named = {table.name for table in outcome.find_all(exp.Table)}
        self.releases = [one for one in self.releases if one.name in named]
        self.public = {name: None for name in self.public if name in named}

    def count_source(self) -> None:
        """Hold the number of tables and subqueries, which CTEs that use each other could double time and again."""
        self.sources += 1
        if self.sources > MOST_SOURCES:
            raise QueryInvalid(f"the query names more than {MOST_SOURCES} tables and subqueries")

    def expressions(self, scope: Scope) -> Expressions:
        """What binds expressions of `scope`."""
        return Expressions(scope, self.dialect, self.parameters, self.by_unit, self.scalars)
