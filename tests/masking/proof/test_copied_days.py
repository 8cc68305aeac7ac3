"""Days of birth in a public column are counted where it has nearly all of them, and what merely has the same small domain is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from masking.known import KnownPlace, KnownValues
from masking.policy.reader import parse_policy
from masking.proof import Examined, Scanner, ScanReport, column_entries, examined

POLICY = """
policy: p
tables:
  members:
    columns:
      born: {class: quasi, entity: birth_date, mask: {shift: {days: 60}}}
  cards:
    columns:
      v1: {class: public, mask: keep}
"""
COLUMNS: list[Examined] = examined(column_entries(parse_policy(POLICY)))


def judged(values: Sequence[Any], output: Sequence[Any], keys: Sequence[str] = ()) -> ScanReport:
    known = KnownValues(b"a secret of the tests")
    known.add(KnownPlace("members.born", "birth_date", "quasi"), pa.array(values))
    scanner = Scanner(known, COLUMNS, keys=keys)
    scanner.see("cards", pa.record_batch({"v1": pa.array(output)}))
    return scanner.report()


@pytest.mark.parametrize("members", [80, 15_000])
def test_a_copy_of_days_of_birth_is_counted_however_dense_they_lie(members: int) -> None:
    born = [date(1950, 1, 1) + timedelta(days=int(d)) for d in np.random.default_rng(1).permutation(18_000)[:members]]
    assert judged(born, [int(f"{day:%Y%m%d}") for day in born]).survivors == members
    assert judged(born, [f"{day:%d.%m.%Y}" for day in born]).survivors == members


def test_what_public_columns_may_show_passes() -> None:
    born = [date(1950, 1, 1) + timedelta(days=61 * i) for i in range(300)]
    calendar = [date(1950, 1, 1) + timedelta(days=i) for i in range(20_000)]
    assert judged(born, calendar).survivors == 0
    assert judged(born, [day for day in calendar if day.day == 1] + born[:30]).survivors == 0
    assert judged(list(range(18, 95)), list(range(18, 95))).survivors == 0
    cities = [f"Kleinostheim an der {chr(97 + i // 26)}{chr(97 + i % 26)}ra" for i in range(200)]
    assert judged(cities, cities).survivors == 0
    squares = [f"square {110_001 + 977 * i}" for i in range(200)]
    assert judged(squares, squares).survivors == 0
    postal = [f"{10_115 + 97 * i}" for i in range(200)]
    assert judged(postal, postal).survivors == 0
    assert judged(born, born[:200]).survivors == 0
    codes = [f"{110_001 + 977 * i}" for i in range(200)]
    assert judged(codes, codes, keys=("cards.v1",)).survivors == 0
