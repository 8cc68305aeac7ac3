"""Planting: from scenarios to the rows that their episodes set and add.

Scenarios are planted in the order of their names. An episode that would set a row which an earlier scenario sets or adds rows to,
or add rows to one that it sets, is left out as a whole, so that what the labels of both say is true. No scenario is moved by those
after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from datagen.additions import Added
from datagen.episodes import (
    Befallen,
    Belonging,
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
from datagen.errors import Unusable
from datagen.groups import family_key_of
from datagen.numbers import BIGINT, whole_distribution
from datagen.randomness import Int64
from datagen.rows import Rows
from schemas.model import ForeignKey, Table
from schemas.scenarios import ROLES, Change, Scenario, leading_to

if TYPE_CHECKING:
    from datagen.plan import Plan

_MOST_ADDED = 100_000_000


@dataclass(frozen=True)
class Laid:
    """What one change of one scenario has come to: the rows that it sets or adds; `role` is 0 for positives, 1 for near misses.

    It is not `shown` where it sets columns alone that no one sees, beside other changes that are seen.
    """

    change: Change
    role: int
    place: int
    befallen: Befallen
    shown: bool

    def without(self, episodes: Int64) -> Laid:
        """The same without some episodes."""
        return replace(self, befallen=self.befallen.without(episodes))


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


@dataclass(frozen=True)
class _Taken:
    """The rows that scenarios set, and those to which they add rows, by table, with their episodes."""

    set: dict[str, list[Belonging]] = field(default_factory=lambda: defaultdict(list))
    hung: dict[str, list[Belonging]] = field(default_factory=lambda: defaultdict(list))

    def take(self, step: _Step, rows: Belonging) -> None:
        """Note the rows that a change sets, or to which it adds."""
        change = step.change
        if not change.adds:
            self.set[change.table].append(rows)
        elif not change.fresh:
            self.hung[change.per or step.scenario.subjects].append(rows)

    def clashes(self, step: _Step, rows: Belonging) -> Int64:
        """The episodes of a change whose rows are taken already."""
        change = step.change
        table = change.per or step.scenario.subjects if change.adds else change.table
        others = self.set[table] if change.adds else [*self.set[table], *self.hung[table]]
        return np.concatenate([np.empty(0, np.int64), *(rows.episode[np.isin(rows.rows, other.rows)] for other in others)])

    def join(self, other: _Taken, dropped: Int64) -> None:
        """Take what another has taken, but for the episodes that are dropped."""
        for mine, theirs in ((self.set, other.set), (self.hung, other.hung)):
            for table, found in theirs.items():
                mine[table] += [rows.kept(~np.isin(rows.episode, dropped)) for rows in found]


class Planting:
    """Finds what scenarios touch in the data of `base`; `applied` is what they have come to, `added` the rows by table.

    `adding` names for each table all scenarios that could add rows to it: each has numbers of its own for them.
    """

    def __init__(self, base: Plan, adding: Mapping[str, Sequence[str]]) -> None:
        self.applied: list[Applied] = []
        self.added: dict[str, list[Added]] = defaultdict(list)
        self._base, self._adding, self._taken = base, adding, _Taken()

    def plant(self, scenario: Scenario) -> None:
        """Find the episodes of a scenario and all rows that they touch; raises Unusable."""
        episodes = episodes_of(self._base, scenario)
        laid: list[Laid] = []
        added: list[Added] = []
        counters: dict[str, int] = defaultdict(int)
        own, clashes = _Taken(), [np.empty(0, np.int64)]
        for role, (_, changes) in enumerate(scenario.parts()):
            fresh: dict[str, list[Added]] = defaultdict(list)
            cells: dict[tuple[str, str], list[Int64]] = defaultdict(list)
            seen = [change for change in changes if self._is_seen(change)] or changes
            for place, change in enumerate(changes):
                step = _Step(scenario, episodes, change, role, place)
                touched = Belonging(np.empty(0, np.int64), np.empty(0, np.int64))
                if not change.fresh:
                    touched = self._chosen(step, change.table if not change.adds else change.per or scenario.subjects)
                if change.adds:
                    more = self._add(step, touched, fresh, counters)
                    added += more
                    befallen = joined([one.befallen for one in more])
                else:
                    touched = without(touched, [rows for column in change.columns for rows in cells[change.table, column]])
                    for column in change.columns:
                        cells[change.table, column].append(touched.rows)
                    befallen = Befallen.of(touched, episodes, change.phase)
                clashes.append(self._taken.clashes(step, touched))
                own.take(step, touched)
                laid.append(Laid(change, role, place, befallen, shown=change in seen))
        dropped = np.unique(np.concatenate(clashes))
        self._taken.join(own, dropped)
        for one in added:
            self.added[one.change.table].append(one.without(dropped))
        self.applied.append(Applied(scenario, episodes, tuple(one.without(dropped) for one in laid)))

    def _is_seen(self, change: Change) -> bool:
        table = self._base.schema.table(change.table)
        return change.adds or any(not table.column(c).hidden for c in change.columns)

    def _chosen(self, step: _Step, table: str) -> Belonging:
        """The rows of a table that belong to the subjects of a step, satisfy its `where` and are picked."""
        way = leading_to(self._base.schema, table, step.scenario.subjects)
        assert way is not None
        found = rows_of(self._base, way, table, step.episodes.of_role(step.role))
        if step.change.where is not None:
            seen = Befallen.of(found, step.episodes, step.change.phase).kernels()
            holds = condition(self._base, self._base.schema.table(table), step.change.where, step.change.at, seen)
            found = found.kept(holds(found.rows))
        return picked(found, step.change.pick, scenario_stream(self._base, step.scenario, ROLES[step.role], table, "pick").draws)

    def _add(self, step: _Step, touched: Belonging, fresh: dict[str, list[Added]], counters: dict[str, int]) -> list[Added]:
        change, table = step.change, self._base.schema.table(step.change.table)
        per = change.per or step.scenario.subjects
        sources: list[tuple[Belonging, Added | None]] = [(touched, None)] if not change.fresh else []
        if change.fresh:
            sources = [(Belonging(a.befallen.rows, a.befallen.episode), a) for a in fresh[per]]
        found = []
        for belonging, above in sources:
            befallen, owners = self._count(step, belonging, above, counters)
            parents, links = self._links(table, per, owners, above, step)
            found.append(Added(step.scenario, change, befallen, parents, links))
        fresh[table.name] += found
        return found

    def _count(self, step: _Step, per: Belonging, above: Added | None, counters: dict[str, int]) -> tuple[Befallen, Int64]:
        """Draw how many rows each row of `per` gets and number them; returns them and the row of `per` of each."""
        change, table = step.change, step.change.table
        assert change.count is not None
        whole = whole_distribution(change.count, BIGINT, change.at)
        if whole.least < 0:
            raise Unusable(f"count can come to {whole.least} rows; let it begin at 0", change.at)
        counts = whole.sample(scenario_stream(self._base, *step.names, "count").draws(per.rows))
        total = int(counts.sum())
        if total > _MOST_ADDED:
            raise Unusable(f"{total:,} rows would be added to '{table}', and at most {_MOST_ADDED:,} can be", change.at)
        owner = np.repeat(np.arange(len(per.rows)), counts)
        episode = per.episode[owner]
        place, count = places_in(owner)
        order, stride = self._adding[table].index(step.scenario.name), len(self._adding[table])
        numbers = self._base.row_count(table) + (counters[table] + np.arange(total)) * stride + order
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
        if self._base.family(table.name) is not None:
            assert table.rows.per is not None
            way = leading_to(self._base.schema, per, table.rows.per)
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
                rows = Rows(self._base.tables, table, rows).links(key.columns)
            table = key.table
        return rows

    def _from_added(self, key: ForeignKey, table: str, rows: Int64, above: Added, step: _Step) -> Int64:
        own = above.links.get(key.columns)
        if own is None and above.parents is not None and key == family_key_of(self._base.schema.table(table)):
            own = above.parents
        if own is None:
            raise Unusable(f"where {', '.join(key.columns)} of an added row of '{table}' points is not known here", step.change.at)
        result: Int64 = own[np.searchsorted(above.befallen.rows, rows)]
        return result
