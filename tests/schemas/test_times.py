"""Lengths of time and moments, read and written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import (
    canonical_moment,
    format_duration,
    format_moment,
    parse_duration,
    parse_moment,
    resolve_moment,
    resolve_time_of_day,
)

SECOND = 1_000_000
DAY = 86_400 * SECOND


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [("90s", 90 * SECOND), ("15m", 900 * SECOND), ("8h", 8 * 3600 * SECOND), ("3d", 3 * DAY), ("2w", 14 * DAY), ("6mo", 180 * DAY), ("2y", 730 * DAY),
     ("1d12h", DAY + DAY // 2), ("1.5h", 5400 * SECOND), ("250ms", 250_000), ("7us", 7), ("0s", 0), ("+1d", DAY)],
)  # fmt: skip
def test_lengths_are_microseconds(text: str, microseconds: int) -> None:
    assert parse_duration(text) == microseconds


@pytest.mark.parametrize("text", ["", "5", "d", "5 d", "1d-2h", "5x", "-1d", "٣d", "9" * 30 + "y", "300000y"])
def test_other_texts_are_no_lengths(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


def test_lengths_below_zero_are_read_where_they_are_asked_for() -> None:
    assert parse_duration("-1d12h", negative=True) == -DAY - DAY // 2


@given(st.integers(-(2**62), 2**62))
def test_a_written_length_reads_back(microseconds: int) -> None:
    assert parse_duration(format_duration(microseconds), negative=True) == microseconds


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))
def test_a_written_moment_reads_back(moment: datetime) -> None:
    microseconds = (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_moment(format_moment(microseconds)) == microseconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1970-01-02", DAY), ("1970-01-01T00:00:01", SECOND), ("1970-01-01 00:01", 60 * SECOND), ("1970-01-01T02:00:00+02:00", 0), (" 1970-01-01T00:00:00.5Z ", SECOND // 2)],
)  # fmt: skip
def test_moments_are_microseconds_since_1970(text: str, expected: int) -> None:
    assert parse_moment(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "today", "2024-02-30", "20240101", "2024-W01-1", "2024-01-01T24:00", "2024-01-01T1:00", "0001-01-01T00:00+14:00", "٢٠٢٤-01-01"],
)
def test_other_texts_are_no_moments(text: str) -> None:
    with pytest.raises(ValueError):
        parse_moment(text)


def test_moments_resolve_against_the_anchor() -> None:
    assert [resolve_moment(m, 10 * DAY) for m in ("now", "-3d", "1d12h", "1970-01-02")] == [10 * DAY, 7 * DAY, 11 * DAY + DAY // 2, DAY]


@pytest.mark.parametrize("text", ["now", "-3y", "2w", "2026-01-31", "2026-01-31T09:00:00Z"])
def test_moments_are_kept_as_they_are_written(text: str) -> None:
    assert canonical_moment(f" {text} ") == text


def test_the_nearest_word_is_named() -> None:
    with pytest.raises(ValueError, match="did you mean 'now'"):
        canonical_moment("noww")


def test_times_of_day_are_microseconds_since_midnight() -> None:
    assert [resolve_time_of_day(t) for t in ("00:00", "8:30", "17:05:10.25")] == [0, 30_600 * SECOND, 61_510 * SECOND + 250_000]
    assert resolve_time_of_day("24:00") == DAY - 1
    with pytest.raises(ValueError):
        resolve_time_of_day("25:00")
