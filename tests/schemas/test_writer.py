"""Schemas written as files: what is written reads back the same, and looks as a person would write it."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from schemas.consistency import problems_of
from schemas.model import Schema
from schemas.reader import parse_schema
from schemas.writer import to_yaml
from tests.schemas.schema_strategies import schemas

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(schemas())
def test_a_written_schema_reads_back_the_same(schema: Schema) -> None:
    assert list(problems_of(schema)) == []
    assert parse_schema(to_yaml(schema)) == schema
