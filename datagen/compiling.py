"""From recipes to kernels: the registry of generators and the context in which one column is compiled."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np

from datagen.arrays import Mask
from datagen.errors import Unusable
from datagen.inputs import Node
from datagen.permutation import permute, scatter
from datagen.pools import Pool
from datagen.randomness import Int64, Stream, below, stream
from datagen.rows import Kernel, Rows
from schemas.errors import Mark
from schemas.model import Recipe, Schema, Table
from schemas.types import SqlType

if TYPE_CHECKING:
    from datagen.plan import Plan

Compiler = Callable[[Recipe, "Context"], Kernel]
COMPILERS: dict[str, Compiler] = {}
W = TypeVar("W")


def generator(name: str) -> Callable[[Compiler], Compiler]:
    """Register the decorated function as the meaning of the catalogue's generator `name`."""

    def register(compiler: Compiler) -> Compiler:
        COMPILERS[name] = compiler
        return compiler

    return register


@dataclass(frozen=True)
class Context:
    """One column (or a part of one, such as a JSON member) that is being compiled.

    A kernel made here must return arrays of `type.arrow`. `unique` asks for values that never repeat over `rows` rows;
    `factor` is set where the column is a member of a composite unique key, and then gives its positions.
    """

    plan: Plan
    table: Table
    column: str
    type: SqlType
    unique: bool = False
    part: tuple[str, ...] = ()
    factor: Callable[[int], Callable[[Rows], Int64]] | None = None
    at: Mark | None = field(default=None, compare=False)

    @property
    def schema(self) -> Schema:
        return self.plan.schema

    @property
    def node(self) -> Node:
        """The column as a node of the plan."""
        return (self.table.name, self.column)

    @property
    def rows(self) -> int:
        """How many rows the table will have."""
        return self.plan.row_count(self.table.name)

    def stream(self, purpose: str = "value") -> Stream:
        """The stream of this column for one purpose."""
        own = stream(self.plan.seed, self.table.name, self.column, *self.part, purpose)
        return own if self.part else self.plan.correlated(self, own, purpose)

    def entity_stream(self, entity: str, purpose: str) -> Stream:
        """A stream that all columns of the row share, such as those of its person."""
        return stream(self.plan.seed, self.table.name, f"~{entity}", purpose)

    def compile(self, recipe: Recipe, type: SqlType, part: str) -> Kernel:
        """Compile a nested recipe; `part` tells its draws from those of its siblings."""
        inner = replace(self, type=type, part=(*self.part, part), unique=False, factor=None, at=recipe.at or self.at)
        return self.plan.compile_recipe(recipe, inner)

    def recipe_of(self, column: str) -> Recipe | None:
        """The recipe of another column of the row; None where there is no such column, or it has none."""
        return self.table.column(column).generate if self.table.has(column) else None

    @property
    def walks(self) -> MutableMapping[str, Callable[[Rows], Any]]:
        """What columns of the table tell those made from them beyond their values: when states were entered, where slots end."""
        return self.plan.tables[self.table.name].walks

    def walked(self, walk: Callable[[Rows], W]) -> Callable[[Rows], W]:
        """Tell `walk` to the columns that are made from this one; the result makes it once for the same rows."""

        def once(rows: Rows) -> W:
            return rows.memo(("walk", self.column, self.part), lambda: walk(rows))

        self.walks[self.column] = once
        return once

    def nulls_of(self, column: str, at: Mark | None = None) -> Callable[[Rows], Mask | None]:
        """How to tell the rows in which another column of the row was left null, though its walk goes on; None for none of them."""
        values, _ = self.path(column, at)
        if not self.table.column(column).null or self.recipe_of(column) is not self.table.column(column).generate:
            return lambda rows: None
        return lambda rows: np.asarray(values(rows).is_null())

    def path(self, path: str, at: Mark | None = None) -> tuple[Kernel, SqlType]:
        """Resolve `column`, `reference.column` or `table.column`, and note that this column depends on it."""
        return self.plan.resolve_path(path, self, at)

    def pool(self, kind: str, locale: str) -> Pool:
        """The pool of a kind of text in a locale."""
        return self._noted(f"{kind} {locale}", self.plan.pools.get(kind, locale))

    def provider_pool(self, library: str, provider: str, arguments: Mapping[str, Any], size: int, locale: str, today: date) -> Pool:
        """The pool of what a provider of Faker or Mimesis makes; raises what `Pools.provider` does."""
        pool = self.plan.pools.provider(library, provider, arguments, size, locale, today)
        return self._noted(f"{library}.{provider} {json.dumps(arguments, sort_keys=True)} {size} {locale}", pool)

    def note_pool(self, kind: str, locale: str, pool: Pool) -> None:
        """Note that the column reads a pool of another making, so that its digest is told."""
        self.plan.pools.note(kind, locale, pool)
        self._noted(f"{kind} {locale}", pool)

    def _noted(self, name: str, pool: Pool) -> Pool:
        self.plan.inputs.note(self.node, f"value pool {name}", pool.digest)
        return pool

    def serial(self) -> Callable[[Rows], Int64]:
        """Numbers that never repeat, of about the size of the row number, in no visible order."""
        own = self.stream("serial")
        return lambda rows: scatter(own, rows.numbers())

    def index(self, domain: int, what: str = "values") -> Callable[[Rows], Int64]:
        """Positions in a domain of `domain` values: never repeating where the column is unique, else uniform draws."""
        if self.factor is not None:
            return self.factor(domain)
        own = self.stream("index")
        if not self.unique:
            return lambda rows: below(rows.draws(own), domain)
        wanted = self.plan.row_span(self.table.name)
        if domain < wanted:
            self.fail(
                f"{wanted:,} unique {what} are asked for and there are only {domain:,}; "
                "make fewer rows, widen the recipe, or drop the unique constraint"
            )
        return lambda rows: permute(own, rows.numbers(), domain)

    def fail(self, message: str, at: Mark | None = None) -> NoReturn:
        """Say that this recipe cannot be carried out."""
        raise Unusable(message, at or self.at)
