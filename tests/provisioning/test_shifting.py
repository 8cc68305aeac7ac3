"""Moving a bundle's times to another week."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from databases import ask
from hypothesis import given
from hypothesis import strategies as st
from loading_sources import BIGINT, arrow_table, build, kind

import provisioning
from provisioning.shifting import Shift, weeks_until
from schemas.errors import InputError
from schemas.model import Column, Rows, Schema, Table
from schemas.times import EPOCH, MICROSECOND

ANCHOR = datetime(2026, 1, 1, 12, tzinfo=UTC)

MOMENTS = Table(
    "moments",
    (
        Column("id", BIGINT),
        Column("day", kind("date"), null=0.1),
        Column("at", kind("timestamptz"), null=0.1),
        Column("local", kind("timestamp"), null=0.1),
        Column("clock", kind("time")),
        Column("days", kind("array", item=kind("date")), null=0.1),
        Column("note", kind("json")),
    ),
    Rows(3),
    key=("id",),
)


def moments(count: int = 3) -> list[dict[str, object]]:
    return [{"id": 0, "clock": datetime(2020, 1, 1, 8).time(), "note": '"2026-01-01"'}] + [
        {
            "id": n,
            "day": date(2025, 12, 30) + timedelta(days=n),
            "at": ANCHOR - timedelta(hours=n),
            "local": datetime(2025, 12, 31, 23, 59) + timedelta(days=n),
            "clock": datetime(2020, 1, 1, 8).time(),
            "days": [date(2026, 1, n), None],
            "note": '"2026-01-01"',
        }
        for n in range(1, count)
    ]


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


@given(anchor=st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)), day=st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_the_anchor_lands_in_the_seven_days_that_end_with_the_day(anchor: datetime, day: date) -> None:
    weeks = weeks_until(microseconds(anchor.replace(tzinfo=UTC)), day.isoformat())
    assert weeks_until(microseconds(anchor.replace(tzinfo=UTC)), day) == weeks
    landed = anchor.date() + timedelta(weeks=weeks)
    assert timedelta(0) <= day - landed < timedelta(days=7)
    assert landed.weekday() == anchor.weekday()


def test_now_is_today() -> None:
    assert weeks_until(microseconds(ANCHOR), "now", today=date(2026, 1, 15)) == 2
    assert weeks_until(microseconds(ANCHOR), "now", today=date(2026, 1, 14)) == 1
    assert weeks_until(microseconds(ANCHOR), "2025-12-31") == -1


@pytest.mark.parametrize("word", ["tomorrow", "2026-13-01", "", "2026"])
def test_a_day_that_is_none(word: str) -> None:
    with pytest.raises(InputError, match=r"2026-01-31, or now"):
        weeks_until(0, word)


def test_dates_and_times_move_and_nothing_else() -> None:
    batch = arrow_table(MOMENTS, moments()).to_batches()[0]
    moved = Shift(-2).apply(MOMENTS, batch.slice(1)).to_pylist()
    was = batch.slice(1).to_pylist()
    step = timedelta(weeks=2)
    for before, after in zip(was, moved, strict=True):
        assert after["day"] == before["day"] - step
        assert after["at"] == before["at"] - step
        assert after["local"] == before["local"] - step
        assert after["days"] == [before["days"][0] - step, None]
        assert (after["clock"], after["note"], after["id"]) == (before["clock"], before["note"], before["id"])
    assert Shift(3).apply(MOMENTS, batch).slice(0, 1).to_pylist() == batch.slice(0, 1).to_pylist()


def test_a_move_out_of_range_is_refused() -> None:
    at = arrow_table(MOMENTS, [{"id": 1, "clock": datetime(2020, 1, 1).time(), "note": "1"}])
    far = at.set_column(2, at.schema.field("at"), pa.array([2**63 - 1]).cast(pa.timestamp("us", "UTC")))
    with pytest.raises(InputError, match=r"'moments', column 'at'.*nearer day"):
        Shift(1).apply(MOMENTS, far.to_batches()[0])


def test_a_load_moves_the_data_and_its_digest(url: str, store: Path) -> None:
    schema = Schema("s", (MOMENTS,), anchor=microseconds(ANCHOR))
    bundle = build(schema, {"moments": moments()}, store)
    moved = provisioning.load(bundle, url, as_of="2026-02-02")
    assert moved.shifted_weeks == 4
    assert moved.content_digest != bundle.content_digest
    assert [str(day) for (day,) in ask(url, "SELECT day FROM moments WHERE id > 0 ORDER BY id")] == ["2026-01-28", "2026-01-29"]
    shifted = [Shift(4).apply(MOMENTS, b) for b in bundle.read("moments")]
    again = build(schema, {}, store.parent / "empty")
    assert again.content_digest != moved.content_digest
    rebuilt = build(schema, {"moments": pa.Table.from_batches(shifted).to_pylist()}, store.parent / "moved")
    assert moved.content_digest == rebuilt.content_digest


def test_every_target_holds_the_same_moved_data(postgres_url: str, tmp_path: Path, store: Path) -> None:
    bundle = build(Schema("s", (MOMENTS,), anchor=microseconds(ANCHOR)), {"moments": moments()}, store)
    urls = (postgres_url, f"duckdb:///{tmp_path / 'a'}", f"sqlite:///{tmp_path / 'b'}")
    assert len({provisioning.load(bundle, url, as_of="2020-02-29").content_digest for url in urls}) == 1


def test_a_load_on_the_day_of_the_anchor_moves_nothing(tmp_path: Path, store: Path) -> None:
    bundle = build(Schema("s", (MOMENTS,), anchor=microseconds(ANCHOR)), {"moments": moments()}, store)
    receipt = provisioning.load(bundle, f"sqlite:///{tmp_path / 'b'}", as_of="2026-01-01")
    assert (receipt.content_digest, receipt.shifted_weeks) == (bundle.content_digest, 0)
