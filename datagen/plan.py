"""The plan of a data set: how many rows each table has, a kernel for every column, a link for every reference.

Making a plan finds everything that cannot be carried out, all at once, before a single row is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from datagen import generators
from datagen.arrays import blank
from datagen.attended import Presence
from datagen.coded import Coded, blanked, is_coded
from datagen.compiling import COMPILERS, Context
from datagen.correlations import correlated, purpose_of
from datagen.counting import Counting, StillCounted
from datagen.errors import RecipeError, Unusable
from datagen.expression import Connections
from datagen.families import Family
from datagen.folds import Foldings
from datagen.inputs import Inputs, Node, link_of, rows_of
from datagen.kept import MOST_ROWS, Budget, Kept
from datagen.pools import Pools
from datagen.randomness import Int64, Stream
from datagen.references import ReferencePlanner
from datagen.rows import Kernel, Link, Rows
from datagen.values.canonical import is_canonical
from schemas.correlation import INVERTIBLE, correlation_of
from schemas.errors import Mark, Problem, nearest
from schemas.model import Column, ForeignKey, Present, Recipe, Schema, Table
from schemas.paths import NoSuchPath, follow
from schemas.recipes import BY_NAME
from schemas.types import SqlType

if TYPE_CHECKING:
    from datagen.additions import Additions
    from datagen.media.columns import Drawn
    from datagen.overlay import Overlay
    from datagen.values.excerpts import LongText


@dataclass
class TablePlan:
    """What one table is made of."""

    table: Table
    count: int = 0
    family: Family | None = None
    kernels: dict[str, Kernel] = field(default_factory=dict)
    links: dict[tuple[str, ...], Link] = field(default_factory=dict)
    by_value: list[tuple[str, ...]] = field(default_factory=list)  # the links that have to find a row for what a generator makes
    walks: dict[str, Callable[[Rows], Any]] = field(default_factory=dict)
    kept: Kept | None = None


class Plan:
    """A schema made ready to generate, with the scenarios of an overlay; raises RecipeError with every problem found."""

    def __init__(
        self,
        schema: Schema,
        seed: int | None = None,
        scale: float | Fraction = 1.0,
        pools: Pools | None = None,
        overlay: Overlay | None = None,
    ) -> None:
        self.schema = schema
        self.seed = schema.seed if seed is None else seed
        self.scale = Fraction(str(scale))
        self.pools = pools if pools is not None else Pools()
        self.further: Mapping[str, Additions] = {} if overlay is None else overlay.additions
        self.connections = Connections()
        self.base: Plan | None = None if overlay is None else overlay.base  # the same without scenarios
        self.inputs: Inputs = Inputs(self.seed, schema.anchor) if self.base is None else self.base.inputs.copy()
        self.draws: dict[tuple[str, str], Stream] = {}
        self.long_texts: dict[tuple[str, int], Callable[[], LongText]] = {}
        self.foldings = Foldings()
        self._budget = Budget()
        self._presences: dict[tuple[str, str | None, str | None], Presence] = {}
        self.canonical_json: set[tuple[str, str]] = set()
        self.media: dict[tuple[str, str], Drawn] = {}
        self._problems: list[Problem] = []
        self.needed: dict[Node, set[Node]] = {}
        self.tables: dict[str, TablePlan] = {t.name: TablePlan(t) for t in schema.tables}
        self.references = {t.name: ReferencePlanner(self, t) for t in schema.tables}
        self._counting = Counting(self)
        for table in self.parents_first():
            self._counting.ensure(table.name)
        self._stop_at_problems()
        for planner in self.references.values():
            self._collect(planner.plan)
        for table in schema.tables:
            for column in (c for c in table.columns if c.computed is None):
                self._collect(partial(self._compile_column, table, column), column.at or table.at)
        if overlay is not None:
            self._stop_at_problems()
            overlay.lay_over(self)
        for name in self.tables:
            self.begin_to_keep(name)
        self._find_cycles()
        self._stop_at_problems()
        for planner in self.references.values():
            self._collect(planner.check)
        self._stop_at_problems()

    # Counting

    def parents_first(self) -> Iterator[Table]:
        """The tables, those that have rows per row of another after that."""
        graph = {t.name: {t.rows.per} if t.rows.per else set() for t in self.schema.tables}
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            self._problems.append(Problem(f"rows per parent go in a circle: {' -> '.join(reversed(error.args[1]))}"))
            self._stop_at_problems()
        return (self.schema.table(name) for name in order)

    def row_count(self, table: str) -> int:
        """How many rows a table has by its recipe."""
        self._counting.ensure(table)
        return self.tables[table].count

    def presence(self, table: str, present: Present) -> Presence:
        """When the rows of a table are there, known once for all references that ask for it."""
        key = table, present.begins, present.ends
        if key not in self._presences:
            self._presences[key] = Presence(self.tables, self.schema.table(table), self.row_count(table), present.begins, present.ends)
        return self._presences[key]

    def begin_to_keep(self, table: str) -> None:
        """Keep columns of a counted table from now on, where it is small; not before scenarios are laid over what is kept."""
        planned = self.tables[table]
        if planned.kept is None and planned.count <= MOST_ROWS and table not in self.further:
            planned.kept = Kept(planned.count, self._budget)

    def row_span(self, table: str) -> int:
        """A bound above all row numbers of a table, those of rows that scenarios add included."""
        further = self.further.get(table)
        return self.row_count(table) if further is None else further.span

    def family(self, table: str) -> Family | None:
        self._counting.ensure(table)
        return self.tables[table].family

    # What counts need before all tables are counted

    def prepare(self, node: Node) -> None:
        """Make what `node` is computed from ready to be evaluated; raises Unusable."""
        self._counting.prepare(node)

    def prepare_column(self, table: str, column: str) -> None:
        """Compile one column ahead of the others; raises Unusable."""
        self._counting.ensure(table)
        found = self.schema.table(table).column(column)
        try:
            if self.references[table].decides(column):
                self.references[table].plan()
                self.references[table].require(column)
            self._compile_column(self.schema.table(table), found)
        except StillCounted:
            raise
        except Unusable as problem:
            problem.at = problem.at or found.at
            raise

    def prepare_link(self, table: str, columns: tuple[str, ...]) -> None:
        """Plan one reference ahead of the others; raises Unusable."""
        self._counting.ensure(table)
        self.references[table].plan()
        for column in columns:
            self.references[table].require(column)

    def needed_by(self, node: Node) -> set[Node]:
        """What a column or link is computed from, as far as it is compiled."""
        return self.needed.get(node, set())

    # What is seen of a history: here all of it

    def existing(self, value: Callable[[Rows], Int64], empty: int) -> Callable[[Rows], Int64]:
        """Let `value` see only rows that exist; the others have the value `empty`."""
        return value

    def seen_until(self, until: int) -> int:
        """The moment up to which state machines that would run until `until` (microseconds since 1970) are seen."""
        return until

    # Columns

    def _compile_column(self, table: Table, column: Column) -> None:
        if column.name in self.tables[table.name].kernels:
            return
        references = self.references[table.name]
        node, unique = (table.name, column.name), references.must_be_unique(column.name)
        self.inputs.note(node, "unique", unique)
        self.inputs.reads(node, rows_of(table.name))
        kernel = references.kernel(column.name)
        if kernel is None:
            if column.name in references.refused:
                return  # which has been told
            if column.generate is None:
                raise Unusable(f"column {column.name} has no generator; give it `generate:`", column.at)
            ctx = Context(
                self, table, column.name, column.type, unique=unique,
                factor=references.factor(column.name), at=column.generate.at or column.at,
            )  # fmt: skip
            kernel = with_nulls(self.compile_recipe(column.generate, ctx), column, ctx)
            if column.type.kind == "json" and is_canonical(column.generate, ctx):
                self.canonical_json.add((table.name, column.name))
        self.tables[table.name].kernels[column.name] = kernel

    def compile_recipe(self, recipe: Recipe, ctx: Context) -> Kernel:
        """Compile a recipe for the column (or part of one) that `ctx` describes; raises Unusable."""
        generators.register(recipe.name)
        spec = BY_NAME.get(recipe.name)
        if spec is None or recipe.name not in COMPILERS:
            ctx.fail(f"unknown generator '{recipe.name}'{nearest(recipe.name, BY_NAME)}", recipe.at)
        if ctx.type.kind not in spec.fits:
            ctx.fail(f"{recipe.name} does not fit {ctx.type}; it makes {', '.join(spec.fits)}", recipe.at)
        if ctx.unique and not spec.unique:
            able = ", ".join(g.name for g in BY_NAME.values() if g.unique and ctx.type.kind in g.fits and "." not in g.name)
            ctx.fail(f"{recipe.name} cannot make unique values; these can: {able}", recipe.at)
        return COMPILERS[recipe.name](recipe, ctx)

    def correlated(self, ctx: Context, own: Stream, purpose: str) -> Stream:
        """The stream of a column for a purpose: another than its `own` where the column is correlated with others."""
        recipe = ctx.table.column(ctx.column).generate if ctx.table.has(ctx.column) else None
        if recipe is None or recipe.name not in INVERTIBLE or purpose != purpose_of(recipe.name):
            return own
        correlation = correlation_of(ctx.table, ctx.column)
        if correlation is not None:
            recipes = [ctx.table.column(c).generate for c in correlation.columns if ctx.table.has(c)]
            purposes = [purpose_of(r.name) for r in recipes if r is not None]
            self.inputs.note(ctx.node, "correlation", [correlation.columns, correlation.matrix, purposes])
        self.draws[ctx.table.name, ctx.column] = correlated(ctx, own)
        return self.draws[ctx.table.name, ctx.column]

    # Paths

    def resolve_path(self, path: str, ctx: Context, at: Mark | None = None) -> tuple[Kernel, SqlType]:
        """Resolve `column`, `reference.column` (any number of hops) or `table.column` as seen from a column's row."""
        hops, column = self.hops(path, ctx.table, at or ctx.at)
        table = ctx.table
        for foreign_key in hops:
            self.needs(ctx.node, link_of(table.name, foreign_key.columns))
            table = self.schema.table(foreign_key.table)
        self.needs(ctx.node, (table.name, column))
        keys = tuple(f.columns for f in hops)
        self.inputs.note(ctx.node, f"path {path}", [*keys, column])
        return lambda rows: rows.memo(("path", keys, column), lambda: _follow(rows, keys, column)), table.column(column).type

    def hops(self, path: str, table: Table, at: Mark | None) -> tuple[list[ForeignKey], str]:
        """Split a path into the references that it follows and the column at its end."""
        try:
            found = follow(self.schema, table, path)
        except NoSuchPath as problem:
            raise Unusable(str(problem), at) from None
        return list(found.hops), found.column.name

    def needs(self, node: Node, other: Node) -> None:
        """Note that `node` (a column, or a link) is computed from `other`."""
        self.needed.setdefault(node, set()).add(other)
        self.inputs.reads(node, other)

    def reads_itself(self, node: Node) -> bool:
        """Whether `node` is computed from itself without a detour."""
        return node in self.needed.get(node, ())

    def _find_cycles(self) -> None:
        try:
            TopologicalSorter(self.needed).prepare()
        except CycleError as error:
            names = [n[1] + "." + n[2] if n[0] == "link" else ".".join(n) for n in error.args[1]]
            table = error.args[1][0][1 if error.args[1][0][0] == "link" else 0]
            at = self.schema.table(table).at
            self._problems.append(Problem(f"these are computed from each other in a circle: {' <- '.join(names)}", at))

    # Problems

    def _collect(self, step: Callable[[], None], at: Mark | None = None) -> None:
        try:
            step()
        except Unusable as problem:
            self._problems.append(Problem(problem.message, problem.at or at))

    def report(self, problem: Unusable, at: Mark | None = None) -> None:
        """Note a problem and go on."""
        self._problems.append(Problem(problem.message, problem.at or at))

    def _stop_at_problems(self) -> None:
        if self._problems:
            raise RecipeError(self.schema.file, list(dict.fromkeys(self._problems)), self.schema if self.base is None else None)


def _follow(rows: Rows, keys: tuple[tuple[str, ...], ...], column: str) -> pa.Array:
    if not keys:
        return rows.column(column)
    found = rows.parent(keys[0])
    if len(keys) == 1:
        return found.column(column)
    return found.spread(_follow(found.rows, keys[1:], column))


def with_nulls(kernel: Kernel, column: Column, ctx: Context) -> Kernel:
    """Return `kernel` with the column's share of nulls."""
    if not column.null:
        return kernel
    own, threshold = ctx.stream("null"), null_threshold(column.null)
    if isinstance(kernel, Coded):
        encode = kernel.encode

        def encoded(rows: Rows) -> pa.Array:
            values, absent = encode(rows), rows.draws(own) >> 1 < threshold
            return blanked(values, absent) if is_coded(values) else blank(values, absent)

        return Coded(encoded)

    def nulled(rows: Rows) -> pa.Array:
        return blank(kernel(rows), rows.draws(own) >> 1 < threshold)

    return nulled


def null_threshold(share: float) -> int:
    """The number of 63-bit draws out of 2**63 that mean null."""
    return int(Fraction(share) * 2**63)
