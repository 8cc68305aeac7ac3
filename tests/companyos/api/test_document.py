"""The OpenAPI document."""

from __future__ import annotations

import json

import jsonschema
from serving import Served

from companyos.api.application import openapi_document

DOCUMENT = openapi_document()
OPERATIONS = [(m.upper(), p, o) for p, found in DOCUMENT["paths"].items() for m, o in found.items()]


def _resolved(schema: dict) -> dict:
    return DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def test_the_service_serves_what_the_command_prints(served: Served) -> None:
    assert served.client().get("/openapi.json").json() == json.loads(json.dumps(DOCUMENT))


def test_every_operation_says_what_it_does_and_how_it_fails() -> None:
    for method, path, operation in OPERATIONS:
        assert operation["summary"] and operation["description"], (method, path)
        answers = operation["responses"]
        assert "500" in answers
        if "security" in operation:
            assert {"401", "403", "422", "503"} <= set(answers), (method, path)
        if "{id}" in path:
            assert "404" in answers
        if "requestBody" in operation:
            assert {"400", "413"} <= set(answers)
        for status, answer in answers.items():
            assert answer["description"]
            if status[0] in "45" and not (path == "/readyz" and status == "503"):
                assert list(answer["content"]) == ["application/problem+json"], (path, status)
                assert answer["content"]["application/problem+json"]["examples"]


def test_names_of_operations_are_unlike() -> None:
    names = [o["operationId"] for _, _, o in OPERATIONS]
    assert len(set(names)) == len(names)


def test_every_body_has_an_example_that_fits_it() -> None:
    bodies = 0
    for _, path, operation in OPERATIONS:
        if "requestBody" not in operation:
            continue
        content = operation["requestBody"]["content"]["application/json"]
        schema = {**_resolved(content["schema"]), "components": DOCUMENT["components"]}
        examples = [e["value"] for e in content.get("examples", {}).values()] or [schema["example"]]
        for example in examples:
            bodies += 1
            jsonschema.validate(example, schema)
    assert bodies >= 7


def test_every_answer_has_an_example_that_fits_it() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if "example" in schema:
            jsonschema.validate(schema["example"], {**schema, "components": DOCUMENT["components"]})
    assert "example" in DOCUMENT["components"]["schemas"]["Sandbox"]


def test_no_answer_has_more_than_the_document_says() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if schema.get("type") == "object" and name != "Problem":
            assert schema["additionalProperties"] is False, name
