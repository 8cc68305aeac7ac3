"""What is whole of a schema with problems: all but what they are about, and what rests on that.

It is a schema of its own, in which whatever is wrong is wrong for another reason, so that it can be judged further without a problem
being told twice. What cannot be placed stays; columns are lost rather too easily, for that hides a problem and makes none.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from schemas.errors import Mark, Problem
from schemas.model import Column, ForeignKey, Index, Recipe, Schema, Table, Unique

Place = tuple[str, ...]

_USUAL_START = "created_at"  # of a state machine


def whole_part(schema: Schema, problems: Iterable[Problem], broken: Collection[Place] = ()) -> Schema:
    """Return the part of a schema that `problems` and the `broken` tables and columns leave, without its scenarios and privacy."""
    marks = {p.at for p in problems if p.at is not None}
    lost = _Lost(schema, marks & set(_marks_of_parts(schema)), frozenset(broken))
    lost.places |= lost.unread & lost.known | _places_of(schema, marks - lost.parts)
    lost.places |= {(t.name, c.name) for t in schema.tables for c in t.columns if _of_broken_enum(c, broken)}
    lost.places |= {(t.name,) for t in schema.tables if t.places and "rows" not in t.places}
    lost.spread()
    return replace(schema, tables=tuple(lost.rest_of(t) for t in schema.tables if (t.name,) not in lost.places), scenarios={}, privacy=None)


def _marks_of_parts(schema: Schema) -> Iterator[Mark | None]:
    """Where those parts of tables stand that can be at fault though their columns are not."""
    for table in schema.tables:
        columns = {c.at for c in table.columns}
        parts = (table.unique, table.foreign_keys, table.checks, table.indexes, table.correlate, table.rules)
        yield from (part.at for kind in parts for part in kind if part.at not in columns)


def _places_of(schema: Schema, marks: Iterable[Mark]) -> set[Place]:
    """The tables and columns in which `marks` stand; none where something else of the file is begun after those."""
    starts: list[tuple[Mark, Place]] = [(at, ()) for at in schema.places.values()]
    for table in schema.tables:
        starts += [(at, (table.name,) if part in ("rows", "columns") else ()) for part, at in table.places.items()]
        starts += [(table.at, (table.name,))] if table.at is not None else []
        starts += [(c.at, (table.name, c.name)) for c in table.columns if c.at is not None]
    starts.sort()
    found = ((mark, bisect_right(starts, mark, key=lambda start: start[0])) for mark in marks)
    return {starts[count - 1][1] for _, count in found if count} - {()}


def _of_broken_enum(column: Column, broken: Collection[Place]) -> bool:
    return any(type is not None and ("types", type.name or "") in broken for type in (column.type, column.type.item))


@dataclass
class _Lost:
    """What is lost of a schema: `places` of tables and columns, and `parts` of tables by where they stand; `unread` is what never was.

    By table, `references` are those that are lost, `children` the tables that reference it, `mentioned` all names that may
    stand in its recipes, and `names` what is lost of it.
    """

    schema: Schema
    parts: set[Mark]
    unread: frozenset[Place]
    places: set[Place] = field(default_factory=set)
    references: dict[str, list[ForeignKey]] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    mentioned: dict[str, set[str]] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tables = self.schema.tables
        named = {name for place in (*self.known, *self.unread) for name in place}
        named |= {name for t in tables for f in t.foreign_keys for name in (*f.columns, f.table)}
        words = {name: _words(name) for name in named}
        for table in tables:
            parts = (
                table.rows.each,
                *(c.generate for c in table.columns),
                *(c.columns for c in table.correlate),
                *(f.other_than for f in table.foreign_keys),
            )
            said = _words("\n".join({text for part in parts for text in _texts(part)}))
            self.mentioned[table.name] = {name for name in named if words[name] <= said}
            for name in {f.table for f in table.foreign_keys}:
                self.children.setdefault(name, []).append(table.name)

    @property
    def known(self) -> set[Place]:
        return {(t.name,) for t in self.schema.tables} | {(t.name, c.name) for t in self.schema.tables for c in t.columns}

    def spread(self) -> None:
        """Lose what rests on what is lost, until nothing more does."""
        self._lose(self.places)
        grown = True
        while grown:
            before = len(self.places), self.references
            self.references = {t.name: [f for f in t.foreign_keys if not self._leads(t, f)] for t in self.schema.tables}
            for table in self.schema.tables:
                if (table.name,) not in self.places:
                    self._lose(set(self._resting(table)))
            grown = (len(self.places), self.references) != before

    def _lose(self, places: set[Place]) -> None:
        self.places |= places
        for place in places:
            self.names.setdefault(place[0], set()).add(place[-1])

    def rest_of(self, table: Table) -> Table:
        """What is left of a table; conditions on rows that are there are not part of it."""
        names, lives = self._names_seen_from(table), table.lives
        return replace(
            table,
            columns=tuple(c for c in table.columns if self._has(table, c.name)),
            key=table.key if self._has(table, *table.key) else (),
            unique=tuple(u for u in table.unique if self._keeps(table, u)),
            indexes=tuple(i for i in table.indexes if self._keeps(table, i)),
            foreign_keys=tuple(f for f in table.foreign_keys if f not in self.references[table.name]),
            correlate=tuple(c for c in table.correlate if c.at not in self.parts and not _mentions(c.columns, names)),
            checks=(),
            rules=(),
            locale=None if isinstance(table.locale, str) and not self._has(table, table.locale) else table.locale,
            lives=lives if lives is None or self._has(table, *(n for n in (lives.begins, lives.ends) if n is not None)) else None,
        )

    def _names_seen_from(self, table: Table) -> re.Pattern[str] | None:
        """What a recipe of a table says that takes something from what is lost there, in the rows that lead to these, or beyond."""
        mentioned = self.mentioned[table.name]
        if not mentioned:
            return None
        children = self.children.get(table.name, [])
        seen = {table.name, table.rows.per or table.name, *children}
        waiting = [name for name in seen if self.schema.has(name)]
        while waiting:
            further = {f.table for f in self.schema.table(waiting.pop()).foreign_keys} - seen
            seen |= further
            waiting += further
        names = {name for t in seen for name in mentioned & self.names.get(t, set())}
        names |= {name for t in seen for f in self.references.get(t, ()) for name in (*f.columns, f.table)}
        names |= {t for t in children if any(f.table == table.name for f in self.references.get(t, ()))}
        names |= {place[0] for place in self.unread if place[1:] in ((), ("*references",))}
        if any((name, "*references") in self.unread for name in seen):
            names |= {t.name for t in self.schema.tables}
        names &= mentioned
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(names)))})(?!\w)", re.IGNORECASE) if names else None

    def _resting(self, table: Table) -> Iterator[Place]:
        """The columns of a table that rest on what is lost, or the table itself."""
        rows, names, gone = table.rows, self._names_seen_from(table), self.references[table.name]
        kept = {c for f in table.foreign_keys if f not in gone for c in f.columns}
        if (rows.per is not None and (not self.schema.has(rows.per) or (rows.per,) in self.places)) or _mentions(rows.each, names):
            yield (table.name,)
        for key in gone:
            yield from ((table.name, c) for c in key.columns if c not in kept and table.has(c) and table.column(c).generate is None)
        yield from ((table.name, c.name) for c in table.columns if _mentions(c.generate, names))
        if not any(self._has(table, c.name) for c in table.columns):
            yield (table.name,)

    def _has(self, table: Table, *columns: str) -> bool:
        """Whether a table and columns of it are left."""
        return (table.name,) not in self.places and all(table.has(c) and (table.name, c) not in self.places for c in columns)

    def _keeps(self, table: Table, part: Unique | Index) -> bool:
        return part.at not in self.parts and self._has(table, *part.columns)

    def _leads(self, table: Table, key: ForeignKey) -> bool:
        """Whether a reference, and all that its options name, is left."""
        if key.at in self.parts or not self.schema.has(key.table) or self._may_part(table, key):
            return False
        own, there, present = [*key.columns, key.within, key.greater_than], [*key.target, key.weight], key.present
        if table.has(key.other_than or ""):
            own.append(key.other_than)
        elif _mentions(key.other_than, self._names_seen_from(table)):
            return False
        if present is not None:
            own.append(present.at)
            there += [present.begins, present.ends]
        target = self.schema.table(key.table)
        parts: list[Unique | Index] = [*target.unique, *target.indexes]
        unique = [target.key, *(part.columns for part in parts if self._keeps(target, part))]
        sound = self._has(table, *(c for c in own if c is not None)) and self._has(target, *(c for c in there if c is not None))
        return sound and any(set(columns) == set(key.target) for columns in unique)

    def _may_part(self, table: Table, key: ForeignKey) -> bool:
        """Whether a reference must lead to the same row as another of its table, and a way there may be lost."""
        together = any({*key.columns, key.within} & set(f.columns) for f in table.foreign_keys if f is not key)
        return together and any(self.references.get(f.table) or (f.table, "*references") in self.unread for f in table.foreign_keys)


def _mentions(said: object, names: re.Pattern[str] | None) -> bool:
    """Whether a text in a recipe, or in anything that it holds, has one of `names` in it."""
    return names is not None and any(map(names.search, _texts(said)))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _texts(said: object) -> Iterator[str]:
    """The texts in a recipe, or in anything that it holds."""
    if isinstance(said, str):
        yield said
    if not isinstance(said, (Recipe, Mapping, tuple, list)):
        return
    if isinstance(said, Recipe) and said.name == "states":
        yield _USUAL_START
    inner = said.args if isinstance(said, Recipe) else said
    for part in (*inner, *inner.values()) if isinstance(inner, Mapping) else inner:
        yield from _texts(part)
