"""A bundle on its way into a database: its tables as streams, and the digests that they must come back with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from bundles import Bundle, Progress
from bundles.digest import TableDigest, TableDigester, bundle_digest
from provisioning.digesting import DigestingThread
from provisioning.errors import ReadBackDiffers
from provisioning.shifting import Shift
from schemas.model import Schema, Table

Read = Callable[[Table], Iterable[pa.RecordBatch]]
Prepare = Callable[[Table, pa.RecordBatch], pa.RecordBatch]


@dataclass
class Shipment:
    """A bundle, how far its times move, and who hears of progress."""

    bundle: Bundle
    shift: Shift = field(default_factory=lambda: Shift(0))
    on_progress: Callable[[Progress], None] | None = None
    _expected: dict[str, TableDigest] = field(default_factory=dict)
    _done: dict[str, int] = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        return self.bundle.schema

    def rows(self, table: str) -> int:
        """How many rows `table` has."""
        return self.bundle.tables[table].rows

    def batches(self, table: Table) -> Iterator[pa.RecordBatch]:
        """Read the rows of `table` as they are to stand in the database."""
        for batch in self.bundle.read(table.name):
            yield self.shift.apply(table, batch) if self.shift.weeks else batch

    def progress(self, stage: str, table: str, rows: int) -> None:
        """Tell of `rows` more rows of `table` that are loaded (stage `load`) or checked (`check`)."""
        self._done[stage] = self._done.get(stage, 0) + rows
        if self.on_progress:
            self.on_progress(Progress(stage, table, self._done[stage], sum(t.rows for t in self.bundle.tables.values())))

    def expected(self, table: Table) -> TableDigest:
        """Return the digest of `table` as it is to stand in the database."""
        if table.name not in self._expected:
            if self.shift.weeks:
                self._expected[table.name] = _digest(TableDigester(table), self.batches(table))
            else:
                held = self.bundle.tables[table.name]
                self._expected[table.name] = TableDigest(held.rows, held.content_digest, held.columns)
        return self._expected[table.name]

    def check(self, tables: Sequence[Table], read: Read, prepare: Prepare | None = None) -> None:
        """Digest the rows that the database gives back, in the bundle's order; ReadBackDiffers names what is not the same.

        `read` begins to read a table, and may be called twice for it. `prepare` makes, of what the database's driver gives, the
        Arrow types that carry the columns, and tries to make json texts canonical; it is called in another thread.
        """
        lanes = []
        with DigestingThread() as thread:
            for table in tables:
                lane = thread.lane(TableDigester(table, json_is_canonical=True), partial(prepare, table) if prepare else None)
                lanes.append(lane)
                for batch in read(table):
                    lane.update(batch)
                    self.progress("check", table.name, batch.num_rows)
                lane.end()
        for table, lane in zip(tables, lanes, strict=True):
            found = lane.digest
            if found.columns != self.expected(table).columns and _has_json(table):
                # text that is not canonical can still mean the same; to know that takes much longer
                batches = read(table)
                found = _digest(TableDigester(table), (prepare(table, b) for b in batches) if prepare else batches)
            self._compare(table, found)

    def _compare(self, table: Table, found: TableDigest) -> None:
        expected = self.expected(table)
        if found.rows != expected.rows:
            raise ReadBackDiffers(
                f"table '{table.name}': the database gives back {found.rows:,} rows where the bundle has {expected.rows:,}"
            )
        for column in table.stored_columns:
            if found.columns[column.name] != expected.columns[column.name]:
                raise ReadBackDiffers(
                    f"table '{table.name}', column '{column.name}': the values that the database gives back are not those of the "
                    "bundle; `companyos bundle verify` tells whether the bundle itself is damaged"
                )

    def content_digest(self) -> str:
        """Return the content digest of all tables as they stand in the database."""
        if not self.shift.weeks:
            return self.bundle.content_digest
        return bundle_digest({t.name: self.expected(t).content_digest for t in self.schema.tables})


def _has_json(table: Table) -> bool:
    return any("json" in (c.type.kind, c.type.item.kind if c.type.item else "") for c in table.stored_columns)


def _digest(digester: TableDigester, batches: Iterable[pa.RecordBatch]) -> TableDigest:
    for batch in batches:
        digester.update(batch)
    return digester.finish()
