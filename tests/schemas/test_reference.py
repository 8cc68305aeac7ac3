"""The reference page: current, complete, and its examples read."""

from __future__ import annotations

import pytest

from schemas import grammar
from schemas.grammar import Key
from schemas.reader import parse_schema, schema_text
from schemas.ready_scenarios import scenarios_to_apply
from schemas.recipes import GENERATORS, PARAMETER_KINDS, Generator
from schemas.reference import EXAMPLE, PAGE, SCENARIOS_EXAMPLE, page
from schemas.types import KINDS

TYPES = {"varchar": "varchar(40)", "char": "char(20)", "enum": "{enum: [free, pro, enterprise, admin, member, guest, draft, open, paid, overdue, void]}", "array": "text[]", "numeric": "numeric(12,2)"}  # fmt: skip
CHILDREN = (
    "  invoice_lines:\n    rows: 1\n    columns: {parent: {references: t.id}, amount: {type: 'numeric(10,2)', generate: finance.price}}\n"
    "  ticket_messages:\n    rows: 1\n    columns: {parent: {references: t.id}, created_at: {type: timestamptz, generate: {between: [-1y, now]}}}\n"
)
PARENTS = (
    "  plans:\n    rows: 1\n    columns: {id: {type: int, key: true}, price: {type: 'numeric(12,2)', generate: finance.price}}\n"
    "  tenants:\n    rows: 1\n    columns: {id: {type: int, key: true}, created_at: {type: timestamptz, generate: {between: [-1y, now]}}}\n"
    "  products:\n    rows: 1\n    columns: {id: {type: int, key: true}, stock: {type: int, generate: {uniform: [1, 9]}}}\n"
    "  users:\n    rows: 1\n    columns: {id: {type: int, key: true}, tenant_id: {references: tenants.id}, "
    "joined_at: {type: date, generate: {between: [-1y, now]}}, left_at: {type: date, null: 0.5, generate: {between: [-1y, now]}}}\n"
    "  tickets:\n    rows: 1\n    columns: {id: {type: int, key: true}, tenant_id: {references: tenants.id}}\n"
    "  order_lines:\n    rows: 1\n    columns: {order_id: {type: int, generate: ordinal}, line: {type: int, generate: ordinal}}\n    key: [order_id, line]\n"
)
OTHERS = {
    "created_at": "{type: timestamptz, generate: {between: [-1y, now]}}",
    "renewed_at": "{type: timestamptz, generate: {between: [-1y, now]}}",
    "signed_at": "{type: date, generate: {between: [-1y, now]}}",
    "deleted_at": "{type: timestamptz, null: 0.9, generate: {after: created_at, within: 1y}}",
    "ticket_id": "{references: tickets.id}",
    "follower_id": "{references: users.id}",
    "first_id": "{references: users.id}",
    "tenant_id": "{references: tenants.id}",
    "quantity": "{type: int, generate: {uniform: [1, 9]}}",
    "unit_price": "{type: 'numeric(12,2)', generate: finance.price}",
    "verb": "{type: text, generate: words}",
    "status": "{type: text, generate: {states: {open: {paid: 1}}}}",
    "country": "{type: text, generate: address.country_code}",
    "starts_at": "{type: timestamptz, generate: {slot: {gap: 1h}, after: tenants.created_at}}",
}


def table(columns: dict[str, str], more: str = "") -> str:
    if "slot_end" not in str(columns):
        columns = {name: written for name, written in columns.items() if "{slot:" not in written or name == "c"}
    listed = "".join(f"      {name}: {written}\n" for name, written in {"id": "{type: int, key: true}", **columns}.items())
    return f"schema: s\ntables:\n{PARENTS}  t:\n    rows: 1\n{more}    columns:\n{listed}{CHILDREN}"


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m schemas.reference`"


def test_the_page_says_everything() -> None:
    text = page()
    for keys in (
        grammar.SCHEMA,
        grammar.TABLE,
        grammar.ROWS,
        grammar.LIVES,
        grammar.COLUMN,
        grammar.FOREIGN_KEY,
        grammar.UNIQUE,
        grammar.INDEX,
    ):
        assert all(f"| `{key.name}`" in text for key in keys)
    assert all(f"#### `{spec.name}`" in text for spec in GENERATORS)
    assert all(f"| `{kind}` |" in text for kind in KINDS)
    assert all(f"| {kind} |" in text for kind in PARAMETER_KINDS)


def test_the_example_of_the_page_reads() -> None:
    assert EXAMPLE.rstrip() in page()
    assert len(parse_schema(EXAMPLE).tables) == 4


def test_the_example_of_scenarios_fits_the_built_in_company() -> None:
    assert SCENARIOS_EXAMPLE.rstrip() in page()
    found = parse_schema(schema_text("companyos")[0] + SCENARIOS_EXAMPLE)
    assert [s.share for s in scenarios_to_apply(found, {})] == [0.002, 0.01]


@pytest.mark.parametrize("key", [*grammar.SCENARIO, *grammar.SCENARIO_SET, *grammar.SCENARIO_ADD], ids=lambda key: key.name)
def test_the_page_has_every_key_of_a_scenario(key: Key) -> None:
    assert f"| `{key.name}`{' (needed)' if key.required else ''} | {key.form} | {key.doc} |" in page()


@pytest.mark.parametrize("spec", GENERATORS, ids=lambda spec: spec.name)
def test_the_example_of_every_generator_reads(spec: Generator) -> None:
    kind = {"json": "json", "choice": "text", "list": "text", "constant": "text", "cases": "text"}.get(spec.name, spec.fits[0])
    written = f"{{type: {TYPES.get(kind, kind)!r}, null: 0, generate: {spec.example}}}".replace("'{", "{").replace("}'", "}")
    text = table({**OTHERS, "c": written})
    if spec.name in ("slot", "slot_end"):
        text = text.replace("  t:\n    rows: 1\n", "  t:\n    rows: {per: tenants, count: 3}\n", 1)
    found = parse_schema(text).table("t").column("c").generate
    assert found is not None
    assert found.name == spec.name


@pytest.mark.parametrize("key", grammar.COLUMN, ids=lambda key: key.name)
def test_the_example_of_every_key_of_a_column_reads(key: Key) -> None:
    name, _, written = key.example.partition(": ")
    others = {n: w for n, w in OTHERS.items() if n != name}
    if key.name in ("acyclic", "depth", "within", "skew", "weight", "present", "other_than", "greater_than"):
        assert "references" in written
    if name == "id":
        assert parse_schema(table(others).replace("      id: {type: int, key: true}\n", f"      {key.example}\n", 1)).has("t")
        return
    text = table({**others, "net": "{type: int, generate: {uniform: [1, 9]}}", name: written.replace("users.id, acyclic", "t.id, acyclic")})
    assert parse_schema(text).table("t").has(name)


@pytest.mark.parametrize("key", [k for k in grammar.SCHEMA if k.name not in ("schema", "tables")], ids=lambda key: key.name)
def test_the_example_of_every_key_of_a_file_reads(key: Key) -> None:
    assert parse_schema(f"{key.example}\n{table({})}").name == "s"


@pytest.mark.parametrize("key", grammar.LIVES, ids=lambda key: key.name)
def test_the_example_of_every_key_of_lives_reads(key: Key) -> None:
    assert parse_schema(table(OTHERS, f"    {key.example}\n")).table("t").lives is not None


@pytest.mark.parametrize("key", grammar.PRESENT, ids=lambda key: key.name)
def test_the_example_of_every_key_of_present_reads(key: Key) -> None:
    columns = {**OTHERS, "assignee_id": f"{{references: users.id, {key.example}}}"}
    found = next(f for f in parse_schema(table(columns)).table("t").foreign_keys if f.columns == ("assignee_id",))
    assert found.present is not None


@pytest.mark.parametrize("key", [k for k in grammar.TABLE if k.name != "columns"], ids=lambda key: key.name)
def test_the_example_of_every_key_of_a_table_reads(key: Key) -> None:
    columns = dict.fromkeys(("order_id", "line", "email", "starts_at", "ends_at"), "{type: int, generate: ordinal}")
    if key.name == "rules":
        columns |= {"total": "{type: int, generate: ordinal}", "starts_at": "{type: timestamptz, generate: {between: [-1y, now]}}"}
    if key.name == "correlate":
        columns |= dict.fromkeys(("height", "weight"), "{type: double, generate: {normal: {mean: 80, sd: 9}}}")
    if key.name in ("unique", "indexes"):
        columns["email"] = "{type: text, generate: person.email}"
    text = table({**OTHERS, **columns}, f"    {key.example}\n")
    if key.name == "key":
        text = text.replace("      id: {type: int, key: true}\n", "      id: {type: int, unique: true, generate: sequence}\n", 1)
    if key.name == "rows":
        text = text.replace("  t:\n    rows: 1\n", "  t:\n", 1)
    assert parse_schema(text).has("t")
