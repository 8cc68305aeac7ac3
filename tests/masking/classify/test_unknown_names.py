"""Names that no dictionary knows: few of them again and again, in other scripts, in other columns, in hexadecimal digits."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest

from tests.masking.classify.tables_of_values import findings, one, table
from tests.masking.classify.test_surroundings import ROWS, USERS, choices, made, of_users, persons

UNKNOWN = ("Xochimilco", "Okonkwoeze", "Quillfeather")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("handler", UNKNOWN),
        ("seen_by", ("bvance", "kmalone", "quillf")),
        ("handle", ("@quill", "@oko")),
        ("c9", ("西園寺花子", "王小明", "陳大文")),
    ],
)
def test_few_names_in_rows_of_persons_are_masked(name: str, values: tuple[str, ...]) -> None:
    assert of_users(name, choices(*values)).klass == "direct"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("specialty", ("Cardiology", "Dermatology", "Urology")),
        ("c9", ("aktiv", "inaktiv", "gesperrt")),
        ("c9", ("Europe/Berlin", "Asia/Tokyo")),
        ("created_by", ("import", "form", "partner")),
        ("assigned_by_type", UNKNOWN),
    ],
)
def test_other_categories_of_persons_stay_public(name: str, values: tuple[str, ...]) -> None:
    assert of_users(name, choices(*values)).klass == "public"


def of_visits(name: str, values: list[Any], kin: tuple[str, ...] = UNKNOWN) -> Any:
    """The finding of a column of rooms, which are things, beside users that have few next of kin."""
    users = table("users", {**{c.name: str(c.type) for c in USERS.columns}, "next_of_kin": "text"}, key=("id",))
    rooms = table("rooms", {"id": "bigint", name: "text"}, key=("id",))
    rows = (users, {**persons(), "next_of_kin": choices(*kin)})
    return findings(rows, (rooms, {"id": range(ROWS), name: values}))["rooms", name]


def test_few_values_of_a_personal_column_are_known_again_in_whole_cells() -> None:
    assert of_visits("label", choices("QUILLFEATHER", "okonkwoeze", "free")).entity == "person_name"
    decomposed = [unicodedata.normalize("NFD", v) for v in ("김철수박", "Jürgenßon", "Bérénièce")]
    assert of_visits("label", choices(*decomposed), ("김철수박", "Jürgenßon", "Bérénièce")).entity == "person_name"
    assert of_visits("label", choices("Quillfeather", "small", "large", "blue")).klass == "public", "one is chance"
    assert of_visits("label", choices("small", "large"), ("small", "large", "Quillfeather")).klass == "public", "words are no names"


def test_names_in_hexadecimal_digits_are_masked_and_digests_and_numbers_are_not_taken_for_them() -> None:
    names = [name.encode().hex() for name in made("name", "de_DE")]
    found = one("hexed", names, table_name="jobs")
    assert found.klass == "direct" and "hexadecimal" in found.evidence[0]
    assert one("hexed", ["\\x" + name for name in names], table_name="jobs").klass == "direct"
    words = [f"{a} {b} {c}".encode().hex() for a in ("blue", "red", "grey") for b in ("box", "lid", "door") for c in ("open", "shut")]
    assert "hexadecimal" not in one("c9", words, table_name="products").evidence[0]
    assert one("c9", [f"{i * 7919 % 90_000_000 + 10_000_000}" for i in range(ROWS)], table_name="products").klass == "public"
    hexed = [name.encode().hex() for name in UNKNOWN]
    found = of_visits("label", choices(*hexed))
    assert (found.klass, found.entity) == ("direct", None)


def of_orders(values: list[str]) -> tuple[Any, Any]:
    """The findings of a column, and of a path of documents, that nobody knows by its name, of orders, which are things of users."""
    users = table("users", {c.name: str(c.type) for c in USERS.columns}, key=("id",))
    orders = table("orders", {"id": "bigint", "user_id": "bigint", "c9": "text", "doc": "json"}, references={"user_id": "users.id"})
    documents = [json.dumps({"zgh": value}) for value in values]
    rows = {"id": range(ROWS), "user_id": range(ROWS), "c9": values, "doc": documents}
    found = findings((users, persons()), (orders, rows))
    return found["orders", "c9"], found["orders", "doc"].paths["$.zgh"]


@pytest.mark.parametrize(
    "sentence",
    ["今日は{}が来店して契約を変更した。", "昨天{}说打印机坏了，请处理。"],
)
def test_sentences_without_spaces_in_rows_of_things_are_masked(sentence: str) -> None:
    names = made("name", "ja_JP")
    values = [sentence.format(names[i % len(names)] + "甲乙丙丁戊己庚辛壬癸"[i % 10]) for i in range(ROWS)]
    assert [found.klass for found in of_orders(values)] == ["free_text", "free_text"]


def test_titles_of_things_without_spaces_stay_public() -> None:
    titles = [
        f"{colour}{kind}完全防水仕様"
        for colour in "赤青白黒黄緑紫茶"
        for kind in ("折畳傘", "長靴", "帽子", "手袋", "上着", "水筒", "鞄", "靴下")
    ]
    made = table("products", {"id": "bigint", "title": "text"}, key=("id",))
    assert findings((made, {"id": range(len(titles)), "title": titles}))["products", "title"].klass == "public"


def test_words_that_nobody_knows_are_masked_where_only_the_table_says_that_they_are_of_things() -> None:
    values = [
        f"{a}{b}{c}" for a in ("zo", "mi", "qua", "lu", "tre", "ba") for b in ("bla", "fen", "wick", "mor", "ga") for c in ("x", "do")
    ]
    values = [values[i % len(values)] for i in range(ROWS)]
    assert [found.klass for found in of_orders(values)] == ["free_text", "free_text"]
