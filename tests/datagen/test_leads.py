"""A row that references one of the rows that reference it, such as a team whose lead is of the team."""

from __future__ import annotations

import datagen
from schemas import parse_schema

TEAMS = """
schema: company
tables:
  teams:
    rows: 40
    columns:
      id: {type: bigint, key: true}
      lead_id: {references: users.id, null: 0, generate: {earliest: users.id}}
    rules: [lead_id.team_id = id]
  users:
    rows: {per: teams, count: {uniform: [0, 5]}}
    columns:
      id: {type: bigint, key: true}
      team_id: {references: teams.id}
"""


def test_a_lead_is_of_the_own_team_and_a_team_of_nobody_has_none() -> None:
    source = datagen.source(parse_schema(TEAMS, "teams.yaml"))
    team_of = {row["id"]: row["team_id"] for row in source.read("users").read_all().to_pylist()}
    leads = {row["id"]: row["lead_id"] for row in source.read("teams").read_all().to_pylist()}
    assert {id: None if lead is None else team_of[lead] for id, lead in leads.items()} == {
        id: id if id in team_of.values() else None for id in leads
    }
    assert None in leads.values()


def test_a_lead_at_a_moment_is_somebody_who_is_there() -> None:
    text = TEAMS.replace(
        "    rules:",
        '      people: {type: integer, generate: {count: users}}\n      named_id: {references: users.id, null: 0, generate: {expression: "CASE WHEN people > 0 THEN id END"}}\n    rules:',
    )
    text += "      joined_on: {type: date, generate: {between: [-3y, now]}}\n"
    source = datagen.source(parse_schema(text, "teams.yaml"), as_of="-500d")
    people = source.read("users").read_all().to_pylist()
    there, teams = {row["id"] for row in people}, source.read("teams").read_all().to_pylist()
    first = {team["id"]: min((p["id"] for p in people if p["team_id"] == team["id"]), default=None) for team in teams}
    assert {team["id"]: team["lead_id"] for team in teams} == first
    assert all(team["named_id"] == (team["id"] if team["people"] and team["id"] in there else None) for team in teams)
    assert {team["id"] for team in teams if team["people"]} - there, "some name who is yet to come"


def test_what_follows_a_lead_follows_the_lead_of_the_moment() -> None:
    text = (
        TEAMS
        + """      joined_on: {type: date, generate: {between: [-3y, -1y]}}
      left_on: {type: date, null: 0.3, generate: {after: joined_on, within: 2y, until: 1y}}
    lives: {from: joined_on, until: left_on}
  notes:
    rows: {per: users, count: 2}
    columns:
      id: {type: bigint, key: true}
      by: {references: users.id}
      about: {references: users.id, null: 0, generate: {from: by.team_id.lead_id}}
      again: {references: users.id, null: 0, generate: {from: about.id}}
      joined_on: {type: date, null: 0, generate: {from: about.joined_on}}
"""
    )
    source = datagen.source(parse_schema(text, "teams.yaml"), as_of="now")
    team_of, joined = ({row["id"]: row[c] for row in source.read("users").read_all().to_pylist()} for c in ("team_id", "joined_on"))
    leads = {row["id"]: row["lead_id"] for row in source.read("teams").read_all().to_pylist()}
    notes = source.read("notes").read_all().to_pylist()
    expected = [leads[team_of[note["by"]]] for note in notes]
    assert [note["about"] for note in notes] == [note["again"] for note in notes] == expected
    assert [note["joined_on"] for note in notes] == [joined[lead] for lead in expected]
    whole = {row["id"] for row in source.history.read("users").read_all().to_pylist()}
    assert whole > set(team_of), "some have left"
