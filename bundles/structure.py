"""The outside of a bundle: are its blobs whole, and do its manifest, config and files fit together?"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq

from bundles.errors import disk_errors
from bundles.layout import Blob, missing
from bundles.manifest import Layer, MediaLayer, Summary
from bundles.opened import Bundle
from bundles.parquet import encoded
from bundles.progress import OnProgress, Progress
from bundles.report import Findings
from schemas.model import Table
from schemas.plurals import counted

_READ = 1 << 20


def check_blobs(bundle: Bundle, found: Findings, threads: int, on_progress: OnProgress) -> set[str]:
    """Hash every blob again and return the tables that have lost rows."""
    manifest = bundle.manifest
    whole = bundle.manifest_blob
    layers: list[Layer | MediaLayer | None] = [None, None, *manifest.layers, *manifest.media]
    blobs = [whole, manifest.config, *(layer.blob for layer in manifest.layers), *(layer.blob for layer in manifest.media)]
    damaged: set[str] = set()
    rows = 0
    pool = ThreadPoolExecutor(threads, thread_name_prefix="verify")
    try:
        for layer, blob, wrong in zip(layers, blobs, pool.map(lambda b: _wrong(bundle, b), blobs), strict=True):
            found.count("blobs")
            found.count("bytes", blob.size)
            if layer is None:
                where, table = ("the manifest" if blob is whole else "the config"), None
            elif isinstance(layer, MediaLayer):
                where, table = f"the file {layer.path}", None
            else:
                rows += layer.rows
                table = layer.table
                where = f"rows {layer.first_row:,} to {layer.first_row + layer.rows - 1:,}" if layer.rows else "no rows"
                on_progress(Progress("hash", table, rows, bundle.manifest.summary.rows))
            if wrong:
                found.wrong("blob", f"blob {blob.digest} ({where}) {wrong}", table)
                damaged |= {table} if table is not None else set()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return damaged


def check_layers(bundle: Bundle, found: Findings, damaged: set[str]) -> set[str]:
    """Hold the manifest against the config, and each file against its layer; return the tables that cannot be read."""
    broken = set(damaged)
    names = [table.name for table in bundle.schema.tables]
    for layer in bundle.manifest.layers:
        if layer.table not in names:
            found.wrong(
                "structure",
                f"blob {layer.blob.digest} is said to hold rows of it, and the schema has no such table",
                layer.table,
            )
    order = list(dict.fromkeys(layer.table for layer in bundle.manifest.layers))
    if order != names and set(order) == set(names):
        found.wrong("structure", "the layers of the manifest are not in the order of the schema's tables")
    for table in bundle.schema.tables:
        if not _check_table(bundle, table, found, table.name in damaged):
            broken.add(table.name)
    config = bundle.config
    given = bundle.manifest.summary
    if given != Summary(config.kind, config.data_class, config.content_digest, len(names), config.rows, given.expires):
        found.wrong("structure", "the manifest's annotations are not what the config says")
    return broken


def file_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema that the table's files have when they are read without the bundle's own."""
    empty = pa.RecordBatch.from_arrays([pa.nulls(0, f.type) for f in table.arrow], schema=table.arrow)
    with pq.ParquetFile(pa.BufferReader(encoded(table, empty))) as file:
        return file.schema_arrow


def _check_table(bundle: Bundle, table: Table, found: Findings, damaged: bool) -> bool:
    """Whether all rows of `table` are there, in order, with columns of the right types."""
    good = True
    layers = bundle.layers(table.name)
    if not layers:
        found.wrong("structure", "the manifest has no layer for it", table.name)
        return False
    expected_row = 0
    for layer in layers:
        if layer.first_row != expected_row:
            found.wrong(
                "structure",
                f"a layer begins at row {layer.first_row:,} where row {expected_row:,} comes next",
                table.name,
            )
            good = False
        if layer is not layers[-1] and layer.rows != bundle.config.chunk_rows:
            found.wrong(
                "structure",
                f"blob {layer.blob.digest} has {counted(layer.rows, 'row')}, and chunks have {bundle.config.chunk_rows:,}",
                table.name,
            )
        expected_row = layer.first_row + layer.rows
    promised = bundle.config.tables[table.name].rows
    if expected_row != promised:
        found.wrong("structure", f"the layers have {counted(expected_row, 'row')} where the config says {promised:,}", table.name)
        good = False
    if damaged:
        return False
    expected = file_schema(table)
    readable = [_check_file(bundle, table, layer, expected, found) for layer in layers]
    return good and all(readable)


def _check_file(bundle: Bundle, table: Table, layer: Layer, expected: pa.Schema, found: Findings) -> bool:
    try:
        with pq.ParquetFile(bundle.store.layout.blob_path(layer.blob.digest)) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowException, OSError):
        found.wrong("structure", f"blob {layer.blob.digest} is not a Parquet file that can be read", table.name)
        return False
    if rows != layer.rows:
        found.wrong(
            "structure",
            f"blob {layer.blob.digest} has {counted(rows, 'row')} where the manifest says {layer.rows:,}",
            table.name,
        )
        return False
    if schema.names != expected.names:
        what = _difference(schema.names, expected.names)
        found.wrong("structure", f"blob {layer.blob.digest} {what}", table.name)
        return False
    good = True
    for given, wanted in zip(schema, expected, strict=True):
        if given.type != wanted.type:
            what = f"the file has {given.type} where {table.column(given.name).type} is stored as {wanted.type}"
            found.wrong("type", what, table.name, given.name, layer.first_row, layer.rows)
            good = False
    return good


def _difference(given: list[str], wanted: list[str]) -> str:
    missing = [name for name in wanted if name not in given]
    extra = [name for name in given if name not in wanted]
    if missing:
        return f"does not have the column '{missing[0]}'"
    return f"has a column '{extra[0]}' that the schema does not store" if extra else "has its columns in another order"


def _wrong(bundle: Bundle, blob: Blob) -> str | None:
    """What is wrong with a blob, if anything."""
    hasher, size = hashlib.sha256(), 0
    path = bundle.store.layout.blob_path(blob.digest)
    if absent := missing(path):
        return absent
    with disk_errors(bundle.store.path), open(path, "rb") as file:
        while part := file.read(_READ):
            hasher.update(part)
            size += len(part)
    if f"sha256:{hasher.hexdigest()}" == blob.digest:
        return None if size == blob.size else f"has {size:,} bytes where its descriptor says {blob.size:,}"
    return "is altered" if size == blob.size else f"is altered: it has {size:,} bytes instead of {blob.size:,}"
