"""Cells that stay as they were are counted row by row, and stop the run where a keyed transformer leaves too many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from masking.errors import Survivors
from masking.keys import read_key
from masking.known.stream import Hasher
from masking.masked import MaskedSource
from masking.policy.model import Step, Treatment
from masking.policy.reader import parse_policy
from masking.proof import Unchanged, compare, is_compared
from tests.masking.memory_source import MemorySource

HASHER = Hasher(b"a secret of the tests")
ROWS = 3000
KEYED = (
    *("hash", "code", "name", "username", "email", "phone", "company", "job_title", "address", "street", "city", "postcode", "region"),
    *("coordinates", "iban", "card", "national_id"),
)


def counted(raw: pa.Array, masked: pa.Array, mask: str = "hash", parameters: Any = None) -> Unchanged:
    unchanged = Unchanged()
    for start in range(0, len(raw), 700):
        found = compare(HASHER, raw.slice(start, 700), masked.slice(start, 700))
        assert found is not None
        unchanged.add("users.id", Treatment("direct", Step(mask, parameters)), found)
    return unchanged


def test_dense_keys_that_were_not_masked_stop_the_run() -> None:
    keys = pa.array(range(1, ROWS + 1))
    unchanged = counted(keys, keys)
    assert unchanged.document()[0]["unchanged"] == ROWS
    with pytest.raises(Survivors, match=r"users.id: 3,000 different values \(3,000 of 3,000 cells\)"):
        unchanged.require()


def test_one_key_in_twenty_that_was_not_masked_stops_the_run() -> None:
    keys = np.arange(1, ROWS + 1)
    masked = np.random.default_rng(1).permutation(keys)
    masked[:: ROWS // 150] = keys[:: ROWS // 150]
    with pytest.raises(Survivors):
        counted(pa.array(keys), pa.array(masked)).require()


def test_the_fixed_points_of_permutations_pass() -> None:
    """Fixed seeds; a permutation has one fixed point in the mean, of each number of digits, and one value may stand in many rows."""
    stayed = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        keys = np.arange(100, 1000)
        masked = rng.permutation(keys)
        rows = rng.integers(0, len(keys), ROWS)
        unchanged = counted(pa.array(keys[rows]), pa.array(masked[rows]))
        unchanged.require()
        stayed += unchanged.document()[0]["values"]
    assert 150 < stayed < 450


def test_blank_cells_nulls_and_transformers_that_may_leave_values_are_not_judged() -> None:
    blanks = pa.array(["", " ", None, "-"] * 500)
    unchanged = counted(blanks, blanks)
    unchanged.require()
    assert [(e["cells"], e["unchanged"], e["values"]) for e in unchanged.document()] == [(1500, 1500, 0)]
    keys = pa.array(range(ROWS))
    for mask, parameters in (("round", {"to": 10}), ("noise", None), ("code", {"keep": 3}), ("code", 3)):
        unchanged = counted(keys, keys, mask, parameters)
        unchanged.require()
        assert unchanged.document()[0]["limit"] is None
    assert not is_compared(Treatment("direct", Step("shuffle"))) and is_compared(Treatment("direct", Step("reference")))


@pytest.mark.parametrize("mask", KEYED)
def test_what_gives_every_value_another_one_is_judged(mask: str) -> None:
    texts = pa.array([f"{'abcdefghij'[i % 10]}{i}" for i in range(500)])
    with pytest.raises(Survivors, match="500 different values"):
        counted(texts, texts, mask).require()


def test_cells_that_became_another_type_are_compared_by_their_texts() -> None:
    keys = pa.array(range(1, ROWS + 1))
    with pytest.raises(Survivors, match="3,000 different values"):
        counted(keys, keys.cast(pa.string())).require()


SCHEMA = """
schema: crm
tables:
  users:
    rows: 200
    columns:
      id: {type: bigint, key: true}
      name: {type: text, generate: {constant: x}}
      note: {type: text, generate: {constant: x}}
      age: {type: integer, generate: {constant: 1}}
"""
POLICY = """
policy: crm
tables:
  users:
    columns:
      id: {class: direct, entity: person_id, mask: hash}
      name: {class: direct, entity: person_name, mask: name}
      note: {class: free_text, mask: redact}
      age: {class: quasi, mask: {bucket: {width: 5}}}
"""


def people() -> list[dict[str, Any]]:
    names = ["Young", "Quentin Ottoline", "Will Young"]
    notes = ["a young customer", "called Quentin Ottoline", "Will Young paid"]
    return [{"id": i, "name": names[i % 3], "note": notes[i % 3], "age": i % 90} for i in range(1, 201)]


def test_a_run_tells_what_stayed_and_redacts_no_common_word_because_it_is_a_name() -> None:
    source = MaskedSource(MemorySource.of(SCHEMA, users=people()), parse_policy(POLICY), read_key("ephemeral"))
    source.prepare()
    notes = {note for batch in source.read("users") for note in batch.column("note").to_pylist()}
    assert "a young customer" in notes
    assert not any("Quentin" in note or "Will Young" in note for note in notes)
    certificate = source.provenance["certificate"]
    told = {entry["place"]: entry for entry in certificate["unchanged"]}
    assert set(told) == {"users.id", "users.name", "users.age"}
    assert told["users.name"]["unchanged"] == 0 and told["users.id"]["cells"] == 200
    assert told["users.age"]["limit"] is None


def test_values_without_a_digit_are_judged_where_digits_alone_are_masked() -> None:
    """And those with digits are not, for of `1-Anna` hardly anything changes."""
    families = ("Bell", "Crow", "Dunn", "Eck", "Fox", "Gray")
    names = pa.array([f"{given} {family}" for given in ("Anna", "Jane", "Ottoline") for family in families])
    with pytest.raises(Survivors, match="18 different values"):
        counted(names, names, "code", {"digits_only": True}).require()
    codes = pa.array([f"AB-{i:04}" for i in range(500)])
    counted(codes, codes, "code", {"digits_only": True}).require()
    with pytest.raises(Survivors):
        counted(codes, codes, "code", {"digits_only": False}).require()
