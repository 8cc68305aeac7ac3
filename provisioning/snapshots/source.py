"""The present data of a database as a `TableSource`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from bundles import Bundle
from bundles.media import still_named
from provisioning.snapshots.live import Live, opened
from provisioning.snapshots.structure import Structure
from provisioning.target import parse_target
from schemas.errors import InputError
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
        batches = self._live.read(found, self._places[table])
        first = next(batches, None)
        if first is None:
            return pa.RecordBatchReader.from_batches(found.arrow, [])
        return pa.RecordBatchReader.from_batches(first.schema, _all(first, batches))

    def media(self) -> Iterator[MediaFile]:
        """Read the files of the bundle that rows still name."""
        return still_named(self._bundle, self)


def _all(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


@contextmanager
def present(url: str, bundle: Bundle, *, shifted_weeks: int = 0) -> Iterator[Present]:
    """Yield what the database at `url`, which was loaded from `bundle` with its times moved by `shifted_weeks`, holds now.

    One consistent state is read, whatever others write meanwhile (a DuckDB file cannot be read while another process writes it). Raises
    InputError for a URL or where there are no tables, SchemaRefused for a type that a bundle cannot hold, TargetFailure where the database
    cannot be read.
    """
    with opened(parse_target(url), bundle.schema) as live:
        yield Present(live, bundle, shifted_weeks)
