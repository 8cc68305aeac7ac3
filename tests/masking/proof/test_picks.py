"""A pseudonym that is another person's name is a pick where it is gone under another key; what was not masked is there under any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pytest

from masking import examination, scan
from masking.errors import Survivors
from masking.keys import MaskingKey
from masking.masked import MaskedSource
from masking.policy.reader import parse_policy
from masking.progress import Progress
from schemas.model import Schema
from tests.masking.memory_source import MemorySource

SCHEMA = """
schema: crm
tables:
  users:
    rows: 120
    columns:
      id: {type: bigint, key: true}
      name: {type: text, generate: {constant: x}}
      note: {type: text, generate: {constant: x}}
  users_archive:
    rows: 120
    columns:
      full: {type: text, generate: {constant: x}}
"""
POLICY = """
policy: crm
tables:
  users:
    columns:
      id: {class: public, mask: keep}
      name: {class: direct, entity: person_name, mask: name}
      note: {class: public, mask: keep}
  users_archive:
    columns:
      full: {class: direct, entity: person_name, mask: name}
"""
KEY = MaskingKey(bytes(range(32)), "env")
NAMES = [
    f"{given} {family}" for given in ("Ottoline", "Quentin", "Barnaby", "Rosalind") for family in map("Fairweather{}".format, "abcdefghij")
]


@dataclass
class Output:
    """A finished output in memory."""

    schema: Schema
    tables: dict[str, pa.Table]

    def read(self, table: str) -> pa.RecordBatchReader:
        return self.tables[table].to_reader()


def source_of(archived: list[str], note: Callable[[int], str] = "note {}".format) -> MemorySource:
    users = [{"id": i, "name": name, "note": note(i)} for i, name in enumerate(NAMES)]
    return MemorySource.of(SCHEMA, users=users, users_archive=[{"full": name} for name in archived])


def masked(source: MemorySource) -> tuple[Output, MaskedSource]:
    made = MaskedSource(source, parse_policy(POLICY), KEY)
    made.prepare()
    return Output(made.schema, {name: made.read(name).read_all() for name in ("users", "users_archive")}), made


def pseudonym() -> str:
    """What somebody of the source is called in the output, under the key."""
    return str(masked(source_of(NAMES[::-1]))[0].tables["users"].column("name")[7].as_py())


def found(certificate: Any) -> list[tuple[str, str, int, int]]:
    return [(f["place"], f["in"], f["picked"], f["survivors"]) for f in certificate["scan"]["found"] if f["picked"] or f["survivors"]]


def test_a_pseudonym_that_somebody_else_has_for_a_name_stops_neither_the_run_nor_the_scan() -> None:
    source = source_of([*NAMES[:7], pseudonym()])
    output, made = masked(source)
    certificate = made.provenance["certificate"]
    assert found(certificate) == [("users_archive.full", "users.name", 1, 0)]
    told = examination(made.provenance, source)
    with pytest.raises(Survivors):
        scan(output, source, told.columns, pools=told.pools).require()
    report = scan(output, source, told.columns, pools=told.pools, picked=told.picked)
    assert report.passed and [f.picked for f in report.found if f.picked] == [1]


def test_the_same_name_in_a_column_that_is_kept_stops_both() -> None:
    """Though it is made of words of the pools, and a pick elsewhere."""
    name = pseudonym()
    source = source_of([*NAMES[:7], name], lambda i: f"met {name}" if i == 3 else f"note {i}")
    output, made = masked(source)
    with pytest.raises(Survivors, match=r"1 value of the source is left in the output[^$]*users.note: 1 value of users_archive.full"):
        _ = made.provenance
    told = examination({}, source, parse_policy(POLICY))
    assert not scan(output, source, told.columns, pools=told.pools, picked={("users_archive.full", "users.name", "cells"): 1}).passed


@pytest.mark.parametrize("kept", [1, 5])
def test_names_that_a_step_leaves_are_left_under_any_key(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    from masking.transformers.name import _Names

    apply = _Names.apply

    def leaky(self: _Names, values: pa.Array, rows: Any) -> pa.Array:
        names = apply(self, values, rows).to_pylist()
        return pa.array([old if i < kept else new for i, (old, new) in enumerate(zip(values.to_pylist(), names))], pa.string())

    monkeypatch.setattr(_Names, "apply", leaky)
    _, made = masked(source_of(NAMES[::-1]))
    with pytest.raises(Survivors, match=f"users.name: {kept} value"):
        _ = made.provenance


def test_what_a_longer_pseudonym_would_push_out_of_its_column_is_left() -> None:
    schema = SCHEMA.replace("note: {type: text", "note: {type: varchar(80)").replace("rows: 120", "rows: 40")
    policy = POLICY.replace(
        "note: {class: public, mask: keep}", "note: {class: free_text, mask: {redact: {by: {person_name: name}, keep: [email]}}}"
    )
    policy = policy.replace("full: {class: direct, entity: person_name, mask: name}", "full: {class: direct, entity: email, mask: email}")
    address = "quentin.delta@fairweather.example"
    users = [{"id": i, "name": name, "note": "none"} for i, name in enumerate(NAMES)]
    users[5]["note"] = f"Miss Hanna Berg called, ask to answer: {address:>41}"
    source = MemorySource.of(schema, users=users, users_archive=[{"full": address}])
    steps: list[Progress] = []
    key = MaskingKey(sha256(b"\x09").digest(), "env")  # by which Hanna Berg is Al Berger
    made = MaskedSource(source, parse_policy(policy), key, on_progress=steps.append)
    made.prepare()
    tables = {name: made.read(name).read_all() for name in ("users", "users_archive")}
    assert any(note.endswith(address) for note in tables["users"].column("note").to_pylist())
    with pytest.raises(Survivors, match=r"users.note: 1 value of users_archive.full"):
        _ = made.provenance
    assert [step.stage for step in steps][-1] == "compare"
