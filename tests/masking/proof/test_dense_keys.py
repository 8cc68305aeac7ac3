"""Keys that lie dense: ranges that overlap stop nothing, and columns, texts and documents that hold the keys themselves stop the run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from masking.errors import Survivors
from masking.keys import read_key
from masking.known import KnownPlace, KnownValues
from masking.known.dense import BLOCK, DenseNumbers
from masking.masked import MaskedSource
from masking.policy.reader import parse_policy
from masking.proof import Copies, Examined, Scanner, ScanReport, column_entries, copies, examined
from masking.proof.copies import CopiesFound
from tests.masking.memory_source import MemorySource

POLICY = """
policy: p
tables:
  users:
    columns:
      id: {class: direct, entity: person_id, mask: hash}
      old_id: {class: public, entity: person_id, mask: keep}
      note: {class: public, mask: keep}
      document: {class: public, mask: keep}
  addresses:
    columns:
      id: {class: public, entity: person_id, mask: keep}
"""
COLUMNS: list[Examined] = examined(column_entries(parse_policy(POLICY)))
PLACE = KnownPlace("users.id", "person_id")


def judged(ids: np.ndarray, name: str, output: pa.Array, keys: tuple[str, ...] = ("users.id", "addresses.id")) -> ScanReport:
    known = KnownValues(b"a secret of the tests")
    known.add(PLACE, pa.array(ids))
    scanner = Scanner(known, COLUMNS, common_words=False, keys=keys)
    table, _, column = name.partition(".")
    scanner.see(table, pa.record_batch({column: output}))
    return scanner.report()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2_000_000), st.integers(100, 30_000), st.floats(0, 0.4), st.integers(0, 2_000_000), st.integers(1, 30_000), st.booleans()
)
@example(10_001, 60_000, 0.0, 1, 60_000, True)
@example(10_001, 60_000, 0.0, 10_001, 60_000, True)
@example(1, 30_000, 0.0, 1, 30_000, True)
@example(1, 30_000, 0.0, 1, 20_000, False)
def test_ranges_that_overlap_stop_nothing(first: int, count: int, gone: float, other: int, others: int, is_key: bool) -> None:
    """Keys of another table, or (where both ends differ) numbers of any public column, whatever the ranges and gaps of the ids are."""
    if not is_key and abs(first - other) < 1000 and abs(first + count - other - others) < 1000:
        others += 40_000
    rng = np.random.default_rng(first)
    ids = np.arange(first, first + count)[rng.random(count) >= gone]
    report = judged(ids, "addresses.id", pa.array(np.arange(other, other + others)), ("addresses.id",) if is_key else ())
    assert report.survivors == 0, [(f.values, f.expected, f.threshold) for f in report.found]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5_000_000), st.integers(2000, 30_000), st.floats(0, 0.4), st.floats(0.3, 1))
@example(10_001, 60_000, 0.0, 1.0)
def test_a_forgotten_copy_of_the_ids_is_found(first: int, count: int, gone: float, share: float) -> None:
    rng = np.random.default_rng(count)
    ids = np.arange(first, first + count)[rng.random(count) >= gone]
    copied = rng.permutation(ids)[: max(int(share * len(ids)), 300)]
    assert judged(ids, "users.old_id", pa.array(copied)).survivors > len(copied) / 2


def test_numbers_from_the_least_id_to_the_greatest_are_no_copy_where_others_are_between_them() -> None:
    ids = np.arange(10_001, 50_001)[np.random.default_rng(5).random(40_000) >= 0.4]
    assert judged(ids, "users.old_id", pa.array(np.arange(ids[0], ids[-1] + 1))).survivors == 0


@pytest.mark.parametrize("written", ["asked by {} today".format, lambda i: json.dumps({"customer": {"id": i}})])
def test_ids_in_all_texts_of_a_column_are_found(written: Callable[[int], str]) -> None:
    ids = np.arange(1_000_001, 1_020_001)
    texts = pa.array([written(int(i)) for i in ids[::-1]])
    assert judged(ids, "addresses.id", texts).survivors == 0, "it is a key of another table"
    assert judged(ids, "users.note", texts).survivors > 10_000


# --- row by row --------------------------------------------------------------------------------------------------------------

SCHEMA = """
schema: crm
tables:
  users:
    rows: 600
    columns:
      id: {type: bigint, key: true}
      old_id: {type: bigint, generate: {constant: 1}}
      note: {type: text, generate: {constant: x}}
      document: {type: json, generate: {constant: x}}
"""
RUN = POLICY[: POLICY.index("  addresses:")]


def run(change: Callable[[int], dict[str, Any]]) -> None:
    rows = [{"id": i, "old_id": 7, "note": "nothing", "document": "{}"} | change(i) for i in range(10_001, 10_601)]
    source = MaskedSource(MemorySource.of(SCHEMA, users=rows), parse_policy(RUN), read_key("ephemeral"))
    source.prepare()
    for _ in source.read("users"):
        pass
    assert source.provenance["certificate"]


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("old_id", lambda i: {"old_id": i}),
        ("old_id", lambda i: {"old_id": i if i % 9 == 0 else 3}),
        ("note", lambda i: {"note": f"customer {i} called"}),
        ("document", lambda i: {"document": json.dumps({"by": {"id": i}})}),
    ],
)
def test_ids_in_their_own_rows_stop_the_run(column: str, change: Callable[[int], dict[str, Any]]) -> None:
    with pytest.raises(Survivors, match=rf"users\.{column}"):
        run(change)


@pytest.mark.parametrize(
    "change",
    [lambda i: {"old_id": (i * 7919) % 600 + 10_301, "note": f"number {(i * 31) % 600 + 10_301}"}, lambda i: {}],
)
def test_numbers_of_other_rows_do_not_stop_it(change: Callable[[int], dict[str, Any]]) -> None:
    run(change)


@settings(max_examples=60, deadline=None)
@given(st.integers(20, 3000), st.integers(1, 3000), st.integers(0, 2**32))
def test_what_another_row_holds_by_chance_is_counted_as_such(rows: int, different: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mine, theirs = (pa.array(rng.integers(1, different + 1, rows)) for _ in range(2))
    (found,) = copies({"id": mine}, {"rank": theirs}).values()
    assert found.own == np.count_nonzero(mine.to_numpy() == theirs.to_numpy()) and (found.own == 0 or found.other <= rows)


@pytest.mark.parametrize(("own", "passes"), [(616, True), (617, False)])
def test_values_of_their_own_rows_beyond_what_others_hold_are_copies(own: int, passes: bool) -> None:
    """Of 10,000 cells 400 hold the value of another row, in the mean of eight: chance explains 616 of their own."""
    counts = Copies()
    counts.add("users", {("id", "rank"): CopiesFound(10_000, own, 400.0, np.arange(100, dtype=np.uint64))})
    assert [entry["copied"] for entry in counts.document()] == [not passes]


# --- the blocks --------------------------------------------------------------------------------------------------------------


def test_numbers_far_apart_are_not_dense_and_gaps_lower_what_is_met() -> None:
    dense = DenseNumbers()
    dense.add(pa.array(range(0, 100_000, 100)))
    dense.settle()
    assert dense.bounds is None and dense.met_by(np.arange(1000)) == 0
    dense.add(pa.array(range(1_000_000, 1_000_000 + 4 * BLOCK * 2, 2)))
    dense.settle()
    assert dense.bounds == (1_000_000, 1_000_000 + 4 * BLOCK * 2 - 2)
    assert dense.met_by(np.arange(1_000_000, 1_000_000 + 4 * BLOCK * 2 - 1)) == pytest.approx(4 * BLOCK, rel=0.01)
