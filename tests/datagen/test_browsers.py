"""User agents over time: those of a device go on in newer versions, and none is newer than its time."""

from __future__ import annotations

import re

import pytest

from datagen.browsers import browsers, user_agents
from schemas.errors import SchemaError
from tests.datagen.making import source_of

VISITS = """tables:
  visits:
    rows: 4000
    columns:
      id:     {type: bigint, key: true}
      device: {type: integer, generate: {uniform: [-3, 40]}}
      at:     {type: timestamptz, null: 0.1, generate: {between: [2018-01-01, 2026-01-01]}}
      then:   {type: text, generate: {internet.user_agent: {at: at}}}
      own:    {type: text, generate: {internet.user_agent: {at: at, of: device}}}
      today:  {type: text, generate: {internet.user_agent: {of: device}}}
"""


@pytest.fixture(scope="module")
def visits() -> list[dict]:
    return source_of(VISITS).read("visits").read_all().to_pylist()


def version(agent: str) -> int | None:
    found = re.search(r"Chrome/(\d+)\.0\.0\.0", agent)
    return None if found is None else int(found[1])


def without_versions(agent: str) -> str:
    return re.sub(r"\d+", "", agent)


def test_a_user_agent_is_of_its_time(visits):
    # Chrome 80 was released in February 2020, 100 in March 2022, 120 in December 2023, 140 in September 2025
    for year, oldest, newest in ((2018, 50, 76), (2020, 66, 92), (2022, 85, 112), (2023, 97, 124), (2025, 116, 144)):
        found = [version(r["then"]) for r in visits if r["at"] is not None and r["at"].year == year]
        assert all(oldest <= v <= newest for v in found if v is not None), year
    assert {without_versions(r["then"]) for r in visits if r["at"] and r["at"].year > 2020} == {
        without_versions(a) for a in user_agents().texts
    }


def test_where_there_is_no_time_it_is_of_now(visits):
    found = [version(r["then"]) for r in visits if r["at"] is None]
    assert min(v for v in found if v is not None) > 130


def test_a_device_has_one_browser_which_becomes_newer(visits):
    for device in range(-3, 41):
        mine = sorted((r for r in visits if r["device"] == device and r["at"] is not None), key=lambda r: r["at"])
        assert len(mine) > 20
        assert len({without_versions(r["own"]) for r in mine if r["at"].year > 2020}) == 1
        versions = [v for r in mine if (v := version(r["own"])) is not None]
        assert versions == sorted(versions)
        assert len({r["today"] for r in mine}) == 1
    assert len({r["today"] for r in visits}) > 10


def test_edge_has_the_engine_of_its_time(visits):
    edges = [(r["at"].year, " Edg/" in r["then"]) for r in visits if r["at"] is not None and " Edg" in r["then"]]
    assert {new for year, new in edges if year < 2019} == {False}
    assert {new for year, new in edges if year > 2020} == {True}
    assert len(set(browsers().texts)) == len(browsers().texts)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("{at: at}", "{at: id}"), "internet.user_agent needs a date or time stamp, and 'id' is bigint"),
        (("of: device}}}\n      today", "of: at}}}\n      today"), "internet.user_agent needs a whole number, and 'at' is timestamptz"),
    ],
)
def test_paths_lead_to_what_is_needed(change, words):
    with pytest.raises(SchemaError, match=words):
        source_of(VISITS.replace(*change))
