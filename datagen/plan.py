"""The plan of a data set: how many rows each table has, a kernel for every column, a link for every reference.

Making a plan finds everything that cannot be carried out, all at once, before a single row is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from datagen import generators
from datagen.arrays import blank
from datagen.coded import Coded, blanked, is_coded
from datagen.compiling import COMPILERS, Context
from datagen.errors import RecipeError, Unusable
from datagen.expression import Connections
from datagen.families import Counts, Family, counts_with_total
from datagen.kept import MOST_ROWS, Budget, Kept
from datagen.numbers import BIGINT, whole_distribution
from datagen.pools import Pools
from datagen.randomness import stream
from datagen.references import ReferencePlanner
from datagen.rows import Kernel, Link, Rows
from datagen.values.canonical import is_canonical
from schemas.errors import Mark, Problem, nearest
from schemas.model import Column, ForeignKey, Recipe, Schema, Table
from schemas.recipes import BY_NAME
from schemas.types import SqlType

if TYPE_CHECKING:
    from datagen.values.excerpts import LongText

Node = tuple[str, ...]

_HALF = Fraction(1, 2)


@dataclass
class TablePlan:
    """What one table is made of."""

    table: Table
    count: int
    family: Family | None = None
    kernels: dict[str, Kernel] = field(default_factory=dict)
    links: dict[tuple[str, ...], Link] = field(default_factory=dict)
    walks: dict[str, Callable[[Rows], Any]] = field(default_factory=dict)
    kept: Kept | None = None


class Plan:
    """A schema made ready to generate; raises RecipeError with every problem found."""

    def __init__(self, schema: Schema, seed: int | None = None, scale: float = 1.0, pools: Pools | None = None) -> None:
        generators.register_all()
        self.schema = schema
        self.seed = schema.seed if seed is None else seed
        self.scale = Fraction(str(scale))
        self.pools = pools if pools is not None else Pools()
        self.connections = Connections()
        self.long_texts: dict[tuple[str, int], Callable[[], LongText]] = {}
        self.tables: dict[str, TablePlan] = {}
        self.canonical_json: set[tuple[str, str]] = set()
        self._problems: list[Problem] = []
        self._needs: dict[Node, set[Node]] = {}
        for table in self._parents_first():
            self._count(table)
        self._stop_at_problems()
        budget = Budget()
        for planned in self.tables.values():
            planned.kept = Kept(planned.count, budget) if planned.count <= MOST_ROWS else None
        references = {t.name: ReferencePlanner(self, t) for t in schema.tables}
        for planner in references.values():
            self._collect(planner.plan)
        for table in schema.tables:
            for column in (c for c in table.columns if c.computed is None):
                self._collect(partial(self._compile_column, table, column, references[table.name]), column.at or table.at)
        self._find_cycles()
        self._stop_at_problems()
        for planner in references.values():
            self._collect(planner.check)
        self._stop_at_problems()

    # Counting

    def _parents_first(self) -> Iterator[Table]:
        graph = {t.name: {t.rows.per} if t.rows.per else set() for t in self.schema.tables}
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            self._problems.append(Problem(f"rows per parent go in a circle: {' -> '.join(reversed(error.args[1]))}"))
            self._stop_at_problems()
        return (self.schema.table(name) for name in order)

    def _count(self, table: Table) -> None:
        rows = table.rows
        if rows.per is None:
            count = rows.count or 0
            scaled = count if rows.fixed else int(count * self.scale + _HALF)
            self.tables[table.name] = TablePlan(table, max(scaled, 1) if count else 0)
            return
        parents = self.tables[rows.per].count
        self.tables[table.name] = TablePlan(table, 0)
        self._collect(lambda: self._count_family(table, parents), rows.at or table.at)

    def _count_family(self, table: Table, parents: int) -> None:
        rows = table.rows
        assert rows.each is not None
        whole = whole_distribution(rows.each, BIGINT, rows.at)
        if whole.least < 0 and isinstance(rows.each, Recipe) and rows.each.name not in ("poisson", "zipf"):
            whole = whole_distribution(Recipe(rows.each.name, {"min": 0, **rows.each.args}, rows.each.at), BIGINT, rows.at)
        own = stream(self.seed, table.name, "~rows")
        least, most = whole.least, whole.most if whole.most < 2**61 else None

        def counts(parents: range) -> object:
            return whole.sample(own.draws(parents))

        final: Counts = counts  # type: ignore[assignment]
        if rows.total is not None:
            total = int(rows.total * self.scale + _HALF)
            if not least * parents <= total <= (most if most is not None else total) * parents:
                raise Unusable(f"{parents:,} parents with {least} to {most} rows each cannot have {total:,} rows in all", rows.at)
            final = counts_with_total(final, parents, least, most, total)
        family = Family(parents, final)
        self.tables[table.name].family = family
        self.tables[table.name].count = family.total

    def row_count(self, table: str) -> int:
        return self.tables[table].count

    def family(self, table: str) -> Family | None:
        return self.tables[table].family

    # Columns

    def _compile_column(self, table: Table, column: Column, references: ReferencePlanner) -> None:
        kernel = references.kernel(column.name)
        if kernel is None:
            if column.generate is None:
                raise Unusable(f"column {column.name} has no generator; give it `generate:`", column.at)
            ctx = Context(
                self, table, column.name, column.type, unique=references.must_be_unique(column.name),
                factor=references.factor(column.name), at=column.generate.at or column.at,
            )  # fmt: skip
            kernel = with_nulls(self.compile_recipe(column.generate, ctx), column, ctx)
            if column.type.kind == "json" and is_canonical(column.generate, ctx):
                self.canonical_json.add((table.name, column.name))
        self.tables[table.name].kernels[column.name] = kernel

    def compile_recipe(self, recipe: Recipe, ctx: Context) -> Kernel:
        """Compile a recipe for the column (or part of one) that `ctx` describes; raises Unusable."""
        spec = BY_NAME.get(recipe.name)
        if spec is None or recipe.name not in COMPILERS:
            ctx.fail(f"unknown generator '{recipe.name}'{nearest(recipe.name, BY_NAME)}", recipe.at)
        if ctx.type.kind not in spec.fits:
            ctx.fail(f"{recipe.name} does not fit {ctx.type}; it makes {', '.join(spec.fits)}", recipe.at)
        if ctx.unique and not spec.unique:
            able = ", ".join(g.name for g in BY_NAME.values() if g.unique and ctx.type.kind in g.fits and "." not in g.name)
            ctx.fail(f"{recipe.name} cannot make unique values; these can: {able}", recipe.at)
        return COMPILERS[recipe.name](recipe, ctx)

    # Paths

    def resolve_path(self, path: str, ctx: Context, at: Mark | None = None) -> tuple[Kernel, SqlType]:
        """Resolve `column`, `reference.column` (any number of hops) or `table.column` as seen from a column's row."""
        hops, column = self.hops(path, ctx.table, at or ctx.at)
        table = ctx.table
        for foreign_key in hops:
            self.needs((ctx.table.name, ctx.column), ("link", table.name, *foreign_key.columns))
            table = self.schema.table(foreign_key.table)
        self.needs((ctx.table.name, ctx.column), (table.name, column))
        keys = tuple(f.columns for f in hops)
        return lambda rows: rows.memo(("path", keys, column), lambda: _follow(rows, keys, column)), table.column(column).type

    def hops(self, path: str, table: Table, at: Mark | None) -> tuple[list[ForeignKey], str]:
        """Split a path into the references that it follows and the column at its end."""
        if table.has(path):
            if table.column(path).computed is not None:
                raise Unusable(f"column {table.name}.{path} is computed by the database and not known here", at)
            return [], path
        for column in table.columns:
            foreign_key = table.foreign_key_of(column.name)
            if foreign_key is not None and path.startswith(column.name + "."):
                rest, end = self.hops(path[len(column.name) + 1 :], self.schema.table(foreign_key.table), at)
                return [foreign_key, *rest], end
        for name in {f.table for f in table.foreign_keys}:
            if path.startswith(name + "."):
                able = [f for f in table.foreign_keys if f.table == name]
                family = self.tables[table.name].family
                if len(able) > 1 and not (family is not None and table.rows.per == name):
                    choices = ", ".join(f"{f.columns[0]}.…" for f in able)
                    raise Unusable(f"{table.name} references {name} more than once; say which: {choices}", at)
                rest, end = self.hops(path[len(name) + 1 :], self.schema.table(name), at)
                return [able[0], *rest], end
        known = [c.name for c in table.columns] + [
            f"{f.columns[0]}.{c.name}" for f in table.foreign_keys for c in self.schema.table(f.table).columns
        ]
        raise Unusable(f"'{path}' is neither a column of {table.name} nor of a row it references{nearest(path, known)}", at)

    def needs(self, node: Node, other: Node) -> None:
        """Note that `node` (a column, or a link) is computed from `other`."""
        self._needs.setdefault(node, set()).add(other)

    def _find_cycles(self) -> None:
        try:
            TopologicalSorter(self._needs).prepare()
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
            raise RecipeError(self.schema.file, self._problems)


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
