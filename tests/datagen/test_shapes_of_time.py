"""Growth, seasons and working hours against the densities that they declare.

Samples are fixed by the seed; the thresholds are those of a false-alarm rate of 1e-6 over all seeds.
"""

from __future__ import annotations

import importlib.resources
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from datagen.rhythm import rhythm_of
from datagen.rows import Rows
from datagen.seasons import SEASONS
from datagen.zones import Zones, known_zones, offsets_of
from schemas.recipes import SEASON_NAMES
from tests.datagen.making import column_of, source_of
from tests.spread import one_in

ALARM = 1e-6
ROWS = 40_000
OWN = (0, 10, 20, 30, 40, 100, 90, 80, 70, 60, 50, 5)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def months(low: datetime, high: datetime):
    """Every month that meets [low, high), and where it begins and ends there."""
    begin = low.replace(day=1, hour=0, minute=0, second=0)
    while begin < high:
        end = (begin + timedelta(days=32)).replace(day=1)
        yield (begin.year, begin.month), max(begin, low), min(end, high)
        begin = end


def fits(found: list[datetime], expected: dict[tuple[int, int], float]) -> float:
    counts = Counter((t.year, t.month) for t in found)
    assert all(expected.get(month, 0) > 0 for month in counts), "a month without weight has none"
    total = sum(expected.values())
    wanted = np.array([expected[m] / total * len(found) for m in expected if expected[m] > 0])
    seen = np.array([counts[m] for m in expected if expected[m] > 0])
    big = wanted >= 10
    seen, wanted = np.append(seen[big], seen[~big].sum()), np.append(wanted[big], wanted[~big].sum())
    keep = wanted > 1
    return stats.chisquare(seen[keep], wanted[keep] * seen[keep].sum() / wanted[keep].sum()).pvalue


@pytest.mark.parametrize(
    ("options", "growth", "season"),
    [
        ("yearly_growth: 2", 2.0, "none"),
        ("yearly_growth: 0.7", 0.7, "none"),
        ("season: retail", 1.0, "retail"),
        ("yearly_growth: 1.6, season: office", 1.6, "office"),
        (f"yearly_growth: 1.3, season: [{', '.join(map(str, OWN))}]", 1.3, OWN),
    ],
)
@pytest.mark.parametrize("kind", ["between", "after"])
def test_growth_and_season_are_those_declared(kind, options, growth, season):
    low, high = moment("2019-03-10"), moment("2025-09-20")
    if kind == "between":
        found = column_of(f"{{between: [2019-03-10, 2025-09-20], {options}}}", "timestamptz", ROWS).to_pylist()
    else:
        text = f"""tables:
  t:
    rows: {ROWS}
    columns:
      id: {{type: bigint, key: true}}
      a:  {{type: date, generate: {{between: [2019-03-10, 2019-03-10]}}}}
      x:  {{type: timestamptz, generate: {{after: a, within: {(high - low).days}d, {options}}}}}
"""
        found = source_of(text).read("t").read_all().column("x").to_pylist()
    weights = SEASONS[season] if isinstance(season, str) else season
    expected = {
        (y, m): growth ** (y + (m - 1) / 12 - 2019) * weights[m - 1] * (end - begin).total_seconds()
        for (y, m), begin, end in months(low, high)
    }
    assert min(found) >= low and max(found) <= high
    assert fits(found, expected) > ALARM


def test_waits_with_a_mean_keep_their_years_and_follow_the_season_within_them():
    text = f"""tables:
  t:
    rows: {ROWS}
    columns:
      id: {{type: bigint, key: true}}
      a:  {{type: date, generate: {{between: [2019-03-10, 2019-03-10]}}}}
      x:  {{type: timestamptz, generate: {{after: a, within: 2000d, mean: 500d, season: retail}}}}
"""
    found = source_of(text).read("t").read_all().column("x").to_pylist()
    low, high = moment("2019-03-10"), moment("2019-03-10") + timedelta(days=2000)
    waits = stats.truncexpon(2000 / 500, scale=500)
    expected: dict[tuple[int, int], float] = {}
    for year in range(2019, 2025):
        begin, end = max(low, datetime(year, 1, 1, tzinfo=UTC)), min(high, datetime(year + 1, 1, 1, tzinfo=UTC))
        chance = waits.cdf((end - low) / timedelta(days=1)) - waits.cdf((begin - low) / timedelta(days=1))
        shares = {m: SEASONS["retail"][m[1] - 1] * (e - b).total_seconds() for m, b, e in months(begin, end)}
        expected |= {m: chance * share / sum(shares.values()) for m, share in shares.items()}
    assert fits(found, expected) > ALARM


def test_growth_and_season_go_with_a_rhythm_and_with_dates():
    found = column_of("{between: [2020-01-01, now], yearly_growth: 3, season: travel, rhythm: office}", "timestamptz", ROWS).to_pylist()
    years = Counter(t.year for t in found)
    # of 8,900 times in 2024 and three times as many, or as few, in the years beside it: 12 % are more than 5 standard deviations
    assert all(3 / 1.12 < years[y + 1] / years[y] < 3 * 1.12 for y in (2023, 2024))
    assert sum(t.weekday() < 5 for t in found) > 0.93 * ROWS
    days = column_of("{between: [2024-01-01, 2024-12-31], season: [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]}", "date", 20_000).to_pylist()
    counts = Counter(days)
    assert {d.month for d in days} == {3, 12} and len(counts) == 62
    assert stats.chisquare(list(counts.values())).pvalue > ALARM


ZONED = f"""tables:
  t:
    rows: {ROWS}
    columns:
      id:   {{type: bigint, key: true}}
      zone: {{type: text, generate: {{list: [America/New_York, Asia/Kolkata, Australia/Lord_Howe, Europe/Berlin]}}}}
      x:    {{type: timestamptz, generate: {{between: [2004-01-05, 2024-01-01], rhythm: office, zone: zone}}}}
      y:    {{type: timestamptz, generate: {{between: [2004-01-05, 2024-01-01], rhythm: office, zone: America/New_York}}}}
      z:    {{type: timestamptz, generate: {{between: [2004-01-05, 2024-01-01], rhythm: office}}}}
"""


def zone_of(name: str) -> ZoneInfo:
    with importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def test_working_hours_are_those_of_the_zone_in_summer_and_winter():
    rows = source_of(ZONED).read("t").read_all().to_pylist()
    zones = {row["zone"]: zone_of(row["zone"]) for row in rows}
    weights = rhythm_of("office").weights.astype(float)  # type: ignore[union-attr]
    for season in (False, True):
        for name, zone in [*zones.items(), (None, zone_of("America/New_York"))]:
            times = [(row["x"] if name else row["y"]).astimezone(zone) for row in rows if name in (None, row["zone"])]
            chosen = [t for t in times if (t.month in (5, 6, 7, 8)) == season]
            hours = np.bincount([t.weekday() * 24 + t.hour for t in chosen], minlength=168)
            wanted = weights / weights.sum() * len(chosen)
            big = wanted >= 10
            seen, wanted = np.append(hours[big], hours[~big].sum()), np.append(wanted[big], wanted[~big].sum())
            assert stats.chisquare(seen, wanted).pvalue > ALARM, (name, season)


@pytest.mark.parametrize(
    "name",
    one_in(3, ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca", "Pacific/Apia", "UTC"]),
)
def test_offsets_are_those_of_the_zone_at_every_hour(name):
    zone, offsets = zone_of(name), offsets_of(name)
    hours = np.arange(datetime(2009, 1, 1).timestamp(), datetime(2039, 1, 1).timestamp(), 1800).astype(np.int64)
    expected = [datetime.fromtimestamp(int(h), zone).utcoffset() // timedelta(microseconds=1) for h in hours]  # type: ignore[operator]
    assert offsets.at(hours * 1_000_000).tolist() == expected
    local = hours * 1_000_000 + offsets.at(hours * 1_000_000)
    back = local - offsets.at_local(local)
    walls = [datetime.fromtimestamp(int(h), zone).replace(fold=0) for h in hours[::7]]
    assert back[::7].tolist() == [int(w.timestamp()) * 1_000_000 for w in walls]


def test_the_zones_of_the_package_are_told_in_the_bundle_where_they_are_used():
    assert "zones tzdata" in source_of(ZONED).provenance["value_pools"]
    plain = ZONED.replace(", zone: zone", "").replace(", zone: America/New_York", "")
    assert "zones tzdata" not in source_of(plain).provenance["value_pools"]


def test_options_that_are_left_out_or_say_nothing_change_no_value():
    plain = column_of("{between: [-3y, now], rhythm: office}", "timestamptz")
    assert column_of("{between: [-3y, now], rhythm: office, yearly_growth: 1, season: none, zone: UTC}", "timestamptz").equals(plain)
    assert ZONED.count("x:") == 1
    rows = source_of(ZONED).read("t").read_all()
    assert not rows.column("z").equals(rows.column("y"))


def test_values_do_not_depend_on_the_zones_of_the_machine(monkeypatch):
    import zoneinfo

    before = source_of(ZONED).read("t").read_all()
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    offsets_of.cache_clear()
    zoneinfo.reset_tzpath(to=[])
    try:
        assert source_of(ZONED).read("t").read_all().equals(before)
    finally:
        zoneinfo.reset_tzpath()
        offsets_of.cache_clear()


def test_the_names_of_seasons_are_those_of_the_language():
    assert tuple(SEASONS) == SEASON_NAMES
    assert {"Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"} <= known_zones()


@pytest.mark.parametrize(
    ("recipe", "type", "words"),
    [
        ("{between: [-1y, now], season: [1, 2]}", "timestamptz", "needs 12 weights"),
        ("{between: [-1y, now], season: retial}", "timestamptz", "did you mean 'retail'"),
        ("{between: [-1y, now], yearly_growth: 0}", "timestamptz", "between 0.01 and 100"),
        ("{between: [-1y, now], yearly_growth: 2, growth: 2}", "timestamptz", "cannot stand together"),
        ("{between: [-1y, now], zone: Europe/Berlin}", "timestamptz", "give it a rhythm"),
        ("{between: [-1y, now], zone: Europe/Berln, rhythm: office}", "timestamptz", "did you mean 'Europe/Berlin'"),
        ("{between: [-1y, now], zone: zon, rhythm: office}", "timestamptz", "zon"),
        ("{between: [-1y, now], zone: id, rhythm: office}", "timestamptz", "zone needs a column with names of time zones"),
        ("{between: [-1y, now], zone: Europe/Berlin, rhythm: office}", "date", "zone is for time stamps"),
        ("{between: ['08:00', '09:00'], season: retail}", "time", "times of day"),
        ("{between: [1900-01-01, now], season: retail}", "date", "within 60 years before the anchor"),
    ],
)
def test_shapes_that_cannot_be_are_refused(recipe, type, words):
    with pytest.raises(Exception, match=words):
        column_of(recipe, type, 10)


def test_a_zone_that_is_none_is_refused_without_its_value():
    text = ZONED.replace("America/New_York, Asia/Kolkata", "Mars/Olympus, Asia/Kolkata")
    with pytest.raises(Exception, match=r"t.x: a row's zone is no time zone that is known") as found:
        source_of(text).read("t").read_all()
    assert "Mars" not in str(found.value)


def test_rows_without_a_zone_are_in_utc():
    text = ZONED.replace("{type: text, generate: {list", "{type: text, null: 1, generate: {list")
    rows = source_of(text).read("t").read_all()
    utc = source_of(ZONED.replace(", zone: zone", "")).read("t").read_all()
    assert isinstance(rows, pa.Table) and rows.column("x").equals(utc.column("x"))


def test_local_times_lead_back_to_the_same_moment_but_for_the_hour_that_comes_twice():
    zones, rows = Zones("Europe/Berlin", ""), Rows({}, "t", range(0))
    hours = np.arange(datetime(2025, 1, 1).timestamp(), datetime(2026, 1, 1).timestamp(), 900).astype(np.int64) * 1_000_000
    back = zones.universal(rows, zones.local(rows, hours))
    other = hours[back != hours]
    assert (hours - back)[back != hours].tolist() == [3_600_000_000] * 4
    assert datetime.fromtimestamp(int(other[0]) // 1_000_000, UTC) == datetime(2025, 10, 26, 1, tzinfo=UTC)
    skipped = int(datetime(2025, 3, 30, 2, 30, tzinfo=UTC).timestamp()) * 1_000_000
    assert zones.universal(rows, np.array([skipped])).tolist() == [skipped - 3_600_000_000]
