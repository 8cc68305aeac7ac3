"""What a table depends on: where all its inputs are equal, its content is; and what does not matter is not among them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import datagen
from benchmarks.stability import EDITS, company
from bundles.digest import TableDigest, TableDigester
from datagen import SyntheticSource
from schemas.errors import CompanyOSError, InputError
from schemas.model import Schema
from schemas.source import KnownInputs
from tests.datagen.making import source_of
from tests.datagen.schema_edits import RELATED, edits
from tests.datagen.test_random_schemas import schemas
from tests.spread import one_in

SCALE = 0.05


def content(made: SyntheticSource, table: str) -> TableDigest:
    """What a bundle would say of a table, whatever the order of its columns."""
    digester = TableDigester(made.schema.table(table))
    for batch in made.read(table):
        digester.update(batch)
    return digester.finish()


def told_equal(before: SyntheticSource, after: SyntheticSource) -> set[str]:
    """The tables whose inputs are said to be equal, which are proved to be so."""
    common = {t.name for t in before.schema.tables} & {t.name for t in after.schema.tables}
    equal = {name for name in common if before.inputs(name) == after.inputs(name)}
    for name in sorted(equal):
        was, now = content(before, name), content(after, name)
        stored = was.columns.keys() & now.columns.keys()
        assert was.rows == now.rows, (name, after.inputs(name))
        assert {c: was.columns[c] for c in stored} == {c: now.columns[c] for c in stored}, (name, after.inputs(name))
    return equal


@pytest.fixture(scope="module")
def built_in() -> SyntheticSource:
    return datagen.source(company(), scale=SCALE)


@pytest.mark.parametrize("name", one_in(6, EDITS))
def test_tables_with_equal_inputs_have_equal_content(name, built_in):
    edit = EDITS[name]
    after = datagen.source(edit.make(company()), scale=SCALE)
    equal = told_equal(built_in, after)
    different = {t.name for t in built_in.schema.tables} - equal
    gone = different - {t.name for t in after.schema.tables}
    reaches = {
        "add a column": {"users"},
        "drop a column": {"users"},
        "rename another column": {"users"},
        "reorder the columns": set(),
        "change one weight": {"refunds"},
        "change a share of nulls": {"users", "ticket_messages"},
        "grow the children": {"api_keys"},
        "grow a table that others draw from": {"support_agents", "support_tickets", "ticket_messages"},
    }
    if name == "grow a parent":
        assert equal == {"plans", "roles", "feature_flags", "support_agents"}
    else:
        assert different - gone == reaches.get(name, set())


def made(schema: Schema, scale: float = 1.0) -> SyntheticSource:
    """The source of an edited schema, where its cells can be made: an edit may ask for what no reader of schemas lets through."""
    try:
        source = datagen.source(schema, scale=scale)
        for table in schema.tables:
            source.read(table.name).read_all()
    except (CompanyOSError, pa.ArrowException, KeyError, AssertionError):
        assume(False)
    return source


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.data())
@pytest.mark.slow
def test_any_edit_of_related_tables_is_seen_by_every_table_that_it_changes(data):
    before = source_of(RELATED)
    told_equal(before, made(data.draw(edits(before.schema)), data.draw(st.sampled_from([1.0, 1.0, 1.0, 1.5]))))


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(schemas(), st.data())
@pytest.mark.slow
def test_any_edit_of_a_random_schema_is_seen_by_every_table_that_it_changes(text, data):
    try:
        before = source_of(text)
    except CompanyOSError:
        assume(False)
    told_equal(before, made(data.draw(edits(before.schema))))


# Tables that each read one thing through another table, and nothing else.
WATCHERS = """
  of_number:
    rows: 40
    columns:
      message_id: {references: messages.id}
      read:       {type: integer, generate: {from: message_id.nr}}
  of_email:
    rows: 40
    columns:
      user_id: {references: users.id}
      read:    {type: text, generate: {from: user_id.email}}
  of_name:
    rows: 40
    columns:
      user_id: {references: users.id}
      read:    {type: text, generate: {template: "to {user_id.name}"}}
  of_newest:
    rows: 40
    columns:
      tenant_id: {references: tenants.id}
      read:      {type: timestamptz, null: 0, generate: {from: tenant_id.newest}}
  of_price:
    rows: 40
    columns:
      tenant_id: {references: tenants.id}
      read:      {type: "numeric(8,2)", generate: {expression: "tenant_id.plan_id.price"}}
  of_state:
    rows: 40
    columns:
      ticket_id: {references: tickets.id}
      read:      {type: text, generate: {from: ticket_id.status}}
  of_start:
    rows: 40
    columns:
      ticket_id: {references: tickets.id}
      read:      {type: timestamptz, generate: {from: ticket_id.created_at}}
"""


@pytest.mark.parametrize(
    ("was", "now", "seen_by"),
    [
        ("kind:      {type: text, generate: {choice: {a: 1, b: 1}}}", "kind: {type: text, generate: {choice: {a: 1, b: 1, c: 1}}}", {"of_number"}),
        ("    unique: [[ticket_id, kind, nr]]\n", "", {"of_number"}),
        ("email:      {type: text, unique: true,", "email: {type: text,", {"of_email"}),
        ("    locale: tenant_id\n", "    locale: {fr_FR: 1}\n", {"of_email", "of_name"}),
        ("  tenants:\n    rows: 12\n", "  tenants:\n    rows: 12\n    locale: {fr_FR: 1, ja_JP: 1}\n", {"of_email", "of_name"}),
        ("generate: person.name}", "generate: company.name}", {"of_name"}),
        ("{after: tenants.born, within: 1y}}\n      manager_id", "{after: tenants.born, within: 2y}}\n      manager_id", {"of_newest"}),
        ("{between: [-3y, -1y]}", "{between: [-1d, now]}", {"of_newest", "of_start", "of_state"}),
        ("{choice: {1: 4, 7: 1}}", "{choice: {1: 1, 7: 1, 50: 1}}", {"of_price"}),
        ("locale: {en_US: 2, de_DE: 1}", "locale: {en_US: 1, de_DE: 3}", {"of_email", "of_name"}),
        ("{per: tenants, count: {poisson: 4}, total: 50}", "{per: tenants, count: {poisson: 9}, total: 50}", {"of_start", "of_state"}),
        ("weight: heavy", "skew: 1.2", {"of_price"}),
        ("{after: tenants.born, within: 1y, rhythm: office}", "{between: [-1d, now]}", {"of_start", "of_state"}),
        ("price: {type", "cost: {type: text, generate: person.job}\n      price: {type", set()),
        ("phone_number, pool: 50", "phone_number, pool: 60", set()),
    ],
)  # fmt: skip
def test_a_change_is_seen_through_other_tables(was, now, seen_by):
    whole = RELATED + WATCHERS
    assert whole.count(was) == 1
    before, after = source_of(whole), source_of(whole.replace(was, now))
    watchers = {t.name for t in before.schema.tables if t.name.startswith("of_")}
    different = {name for name in watchers if content(before, name) != content(after, name)}
    assert different <= seen_by
    assert bool(different) == bool(seen_by)
    assert watchers - told_equal(before, after) == seen_by


# Counts, cases, correlations, local times and slots, read by other tables, and a scenario that reads hidden columns alone.
RELATIONS = """tables:
  tenants:
    rows: 100
    columns:
      id:    {type: bigint, key: true}
      size:  {type: text, generate: {choice: {small: 3, big: 1}}}
      seats: {type: integer, generate: {uniform: [0, 6]}}
      level: {hidden: true, type: integer, generate: {uniform: [0, 4]}}
      plan:  {type: text, generate: {choice: [free, paid]}}
      zone:  {type: text, generate: {choice: {Europe/Berlin: 1, Asia/Tokyo: 1}}}
      since: {type: timestamptz, generate: {between: [-3y, -1y]}}
  users:
    rows: {per: tenants, count: {by: size, cases: {small: {uniform: [1, 3]}, big: 8}}}
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id}
      age:       {type: integer, generate: {normal: {mean: 40, sd: 9}}}
      pay:       {type: integer, generate: {lognormal: {median: 3000, sigma: 0.4}}}
      tone:      {type: text, generate: {by: tenant_id.size, cases: {small: {choice: {x: 1, y: 1}}, big: {constant: z}}}}
      gone:      {hidden: true, type: boolean, generate: {boolean: 0.5}}
    correlate:
      - {columns: [age, pay], matrix: [[1, 0.6], [0.6, 1]]}
  seats:
    rows: {per: tenants, count: {from: seats}}
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id}
  calls:
    rows: {per: tenants, count: {expression: "level + 1"}}
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id}
      at:        {type: timestamptz, generate: {after: tenants.since, within: 1y, rhythm: office, zone: tenant_id.zone}}
  stays:
    rows: {per: tenants, count: 3}
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id}
      arrives:   {type: timestamp, generate: {slot: {gap: 2d, length: {uniform: [1d, 9d]}, after: tenants.since}}}
      leaves:    {type: timestamp, generate: {slot_end: arrives}}
  of_users:
    rows: 200
    columns:
      user_id: {references: users.id}
      pay:     {type: integer, generate: {from: user_id.pay}}
      tone:    {type: text, generate: {from: user_id.tone}}
  of_seats:
    rows: 40
    columns:
      seat_id: {references: seats.id}
  of_calls:
    rows: 40
    columns:
      call_id: {references: calls.id}
      at:      {type: timestamptz, generate: {from: call_id.at}}
  of_stays:
    rows: 40
    columns:
      stay_id: {references: stays.id}
      leaves:  {type: timestamp, generate: {from: stay_id.leaves}}
scenarios:
  downgrades:
    subjects: tenants
    share: 0.4
    where: level > 1
    at: {between: [-1y, now]}
    set:
      tenants: {columns: {plan: {constant: lost}}}
      users: {where: gone, columns: {tone: {constant: sad}}}
"""


@pytest.mark.parametrize(
    ("was", "now", "changes"),
    [
        ("{small: 3, big: 1}", "{small: 1, big: 1}", {"tenants", "users", "of_users"}),
        ("small: {uniform: [1, 3]}", "small: {uniform: [1, 2]}", {"users", "of_users"}),
        ("big: 8", "big: 9", {"users", "of_users"}),
        ("[0, 6]", "[0, 5]", {"tenants", "seats", "of_seats"}),
        ("level + 1", "level + 2", {"calls", "of_calls"}),
        ("0.6], [0.6", "0.2], [0.2", {"users", "of_users"}),
        ("mean: 40", "mean: 42", {"users"}),
        ("{normal: {mean: 40, sd: 9}}", "{zipf: 1.5, max: 90}", {"users"}),
        ("{x: 1, y: 1}", "{x: 1, y: 6}", {"users", "of_users"}),
        ("Europe/Berlin: 1", "Europe/Berlin: 5", {"tenants", "calls", "of_calls"}),
        (", zone: tenant_id.zone", "", {"calls", "of_calls"}),
        ("[1d, 9d]", "[1d, 5d]", {"stays", "of_stays"}),
        ("share: 0.4", "share: 0.2", {"tenants", "users", "of_users"}),
        ("where: level > 1", "where: level > 2", {"tenants", "users", "of_users"}),
        ("where: gone,", "", {"users", "of_users"}),
        ("uniform: [0, 4]", "uniform: [0, 3]", {"tenants", "users", "of_users", "calls", "of_calls"}),
        ("boolean: 0.5", "boolean: 0.8", {"users", "of_users"}),
        ("{constant: lost}", "{constant: gone}", {"tenants"}),
    ],
)  # fmt: skip
def test_a_change_of_a_relation_or_a_scenario_is_seen_by_every_table_that_it_changes(was, now, changes):
    assert RELATIONS.count(was) == 1
    before, after = source_of(RELATIONS), source_of(RELATIONS.replace(was, now))
    names = {t.name for t in before.schema.tables}
    assert {name for name in names if content(before, name) != content(after, name)} - {"downgrades_labels"} == changes
    assert not told_equal(before, after) & changes


def test_a_scenario_leaves_tables_alone_that_read_nothing_of_it():
    without = source_of(RELATIONS[: RELATIONS.index("scenarios:")])
    assert told_equal(without, source_of(RELATIONS)) == {"seats", "of_seats", "calls", "of_calls", "stays", "of_stays"}


def test_a_read_column_a_pool_and_a_locale_are_named(built_in):
    inputs = built_in.inputs("ticket_messages")
    assert {"column body", "column users.email", "number of rows", "number of rows of users", "reference (ticket_id)"} <= inputs.keys()
    assert {"anchor", "seed", "generator version", "locale of tenants", "value pool last_name ja_JP"} <= inputs.keys()
    assert "column users.job_title" not in inputs
    assert isinstance(built_in, KnownInputs)


def test_an_unknown_table_is_an_error(built_in):
    with pytest.raises(InputError, match="did you mean 'users'"):
        built_in.inputs("user")
