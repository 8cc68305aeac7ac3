"""Scenarios laid over a plan: columns of befallen rows get kernels of their own, and tables get further rows.

The overlay is found from a plan without scenarios, which stays as it is and goes on to answer what must not change: where
references of own rows point, and what recipes read as `was.*`. A second plan is then made, in which kernels are wrapped; whatever
reads a column reads the wrapped one, so derived columns and sums follow, and cells that read none of it keep their values.
Where two scenarios would set the same cell, the first by name does, and the row is not among those of the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from datagen.additions import Added, Additions
from datagen.episodes import (
    Befallen,
    Belonging,
    EpisodeContext,
    Episodes,
    condition,
    episodes_of,
    joined,
    picked,
    places_in,
    rows_of,
    same_phase,
    scenario_stream,
    without,
)  # fmt: skip
from datagen.errors import RecipeError, Unusable
from datagen.keys import Affine
from datagen.links import FamilyLink
from datagen.numbers import BIGINT, whole_distribution
from datagen.randomness import Int64, stream
from datagen.references import family_key_of
from datagen.rows import Kernel, Link, Rows
from datagen.values.canonical import is_canonical
from schemas.errors import Problem
from schemas.model import ForeignKey, Table
from schemas.scenarios import EPISODE, ROLES, WAS, Change, Scenario, leading_to
from schemas.types import SqlType

if TYPE_CHECKING:
    from datagen.plan import Plan

_MOST_ADDED = 100_000_000


@dataclass(frozen=True)
class Laid:
    """What one change of one scenario has come to: the rows that it sets or adds; `role` is 0 for positives, 1 for near misses.

    It is not `shown` where it sets columns alone that no one sees.
    """

    change: Change
    role: int
    place: int
    befallen: Befallen
    shown: bool


@dataclass(frozen=True)
class Applied:
    """A scenario, its episodes, and what each of its changes has come to."""

    scenario: Scenario
    episodes: Episodes
    laid: tuple[Laid, ...]

    @property
    def shown(self) -> tuple[Laid, ...]:
        """The changes that can be seen in the data."""
        return tuple(one for one in self.laid if one.shown)

    def happened(self) -> Int64:
        """The episodes of which anything can be seen: a subject without the rows that a scenario is about is not befallen."""
        return np.unique(np.concatenate([np.empty(0, np.int64), *(one.befallen.episode for one in self.shown)]))

    def size(self) -> dict[str, int]:
        """How many subjects and near misses were befallen, and how many rows were set and added."""
        roles = self.episodes.role[self.happened()]
        return {
            "subjects": int((roles == 0).sum()),
            "near_misses": int((roles == 1).sum()),
            "rows_set": sum(len(one.befallen.rows) for one in self.shown if not one.change.adds),
            "rows_added": sum(len(one.befallen.rows) for one in self.shown if one.change.adds),
        }


class Overlay:
    """The scenarios of a data set, found from its plan without them; raises RecipeError with the problems of a scenario.

    `adding` names for each table all scenarios that could add rows to it: each has numbers of its own for them.
    """

    def __init__(self, base: Plan, scenarios: Sequence[Scenario], adding: Mapping[str, Sequence[str]]) -> None:
        self.base = base
        self.applied: list[Applied] = []
        self.additions: dict[str, Additions] = {}
        self._adding = adding
        self._added: dict[str, list[Added]] = defaultdict(list)
        self._set: dict[tuple[str, str], list[Int64]] = defaultdict(list)
        for scenario in scenarios:
            self._collect(scenario, partial(self._find, scenario))
        for name, added in self._added.items():
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

    # Finding the rows

    def _find(self, scenario: Scenario) -> None:
        episodes = episodes_of(self.base, scenario)
        laid: list[Laid] = []
        counters: dict[str, int] = defaultdict(int)
        for role, (_, changes) in enumerate(scenario.parts()):
            fresh: dict[str, list[Added]] = defaultdict(list)
            for place, change in enumerate(changes):
                step = _Step(scenario, episodes, change, role, place)
                befallen = self._add(step, fresh, counters) if change.adds else self._touch(step)
                table = self.base.schema.table(change.table)
                shown = change.adds or any(not table.column(c).hidden for c in change.columns)
                laid.append(Laid(change, role, place, befallen, shown))
        self.applied.append(Applied(scenario, episodes, tuple(laid)))

    def _touch(self, step: _Step) -> Befallen:
        """The rows that a change sets, without those of which another change sets one of the columns already."""
        found = self._chosen(step, step.change.table)
        taken = [rows for column in step.change.columns for rows in self._set[step.change.table, column]]
        found = without(found, taken)
        for column in step.change.columns:
            self._set[step.change.table, column].append(found.rows)
        return Befallen.of(found, step.episodes, step.change.phase)

    def _chosen(self, step: _Step, table: str) -> Belonging:
        """The rows of a table that belong to the subjects of a step, satisfy its `where` and are picked."""
        way = leading_to(self.base.schema, table, step.scenario.subjects)
        assert way is not None
        found = rows_of(self.base, way, table, step.episodes.of_role(step.role))
        if step.change.where is not None:
            seen = Befallen.of(found, step.episodes, step.change.phase).kernels()
            holds = condition(self.base, self.base.schema.table(table), step.change.where, step.change.at, seen)
            found = found.kept(holds(found.rows))
        return picked(found, step.change.pick, scenario_stream(self.base, step.scenario, ROLES[step.role], table, "pick").draws)

    def _add(self, step: _Step, fresh: dict[str, list[Added]], counters: dict[str, int]) -> Befallen:
        change, table = step.change, self.base.schema.table(step.change.table)
        per = change.per or step.scenario.subjects
        sources: list[tuple[Belonging, Added | None]] = [(self._chosen(step, per), None)] if not change.fresh else []
        if change.fresh:
            sources = [(Belonging(a.befallen.rows, a.befallen.episode), a) for a in list(fresh[per])]
        parts = []
        for belonging, above in sources:
            befallen, owners = self._count(step, belonging, above, counters)
            parents, links = self._links(table, per, owners, above, step)
            added = Added(step.scenario, change, befallen, parents, links)
            self._added[table.name].append(added)
            fresh[table.name].append(added)
            parts.append(added)
        return joined([added.befallen for added in parts])

    def _count(self, step: _Step, per: Belonging, above: Added | None, counters: dict[str, int]) -> tuple[Befallen, Int64]:
        """Draw how many rows each row of `per` gets and number them; returns them and the row of `per` of each."""
        change, table = step.change, step.change.table
        assert change.count is not None
        whole = whole_distribution(change.count, BIGINT, change.at)
        if whole.least < 0:
            raise Unusable(f"count can come to {whole.least} rows; let it begin at 0", change.at)
        counts = whole.sample(scenario_stream(self.base, *step.names, "count").draws(per.rows))
        total = int(counts.sum())
        if total > _MOST_ADDED:
            raise Unusable(f"{total:,} rows would be added to '{table}', and at most {_MOST_ADDED:,} can be", change.at)
        owner = np.repeat(np.arange(len(per.rows)), counts)
        episode = per.episode[owner]
        place, count = places_in(owner)
        order, stride = self._adding[table].index(step.scenario.name), len(self._adding[table])
        numbers = self.base.row_count(table) + (counters[table] + np.arange(total)) * stride + order
        counters[table] += total
        phases = same_phase(change.phase, total)
        if change.phase is None and above is not None:
            phases = above.befallen.phases.take(pa.array(owner))
        return Befallen(numbers, episode, place, count, step.episodes.moments[episode], phases), per.rows[owner]

    # Where references of added rows point

    def _links(
        self, table: Table, per: str, owners: Int64, above: Added | None, step: _Step
    ) -> tuple[Int64 | None, dict[tuple[str, ...], Int64]]:
        """The parents of added rows, and the rows that their references to the table of `per` name: those for which they are."""
        parents = None
        own = family_key_of(table)
        if self.base.family(table.name) is not None:
            assert table.rows.per is not None
            way = leading_to(self.base.schema, per, table.rows.per)
            assert way is not None
            parents = self._along(way, per, owners, above, step)
            if (parents < 0).any():
                raise Unusable(f"some rows of '{per}' lead to no row of '{table.rows.per}', and an added row needs one", step.change.at)
        links: dict[tuple[str, ...], Int64] = {}
        for key in table.foreign_keys:
            free = all(table.column(c).generate is None for c in key.columns)
            if key.table == per and key != own and free and per != table.name:
                links[key.columns] = owners
        return parents, links

    def _along(self, way: tuple[ForeignKey, ...], table: str, rows: Int64, above: Added | None, step: _Step) -> Int64:
        """Follow references from some rows; the first from added ones, where `above` says so."""
        for place, key in enumerate(way):
            if place == 0 and above is not None:
                rows = self._from_added(key, table, rows, above, step)
            elif len(rows):
                rows = Rows(self.base.tables, table, rows).links(key.columns)
            table = key.table
        return rows

    def _from_added(self, key: ForeignKey, table: str, rows: Int64, above: Added, step: _Step) -> Int64:
        own = above.links.get(key.columns)
        if own is None and above.parents is not None and key == family_key_of(self.base.schema.table(table)):
            own = above.parents
        if own is None:
            raise Unusable(f"where {', '.join(key.columns)} of an added row of '{table}' points is not known here", step.change.at)
        result: Int64 = own[np.searchsorted(above.befallen.rows, rows)]
        return result

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
                if child.rows.per == one.change.table and family is not None and family.least > 0 and child.name not in given:
                    raise Unusable(
                        f"each row of '{one.change.table}' has at least {family.least} of '{child.name}', and the added ones have none; "
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
        for name, recipe in one.change.columns.items():
            type = table.column(name).type
            part = ("~scenario", applied.scenario.name, ROLES[one.role], str(one.place))
            ctx = EpisodeContext(plan, table, name, type, part=part, at=recipe.at or one.change.at, seen=seen)
            kernel = plan.compile_recipe(recipe, ctx)
            if (table.name, name) in plan.canonical_json and not is_canonical(recipe, ctx):
                plan.canonical_json.discard((table.name, name))
            if isinstance(plan.tables[table.name].kernels[name], Affine):
                raise Unusable(f"column '{name}' of '{table.name}' counts rows, so a scenario cannot set it", recipe.at)
            pieces[table.name, name].append(_Piece(one.befallen.rows, kernel))

    def _was(self, table: str, column: str) -> Kernel:
        return lambda rows: Rows(self.base.tables, table, rows.index).column(column)


@dataclass(frozen=True)
class _Step:
    scenario: Scenario
    episodes: Episodes
    change: Change
    role: int
    place: int

    @property
    def names(self) -> tuple[Scenario, str, str]:
        """What the streams of this change are named by."""
        return self.scenario, ROLES[self.role], str(self.place)


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
        found = self.link(rows)
        further = np.flatnonzero(numbers >= self.additions.first)
        if not len(further):
            return found
        targets = self.targets[self.additions.positions(numbers[further])]
        given = targets != -2
        found = found.copy()
        found[further[given]] = targets[given]
        return found
