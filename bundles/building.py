"""Building: the tables of a source become Parquet files, a config, a manifest and a tag."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pyarrow as pa

from bundles.config import KINDS, Config
from bundles.conforming import conformed
from bundles.digest import BLOCK_ROWS, TableDigest, block_digests, combine
from bundles.errors import SourceInvalid
from bundles.holding import hold, reads
from bundles.layout import Blob
from bundles.manifest import Layer, Manifest, Summary
from bundles.media import add_media
from bundles.opened import Bundle, open_bundle
from bundles.parquet import ChunkFile
from bundles.progress import OnProgress, Progress, unseen
from bundles.references import parse_tag
from bundles.reuse import Origin, Taken, find
from bundles.stage import Stage
from bundles.store import Store
from schemas.document import from_document, to_document
from schemas.errors import InputError
from schemas.heeding import result_of
from schemas.model import Table
from schemas.plurals import counted
from schemas.recipes import FOLDS
from schemas.source import CanonicalJson, EncodedSource, RangeSource, TableSource, WaitingSource
from schemas.types import TEXTS

CHUNK_ROWS = 4 * BLOCK_ROWS
_WAITING_BYTES = 256 << 20  # of chunks that are read and not written yet, where they are more than one
_NARROW = 512
_SINK_BYTES = 1 << 20  # a call of Python for each page would have threads wait for each other


@dataclass(frozen=True, slots=True)
class _Chunk:
    """One Parquet file that has been written, and the digests of its blocks."""

    first_row: int
    rows: int
    blob: Blob
    blocks: Mapping[str, list[bytes]]


@dataclass(slots=True)
class _Written:
    """The chunks of one table, in the order of its rows."""

    table: Table
    chunks: list[_Chunk] = field(default_factory=list)

    @property
    def digest(self) -> TableDigest:
        blocks = {c.name: [b for chunk in self.chunks for b in chunk.blocks[c.name]] for c in self.table.stored_columns}
        return combine(self.table, sum(chunk.rows for chunk in self.chunks), blocks)

    @property
    def layers(self) -> Sequence[Layer]:
        return [Layer(self.table.name, chunk.first_row, chunk.rows, chunk.blob) for chunk in self.chunks]


class BuiltBundle(Bundle):
    """A bundle that was just built; `origins` says of each table where it comes from."""

    def __init__(self, opened: Bundle, manifest: Blob, origins: Mapping[str, Origin]) -> None:
        super().__init__(opened.store, opened.reference, manifest, opened.manifest, opened.config)
        self.origins = origins


_Task = Callable[[], _Chunk]


def build(
    source: TableSource,
    *,
    store: Store | str | os.PathLike[str] | None = None,
    tag: str | None = None,
    jobs: int | None = None,
    chunk_rows: int = CHUNK_ROWS,
    reuse: bool = True,
    expires: datetime | None = None,
    on_progress: OnProgress | None = None,
) -> BuiltBundle:
    """Build a bundle from `source`, tag it (`KIND:latest` unless `tag` says otherwise) and return it.

    A `RangeSource` is read by `jobs` threads (one a core unless given), any other source by one; the bundle is the same.
    At most 2 * `jobs` chunks of `chunk_rows` rows (a multiple of 65,536) are in memory at a time, and fewer where those of a source
    that is no `RangeSource` have more than 256 MiB. Nothing is tagged, and nothing stays in the store, where the build fails or is
    interrupted.

    Tables whose inputs are those of an earlier bundle of the store are taken over from there (see `bundles.reuse`) unless `reuse`
    is False; the bundle is the same, to the byte. The checks of a table that is taken over are not evaluated again where all of
    them stood in the schema of that bundle: its own build has evaluated them, as far as DuckDB could.

    A bundle with `expires` (a moment with a time zone) is to be used no more from then on: sandboxes that hold it live no longer.

    Raises InputError (bad tag, options or source), ContentInvalid (the data breaks its schema), StoreFailure (disk full, ...).
    """
    store = Store.at(store)
    _check_source(source)
    _check_holdable(source)
    target = parse_tag(f"{source.kind}:latest" if tag is None else tag)
    if chunk_rows <= 0 or chunk_rows % BLOCK_ROWS:
        raise InputError(f"chunk_rows is {chunk_rows:,}; it must be a multiple of {BLOCK_ROWS:,}")
    if expires is not None and expires.tzinfo is None:
        raise InputError(f"a bundle expires at a moment with a time zone, not at {expires}")
    if jobs is not None and jobs < 1:
        raise InputError(f"jobs is {jobs}; it must be at least 1")
    threads = jobs or os.cpu_count() or 1
    held = reads(source.schema, constraints=_is_doubted(source))
    with store.staging(reread=held) as stage:
        if isinstance(source, WaitingSource):
            source.wait_in(stage.path)
        reused = find(source, chunk_rows, store, target, threads, on_progress or unseen, search=reuse)
        made = [table for table in source.schema.tables if table.name not in reused.taken]
        written = _write_tables(source, made, stage, threads, chunk_rows, on_progress or unseen)
        found: dict[str, _Written | Taken] = {**written, **reused.taken}
        parts = {table.name: found[table.name] for table in source.schema.tables}
        if held:
            stage.settle()
            _hold(source, parts, stage, store, threads, on_progress or unseen)
        tables = {name: part.digest for name, part in parts.items()}
        files, media = add_media(source, stage)
        config = Config(source.kind, source.schema, source.provenance, chunk_rows, tables, reused.inputs, files)
        layers = [layer for part in parts.values() for layer in part.layers]
        until = None if expires is None else expires.astimezone(UTC).isoformat()
        summary = Summary(config.kind, config.data_class, config.content_digest, len(tables), config.rows, until)
        manifest = stage.add(Manifest(stage.add(config.encode()), layers, summary, media).encode())
        stage.publish()
        store.point(target, manifest)
        return BuiltBundle(open_bundle(str(target), store), manifest, reused.origins)


def _check_source(given: object) -> None:
    if isinstance(given, str | os.PathLike):
        raise InputError(f"a bundle is built from a source of tables, not from a name or a path: give it datagen.source({str(given)!r})")


def _check_holdable(source: TableSource) -> None:
    if source.kind not in KINDS:
        raise SourceInvalid(f"the source is of kind '{source.kind}'; a bundle is {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    for table in source.schema.tables:
        if not table.stored_columns:
            raise SourceInvalid(f"table '{table.name}' has no column that a bundle could hold")
    try:
        from_document(to_document(source.schema))  # as whoever opens the bundle will
    except InputError as error:
        raise SourceInvalid(f"no bundle can hold the source: {error}") from None


def _write_tables(
    source: TableSource, tables: Sequence[Table], stage: Stage, threads: int, chunk_rows: int, on_progress: OnProgress
) -> dict[str, _Written]:
    written = {table.name: _Written(table) for table in tables}
    total = None
    if isinstance(source, RangeSource):
        total = sum(source.row_count(table.name) for table in tables)
    done = 0
    stopped = Event()
    pending: deque[tuple[str, int, Future[_Chunk]]] = deque()
    waiting = 0

    def take_first() -> None:
        nonlocal done, waiting
        name, size, future = pending.popleft()
        chunk = result_of(future)
        waiting -= size
        written[name].chunks.append(chunk)
        done += chunk.rows
        on_progress(Progress("build", name, done, total))

    pool = ThreadPoolExecutor(threads, thread_name_prefix="build")
    try:
        for name, size, task in _tasks(source, tables, stage, chunk_rows, stopped):
            while pending and (len(pending) >= 2 * threads or waiting + size > _WAITING_BYTES):
                take_first()
            pending.append((name, size, pool.submit(task)))
            waiting += size
        while pending:
            take_first()
    finally:
        stopped.set()
        pool.shutdown(wait=True, cancel_futures=True)
    return written


def _tasks(source: TableSource, tables: Sequence[Table], stage: Stage, chunk_rows: int, stopped: Event) -> Iterator[tuple[str, int, _Task]]:
    """What has to be done for each chunk, and how many bytes wait for it, in the order of its table's rows.

    The chunks of a `RangeSource` are made by the tasks themselves, so that nothing waits.
    Its largest tables come first, which leaves little tasks for the end, when threads run out of work; but before a table of totals come
    the rows below it, so that it finds what they have left.
    """
    if isinstance(source, RangeSource):
        tables = _totals_last(sorted(tables, key=lambda t: -source.row_count(t.name)))
    for table in tables:
        if isinstance(source, RangeSource):
            rows = source.row_count(table.name)
            for start in range(0, max(rows, 1), chunk_rows):
                yield table.name, 0, _range_task(source, table, start, min(start + chunk_rows, rows), stage, stopped, source.schema.file)
        else:
            start = 0
            canonical = _canonical_json(source, table)
            for chunk in _chunks(source, table, chunk_rows):
                rows, size = chunk.num_rows, chunk.nbytes
                task = _batch_task(table, chunk, start, stage, stopped, canonical)
                del chunk
                yield table.name, size, task
                start += rows


def _totals_last(tables: Sequence[Table]) -> list[Table]:
    """The tables in their order, each with those right before it whose rows it folds."""
    placed: dict[str, Table] = {}

    def place(table: Table, above: tuple[str, ...]) -> None:
        folded = [c.generate.args["child"] for c in table.columns if c.generate is not None and c.generate.name in FOLDS]
        for below in tables:
            if below.name not in (*above, *placed) and any(path.startswith(f"{below.name}.") for path in folded):
                place(below, (*above, below.name))
        placed[table.name] = table

    for table in tables:
        if table.name not in placed:
            place(table, (table.name,))
    return list(placed.values())


def _range_task(source: RangeSource, table: Table, start: int, stop: int, stage: Stage, stopped: Event, file: str) -> _Task:
    canonical = _canonical_json(source, table)

    read = source.read_encoded if isinstance(source, EncodedSource) else source.read_rows
    at_once = 2 * BLOCK_ROWS if _is_narrow(table) else BLOCK_ROWS

    def blocks() -> Iterator[pa.RecordBatch]:
        for first in range(start, max(stop, start + 1), at_once):
            last = min(first + at_once, stop)
            batch = read(table.name, first, last)
            if batch.num_rows != last - first:
                raise SourceInvalid(
                    f"table '{table.name}' comes with {counted(batch.num_rows, 'row')} where rows {first:,} to {last:,} were asked for"
                )
            yield conformed(table, batch, first, file)

    return lambda: _write_chunk(table, blocks(), start, stage, stopped, canonical)


def _is_narrow(table: Table) -> bool:
    """Whether types bound the rows so that two blocks of them are little memory; two take less time than one and one."""
    width = 0
    for type in (c.type for c in table.stored_columns):
        if type.kind in ("json", "bytes", "array") or (type.kind in TEXTS and type.length is None):
            return False
        width += type.length or max((len(v) for v in type.values), default=16)
    return width <= _NARROW


def _batch_task(table: Table, chunk: pa.Table, start: int, stage: Stage, stopped: Event, canonical: Collection[str]) -> _Task:
    parts = deque((start + i, chunk.slice(i, BLOCK_ROWS)) for i in range(0, max(chunk.num_rows, 1), BLOCK_ROWS))

    def blocks() -> Iterator[pa.RecordBatch]:
        while parts:
            yield _joined(table, *parts.popleft())

    return lambda: _write_chunk(table, blocks(), start, stage, stopped, canonical)


def _canonical_json(source: object, table: Table) -> frozenset[str]:
    if not isinstance(source, CanonicalJson):
        return frozenset()
    return frozenset(c.name for c in table.stored_columns if source.has_canonical_json(table.name, c.name))


def _chunks(source: TableSource, table: Table, chunk_rows: int) -> Iterator[pa.Table]:
    """Cut a stream of batches into chunks of `chunk_rows` rows, without a copy; a table without rows gives one empty chunk."""
    waiting: list[pa.RecordBatch] = []
    count = first_row = 0
    for given in source.read(table.name):
        batch = conformed(table, given, first_row + count, source.schema.file)
        while batch.num_rows:
            taken = batch.slice(0, chunk_rows - count)
            batch = batch.slice(taken.num_rows)
            waiting.append(taken)
            count += taken.num_rows
            if count == chunk_rows:
                yield pa.Table.from_batches(waiting, table.arrow)
                first_row += count
                waiting, count = [], 0
    if waiting or not first_row:
        yield pa.Table.from_batches(waiting, table.arrow)


def _joined(table: Table, first: int, block: pa.Table) -> pa.RecordBatch:
    """A block as one batch, copied only now, so that of a chunk no more than a block is in memory twice, and that not for long."""
    batches = block.combine_chunks().to_batches()
    if len(batches) > 1:
        raise SourceInvalid(
            f"table '{table.name}', rows {first:,} to {first + block.num_rows:,}: a column has more than 2 GiB of text in them"
        )
    return batches[0] if batches else pa.RecordBatch.from_pylist([], table.arrow)


def _write_chunk(
    table: Table, blocks: Iterable[pa.RecordBatch], start: int, stage: Stage, stopped: Event, canonical: Collection[str]
) -> _Chunk:
    """Digest and write blocks one after the other, each while it is still in the processor's cache."""
    rows = 0
    digests: dict[str, list[bytes]] = {c.name: [] for c in table.stored_columns}
    with stage.begin() as blob:
        sink = pa.BufferedOutputStream(pa.PythonFile(blob, mode="w"), _SINK_BYTES)
        file = ChunkFile(table, sink)
        for block in blocks:
            _go_on(stopped)
            for name, found in block_digests(table, block, start + rows, canonical).items():
                digests[name] += found
            file.add(block)
            rows += block.num_rows
        _go_on(stopped)
        file.finish()
        sink.flush()
        return _Chunk(start, rows, blob.finish(), digests)


def _go_on(stopped: Event) -> None:
    if stopped.is_set():
        raise InterruptedError("the build was stopped")


def _hold(
    source: TableSource, parts: Mapping[str, _Written | Taken], stage: Stage, store: Store, threads: int, on_progress: OnProgress
) -> None:
    """Hold what was written, and what was taken over without having been checked, against its schema."""
    files: dict[str, list[Path]] = {}
    for name, part in parts.items():
        place = store.layout.blob_path if isinstance(part, Taken) else stage.blob_path
        files[name] = [place(layer.blob.digest) for layer in part.layers]
    unknown = {name for name, part in parts.items() if not (isinstance(part, Taken) and part.checked)}
    hold(source.schema, files, unknown, store.path, threads, on_progress, constraints=_is_doubted(source))


def _is_doubted(source: TableSource) -> bool:
    """Whether keys and references have to be looked at: a generator makes them by construction."""
    return source.kind != "synthetic"
