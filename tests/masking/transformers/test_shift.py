"""shift: one length of time for each person."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import TransformerInvalid, TransformerUnfit
from masking.transformers.registry import read
from schemas.model import Column

from .columns import KEY, OTHER_KEY, context, mask, masker_for, rows_of

SUBJECTS = [str(i) for i in range(40)]
days = st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))
moments = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1))


@settings(max_examples=50)
@given(
    st.lists(st.tuples(moments, st.sampled_from("abc")), min_size=1, max_size=20),
    st.sampled_from(["second", "minute", "hour", "day", "week"]),
)
def test_the_intervals_between_the_events_of_one_person_survive(events: list[tuple[dt.datetime, str]], unit: str) -> None:
    before, subjects = [e[0] for e in events], [e[1] for e in events]
    after = mask({"shift": {"days": 60, "unit": unit}}, before, "timestamp", subject=subjects)
    lengths: dict[str, set[dt.timedelta]] = {}
    for old, new, subject in zip(before, after, subjects):
        lengths.setdefault(subject, set()).add(new - old)
    assert all(len(found) == 1 for found in lengths.values())
    assert all(dt.timedelta(0) < abs(length) <= dt.timedelta(60) for found in lengths.values() for length in found)


def test_a_person_moves_alike_in_all_tables_and_columns_and_types() -> None:
    at = context("date", subject=True)
    other = replace(at, table=replace(at.table, name="orders"), column=replace(at.column, name="paid"), domain="orders.paid")
    stamped = context("timestamptz", subject=True, domain="x")
    day, subject = [dt.date(2024, 1, 1)] * 40, SUBJECTS
    dates = pa.array(day, pa.date32())
    stamps = pa.array([dt.datetime(2024, 1, 1, tzinfo=dt.UTC)] * 40, pa.timestamp("us", "UTC"))
    moved = [masker_for("shift", c).apply(dates, rows_of(dates, subject)).to_pylist() for c in (at, other)]
    moved.append([m.date() for m in masker_for("shift", stamped).apply(stamps, rows_of(stamps, subject)).to_pylist()])
    assert moved[0] == moved[1] == moved[2]
    assert len(set(moved[0])) > 20


def test_another_key_moves_otherwise() -> None:
    before = [dt.date(2024, 1, 1)] * 40
    assert mask("shift", before, "date", subject=SUBJECTS, key=KEY) != mask("shift", before, "date", subject=SUBJECTS, key=OTHER_KEY)


def test_every_length_but_none_is_drawn() -> None:
    """1,000 persons and 6 lengths: that one is missing has a chance below 1e-78."""
    people = [str(i) for i in range(1000)]
    after = mask({"shift": 3}, [dt.date(2024, 1, 10)] * 1000, "date", subject=people)
    assert set(after) == {dt.date(2024, 1, 10 + d) for d in (-3, -2, -1, 1, 2, 3)}


@settings(max_examples=50)
@given(st.lists(days, min_size=1, max_size=40))
def test_whole_weeks_keep_weekdays(before: list[dt.date]) -> None:
    after = mask({"shift": {"days": 30, "unit": "week"}}, before, "date", subject=SUBJECTS[: len(before)])
    assert [d.weekday() for d in before] == [d.weekday() for d in after] and all(a != b for a, b in zip(before, after))


def test_whole_days_keep_the_time_of_day() -> None:
    before = [dt.datetime(2024, 3, 31, 1, 30, tzinfo=dt.UTC)] * 40  # within the night in which Vienna's clocks go forward
    after = mask("shift", before, "timestamptz", subject=SUBJECTS)
    assert all(m.timetz() == before[0].timetz() and m.date() != before[0].date() for m in after)


def test_persons_who_are_null_move_alike_and_not_at_all_never() -> None:
    after = mask("shift", [dt.date(2024, 1, 1)] * 3, "date", subject=[None, None, "a"])
    assert after[0] == after[1] != dt.date(2024, 1, 1)


@pytest.mark.parametrize("type", ["timestamp", "timestamptz"])
def test_always_stays_and_nothing_leaves_the_calendar(type: str) -> None:
    zone = dt.UTC if type == "timestamptz" else None
    forever = [
        dt.datetime(1, 1, 1, tzinfo=zone),
        dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=zone),
        dt.datetime(9999, 12, 31, tzinfo=zone),
    ]
    assert mask({"shift": 3000}, forever, type, subject=["a", "b", "c"]) == forever
    near = [dt.datetime(1, 1, 2, tzinfo=zone)] * 40 + [dt.datetime(9999, 12, 30, 5, tzinfo=zone)] * 40
    after = mask({"shift": 3000}, near, type, subject=SUBJECTS * 2)
    assert all(dt.datetime(1, 1, 2, tzinfo=zone) <= m < dt.datetime(9999, 12, 31, tzinfo=zone) for m in after)
    assert len(set(after)) > 20


def test_the_infinity_of_a_database_stays() -> None:
    for type, width in (("date", pa.int32()), ("timestamp", pa.int64())):
        most = 2 ** (width.bit_width - 1)
        infinite = pa.array([most - 1, -most], width).cast(context(type).column.type.arrow)
        assert masker_for("shift", context(type, subject=True)).apply(infinite, rows_of(infinite, ["a", "b"])).equals(infinite)


def test_a_check_with_a_bound_holds_afterwards() -> None:
    after = mask({"shift": 3000}, [dt.date(2005, 1, 1)] * 40, "date", subject=SUBJECTS, checks=["c >= '2000-01-01'", "c < '2010-01-01'"])
    assert min(after) == dt.date(2000, 1, 1) and max(after) == dt.date(2009, 12, 31)


def test_columns_of_one_row_keep_their_order() -> None:
    others = [Column("ends", context("timestamp").column.type, 0.0)]
    begins, ends = [dt.datetime(2024, 1, 1)] * 40, [dt.datetime(2024, 1, 1, 0, 0, 1)] * 40
    for unit in ("day", "second"):
        first, last = (mask({"shift": {"unit": unit}}, v, "timestamp", subject=SUBJECTS, others=others) for v in (begins, ends))
        assert all(b - a == dt.timedelta(seconds=1) for a, b in zip(first, last))


def test_all_rows_may_move_alike_and_a_unique_column_stays_unique_then() -> None:
    before = [dt.date(2024, 1, d) for d in range(1, 32)]
    after = mask({"shift": {"scope": "all"}}, before, "date", unique=True)
    assert len({a - b for a, b in zip(after, before)}) == 1 and len(set(after)) == 31


def test_what_cannot_be_done_is_refused() -> None:
    with pytest.raises(TransformerUnfit, match="the table has no subject; name it"):
        masker_for("shift", context("date"))
    with pytest.raises(TransformerUnfit, match="the column is unique"):
        masker_for("shift", context("date", subject=True, unique=True))
    for wrong in ({"days": 0}, {"days": 3, "unit": "week"}, {"days": 40_000}, {"unit": "month"}):
        with pytest.raises(TransformerInvalid):
            read({"shift": wrong}, "t.c")
