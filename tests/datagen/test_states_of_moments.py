"""States: what existed at a moment, as it was then, and nothing that came later."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import bundles
import datagen
from datagen.state_source import StateSource
from schemas.reader import parse_schema
from tests.datagen.making import HEAD, source_of
from tests.spread import one_in

MOMENTS = ("2022-03-01", "2024-02-29T12:30:00Z", "2025-11-30T23:59:59Z")
SCALE = 0.15


@pytest.fixture(scope="module")
def whole():
    return datagen.source("companyos", scale=SCALE)


@pytest.fixture(scope="module")
def states():
    return {moment: datagen.source("companyos", scale=SCALE, as_of=moment) for moment in MOMENTS}


def instant(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)


@cache
def keyed(source, name: str) -> dict[tuple, dict]:
    return {tuple(row[k] for k in source.schema.table(name).key): row for row in source.read(name).read_all().to_pylist()}


def keys(source, name: str) -> set[tuple]:
    rows = source.read(name).read_all().select(source.schema.table(name).key)
    return set(zip(*(column.to_pylist() for column in rows.columns), strict=True))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.slow
def test_states_of_the_company_keep_every_key_reference_and_check(states, tmp_path, moment):
    made = bundles.build(states[moment], store=tmp_path, tag="s:v1")
    report = bundles.verify(made)
    assert report.ok, [str(p) for p in report.problems]
    assert made.provenance["as_of"].startswith(moment[:10])
    assert 0 < made.tables["users"].rows < datagen.source("companyos", scale=SCALE).row_count("users")


@pytest.mark.parametrize("moment", one_in(2, MOMENTS))
def test_no_time_of_the_company_lies_after_the_moment(states, moment):
    source = states[moment]
    now = datetime.fromisoformat(moment)
    now = now if now.tzinfo else now.replace(tzinfo=UTC)
    looked_at = 0
    for table in source.schema.tables:
        rows = source.read(table.name).read_all()
        for column in table.stored_columns:
            if column.type.kind in ("date", "timestamp", "timestamptz"):
                assert not column.ever, "the company has no plans that are stored"
                values = rows.column(column.name).drop_null()
                looked_at += len(values)
                assert not len(values) or instant(pc.max(values).as_py()) <= now, (table.name, column.name)
    assert looked_at > 500


def test_the_state_of_the_anchor_is_the_whole(whole, tmp_path):
    then = datagen.source("companyos", scale=SCALE, as_of="2026-01-01T00:00:00Z")
    one, two = (bundles.build(s, store=tmp_path, tag=f"s:{i}") for i, s in enumerate((whole, then)))
    assert one.content_digest == two.content_digest
    assert "as_of" not in one.provenance


@pytest.mark.slow
def test_rows_that_are_never_deleted_stay(whole, states):
    for table in whole.schema.tables:
        found = [keys(states[m], table.name) for m in MOMENTS] + [keys(whole, table.name)]
        assert all(a <= b for a, b in pairwise(found)), table.name


def test_outcomes_are_not_known_before_they_are_there(whole, states):
    moment = MOMENTS[1]
    now, then = datetime.fromisoformat(moment), states[moment]
    invoices, later = keyed(then, "invoices"), keyed(whole, "invoices")
    paid_since = [key for key in invoices if later[key]["paid_at"] and later[key]["paid_at"] > now]
    assert paid_since
    assert all(invoices[k]["status"] in ("open", "overdue") and invoices[k]["paid_at"] is None for k in paid_since)
    assert all(invoices[k] == later[k] for k in invoices if later[k]["paid_at"] and later[k]["paid_at"] <= now)
    for key, run in keyed(then, "workflow_runs").items():
        if run["finished_at"] is None:
            assert run["status"] in ("queued", "running") and run["error"] is None, key
    events, deliveries = keyed(then, "webhook_events"), Counter(k[0] for k in keyed(then, "webhook_deliveries"))
    assert all(deliveries[key[0]] == event["attempts"] for key, event in events.items())
    users = Counter(row["tenant_id"] for row in keyed(then, "users").values())
    assert all(users[key[0]] == tenant["user_count"] for key, tenant in keyed(then, "tenants").items())
    trials = [t for t in keyed(datagen.source("companyos", scale=1, as_of=moment), "tenants").values() if t["first_subscribed_on"] is None]
    assert trials, "some tenants are in their trial"
    canceled = [k for k, s in keyed(whole, "subscriptions").items() if s["canceled_on"] and instant(s["canceled_on"]) > now]
    assert all(keyed(then, "subscriptions")[k]["status"] != "canceled" for k in canceled if k in keyed(then, "subscriptions"))


def test_references_to_what_comes_later_are_null_until_it_is_there(whole, states):
    then, later = keyed(states[MOMENTS[1]], "users"), keyed(whole, "users")
    waiting = [k for k, row in then.items() if row["manager_id"] is None and later[k]["manager_id"] is not None]
    assert waiting
    assert all((later[k]["manager_id"],) not in then for k in waiting)
    assert all(then[k]["manager_id"] == later[k]["manager_id"] for k in then.keys() - set(waiting))


def test_before_everything_only_timeless_tables_hold_rows(tmp_path):
    made = bundles.build(datagen.source("companyos", scale=SCALE, as_of="1969-07-20"), store=tmp_path, tag="s:v1")
    assert bundles.verify(made).ok
    assert {name for name, table in made.tables.items() if table.rows} == {"plans", "roles", "support_agents"}


def test_any_rows_alone_and_any_number_of_threads_give_the_same_state(tmp_path):
    text = """tables:
  t:
    rows: 200000
    columns:
      id: {type: bigint, key: true}
      at: {type: timestamptz, generate: {between: [-2y, now]}}
      n:  {type: integer, generate: {uniform: [1, 9]}}
"""
    source = source_of(text, as_of="-1y")
    rows = source.read("t").read_all()
    assert rows.num_rows == source.row_count("t") == pytest.approx(100_000, abs=2000)
    for start, stop in ((0, 1), (32_000, 33_500), (0, rows.num_rows), (rows.num_rows, rows.num_rows), (rows.num_rows - 3, rows.num_rows)):
        assert pa.Table.from_batches([source.read_rows("t", start, stop)]).equals(rows.slice(start, stop - start).combine_chunks())
    ids = rows.column("id").to_numpy()
    assert (np.diff(ids) > 0).all() and ids[-1] > 190_000, "keys are those of the whole history"
    made = [bundles.build(source_of(text, as_of="-1y"), store=tmp_path, tag=f"s:{jobs}", jobs=jobs, chunk_rows=65_536) for jobs in (1, 3)]
    assert made[0].manifest_digest == made[1].manifest_digest


@pytest.mark.parametrize(
    ("as_of", "text"),
    [
        (date(2025, 6, 1), "2025-06-01"),
        (datetime(2025, 6, 1, 12, 30), "2025-06-01T12:30:00Z"),
        (datetime(2025, 6, 1, 12, 30, tzinfo=timezone(timedelta(hours=2))), "2025-06-01T10:30:00Z"),
    ],
)
def test_a_moment_may_be_a_date_of_python(as_of, text):
    source = source_of(TASKS, as_of=as_of)
    assert source.provenance["as_of"] == source_of(TASKS, as_of=text).provenance["as_of"]


@pytest.mark.parametrize(
    ("as_of", "words"),
    [
        ("2026-01-02", "lies after the anchor"),
        ("soon", "'soon' is no moment"),
        ("1d", "lies after the anchor"),
        ("-99999y", "'-99999y' lies outside of the years 1 to 9999"),
        (-(10**18), "outside of the years"),
    ],
)
def test_moments_outside_the_history_are_refused(as_of, words):
    with pytest.raises(Exception, match=words) as found:
        datagen.source("companyos", as_of=as_of)
    assert found.value.exit_code == 2  # type: ignore[attr-defined]


CIRCLE = """tables:
  a:
    rows: 300
    columns:
      id: {type: bigint, key: true}
      at: {type: timestamptz, generate: {between: [-2y, now]}}
      b:  {references: b.id}
  b:
    rows: 300
    columns:
      id: {type: bigint, key: true}
      at: {type: timestamptz, generate: {between: [-2y, now]}}
      a:  {references: a.id}
      me: {references: b.id}
"""


def test_rows_that_must_reference_each_other_exist_together():
    source = source_of(CIRCLE, as_of="-3d")
    now = source.schema.anchor - 3 * 86_400_000_000
    whole = {name: keyed(source_of(CIRCLE), name) for name in "ab"}
    there = {name: {k for k, row in rows.items() if row["at"].timestamp() * 1e6 <= now} for name, rows in whole.items()}
    while True:
        kept = {
            "a": {k for k in there["a"] if (whole["a"][k]["b"],) in there["b"]},
            "b": {k for k in there["b"] if (whole["b"][k]["a"],) in there["a"] and (whole["b"][k]["me"],) in there["b"]},
        }
        if kept == there:
            break
        there = kept
    assert {name: set(keyed(source, name)) for name in "ab"} == there
    assert 0 < len(there["a"]) < 300


TASKS = """tables:
  lists:
    rows: 50
    lives: {from: opened_on, until: closed_at}
    columns:
      id:        {type: bigint, key: true}
      opened_on: {type: date, generate: {between: [-2y, now]}}
      closed_at: {type: timestamptz, null: 0.3, generate: {after: opened_on, within: 1y, until: 1y}}
      tasks:     {type: integer, generate: {count: tasks}}
      tasks_in_all: {type: integer, ever: true, generate: {count: tasks}}
      first:     {type: timestamptz, null: 0, generate: {earliest: tasks.at}}
  tasks:
    rows: {per: lists, count: {poisson: 4}}
    columns:
      id:      {type: bigint, key: true}
      list_id: {references: lists.id}
      at:      {type: timestamptz, generate: {after: list_id.opened_on, within: 1y}}
      due_at:  {type: timestamptz, null: 0.2, ever: true, generate: {after: at, within: 90d, until: 90d}}
      done_at: {type: timestamptz, null: 0.2, generate: {after: at, within: 90d, until: 90d}}
"""


def test_rows_end_with_what_they_must_reference_and_counts_see_what_exists():
    now = datetime(2025, 6, 1, tzinfo=UTC)
    source, history = source_of(TASKS, as_of="2025-06-01"), source_of(TASKS)
    assert isinstance(history, StateSource), "a bundle is the state of the anchor, without what was deleted"
    lists, tasks = keyed(source, "lists"), keyed(source, "tasks")
    assert lists and all(row["closed_at"] is None for row in lists.values())
    found = Counter(task["list_id"] for task in tasks.values())
    assert all(found[key[0]] == row["tasks"] <= row["tasks_in_all"] for key, row in lists.items())
    assert any(row["tasks"] < row["tasks_in_all"] for row in lists.values())
    firsts = {key[0]: min((t["at"] for t in tasks.values() if t["list_id"] == key[0]), default=None) for key in lists}
    assert all(firsts[key[0]] == row["first"] for key, row in lists.items())
    assert any(t["due_at"] and t["due_at"] > now for t in tasks.values()), "a plan may lie ahead"
    assert all(t["done_at"] is None or t["done_at"] <= now for t in tasks.values())
    assert history.row_count("lists") < 50


def test_a_table_that_always_lives_has_all_its_rows():
    text = TASKS.replace("lives: {from: opened_on, until: closed_at}", "lives: always")
    assert source_of(text, as_of="2000-01-01").row_count("lists") == 50


def test_a_value_that_cannot_be_there_yet_is_an_error_that_says_what_to_do():
    text = TASKS.replace("first:     {type: timestamptz, null: 0,", "first:     {type: timestamptz,").replace("{poisson: 4}", "3")
    with pytest.raises(
        datagen.GenerationFailed, match=r"lists\.first: some rows are referenced by none, and the column is NOT NULL; add `null: 0`"
    ):
        source_of(text, as_of="2025-06-01").read("lists").read_all()


def test_what_is_referenced_may_not_change_over_time():
    text = TASKS.replace("first: ", "code: {type: text, unique: true, generate: {template: '{id}-{tasks}'}}\n      first: ")
    text += "      code:    {references: lists.code, null: 0.5}\n"
    with pytest.raises(datagen.RecipeError, match=r"lists\.code is referenced and changes over time"):
        source_of(text, as_of="2025-06-01")


def test_tables_without_times_of_events_live_as_long_as_their_parents():
    schema = parse_schema(HEAD + TASKS)
    from schemas.lives import lives_of, spoken

    assert [(lives_of(t).begins, lives_of(t).ends) for t in schema.tables] == [("opened_on", "closed_at"), ("at", None)]
    assert spoken(schema) == ["as of a moment (--as-of-state) rows exist from lists.opened_on until closed_at, tasks.at"]


def test_the_company_grows_every_year(whole):
    for table, column in (("tenants", "created_at"), ("users", "created_at"), ("sessions", "started_at"), ("workflow_runs", "started_at")):
        years = Counter(t.year for t in whole.read(table).read_all().column(column).to_pylist())
        numbers = [years[y] for y in range(2022, 2026)]
        assert numbers == sorted(numbers) and numbers[-1] > 2 * numbers[0], (table, numbers)


def test_rows_that_do_not_exist_need_no_values():
    text = TASKS.replace("lives: {from: opened_on, until: closed_at}", "lives: {from: first, until: closed_at}").replace(
        "{poisson: 4}", "3"
    )
    text = text.replace(
        "first:     {type: timestamptz, null: 0,",
        "again: {type: timestamptz, generate: {earliest: tasks.at}}\n      first:     {type: timestamptz,",
    )
    text += "      began:   {type: timestamptz, generate: {from: list_id.again}}\n"
    source = source_of(text, as_of="2025-06-01")
    lists, tasks = keyed(source, "lists"), keyed(source, "tasks")
    assert 0 < len(lists) < 50
    assert all(row["again"] == row["first"] for row in lists.values())
    assert all(row["began"] == lists[row["list_id"],]["first"] <= row["at"] for row in tasks.values())
