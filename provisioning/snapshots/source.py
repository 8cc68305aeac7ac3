"""The present data of a database as a `TableSource`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from bundles import Bundle
from bundles.conforming import typed
from bundles.media import still_named
from provisioning.snapshots.live import Live, opened
from provisioning.snapshots.structure import Structure
from provisioning.target import parse_target
from schemas.errors import InputError
from schemas.model import Table
from schemas.source import MediaFile


class Present:
    """What a database holds now, of the kind of the bundle that it was made from; `left_out` says what did not stay of its schema."""

    def __init__(self, live: Live, bundle: Bundle, shifted_weeks: int) -> None:
        structure = Structure(live, bundle.schema, bundle.data_class, shifted_weeks)
        if not structure.schema.tables:
            raise InputError(f"{live.shown} has no tables to take a snapshot of")
        self.kind = bundle.kind
        self.schema = structure.schema
        self.left_out = tuple(structure.left_out)
        self._live, self._places, self._bundle = live, structure.places, bundle
        self._provenance = {
            "snapshot_of": {
                "manifest_digest": bundle.manifest_digest,
                "content_digest": bundle.content_digest,
                "provenance": dict(bundle.provenance),
            },
            "shifted_weeks": shifted_weeks,
            "left_out": list(self.left_out),
        }

    @property
    def provenance(self) -> Mapping[str, Any]:
        """The bundle that the database was made from, with its own provenance, and what of its schema did not stay.

        It says neither when nor in which sandbox: equal data makes an equal bundle, and the audit ledger knows the rest.
        """
        return self._provenance

    def read(self, table: str) -> pa.RecordBatchReader:
        """Stream all rows of `table`, in the order of its key."""
        found = self.schema.table(table)
        batches = (carried(found, batch) for batch in self._live.read(found, self._places[table]))
        return pa.RecordBatchReader.from_batches(lenient(found), batches)

    def media(self) -> Iterator[MediaFile]:
        """Read the files of the bundle that rows still name."""
        return still_named(self._bundle, self)


def carried(table: Table, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return what a database's driver gave of a table in the Arrow types that carry its columns, each of which may be null."""
    arrays = [typed(column.type, array) for column, array in zip(table.stored_columns, batch.columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=lenient(table))


def lenient(table: Table) -> pa.Schema:
    """The Arrow schema of a table without NOT NULL, which the build checks itself, with words for it."""
    return pa.schema([field.with_nullable(True) for field in table.arrow])


@contextmanager
def present(url: str, bundle: Bundle, *, shifted_weeks: int = 0) -> Iterator[Present]:
    """Yield what the database at `url`, which was loaded from `bundle` with its times moved by `shifted_weeks`, holds now.

    One consistent state is read, whatever others write meanwhile (a DuckDB file cannot be read while another process writes it). Raises
    InputError for a URL or where there are no tables, SchemaRefused for a type that a bundle cannot hold, TargetFailure where the database
    cannot be read.
    """
    with opened(parse_target(url)) as live:
        yield Present(live, bundle, shifted_weeks)
