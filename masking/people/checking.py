"""The independent check: persons put together again from what was written, and held against the models.

It shares nothing with the recoding: it sees masked batches alone, joins them by the masked keys, and groups the cells that stand there.
Whether a cell covers what stood there is asked row by row while masking, where both are at hand.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from masking.anonymity import KAnonymity, QuasiIdentifier, Specification, check
from masking.anonymity.checker import covering
from masking.anonymity.hierarchy import ALL, Hierarchy
from masking.anonymity.models import smallest_class
from masking.canonical import texts_of
from masking.errors import ModelViolated
from masking.keyed import KeyedHash
from masking.people.records import Hashes, Index, Ints
from masking.people.specification import PeopleSpec, QuasiColumn
from schemas.plurals import counted

_NOTHING = "nothing"
_NULL = "\x00"


class PeopleCheck:
    """Sees the masked batches of all tables, then says whether the persons in them meet the models; 24 bytes a row and column."""

    def __init__(self, spec: PeopleSpec, secret: bytes) -> None:
        self._spec, self._hash = spec, KeyedHash(secret)
        self._people: list[Hashes] = []
        self._links: dict[tuple[str, str], list[Hashes]] = {}
        self._cells: dict[str, list[Hashes]] = {q.name: [] for q in spec.quasi}
        self._silent: dict[str, str | None] = {q.name: None for q in spec.quasi}
        self._of_nobody: dict[str, set[int]] = {q.name: set() for q in spec.quasi}
        self._sensitive: dict[str, list[pa.Array]] = {name: [] for name in spec.sensitive}

    def see(self, table: str, batch: pa.RecordBatch) -> None:
        """Look at masked rows of a table."""
        quasi = self._spec.of(table)
        if table == self._spec.table:
            is_person = batch.column(self._spec.key).is_valid()
            nobody, batch = batch.filter(pc.invert(is_person)), batch.filter(is_person)
            for q in quasi:
                self._of_nobody[q.name] |= set(self._hashed(nobody.column(q.column)).tolist())
            self._people.append(self._hashed(batch.column(self._spec.key)))
            for name, parts in self._sensitive.items():
                parts.append(texts_of(batch.column(name)))
            for link in dict.fromkeys(q.link for q in self._spec.quasi if q.kind == "parent"):
                self._links.setdefault((table, link), []).append(self._hashed(batch.column(link)))
        for link in dict.fromkeys(q.target or q.link for q in quasi if q.kind != "own"):
            self._links.setdefault((table, link), []).append(self._hashed(batch.column(link)))
        for q in quasi:
            self._cells[q.name].append(self._hashed(batch.column(q.column)))
            self._silent[q.name] = ALL if pa.types.is_string(batch.column(q.column).type) else None

    def require(self) -> None:
        """Raise ModelViolated, with counts and without values, where a class of persons does not meet a model."""
        people = self._joined(self._people)
        index = Index.of(people)
        tokens = {q.name: self._tokens(q, index, len(people)) for q in self._spec.quasi}
        for name, cells in self._of_nobody.items():
            if len(cells) > 1:
                raise ModelViolated(f"{name}: rows that are nobody's show {len(cells):,} different cells, where they may show one")
        if not len(people):
            return
        table = pa.table({**tokens, **{name: pa.chunked_array(parts, pa.string()) for name, parts in self._sensitive.items()}})
        columns = tuple(QuasiIdentifier(q.name) for q in self._spec.quasi)
        # every cell is a value of its own here: what is asked is whether equal records stand together in enough number;
        # suppressed persons too, since whether they have rows in other tables, and which rows they share, still shows
        check(table, table, Specification(columns, (KAnonymity(smallest_class(self._spec.models)),)))
        asked = Specification(columns, self._spec.models, suppression=self._spec.suppression, sensitive=self._spec.sensitive)
        check(table, self._with_suppressed(table), asked)

    def _tokens(self, quasi: QuasiColumn, people: Index, count: int) -> pa.Array:
        cells = self._joined(self._cells[quasi.name])
        if quasi.kind == "own":
            return _token(cells, np.ones(count, bool))
        if quasi.kind == "child":
            owners = people.find(self._joined(self._links.get((quasi.table, quasi.link), [])))
            self._of_nobody[quasi.name] |= set(np.unique(cells[owners < 0]).tolist())
            return self._one_each(quasi, owners, cells, count)
        parents = Index.of(self._joined(self._links.get((quasi.table, quasi.target), [])))
        rows = parents.find(self._joined(self._links.get((self._spec.table, quasi.link), [])))
        unreferenced = np.setdiff1d(np.arange(len(cells)), rows)
        self._of_nobody[quasi.name] |= set(np.unique(cells[unreferenced]).tolist())
        return _token(cells[np.maximum(rows, 0)] if len(cells) else np.zeros(count, np.uint64), rows >= 0)

    def _one_each(self, quasi: QuasiColumn, owners: Ints, cells: Hashes, count: int) -> pa.Array:
        order = np.argsort(owners, kind="stable")
        owners, cells = owners[order], cells[order]
        known = owners >= 0
        owners, cells = owners[known], cells[known]
        different = np.count_nonzero((owners[1:] == owners[:-1]) & (cells[1:] != cells[:-1]))
        if different:
            raise ModelViolated(
                f"{quasi.name}: {counted(int(different), 'row shows', 'rows show')} another cell than other rows of the same person"
            )
        found = np.zeros(count, np.uint64)
        there = np.zeros(count, bool)
        found[owners], there[owners] = cells, True
        return _token(found, there)

    def _joined(self, parts: list[Hashes]) -> Hashes:
        return np.concatenate(parts) if parts else np.zeros(0, np.uint64)

    def _with_suppressed(self, table: pa.Table) -> pa.Table:
        """The table with `*` in all quasi-identifiers of the records whose cells say nothing, where some may be suppressed.

        Those of texts say so with `*`, for there null is a value; of other types null is all that can.
        """
        own = [q.name for q in self._spec.quasi if q.kind != "parent"]
        if not self._spec.suppression or not own:
            return table
        gone = self._is_silent(table, own[0])
        for name in own[1:]:
            gone = pc.and_(gone, self._is_silent(table, name))
        names = [q.name for q in self._spec.quasi]
        columns = zip(table.column_names, table.columns, strict=True)
        return pa.table({n: pc.if_else(gone, ALL, c) if n in names else c for n, c in columns})

    def _is_silent(self, table: pa.Table, name: str) -> pa.ChunkedArray:
        (silent,) = self._hashed(pa.array([self._silent[name]], pa.string())).tolist()
        return pc.is_in(table.column(name), pa.array([_NOTHING, f"{silent:016x}"], pa.string()))

    def _hashed(self, values: pa.Array) -> Hashes:
        found: Hashes = self._hash.words(texts_of(values).fill_null(_NULL))[0]
        return found


def require_covered(quasi: QuasiColumn, hierarchy: Hierarchy | None, values: pa.Array, cells: pa.Array) -> None:
    """Raise ModelViolated where a label or a set that is written does not cover the text that stood there.

    The middle of numbers and times does not tell what it stands for, so that of these there is nothing to compare.
    """
    if not pa.types.is_string(cells.type):
        return
    covers = covering(hierarchy)
    pairs = pa.table([values, cells], names=["value", "cell"]).group_by(["value", "cell"]).aggregate([([], "count_all")])
    columns = (pairs.column(name).to_pylist() for name in ("value", "cell", "count_all"))
    wrong = sum(rows for value, cell, rows in zip(*columns, strict=True) if not covers(value, (cell,)))
    if wrong:
        raise ModelViolated(f"{quasi.name}: {counted(wrong, 'row')} would show a cell that does not cover the value that it stands for")


def _token(cells: Hashes, there: NDArray[np.bool_]) -> pa.Array:
    different, place = np.unique(cells, return_inverse=True)
    texts = pa.array([*(f"{cell:016x}" for cell in different.tolist()), _NOTHING], pa.string())
    return texts.take(pa.array(np.where(there, place, len(different))))
