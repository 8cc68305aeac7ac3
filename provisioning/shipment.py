"""A bundle on its way into a database: its tables as streams, and the digests that they must come back with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from bundles import Bundle, Progress
from bundles.digest import TableDigest, TableDigester, bundle_digest
from provisioning.digesting import digest
from provisioning.shifting import Shift
from schemas.model import Schema, Table


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
                self._expected[table.name] = digest(TableDigester(table), self.batches(table))
            else:
                held = self.bundle.tables[table.name]
                self._expected[table.name] = TableDigest(held.rows, held.content_digest, held.columns)
        return self._expected[table.name]

    def content_digest(self) -> str:
        """Return the content digest of all tables as they stand in the database."""
        return bundle_digest({t.name: self.expected(t).content_digest for t in self.schema.tables})
