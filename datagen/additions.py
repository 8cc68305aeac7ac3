"""Further rows of a table, beyond those of its recipe: their numbers, their parents and where they stand among the others.

Further rows have numbers from the table's own row count on, with a stride for scenarios, so that no scenario moves the rows of
another. Numbers are for draws only: in what a source gives, the rows stand among the children of their parent (or anywhere, in a
table without), so that neither their place nor a number with gaps tells them from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from datagen.episodes import Befallen, places_in
from datagen.families import Family
from datagen.gaps import WINDOW
from datagen.randomness import Index, Int64, Stream, below
from datagen.rows import Rows, Tables
from schemas.scenarios import Change, Scenario


@dataclass(frozen=True)
class Added:
    """The rows that one change of one scenario adds: `parents` are those of the rows' family (None in a table without), and
    `links` the row numbers to which references point that are not as ever."""

    scenario: Scenario
    change: Change
    befallen: Befallen
    parents: Int64 | None
    links: dict[tuple[str, ...], Int64] = field(default_factory=dict)

    def without(self, episodes: Int64) -> Added:
        """The same without the rows of some episodes."""
        kept = ~np.isin(self.befallen.episode, episodes)
        parents = None if self.parents is None else self.parents[kept]
        links = {key: rows[kept] for key, rows in self.links.items()}
        return Added(self.scenario, self.change, self.befallen.without(episodes), parents, links)


class Additions:
    """All further rows of one table; `first` is its own row count, and `stride` the number of scenarios that could add to it."""

    def __init__(self, table: str, first: int, stride: int, added: Sequence[Added]) -> None:
        self.table, self.first, self.stride = table, first, stride
        self.added = tuple(added)
        unsorted = np.concatenate([a.befallen.rows for a in added])
        self._sorted = np.argsort(unsorted, kind="stable")
        self.numbers: Int64 = unsorted[self._sorted]
        self.parents: Int64 | None = None
        if all(a.parents is not None for a in added):
            self.parents = self.gathered([a.parents for a in added if a.parents is not None])
        self.places = np.zeros(0, np.int64)
        self.presented = np.zeros(0, np.int64)
        self._slots = np.zeros(0, np.int64)
        self._ranks = np.zeros(0, np.int64)
        self._windows = np.zeros(0, np.int64)
        self._codes: dict[int, Int64] = {}

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def span(self) -> int:
        """A bound above all row numbers."""
        return int(self.numbers[-1]) + 1 if len(self.numbers) else self.first

    def gathered(self, values: Sequence[Int64]) -> Int64:
        """Lay the values of each `Added` out in the order of `numbers`."""
        result: Int64 = np.concatenate(list(values))[self._sorted]
        return result

    def positions(self, numbers: Int64) -> Int64:
        """The place in `numbers` of each of some row numbers that are all among them."""
        return np.searchsorted(self.numbers, numbers)

    # Where they stand

    def place(self, stream: Stream, family: Family | None, above: Additions | None, at_the_end: bool) -> None:
        """Give each row its slot, the own row behind which it stands (-1: before all).

        With a family that is among (or, `at_the_end`, behind) the other children of its parent; `above` are the further rows of
        the parents' table.
        """
        draws = stream.draws(self.numbers)
        if family is None or self.parents is None:
            slots, rank = below(draws, self.first + 1) - 1, np.zeros(len(self), np.int64)
        else:
            own = self.parents < family.parents
            base = np.where(own, self.parents, 0)
            start, count = family.children_of(base) if family.parents else (base, base)
            slots = start + count - 1 if at_the_end else start - 1 + below(draws, count + 1)
            rank = self.parents
            if above is not None:
                rank = above.place_of(self.parents)
                behind = above.slots_of(self.parents[~own]) + 1
                slots[~own] = family.starts(behind) - 1
        order = np.lexsort((self.numbers, rank, slots))
        self.presented = self.numbers[order]
        self._slots = slots[order]
        self._ranks = np.argsort(order)
        self.places = self._slots + 1 + np.arange(len(self))
        self._windows = np.maximum(slots, 0) // WINDOW

    def slots_of(self, numbers: Int64) -> Int64:
        """The own row behind which each of some further rows stands."""
        return self._slots[self._ranks[self.positions(numbers)]]

    def place_of(self, numbers: Int64) -> Int64:
        """Where rows, own or further ones, stand in what the source gives."""
        further = self.places[self._ranks[np.minimum(self.positions(numbers), len(self) - 1)]]
        return np.where(numbers < self.first, numbers + np.searchsorted(self._slots, numbers), further)

    def places_of_children(self, own: range, parent: int) -> range:
        """Where the children of a parent stand, of which `own` are its own ones: they lie together."""
        assert self.parents is not None
        numbers = np.concatenate([np.arange(own.start, own.stop), self.numbers[self.parents == parent]])
        places = self.place_of(numbers)
        return range(int(places.min()), int(places.max()) + 1) if len(places) else range(0)

    def between(self, start: int, stop: int) -> tuple[range, Int64, Int64]:
        """The own and the further rows that stand at places `start` to `stop`, and where in their order, own rows first, each is."""
        low, high = np.searchsorted(self.places, (start, stop))
        own, further = range(start - int(low), stop - int(high)), self.presented[low:high]
        take = np.empty(stop - start, np.int64)
        mask = np.zeros(stop - start, np.bool_)
        mask[self.places[low:high] - start] = True
        take[mask] = np.arange(len(own), stop - start)
        take[~mask] = np.arange(len(own))
        return own, further, take

    # Numbers with gaps

    def codes(self, gaps: int, numbers: Int64) -> Int64:
        """The places of rows among the free numbers: window * WINDOW * (gaps - 1) + which of its free numbers; -1 for own rows."""
        known = self._codes.get(gaps)
        if known is None:
            known = self._codes[gaps] = self._made_codes(gaps)
        further = numbers >= self.first
        if not further.any():
            return np.full(len(numbers), -1, np.int64)
        place = np.minimum(self.positions(numbers), len(self) - 1)
        return np.where(further, known[place], np.int64(-1))

    def _made_codes(self, gaps: int) -> Int64:
        """Each scenario has its own part of the free numbers of a window; what does not fit goes on in the next window."""
        room = WINDOW * (gaps - 1) // self.stride
        owner = (self.numbers - self.first) % self.stride
        codes = np.empty(len(self), np.int64)
        for one in np.unique(owner):
            mine = np.flatnonzero(owner == one)
            mine = mine[np.argsort(self._windows[mine], kind="stable")]
            step = np.arange(len(mine))
            code = np.maximum.accumulate(self._windows[mine] * room - step) + step
            codes[mine] = code // room * (WINDOW * (gaps - 1)) + code % room * self.stride + one
        return codes

    def shortage(self, gaps: int) -> str | None:
        """Why a sequence with so many gaps has no room for these rows; None where it has."""
        windows = max(-(-self.first // WINDOW), 1)
        if int(self.codes(gaps, self.numbers).max(initial=0)) < windows * WINDOW * (gaps - 1):
            return None
        return (
            f"{len(self):,} rows are added to the {self.first:,} of '{self.table}', for which gaps of {gaps} leave no room; "
            "lower the shares, or raise the gaps"
        )


class GrownFamily(Family):
    """A family with further children. What sizes draws (where children begin, how many there are) is as it was without them."""

    def __init__(self, family: Family, further: Additions) -> None:
        super().__init__(family.parents, family.counts)
        assert further.parents is not None
        self._further, self._parents = further, further.parents
        self._place, count = places_in(self._parents)
        self.most += int(count.max(initial=0))

    def parent_of(self, children: Index) -> Int64:
        """Return the parent of each of `children`."""
        first = self._further.first
        if len(children) == 0 or (children.stop if isinstance(children, range) else int(children.max()) + 1) <= first:
            return super().parent_of(children)
        numbers = np.arange(children.start, children.stop, dtype=np.int64) if isinstance(children, range) else children
        own = numbers < first
        result = np.empty(len(numbers), np.int64)
        result[own] = super().parent_of(numbers[own])
        result[~own] = self._parents[self._further.positions(numbers[~own])]
        return result

    def ordinal_of(self, children: Index, parents: Int64) -> Int64:
        """Return the place (from 0) of each of `children` among its siblings; further ones come last."""
        numbers = np.arange(children.start, children.stop, dtype=np.int64) if isinstance(children, range) else children
        own = numbers < self._further.first
        result = np.zeros(len(numbers), np.int64)
        result[own] = super().ordinal_of(numbers[own], parents[own])
        before = np.zeros(len(numbers), np.int64)
        known = ~own & (parents < self.parents)
        before[known] = self.children_of(parents[known])[1]
        result[~own] = before[~own] + self._place[self._further.positions(numbers[~own])]
        return result


Fold = Callable[[Rows], Int64]


class FurtherChildren:
    """Adds the further rows of a child table to a fold over children; `first` is the own row count of the parents' table."""

    def __init__(
        self, tables: Tables, key: tuple[str, ...], value: Fold, empty: int, fold: np.ufunc, further: Additions | None, first: int
    ) -> None:
        self._tables, self._key, self._value, self._empty, self._fold = tables, key, value, empty, fold
        self._further, self._first = further, first

    def over(self, own: Fold) -> Fold:
        """Return the fold `own` over the own children of own rows, extended to further children and further rows."""

        def whole(rows: Rows) -> Int64:
            numbers = rows.numbers()
            mask = numbers < self._first
            if mask.all():
                result = own(rows)
            else:
                result = np.full(len(rows), self._empty, np.int64)
                if mask.any():
                    result[mask] = own(Rows(rows.tables, rows.table, numbers[mask]))
            return result if self._further is None else self._with(self._further, numbers, result)

        return whole

    def _with(self, further: Additions, numbers: Int64, result: Int64) -> Int64:
        parents = Rows(self._tables, further.table, further.numbers).links(self._key)
        distinct, inverse = np.unique(numbers, return_inverse=True)
        place = np.minimum(np.searchsorted(distinct, parents), max(len(distinct) - 1, 0))
        chosen = np.flatnonzero(distinct[place] == parents) if len(distinct) else np.empty(0, np.int64)
        if not len(chosen):
            return result
        more = np.full(len(distinct), self._empty, np.int64)
        self._fold.at(more, place[chosen], self._value(Rows(self._tables, further.table, further.numbers[chosen])))
        folded: Int64 = self._fold(result, more[inverse])
        return folded
