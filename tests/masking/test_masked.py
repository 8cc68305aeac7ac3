"""Batches are masked by several threads, as many at a time as there is room for, and given in their order."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pytest

from masking import MaskedSource, parse_policy
from masking.keys import read_key
from tests.masking.memory_source import MemorySource

SCHEMA = """
schema: shop
tables:
  users:
    rows: 40
    columns:
      id: {type: bigint, key: true}
      email: {type: text, generate: person.email}
"""
POLICY = """
policy: shop
tables:
  users:
    columns:
      id: {class: public, mask: keep}
      email: {class: direct, entity: email, mask: email}
"""
JOBS, READ_AHEAD = 8, 4


class Counted(MemorySource):
    """Counts the batches that have been read."""

    given = 0

    def read(self, table: str, columns: Sequence[str] | None = None, conditions: Sequence[str] = ()) -> pa.RecordBatchReader:
        reader = super().read(table, columns, conditions)

        def counted():
            for batch in reader:
                self.given += 1
                yield batch

        return pa.RecordBatchReader.from_batches(reader.schema, counted())


@pytest.mark.parametrize(("room", "fewest", "most"), [(1, 1, 2), (1 << 30, JOBS, JOBS + 1)])
def test_large_batches_are_masked_before_more_are_read(monkeypatch: pytest.MonkeyPatch, room: int, fewest: int, most: int) -> None:
    monkeypatch.setattr("masking.masked._PENDING_BYTES", room)
    rows = [{"id": i, "email": f"user{i}@mail.example"} for i in range(4_000)]
    source = Counted.of(SCHEMA, users=rows)
    made = MaskedSource(source, parse_policy(POLICY), read_key("ephemeral"), jobs=JOBS)
    made.prepare()
    source.given, found, ahead = 0, [], []
    for batch in made.read("users"):
        found += batch.column("id").to_pylist()
        ahead.append(source.given - len(ahead))
    assert found == [row["id"] for row in rows]
    assert fewest <= max(ahead) <= most + READ_AHEAD
