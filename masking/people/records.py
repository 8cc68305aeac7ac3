"""What is known of each person: the values of every quasi-identifier, from all rows of the person in all tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from masking.canonical import texts_of
from masking.keyed import KeyedHash
from masking.people.specification import PeopleSpec, QuasiColumn
from schemas.model import Column

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]

# reads columns of a table, the rows of the subset alone
Read = Callable[[str, list[str]], Iterator[pa.RecordBatch]]


@dataclass
class Index:
    """Rows of a table by the keyed hash of a column; 16 bytes a row."""

    hashes: Hashes
    rows: Ints

    @classmethod
    def of(cls, hashes: Hashes) -> Index:
        order = np.argsort(hashes, kind="stable").astype(np.int64)
        return cls(hashes[order], order)

    def find(self, hashes: Hashes) -> Ints:
        """The row of each hash; -1 where there is none."""
        if not len(self.hashes):
            return np.full(len(hashes), -1, np.int64)
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[places] == hashes, self.rows[places], -1)


@dataclass
class Values:
    """The values of one quasi-identifier: pairs of a person (or a row of a parent table) and the code of a value, each pair once.

    `texts` are the different values by code, as canonical texts.
    """

    quasi: QuasiColumn
    type: pa.DataType
    nullable: bool
    texts: list[str | None] = field(default_factory=list)
    owners: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    codes: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    _code: dict[str | None, int] = field(default_factory=dict, repr=False)
    _parts: list[tuple[Ints, Ints]] = field(default_factory=list, repr=False)

    def add(self, owners: Ints, values: pa.Array) -> None:
        encoded = texts_of(values).dictionary_encode(null_encoding="encode")
        here = np.array([self.code(text) for text in encoded.dictionary.to_pylist()], np.int64)
        codes = here[np.asarray(encoded.indices, np.int64)] if len(values) else np.zeros(0, np.int64)
        known = owners >= 0
        self._parts.append((owners[known], codes[known]))

    def code(self, text: str | None) -> int:
        if text not in self._code:
            self._code[text] = len(self.texts)
            self.texts.append(text)
        return self._code[text]

    def settle(self, owners: int) -> None:
        """Keep each pair once, sorted by owner; an owner without a value has null."""
        found = [np.concatenate(part) for part in zip(*self._parts, strict=True)] if self._parts else [np.zeros(0, np.int64)] * 2
        without = np.setdiff1d(np.arange(owners), found[0])
        if len(without):
            missing = np.full(len(without), self.code(None), np.int64)
            found = [np.concatenate([found[0], without]), np.concatenate([found[1], missing])]
        pairs = np.unique(found[0] * max(len(self.texts), 1) + found[1])
        self.owners, self.codes = pairs // max(len(self.texts), 1), pairs % max(len(self.texts), 1)
        self._parts = []

    def ranks(self) -> Ints:
        """The place of each code in the order of the values: numbers and times by size, texts by code point, null last."""
        ranks = np.empty(len(self.texts), np.int64)
        ranks[np.asarray(pc.sort_indices(pa.array(self.texts, pa.string()).cast(self.type)))] = np.arange(len(self.texts))
        return ranks

    def first(self, owners: int) -> Ints:
        """One code for each owner: that of the least value, null last."""
        ranks = self.ranks()
        least = np.full(owners, len(self.texts), np.int64)
        np.minimum.at(least, self.owners, ranks[self.codes])
        return np.argsort(ranks)[least]


@dataclass
class Records:
    """All persons, in the order of the subject's table, and what is known of them."""

    spec: PeopleSpec
    people: Index
    values: dict[str, Values]
    sensitive: dict[str, pa.Array]
    parents: dict[tuple[str, str], Index]  # rows of parent tables, by table and link
    parent_of: dict[tuple[str, str], Ints]  # the row of the parent table of each person, -1 where it has none
    present: dict[str, NDArray[np.bool_]]  # whether each person has a row in a joined table
    children: dict[str, Ints]  # how many rows each person has in a table that references the persons

    @property
    def count(self) -> int:
        return len(self.people.rows)


def hashed(values: pa.Array, secret: bytes) -> Hashes:
    """The 64-bit keyed hash of each value's canonical text."""
    found: Hashes = KeyedHash(secret).words(texts_of(values))[0]
    return found


def gather(spec: PeopleSpec, column_of: Callable[[str, str], Column], read: Read, secret: bytes) -> Records:
    """Read what the policy asks for of each person; memory is 16 bytes a person and 16 a different value of a person.

    Rows of the subject's table whose key is null are nobody's.
    """
    links = list(dict.fromkeys(q.link for q in spec.quasi if q.kind == "parent"))
    own = spec.of(spec.table)
    values = {}
    for q in spec.quasi:
        column = column_of(q.table, q.column)
        values[q.name] = Values(q, column.type.arrow, column.nullable)
    hashes: list[Hashes] = []
    sensitive: dict[str, list[pa.Array]] = {name: [] for name in spec.sensitive}
    references: dict[str, list[Hashes]] = {link: [] for link in links}
    first = 0
    for whole in read(spec.table, list(dict.fromkeys([spec.key, *(q.column for q in own), *spec.sensitive, *links]))):
        batch = whole.filter(whole.column(spec.key).is_valid())
        owners = np.arange(first, first + batch.num_rows, dtype=np.int64)
        hashes.append(hashed(batch.column(spec.key), secret))
        for quasi in own:
            values[quasi.name].add(owners, batch.column(quasi.column))
        for name, parts in sensitive.items():
            parts.append(texts_of(batch.column(name)))
        for link, found in references.items():
            found.append(_referenced(batch.column(link), secret))
        first += batch.num_rows
    observed = {name: pa.chunked_array(parts, pa.string()).combine_chunks() for name, parts in sensitive.items()}
    records = Records(spec, Index.of(_joined(hashes)), values, observed, {}, {}, {}, {})
    for table in dict.fromkeys(q.table for q in spec.quasi if q.kind == "child"):
        _read_children(records, table, read, secret)
    for place in dict.fromkeys((q.table, q.link) for q in spec.quasi if q.kind == "parent"):
        _read_parents(records, place, _joined(references[place[1]]), read, secret)
    for each in values.values():
        each.settle(len(records.parents[each.quasi.table, each.quasi.link].rows) if each.quasi.kind == "parent" else first)
    return records


def _joined(parts: list[Hashes]) -> Hashes:
    return np.concatenate(parts) if parts else np.zeros(0, np.uint64)


def _referenced(link: pa.Array, secret: bytes) -> Hashes:
    """The hashes of references; those that are null find nothing, as no row has the hash 0 but by a chance of 2^-64."""
    return np.where(link.is_valid().to_numpy(zero_copy_only=False), hashed(link, secret), np.uint64(0))


def _read_children(records: Records, table: str, read: Read, secret: bytes) -> None:
    quasi = records.spec.of(table)
    number = records.children[table] = np.zeros(records.count, np.int64)
    for batch in read(table, list(dict.fromkeys([quasi[0].link, *(q.column for q in quasi)]))):
        owners = records.people.find(_referenced(batch.column(quasi[0].link), secret))
        number += np.bincount(owners[owners >= 0], minlength=records.count)
        for q in quasi:
            records.values[q.name].add(owners, batch.column(q.column))
    records.present[table] = number > 0


def _read_parents(records: Records, place: tuple[str, str], references: Hashes, read: Read, secret: bytes) -> None:
    table, link = place
    quasi = [q for q in records.spec.of(table) if q.link == link]
    hashes, first = [], 0
    for whole in read(table, list(dict.fromkeys([quasi[0].target, *(q.column for q in quasi)]))):
        batch = whole.filter(whole.column(quasi[0].target).is_valid())
        owners = np.arange(first, first + batch.num_rows, dtype=np.int64)
        hashes.append(hashed(batch.column(quasi[0].target), secret))
        for q in quasi:
            records.values[q.name].add(owners, batch.column(q.column))
        first += batch.num_rows
    index = Index.of(_joined(hashes))
    records.parents[place] = index
    records.parent_of[place] = index.find(references)
    records.present[table] = records.parent_of[place] >= 0
