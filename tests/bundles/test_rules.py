"""Rules over several tables: held when a bundle is built and verified, and those that recipes imply without being written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

import bundles
import datagen
from bundles.errors import ContentInvalid
from datagen import SyntheticSource
from schemas.errors import SchemaError
from schemas.implied_rules import implied_rules
from schemas.reader import parse_schema

HEAD = "schema: shop\nseed: 3\nanchor: 2026-01-01T00:00:00Z\n"
SHOP = (
    HEAD
    + """tables:
  rooms:
    rows: 5
    columns:
      id:        {type: bigint, key: true}
      opened_at: {type: timestamptz, generate: {between: [-3y, -2y]}}
  invoices:
    rows: {per: rooms, count: 4}
    columns:
      id:      {type: bigint, key: true}
      room_id: {references: rooms.id}
      paid_by: {references: rooms.id, null: 0.5}
      total:   {type: "numeric(12,2)", generate: {sum: lines.amount}}
      n:       {type: integer, null: 0.2, generate: {count: lines}}
      opened:  {type: timestamptz, generate: {from: rooms.opened_at}}
      sent_at: {type: timestamptz, generate: {after: rooms.opened_at, within: 90d, at_least: 1h}}
      due:     {type: date, generate: {after: sent_at, within: 30d}}
      drawn:   {type: timestamptz, generate: {before: sent_at, within: 2d}}
      first:   {type: date, null: 0, generate: {earliest: lines.day}}
      last:    {type: date, null: 0, generate: {latest: lines.day}}
    rules:
      adds_up: total = sum(lines.amount)
      few: count(lines) <= 5
      in_order: sent_at >= rooms.opened_at
      mean: abs(avg(lines.amount) * n - total) < 0.01 or n is null or n = 0
  lines:
    rows: {per: invoices, count: {uniform: [0, 5]}}
    columns:
      id:         {type: bigint, key: true}
      invoice_id: {references: invoices.id}
      amount:     {type: "numeric(10,2)", generate: {uniform: [1, 50]}}
      price:      {type: "numeric(10,2)", hidden: true, generate: {uniform: [1, 50]}}
      day:        {type: date, generate: {between: [-1y, now]}}
      opened:     {type: timestamptz, generate: {from: invoices.rooms.opened_at}}
    rules: [amount <= invoice_id.total, invoices.room_id.opened_at <= invoices.sent_at]
"""
)


class Altered:
    """A source whose `column` has `value` in one row of `table`."""

    kind = "synthetic"

    def __init__(self, source: SyntheticSource, table: str, column: str, row: int, value: Any) -> None:
        self._source, self._place, self._value = source, (table, column, row), value
        self.schema, self.provenance = source.schema, source.provenance

    def row_count(self, table: str) -> int:
        return self._source.row_count(table)

    def read_rows(self, table: str, start: int, stop: int) -> pa.RecordBatch:
        batch = self._source.read_rows(table, start, stop)
        changed, column, row = self._place
        if table != changed:
            return batch
        rows = batch.to_pylist()
        rows[row - start][column] = self._value
        return pa.RecordBatch.from_pylist(rows, schema=batch.schema)

    def read(self, table: str) -> pa.RecordBatchReader:
        raise AssertionError("ranges are read")


def source(text: str = SHOP) -> SyntheticSource:
    return SyntheticSource(parse_schema(text, "shop.yaml"))


def unruled() -> SyntheticSource:
    """The shop without the rules that it writes down."""
    schema = parse_schema(SHOP)
    return SyntheticSource(replace(schema, tables=tuple(replace(table, rules=()) for table in schema.tables)))


def test_rules_and_what_recipes_promise_hold_by_construction(store):
    report = bundles.verify(bundles.build(source(), store=store))
    assert (report.problems, report.not_checked) == ((), ())
    assert report.checked["rules"] == 6 + 11
    assert report.checked["checks"] == 0


def test_every_promise_is_a_rule_of_its_own():
    schema = parse_schema(SHOP)
    found = [rule.name for table in schema.tables for rule in implied_rules(schema, table)]
    assert found == ["total", "n", "opened", "sent_at", "sent_at", "due", "drawn", "drawn", "first", "last", "opened"]


NOON = datetime(2025, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("total", Decimal("1.00"), '"total" = sum("lines.amount")'),
        ("n", 77, '"n" = count("lines")'),
        ("opened", NOON, "IS NOT DISTINCT FROM \"rooms.opened_at\""),
        ("sent_at", NOON, 'CAST("sent_at" AS TIMESTAMP) <= CAST("rooms.opened_at" AS TIMESTAMP) + INTERVAL'),
        ("due", datetime(2020, 1, 1, tzinfo=UTC).date(), '<= CAST("due" AS TIMESTAMP)'),
        ("first", datetime(2020, 1, 1, tzinfo=UTC).date(), 'min("lines.day")'),
        ("last", None, 'max("lines.day")'),
    ],
)  # fmt: skip
def test_a_broken_promise_is_told_with_table_column_and_row(store, column, value, what):
    row = next(i for i, r in enumerate(source().read("invoices").read_all().to_pylist()) if r["last"] is not None and r["n"])
    bundle = bundles.build(Altered(unruled(), "invoices", column, row, value), store=store)
    found = [p for p in bundles.verify(bundle).problems if p.column == column]
    assert [(p.rule, p.table, p.row, p.rows) for p in found] == [("rule", "invoices", row, 1)]
    assert f"what the recipe of '{column}' promises" in found[0].what and what in found[0].what


def test_the_sum_and_count_of_no_rows_is_none(store):
    row = next(i for i, r in enumerate(source().read("invoices").read_all().to_pylist()) if r["last"] is None and r["n"] is not None)
    for column, value in (("total", Decimal("0.01")), ("n", 1)):
        bundle = bundles.build(Altered(unruled(), "invoices", column, row, value), store=store)
        assert [(p.column, p.row) for p in bundles.verify(bundle).problems] == [(column, row)]
    with pytest.raises(ContentInvalid, match="rule 'adds_up'"):
        bundles.build(Altered(source(), "invoices", "total", row, Decimal("0.01")), store=store)


@pytest.mark.parametrize(
    ("table", "column", "value", "message"),
    [
        ("lines", "amount", Decimal("49.50"), "table 'invoices': rule 'adds_up' (total = sum(lines.amount)) does not hold for 1 row, first for row 3"),
        ("invoices", "sent_at", datetime(2020, 1, 1, tzinfo=UTC), "table 'invoices': rule 'in_order' (sent_at >= rooms.opened_at) does not hold for 1 row, first for row 7"),
        ("invoices", "total", Decimal("0.01"), "rule (amount <= invoice_id.total) does not hold"),
    ],
)  # fmt: skip
def test_a_build_that_breaks_a_rule_fails_and_leaves_nothing(store, table, column, value, message):
    whole = source().read("lines").read_all().to_pylist()
    row = next(i for i, line in enumerate(whole) if line["invoice_id"] == 4) if table == "lines" else 7
    with pytest.raises(ContentInvalid) as found:
        bundles.build(Altered(source(), table, column, row, value), store=store)
    assert message in str(found.value)
    assert not list(store.layout.blobs.glob("*")) and not bundles.Store(store.path).list()


def test_a_rule_that_a_reference_leaves_open_holds(store):
    text = SHOP.replace(
        "    rules:\n      adds_up", "    rules:\n      payer: paid_by.opened_at < drawn + interval '3 years'\n      adds_up"
    )
    assert bundles.verify(bundles.build(source(text), store=store)).ok
    never = text.replace("paid_by.opened_at < drawn + interval '3 years'", "paid_by.opened_at > drawn + interval '9 years'")
    rows = source().read("invoices").read_all()["paid_by"]
    with pytest.raises(ContentInvalid, match=f"rule 'payer' .* does not hold for {len(rows) - rows.null_count} rows"):
        bundles.build(source(never), store=store)
    paid = text.replace("paid_by.opened_at < drawn + interval '3 years'", "paid_by.opened_at is not null")
    first = rows.is_null().index(True)
    with pytest.raises(ContentInvalid, match=f"rule 'payer' .* does not hold for {rows.null_count} rows, first for row {first}"):
        bundles.build(source(paid), store=store)


def test_a_rule_compares_what_two_references_lead_to(store):
    rule = "room_id.opened_at = paid_by.opened_at or paid_by.id is null"
    table = source().read("invoices").read_all().to_pydict()
    others = [i for i, (a, b) in enumerate(zip(table["room_id"], table["paid_by"], strict=True)) if b not in (a, None)]
    with pytest.raises(ContentInvalid, match=f"does not hold for {len(others)} rows, first for row {others[0]}"):
        bundles.build(source(SHOP.replace("adds_up: total = sum(lines.amount)", f"same: {rule}")), store=store)


def test_a_rule_that_is_one_column_or_over_damaged_rows_is_told(store):
    text = SHOP.replace("      opened_at:", "      open:      {type: boolean, generate: {constant: true}}\n      opened_at:")
    bundle = bundles.build(source(text.replace("adds_up: total = sum(lines.amount)", "open: rooms.open")), store=store)
    assert bundles.verify(bundle).checked["rules"] == 6 + 11
    store.layout.blob_path(bundle.layers("rooms")[0].blob.digest).unlink()
    assert "table 'invoices': rule 'open' (rooms.open): the files of 'rooms' are not whole" in map(str, bundles.verify(bundle).not_checked)


def test_rules_hold_over_composite_references_and_odd_names(store):
    text = (
        HEAD
        + """tables:
  "a.b":
    rows: 6
    key: [x, "y z"]
    columns: {x: {type: integer, generate: sequence}, "y z": {type: integer, generate: {sequence: 5}}, most: {type: integer, generate: {constant: 9}}}
    rules: {few: "count(c) * 3 = most and sum(c.v) between 3 and 27"}
  c:
    rows: {per: "a.b", count: 3}
    columns: {x: {}, z: {}, v: {type: integer, generate: {uniform: [1, 9]}}, id: {type: integer, key: true}}
    foreign_keys: [{columns: [x, z], references: {table: "a.b", columns: [x, "y z"]}}]
    rules: ["v <= \\"a.b\\".most", '"x.most" >= v']
"""
    )
    report = bundles.verify(bundles.build(source(text), store=store))
    assert (report.problems, report.not_checked, report.checked["rules"]) == ((), (), 3)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("total = sum(lins.amount)", "rule: SUM(lins.amount): 'lins.amount' is not `table.column` that references 'invoices'; did you mean 'lines.amount'?"),
        ("total = sum(lines.amont)", "rule: SUM(lines.amont): 'lines' has no column 'amont'; did you mean 'amount'?"),
        ("total = lines.amount", "rule: 'lines.amount' is no column of 'invoices' or of a row that it references; of rows of 'lines' a rule takes the sum, count, min, max or avg"),
        ("totl > 0", "rule: 'totl' is no column of 'invoices' or of a row that it references; did you mean 'total'?"),
        ("total >", "rule: this is not a SQL expression: something is missing at '>', character 7"),
        ("sum(lines.amount + total) > 0", "rule: SUM(lines.amount + total): 'total' is not `table.column` that references 'invoices'"),
        ("sum(lines.price) > 0", "rule: SUM(lines.price): 'price' is hidden, so it is in no bundle"),
        ("count(*) > 0", "rule: COUNT(*) folds over the rows of a table; name it, such as count(table.column)"),
        ("count(rooms) > 0", "rule: COUNT(rooms): 'rooms' does not reference 'invoices', so its rows do not belong to one of these"),
        ("stddev(lines.amount) > 0", "rule: STDDEV is no fold that rules know; they know sum, count, min, max and avg"),
        ("total > (select 1)", "rule: it must be an expression over the columns of one row, not a query"),
        ("1 < 2", "rule: it names no column"),
    ],
)  # fmt: skip
def test_rules_that_mean_nothing_are_told_at_their_place(rule, message):
    text = SHOP.replace("total = sum(lines.amount)", rule)
    with pytest.raises(SchemaError) as found:
        parse_schema(text, "shop.yaml")
    line = text[: text.index("adds_up")].count("\n") + 1
    assert str(found.value) == f"shop.yaml:{line}:16: {message}"


def test_a_rule_over_what_the_database_computes_is_refused_without_a_hint_at_itself():
    columns = "{id: {type: integer, key: true}, next: {type: integer, computed: id + 1}}"
    with pytest.raises(SchemaError, match="'next' is computed by the database, so it is not known when values are made$"):
        parse_schema(f"{HEAD}tables:\n  t: {{rows: 3, columns: {columns}, rules: [next > 0]}}\n")


def test_only_synthetic_bundles_keep_the_promises_of_recipes(store):
    made = Altered(unruled(), "invoices", "total", 0, Decimal("-5"))
    made.kind = "sanitized"
    assert bundles.verify(bundles.build(made, store=store)).ok


PLANS = """tables:
  rooms:
    rows: 30
    columns:
      id:     {type: bigint, key: true}
      opens:  {type: timestamptz, generate: {between: [-3y, -1y]}}
      closes: {type: timestamptz, generate: {after: opens, within: 1y}}
      last:   {type: timestamptz, null: 0, generate: {latest: visits.starts}}
  visits:
    rows: {per: rooms, count: 5}
    columns:
      id:      {type: bigint, key: true}
      room_id: {references: rooms.id}
      starts:  {type: timestamptz, generate: {slot: {gap: {exponential: 20d}, length: 1h, after: rooms.opens}}}
      closes:  {type: timestamptz, null: 0, generate: {from: room_id.closes}}
    rules: [starts <= anchor()]
"""


def test_times_that_lie_ahead_of_the_moment_of_a_state_break_no_promise(store):
    state = datagen.source(parse_schema(HEAD + PLANS), as_of="-600d")
    rooms, visits = (state.read(t).read_all() for t in ("rooms", "visits"))
    assert rooms["last"].null_count > 0 and visits["closes"].null_count > visits["starts"].null_count == 0
    report = bundles.verify(bundles.build(state, store=store))
    assert (list(report.problems), list(report.not_checked)) == ([], [])
    whole = Altered(SyntheticSource(parse_schema(HEAD + PLANS)), "rooms", "last", 0, None)
    assert [p.column for p in bundles.verify(bundles.build(whole, store=store)).problems] == ["last"]


def test_the_anchor_is_a_word_of_rules_and_of_no_check(store):
    bundles.build(SyntheticSource(parse_schema(HEAD + PLANS)), store=store)
    with pytest.raises(ContentInvalid, match=r"rule \(starts > anchor\(\)\) does not hold for 150 rows"):
        bundles.build(SyntheticSource(parse_schema(HEAD + PLANS.replace("starts <=", "starts >"))), store=store)
    with pytest.raises(SchemaError, match=r"shop.yaml:19:14: check: anchor\(\) is for rules and the recipes of columns"):
        parse_schema(HEAD + PLANS.replace("rules:", "checks:"), "shop.yaml")
