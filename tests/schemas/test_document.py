"""Schemas as JSON data: complete, canonical, and the same again when read."""

from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings

from schemas.document import from_document, to_document
from schemas.errors import InputError
from schemas.model import Schema
from schemas.reader import parse_schema
from tests.schemas.schema_strategies import schemas

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(schemas())
def test_a_document_gives_the_same_schema_again_even_after_canonical_json(schema: Schema) -> None:
    document = to_document(schema)
    assert from_document(document) == schema
    assert from_document(json.loads(rfc8785.dumps(document))) == schema


def schema_of(column: str) -> Schema:
    return parse_schema(f"schema: s\ntables:\n  t:\n    rows: 1\n    columns:\n      c: {column}\n")


def test_a_document_is_plain_without_defaults_and_places() -> None:
    assert to_document(schema_of("{type: bigint, key: true}")) == {
        "format": 1,
        "name": "s",
        "tables": [
            {
                "name": "t",
                "rows": {"count": 1},
                "columns": [{"name": "c", "type": {"kind": "bigint"}, "generate": {"generator": "sequence"}, "class": "internal"}],
                "key": ["c"],
            }
        ],
    }


def test_a_document_does_not_depend_on_how_the_file_is_laid_out() -> None:
    first = schema_of("{type: integer, generate: {zipf: 1.3, max: 9, min: 2}}")
    second = schema_of("{generate: {zipf: {min: 2, exponent: 1.3, max: 9}}, type: int}  # a comment")
    assert rfc8785.dumps(to_document(first)) == rfc8785.dumps(to_document(second))


def test_what_has_an_order_keeps_it_through_canonical_json() -> None:
    schema = schema_of("{type: text, generate: {states: {z: {y: 0.5, b: 0.5}, a: {z: 1}}}}")
    again = from_document(json.loads(rfc8785.dumps(to_document(schema))))
    machine = again.table("t").column("c").generate.args["machine"]
    assert [(state, list(following)) for state, following in machine.items()] == [("z", ["y", "b"]), ("a", ["z"])]


@pytest.mark.parametrize("number", [2**53, -(2**63), 2**63 - 1])
def test_large_numbers_are_not_rounded(number: int) -> None:
    schema = schema_of(f"{{type: bigint, generate: {{choice: [{number}]}}}}")
    text = rfc8785.dumps(to_document(schema)).decode()
    assert f'{{"$number":"{number}"}}' in text
    assert from_document(json.loads(text)) == schema


def test_texts_that_look_like_the_mark_of_a_number_stay_as_they_are() -> None:
    schema = schema_of('{type: json, generate: {constant: {"$number": "5", "$$": 1}}}')
    again = from_document(json.loads(rfc8785.dumps(to_document(schema))))
    assert again.table("t").column("c").generate.args["value"] == {"$number": "5", "$$": 1}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"format": 2, "name": "s", "tables": []},
        {"format": 1, "tables": []},
        {"format": 1, "name": "s", "tables": [5]},
        {"format": 1, "name": "s", "tables": [{"name": "t", "rows": {}, "columns": [{"name": "c", "type": {"kind": "text"}, "class": "internal", "generate": {"generator": "gone"}}]}]},
    ],
)  # fmt: skip
def test_other_data_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(InputError):
        from_document(document)
