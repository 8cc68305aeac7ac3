"""Schemas as JSON data: complete, canonical, and the same again when read."""

from __future__ import annotations

import json

import rfc8785
from hypothesis import HealthCheck, given, settings

from schemas.document import from_document, to_document
from schemas.model import Schema
from tests.schemas.schema_strategies import schemas

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(schemas())
def test_a_document_gives_the_same_schema_again_even_after_canonical_json(schema: Schema) -> None:
    document = to_document(schema)
    assert from_document(document) == schema
    assert from_document(json.loads(rfc8785.dumps(document))) == schema
