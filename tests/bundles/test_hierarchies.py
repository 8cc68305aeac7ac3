"""`verify` holds acyclic references, their depth, and those within a parent."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest

import bundles
from datagen.synthetic import SyntheticSource
from schemas import parse_schema

TREE = """schema: tree
anchor: 2026-01-01T00:00:00Z
tables:
  firms:
    rows: 6
    columns:
      id: {type: bigint, key: true}
  people:
    rows: 60
    columns:
      id:        {type: bigint, key: true}
      firm_id:   {references: firms.id}
      leader_id: {references: people.id, acyclic: true, depth: 3, null: 0.1}
      head_id:   {references: people.id, acyclic: true}
      deputy_id: {references: people.id, within: firm_id, null: 0.2}
"""


class Pointed:
    """A source of which rows of `people` point to others: `column` maps rows by number to rows by number."""

    kind = "synthetic"

    def __init__(self, column: str, pointed: dict[int, int | None]) -> None:
        self._source = SyntheticSource(parse_schema(TREE))
        self.schema, self.provenance = self._source.schema, self._source.provenance
        self._column, self._pointed = column, pointed

    def read(self, table: str) -> pa.RecordBatchReader:
        rows = self._source.read(table).read_all()
        if table == "people":
            ids, found = rows["id"].to_pylist(), rows[self._column].to_pylist()
            for row, other in self._pointed.items():
                found[row] = None if other is None else ids[other]
            place = rows.column_names.index(self._column)
            rows = rows.set_column(place, self._column, pa.array(found, pa.int64()))
        return rows.cast(self.schema.table(table).arrow).to_reader()


def problems(store, column: str, pointed: dict[int, int | None]) -> list[tuple[str, str | None, int | None, int]]:
    report = bundles.verify(bundles.build(Pointed(column, pointed), store=store))
    assert not report.not_checked
    return [(p.rule, p.column, p.row, p.rows) for p in report.problems]


def test_what_generators_make_holds(store):
    report = bundles.verify(bundles.build(SyntheticSource(parse_schema(TREE)), store=store))
    assert (list(report.problems), list(report.not_checked)) == ([], [])
    assert report.checked["rules"] == 3


def chain(*rows: int) -> dict[int, int | None]:
    return dict(pairwise(rows))


ALONE: dict[int, int | None] = dict.fromkeys(range(60))


@pytest.mark.parametrize(
    ("pointed", "expected"),
    [
        (ALONE | chain(7, 8, 9, 10), []),
        (ALONE | chain(7, 8, 9, 10, 11), [("rule", "leader_id", 7, 1)]),
        (ALONE | chain(9, 8, 7, 6, 5, 4), [("rule", "leader_id", 8, 2)]),
        (ALONE | chain(20, 21, 22, 20), [("rule", "leader_id", 20, 3)]),
        (ALONE | chain(5, 20, 21, 22, 20), [("rule", "leader_id", 20, 3)]),  # row 5 is above nobody
        (ALONE | {30: 30}, [("rule", "leader_id", 30, 1)]),
        (ALONE | chain(*range(60)), [("rule", "leader_id", 0, 56)]),
        (ALONE | chain(*range(60), 0), [("rule", "leader_id", 0, 60)]),
    ],
)
def test_rows_above_themselves_and_too_many_above_each_other_are_found(store, pointed, expected):
    assert problems(store, "leader_id", pointed) == expected


def test_where_no_null_may_be_a_root_refers_to_itself(store):
    alone = {row: row for row in range(60)}
    assert problems(store, "head_id", alone) == []
    assert problems(store, "head_id", alone | {3: 4, 4: 3}) == [("rule", "head_id", 3, 2)]


def test_a_reference_out_of_its_parent_is_found(store):
    people = SyntheticSource(parse_schema(TREE)).read("people").read_all().to_pylist()
    row = next(i for i, p in enumerate(people) if p["deputy_id"] is not None)
    other = next(i for i, p in enumerate(people) if p["firm_id"] != people[row]["firm_id"])
    assert problems(store, "deputy_id", {row: other}) == [("rule", "deputy_id", row, 1)]


def test_only_synthetic_bundles_promise_it(store):
    made = Pointed("leader_id", ALONE | chain(20, 21, 20))
    made.kind = "sanitized"
    made.provenance = {}
    assert list(bundles.verify(bundles.build(made, store=store)).problems) == []
