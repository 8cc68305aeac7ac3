"""Totals over the rows of another table are the same whether those rows were made before or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from datagen import folds
from datagen.rows import Rows
from datagen.synthetic import SyntheticSource, source

SCHEMA = """
schema: shop
seed: 3
anchor: 2026-01-01T00:00:00Z
tables:
  orders:
    rows: 70000
    columns:
      id:     {type: bigint, key: true}
      day:    {type: date, generate: {between: [2020-01-01, 2025-01-01]}}
      total:  {type: "numeric(18,2)", generate: {sum: lines.amount}}
      lines:  {type: integer, generate: {count: lines}}
      first:  {type: date, null: 0, generate: {earliest: lines.sent}}
      last:   {type: date, null: 0, generate: {latest: lines.sent}}
  lines:
    rows: {per: orders, count: {uniform: [0, 5]}}
    columns:
      id:       {type: bigint, key: true}
      order_id: {references: orders.id}
      amount:   {type: "numeric(12,2)", generate: {uniform: [-50.00, 100.00]}}
      sent:     {type: date, generate: {after: orders.day, within: 30d}}
"""
BLOCK = folds.BLOCK_ROWS


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.yaml"
    path.write_text(SCHEMA)
    return path


@pytest.fixture(scope="module")
def alone(shop: Path) -> pa.Table:
    """The orders of a source that has made no line."""
    return orders(source(shop))


def orders(made: SyntheticSource) -> pa.Table:
    return pa.Table.from_batches([made.read_rows("orders", 0, 70_000)])


def make_lines(made: SyntheticSource, blocks: list[int]) -> None:
    count = made.row_count("lines")
    for block in blocks:
        made.read_encoded("lines", block * BLOCK, min(block * BLOCK + BLOCK, count))


class Counted:
    """Notes the rows of `lines` that are made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows = 0
        links = Rows.family_parents

        def counted(rows: Rows) -> np.ndarray:
            self.rows += len(rows)
            return links(rows)

        monkeypatch.setattr(Rows, "family_parents", counted)


@pytest.mark.parametrize("blocks", [[0, 1, 2], [2, 0, 1], [1], [0, 2]])
def test_totals_do_not_depend_on_the_rows_that_were_made_before(shop: Path, alone: pa.Table, blocks: list[int]) -> None:
    made = source(shop)
    assert made.row_count("lines") > 2 * BLOCK
    make_lines(made, blocks)
    assert orders(made).equals(alone)
    assert made.read_rows("orders", 1234, 66_001).equals(alone.slice(1234, 66_001 - 1234).combine_chunks().to_batches()[0])


@pytest.mark.parametrize("ranges", [[(0, 2), (2, 3)], [(0, 3)], [(1, 3)], [(0, 2), (1, 3)], [(1, 2), (0, 2), (2, 3)]])
def test_totals_do_not_depend_on_how_many_blocks_were_made_together(shop: Path, alone: pa.Table, ranges: list[tuple[int, int]]) -> None:
    made = source(shop)
    count = made.row_count("lines")
    for first, stop in ranges:
        made.plan.foldings.leave(Rows(made.plan.tables, "lines", range(first * BLOCK, min(stop * BLOCK, count))), count)
    assert orders(made).equals(alone)
    assert made.read_rows("orders", 1234, 66_001).equals(alone.slice(1234, 66_001 - 1234).combine_chunks().to_batches()[0])


def test_blocks_made_together_are_not_made_again_for_totals(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = source(shop)
    for batch in made.read("lines"):
        assert batch.num_rows
    lines = Counted(monkeypatch)
    orders(made)
    assert lines.rows == 0


def test_rows_that_were_made_before_are_not_made_again_for_totals(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cold, warm = source(shop), source(shop)
    make_lines(warm, [0, 1, 2])
    lines = Counted(monkeypatch)
    orders(cold)
    assert lines.rows > 2 * BLOCK
    lines.rows = 0
    orders(warm)
    assert lines.rows == 0


def test_what_is_left_for_totals_stays_within_its_bytes(shop: Path, alone: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folds, "_MOST_BYTES", 500_000)
    made = source(shop)
    make_lines(made, [0, 1, 2])
    left = sum(part.folds.nbytes for folding in made.plan.foldings.of("lines") for part in folding.parts.values())
    assert 0 < left <= 500_000
    assert orders(made).equals(alone)


def test_parts_of_blocks_are_left_alone(shop: Path, alone: pa.Table) -> None:
    made = source(shop)
    made.read_rows("lines", 10, 5000)
    made.read_rows("lines", 0, 5000)
    assert not any(folding.parts for folding in made.plan.foldings.of("lines"))
    assert orders(made).equals(alone)


def test_a_total_beyond_64_bits_is_refused_as_ever(shop: Path, tmp_path: Path) -> None:
    path = tmp_path / "wide.yaml"
    path.write_text(
        SCHEMA.replace("numeric(12,2)", "numeric(18,0)").replace("[-50.00, 100.00]", "[9e17, 9.9e17]").replace("(18,2)", "(30,0)")
    )
    messages = []
    for blocks in ([], [0, 1, 2]):
        made = source(path)
        make_lines(made, blocks)
        with pytest.raises(Exception, match=r"orders\.total") as caught:
            orders(made)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
