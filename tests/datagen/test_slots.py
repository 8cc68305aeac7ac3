"""Slots: the rows of one parent never overlap, and any row is known alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy import stats

from datagen import slots
from schemas.errors import SchemaError
from tests.datagen.making import source_of

ALARM = 1e-6

ROOMS = """tables:
  rooms:
    rows: 60
    columns:
      id:        {type: bigint, key: true}
      opened_at: {type: timestamptz, generate: {between: [-2y, -1y]}}
      day:       {type: date, null: 0.2, generate: {between: [-2y, -1y]}}
  bookings:
    rows: {per: rooms, count: {uniform: [0, 400]}}
    columns:
      id:        {type: bigint, key: true}
      room_id:   {references: rooms.id}
      starts_at: {type: timestamptz, generate: {slot: {gap: {exponential: 6h}, length: {lognormal: {median: 1h, sigma: 0.5}, max: 8h}, after: rooms.opened_at}}}
      ends_at:   {type: timestamptz, generate: {slot_end: starts_at}}
"""
SECOND = timedelta(seconds=1)


def read(made) -> tuple[dict, list[dict]]:
    opened = {r["id"]: r["opened_at"] for r in made.read("rooms").read_all().to_pylist()}
    return opened, made.read("bookings").read_all().to_pylist()


def gaps_and_lengths(text: str) -> tuple[list[float], list[float]]:
    """Seconds before and of every slot, which are held to be in order."""
    opened, rows = read(source_of(text))
    gaps, lengths, free = [], [], dict(opened)
    for row in rows:
        gaps.append((row["starts_at"] - free[row["room_id"]]).total_seconds())
        lengths.append((row["ends_at"] - row["starts_at"]).total_seconds())
        free[row["room_id"]] = row["ends_at"]
    assert min(gaps) >= 0 and min(lengths) >= 0
    return gaps, lengths


def test_slots_of_a_parent_do_not_overlap_and_keep_their_distributions():
    gaps, lengths = gaps_and_lengths(ROOMS)
    assert len(gaps) > 9000
    # whole seconds, so each is moved up by half of one
    assert stats.kstest(np.array(gaps) + 0.5, stats.expon(scale=6 * 3600).cdf).pvalue > ALARM
    logs = stats.lognorm(0.5, scale=3600)
    assert stats.kstest(np.array(lengths) + 0.5, lambda x: np.minimum(logs.cdf(x) / logs.cdf(8 * 3600), 1)).pvalue > ALARM


@pytest.mark.parametrize("piece", [1, 7, 64])
def test_a_row_is_the_same_however_its_siblings_are_summed(piece, monkeypatch):
    whole = read(source_of(ROOMS))[1]
    monkeypatch.setattr(slots, "_PIECE", piece)
    made = source_of(ROOMS)
    assert made.read_rows("bookings", 5000, 5003).to_pylist() == whole[5000:5003]
    assert read(made)[1] == whole
    assert made.read_rows("bookings", 901, 902).to_pylist() == whole[901:902]


@pytest.mark.parametrize("piece", [7, 65_536])
@pytest.mark.parametrize(("until", "gapless"), [("now", False), ("-379d", True)])
def test_slots_are_over_by_until(until, gapless, piece, monkeypatch):
    monkeypatch.setattr(slots, "_PIECE", piece)
    text = ROOMS.replace("[-2y, -1y]}}\n      day", "[-400d, -380d]}}\n      day").replace("after: rooms", f"until: {until}, after: rooms")
    text = text.replace("{exponential: 6h}", "{exponential: 60h}")
    gaps, lengths = gaps_and_lengths(text)
    last = max(row["ends_at"] for row in read(source_of(text))[1])
    limit = datetime(2026, 1, 1, tzinfo=UTC) - (timedelta(days=379) if gapless else timedelta(0))
    assert limit - timedelta(days=1) < last <= limit
    free = gaps_and_lengths(text.replace(f"until: {until}, ", ""))
    assert sum(gaps) < sum(free[0])
    assert (lengths != free[1]) if gapless else (lengths == free[1]), "lengths shrink only when no gap is left"


def test_slots_without_length_are_moments_in_order():
    text = """tables:
  p: {rows: 50, columns: {id: {type: bigint, key: true}}}
  c:
    rows: {per: p, count: 30}
    columns:
      p_id: {references: p.id}
      n:    {type: integer, generate: ordinal}
      at:   {type: timestamp, generate: {slot: {gap: {uniform: [1s, 1h]}}, from: -30d}}
    key: [p_id, n]
"""
    rows = source_of(text).read("c").read_all().to_pylist()
    for before, after in pairwise(rows):
        if before["p_id"] == after["p_id"]:
            assert SECOND <= after["at"] - before["at"] <= timedelta(hours=1)
    assert all(r["at"] > datetime(2025, 12, 2) for r in rows)


def test_a_parent_without_a_time_has_no_slots():
    text = ROOMS.replace("after: rooms.opened_at", "after: rooms.day")
    made = source_of(text.replace("{type: timestamptz, generate: {slot", "{type: timestamptz, null: 0, generate: {slot"))
    days = {r["id"]: r["day"] for r in made.read("rooms").read_all().to_pylist()}
    rows = made.read("bookings").read_all().to_pylist()
    assert {days[r["room_id"]] is None for r in rows} == {True, False}
    assert all((r["starts_at"] is None) == (r["ends_at"] is None) == (days[r["room_id"]] is None) for r in rows)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{per: rooms, count: {uniform: [0, 400]}}", "5", "slot is for tables with rows per parent, and 'bookings' has a number of rows of its own"),
        (", after: rooms.opened_at", "", "slot needs one of `after:` (a time of the parent) and `from:` (a moment)"),
        ("after: rooms.opened_at", "after: ends_at", "slot: after must be a time of 'rooms', whose slots these are, not 'ends_at'"),
        ("after: rooms.opened_at", "after: rooms.id", "slot needs a date or time stamp, and 'rooms.id' is bigint"),
        ("{slot_end: starts_at}", "{slot_end: id}", "slot_end needs a column made by `slot`, and 'id' is not"),
        ("{exponential: 6h}", "{poisson: 6}", "unknown distribution 'poisson'; known are uniform, normal, lognormal, exponential, beta, histogram"),
        ("{exponential: 6h}", "6", "gap of slot: '6' is no length of time; write it like 90s, 15m, 8h, 3d, 2w, 6mo or 2y"),
    ],
)  # fmt: skip
def test_wrong_slots_are_told_at_their_place(old, new, message):
    assert old in ROOMS
    with pytest.raises(SchemaError) as found:
        source_of(ROOMS.replace(old, new))
    assert [p.message for p in found.value.problems if p.at is not None] == [message]


def test_the_end_of_a_slot_is_null_where_its_beginning_is():
    text = ROOMS.replace("starts_at: {type: timestamptz,", "starts_at: {type: timestamptz, null: 0.5,")
    text = text.replace("ends_at:   {type: timestamptz,", "ends_at:   {type: timestamptz, null: 0,")
    rows = source_of(text).read("bookings").read_all().to_pylist()
    assert {row["starts_at"] is None for row in rows} == {True, False}
    assert all((row["ends_at"] is None) == (row["starts_at"] is None) for row in rows)


DESK = """tables:
  desks:
    rows: 40
    columns:
      id:     {type: bigint, key: true}
      pace:   {type: "numeric(4,2)", generate: {expression: CASE WHEN id % 2 = 0 THEN 0.25 ELSE 1 END}}
      zone:   {type: text, generate: {choice: [Asia/Tokyo, America/New_York]}}
      opened: {type: timestamptz, generate: {between: [-2y, -1y], rhythm: office, zone: zone}}
      closed: {type: timestamptz, generate: {after: opened, at_least: 10d, within: 11d}}
  calls:
    rows: {per: desks, count: {uniform: [20, 60]}}
    columns:
      id:      {type: bigint, key: true}
      desk_id: {references: desks.id}
      at:      {type: timestamptz, generate: {slot: {gap: {exponential: 9h}, after: desks.opened}}}
"""


def calls(**given: str) -> list[dict]:
    text = DESK.replace("after: desks.opened", "after: desks.opened" + "".join(f", {k}: {v}" for k, v in given.items()))
    made = source_of(text)
    desks = {r["id"]: r for r in made.read("desks").read_all().to_pylist()}
    return [{**r, "desk": desks[r["desk_id"]]} for r in made.read("calls").read_all().to_pylist()]


def test_a_factor_multiplies_the_gaps_of_a_parent():
    for plain, changed in zip(calls(), calls(factor="desks.pace"), strict=True):
        opened, times = plain["desk"]["opened"], float(plain["desk"]["pace"])
        assert abs((changed["at"] - opened) - (plain["at"] - opened) * times) <= SECOND


def in_order(rows: list[dict]) -> bool:
    return all(a["at"] <= b["at"] for a, b in pairwise(rows) if a["desk_id"] == b["desk_id"]) and all(
        r["at"] >= r["desk"]["opened"] for r in rows
    )


def test_moments_follow_a_rhythm_by_the_clock_of_their_parent_and_take_as_long_as_they_say():
    plain, changed = calls(), calls(rhythm="office", zone="desks.zone")
    assert in_order(changed)
    local = [r["at"].astimezone(ZoneInfo(r["desk"]["zone"])) for r in changed]
    assert sum(6 <= at.hour <= 20 for at in local) > 0.9 * len(local)
    assert sum(at.weekday() > 4 for at in local) < 0.1 * len(local)
    long = [max((r["at"] - r["desk"]["opened"]).total_seconds() for r in rows) for rows in (plain, changed)]
    assert abs(long[1] - long[0]) < 7 * 86_400


def test_moments_that_follow_a_rhythm_end_in_time():
    shut = "{days: [1, 1, 1, 1, 1, 0, 0], hours: [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]}"
    rows = calls(rhythm=shut, zone="desks.zone", until="desks.closed")
    assert in_order(rows)
    assert all(r["at"] <= r["desk"]["closed"] for r in rows)
    assert len({r["at"] for r in rows}) > len(rows) / 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"factor": "id"}, "factor must be a number of 'desks'"),
        ({"factor": "desks.zone"}, "slot needs a whole number or numeric, and 'desks.zone' is text"),
        ({"rhythm": "office", "zone": "tone"}, "zone must be a zone of 'desks'"),
        ({"zone": "desks.zone"}, "give it a rhythm, such as office"),
        ({"rhythm": "office", "length": "1h"}, "a rhythm is for moments"),
    ],
)
def test_what_gaps_go_by_is_of_the_parent_and_fits(given, words):
    with pytest.raises(SchemaError, match=words):
        source_of(DESK.replace("after: desks.opened", "after: desks.opened" + "".join(f", {k}: {v}" for k, v in given.items()))
                  + "      tone: {type: text, generate: {constant: UTC}}\n")  # fmt: skip
