"""Rows come back in the order of their numbers, whether they fit into memory, one file of buckets, or buckets of buckets."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from masking.drawn_rows import DrawnRows
from masking.errors import RoomFailure
from tests.spread import one_in

ROWS = 3_000
SCHEMA = pa.schema([("n", pa.int64()), ("text", pa.string()), ("id", pa.uuid()), ("list", pa.list_(pa.string()))])


def batches(size: int = 250) -> Iterator[pa.RecordBatch]:
    for first in range(0, ROWS, size):
        numbers = range(first, first + size)
        columns = [
            pa.array(numbers, pa.int64()),
            pa.array([f"text {n}" * (n % 3) if n % 5 else None for n in numbers], pa.string()),
            pa.array([uuid.UUID(int=n).bytes for n in numbers], pa.uuid()),
            pa.array([[str(n)] * (n % 3) for n in numbers], pa.list_(pa.string())),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def drawn(seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, ROWS, dtype=np.uint64)


def put_in_order(draws: np.ndarray, folder: Path, expected: int = ROWS) -> pa.Table:
    with DrawnRows(SCHEMA, expected, folder) as rows:
        for batch in batches():
            first = batch.column("n")[0].as_py()
            rows.add(batch, draws[first : first + batch.num_rows])
        return pa.Table.from_batches(rows.rows(), SCHEMA).combine_chunks()


def sorted_at_once(draws: np.ndarray) -> pa.Table:
    return pa.Table.from_batches(batches()).take(pa.array(np.argsort(draws, kind="stable"))).combine_chunks()


@pytest.mark.parametrize("room", one_in(2, [1 << 30, 100_000, 4_000, 1]))
@pytest.mark.parametrize("expected", [ROWS, 1, 1 << 40])
def test_the_order_is_that_of_the_numbers_whatever_the_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, expected: int
) -> None:
    monkeypatch.setattr("masking.drawn_rows.BUCKET_BYTES", room)
    assert put_in_order(drawn(), tmp_path, expected).equals(sorted_at_once(drawn()))


def test_rows_with_equal_numbers_stay_as_they_came_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masking.drawn_rows.BUCKET_BYTES", 1)
    draws = drawn() % np.uint64(2) * np.uint64(2**64 - 1)
    assert put_in_order(draws, tmp_path).equals(sorted_at_once(draws))


def test_rows_that_are_longer_than_the_first_ones_are_parted_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masking.drawn_rows.BUCKET_BYTES", 20_000)
    schema, read = pa.schema([("text", pa.string())]), []
    texts, draws = ["x"] * 1_500 + ["long" * 100] * 1_500, drawn()
    monkeypatch.setattr(DrawnRows, "_in_order", lambda rows, held: read.append(sum(b.nbytes for b in held)) or iter(()))
    with DrawnRows(schema, ROWS, tmp_path) as rows:
        for first in range(0, ROWS, 100):
            rows.add(pa.record_batch([pa.array(texts[first : first + 100])], schema=schema), draws[first : first + 100])
        list(rows.rows())
    assert sum(read) > 600_000 and max(read) <= 2 * 20_000


def test_no_rows_are_none(tmp_path: Path) -> None:
    with DrawnRows(SCHEMA, 0, tmp_path) as rows:
        assert list(rows.rows()) == []


def test_what_waits_has_no_name_so_that_nothing_is_left_whatever_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masking.drawn_rows.BUCKET_BYTES", 4_000)
    with DrawnRows(SCHEMA, ROWS, tmp_path) as rows:
        for batch in batches():
            rows.add(batch, drawn()[: batch.num_rows])
            assert not list(tmp_path.iterdir())
        next(rows.rows())
        assert not list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            """There is nothing in it."""

    monkeypatch.setattr("masking.drawn_rows.BUCKET_BYTES", 4_000)
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full())
    with pytest.raises(RoomFailure, match="no space is left in"):
        put_in_order(drawn(), tmp_path)


def test_a_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masking.drawn_rows.BUCKET_BYTES", 4_000)
    with pytest.raises(RoomFailure, match="No such file"):
        put_in_order(drawn(), tmp_path / "nowhere")
