"""Rows put in the order of numbers that were drawn for them, however many they are; what has no room in memory waits on the disk.

Only rows that are masked may come here. They wait in buckets, by the first bits of their numbers, all of them in one file that has no
name in its folder: whatever ends the process, a `kill -9` too, nothing of it is left.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
import pyarrow as pa

from masking.errors import RoomFailure
from masking.keyed import UInt64
from masking.source.batches import MAX_ROWS, cut

BUCKET_BYTES = 32 << 20  # of a bucket at most where rows are as long as the first ones, and of rows that wait in memory
_MANY = 2  # times that, at which a bucket is parted once more
_MOST_BITS = 8  # by which rows are parted at once: more buckets would make small pieces
_ALL_BITS = 64
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DrawnRows:
    """Takes all rows with their numbers, then gives them in the order of these, once; of equal ones, the first to come is first.

    `expected` is the number of rows that will come, `folder` where they may wait: by default the system's for temporary files. The order
    depends on the numbers alone. Raises RoomFailure where the disk fails.
    """

    def __init__(self, schema: pa.Schema, expected: int, folder: Path | None = None, *, used_bits: int = 0) -> None:
        self._schema, self._expected, self._folder, self._used = schema, expected, folder, used_bits
        self._with_draws = schema.append(pa.field("", pa.uint64(), nullable=False))
        self._held: list[pa.RecordBatch] = []
        self._size = self._rows = 0
        self._buckets: _Buckets | None = None

    def add(self, batch: pa.RecordBatch, draws: UInt64) -> None:
        """Take rows and a number for each."""
        self._take(pa.RecordBatch.from_arrays([*batch.columns, pa.array(draws, pa.uint64())], schema=self._with_draws))

    def rows(self) -> Iterator[pa.RecordBatch]:
        """All rows in the order of their numbers, at most 65,536 and, but for one that has more, 32 MiB at a time."""
        if self._buckets is None:
            held, self._held = iter(self._held), []  # an iterator keeps nothing once it has ended
            yield from self._in_order(held)
            return
        pa.default_memory_pool().release_unused()  # what masking has used up to here
        for bucket in self._buckets.take():
            if bucket.size > _MANY * BUCKET_BYTES and bucket.rows > 1 and self._used_within < _ALL_BITS:
                with DrawnRows(self._schema, bucket.rows, self._folder, used_bits=self._used_within) as inner:
                    for batch in bucket.read():
                        inner._take(batch)
                    yield from inner.rows()
            else:
                yield from self._in_order(bucket.read())

    @property
    def _used_within(self) -> int:
        return self._used + (0 if self._buckets is None else self._buckets.bits)

    def _take(self, batch: pa.RecordBatch) -> None:
        if self._buckets is not None:
            self._buckets.add(batch)
            return
        self._held.append(batch)
        self._size += batch.nbytes
        self._rows += batch.num_rows
        if self._size > BUCKET_BYTES and self._rows > 1 and self._used < _ALL_BITS:
            self._buckets = _Buckets(self._with_draws, self._bits(), self._used, self._folder)
            held, self._held = self._held, []
            for waiting in held:
                self._buckets.add(waiting)

    def _bits(self) -> int:
        """As many as part all rows into buckets of half the bytes to all of them that a bucket may have."""
        whole = self._size * max(self._expected, self._rows) // self._rows
        return max(1, min((whole // BUCKET_BYTES).bit_length(), _MOST_BITS, _ALL_BITS - self._used))

    def _in_order(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        whole = pa.Table.from_batches(batches, self._with_draws).combine_chunks()
        order = np.argsort(whole.column(whole.num_columns - 1).to_numpy(), kind="stable")
        whole = whole.remove_column(whole.num_columns - 1)
        for first in range(0, len(order), MAX_ROWS):
            for batch in whole.take(pa.array(order[first : first + MAX_ROWS])).to_batches():
                yield from cut(batch)

    def __enter__(self) -> DrawnRows:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._held = []
        if self._buckets is not None:
            self._buckets.close()


class _Bucket:
    """The rows whose numbers begin with the same bits: where they stand in the file."""

    def __init__(self, file: _File, schema: pa.Schema) -> None:
        self._file, self._schema = file, schema
        self._places: list[tuple[int, int]] = []
        self.size = self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self._places.append(self._file.append(batch.serialize()))
        self.size += batch.nbytes
        self.rows += batch.num_rows

    def read(self) -> Iterator[pa.RecordBatch]:
        for start, length in self._places:
            yield pa.ipc.read_record_batch(pa.py_buffer(self._file.read(start, length)), self._schema)


class _Buckets:
    """Parts rows by the `bits` of their numbers that follow the first `used` ones."""

    def __init__(self, schema: pa.Schema, bits: int, used: int, folder: Path | None) -> None:
        self.bits, self._used = bits, np.uint64(used)
        self._file = _File(folder)
        self._buckets = [_Bucket(self._file, schema) for _ in range(1 << bits)]

    def add(self, batch: pa.RecordBatch) -> None:
        draws = batch.column(batch.num_columns - 1).to_numpy()
        numbers = ((draws << self._used) >> np.uint64(_ALL_BITS - self.bits)).astype(np.uint8)
        parted = batch.take(pa.array(np.argsort(numbers, kind="stable")))
        start = 0
        for bucket, rows in zip(self._buckets, np.bincount(numbers, minlength=len(self._buckets)).tolist(), strict=True):
            if rows:
                bucket.add(parted.slice(start, rows))
                start += rows

    def take(self) -> Iterator[_Bucket]:
        """All buckets in the order of their numbers."""
        return iter(self._buckets)

    def close(self) -> None:
        self._file.close()


class _File:
    """A file without a name, of this process alone."""

    def __init__(self, folder: Path | None) -> None:
        self._folder, self._end = folder, 0
        with self._failures():
            self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115

    def append(self, data: Any) -> tuple[int, int]:
        """Write bytes, and return where they begin and how many they are."""
        start, length = self._end, len(memoryview(data))
        with self._failures():
            self._file.write(data)
        self._end += length
        return start, length

    def read(self, start: int, length: int) -> bytes:
        with self._failures():
            self._file.seek(start)
            return self._file.read(length)

    def close(self) -> None:
        with self._failures():
            self._file.close()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            place = "the folder for temporary files" if self._folder is None else f"'{self._folder}'"
            why = "no space is left" if error.errno in _FULL else f"no file can be kept ({error.strerror or error})"
            raise RoomFailure(
                f"{why} in {place}, where masked rows wait for their places: as much as the largest table has in memory; free some space"
            ) from None
