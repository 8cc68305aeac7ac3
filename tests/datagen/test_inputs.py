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


@pytest.mark.parametrize("name", EDITS)
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
        "change one weight": {"support_tickets"},
        "change a share of nulls": {"users", "ticket_messages"},
        "grow the children": {"approvals"},
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


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_edit_of_related_tables_is_seen_by_every_table_that_it_changes(data):
    before = source_of(RELATED)
    told_equal(before, made(data.draw(edits(before.schema)), data.draw(st.sampled_from([1.0, 1.0, 1.0, 1.5]))))


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(schemas(), st.data())
def test_any_edit_of_a_random_schema_is_seen_by_every_table_that_it_changes(text, data):
    try:
        before = source_of(text)
    except CompanyOSError:
        assume(False)
    told_equal(before, made(data.draw(edits(before.schema))))


def test_a_read_column_a_pool_and_a_locale_are_named(built_in):
    inputs = built_in.inputs("ticket_messages")
    assert {"column body", "column users.phone", "number of rows", "number of rows of users", "reference (ticket_id)"} <= inputs.keys()
    assert {"anchor", "seed", "generator version", "locale", "value pool last_name ja_JP"} <= inputs.keys()
    assert "column users.job_title" not in inputs
    assert isinstance(built_in, KnownInputs)


def test_an_unknown_table_is_an_error(built_in):
    with pytest.raises(InputError, match="did you mean 'users'"):
        built_in.inputs("user")
