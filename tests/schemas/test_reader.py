"""The schema language, read: what each way of writing means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schemas.errors import InputError, Problem, SchemaError
from schemas.model import Check, Column, ForeignKey, Index, Recipe, Rows, Schema, Table, Unique
from schemas.reader import builtin_names, parse_schema, read_schema
from schemas.recipes import argument
from schemas.reference import EXAMPLE
from schemas.types import SqlType

HOUR = 3_600_000_000
DAY = 24 * HOUR


def column(written: str, more: str = "") -> Column:
    """The column `c` of a table, written as given."""
    return parse_schema(f"schema: s\n{more}tables:\n  t:\n    rows: 1\n    columns:\n      c: {written}\n").table("t").column("c")


def recipe(written: str, type: str = "text") -> Recipe:
    """What a recipe of a column of that type reads as."""
    found = column(f"{{type: {type!r}, generate: {written}}}").generate
    assert found is not None
    return found


def table(written: str) -> Table:
    """The last table of a schema whose tables are written as given."""
    return parse_schema("schema: s\ntables:\n" + written).tables[-1]


# The whole


def test_what_was_read_is_shown_in_a_line() -> None:
    schema = parse_schema(
        "schema: shop\ntables:\n  users:\n    rows: 9\n    columns:\n      id: {type: bigint, key: true}\n"
        "      email: {type: text, generate: person.email, class: personal}\n"
    )
    assert repr(schema) == "<Schema shop: 1 table>"
    assert repr(schema.table("users")) == "<Table users: id bigint, email text>"
    assert repr(schema.table("users").column("email")) == "<Column email text, personal>"


def test_the_example_reads_as_it_is_written() -> None:
    schema = parse_schema(EXAMPLE)
    assert (schema.name, schema.seed, schema.anchor) == ("shop", 42, 1_767_225_600_000_000)
    assert list(schema.locale.items()) == [("en_US", 70), ("de_DE", 20), ("ja_JP", 10)]
    assert [t.name for t in schema.tables] == ["tenants", "users", "invoices", "invoice_lines"]
    users = schema.table("users")
    assert users.rows == Rows(per="tenants", each=Recipe("zipf", {"exponent": 1.3, "min": 1, "max": 5000}))
    assert users.key == ("id",)
    assert users.unique == (Unique(("email",)),)
    assert users.foreign_keys == (
        ForeignKey(("tenant_id",), "tenants", ("id",)),
        ForeignKey(("manager_id",), "users", ("id",), within="tenant_id", acyclic=True),
    )
    assert users.column("tenant_id").type == SqlType("uuid")
    assert users.column("manager_id") == Column("manager_id", SqlType("bigint"), null=0.1)
    assert users.column("email").data_class == "personal"
    assert users.column("email").semantic == "person.email"
    assert users.column("created_at").generate == Recipe("after", {"path": "tenants.created_at", "within": 730 * DAY})
    assert schema.table("tenants").column("created_at").generate == Recipe("between", {"period": ("-3y", "now")})
    assert schema.table("invoice_lines").key == ("invoice_id", "line")
    assert schema.privacy_unit == "users.id"


def test_rows_per_a_table_without_a_reference_to_it_are_allowed_with_a_warning() -> None:
    warnings: list[Problem] = []
    text = EXAMPLE.replace("      tenant_id: {references: tenants.id}\n      status", "      status")
    assert text != EXAMPLE
    parse_schema(text, warnings=warnings)
    assert len(warnings) == 1
    assert "no column of 'invoices' references 'tenants'" in warnings[0].message


def test_functions_that_postgresql_does_not_have_are_allowed_with_a_warning() -> None:
    warnings: list[Problem] = []
    text = """schema: s
tables:
  t:
    rows: 1
    columns:
      a: {type: text, generate: words, check: "lenght(a) > 3", default: "lower(hex('x'))"}
      b: {type: integer, computed: "instr(a, left(a, 1)) + instr(a, 'x')"}
      c: {type: timestamp, generate: {between: [2020-01-01, 2021-01-01]}, default: "datetime('now')"}
    checks:
      - json_valid(a) OR pg_column_size(a) > 3 AND CAST(a AS varchar(3)) = a::mood(3) AND "Odd"(a) = own.f(a) AND a IN ('x') AND iif (true, a, a) = a
      - coalesce(substr(a, 1, 2), nullif(a, '')) ~ overlay(a PLACING ('x') FROM 1) AND extract(year FROM now() AT TIME ZONE ('UTC')) BETWEEN SYMMETRIC (1) AND greatest(2, 3)
"""
    parse_schema(text, warnings=warnings)
    assert [(w.at.line, w.message.partition("function ")[2].partition(" ")[0]) for w in warnings if w.at] == [
        (6, "'lenght'"), (10, "'iif'"), (6, "'hex'"), (7, "'instr'"), (8, "'datetime'"),
    ]  # fmt: skip
    assert "check: PostgreSQL has no function 'lenght' without an extension" in warnings[0].message
    assert warnings[0].message.endswith("; did you mean 'length'?")


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        ("{draft: {opn: 1}, open: {paid: 1}}", ["to 'open', so no row gets there; did you mean 'opn'?", "to 'paid', so no row gets there"]),
        ("{draft: {open: 0, void: 1}, open: {draft: 1}}", ["to 'open', so no row gets there"]),
        ("{draft: {open: 1}, open: {draft: 0.5, paid: 0.5}, paid: {}}", []),
    ],
)
def test_a_state_that_no_row_reaches_is_allowed_with_a_warning(machine: str, said: list[str]) -> None:
    warnings: list[Problem] = []
    recipe = f"{{type: text, generate: {{states: {machine}}}}}"
    parse_schema(f"schema: s\ntables: {{t: {{rows: 1, columns: {{c: {recipe}}}}}}}\n", warnings=warnings)
    assert [w.message for w in warnings] == [f"no way leads from 'draft' {what}" for what in said]
    assert all(w.at is not None and w.at.line == 2 for w in warnings)


def test_scenarios_are_kept_with_a_warning() -> None:
    warnings: list[Problem] = []
    schema = parse_schema(EXAMPLE + "scenarios: {card_testing: 0.002}\n", warnings=warnings)
    assert schema.scenarios == {"card_testing": 0.002}
    assert ["card_testing" in w.message for w in warnings] == [True]


def test_every_built_in_schema_reads() -> None:
    assert "companyos" in builtin_names()
    for name in builtin_names():
        assert read_schema(name).name == name


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text("\ufeff" + EXAMPLE, "utf-8")
    assert read_schema(path) == parse_schema(EXAMPLE)
    assert read_schema(str(path)).file == str(path)


def test_places_are_known_for_messages_and_do_not_count_in_comparisons() -> None:
    schema = parse_schema(EXAMPLE)
    at = schema.table("users").column("email").at
    assert at is not None
    assert EXAMPLE.splitlines()[at.line - 1][at.column - 1 :].startswith("email:")
    assert parse_schema("\n\n" + EXAMPLE) == schema


# Scalars are taken as the type that is expected


@pytest.mark.parametrize(
    ("written", "type", "values"),
    [
        ("[no, yes, on, 12:30, 1_000, 0x1F, ~, null, true, 2024-01-01]", "text", ["no", "yes", "on", "12:30", "1_000", "0x1F", "~", "null", "true", "2024-01-01"]),
        ("['5', 6, 1_000]", "integer", [5, 6, 1000]),
        ("[1, 2.5, 1e3]", "double", [1, 2.5, 1000]),
        ("[1, 2.50, 3]", "numeric(5,2)", ["1", "2.50", "3"]),
        ("[true, false]", "boolean", [True, False]),
        ("[2024-01-31]", "date", ["2024-01-31"]),
        ("[90m, -1d]", "interval", [90 * 60 * 1_000_000, -DAY]),
        ("[5, five, true, [1, {a: no}], '5']", "json", [5, "five", True, [1, {"a": "no"}], "5"]),
        ("[[1, 2], []]", "integer[]", [[1, 2], []]),
        ("[[no, 5]]", "text[]", [["no", "5"]]),
        ("[F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6]", "uuid", ["f81d4fae-7dec-11d0-a765-00a0c91e6bf6"]),
    ],
)  # fmt: skip
def test_values_are_read_as_the_column_has_them(written: str, type: str, values: list[Any]) -> None:
    found = recipe(f"{{choice: {written}}}", type).args["values"]
    assert found == tuple((value, 1) for value in values)
    assert [v.__class__ for v, _ in found] == [v.__class__ for v in values]


def test_weights_keep_the_order_of_the_file() -> None:
    assert recipe("{choice: {z: 1, no: 2.5, a: 0}}").args["values"] == (("z", 1), ("no", 2.5), ("a", 0))


def test_anchors_aliases_and_merges_are_followed() -> None:
    found = table(
        "  t:\n    rows: 1\n    columns:\n      a: &a {type: text, null: 0.5, generate: words}\n      b: *a\n      c: {<<: *a, null: 0}\n"
    )
    assert [(c.type.kind, c.null) for c in found.columns] == [("text", 0.5), ("text", 0.5), ("text", 0.0)]


# Types


@pytest.mark.parametrize(
    ("written", "type"),
    [
        ("bigint", SqlType("bigint")),
        ("INT", SqlType("integer")),
        ("numeric", SqlType("numeric")),
        ("numeric(12,2)", SqlType("numeric", 12, 2)),
        ("decimal( 5 )", SqlType("numeric", 5, 0)),
        ("varchar(40)", SqlType("varchar", length=40)),
        ("varchar", SqlType("text")),
        ("char", SqlType("char", length=1)),
        ("timestamp with time zone", SqlType("timestamptz")),
        ("text[]", SqlType("array", item=SqlType("text"))),
        ("numeric(5,1)[]", SqlType("array", item=SqlType("numeric", 5, 1))),
        ("mood", SqlType("enum", values=("happy", "no"), name="mood")),
        ("mood[]", SqlType("array", item=SqlType("enum", values=("happy", "no"), name="mood"))),
        ("{enum: [x, '1']}", SqlType("enum", values=("x", "1"))),
        ("{array: {enum: [x]}}", SqlType("array", item=SqlType("enum", values=("x",)))),
    ],
)
def test_types_are_read(written: str, type: SqlType) -> None:
    quoted = written if written.startswith("{") else f'"{written}"'
    assert column(f"{{type: {quoted}, computed: 'NULL'}}", "types: {mood: [happy, no]}\n").type == type


# Columns and constraints


def test_shorthands_of_columns_become_constraints_of_the_table() -> None:
    found = table(
        "  t:\n    rows: 3\n    columns:\n      a: {type: bigint, key: true}\n      b: {type: bigint, key: true, generate: ordinal}\n"
        "      c: {type: uuid, unique: true, check: c is not null}\n      d: {type: int, check: [d > 0, d < 9], generate: {uniform: [1, 8]}}\n"
        "    unique: [[a, c], {columns: [d, c], name: dc}]\n    checks: [a > b, {named: b > 0}]\n"
        "    indexes: [[d], {columns: [c, d], unique: true, name: by_c}]\n".replace("key: true}\n      b", "key: true, generate: sequence}\n      b")
    )  # fmt: skip
    assert found.key == ("a", "b")
    assert found.unique == (Unique(("c",)), Unique(("a", "c")), Unique(("d", "c"), "dc"))
    assert found.checks == (Check("c is not null"), Check("d > 0"), Check("d < 9"), Check("a > b"), Check("b > 0", "named"))
    assert found.indexes == (Index(("d",)), Index(("c", "d"), "by_c", True))


def test_keys_need_no_generator() -> None:
    found = table(
        "  t:\n    rows: 1\n    columns:\n      a: {type: uuid, key: true}\n      b: {type: uuid, unique: true}\n      c: {type: int, identity: true}\n"
    )
    assert [c.generate for c in found.columns] == [Recipe("uuid4"), Recipe("uuid4"), Recipe("sequence")]


def test_null_says_nullable_even_at_zero() -> None:
    assert column("{type: text, generate: words}").nullable is False
    assert column("{type: text, null: 0, generate: words}").nullable is True


@pytest.mark.parametrize(
    ("written", "rows"),
    [
        ("1_000", Rows(1000)),
        ("{fixed: 5}", Rows(5, fixed=True)),
        ("{per: p, count: 3}", Rows(per="p", each=3)),
        ("{per: p, count: 2.0, total: 2}", Rows(per="p", each=2.0, total=2)),
        ("{per: p, count: {uniform: [1, 4]}}", Rows(per="p", each=Recipe("uniform", {"range": (1, 4)}))),
    ],
)
def test_rows_are_read(written: str, rows: Rows) -> None:
    found = table(
        f"  p:\n    rows: 1\n    columns: {{id: {{type: int, key: true}}}}\n  t:\n    rows: {written}\n    columns: {{p: {{references: p.id}}}}\n"
    )
    assert found.rows == rows


PARENT = "  sales.p:\n    rows: 1\n    columns:\n      a: {type: int, generate: sequence}\n      b.c: {type: text, generate: {template: x}}\n    key: [a, b.c]\n    indexes: [{columns: [a], unique: true}]\n"  # fmt: skip


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("sales.p.a", ("a",)),
        ("sales.p(a)", ("a",)),
        ("{table: sales.p, columns: [a]}", ("a",)),
        ("{table: sales.p, columns: a}", ("a",)),
    ],
)
def test_references_may_name_tables_with_dots(written: str, target: tuple[str, ...]) -> None:
    found = table(PARENT + f"  t:\n    rows: 1\n    columns:\n      x: {{references: {written}, skew: 1.2}}\n")
    assert found.foreign_keys == (ForeignKey(("x",), "sales.p", target, skew=1.2),)
    assert found.column("x").type == SqlType("integer")


def test_composite_references_pass_their_types_on() -> None:
    found = table(
        PARENT
        + '  t:\n    rows: 1\n    columns: {x: {}, y: {null: 0}}\n    foreign_keys: [{columns: [y, x], references: "sales.p(a, b.c)", name: fk}]\n'
    )
    assert found.foreign_keys == (ForeignKey(("y", "x"), "sales.p", ("a", "b.c"), "fk"),)
    assert [c.type.kind for c in found.columns] == ["text", "integer"]


def test_types_are_inherited_over_several_references_in_any_order() -> None:
    schema = parse_schema(
        "schema: s\ntables:\n  c:\n    rows: 1\n    columns: {b: {references: b.a}}\n  b:\n    rows: 1\n    columns: {a: {references: a.id, unique: true}}\n"
        "  a:\n    rows: 1\n    columns: {id: {type: 'varchar(9)', key: true, generate: {pattern: '[a-z]{9}'}, class: sensitive}}\n"
    )
    assert [t.columns[0].type for t in schema.tables] == [SqlType("varchar", length=9)] * 3
    assert [t.columns[0].data_class for t in schema.tables] == ["sensitive"] * 3


def test_a_column_that_repeats_another_has_its_data_class() -> None:
    found = table(
        "  t:\n    rows: 1\n    columns:\n      e: {type: text, generate: person.email}\n      f: {type: text, generate: {from: e}}\n      g: {type: text, generate: {from: e}, class: public}\n"
    )
    assert [c.data_class for c in found.columns] == ["personal", "personal", "public"]


def test_a_locale_is_a_mix_or_a_reference() -> None:
    parent = "  p:\n    rows: 1\n    columns: {id: {type: int, key: true}}\n  t:\n    rows: 1\n    columns: {p_id: {references: p.id}}\n    locale: "
    assert table(parent + "p_id\n").locale == "p_id"
    assert table(parent + "de_DE\n").locale == {"de_DE": 1}
    assert table(parent + "{de_DE: 2, fr: 1}\n").locale == {"de_DE": 2, "fr": 1}


@pytest.mark.parametrize(
    "name", ['"', "'", "🎉", "a b", "a.b", "ü" * 31, "select", "{x}", "#", "null", "true", "1", "日本語", "a,b", "a(b)", "\\"]
)
def test_names_may_be_any_text(name: str) -> None:
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    found = table(f"  {quoted}:\n    rows: 1\n    columns:\n      {quoted}: {{type: int}}\n    key: [{quoted}]\n")
    assert (found.name, found.key, found.columns[0].name) == (name, (name,), name)


# Recipes


@pytest.mark.parametrize(
    ("written", "type", "args"),
    [
        ("words", "text", {}),
        ("{words: 5}", "text", {"count": 5}),
        ("{words: {count: 5}}", "text", {"count": 5}),
        ("{words: {uniform: [1, 4]}}", "text", {"count": Recipe("uniform", {"range": (1, 4)})}),
        ("{person.name: {of: owner, locale: de_DE}}", "text", {"of": "owner", "locale": "de_DE"}),
        ("{normal: {mean: 40, sd: 12}, min: 18}", "integer", {"mean": 40, "sd": 12, "min": 18}),
        ("{normal: {mean: 1h, sd: 5m}, min: -1m}", "interval", {"mean": HOUR, "sd": HOUR // 12, "min": -HOUR // 60}),
        ("{between: ['08:30', '17:00']}", "time", {"period": ("08:30", "17:00")}),
        ("{between: [2020-01-01, now], rhythm: office}", "timestamptz", {"period": ("2020-01-01", "now"), "rhythm": "office"}),
        ("{histogram: {edges: [0, 10, 50], weights: [5, 3]}}", "integer", {"edges": (0, 10, 50), "weights": (5, 3)}),
        ("{states: {a: {b: 0.5}, b: {}, c: }}", "text", {"machine": {"a": {"b": 0.5}, "b": {}, "c": {}}}),
        ("{states: {a: {b: 1}}, dwell: {a: 2d}, until: -1w}", "text", {"machine": {"a": {"b": 1}}, "dwell": {"a": 2 * DAY}, "until": "-1w"}),
        ("{grammar: {start: ['{x}!', no], x: yes}}", "text", {"rules": {"start": ("{x}!", "no"), "x": ("yes",)}}),
        ("{json: {ip: internet.ipv4, n: {choice: [1, two]}}}", "json", {"fields": {"ip": Recipe("internet.ipv4"), "n": Recipe("choice", {"values": ((1, 1), ("two", 1))})}}),
        ("{array: {choice: [no, a]}, count: 2}", "text[]", {"of": Recipe("choice", {"values": (("no", 1), ("a", 1))}), "count": 2}),
        ("{array: {of: {sequence: 5}, count: {poisson: 2}}}", "int[]", {"of": Recipe("sequence", {"start": 5}), "count": Recipe("poisson", {"mean": 2})}),
        ("{constant: {a: [1, null]}}", "json", {"value": {"a": [1, None]}}),
        ("{faker: catch_phrase, args: {n: 5, x: null, y: no}, pool: 50}", "text", {"provider": "catch_phrase", "args": {"n": 5, "x": None, "y": "no"}, "pool": 50}),
        ("{person.email: {domains: [no, example.org]}}", "text", {"domains": ("no", "example.org")}),
    ],
)  # fmt: skip
def test_recipes_are_read(written: str, type: str, args: dict[str, Any]) -> None:
    assert dict(recipe(written, type).args) == args


def test_domains_need_not_fit_the_length_of_the_column() -> None:
    assert recipe("{person.email: {domains: [a-long-domain.example.org]}}", "varchar(20)").args["domains"] == ("a-long-domain.example.org",)


def test_states_keep_their_order() -> None:
    assert list(recipe("{states: {z: {a: 1}, a: {m: 1}}}").args["machine"]) == ["z", "a"]


def test_an_argument_left_out_is_the_catalogues_default() -> None:
    found = recipe("{zipf: 1.3, min: 2}", "integer")
    assert [argument(found, p) for p in ("exponent", "min", "max")] == [1.3, 2, 100_000]
    assert argument(found, "nothing") is None


def test_arguments_know_where_they_stand() -> None:
    found = recipe("{words: 5}")
    assert found.at is not None
    assert found.places["count"].line == found.at.line
    assert found.places["count"].column == found.at.column + len("{words: ")


def test_a_schema_error_is_an_input_error_with_all_problems() -> None:
    with pytest.raises(SchemaError) as caught:
        parse_schema("schema: s\ntables: {}\nx: 1\n", "shop.yaml")
    assert isinstance(caught.value, InputError)
    assert caught.value.exit_code == 2
    assert str(caught.value).splitlines() == [
        "shop.yaml:2:9: a schema needs at least one table",
        f"shop.yaml:3:1: unknown key 'x' in a schema file; known are {', '.join(_schema_keys())}",
    ]


def _schema_keys() -> tuple[str, ...]:
    return ("schema", "seed", "anchor", "locale", "types", "tables", "privacy", "scenarios", "comment")


def test_a_schema_is_a_value() -> None:
    first, second = parse_schema(EXAMPLE), parse_schema(EXAMPLE)
    assert first == second
    assert isinstance(first, Schema)
