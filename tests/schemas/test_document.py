"""Schemas as JSON data: complete, canonical, and the same again when read."""

from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from schema_strategies import schemas

from schemas.document import from_document, to_document
from schemas.errors import InputError
from schemas.model import Schema

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(schemas())
def test_a_document_gives_the_same_schema_again_even_after_canonical_json(schema: Schema) -> None:
    document = to_document(schema)
    assert from_document(document) == schema
    assert from_document(json.loads(rfc8785.dumps(document))) == schema
