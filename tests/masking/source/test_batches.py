"""Batches are cut by rows and by bytes, and lose nothing."""

from __future__ import annotations

import pyarrow as pa

from masking.source.batches import MAX_BYTES, MAX_ROWS, cut


def test_long_batches_are_cut_by_rows() -> None:
    batch = pa.record_batch({"n": pa.array(range(150_000))})
    parts = list(cut(batch))
    assert [p.num_rows for p in parts] == [MAX_ROWS, MAX_ROWS, 150_000 - 2 * MAX_ROWS]
    assert pa.Table.from_batches(parts).equals(pa.Table.from_batches([batch]))


def test_heavy_batches_are_cut_by_bytes_and_a_huge_row_stands_alone() -> None:
    sizes = [1, 20 << 20, 20 << 20, 40 << 20, 1, 1]
    parts = list(cut(pa.record_batch({"blob": pa.array([b"x" * size for size in sizes])})))
    assert [len(v) for p in parts for v in p.column(0).to_pylist()] == sizes
    assert all(p.nbytes <= MAX_BYTES for p in parts if p.num_rows > 1)
    assert [p.num_rows for p in parts if p.nbytes > MAX_BYTES] == [1]
