"""Scenarios as frozen values: a named pattern that is laid over some subjects of a data set, and what it changes.

A scenario chooses subjects (rows of one table) by chance, gives each an episode at a moment, and in each episode sets columns of
existing rows and adds rows. Near misses are other subjects whose episodes only look alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from schemas.errors import Mark
from schemas.model import Column, ForeignKey, Recipe, Schema, Table
from schemas.types import SqlType

ROLES = ("positive", "near_miss")
EPISODE = {
    "episode.at": SqlType("timestamptz"), "episode.phase": SqlType("text"), "episode.place": SqlType("integer"),
    "episode.count": SqlType("integer"),
}  # fmt: skip
WAS = "was."


@dataclass(frozen=True)
class Change:
    """Rows of `table` that an episode sets or adds, and the recipes of the columns that differ from the ordinary.

    `where` is SQL over a row as it is without scenarios, and `pick` the most rows of an episode that are taken, by chance: the
    rows to set, or the rows that rows are added for. A change that adds has a `count` of rows for each row of `per` (the subjects,
    unless given); with `fresh` these are the rows that the same part of the scenario has added to `per`.
    """

    table: str
    columns: Mapping[str, Recipe] = field(default_factory=dict)
    where: str | None = None
    pick: int | None = None
    phase: str | None = None
    count: Recipe | int | float | None = None
    per: str | None = None
    fresh: bool = False
    at: Mark | None = field(default=None, compare=False)

    @property
    def adds(self) -> bool:
        """Whether rows are added, not set."""
        return self.count is not None


@dataclass(frozen=True)
class Scenario:
    """A named overlay: `changes` for a `share` of the rows of `subjects`, `near` for another `near_miss` of them.

    `moment` makes the episode's moment for a row of `subjects`; `where` is SQL that a subject must satisfy. A scenario without a
    share is applied only where it is asked for. `file` is where it was read from, for messages only.
    """

    name: str
    subjects: str
    moment: Recipe
    changes: tuple[Change, ...]
    near: tuple[Change, ...] = ()
    share: float | None = None
    near_miss: float = 0.0
    where: str | None = None
    comment: str | None = None
    at: Mark | None = field(default=None, compare=False)
    file: str = field(default="schema", compare=False)

    def parts(self) -> Iterator[tuple[str, tuple[Change, ...]]]:
        """The role and the changes of both parts."""
        yield from zip(ROLES, (self.changes, self.near), strict=True)

    def all_changes(self) -> Iterator[Change]:
        """The changes of both parts."""
        yield from (*self.changes, *self.near)


def leading_to(schema: Schema, table: str, target: str) -> tuple[ForeignKey, ...] | None:
    """Return the shortest way along references from `table` to `target`, empty where they are the same; None for no way.

    Of two ways of one length the one that begins with the parent of the rows is taken, then the first in the file.
    """
    ways: list[tuple[str, tuple[ForeignKey, ...]]] = [(table, ())]
    seen = {table}
    for here, way in ways:
        if here == target:
            return way
        own = schema.table(here)
        for key in sorted(own.foreign_keys, key=lambda f, own=own: f.table != own.rows.per):  # type: ignore[misc]
            if key.table not in seen:
                seen.add(key.table)
                ways.append((key.table, (*way, key)))
    return None


def with_episode(table: Table, *, was: bool) -> Table:
    """Return `table` with the columns that recipes of changes may read: those of the episode, and the values without scenarios."""
    extra = [Column(name, type, 0.0, hidden=True) for name, type in EPISODE.items()]
    if was:
        extra += [Column(WAS + c.name, c.type, 0.0, hidden=True) for c in table.columns if c.computed is None]
    return replace(table, columns=(*table.columns, *extra))
