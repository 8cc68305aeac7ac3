"""The one object that crosses from producers of data to bundles: a source of tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from schemas.model import Schema


@runtime_checkable
class TableSource(Protocol):
    """Tables of one schema as Arrow record batches, in a fixed row order.

    `kind` is `synthetic`, `sanitized` or `mirrored`. `provenance` is JSON data that says where the data comes from (seed,
    recipe digests, generator version, value pools, lineage); it enters the bundle's config, so nothing in it may depend
    on time or machine, and nothing in it may be personal.
    """

    schema: Schema
    kind: str

    @property
    def provenance(self) -> Mapping[str, Any]: ...

    def read(self, table: str) -> pa.RecordBatchReader:
        """Stream all rows of `table`; columns are those of `Table.stored_columns`, typed `SqlType.arrow`."""
        ...


@runtime_checkable
class RangeSource(Protocol):
    """A `TableSource` whose rows can also be read in any range, so that ranges can be built in parallel.

    No subclass of it: whether a source is one is asked before its provenance is known.
    """

    def row_count(self, table: str) -> int: ...

    def read_rows(self, table: str, start: int, stop: int) -> pa.RecordBatch:
        """Return rows `start` to `stop` (exclusive) of `table`; safe to call from several threads."""
        ...


@runtime_checkable
class KnownInputs(Protocol):
    """A source that knows what its cells depend on, so that a build takes over the tables that it has from before.

    What it says is believed: where all inputs of a table are equal, the table is.
    """

    def inputs(self, table: str) -> Mapping[str, str] | None:
        """Everything that the stored cells of `table`, their number and their order depend on; None where that is not known.

        The name of each input as a person reads it (`column plan`, `number of rows`), and its value or a digest of it; the same on
        every machine, and none of it personal. What the files look like (order of columns, compression) is not among them.
        """
        ...


@runtime_checkable
class EncodedSource(RangeSource, Protocol):
    """A source that can hand texts of few values over as dictionary arrays, which saves their reader much time."""

    def read_encoded(self, table: str, start: int, stop: int) -> pa.RecordBatch:
        """Return what `read_rows` returns, text columns as dictionary arrays of different values where that is cheap."""
        ...


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file that belongs to a row: the cell of `column` that holds `path` (parts separated by `/`) names it."""

    table: str
    column: str
    path: str
    media_type: str
    data: bytes


@runtime_checkable
class MediaSource(Protocol):
    """A source whose rows have files. Its bundle carries them; whatever changes values on the way drops them."""

    def media(self) -> Iterator[MediaFile]:
        """Make the files one by one, each once and with the same bytes on every machine."""
        ...


@runtime_checkable
class WaitingSource(Protocol):
    """A source of which rows may have to wait on the disk before they are handed out."""

    def wait_in(self, folder: Path) -> None:
        """Let rows wait in `folder`, which others cannot read and which is there until all have been read."""
        ...


@runtime_checkable
class CanonicalJson(Protocol):
    """A source that knows which of its json columns hold canonical texts alone (as `bundles.canonical` has them).

    What it says is believed when a bundle is built, and proved when it is verified.
    """

    def has_canonical_json(self, table: str, column: str) -> bool: ...
