"""Scenarios in the schema language: what is read, what is refused and where, and that what is written reads back."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from schemas import read_schema
from schemas.document import from_document, to_document
from schemas.errors import InputError, SchemaError
from schemas.json_schema import json_schema
from schemas.model import Recipe
from schemas.reader import parse_schema
from schemas.ready_scenarios import adding_scenarios, known_scenarios, read_ready, ready_names, scenario_named, scenarios_to_apply
from schemas.scenarios import Change, Scenario
from schemas.writer import to_yaml
from schemas.yaml_nodes import Reading, plain

TABLES = """schema: shop
tables:
  tenants:
    rows: 9
    columns:
      id:   {type: int, key: true}
      name: {type: text, generate: words}
      born: {type: timestamptz, generate: {between: [-1y, now]}}
  users:
    rows: {per: tenants, count: 3}
    columns:
      id:        {type: int, key: true, generate: {sequence: {gaps: 4}}}
      tenant_id: {references: tenants.id}
      email:     {type: text, unique: true, generate: {pattern: "[a-z]{9}"}}
      status:    {type: text, generate: {states: {new: {open: 1}}, start: tenant_id.born}}
      opened_at: {type: timestamptz, null: 0, generate: {entered: open, of: status}}
      boss_id:   {references: users.id, within: tenant_id, acyclic: true, null: 0}
  orders:
    rows: {per: users, count: 3}
    columns:
      id:      {type: int, key: true}
      user_id: {references: users.id}
      code:    {type: text, generate: {template: "O-{row}"}}
      at:      {type: timestamptz, generate: {after: users.tenant_id.born, within: 9d}}
  visits:
    rows: {per: users, count: 3}
    columns:
      id:      {type: uuid, key: true, generate: {uuid7: at}}
      user_id: {references: users.id}
      twice:   {type: numeric, computed: 1 + 1}
      at:      {type: timestamptz, generate: {after: users.tenant_id.born, within: 9d}}
  notes:
    rows: 5
    columns:
      text: {type: text, generate: words}
"""
WHOLE = """scenarios:
  burst:
    comment: "a burst: of visits"
    subjects: users
    where: status = 'new'
    share: 0.25
    near_miss: 0.125
    at: {after: tenant_id.born, within: 3d}
    set:
      users: {columns: {status: {constant: away}, opened_at: {from: episode.at}}}
      tenants_like: x
    add:
      visits:
        - {count: {uniform: [2, 4]}, phase: early, columns: {at: {after: episode.at, within: 5m}}}
        - {per: users, where: "status = 'new'", pick: 2}
    near:
      add: {visits: {columns: {at: {expression: "episode.at + episode.place * INTERVAL '1 day'"}}}}
""".replace("      tenants_like: x\n", "")


def problems(scenario: str) -> list[str]:
    """What is said about one scenario, without the file's name."""
    with pytest.raises(SchemaError) as caught:
        parse_schema(TABLES + scenario, "f")
    return [line.removeprefix("f:") for line in str(caught.value).splitlines()]


def of_body(body: str) -> list[str]:
    """What is said about a scenario of users with a body on one line; it stands in line 37."""
    return [found.partition(": ")[2] for found in problems(f"scenarios:\n  s: {{subjects: users, share: 0.1, {body}}}\n")]


def test_a_scenario_is_read_as_it_is_written():
    scenario = parse_schema(TABLES + WHOLE).scenarios["burst"]
    assert isinstance(scenario, Scenario)
    assert (scenario.subjects, scenario.share, scenario.near_miss, scenario.where) == ("users", 0.25, 0.125, "status = 'new'")
    assert scenario.comment == "a burst: of visits"
    assert scenario.moment == Recipe("after", {"path": "tenant_id.born", "within": 3 * 86_400_000_000})
    assert [c.table for c in scenario.changes] == ["users", "visits", "visits"]
    assert [c.adds for c in scenario.changes] == [False, True, True]
    assert scenario.changes[2] == Change("visits", {}, "status = 'new'", 2, None, 1, "users")
    assert scenario.changes[1].columns["at"] == Recipe("after", {"path": "episode.at", "within": 300_000_000})
    assert scenario.near[0].count == 1


def test_a_scenario_that_says_little_has_a_moment_in_the_last_90_days_and_no_share():
    scenario = parse_schema(TABLES + "scenarios: {s: {subjects: users, add: {visits: {}}}}\n").scenarios["s"]
    assert isinstance(scenario, Scenario)
    assert scenario.moment == Recipe("between", {"period": ("-90d", "now")})
    assert scenario.share is None


def test_a_where_that_no_row_can_satisfy_is_refused_with_its_reason():
    [of_subjects, of_rows] = problems(
        "scenarios:\n  s:\n    subjects: tenants\n    share: 0.1\n    where: born > '2999-01-01'\n"
        "    set: {tenants: {where: \"born < '1999-01-01'\", columns: {born: {constant: 1998-01-01}}}}\n"
    )
    assert of_subjects.startswith("38:5: where: no row can satisfy born > '2999-01-01': 'born' is from ")
    assert of_rows.startswith("41:20: where: no row can satisfy born < '1999-01-01': 'born' is from ")


def test_a_where_that_a_row_may_satisfy_is_not_refused():
    text = (
        "scenarios: {s: {subjects: tenants, where: \"born < '2999-01-01'\", set: {tenants: {columns: {born: {constant: 1998-01-01}}}}}}\n"
    )
    assert parse_schema(TABLES + text).scenarios["s"].where == "born < '2999-01-01'"


def test_what_is_written_reads_back_the_same():
    schema = parse_schema(TABLES + WHOLE + "  other: 0.5\n")
    assert parse_schema(to_yaml(schema)) == schema
    assert from_document(json.loads(json.dumps(to_document(schema)))) == schema
    company = read_schema("companyos")
    whole = replace(company, scenarios={name: scenario_named(company, name) for name in known_scenarios(company)})
    assert len(whole.scenarios) > 10
    assert parse_schema(to_yaml(whole)) == whole
    assert from_document(to_document(whole)) == whole


def refusals(text: str) -> list[str]:
    root = Reading().compose(text)
    assert root is not None
    return [error.message for error in jsonschema.Draft202012Validator(json_schema()).iter_errors(plain(root))]


def test_editors_accept_what_the_reader_does_and_tell_slips():
    assert refusals(TABLES + WHOLE) == []
    assert refusals(to_yaml(parse_schema(TABLES + WHOLE))) == []
    for wrong, right in (
        ("subjects:", "subject:"),
        ("share: 0.25", "share: 25"),
        ("near:", "nearly:"),
        ("phase: early", "fase: early"),
        ("pick: 2", "pick: 0"),
    ):
        assert refusals(TABLES + WHOLE.replace(wrong, right)) != [], right
    assert refusals(TABLES + "scenarios: {s: {subjects: users}}\n") != []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("set: {usres: {columns: {status: words}}}", "set: there is no table 'usres'; did you mean 'users'?"),
        ("set: {users: {columns: {statsu: words}}}", "table 'users' has no column 'statsu'; did you mean 'status'?"),
        ("add: {visits: {per: vists}}", "per: there is no table 'vists'; did you mean 'visits'?"),
        ("set: {users: {columns: {id: {constant: 1}}}}", "column 'id' of 'users' is part of a key or unique, so a scenario cannot set it"),
        ("set: {users: {columns: {email: words}}}", "column 'email' of 'users' is part of a key or unique, so a scenario cannot set it"),
        ("set: {users: {columns: {tenant_id: {constant: 1}}}}", "column 'tenant_id' of 'users' is a reference, so a scenario cannot set it"),
        ("add: {visits: {columns: {twice: {constant: 1}}}}", "column 'twice' of 'visits' is computed by the database, so a scenario cannot set it"),
        ("set: {users: {columns: {status: words}}}", "column 'opened_at' of 'users' says when 'status' was entered; set it together with 'status'"),
        ("set: {tenants: {columns: {name: words}}}", "rows of 'tenants' do not lead to 'users' along references, so they belong to no subject"),
        ("add: {visits: {per: tenants}}", "rows of 'tenants' do not lead to 'users' along references, so they belong to no subject"),
        ("add: {visits: {per: new visits}}", "`per: new visits` needs an `add:` of 'visits' above it in the same part"),
        ("add: {visits: [{}, {per: new visits, pick: 1}]}", "where and pick choose among rows that are there; `per: new` means all rows that were added"),
        ("set: {users: {where: stats = 'x', columns: {status: words, opened_at: {from: episode.at}}}}", "expression: 'stats' is no column of 'users' or of a row that it references; did you mean 'status'?"),
        ("where: statu IS NULL, add: {visits: {}}", "expression: 'statu' is no column of 'users' or of a row that it references; did you mean 'status'?"),
        ("at: {after: tenant_id.bron, within: 1d}, add: {visits: {}}", "after: 'bron' is no column of 'tenants' or of a row that it references; did you mean 'born'?"),
        ("at: words, add: {visits: {}}", "words does not fit timestamptz; these do: choice, list, constant, between, after, before, entered, slot, slot_end, cases, from, expression, earliest, latest, faker, mimesis"),
        ("add: {visits: {columns: {at: {after: episode.start, within: 1d}}}}", "after: 'episode.start' is no column of 'visits' or of a row that it references; did you mean 'episode.at'?"),
        ("add: {visits: {columns: {at: {from: was.at}}}}", "from: 'was.at' is no column of 'visits' or of a row that it references"),
        ("add: {visits: {columns: {at: {boolean: 0.5}}}}", "boolean does not fit timestamptz; these do: choice, list, constant, between, after, before, entered, slot, slot_end, cases, from, expression, earliest, latest, faker, mimesis"),
        ("add: {visits: {count: {uniform: [9, 2]}}}", "range of uniform must rise; 9 is greater than 2"),
        ("add: {visits: {count: -1}}", "count must be 0 or more, not -1"),
        ("near_miss: 0.1, add: {visits: {}}", "scenario 's' has a near_miss, and no `near:` that says what near misses look like"),
        ("near_miss: 0.95, add: {visits: {}}, near: {add: {visits: {}}}", "scenario 's': share and near_miss sum to more than 1"),
        ("near_miss: 2, add: {visits: {}}, near: {add: {visits: {}}}", "near_miss of 's' must lie between 0 and 1, not 2"),
        ("near: {}, add: {visits: {}}", "near needs `set:` or `add:`"),
        ("comment: nothing", "scenario 's' changes nothing; it needs `set:` or `add:`"),
        ("set: {users: {pick: 1}}", "set of 'users' needs `columns:` with a generator for each"),
        ("add: {visits: {pick: 0}}", "pick must be at least 1, not '0'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_reason(body, message):
    assert of_body(body) == [message]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("orders", "its column 'id' counts without gaps, so added rows would be known by their numbers; give its sequence `gaps:`, such as {sequence: {gaps: 8}}"),
        ("orders", "its column 'code' holds {row}, the row number, by which added rows would be known; use a sequence with `gaps:` instead"),
        ("users", "its reference boss_id is acyclic, by the order of rows"),
    ],
)  # fmt: skip
def test_rows_that_would_be_known_cannot_be_added(table, message):
    assert f"rows cannot be added to '{table}': {message}" in of_body(f"add: {{{table}: {{}}}}")


def test_words_with_numbers_and_dense_times_would_be_known_too():
    serial = TABLES.replace('{pattern: "[a-z]{9}"}', "person.email").replace(", acyclic: true", "")
    with pytest.raises(SchemaError, match="nothing keeps \\(email\\) unique without telling the added rows"):
        parse_schema(serial + "scenarios: {s: {subjects: users, add: {users: {}}}}\n")
    with pytest.raises(SchemaError, match="'id' tells the row number by its time; give its uuid7 a time column"):
        parse_schema(TABLES.replace("{uuid7: at}", "uuid7") + "scenarios: {s: {subjects: users, add: {visits: {}}}}\n")


def test_rows_without_a_key_cannot_be_labelled():
    assert problems("scenarios: {s: {subjects: notes, set: {notes: {columns: {text: {constant: x}}}}}}\n") == [
        "36:16: scenario 's': table 'notes' has no key, so no label could point at its rows"
    ]
    with pytest.raises(SchemaError, match="'s' is labelled in a table 's_labels', and the schema has one of that name"):
        parse_schema(TABLES.replace("  notes:", "  s_labels:") + "scenarios: {s: {subjects: users, add: {visits: {}}}}\n")
    with pytest.raises(SchemaError, match=r"the name of scenario 's{60}' is too long: its labels stand in 's{60}_labels'"):
        parse_schema(TABLES + f"scenarios: {{{'s' * 60}: {{subjects: users, add: {{visits: {{}}}}}}}}\n")


def test_all_problems_of_a_scenario_are_told_at_once_with_their_places():
    assert problems("""scenarios:
  s:
    subjects: usrs
    share: 3
    set: {tenants: {columns: {nam: words}}}
    ad: {}
""") == [
        "38:15: subjects: there is no table 'usrs'; did you mean 'users'?",
        "39:12: share of 's' must lie between 0 and 1, not 3",
        "40:31: table 'tenants' has no column 'nam'; did you mean 'name'?",
        "41:5: unknown key 'ad' in scenario 's'; did you mean 'add'?",
    ]  # fmt: skip
    assert problems("scenarios: {s: {share: 0.5}}\n") == ["36:16: scenario 's' needs `subjects: <table>`"]
    assert problems("scenarios: [s]\n") == ["36:12: scenarios must be a mapping, not a list"]


def test_nothing_is_said_of_scenarios_about_what_is_wrong_elsewhere():
    broken = TABLES.replace("status:    {type: text", "status:    {type: txet")
    with pytest.raises(SchemaError) as caught:
        parse_schema(broken + WHOLE, "f")
    assert len(caught.value.problems) == 1


# Ready ones


def test_every_ready_scenario_fits_its_schema_and_says_what_it_plants():
    for schema in ("companyos",):
        company = read_schema(schema)
        assert len(ready_names(schema)) >= 12
        for name in ready_names(schema):
            scenario = read_ready(company, name)
            assert scenario.comment
            assert scenario.share
            assert scenario.near_miss
            assert scenario.near, "near misses say what only looks alike"


def test_a_schema_of_another_name_has_no_ready_scenarios():
    assert ready_names("shop") == ready_names("..") == ready_names("") == ()


def test_ready_scenarios_that_do_not_fit_a_schema_of_the_same_name_are_refused_in_their_own_file():
    own = parse_schema(TABLES.replace("schema: shop", "schema: companyos") + "scenarios: {incident: 0.1}\n")
    assert adding_scenarios(own) == {}
    with pytest.raises(SchemaError) as caught:
        scenarios_to_apply(own, {})
    first = str(caught.value).splitlines()[0]
    assert first.startswith("schemas/packs/companyos/incident.yaml:")
    assert "there is no table 'webhook_endpoints'" in first


def test_shares_that_are_asked_for_overrule_those_of_the_schema():
    schema = parse_schema(TABLES + WHOLE)
    for asked, shares in (({}, [0.25]), ({"burst": None}, [0.25]), ({"burst": 0.5}, [0.5]), ({"burst": 0}, [])):
        assert [s.share for s in scenarios_to_apply(schema, asked)] == shares
    assert scenarios_to_apply(schema, {"burst": 0.5})[0].near_miss == 0.25
    assert scenarios_to_apply(schema, {"burst": 0.9})[0].near_miss == pytest.approx(0.1)
    with pytest.raises(InputError, match="there is no scenario 'brust' for schema 'shop'; did you mean 'burst'?"):
        scenarios_to_apply(schema, {"brust": None})
