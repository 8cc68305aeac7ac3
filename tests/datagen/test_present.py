"""References to rows that are there at a time, and times that end by that of a column."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import datagen
from datagen import attended
from datagen.errors import GenerationFailed, RecipeError
from schemas.errors import SchemaError
from schemas.reader import parse_schema
from tests.datagen.making import HEAD, source_of

TEAMS = """tables:
  teams:
    rows: 20
    columns:
      id:      {type: bigint, key: true}
      founded: {type: timestamptz, generate: {between: [-3y, -2y]}}
      ends:    {type: date, null: 0.5, generate: {after: founded, within: 2y}}
  people:
    rows: {per: teams, count: {uniform: [1, 9]}}
    columns:
      id:      {type: bigint, key: true}
      team_id: {references: teams.id}
      place:   {type: int, hidden: true, generate: ordinal}
      later:   {type: timestamptz, hidden: true, generate: {after: team_id.founded, within: 2y}}
      joined:  {type: timestamptz, generate: {expression: CASE WHEN place = 1 THEN team_id.founded ELSE later END}}
      quits:   {type: timestamptz, hidden: true, null: 0.3, generate: {after: joined, within: 200d}}
      gone:    {type: timestamptz, null: 0, generate: {expression: CASE WHEN place > 1 THEN quits END}}
  deeds:
    rows: {per: teams, count: {uniform: [10, 300]}}
    columns:
      id:      {type: bigint, key: true, generate: {sequence: {gaps: 8}}}
      team_id: {references: teams.id}
      at:      {type: timestamptz, generate: {after: team_id.founded, within: 4y, until: team_id.ends, rhythm: office}}
      by_hand: {type: timestamptz, null: 0.3, generate: {from: at}}
      who:     {references: people.id, within: team_id, present: {at: at, from: joined, until: gone}}
      helper:  {references: people.id, within: team_id, skew: 1.1, null: 0, present: {at: by_hand, from: joined, until: gone}}
      guest:   {references: people.id, null: 0.1, present: {at: at, until: gone}}
"""
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read(made, table: str) -> list[dict]:
    return made.read(table).read_all().to_pylist()


@pytest.fixture(scope="module")
def teams():
    return source_of(TEAMS)


def test_the_referenced_row_is_there_at_the_time(teams):
    people = {p["id"]: p for p in read(teams, "people")}
    seen = 0
    for deed in read(teams, "deeds"):
        for column, when, within in (("who", "at", True), ("helper", "by_hand", True), ("guest", "at", False)):
            person = people.get(deed[column])
            if person is None:
                continue
            seen += 1
            assert person["gone"] is None or deed[when] <= person["gone"]
            assert column == "guest" or person["joined"] <= deed[when]
            assert not within or person["team_id"] == deed["team_id"]
    assert seen > 5000


def test_a_reference_is_null_where_its_time_is_or_nobody_is_there(teams):
    deeds = read(teams, "deeds")
    assert all(d["who"] is not None for d in deeds)
    assert {d["helper"] is None for d in deeds if d["by_hand"] is None} == {True}
    may_be_empty = TEAMS.replace("place = 1 THEN team_id.founded", "place = 0 THEN team_id.founded")
    without_who = "\n".join(line for line in may_be_empty.splitlines() if " who:" not in line)
    assert any(d["helper"] is None and d["by_hand"] is not None for d in read(source_of(without_who), "deeds"))
    with pytest.raises(GenerationFailed, match="deeds must reference a row of people that is there at at, and for some rows none is"):
        source_of(may_be_empty).read("deeds").read_all()


def test_rows_made_alone_or_at_a_larger_scale_are_the_same(teams):
    whole = read(teams, "deeds")
    assert teams.read_rows("deeds", 700, 800).to_pylist() == whole[700:800]
    larger = {d["id"]: d for d in read(source_of(TEAMS, scale=3), "deeds")[: len(whole)]}
    assert [larger[d["id"]]["who"] for d in whole] == [d["who"] for d in whole]


def test_states_and_scenarios_leave_references_as_they_are(teams):
    state = datagen.source(parse_schema(HEAD + TEAMS), as_of="-300d")
    known = {d["id"]: d["who"] for d in read(teams, "deeds")}
    then = read(state, "deeds")
    assert 0 < len(then) < len(known)
    assert all(known[d["id"]] == d["who"] for d in then)
    planted = source_of(
        TEAMS
        + "scenarios:\n  late:\n    subjects: teams\n    share: 0.5\n    set: {deeds: {columns: {at: {after: was.at, within: 9d}}}}\n"
        + "    add: {deeds: {count: 3, columns: {at: {from: episode.at}}}}\n    at: {between: [-40d, -1d]}\n"
    )
    after = read(planted, "deeds")
    assert len(after) > len(known)
    assert all(known[d["id"]] == d["who"] for d in after if d["id"] in known)


APART = (
    TEAMS
    + """      aide:    {references: people.id, within: team_id, null: 0, other_than: who, present: {at: at, from: joined, until: gone}}
      rival:   {references: people.id, other_than: guest, skew: 1.1, present: {at: at, from: joined, until: gone}}
  reviews:
    rows: {per: deeds, count: 1}
    columns:
      deed_id: {references: deeds.id}
      at:      {type: timestamptz, generate: {from: deed_id.at}}
      team_id: {references: teams.id, generate: {from: deed_id.team_id}}
      judge:   {references: people.id, within: team_id, null: 0, other_than: deed_id.who, present: {at: at, from: joined, until: gone}}
"""
)


def test_another_row_that_is_there_is_found_wherever_there_is_one():
    made = source_of(APART)
    people, absent = read(made, "people"), 0
    deeds = {d["id"]: d for d in read(made, "deeds")}
    assert all(d["rival"] not in (None, d["guest"]) for d in deeds.values())
    for asking, column in [(d, "aide") for d in deeds.values()] + [(deeds[r["deed_id"]] | r, "judge") for r in read(made, "reviews")]:
        there = {
            p["id"]
            for p in people
            if p["team_id"] == asking["team_id"] and p["joined"] <= asking["at"] and (p["gone"] is None or asking["at"] <= p["gone"])
        }
        others = there - {asking["who"]}
        assert asking[column] in others or (asking[column] is None and not others)
        absent += not others
    assert 100 < absent < 4000


def test_other_rows_that_are_there_are_the_same_alone_and_no_other_reference_moves(teams):
    made = source_of(APART)
    deeds = read(made, "deeds")
    assert [{k: d[k] for k in before} for d, before in zip(deeds, read(teams, "deeds"), strict=True)] == read(teams, "deeds")
    assert made.read_rows("deeds", 700, 800).to_pylist() == deeds[700:800]
    judges = {r["deed_id"]: r["judge"] for r in read(made, "reviews")}
    state = datagen.source(parse_schema(HEAD + APART), as_of="-300d")
    then = read(state, "reviews")
    assert 0 < len(then) < len(judges)
    assert all(judges[r["deed_id"]] == r["judge"] for r in then)


def test_one_that_must_be_another_and_is_alone_is_told():
    must = APART.replace("null: 0, other_than: who", "other_than: who")
    with pytest.raises(
        GenerationFailed, match="deeds must reference a row of people that is there at at and is not that of who, and for some"
    ):
        source_of(must).read("deeds").read_all()


def test_a_time_is_no_later_than_that_of_a_column_or_now_where_that_is_null(teams):
    ends = {t["id"]: t["ends"] for t in read(teams, "teams")}
    founded = {t["id"]: t["founded"] for t in read(teams, "teams")}
    open_ended = 0
    for deed in read(teams, "deeds"):
        end = ends[deed["team_id"]]
        limit = NOW if end is None else datetime(end.year, end.month, end.day, tzinfo=UTC)
        assert deed["at"] <= max(limit, founded[deed["team_id"]])
        open_ended += end is None and deed["at"] > NOW - timedelta(days=200)
    assert open_ended > 100


def test_slots_end_by_the_time_of_a_column_of_the_parent():
    text = """tables:
  rooms:
    rows: 40
    columns:
      id:     {type: bigint, key: true}
      opens:  {type: timestamptz, generate: {between: [-2y, -1y]}}
      closes: {type: timestamptz, null: 0.4, generate: {after: opens, within: 9d}}
  visits:
    rows: {per: rooms, count: {uniform: [0, 90]}}
    columns:
      id:      {type: bigint, key: true}
      room_id: {references: rooms.id}
      starts:  {type: timestamptz, generate: {slot: {gap: {exponential: 6h}, length: 30m, after: rooms.opens, until: room_id.closes}}}
      ends:    {type: timestamptz, generate: {slot_end: starts}}
"""
    made = source_of(text)
    closes = {r["id"]: r["closes"] for r in read(made, "rooms")}
    visits = read(made, "visits")
    assert all(v["ends"] <= (closes[v["room_id"]] or NOW) for v in visits)
    assert any(closes[v["room_id"]] is None and v["ends"] > v["starts"] for v in visits)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("until: team_id.ends", "until: team_id.end"), "'end' is no column of 'teams'"),
        (("until: team_id.ends", "until: team_id.id"), "after needs a date or time stamp, and 'team_id.id' is bigint"),
        (("until: team_id.ends", "until: 3x"), "until of after: '3x' is no date or time stamp"),
        (("who:     {references: people.id, within", "who:     {references: people.id, unique: true, within"), "present is for references that may repeat"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place(change, message):
    with pytest.raises((RecipeError, SchemaError), match=re.escape(message)) as found:
        source_of(TEAMS.replace(*change))
    assert "test.yaml:" in str(found.value)


def test_the_anchor_is_a_word_of_expressions():
    text = """schema: s
anchor: 2025-06-01T10:00:00Z
tables:
  t:
    rows: 50
    columns:
      id:  {type: bigint, key: true}
      at:  {type: timestamptz, generate: {between: [-3y, now]}}
      age: {type: int, generate: {expression: floor(extract(epoch FROM anchor() - at) / 86400)}}
      old: {type: boolean, generate: {expression: at < anchor() - INTERVAL '2 years'}}
      day: {type: date, generate: {expression: "CASE WHEN at < anchor() THEN CAST(anchor() AS DATE) END"}}
"""
    anchor = datetime(2025, 6, 1, 10, tzinfo=UTC)
    rows = source_of(text).read("t").read_all().to_pylist()
    assert [r["age"] for r in rows] == [(anchor - r["at"]).days for r in rows]
    assert [r["old"] for r in rows] == [r["at"] < anchor.replace(year=2023) for r in rows]
    assert {r["day"] for r in rows} == {anchor.date()}
    with pytest.raises(RecipeError, match="ANCHOR is not allowed"):
        source_of(text.replace("anchor() - at", "anchor(1) - at"))


def test_parts_of_the_anchor_are_taken_without_a_word_of_the_translator(caplog):
    text = """tables:
  t:
    rows: 5
    rules: [born <= extract(year FROM anchor())]
    columns:
      id:   {type: bigint, key: true}
      at:   {type: timestamptz, generate: {between: [-3y, now]}}
      born: {type: int, generate: {expression: "extract(year FROM anchor()) - extract(year FROM at)"}}
"""
    assert {r["born"] for r in read(source_of(text), "t")} <= {1, 2, 3}
    assert not caplog.records


def test_some_of_a_large_group_is_there_only_seldom():
    """A row that only one of many can be referenced by is found, however often it must be drawn."""
    text = """tables:
  p:
    rows: 3000
    columns:
      id:   {type: bigint, key: true}
      from: {type: date, generate: {expression: "CAST('2025-01-01' AS DATE) + CASE WHEN id = 1234 THEN 0 ELSE 300 END"}}
  c:
    rows: 50
    columns:
      id: {type: bigint, key: true}
      on: {type: date, generate: {between: [2025-02-01, 2025-03-01]}}
      p:  {references: p.id, present: {at: on, from: from}}
"""
    assert np.unique(source_of(text).read("c").read_all().column("p")).tolist() == [1234]


PASSES = """tables:
  people:
    rows: {people}
    columns:
      id:   {type: bigint, key: true}
      from: {type: date, generate: {expression: "CAST('2020-01-01' AS DATE) + CAST(id / 30 AS INT)"}}
      gone: {type: date, null: 0, generate: {expression: "CASE WHEN id % 2 = 0 THEN CAST('2020-01-01' AS DATE) + CAST(id / 30 AS INT) END"}}
  deeds:
    rows: 300
    columns:
      id:  {type: bigint, key: true}
      on:  {type: date, generate: {between: [FIRST, LAST]}}
      who: {references: people.id, null: 0, present: {at: on, from: from, until: gone}}
      one: {references: people.id, null: 0, present: {at: on, from: from, until: gone}}
      two: {references: people.id, null: 0, other_than: one, present: {at: on, from: from, until: gone}}
"""


def passes(people: int, first: str, last: str) -> list[dict]:
    return read(source_of(PASSES.replace("{people}", str(people)).replace("FIRST", first).replace("LAST", last)), "deeds")


def test_of_no_rows_none_is_there():
    assert {d["who"] for d in passes(0, "2020-01-01", "2020-03-01")} == {None}


def test_whoever_is_there_is_found_among_any_number():
    assert {d["who"] is None for d in passes(30_000, "2020-01-01", "2020-01-02")} == {False}
    assert {d["who"] for d in passes(30_000, "2019-01-01", "2019-12-30")} == {None}


def test_another_that_is_there_is_found_among_any_number():
    """On the first day 14 or 15 of 30,000 are there for good, so that the one who leaves last is often the other."""
    early = passes(30_000, "2020-01-01", "2020-01-02")
    assert not [d for d in early if d["two"] is None or d["two"] == d["one"]]
    assert len({d["two"] for d in early}) > 1


def test_rows_far_apart_are_looked_up_as_those_near_each_other_are(monkeypatch):
    crowd = """tables:
  people:
    rows: 150000
    columns:
      id:     {type: bigint, key: true}
      joined: {type: timestamptz, generate: {between: [-3y, -1y]}}
      gone:   {type: timestamptz, null: 0.3, generate: {after: joined, within: 200d}}
  deeds:
    rows: 5000
    columns:
      id:  {type: bigint, key: true}
      at:  {type: timestamptz, generate: {between: [-2y, -1d]}}
      who: {references: people.id, present: {at: at, from: joined, until: gone}}
"""
    deeds = read(source_of(crowd), "deeds")
    people = {p["id"]: p for p in read(source_of(crowd), "people")}
    for deed in deeds:
        who = people[deed["who"]]
        assert who["joined"] <= deed["at"] and (who["gone"] is None or deed["at"] <= who["gone"])
    monkeypatch.setattr(attended, "_BLOCKS", 2)
    assert read(source_of(crowd), "deeds") == deeds


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            "who: {references: people.id, present: {at: on, from: from}}\n      other: {references: people.id}",
            "the rows of 'deeds' come per row of 'people', so 'who' has no choice",
        ),
        (
            "who: {references: people.id, weight: id}\n      other: {references: people.id}",
            "the rows of 'deeds' come per row of 'people', so 'who' has no choice",
        ),
    ],
)
def test_of_several_references_to_the_parent_the_one_that_rows_come_by_has_no_choice(reference, message):
    head, _, _ = PASSES.partition("      who:")
    text = head.replace("{people}", "20").replace("rows: 300", "rows: {per: people, count: 3}").replace("FIRST, LAST", "-3y, now")
    with pytest.raises(SchemaError, match=message):
        source_of(text + "      " + reference + "\n")


@pytest.mark.parametrize(
    ("unique", "keys", "message"),
    [
        ("", '{columns: [a, b], references: "p(a, b)"}, {columns: [a], references: o(id), present: {at: on, until: day}}', "so there is no choice"),
        (", unique: true", '{columns: [a, b], references: "p(a, b)", present: {at: on, until: day}}', "present is for references that may repeat"),
    ],
)  # fmt: skip
def test_a_reference_that_others_or_a_unique_part_decide_has_no_choice(unique, keys, message):
    text = f"""tables:
  o: {{rows: 5, columns: {{id: {{type: bigint, key: true}}, day: {{type: date, generate: {{between: [-2y, now]}}}}}}}}
  p:
    rows: 9
    key: [a, b]
    columns:
      a:   {{references: o.id}}
      b:   {{type: int, unique: true, generate: {{uniform: [1, 99]}}}}
      day: {{type: date, generate: {{between: [-2y, now]}}}}
  c:
    rows: 5
    columns:
      id: {{type: bigint, key: true}}
      on: {{type: date, generate: {{between: [-2y, now]}}}}
      a:  {{type: bigint, null: 0}}
      b:  {{type: int, null: 0{unique}}}
    foreign_keys: [{keys}]
"""
    with pytest.raises(RecipeError, match=message) as found:
        source_of(text)
    assert "test.yaml:20:" in str(found.value)
