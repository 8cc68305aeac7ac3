"""An opened bundle: a source of its tables, and what there is to know of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bundles import frames
from bundles.config import Config
from bundles.errors import BundleDamaged
from bundles.layout import Blob, missing
from bundles.manifest import Layer, Manifest, MediaLayer
from bundles.parquet import decoded
from bundles.store import Store
from schemas.errors import InputError, nearest
from schemas.model import Schema, Table
from schemas.plurals import counted
from schemas.source import MediaFile

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What a bundle says of a table; `bytes` is the size of its files, `columns` maps names to content digests."""

    rows: int
    content_digest: str
    columns: Mapping[str, str]
    bytes: int


class BundleTable:
    """One table of an opened bundle."""

    def __init__(self, bundle: Bundle, table: Table, layers: Sequence[Layer]) -> None:
        self._bundle = bundle
        self.schema = table
        self._layers = layers

    def __repr__(self) -> str:
        columns = ", ".join(f"{c.name} {c.type}" for c in self.schema.stored_columns)
        return f"<BundleTable {self.name} of {self._bundle.reference}: {counted(self.rows, 'row')} of {columns}>"

    @property
    def name(self) -> str:
        return self.schema.name

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return self._bundle.tables[self.name].rows

    def paths(self) -> list[Path]:
        """The Parquet files of the table, in the order of its rows; an interval column is an INT64 of microseconds in them."""
        return [self._bundle.store.layout.blob_path(layer.blob.digest) for layer in self._layers]

    def sound_paths(self) -> list[Path]:
        """The same, once each file is there and of its size; BundleDamaged names the first that is not."""
        paths = self.paths()
        if not paths:
            raise BundleDamaged(f"the manifest of {self._bundle.reference} names no file of table '{self.name}'")
        for layer, path in zip(self._layers, paths, strict=True):
            found = missing(path)
            if not found and (size := path.stat().st_size) != layer.blob.size:
                found = f"has {size:,} bytes and should have {layer.blob.size:,}"
            if found:
                raise BundleDamaged(
                    f"blob {layer.blob.digest} with rows of table '{self.name}' {found}; `companyos bundle verify` says more"
                )
        return paths

    def intact_paths(self) -> list[Path]:
        """The same, once the bytes of each file match its digest, for which all of them are read; BundleDamaged as `sound_paths`."""
        paths = self.sound_paths()
        for layer in self._layers:
            if not self._bundle.store.layout.has(layer.blob):
                raise BundleDamaged(
                    f"blob {layer.blob.digest} with rows of table '{self.name}' is altered; `companyos bundle verify` says more"
                )
        return paths

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Read the rows in batches of at most 65,536; BundleDamaged where a file is missing or cannot be read."""
        for layer, path in zip(self._layers, self.paths(), strict=True):
            rows = 0
            for batch in decoded(self.schema, path):
                rows += batch.num_rows
                yield batch
            if rows != layer.rows:
                raise BundleDamaged(
                    f"blob {layer.blob.digest} has {counted(rows, 'row')} of table '{self.name}' where the manifest says {layer.rows:,}"
                )

    def to_arrow(self) -> pa.Table:
        """Return all rows."""
        return pa.Table.from_batches(self.batches(), self.schema.arrow)

    def to_pandas(self) -> pd.DataFrame:
        """Return all rows as a pandas data frame, uuids as text; InputError where pandas is not installed.

        Whole numbers with nulls are floats, as pandas has them, but where a float would change one: then they are of its type Int64.
        """
        return frames.to_pandas(self.to_arrow())

    def to_polars(self) -> pl.DataFrame:
        """Return all rows as a Polars data frame, uuids as text; InputError where Polars is not installed."""
        return frames.to_polars(self.to_arrow())


class Bundle:
    """A bundle of a store, opened: a `TableSource`. Its manifest and config have been checked, its data has not."""

    def __init__(self, store: Store, reference: str, manifest_blob: Blob, manifest: Manifest, config: Config) -> None:
        self.store = store
        self.reference = reference
        self.manifest_blob = manifest_blob
        self.manifest_digest = manifest_blob.digest
        self.manifest = manifest
        self.config = config

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle holds, as multiprocessing sends it: all but `tables`, which follow from the rest."""
        return {name: value for name, value in vars(self).items() if name != "tables"}

    def __repr__(self) -> str:
        tables, rows = counted(len(self.schema.tables), "table"), counted(self.config.rows, "row")
        return f"<{type(self).__name__} {self.reference}: {self.kind}, {tables}, {rows}>"

    @property
    def schema(self) -> Schema:
        return self.config.schema

    @property
    def kind(self) -> str:
        return self.config.kind

    @property
    def data_class(self) -> str:
        """The highest data class among the columns."""
        return self.config.data_class

    @property
    def provenance(self) -> Mapping[str, Any]:
        return self.config.provenance

    @property
    def content_digest(self) -> str:
        return self.manifest.summary.content_digest

    @property
    def expires(self) -> datetime | None:
        """When it is to be used no more; None for never."""
        until = self.manifest.summary.expires
        return None if until is None else datetime.fromisoformat(until)

    @cached_property
    def tables(self) -> Mapping[str, TableInfo]:
        """Every table by name, in the order of the schema."""
        return MappingProxyType({t.name: self._info(t.name) for t in self.schema.tables})

    def table(self, name: str) -> BundleTable:
        """Return the table called `name`; InputError with the nearest name where there is none."""
        if not self.schema.has(name):
            raise InputError(f"there is no table '{name}' in {self.reference}{nearest(name, self.tables)}")
        return BundleTable(self, self.schema.table(name), self.layers(name))

    def read(self, table: str) -> pa.RecordBatchReader:
        """Stream all rows of `table`, in memory for a few batches only."""
        found = self.table(table)
        return pa.RecordBatchReader.from_batches(found.schema.arrow, found.batches())

    def inputs(self, table: str) -> Mapping[str, str] | None:
        """What the cells of `table` were made from, as the source of the bundle said it; None where it could not tell."""
        return self.config.inputs.get(table)

    def layers(self, table: str) -> list[Layer]:
        """The layers of `table`, in the order of the manifest."""
        return [layer for layer in self.manifest.layers if layer.table == table]

    def media(self) -> Iterator[MediaFile]:
        """Read the files of rows one by one, in the order of their paths; BundleDamaged where one is missing or altered."""
        for layer in self.manifest.media:
            yield self.read_media(layer)

    def read_media(self, layer: MediaLayer) -> MediaFile:
        """Read one file of `manifest.media`; BundleDamaged where it is missing or altered."""
        return MediaFile(layer.table, layer.column, layer.path, layer.media_type, self.store.layout.read_blob(layer.blob.digest))

    def describe(self) -> dict[str, Any]:
        """Return what `companyos bundle show --json` prints."""
        return {
            "reference": self.reference,
            "manifest_digest": self.manifest_digest,
            "content_digest": self.content_digest,
            "kind": self.kind,
            "data_class": self.data_class,
            "expires": self.manifest.summary.expires,
            "schema": self.schema.name,
            "rows": self.config.rows,
            "bytes": self.manifest.size,
            "chunk_rows": self.config.chunk_rows,
            "provenance": self.provenance,
            "tables": {
                name: {"rows": t.rows, "content_digest": t.content_digest, "columns": dict(t.columns), "bytes": t.bytes}
                for name, t in self.tables.items()
            },
            **({} if not self.manifest.media else self._described_media()),
        }

    def _described_media(self) -> dict[str, Any]:
        return {"tables_digest": self.config.tables_digest, "media": [describe_media(layer) for layer in self.manifest.media]}

    def _info(self, name: str) -> TableInfo:
        digest = self.config.tables[name]
        size = sum(layer.blob.size for layer in self.layers(name))
        return TableInfo(digest.rows, digest.content_digest, digest.columns, size)


def describe_media(layer: MediaLayer) -> dict[str, Any]:
    """Return a file of rows as JSON data."""
    return {
        "path": layer.path,
        "table": layer.table,
        "column": layer.column,
        "media_type": layer.media_type,
        "bytes": layer.blob.size,
        "digest": layer.blob.digest,
    }


def must_be_opened(given: object) -> None:
    """Raise InputError where a bundle's reference was given in place of the bundle."""
    if isinstance(given, str):
        raise InputError(f"this takes an opened bundle, not its reference: give it bundles.open({given!r})")


def open_bundle(reference: str, store: Store | str | os.PathLike[str] | None = None) -> Bundle:
    """Open the bundle that `reference` stands for.

    Raises ReferenceInvalid or ReferenceUnknown, and BundleDamaged where its manifest or config is missing or altered.
    """
    store = Store.at(store)
    found = store.resolve(reference)
    name = str(found.reference)
    manifest = Manifest.decode(store.layout.read_blob(found.manifest.digest), name)
    config = Config.decode(store.layout.read_blob(manifest.config.digest), name)
    return Bundle(store, name, found.manifest, manifest, config)
