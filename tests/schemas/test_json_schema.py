"""The published JSON Schema: current, accepting what the reader accepts, refusing what it can tell is wrong."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from schemas.json_schema import PUBLISHED, json_schema, published_text
from schemas.model import Schema
from schemas.reader import builtin_names, schema_text
from schemas.recipes import GENERATORS
from schemas.reference import EXAMPLE
from schemas.writer import to_yaml
from schemas.yaml_nodes import Reading, plain
from tests.schemas.schema_strategies import schemas

VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def refusals(text: str) -> list[str]:
    root = Reading().compose(text)
    assert root is not None
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in VALIDATOR.iter_errors(plain(root))]


def column(written: str) -> str:
    return f"schema: s\ntables:\n  t:\n    rows: 1\n    columns:\n      c: {written}\n"


def test_the_published_file_is_current() -> None:
    assert PUBLISHED.read_text("utf-8") == published_text(), "run `python -m schemas.json_schema`"


def test_it_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_the_example_and_the_built_in_schemas_are_valid() -> None:
    assert refusals(EXAMPLE) == []
    for name in builtin_names():
        assert refusals(schema_text(name)[0]) == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(schemas())
def test_every_schema_that_is_written_is_valid(schema: Schema) -> None:
    assert refusals(to_yaml(schema)) == []


def test_every_generator_is_offered_with_its_description() -> None:
    generator: dict[str, Any] = json_schema()["$defs"]["generator"]
    named = {way["const"]: way["description"] for way in generator["anyOf"] if "const" in way}
    beside = next(way for way in generator["anyOf"] if "dependentSchemas" in way)["dependentSchemas"]
    for spec in GENERATORS:
        if not any(p.required for p in spec.parameters):
            assert named[spec.name] == spec.doc
        assert spec.name in beside


@pytest.mark.parametrize("spec", GENERATORS, ids=lambda spec: spec.name)
def test_the_example_of_every_generator_is_valid(spec: Any) -> None:
    assert refusals(column(f"{{type: text, generate: {spec.example}}}")) == []


@pytest.mark.parametrize(
    "text",
    [
        "schema: s\n",
        "schema: s\ntables: {}\n",
        EXAMPLE + "sead: 1\n",
        EXAMPLE.replace("seed: 42", "seed: many"),
        EXAMPLE.replace("rows: 200", "row: 200"),
        EXAMPLE.replace("rows: 200", "rows: -200"),
        EXAMPLE.replace("{zipf: 1.3, min: 1, max: 5000}", "{zip: 1.3}"),
        EXAMPLE.replace("{zipf: 1.3, min: 1, max: 5000}", "{zipf: 1.3, mean: 1}"),
        EXAMPLE.replace("null: 0.1", "null: 2"),
        EXAMPLE.replace("key: true", "key: yes"),
        EXAMPLE.replace("class: personal", "class: privat"),
        EXAMPLE.replace("unique: true", "uniqe: true"),
        EXAMPLE.replace("company.name", "company.nam"),
        EXAMPLE.replace("within: 2y", "within: 2 years"),
        EXAMPLE.replace("{paid: 0.9, overdue: 0.1}", "{paid: 9}"),
        column("{type: text, generate: {words: 5, cuont: 2}}"),
        column("{type: text, generate: {words: 5, sentences: 2}}"),
        column("{type: text, generate: {array: words, mean: 2}}"),
        column("{type: text, generate: {grammar: {stat: [x]}}}"),
        column("{type: text, generate: {choice: []}}"),
        column("{type: text, generate: {}}"),
        column("{type: text, generate: 5}"),
        column("{type: {enm: [a]}, generate: words}"),
        column("{references: {table: t}}"),
    ],
)
def test_what_is_wrong_is_refused(text: str) -> None:
    assert refusals(text) != []
