"""Numbered codes and names of few parts lie as dense as keys: a kept copy of them stops the run, and what is merely alike does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from masking.errors import Survivors
from masking.keys import read_key
from masking.known import KnownPlace, KnownValues
from masking.masked import MaskedSource
from masking.policy.reader import parse_policy
from masking.pools import pool
from masking.proof import Examined, Scanner, ScanReport, column_entries, examined
from tests.masking.memory_source import MemorySource

POLICY = """
policy: p
tables:
  staff:
    columns:
      code: {class: direct, entity: person_id, mask: hash}
      shown: {class: public, mask: keep}
  rooms:
    columns:
      code: {class: public, mask: keep}
      initials: {class: public, entity: person_id, mask: keep}
"""
COLUMNS: list[Examined] = examined(column_entries(parse_policy(POLICY)))
GIVEN = ["Xanthe", "Ottokar", "Ngozi", "Zebulon", "Philomena", "Thaddeus", "Cornelius", "Hyacinth", "Lysander", "Percival"]
FAMILY = [
    "Quillfeather",
    "Brzeszczyk",
    "Okonkwoeze",
    "Dunderstock",
    "Crumplehorn",
    "Wigglesby",
    "Snodgrass",
    "Buckthorpe",
    "Vandersloot",
    "Applethwaite",
]
NAMES = [f"{given} {family}" for given in GIVEN for family in FAMILY]
CODES = [f"EMP-{i:04}" for i in range(1000)]


def judged(values: Sequence[str], name: str, output: Sequence[str], keys: Sequence[str] = ()) -> ScanReport:
    known = KnownValues(b"a secret of the tests")
    known.add(KnownPlace("staff.code", "person_id"), pa.array(values))
    scanner = Scanner(known, COLUMNS, common_words=False, keys=keys)
    table, _, column = name.partition(".")
    scanner.see(table, pa.record_batch({column: pa.array(output)}))
    return scanner.report()


@pytest.mark.parametrize("count", [100, 90, 70])
def test_names_that_are_nearly_all_pairs_of_few_parts_are_found(count: int) -> None:
    names = np.random.default_rng(3).permutation(NAMES)[:count].tolist()
    assert judged(names, "staff.shown", [name.upper() for name in names]).survivors == count


def test_numbered_codes_are_found_in_a_column_that_stays() -> None:
    assert judged(CODES, "rooms.code", CODES).survivors == 1000
    assert judged(CODES, "rooms.code", [*CODES[:300], *(f"none {i}" for i in range(20))]).survivors >= 300
    assert judged(CODES, "rooms.code", CODES, keys=("rooms.code",)).survivors == 1000


def test_what_is_numbered_alike_but_is_no_copy_passes() -> None:
    """Keys of another table, of which there are fewer; half of them beyond the codes; a category of a few; whole numbers."""
    assert judged(CODES, "rooms.code", CODES[:300], keys=("rooms.code",)).survivors == 0
    assert judged(CODES, "rooms.code", [f"EMP-{i:04}" for i in range(500, 1500)]).survivors == 0
    assert judged(CODES, "rooms.code", CODES[:12] * 40).survivors == 0
    assert judged([f"{i:04}" for i in range(1000)], "rooms.code", [f"{i:04}" for i in range(18, 90)]).survivors == 0
    letters = "abcdefghijklmnopqrstuvwxyz"
    pairs = [a + b for a in letters for b in letters]
    for column in ("code", "initials"):
        assert judged(pairs, f"rooms.{column}", [a + b for a in letters for b in "aeiou"]).survivors == 0


# --- row by row --------------------------------------------------------------------------------------------------------------

SCHEMA = """
schema: crm
tables:
  users:
    rows: 600
    columns:
      id: {type: bigint, key: true}
      name: {type: text, generate: {constant: x}}
      shown: {type: text, generate: {constant: x}}
      payload: {type: json, generate: {constant: {}}}
"""
RUN = """
policy: p
tables:
  users:
    columns:
      id: {class: public, mask: keep}
      name: {class: direct, entity: family_name, mask: {name: {parts: family}}}
      shown: {class: public, mask: keep}
      payload: {class: public, mask: keep}
"""
POOL = pool("family_name", "en_US").texts  # all of which the source has, so that nothing tells a pick from what stayed


def run(change: Callable[[int, str], dict[str, Any]]) -> None:
    names = [POOL[i * 31 % len(POOL)] for i in range(len(POOL))]
    assert len(set(names)) == len(POOL)
    rows = [{"id": i, "name": name, "shown": "nothing", "payload": "{}"} | change(i, name) for i, name in enumerate(names)]
    source = MaskedSource(MemorySource.of(SCHEMA, users=rows), parse_policy(RUN), read_key("ephemeral"))
    source.prepare()
    for _ in source.read("users"):
        pass
    assert source.provenance["certificate"]


def some_other(i: int) -> str:
    return POOL[i * 17 % len(POOL)]


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("shown", lambda i, name: {"shown": f"Hello {name.upper()}, {some_other(i)} called"}),
        ("shown", lambda i, name: {"shown": f"call {name if i % 9 == 0 else some_other(i)}"}),
        ("payload", lambda i, name: {"payload": json.dumps({"by": [some_other(i), name]})}),
    ],
)
def test_names_of_a_pool_in_their_own_rows_stop_the_run(column: str, change: Callable[[int, str], dict[str, Any]]) -> None:
    with pytest.raises(Survivors, match=rf"users\.{column}: [0-9,]+ of [0-9,]+ cells hold what users\.name has in their row"):
        run(change)


def test_names_of_a_pool_in_other_rows_do_not_stop_it() -> None:
    run(lambda i, name: {"shown": f"call {some_other(i)}", "payload": json.dumps([some_other(i + 5), some_other(i + 9)])})
