"""Columns of paths, and the files that rows have: pure functions of the row, as every cell."""

from __future__ import annotations

import re

import pytest

import datagen
from datagen.errors import RecipeError
from schemas.errors import SchemaError
from schemas.reader import parse_schema
from schemas.writer import to_yaml
from tests.datagen.making import HEAD, source_of

TENANTS = """tables:
  tenants:
    rows: {rows}
    columns:
      id:   {{type: bigint, key: true}}
      name: {{type: text, unique: true, generate: company.name}}
      logo: {{type: text, null: 0, generate: {{media.logo: name, first: 8}}}}
{more}"""
INVOICES = """tables:
  tenants:
    rows: 3
    columns:
      id:   {type: bigint, key: true}
      name: {type: text, generate: company.name}
  invoices:
    rows: {per: tenants, count: 4}
    columns:
      id:         {type: bigint, key: true}
      tenant_id:  {references: tenants.id}
      created_at: {type: timestamptz, generate: {between: [-300d, now]}}
      status:     {type: text, generate: {states: {open: {paid: 1}}, dwell: 200d}}
      pdf:        {type: text, generate: {media.document: "Invoice {id:04}", letterhead: "Example Inc.", lines: ["To | {tenant_id.name}", "Now {status}"]}}
"""


def files_of(source) -> dict[str, bytes]:
    files = [(f.path, f.data) for f in source.media()]
    assert len(dict(files)) == len(files)
    return dict(files)


def tenants(rows: int = 12, more: str = ""):
    return source_of(TENANTS.format(rows=rows, more=more))


def test_each_cell_names_a_file_and_each_file_is_named():
    source = source_of(INVOICES)
    cells = source.read("invoices").read_all().column("pdf").to_pylist()
    assert cells[0] == "invoices/pdf/000001.pdf"
    assert set(cells) == set(files_of(source)) and len(set(cells)) == 12


def test_only_the_first_rows_have_files_where_that_is_said():
    source = tenants()
    cells = source.read("tenants").read_all().column("logo").to_pylist()
    assert [cell is None for cell in cells] == [False] * 8 + [True] * 4
    assert list(files_of(source)) == cells[:8]


def test_files_show_the_values_of_their_row_and_of_the_rows_that_it_references():
    source = source_of(INVOICES)
    names = source.read("tenants").read_all().column("name").to_pylist()
    rows = source.read("invoices").read_all().to_pylist()
    files = files_of(source)
    for row in rows:
        data = files[row["pdf"]].decode("cp1252")
        assert f"(Invoice {row['id']:04})" in data
        assert f"({names[row['tenant_id'] - 1]})" in data
        assert f"(Now {row['status']})" in data


def test_a_longer_table_and_other_columns_leave_files_as_they_were():
    other = "      extra: {type: integer, generate: {uniform: [1, 9]}}\n"
    first = files_of(tenants())
    assert files_of(tenants(rows=40)) == first
    assert files_of(tenants(more=other)) == first


def test_another_seed_draws_other_files():
    first, second = (files_of(source_of(TENANTS.format(rows=12, more=""), seed=seed)) for seed in (1, 2))
    assert set(first) == set(second)
    assert all(first[path] != second[path] for path in first)


def test_the_files_of_a_state_are_those_of_its_rows_as_they_are_then():
    whole = datagen.source(parse_schema(HEAD + INVOICES))
    state = datagen.source(parse_schema(HEAD + INVOICES), as_of="-150d")
    rows = state.read("invoices").read_all().to_pylist()
    files = files_of(state)
    assert 0 < len(rows) < whole.row_count("invoices")
    assert set(files) == {row["pdf"] for row in rows}
    assert {row["status"] for row in rows} == {"open", "paid"}
    for row in rows:
        assert f"(Now {row['status']})".encode() in files[row["pdf"]]


def test_files_that_no_moment_changes_are_those_of_the_whole_history():
    text = TENANTS.format(rows=8, more="")
    assert files_of(source_of(text, as_of="-1y")) == files_of(source_of(text)) != {}


def test_rows_that_are_null_for_another_reason_have_no_file():
    source = source_of(TENANTS.replace("null: 0,", "null: 0.5,").format(rows=8, more=""))
    cells = source.read("tenants").read_all().column("logo").to_pylist()
    assert None in cells
    assert set(files_of(source)) == set(cells) - {None}


def test_paths_are_safe_whatever_tables_and_columns_are_called():
    names = ("..", "../a b/ü", ".hidden.", "a/../..", "~", "C:", "x.y")
    columns = "".join(f'      "{name}": {{type: text, generate: media.avatar}}\n' for name in names)
    source = source_of(f'tables:\n  "/t":\n    rows: 1\n    columns:\n{columns}')
    parts = [path.split("/") for path in files_of(source)]
    assert parts[0] == ["%2Ft", "%2E%2E", "000001.png"]
    assert all(len(p) == 3 and re.fullmatch(r"[A-Za-z0-9_%-]+(\.+[A-Za-z0-9_%-]+)*", part) for p in parts for part in p)
    assert len({p[1] for p in parts}) == len(names)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("{type: text, generate: {media.avatar: {first: 2}}}", "add `null: 0`"),
        ("{type: text, generate: {media.logo: name, format: gif}}", "svg or png, not 'gif'"),
        ("{type: varchar(12), generate: media.avatar}", "do not fit varchar"),
        ("{type: text, hidden: true, generate: media.avatar}", "hidden"),
        ("{type: json, generate: {json: {a: media.avatar}}}", "whole columns"),
        ("{type: text, generate: {media.document: '{nam}'}}", "did you mean 'name'"),
        ("{type: text, generate: {media.logo: nam}}", "did you mean 'name'"),
        ("{type: integer, generate: media.avatar}", "does not fit integer"),
    ],
)
def test_what_cannot_be_drawn_is_told(column, message):
    text = f"tables:\n  t:\n    rows: 3\n    columns:\n      name: {{type: text, generate: company.name}}\n      x: {column}\n"
    with pytest.raises((RecipeError, SchemaError), match=message.replace("(", r"\(")):
        source_of(text)


def test_nobody_draws_millions_of_files_by_mistake():
    with pytest.raises(RecipeError, match="at most 10,000"):
        source_of("tables:\n  t:\n    rows: 20000\n    columns:\n      x: {type: text, generate: media.avatar}\n")


def test_a_column_of_files_has_the_class_of_what_they_show():
    schema = parse_schema(
        HEAD
        + """tables:
  users:
    rows: 2
    columns:
      id:     {type: bigint, key: true}
      name:   {type: text, generate: person.name}
      card:   {type: text, generate: {media.document: "Card of {name}"}}
      letter: {type: text, generate: {media.document: Letter, lines: ["{id}"]}}
      logo:   {type: text, generate: {media.logo: name}}
"""
    )
    classes = {c.name: c.data_class for c in schema.table("users").columns}
    assert (classes["card"], classes["letter"], classes["logo"]) == ("personal", "internal", "personal")
    assert parse_schema(to_yaml(schema)) == schema


def test_the_built_in_demo_has_logos_pictures_and_documents():
    source = datagen.source("demo")
    kinds = {path.rpartition(".")[2] for path in files_of(source)}
    assert kinds == {"svg", "png", "pdf"}
