"""Holding what a database gives back against the bundle's digests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType

import pyarrow as pa

from bundles.digest import TableDigest, TableDigester
from provisioning.digesting import DigestingThread, Lane, digest
from provisioning.errors import ReadBackDiffers
from provisioning.shipment import Shipment
from schemas.model import Table
from schemas.plurals import counted

Read = Callable[[Table], Iterable[pa.RecordBatch]]
Prepare = Callable[[Table, pa.RecordBatch], pa.RecordBatch]


class ReadBack:
    """Reads tables back in the bundle's order and digests them in a thread, so that the caller can go on with the next.

    `read` begins to read a table, and may be called twice for it. `prepare` makes, of what the database's driver gives, the
    Arrow types that carry the columns, and tries to make json texts canonical; it is called in the thread.
    """

    def __init__(self, shipment: Shipment, read: Read, prepare: Prepare | None = None) -> None:
        self._shipment, self._read, self._prepare = shipment, read, prepare
        self._thread = DigestingThread()
        self._lanes: list[tuple[Table, Lane]] = []

    def __enter__(self) -> ReadBack:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self._thread.give_up()
        self._thread.stop()

    def take(self, table: Table) -> None:
        """Read all rows of `table`."""
        prepare = partial(self._prepare, table) if self._prepare else None
        lane = self._thread.lane(TableDigester(table, json_is_canonical=True), prepare)
        self._lanes.append((table, lane))
        for batch in self._read(table):
            lane.update(batch)
            self._shipment.progress("check", table.name, batch.num_rows)
        lane.end()

    def compare(self) -> None:
        """Raise ReadBackDiffers, naming table and column, where what was taken is not what the bundle holds."""
        self._thread.stop()
        self._thread.raise_error()
        for table, lane in self._lanes:
            found = lane.digest
            if found.columns != self._shipment.expected(table).columns and _has_json(table):
                # text that is not canonical can still mean the same; to know that takes much longer
                found = digest(TableDigester(table), self._prepared(table))
            self._hold(table, found)

    def _prepared(self, table: Table) -> Iterable[pa.RecordBatch]:
        batches = self._read(table)
        return batches if self._prepare is None else map(partial(self._prepare, table), batches)

    def _hold(self, table: Table, found: TableDigest) -> None:
        expected = self._shipment.expected(table)
        if found.rows != expected.rows:
            raise ReadBackDiffers(
                f"table '{table.name}': the database gives back {counted(found.rows, 'row')} where the bundle has {expected.rows:,}"
            )
        for column in table.stored_columns:
            if found.columns[column.name] != expected.columns[column.name]:
                raise ReadBackDiffers(
                    f"table '{table.name}', column '{column.name}': the values that the database gives back are not those of the "
                    "bundle; `companyos bundle verify` tells whether the bundle itself is damaged"
                )


def _has_json(table: Table) -> bool:
    return any("json" in (c.type.kind, c.type.item.kind if c.type.item else "") for c in table.stored_columns)
