"""Times, rhythm and state machines."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from datagen.errors import GenerationFailed, RecipeError
from tests.datagen.making import column_of, source_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALARM = 1e-6


def test_times_between_two_moments_are_uniform_and_within_them():
    found = column_of("{between: [-10d, now]}", "timestamptz", 20_000).to_pylist()
    assert min(found) >= NOW - timedelta(days=10) and max(found) <= NOW
    share = [(f - (NOW - timedelta(days=10))) / timedelta(days=10) for f in found]
    assert stats.kstest(share, "uniform").pvalue > ALARM


def test_dates_include_both_ends_and_times_of_day_their_hours():
    assert set(column_of("{between: [2025-12-30, 2026-01-01]}", "date", 500).to_pylist()) == {date(2025, 12, 30), date(2025, 12, 31), date(2026, 1, 1)}  # fmt: skip
    clock = column_of('{between: ["08:00", "18:00"]}', "time", 2000).to_pylist()
    assert min(clock) >= time(8) and max(clock) <= time(18)


def test_office_rhythm_favours_working_hours_and_stays_within_the_period():
    found = column_of("{between: [2025-03-01, 2025-06-01], rhythm: office}", "timestamptz", 20_000).to_pylist()
    assert min(found) >= datetime(2025, 3, 1, tzinfo=UTC) and max(found) <= datetime(2025, 6, 1, tzinfo=UTC)
    weekend = sum(f.weekday() >= 5 for f in found)
    night = sum(f.hour < 6 for f in found)
    assert weekend < 1000 and night < 600


def test_a_rhythm_of_ones_own_gives_hours_without_weight_nothing():
    hours = "[" + ", ".join("1" if h in (9, 10) else "0" for h in range(24)) + "]"
    found = column_of(f"{{between: [-60d, now], rhythm: {{hours: {hours}}}}}", "timestamptz", 5000).to_pylist()
    counts = Counter(f.hour for f in found)
    assert set(counts) == {9, 10}
    assert stats.binomtest(counts[9], 5000, 0.5).pvalue > ALARM


@pytest.mark.parametrize(
    ("days", "period", "type"),
    [
        ({5, 6}, "2023-02-27, 2024-03-01", "date"),  # ends on a Friday
        ({6}, "2025-10-25, 2025-11-05", "timestamptz"),
        ({0}, "2025-10-31, 2025-11-11", "timestamp"),  # begins on a Friday
    ],
)
def test_on_days_without_weight_nothing_happens_in_weeks_that_are_cut_off_either(days, period, type):
    weights = [int(day in days) for day in range(7)]
    found = column_of(f"{{between: [{period}], rhythm: {{days: {weights}}}}}", type, 3000).to_pylist()
    assert {moment.weekday() for moment in found} == days


JULY = "[0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]"
NINE = "{hours: [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}"


@pytest.mark.parametrize(
    ("recipe", "type", "words"),
    [
        (f"{{between: [-30d, now], season: {JULY}}}", "date", r"the season has no weight in any month of \[-30d, now\]"),
        (f"{{between: ['10:00', '18:00'], rhythm: {NINE}}}", "time", r"the rhythm has no weight in any hour of \['?10:00'?, '?18:00'?\]"),
        (f"{{between: [2025-12-31T10:00:00Z, 2026-01-01T08:59:59Z], rhythm: {NINE}}}", "timestamptz", "the rhythm has no weight in any"),
    ],
)
def test_periods_in_which_nothing_happens_are_refused(recipe, type, words):
    with pytest.raises(RecipeError, match=words):
        column_of(recipe, type)


def test_periods_in_which_something_happens_have_it_there():
    assert {d.month for d in column_of(f"{{between: [-200d, now], season: {JULY}}}", "date").to_pylist()} == {7}
    assert {t.hour for t in column_of(f"{{between: ['08:30', '18:00'], rhythm: {NINE}}}", "time").to_pylist()} == {9}
    late = "{between: [2025-12-31T10:00:00Z, 2026-01-01T09:00:59Z], rhythm: " + NINE + "}"
    assert {(t.day, t.hour, t.minute) for t in column_of(late, "timestamptz").to_pylist()} == {(1, 9, 0)}


def test_dates_keep_the_bounds_of_their_waits():
    rows = (
        source_of("""tables:
  t:
    rows: 3000
    columns:
      id: {type: bigint, key: true}
      d:  {type: date, generate: {between: [-90d, now]}}
      c:  {type: timestamptz, generate: {between: [-90d, now]}}
      e:  {type: date, generate: {after: d, within: 60h, at_least: 30h, until: 9d}}
      f:  {type: date, generate: {after: c, within: 2d, at_least: 12h, until: 9d}}
      g:  {type: date, generate: {before: d, within: 60h, at_least: 30h}}
      h:  {type: date, generate: {before: c, within: 1d}}
      i:  {type: date, generate: {before: c, within: 3d, at_least: 1d}}
""")
        .read("t")
        .read_all()
        .to_pylist()
    )
    day, hour = timedelta(days=1), timedelta(hours=1)
    for row in rows:
        at = {name: datetime.combine(row[name], time(), UTC) for name in "defghi"}
        assert at["e"] - at["d"] == at["d"] - at["g"] == 2 * day
        assert 12 * hour <= at["f"] - row["c"] <= 2 * day
        assert timedelta(0) <= row["c"] - at["h"] <= day
        assert day <= row["c"] - at["i"] <= 3 * day


def test_growth_makes_the_end_denser_than_the_beginning():
    found = column_of("{between: [-100d, now], growth: 4}", "timestamptz", 20_000).to_pylist()
    share = np.array([(f - (NOW - timedelta(days=100))) / timedelta(days=100) for f in found])
    assert stats.kstest(share, lambda t: (t + 1.5 * t * t) / 2.5).pvalue > ALARM


def test_waits_after_another_column_are_within_their_bounds_and_never_after_now():
    text = """tables:
  t:
    rows: 5000
    columns:
      id:   {type: bigint, key: true}
      a:    {type: timestamptz, null: 0.1, generate: {between: [-30d, now]}}
      b:    {type: timestamptz, null: 0, generate: {after: a, within: 5d, at_least: 1h}}
      c:    {type: timestamptz, null: 0, generate: {after: a, within: 20d, mean: 1d, rhythm: office}}
      d:    {type: timestamptz, null: 0, generate: {before: a, within: 3d}}
      day:  {type: date, null: 0, generate: {after: a, within: 9d}}
"""
    for row in source_of(text).read("t").read_all().to_pylist():
        if row["a"] is None:
            assert row["b"] is row["c"] is row["d"] is row["day"] is None
            continue
        assert timedelta(hours=1) <= row["b"] - row["a"] <= timedelta(days=5)
        assert row["b"] <= max(NOW, row["a"] + timedelta(hours=1))
        assert timedelta(0) <= row["c"] - row["a"] <= timedelta(days=20) and row["c"] <= NOW
        assert timedelta(0) <= row["a"] - row["d"] <= timedelta(days=3)
        assert row["a"].date() <= row["day"]


STATES = """tables:
  t:
    rows: 20000
    columns:
      id:         {type: bigint, key: true}
      created_at: {type: timestamptz, generate: {between: [-400d, now]}}
      status:
        type: text
        generate: {states: {draft: {open: 1}, open: {paid: 0.9, overdue: 0.1}, overdue: {paid: 0.7, void: 0.3}}, dwell: {draft: 2d, open: 9d, overdue: 20d}}
      opened: {type: timestamptz, null: 0, generate: {entered: open, of: status}}
      paid:   {type: timestamptz, null: 0, generate: {entered: paid, of: status}}
      last:   {type: timestamptz, generate: {entered: any, of: status}}
"""


def test_statuses_follow_their_machine_and_their_times_follow_the_statuses():
    rows = source_of(STATES).read("t").read_all().to_pylist()
    for row in rows:
        assert (row["paid"] is not None) == (row["status"] == "paid")
        assert (row["opened"] is None) == (row["status"] == "draft")
        times = [row["created_at"], row["opened"], row["paid"], row["last"]]
        known = [t for t in times if t is not None]
        assert known == sorted(known) and known[-1] <= NOW
    old = [r for r in rows if r["created_at"] < NOW - timedelta(days=300)]
    counts = Counter(r["status"] for r in old)
    ended = counts["paid"] + counts["void"]
    assert stats.binomtest(counts["void"], ended, 0.03).pvalue > ALARM


def test_without_a_clock_rows_walk_to_the_end_of_the_machine():
    recipe = "{states: {a: {b: 0.5, c: 0.5}, b: {c: 0.4}}}"
    counts = Counter(column_of(recipe, "text", 20_000).to_pylist())
    assert set(counts) == {"b", "c"}
    assert stats.binomtest(counts["b"], 20_000, 0.3).pvalue > ALARM


def switching(dwell: str, start: str = "{between: [2024-01-01, 2024-01-02]}") -> str:
    return f"""tables:
  t:
    rows: 300
    columns:
      id:   {{type: bigint, key: true}}
      c:    {{type: timestamptz, generate: {start}}}
      s:    {{type: text, generate: {{states: {{on: {{off: 1}}, off: {{on: 1}}}}, start: c, dwell: {dwell}}}}}
      last: {{type: timestamptz, generate: {{entered: any, of: s}}}}
"""


def test_machines_that_go_round_do_so_until_their_end():
    rows = source_of(switching("1d")).read("t").read_all().to_pylist()
    waits = [(NOW - row["last"]) / timedelta(days=1) for row in rows]
    assert stats.kstest(waits, "expon").pvalue > ALARM
    assert stats.binomtest(sum(row["s"] == "on" for row in rows), 300, 0.5).pvalue > ALARM


@pytest.mark.parametrize(("dwell", "held"), [("2h", True), ("90m", False), ("1m", False), ("{on: 1m, off: 6h}", True)])
def test_machines_that_go_round_too_often_are_refused(dwell, held):
    made = source_of(switching(dwell))
    if held:
        assert made.read_rows("t", 0, 1).num_rows == 1
        return
    with pytest.raises(GenerationFailed, match=r"t\.s: a row moves more than 10,000 times; lengthen `dwell`, or start it later"):
        made.read_rows("t", 0, 1)


def waits(factor: str, given: str = "") -> np.ndarray:
    """For each row how many seconds after its start it entered two further states, which some never do."""
    made = source_of(f"""tables:
  t:
    rows: 900
    columns:
      id: {{type: bigint, key: true}}
      by: {{{factor}}}
      at: {{type: timestamptz, generate: {{between: [-9y, -8y]}}}}
      s:  {{type: text, generate: {{states: {{a: {{b: 0.6}}, b: {{c: 1}}}}, start: at, dwell: {{a: 3d, b: 9h}}{given}}}}}
      b:  {{type: timestamptz, null: 0, generate: {{entered: b, of: s}}}}
      c:  {{type: timestamptz, null: 0, generate: {{entered: c, of: s}}}}
""")
    rows = made.read("t").read_all().to_pylist()
    return np.array([[np.nan if r[to] is None else (r[to] - r["at"]).total_seconds() for to in "bc"] for r in rows])


@pytest.mark.parametrize(
    ("factor", "times"),
    [
        ('type: "numeric(4,2)", generate: {constant: 0.25}', 0.25),
        ("type: smallint, generate: {constant: 3}", 3),
        ("type: bigint, generate: {constant: 1}", 1),
        ("type: smallint, null: 1, generate: {constant: 3}", 1),
        ("type: int, generate: {expression: id % 4}", np.arange(1, 901)[:, None] % 4),
    ],
)
def test_a_factor_multiplies_the_times_in_all_states(factor, times):
    plain, changed = waits(factor), waits(factor, ", factor: by")
    np.testing.assert_allclose(changed, plain * times, rtol=0, atol=6)  # each time is whole seconds
    assert not isinstance(times, int) or times > 1 or np.array_equal(changed, plain, equal_nan=True)


def test_a_factor_below_0_is_told():
    with pytest.raises(GenerationFailed, match=r"t\.s: the factor by is below 0 for some rows; make it 0 or above"):
        waits("type: int, generate: {uniform: [-1, 5]}", ", factor: by")


def test_a_very_large_factor_leaves_rows_where_they_are():
    made = source_of(STATES.replace("dwell: {", "factor: id, dwell: {").replace("id:         {type: bigint, key: true}",
        "id:         {type: bigint, key: true, generate: {sequence: {start: 9000000000000000000}}}"))  # fmt: skip
    assert set(made.read_rows("t", 0, 500).column("status").to_pylist()) == {"draft"}


def test_states_change_by_a_rhythm_and_take_as_long_as_they_say():
    made = source_of("""tables:
  t:
    rows: 3000
    columns:
      id:   {type: bigint, key: true}
      zone: {type: text, generate: {choice: [Asia/Tokyo, America/New_York]}}
      at:   {type: timestamptz, generate: {between: [-9y, -8y]}}
      s:    {type: text, generate: {states: {a: {b: 1}, b: {c: 1}}, start: at, dwell: {a: 30h, b: 90h}, rhythm: office, zone: zone}}
      b:    {type: timestamptz, null: 0, generate: {entered: b, of: s}}
      c:    {type: timestamptz, null: 0, generate: {entered: c, of: s}}
""")
    rows = made.read("t").read_all().to_pylist()
    assert all(r["at"] <= r["b"] <= r["c"] for r in rows)
    local = [r[to].astimezone(ZoneInfo(r["zone"])) for r in rows for to in "bc"]
    assert sum(6 <= at.hour <= 20 for at in local) > 0.9 * len(local)
    assert sum(at.weekday() > 4 for at in local) < 0.1 * len(local)
    for begin, end, hours in (("at", "b", 30), ("b", "c", 90)):
        waited = np.mean([(r[end] - r[begin]).total_seconds() for r in rows]) / 3600
        # `at` is at any hour; after office hours a wait begins late, and a short one less so
        assert 0.7 * hours < waited < 1.3 * hours


def test_times_of_entering_and_uuids_are_null_where_what_they_are_made_from_is():
    rows = (
        source_of("""tables:
  t:
    rows: 500
    columns:
      id: {type: bigint, key: true}
      b:  {type: timestamptz, null: 0.2, generate: {between: [-90d, now]}}
      st: {type: text, null: 0.4, generate: {states: {a: {b: 0.7}}, start: b, dwell: 9d}}
      e:  {type: timestamptz, null: 0, generate: {entered: b, of: st}}
      f:  {type: date, null: 0, generate: {entered: any, of: st}}
      u:  {type: uuid, null: 0, generate: {uuid7: b}}
      v:  {type: text, null: 0, generate: {uuid7: b}}
""")
        .read("t")
        .read_all()
        .to_pylist()
    )
    assert {r["st"] for r in rows} == {"a", "b", None}
    for row in rows:
        assert (row["e"] is not None) == (row["st"] == "b")
        assert (row["f"] is None) == (row["st"] is None)
        assert (row["u"] is None) == (row["v"] is None) == (row["b"] is None)
        assert row["b"] is None or int(row["u"].hex[:12], 16) == row["b"].timestamp() * 1000 == int(row["v"].replace("-", "")[:12], 16)


def test_a_machine_without_a_clock_and_without_an_end_is_refused():
    with pytest.raises(RecipeError, match="rows would move for ever in this machine: give it `start:`"):
        column_of("{states: {on: {off: 1}, off: {on: 1}}}", "text")
    assert set(column_of("{states: {on: {off: 1}, off: {on: 0.9}}}", "text").to_pylist()) == {"off"}


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("paid: {type: timestamptz, generate: {entered: paid, of: status}}", "null"),
        ("paid: {type: timestamptz, null: 0, generate: {entered: payed, of: status}}", "payed"),
        ("paid: {type: timestamptz, null: 0, generate: {entered: paid, of: id}}", "state"),
        ("x: {type: timestamptz, generate: {after: id, within: 1d}}", "needs a"),
        ("x: {type: timestamptz, generate: {after: created_at, within: 1d, at_least: 2d}}", "at_least"),
        ("x: {type: date, generate: {between: [now, -1y]}}", "before it begins"),
    ],
)
def test_impossible_times_are_refused(column, words):
    with pytest.raises(Exception, match=words):
        source_of(STATES.replace("      paid:   {type: timestamptz, null: 0, generate: {entered: paid, of: status}}", "      " + column))


def test_days_after_others_do_not_depend_on_rows_whose_waits_are_cut_short():
    made = source_of("""tables: {t: {rows: 3000, columns: {
      id: {type: bigint, key: true},
      day: {type: date, generate: {between: [2020-01-01, 2020-12-31]}},
      later: {type: date, null: 0.1, generate: {after: day, at_least: 2d, within: 40d, until: 2020-12-20}}}}}""")
    whole = made.read_rows("t", 0, 3000)
    waits = [(row["later"] - row["day"]).days for row in whole.to_pylist() if row["later"]]
    assert (min(waits), max(waits)) == (2, 40)
    assert max(row["later"] for row in whole.to_pylist() if row["later"]) == date(2021, 1, 2)  # at least two days after the last of all
    assert pa.Table.from_batches(made.read_rows("t", row, row + 1) for row in range(3000)).equals(pa.Table.from_batches([whole]))
