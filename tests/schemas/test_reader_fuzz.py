"""Whatever stands in a file, the reader answers with a schema or with problems, and with nothing else."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.document import from_document, to_document
from schemas.errors import Problem, SchemaError
from schemas.reader import parse_schema
from schemas.reference import EXAMPLE
from schemas.writer import to_yaml

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
PIECES = ["{", "}", "[", "]", ":", ", ", "\n", "  ", "'", '"', "null", "~", "-1", "1e400", "&a ", "*a", "<<: ", "!x ", "? ", "- ", "#", "|", "🎉", "\t",
          "true", "0", "tenants.id", "users", "[]", "{}", "now", "9" * 50, "text[]", "enum", "-3y", "sequence", "choice", "\\", "%", "a.b.c", "\x00", "\ud800"]  # fmt: skip


def read(text: str) -> None:
    """Read a text; where it is a schema, it must survive being written and kept."""
    problems: Sequence[Problem] = ()
    try:
        schema = parse_schema(text, "f")
    except SchemaError as error:
        problems = error.problems
    else:
        assert parse_schema(to_yaml(schema), "f") == schema
        assert from_document(to_document(schema)) == schema
        return
    assert problems
    assert all(problem.message for problem in problems)


def mutated(text: str, rng: random.Random) -> str:
    """Return `text` with a few pieces deleted, inserted, copied or swapped for others."""
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(text) + 1)
        stop = min(len(text), start + rng.randint(0, 12))
        other = rng.randrange(len(text) + 1)
        piece = rng.choice([*PIECES, text[other : other + rng.randint(1, 30)], ""])
        text = text[:start] + piece + text[stop:]
    return text


@FUZZ
@given(st.text() | st.text(st.sampled_from("abc:{}[],-#&*!|>'\"%@`~?\n \t01.")))
def test_any_text_is_a_schema_or_has_problems(text: str) -> None:
    read(text)


@FUZZ
@given(st.randoms(use_true_random=False))
def test_any_mutation_of_a_schema_is_a_schema_or_has_problems(rng: random.Random) -> None:
    read(mutated(EXAMPLE, rng))


@FUZZ
@given(st.recursive(st.sampled_from(PIECES[:-2]) | st.integers() | st.text("ab.:"), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
    ["schema", "tables", "columns", "rows", "key", "unique", "type", "generate", "references", "a", "b", "per", "count", "checks", "indexes", "foreign_keys", "types"]), inner, max_size=5)))  # fmt: skip
def test_any_data_in_the_place_of_any_value_is_a_schema_or_has_problems(data: object) -> None:
    import json

    text = json.dumps(data)
    read(text)
    read(f"schema: s\ntables: {text}\n")
    read(f"schema: s\ntables: {{t: {text}}}\n")
    read(
        f"schema: s\ntables: {{t: {{rows: {text}, columns: {{a: {text}, b: {{type: text, generate: {text}}}}}, unique: {text}, checks: {text}}}}}\n"
    )


@pytest.mark.slow
def test_thirty_thousand_mutations() -> None:
    rng = random.Random(20260101)
    for _ in range(30_000):
        read(mutated(EXAMPLE, rng))
