"""What names, constraints, comments and tables add to values."""

import random
from datetime import datetime
from typing import Any

import pytest

from tests.masking.classify.tables_of_values import findings, one, table
from tests.masking.classify.test_values import made

ROWS = 120
DRAW = random.Random(7)


def choices(*values: Any, rows: int = ROWS) -> list[Any]:
    return [values[i * 7919 % len(values)] for i in range(rows)]


@pytest.mark.parametrize(
    ("name", "type", "values"),
    [
        ("email", "boolean", choices(True, False)),
        ("email", "integer", choices(0, 1)),
        ("email", "text", choices("daily", "weekly", "never")),
        ("phone", "text", choices("iPhone 13", "Pixel 8", "Galaxy S22")),
        ("first_name", "text", choices("Deluxe", "Classic", "Mini")),
        ("ssn", "text", [f"SN-{i:04}" for i in range(ROWS)]),
        ("age", "timestamptz", [datetime(2025, 1, 1)] * ROWS),
        ("address", "text", [f"R{i % 90:02}-S{i % 7:02}-B{i % 50:02}" for i in range(ROWS)]),
        ("password", "boolean", choices(True, False)),
        ("ip", "text", choices("user.login", "user.logout")),
    ],
)
def test_names_that_mislead_are_overruled_by_the_values(name: str, type: str, values: list[Any]) -> None:
    assert one(name, values, type=type, table_name="products").klass == "public"


@pytest.mark.parametrize(
    ("name", "entity", "values"),
    [
        ("notes2", "iban", made("iban", "it_IT")),
        ("code", "national_id", made("cpf", "pt_BR")),
        ("status", "person_name", made("name", "en_US")),
        ("total", "email", made("email")),
        ("flag", "phone", [f"+4930{i:07}" for i in range(1000, 1120)]),
    ],
)
def test_values_overrule_a_harmless_name(name: str, entity: str, values: list[str]) -> None:
    assert one(name, values, table_name="orders").entity == entity


@pytest.mark.parametrize(
    ("of", "pins", "klass"),
    [
        ("members", [1000 + 37 * i for i in range(ROWS)], "sensitive"),
        ("members", [37 * i for i in range(ROWS)], "sensitive"),  # 0042 is 42
        ("members", choices(0, 1), "public"),  # of what is pinned
        ("boards", [1000 + 37 * i for i in range(ROWS)], "public"),
    ],
)
def test_a_pin_is_a_secret_of_persons(of: str, pins: list[int], klass: str) -> None:
    columns = {"id": "bigint", "pin": "integer", **({"email": "text"} if of == "members" else {})}
    values = {"id": list(range(ROWS)), "pin": pins, "email": made("email")[:ROWS]}
    found = findings((table(of, columns, key=("id",)), values))[of, "pin"]
    assert (found.klass, found.entity) == (klass, "password" if klass == "sensitive" else None)


@pytest.mark.parametrize("type", ["text", "integer", "date", "json", "text[]", "bytes", "double", "uuid"])
def test_an_empty_column_that_says_nothing_is_masked(type: str) -> None:
    for values in ([], [None, None, None]):
        found = one("c9", values, type=type)
        assert found.klass != "public"
        assert "masked" in " ".join((*found.evidence, *(e for f in found.paths.values() for e in f.evidence)))


@pytest.mark.parametrize(
    ("name", "type", "entity"),
    [("email", "text", "email"), ("dob", "date", "birth_date"), ("salary", "integer", "salary"), ("vorname", "varchar(40)", "given_name")],
)
def test_an_empty_column_is_what_its_name_says(name: str, type: str, entity: str) -> None:
    assert one(name, [], type=type).entity == entity


@pytest.mark.parametrize(
    ("name", "type"), [("active", "boolean"), ("created_at", "timestamptz"), ("quantity", "integer"), ("unit_price", "numeric(10,2)")]
)
def test_an_empty_column_whose_type_and_name_are_harmless_is_public(name: str, type: str) -> None:
    assert one(name, [], type=type).klass == "public"


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_tiny_samples_show_nothing(rows: int) -> None:
    assert one("c4", made("name", "en_US", rows)).klass != "public"
    assert one("c4", ["zaphod", "ford", "trillian"][:rows]).klass != "public"


def test_a_comment_says_what_a_name_does_not() -> None:
    values = choices("E11", "I10", "J45", "F32")
    users = table(
        "patients", {"id": "bigint", "vorname": "text", "nachname": "text", "k7": "text"}, key=("id",), comments={"k7": "diagnosis"}
    )
    found = findings(
        (users, {"id": range(ROWS), "vorname": made("first_name", "de_DE"), "nachname": made("last_name", "de_DE"), "k7": values})
    )
    assert found["patients", "k7"].entity == "health"


def persons(rows: int = ROWS) -> dict[str, Any]:
    return {
        "id": range(1, rows + 1),
        "first_name": made("first_name", rows=rows),
        "last_name": made("last_name", rows=rows),
        "email": made("email", rows=rows),
    }


USERS = table("users", {"id": "bigint", "first_name": "text", "last_name": "text", "email": "text"}, key=("id",))


def test_keys_of_persons_and_what_references_them_are_personal() -> None:
    orders = table("orders", {"id": "bigint", "user_id": "bigint"}, key=("id",), references={"user_id": "users.id"})
    lines = table("lines", {"id": "bigint", "order_id": "bigint"}, key=("id",), references={"order_id": "orders.id"})
    found = findings(
        (USERS, persons()),
        (orders, {"id": range(ROWS), "user_id": range(1, ROWS + 1)}),
        (lines, {"id": range(ROWS), "order_id": range(ROWS)}),
    )
    assert found["users", "id"].entity == found["orders", "user_id"].entity == "person_id"
    assert found["orders", "user_id"].evidence[0] == "it references users.id"
    assert found["orders", "id"].klass == found["lines", "order_id"].klass == "public"


@pytest.mark.parametrize("name", ["id", "Nr", "user_no"])
def test_the_number_in_a_key_of_several_columns_is_that_of_a_person(name: str) -> None:
    columns = {"tenant_id": "integer", name: "bigint", "first_name": "text", "last_name": "text", "email": "text"}
    members = table("users", columns, key=("tenant_id", name))
    boxes = table("boxes", {"tenant_id": "integer", name: "bigint", "label": "text"}, key=("tenant_id", name))
    key = {"tenant_id": [i % 3 for i in range(ROWS)], name: [i // 3 for i in range(ROWS)]}
    found = findings((members, persons() | key), (boxes, {**key, "label": ["red"] * ROWS}))
    assert found["users", name].entity == "person_id"
    assert found["users", "tenant_id"].klass == "public"
    assert found["boxes", name].klass == ("direct" if name == "user_no" else "public")


@pytest.mark.parametrize(
    ("name", "unknown", "low", "high"),
    [
        ("age", 999, 18, 90),
        ("age", -1, 18, 90),
        ("salary", 10**14, 20_000, 90_000),
        ("gender", 99, 1, 3),
        ("ssn", 0, 10**8, 10**9),
        ("phone", 0, 10**9, 10**10),
        ("zip", 0, 10_000, 99_999),
        ("passport", -9, 10**7, 10**8),
        ("k9", 0, 10**7, 10**8),
    ],
)
def test_a_number_for_what_nobody_knows_makes_no_column_public(name: str, unknown: int, low: int, high: int) -> None:
    draw = random.Random(4)
    users = table("users", {"id": "bigint", "first_name": "text", "last_name": "text", "email": "text", name: "bigint"}, key=("id",))
    values = [unknown, unknown, *(draw.randrange(low, high) for _ in range(ROWS - 2))]
    assert findings((users, persons() | {name: values}))["users", name].klass != "public"


def test_an_archive_of_persons_has_a_number_of_each_though_it_has_no_key() -> None:
    people = persons()
    columns = {"id": "bigint", "mail": "text", "full_name": "text", "size": "bigint"}
    values = {"id": list(range(ROWS)), "mail": people["email"], "full_name": made("name"), "size": choices(*range(9))}
    found = findings((table("old", columns), values))
    assert (found["old", "id"].entity, found["old", "size"].klass) == ("person_id", "public")
    found = findings((table("old", columns), values | {"id": choices(*range(9))}))
    assert found["old", "id"].klass == "public"


def test_few_users_are_no_category_where_the_name_asks_who_did_it() -> None:
    users = choices("asmith", "bjones", "j.doe", "system")
    assert one("opened_by", users, table_name="tickets").entity == "username"
    assert one("opened_by", choices("import", "system", "nightly"), table_name="tickets").klass == "public"
    assert one("plan", users, table_name="tickets").klass == "public"


def test_references_in_a_circle_are_classified() -> None:
    left = table("a", {"id": "bigint", "b_id": "bigint"}, key=("id",), references={"b_id": "b.id", "id": "b.a_id"})
    right = table("b", {"id": "bigint", "a_id": "bigint"}, key=("id",), references={"a_id": "a.id"})
    assert len(findings((left, {"id": [1], "b_id": [1]}), (right, {"id": [1], "a_id": [1]}))) == 4


def test_a_name_without_a_foreign_key_is_a_reference_to_a_person_too() -> None:
    assert one("customer_id", range(ROWS), type="bigint").entity == "person_id"
    assert one("kunden_nr", range(ROWS), type="bigint").entity == "person_id"
    assert one("product_id", range(ROWS), type="bigint").klass == "public"


def test_the_country_of_a_person_is_a_quasi_identifier_and_that_of_a_product_is_not() -> None:
    countries = choices("DE", "FR", "IT", "ES", "PL")
    products = table("products", {"id": "bigint", "name": "text", "country": "char(2)"}, key=("id",))
    users = table("users", {**{c.name: str(c.type) for c in USERS.columns}, "country": "char(2)"}, key=("id",))
    names = choices("chair", "table", "lamp", "shelf")
    found = findings((users, {**persons(), "country": countries}), (products, {"id": range(ROWS), "name": names, "country": countries}))
    assert found["users", "country"].klass == "quasi"
    assert found["products", "country"].klass == "public"


def test_categories_are_public_unless_they_are_of_persons() -> None:
    users = table(
        "users", {**{c.name: str(c.type) for c in USERS.columns}, "c5": "text", "c6": "text", "c7": "text", "c8": "text"}, key=("id",)
    )
    values = {
        "c5": choices("male", "female"),
        "c6": choices("single", "married", "divorced"),
        "c7": choices("catholic", "protestant", "muslim", "none"),
        "c8": choices("free", "pro", "team"),
    }
    found = findings((users, {**persons(), **values}))
    assert [found["users", f"c{i}"].entity for i in (5, 6, 7, 8)] == ["gender", "marital_status", "religion", None]
    assert found["users", "c8"].klass == "public"


def test_a_closed_list_of_values_is_a_category_in_any_sample() -> None:
    assert one("c2", ["red", "green"], checks=["c2 IN ('red', 'green', 'blue')"]).klass == "public"


def test_free_text_is_free_text_and_descriptions_of_products_are_not() -> None:
    notes = [f"Customer {n} called about the delivery, wants it on Monday." for n in made("name")]
    products = [
        f"{a} {b} with {c}, easy to clean."
        for a in ("Blue", "Large", "Solid", "New")
        for b in ("chair", "table", "lamp")
        for c in ("a handle", "two doors", "wood")
    ]
    assert one("notes", notes).klass == "free_text"
    assert one("c3", notes).klass == "free_text"
    assert one("description", products, table_name="products").klass == "public"


def test_the_finder_of_texts_is_asked_only_when_it_may_be() -> None:
    asked: list[int] = []

    def find(texts: list[str]) -> list[list[object]]:
        asked.append(len(texts))
        return [[object()] for _ in texts]

    texts = [
        f"the {a} of the {b} was {c} when we looked at it"
        for a in ("door", "lid")
        for b in ("box", "house", "car")
        for c in ("open", "shut", "lost")
    ]
    made_table = (table("pages", {"c1": "text"}), {"c1": texts})
    assert findings(made_table, find=find)["pages", "c1"].klass == "public"
    assert asked == []
    assert findings(made_table, find=find, deep=True)["pages", "c1"].klass == "free_text"
    assert asked


def test_values_of_personal_columns_are_found_in_columns_that_seem_harmless() -> None:
    names = [f"zq{i:05}vk" for i in range(ROWS)]
    users = table("users", {"id": "bigint", "login": "text"}, key=("id",))
    files = table("files", {"id": "bigint", "path": "text", "product": "text"}, key=("id",))
    values = {"id": range(ROWS), "path": [f"/home/{n}/report.pdf" for n in names], "product": [f"P-{i:05}" for i in range(ROWS)]}
    found = findings((users, {"id": range(ROWS), "login": names}), (files, values))
    assert found["files", "path"].klass != "public"
    assert "users.login" in found["files", "path"].evidence[0]
    assert found["files", "product"].klass == "public"


def test_the_same_sample_gives_the_same_findings() -> None:
    assert findings((USERS, persons())) == findings((USERS, persons()))


def of_users(name: str, values: list[Any]) -> Any:
    """The finding of one more column of the users."""
    users = table("users", {**{c.name: str(c.type) for c in USERS.columns}, name: "text"}, key=("id",))
    return findings((users, {**persons(), name: values}))["users", name]


@pytest.mark.parametrize(
    ("name", "entity", "values"),
    [
        ("city", "city", [*choices("Graz", "Wien", "Hamburg", "Leeds")[:-1], "Hintertux"]),
        ("ort", "city", choices("Graz", "Linz", "Hof")),
        ("region", "region", choices("Styria", "Tyrol", "Wessex")),
        ("bundesland", "region", choices("Tirol", "Wien", "Steiermark")),
        ("country", "country", choices("Austria", "Germany", "Turkey")),
    ],
)
def test_few_places_of_common_names_are_quasi_identifiers_of_persons(name: str, entity: str, values: list[str]) -> None:
    assert of_users(name, values).entity == entity


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("state", choices("open", "closed", "draft")),
        ("area", choices("sales", "support", "research")),
        ("city_type", choices("big", "small", "tiny")),
    ],
)
def test_categories_of_persons_that_are_no_places_are_public(name: str, values: list[str]) -> None:
    assert of_users(name, values).klass == "public"


def test_few_places_of_things_are_public() -> None:
    depots = table("depots", {"id": "bigint", "name": "text", "city": "text"}, key=("id",))
    names = choices("north", "south", "harbour", "bridge")
    found = findings((depots, {"id": range(ROWS), "name": names, "city": choices("Graz", "Wien", "Hamburg", "Leeds")}))
    assert found["depots", "city"].klass == "public"


@pytest.mark.parametrize(("name", "values"), [("last_name_soundex", ["S530", "M460", "K430"]), ("metaphone", ["SM0", "MLR", "FXR"])])
def test_what_a_name_sounds_like_is_masked_but_for_names_of_things(name: str, values: list[str]) -> None:
    found = one(name, choices(*values), table_name="search_terms")
    assert (found.faint, found.evidence[0]) == (True, "its name reads as the sound or the initials of names")
    assert not one(name, choices(*values), table_name="products").faint


def test_initials_are_masked() -> None:
    assert one("initials", choices("AB", "KM", "LS"), table_name="signatures").faint
