"""Episodes of a scenario: which rows of its table are subjects, when each is befallen, and which rows belong to whom.

Everything here is asked of the data as it is without scenarios. Subjects are chosen by one draw a row from a stream of the
scenario's own: the lowest draws are subjects and the highest are near misses, so a larger share keeps the subjects of a smaller
one, and no other scenario moves them.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from datagen.arrays import from_units, to_units
from datagen.blocks import blocks_of
from datagen.compiling import Context
from datagen.links import FamilyLink
from datagen.randomness import Int64, Stream, stream
from datagen.rows import Kernel, Rows
from schemas.errors import Mark
from schemas.model import Column, ForeignKey, Recipe, Table
from schemas.scenarios import EPISODE, Scenario
from schemas.types import SqlType

if TYPE_CHECKING:
    from datagen.plan import Plan

_HALF = 2**63
_WALKING = ("states", "slot")
_TRUTH = SqlType("boolean")
_MOMENT = SqlType("timestamptz")


@dataclass(frozen=True)
class Episodes:
    """The episodes of one scenario, by rising number of their subject; `role` is 0 for positives and 1 for near misses.

    `moments` are microseconds since 1970.
    """

    subjects: Int64
    role: Int64
    moments: Int64

    def of_role(self, role: int) -> Belonging:
        """The subjects of one role, as rows that belong to their own episodes."""
        chosen = np.flatnonzero(self.role == role)
        return Belonging(self.subjects[chosen], chosen)


@dataclass(frozen=True)
class Belonging:
    """Rows of one table, by rising number, and the episode to which each belongs."""

    rows: Int64
    episode: Int64

    def kept(self, mask: np.ndarray) -> Belonging:
        """The rows for which `mask` is true."""
        return Belonging(self.rows[mask], self.episode[mask])


@dataclass(frozen=True)
class Befallen:
    """Rows of one table that a change sets or adds, by rising number, with what their recipes may read of the episode.

    `place` counts the rows from 0 within what they belong to, and `count` says how many those are.
    """

    rows: Int64
    episode: Int64
    place: Int64
    count: Int64
    moments: Int64
    phases: pa.Array

    @classmethod
    def of(cls, belonging: Belonging, episodes: Episodes, phase: str | None) -> Befallen:
        """Number the rows of each episode."""
        place, count = places_in(belonging.episode)
        return cls(belonging.rows, belonging.episode, place, count, episodes.moments[belonging.episode], same_phase(phase, len(place)))

    def without(self, episodes: Int64) -> Befallen:
        """The same without the rows of some episodes."""
        kept = ~np.isin(self.episode, episodes)
        rows, episode, place, count, moments = (values[kept] for values in (self.rows, self.episode, self.place, self.count, self.moments))
        return Befallen(rows, episode, place, count, moments, self.phases.filter(pa.array(kept)))

    def kernels(self) -> dict[str, Kernel]:
        """The columns `episode.*` of these rows; they are asked for no others."""
        whole = EPISODE["episode.place"]
        return {
            "episode.at": lambda rows: from_units(_MOMENT, self.moments[self._positions(rows)]),
            "episode.phase": lambda rows: self.phases.take(pa.array(self._positions(rows))),
            "episode.place": lambda rows: from_units(whole, self.place[self._positions(rows)]),
            "episode.count": lambda rows: from_units(whole, self.count[self._positions(rows)]),
        }

    def _positions(self, rows: Rows) -> Int64:
        return np.searchsorted(self.rows, rows.numbers())


def same_phase(phase: str | None, count: int) -> pa.Array:
    """One phase for so many rows."""
    return pa.repeat(pa.scalar(phase, pa.string()), count)


def joined(parts: Sequence[Befallen]) -> Befallen:
    """Put rows of one table, of which each part has higher numbers than the part before, together."""
    if len(parts) == 1:
        return parts[0]
    rows, episode, place, count, moments = (
        np.concatenate([np.empty(0, np.int64), *(getattr(p, name) for p in parts)])
        for name in ("rows", "episode", "place", "count", "moments")
    )
    return Befallen(rows, episode, place, count, moments, pa.concat_arrays([same_phase(None, 0), *(p.phases for p in parts)]))


def places_in(groups: Int64) -> tuple[Int64, Int64]:
    """Return for each member its place (from 0) among those of the same group, in order, and how many those are."""
    order = np.argsort(groups, kind="stable")
    _, start, size = np.unique(groups[order], return_index=True, return_counts=True)
    place = np.empty(len(groups), np.int64)
    count = np.empty(len(groups), np.int64)
    place[order] = np.arange(len(groups)) - np.repeat(start, size)
    count[order] = np.repeat(size, size)
    return place, count


@dataclass(frozen=True)
class EpisodeContext(Context):
    """The context of a recipe of a scenario: it may also read what `seen` holds, by the names of `schemas.scenarios`.

    `changed` are the recipes of all columns of the change, and `own_walks` is what they tell each other and no one else.
    """

    seen: Mapping[str, tuple[Kernel, SqlType]] = field(default_factory=dict)
    changed: Mapping[str, Recipe] = field(default_factory=dict)
    own_walks: dict[str, Callable[[Rows], Any]] = field(default_factory=dict)

    def recipe_of(self, column: str) -> Recipe | None:
        """The recipe of another column, that of the scenario where it tells more than values."""
        recipe = self.changed.get(column)
        return recipe if recipe is not None and recipe.name in _WALKING else super().recipe_of(column)

    @property
    def walks(self) -> MutableMapping[str, Callable[[Rows], Any]]:
        return ChainMap(self.own_walks, super().walks)

    def path(self, path: str, at: Mark | None = None) -> tuple[Kernel, SqlType]:
        """Resolve a path as ever, or one of the names of the episode."""
        return self.seen[path] if path in self.seen else super().path(path, at)


def scenario_stream(plan: Plan, scenario: Scenario, *names: str) -> Stream:
    """A stream of the scenario's own."""
    return stream(plan.seed, "~scenario", scenario.name, *names)


def condition(plan: Plan, table: Table, sql: str, at: Mark | None, seen: Mapping[str, Kernel]) -> Callable[[Int64], np.ndarray]:
    """Compile SQL over a row of `table`; the result says for which of some row numbers it holds."""
    named = {name: (kernel, EPISODE[name]) for name, kernel in seen.items()}
    ctx = EpisodeContext(plan, table, "~where", _TRUTH, at=at, seen=named)
    kernel = plan.compile_recipe(Recipe("expression", {"sql": sql}, at), ctx)

    def holds(numbers: Int64) -> np.ndarray:
        found = np.zeros(len(numbers), np.bool_)
        for block in blocks_of(len(numbers)):
            here = slice(block.start, block.stop)
            found[here] = kernel(Rows(plan.tables, table.name, numbers[here])).fill_null(False).to_numpy(zero_copy_only=False)
        return found

    return holds


def episodes_of(plan: Plan, scenario: Scenario) -> Episodes:
    """Choose the subjects of a scenario and draw their moments; rows whose moment would be null are no subjects."""
    table = plan.schema.table(scenario.subjects)
    draws = scenario_stream(plan, scenario, "subject").draws(range(plan.row_count(table.name))) >> np.uint64(1)
    share, near = (int(Fraction(str(s)) * _HALF) for s in (scenario.share or 0.0, scenario.near_miss))
    chosen = np.flatnonzero((draws < share) | (draws >= _HALF - near))
    if scenario.where is not None:
        chosen = chosen[condition(plan, table, scenario.where, scenario.at, {})(chosen)]
    shown = replace(table, columns=(*table.columns, Column("episode.at", _MOMENT, 0.0, hidden=True)))
    ctx = Context(plan, shown, "episode.at", _MOMENT, part=("~scenario", scenario.name), at=scenario.moment.at or scenario.at)
    moment = plan.compile_recipe(scenario.moment, ctx)
    moments, absent = to_units(_MOMENT, moment(Rows(plan.tables, table.name, chosen)))
    if absent is not None:
        chosen, moments = chosen[~absent], moments[~absent]
    return Episodes(chosen, (draws[chosen] >= share).astype(np.int64), np.asarray(moments, np.int64))


def rows_of(plan: Plan, way: tuple[ForeignKey, ...], table: str, subjects: Belonging) -> Belonging:
    """Return the rows of `table` from which `way` leads to one of `subjects`."""
    found = subjects
    children = [table, *(key.table for key in way)]
    for child, key in zip(reversed(children[:-1]), reversed(way), strict=True):
        link = plan.tables[child].links[key.columns]
        found = _children(link, found) if isinstance(link, FamilyLink) else _referring(plan, child, key, found)
    return found


def _children(link: FamilyLink, parents: Belonging) -> Belonging:
    start, count = link.family.children_of(parents.rows)
    first = np.repeat(start - (np.cumsum(count) - count), count)
    return Belonging(first + np.arange(int(count.sum()), dtype=np.int64), np.repeat(parents.episode, count))


def _referring(plan: Plan, child: str, key: ForeignKey, parents: Belonging) -> Belonging:
    rows, episode = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for block in blocks_of(plan.row_count(child) if len(parents.rows) else 0):
        links = Rows(plan.tables, child, block).links(key.columns)
        place = np.minimum(np.searchsorted(parents.rows, links), len(parents.rows) - 1)
        here = np.flatnonzero(parents.rows[place] == links)
        rows.append(here + block.start)
        episode.append(parents.episode[place[here]])
    return Belonging(np.concatenate(rows), np.concatenate(episode))


def picked(belonging: Belonging, most: int | None, draws: Callable[[Int64], np.ndarray]) -> Belonging:
    """Keep at most so many rows of each episode, by chance."""
    if most is None:
        return belonging
    order = np.lexsort((draws(belonging.rows), belonging.episode))
    place = np.empty(len(order), np.int64)
    place[order] = places_in(belonging.episode[order])[0]
    return belonging.kept(place < most)


def without(belonging: Belonging, taken: Iterable[Int64]) -> Belonging:
    """Leave out the rows that are among some others."""
    for rows in taken:
        belonging = belonging.kept(~np.isin(belonging.rows, rows))
    return belonging
