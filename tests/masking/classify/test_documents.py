"""JSON and arrays, path by path."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from masking.classify import Finding
from tests.masking.classify.tables_of_values import one
from tests.masking.classify.test_values import made

ROWS = 60


def documents(make: Any) -> list[str]:
    emails, names = made("email", rows=ROWS), made("name", rows=ROWS)
    return [json.dumps(make(i, emails[i], names[i])) for i in range(ROWS)]


@pytest.mark.parametrize("type", ["json", "text"])
def test_documents_are_looked_into_by_path(type: str) -> None:
    found = one(
        "doc",
        documents(lambda i, email, name: {"contact": {"email": email}, "tags": ["a", "b"], "items": [{"owner": name, "n": i}], "ok": True}),
        type=type,
    )
    assert found.klass == "free_text"
    assert {path: (f.klass, f.entity) for path, f in found.paths.items()} == {
        "$.contact.email": ("direct", "email"),
        "$.items[*].n": ("public", None),
        "$.items[*].owner": ("direct", "person_name"),
        "$.ok": ("public", None),
        "$.tags[*]": ("public", None),
    }


def test_documents_of_settings_are_public() -> None:
    found = one(
        "prefs", documents(lambda i, *_: {"theme": ["dark", "light"][i % 2], "size": i % 3, "beta": True, "none": None}), type="json"
    )
    assert found.klass == "public"
    assert all(f.klass == "public" for f in found.paths.values())


def test_one_personal_path_is_enough() -> None:
    found = one("d", documents(lambda i, email, _: {"a": 1, "b": {"c": {"d": [[email]]}}}), type="json")
    assert found.klass == "free_text"
    assert found.paths["$.b.c.d[*][*]"].entity == "email"


BORN = [date(1945, 1, 1) + timedelta(days=367 * i) for i in range(ROWS)]
DAYS: dict[str, Callable[[date], Any]] = {
    "YYYYMMDD": lambda d: int(f"{d:%Y%m%d}"),
    "with a point": lambda d: float(f"{d:%Y%m%d}"),
    "days": lambda d: (d - date(1970, 1, 1)).days,
    "milliseconds": lambda d: (d - date(1970, 1, 1)).days * 86_400_000,
    "days in texts": lambda d: str((d - date(1970, 1, 1)).days),
    "beside a text": lambda d: "n/a" if d is BORN[0] else (d - date(1970, 1, 1)).days,
}
PLACES: dict[str, Callable[[Any], Any]] = {
    "$.dob": lambda v: {"dob": v},
    "$.customer.birth.date": lambda v: {"customer": {"birth": {"date": v}}},
    "$.birthDate.value": lambda v: {"birthDate": {"value": v}},
    "$.born[*]": lambda v: {"born": [v]},
}


@pytest.mark.parametrize("way", DAYS)
@pytest.mark.parametrize("path", PLACES)
def test_days_of_birth_in_numbers_are_known_by_their_key_whatever_the_table_is(path: str, way: str) -> None:
    found = one("payload", [json.dumps(PLACES[path](DAYS[way](d))) for d in BORN], type="json")
    assert found.paths[path].entity == "birth_date"


@pytest.mark.parametrize("above", ["user", "customers", "Kunde"])
def test_a_number_below_the_key_of_persons_is_that_of_a_person(above: str) -> None:
    found = one("payload", [json.dumps({above: [{"id": 7919 * i}], "order": {"id": i}}) for i in range(ROWS)], type="json")
    assert found.paths[f"$.{above}[*].id"].entity == "person_id"
    assert found.paths["$.order.id"].klass == "public"


@pytest.mark.parametrize("key", ["hired", "count", "v1"])
def test_other_keys_with_numbers_of_days_stay_public(key: str) -> None:
    found = one("payload", [json.dumps({key: {"value": DAYS["days"](d)}}) for d in BORN], type="json")
    assert found.paths[f"$.{key}.value"].klass == "public"


@pytest.mark.parametrize("document", ['{"n": {"value": 1%s}}' % ("0" * 400), '{"n": {"value": 1e999}}', '{"n": {"value": NaN}}'])
def test_numbers_of_documents_that_no_computer_word_holds_break_nothing(document: str) -> None:
    assert set(one("payload", [document] * ROWS, type="json").paths) == {"$.n.value"}


def test_documents_that_are_scalars_are_what_the_scalars_are() -> None:
    found = one("d", [json.dumps(e) for e in made("email")], type="json")
    assert (found.klass, found.entity) == ("direct", "email")
    assert one("d", ["1", "2", "3"] * 20, type="json").klass == "public"


def test_what_is_no_json_is_masked() -> None:
    found = one("d", ["{", "", "{]", "[" * 100_000], type="json")
    assert found.klass == "free_text"
    assert "no JSON" in found.evidence[0]


def test_keys_that_are_values_are_in_no_path() -> None:
    found = one(
        "d",
        documents(lambda i, email, name: {"by": {email: 1}, "n": {name: 2}, "uuid": {f"0190f7a2-0000-7000-8000-{i:012}": 3}}),
        type="json",
    )
    shown = shown_in(found)
    assert not any(e in shown for e in made("email", rows=ROWS))
    assert found.klass == "free_text"
    assert found.paths["$.by"].klass == "free_text"


@pytest.mark.parametrize(
    "keys",
    [
        ("anna.meyer7", "kari.schulz12"),
        ("meyer_anna", "schulz_kari"),
        ("AnnaMeyer", "KariSchulz"),
        ("siobhan", "bartholomew"),
        ("Ngozi", "Bartholomew"),
        ("bvance", "kschulz"),
    ],
)
def test_names_of_persons_are_no_names_of_members(keys: tuple[str, ...]) -> None:
    found = one("votes", documents(lambda i, *_: {"votes": {keys[i % 2]: 4, "total": 5}, "theme": "dark"}), type="json")
    assert found.klass == "free_text"
    assert found.paths["$.votes"].klass == "free_text"
    assert found.paths["$.votes~"].klass == "direct"
    assert found.paths["$.theme"].klass == "public"
    assert not any(key in shown_in(found) for key in keys)


def test_keys_most_of_which_never_recur_are_data_with_those_that_do() -> None:
    found = one("d", documents(lambda i, *_: {"by": {f"zq{i}x": 1} if i % 2 else {"brzeszczyk": 1}}), type="json")
    assert "brzeszczyk" not in shown_in(found)
    assert found.paths["$.by~"].klass == "free_text"


def test_very_many_keys_that_are_data_do_not_hide_the_paths_beside_them() -> None:
    keys = ["zqx" + "".join("bcdfghjklm"[int(digit)] for digit in str(i)) for i in range(400)]
    texts = [json.dumps({"theme": "dark", "mail": f"someone{i}@example.org", "seen_by": {key: i}}) for i, key in enumerate(keys)]
    found = one("prefs", texts, type="json")
    assert found.paths["$.theme"].klass == "public" and found.paths["$.mail"].entity == "email"
    assert set(found.paths) == {"$.theme", "$.mail", "$.seen_by", "$.seen_by~"}


def test_words_of_programmers_stay_names_of_members() -> None:
    keys = ("darkMode", "page", "mark", "firstName", "min", "max", "beta", "utm_source", "street", "rose", "line1", "monday")
    found = one("d", documents(lambda *_: dict.fromkeys(keys, 1)), type="json")
    assert set(found.paths) == {f"$.{key}" for key in keys}


def test_arrays_are_what_their_items_are() -> None:
    emails = made("email", rows=ROWS)
    found = one("a", [[e, e] for e in emails], type="text[]")
    assert (found.klass, found.entity) == ("direct", "email")
    assert found.paths["$[*]"].entity == "email"
    assert one("a", [["new", "sale"], [], None, ["eco"]] * 20, type="text[]").klass == "public"


def test_deep_documents_break_nothing() -> None:
    deep: Any = "x"
    for _ in range(60):
        deep = {"a": [deep]}
    assert one("d", [json.dumps(deep)] * 5, type="json").klass != "public"


def shown_in(found: Finding) -> str:
    return " ".join((*found.evidence, *(p + shown_in(f) for p, f in found.paths.items())))


def test_the_fields_of_an_audit_are_no_family() -> None:
    from masking.classify.member_names import names_a_person

    assert not names_a_person("fields") and not names_a_person("changed_fields") and names_a_person("anna_fields")
