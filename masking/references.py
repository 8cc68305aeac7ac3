"""Families of references: the columns, in all tables, that hold one and the same key and so must be masked alike.

Declared foreign keys and the policy's virtual references are edges between places; a family is a connected component
(union-find), so that composites, cycles and chains need no case of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from masking.policy.model import VirtualReference
from schemas.model import Schema


@dataclass(frozen=True, order=True)
class Place:
    """A column of a table, or a path into it."""

    table: str
    column: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.table}.{self.column}{self.path}"


@dataclass(frozen=True)
class Families:
    """For each place that references or is referenced: the root of its family, the place where the key is at home."""

    roots: Mapping[Place, Place]
    members: Mapping[Place, tuple[Place, ...]] = field(repr=False)

    def root(self, place: Place) -> Place:
        """The root of the family of `place`: itself, where it is in none."""
        return self.roots.get(place, place)

    def is_member(self, place: Place) -> bool:
        """Whether `place` references something or is referenced."""
        return place in self.roots


def families(schema: Schema, references: Iterable[VirtualReference]) -> Families:
    """Return the families of a schema's columns.

    The root is the member that references nothing, the first by name where there are several or (in a cycle) none. References that
    hold for some rows only join nothing: which key such a column holds differs from row to row.
    """
    edges = [
        (Place(table.name, mine), Place(key.table, theirs))
        for table in schema.tables
        for key in table.foreign_keys
        for mine, theirs in zip(key.columns, key.target, strict=True)
    ]
    edges += [
        (Place(r.table, mine, r.path or ""), Place(r.target_table, theirs))
        for r in references
        if r.when is None
        for mine, theirs in zip(r.columns, r.target, strict=True)
    ]
    above: dict[Place, Place] = {}

    def find(place: Place) -> Place:
        above.setdefault(place, place)
        while above[place] != place:
            above[place] = above[above[place]]
            place = above[place]
        return place

    for mine, theirs in edges:
        above[find(mine)] = find(theirs)
    referencing = {mine for mine, theirs in edges if mine != theirs}
    together: dict[Place, list[Place]] = {}
    for place in sorted(above):
        together.setdefault(find(place), []).append(place)
    roots: dict[Place, Place] = {}
    members: dict[Place, tuple[Place, ...]] = {}
    for family in together.values():
        root = min(family, key=lambda p: (p in referencing, p))
        members[root] = tuple(family)
        roots.update(dict.fromkeys(family, root))
    return Families(roots, members)
