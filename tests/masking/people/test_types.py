"""Cells keep the type of their column, of every type that has a middle."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

from masking import MaskedSource
from masking.keys import MaskingKey
from masking.policy.reader import parse_policy
from tests.masking.memory_source import MemorySource

TYPES = {
    "seen": ("timestamptz", "'2020-01-01T00:00:00Z'"), "made": ("timestamp", "'2020-01-01T00:00:00'"), "born": ("date", "2020-01-01"),
    "x": ("double", 1), "y": ("real", 1), "pay": ('"numeric(8,3)"', 1), "wide": ('"numeric(38,2)"', 1), "size": ("smallint", 1),
}  # fmt: skip
COLUMNS = "".join(f"      {name}: {{type: {kind}, null: 0.1, generate: {{constant: {value}}}}}\n" for name, (kind, value) in TYPES.items())
SCHEMA = f"schema: s\ntables:\n  users:\n    rows: 10\n    columns:\n      id: {{type: bigint, key: true}}\n{COLUMNS}"
KEPT = "".join(f"      {name}: {{class: quasi, mask: keep}}\n" for name in TYPES)
POLICY = f"""policy: p
tables:
  users:
    columns:
      id: {{class: direct, mask: {{hash: {{form: integer}}}}}}
{KEPT}
anonymity:
  - {{subject: users.id, k: 3, quasi_identifiers: [{", ".join(f"users.{name}" for name in TYPES)}]}}
"""


def row(i: int) -> dict[str, object]:
    return {
        "id": i + 1, "seen": datetime(2020, 1, 1 + i, tzinfo=UTC) if i != 3 else None, "made": datetime(1960, 1, 1 + i, 3, 4, 5, i),
        "born": date(1969, 12, 25 + i % 6), "x": i / 3 - 1, "y": i / 3 - 1, "pay": Decimal(i) / 8,
        "wide": Decimal(f"{10**35 + i}.25"), "size": -i,
    }  # fmt: skip


def test_numbers_and_times_become_the_middle_of_their_class_in_their_own_type() -> None:
    before = [row(i) for i in range(10)]
    masked = MaskedSource(MemorySource.of(SCHEMA, users=before), parse_policy(POLICY), MaskingKey(bytes(range(32)), "env"))
    masked.prepare()
    after = masked.read("users").read_all().to_pylist()
    assert min(Counter(tuple(user[name] for name in TYPES) for user in after).values()) >= 3
    for name in TYPES:
        known = [user[name] for user in before if user[name] is not None]
        cells = [user[name] for user in after if user[name] is not None]
        assert {type(cell) for cell in cells} == {type(known[0])}
        assert min(known) <= min(cells) and max(cells) <= max(known)
    classes = Counter(user["made"] for user in after if user["seen"] is None)
    assert all(size >= 3 for size in classes.values()), "one null makes the cell of its whole class null"


def test_the_middle_of_what_has_no_order_is_no_number() -> None:
    before = [{**row(i), "x": math.nan if i == 4 else (-1) ** i * 1.7e308} for i in range(10)]
    masked = MaskedSource(MemorySource.of(SCHEMA, users=before), parse_policy(POLICY), MaskingKey(bytes(range(32)), "env"))
    masked.prepare()
    cells = Counter(str(user["x"]) for user in masked.read("users").read_all().to_pylist())
    assert cells["nan"] >= 3 and "inf" not in cells, "the class of a NaN, and halves that do not overflow"
