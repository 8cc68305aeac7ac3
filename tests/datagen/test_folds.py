"""Totals over the rows of another table: they are right, and the same whether those rows were made before or not."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import bundles
from datagen import folds
from datagen.blocks import BLOCK_ROWS
from datagen.errors import GenerationFailed
from datagen.rows import Rows
from datagen.synthetic import SyntheticSource, source
from tests.datagen.making import source_of

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
BLOCK = BLOCK_ROWS


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


def test_sums_counts_and_extremes_are_those_of_the_children():
    text = """tables:
  orders:
    rows: 300
    columns:
      id:    {type: bigint, key: true}
      total: {type: "numeric(12,2)", generate: {sum: lines.amount}}
      lines: {type: integer, generate: {count: lines}}
      first: {type: date, null: 0, generate: {earliest: lines.day}}
      last:  {type: date, null: 0, generate: {latest: lines.day}}
      votes: {type: integer, generate: {count: votes}}
  lines:
    rows: {per: orders, count: {uniform: [0, 5]}}
    columns:
      id:       {type: bigint, key: true}
      order_id: {references: orders.id}
      amount:   {type: "numeric(10,2)", generate: {lognormal: {median: 20, sigma: 1}, max: 900}}
      day:      {type: date, generate: {between: [-1y, now]}}
  votes:
    rows: 1000
    columns:
      id:       {type: bigint, key: true}
      order_id: {references: orders.id, null: 0.2}
"""
    made = source_of(text)
    orders, lines, votes = (made.read(n).read_all().to_pylist() for n in ("orders", "lines", "votes"))
    for order in orders:
        own = [x for x in lines if x["order_id"] == order["id"]]
        assert order["total"] == sum(x["amount"] for x in own) and order["lines"] == len(own)
        assert order["first"] == min((x["day"] for x in own), default=None)
        assert order["last"] == max((x["day"] for x in own), default=None)
        assert order["votes"] == sum(v["order_id"] == order["id"] for v in votes)
    assert made.read_rows("orders", 100, 120).to_pylist() == orders[100:120]


@pytest.mark.parametrize(
    ("total", "amounts", "expected"),
    [
        ("integer", "0.50, 0.50", 1),
        ("bigint", "-0.25, -0.25", -1),
        ("smallint", "0.24, 0.25", 0),
        ('"numeric(9,1)"', "0.04, 0.04", Decimal("0.1")),
        ('"numeric(9,1)"', "-0.04, -0.01", Decimal("-0.1")),
        ('"numeric(9,2)"', "0.04, 0.04", Decimal("0.08")),
        ('"numeric(9,3)"', "0.04, 0.04", Decimal("0.080")),
    ],
)
@pytest.mark.parametrize("rows", ["{per: p, count: 2}", "{fixed: 2}"])
def test_a_sum_with_fewer_decimals_is_rounded_once(total, amounts, expected, rows, tmp_path):
    made = source_of(f"""tables:
  p: {{rows: {{fixed: 1}}, columns: {{id: {{type: bigint, key: true}}, total: {{type: {total}, generate: {{sum: c.amount}}}}}}}}
  c:
    rows: {rows}
    columns:
      id: {{type: bigint, key: true}}
      p:  {{references: p.id}}
      amount: {{type: "numeric(9,2)", generate: {{list: [{amounts}]}}}}
""")
    assert made.read("p").read_all()["total"].to_pylist() == [expected]
    report = bundles.verify(bundles.build(made, store=tmp_path))
    assert (report.problems, report.checked["rules"]) == ((), 1)


EXTREMES = """tables:
  p:
    rows: {fixed: 4}
    columns:
      id:    {type: bigint, key: true}
      first: {type: bigint, null: 0, generate: {earliest: c.v}}
      last:  {type: bigint, null: 0, generate: {latest: c.v}}
  c:
    rows: %s
    columns:
      id: {type: bigint, key: true}
      p:  {references: p.id}
      v:  {type: bigint, generate: {list: [%d, %d]}}
"""


@pytest.mark.parametrize("rows", ["{per: p, count: {uniform: [0, 2]}}", "{fixed: 5}"])
@pytest.mark.parametrize(("low", "high"), [(2**62, 2**63 - 2), (2**62 + 1, 2**62 + 2), (2 - 2**63, -(2**62)), (2 - 2**63, 2**63 - 2)])
def test_extremes_of_the_largest_numbers_are_those_of_the_children(low, high, rows):
    made = source_of(EXTREMES % (rows, low, high))
    children = made.read("c").read_all().to_pylist()
    assert children
    for parent in made.read("p").read_all().to_pylist():
        own = [c["v"] for c in children if c["p"] == parent["id"]]
        assert (parent["first"], parent["last"]) == (min(own, default=None), max(own, default=None))


def test_an_extreme_that_could_not_be_told_from_none_is_refused():
    made = source_of(EXTREMES % ("{per: p, count: 2}", 2**63 - 1, 2**63 - 1))
    with pytest.raises(GenerationFailed, match=r"p\.first cannot be made: a value of c\.v is at the very end of 64 bits"):
        made.read("p").read_all()
