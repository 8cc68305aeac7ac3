"""Numbered codes and names of few parts lie as dense as keys: a kept copy of them stops the run, and what is merely alike does not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from masking.known import KnownPlace, KnownValues
from masking.policy.reader import parse_policy
from masking.proof import Examined, Scanner, ScanReport, column_entries, examined

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
    assert judged([a + b for a in letters for b in letters], "rooms.code", [a + b for a in letters for b in "aeiou"]).survivors == 0
