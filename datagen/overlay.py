"""Scenarios laid over a plan: columns of befallen rows get kernels of their own, and tables get further rows.

The overlay is found from a plan without scenarios, which stays as it is and goes on to answer what must not change: where
references of own rows point, and what recipes read as `was.*`. A second plan is then made, in which kernels are wrapped; whatever
reads a column reads the wrapped one, so derived columns and sums follow, and cells that read none of it keep their values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from datagen.additions import Additions
from datagen.counts import least_count
from datagen.episodes import (
    EpisodeContext,
)  # fmt: skip
from datagen.errors import RecipeError, Unusable
from datagen.keys import Affine
from datagen.links import FamilyLink
from datagen.numbers import BIGINT, whole_distribution
from datagen.planting import Applied, Laid, Planting
from datagen.randomness import Int64, stream
from datagen.rows import Kernel, Link, Rows
from datagen.values.canonical import is_canonical
from schemas.errors import Problem
from schemas.model import Table
from schemas.scenarios import EPISODE, ROLES, WAS, Change, Scenario
from schemas.types import SqlType

if TYPE_CHECKING:
    from datagen.plan import Plan


class Overlay:
    """The scenarios of a data set, found from its plan without them; raises RecipeError with the problems of a scenario.

    `adding` names for each table all scenarios that could add rows to it: each has numbers of its own for them.
    """

    def __init__(self, base: Plan, scenarios: Sequence[Scenario], adding: Mapping[str, Sequence[str]]) -> None:
        self.base = base
        self.additions: dict[str, Additions] = {}
        planting = Planting(base, adding)
        for scenario in scenarios:
            self._collect(scenario, partial(planting.plant, scenario))
        self.applied = planting.applied
        for name, added in planting.added.items():
            if any(len(one.befallen.rows) for one in added):
                self.additions[name] = Additions(name, base.row_count(name), len(adding[name]), added)
        for table in base.parents_first():
            if table.name in self.additions:
                self._place(table)
        for one in self.applied:
            self._collect(one.scenario, partial(self._require_children, one))

    @staticmethod
    def _collect(scenario: Scenario, step: Callable[[], None]) -> None:
        try:
            step()
        except Unusable as problem:
            raise RecipeError(scenario.file, [Problem(problem.message, problem.at or scenario.at)]) from None

    # Where added rows stand

    def _place(self, table: Table) -> None:
        additions, family = self.additions[table.name], self.base.family(table.name)
        above = self.additions.get(table.rows.per) if table.rows.per else None
        ordered = any(c.generate is not None and c.generate.name == "ordinal" for c in table.columns)
        additions.place(stream(self.base.seed, table.name, "~slot"), family, above, ordered)

    def _require_children(self, applied: Applied) -> None:
        """Added rows whose children must be at least one are given some."""
        for one in applied.laid:
            if not one.change.adds:
                continue
            changes = tuple(applied.scenario.parts())[one.role][1]
            given = {c.table for c in changes if c.fresh and c.per == one.change.table and _least(c) >= 1}
            for child in self.base.schema.tables:
                family = self.base.family(child.name)
                if child.rows.per != one.change.table or family is None or child.name in given:
                    continue
                least = least_count(child.rows.each, family)
                if least > 0:
                    raise Unusable(
                        f"each row of '{one.change.table}' has at least {least} of '{child.name}', and the added ones have none; "
                        f"add some with `per: new {one.change.table}`",
                        one.change.at,
                    )

    # Laying over

    def lay_over(self, plan: Plan) -> None:
        """Wrap the kernels and links of `plan`, which is the same as the base but for `further`."""
        for table in plan.schema.tables:
            own = plan.tables[table.name]
            for key, link in self.base.tables[table.name].links.items():
                if not isinstance(link, FamilyLink):
                    own.links[key] = link
            additions = self.additions.get(table.name)
            if additions is not None:
                self._lay_links(table, own.links, additions)
        for applied in self.applied:
            self._collect(applied.scenario, partial(self._require_groups, plan, applied))
        pieces: dict[tuple[str, str], list[_Piece]] = defaultdict(list)
        for applied in self.applied:
            for one in applied.laid:
                self._collect(applied.scenario, partial(self._compile, plan, applied, one, pieces))
        for (name, column), found in pieces.items():
            kernels = plan.tables[name].kernels
            kernels[column] = Overlaid(kernels[column], tuple(found))

    def _lay_links(self, table: Table, links: dict[tuple[str, ...], Link], additions: Additions) -> None:
        for key in table.foreign_keys:
            if any(key.columns in added.links for added in additions.added):
                ordinary = -2
                values = [a.links.get(key.columns, np.full(len(a.befallen.rows), ordinary, np.int64)) for a in additions.added]
                links[key.columns] = OverlaidLink(links[key.columns], additions, additions.gathered(values))

    def _require_groups(self, plan: Plan, applied: Applied) -> None:
        """References `within` a parent need one that has own rows to choose from."""
        for one in applied.laid:
            table = plan.schema.table(one.change.table)
            for key in table.foreign_keys if one.change.adds else ():
                shared = None if key.within is None else table.foreign_key_of(key.within)
                if shared is None or shared.table not in self.additions:
                    continue
                rows = Rows(plan.tables, table.name, one.befallen.rows)
                if len(rows) and (rows.links(shared.columns) >= self.base.row_count(shared.table)).any():
                    raise Unusable(
                        f"'{', '.join(key.columns)}' of '{table.name}' is chosen within an added row of '{shared.table}', which has none",
                        one.change.at,
                    )

    def _compile(self, plan: Plan, applied: Applied, one: Laid, pieces: dict[tuple[str, str], list[_Piece]]) -> None:
        table = plan.schema.table(one.change.table)
        seen: dict[str, tuple[Kernel, SqlType]] = {n: (kernel, EPISODE[n]) for n, kernel in one.befallen.kernels().items()}
        if not one.change.adds:
            for column in (c for c in table.columns if c.computed is None):
                seen[WAS + column.name] = self._was(table.name, column.name), column.type
        walks: dict[str, Callable[[Rows], Any]] = {}
        for name, recipe in one.change.columns.items():
            type = table.column(name).type
            part = ("~scenario", applied.scenario.name, ROLES[one.role], str(one.place))
            ctx = EpisodeContext(
                plan, table, name, type, part=part, at=recipe.at or one.change.at, seen=seen, changed=one.change.columns, own_walks=walks
            )
            kernel = plan.compile_recipe(recipe, ctx)
            if plan.reads_itself((table.name, name)):
                hint = f"; {WAS}{name} is its value without scenarios" if not one.change.adds else ""
                raise Unusable(f"'{name}' of '{table.name}' cannot be made from itself{hint}", ctx.at)
            if (table.name, name) in plan.canonical_json and not is_canonical(recipe, ctx):
                plan.canonical_json.discard((table.name, name))
            if isinstance(plan.tables[table.name].kernels[name], Affine):
                raise Unusable(f"column '{name}' of '{table.name}' counts rows, so a scenario cannot set it", recipe.at)
            pieces[table.name, name].append(_Piece(one.befallen.rows, kernel))

    def _was(self, table: str, column: str) -> Kernel:
        return lambda rows: Rows(self.base.tables, table, rows.index).column(column)


def _least(change: Change) -> int:
    assert change.count is not None
    return whole_distribution(change.count, BIGINT, change.at).least


@dataclass(frozen=True)
class _Piece:
    rows: Int64
    kernel: Kernel


@dataclass(frozen=True)
class Overlaid:
    """A kernel with others for some rows."""

    ordinary: Kernel
    pieces: tuple[_Piece, ...]

    def __call__(self, rows: Rows) -> pa.Array:
        values = [self.ordinary(rows)]
        take: Int64 | None = None
        laid = len(rows)
        for piece in self.pieces:
            here = _among(piece.rows, rows)
            if not len(here):
                continue
            if take is None:
                take = np.arange(len(rows))
            values.append(piece.kernel(Rows(rows.tables, rows.table, rows.numbers()[here])))
            take[here] = laid + np.arange(len(here))
            laid += len(here)
        return values[0] if take is None else pa.concat_arrays(values).take(pa.array(take))


def _among(chosen: Int64, rows: Rows) -> Int64:
    """The positions of those of `rows` that are among the rising numbers `chosen`."""
    if isinstance(rows.index, range):
        low, high = np.searchsorted(chosen, (rows.index.start, rows.index.stop))
        return chosen[low:high] - rows.index.start
    if not len(chosen):
        return np.empty(0, np.int64)
    numbers = rows.numbers()
    place = np.minimum(np.searchsorted(chosen, numbers), len(chosen) - 1)
    return np.flatnonzero(chosen[place] == numbers)


@dataclass(frozen=True)
class OverlaidLink:
    """A link whose further rows point where `targets` says; -2 there means as ever."""

    link: Link
    additions: Additions
    targets: Int64

    @property
    def parent(self) -> str:
        return self.link.parent

    def __call__(self, rows: Rows) -> Int64:
        numbers = rows.numbers()
        further = np.flatnonzero(numbers >= self.additions.first)
        if not len(further):
            return self.link(rows)
        targets = self.targets[self.additions.positions(numbers[further])]
        found = np.full(len(rows), -2, np.int64)
        found[further] = targets
        ordinary = np.flatnonzero(found == -2)
        found[ordinary] = self.link(rows.subset(ordinary))
        return found
