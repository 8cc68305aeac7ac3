"""Values of any column type as the texts by which they are compared."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from masking.known import KnownPlace, KnownValues
from masking.known.canonical import texts_of


@pytest.mark.parametrize("others", [[], ["1969-12-31T23:59:59.25"]], ids=["whole seconds alone", "with a fraction among them"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_times_have_no_needless_fraction(others: list[str], unit: str, zone: str | None) -> None:
    moments = ["2024-02-29T12:00:00", None, "1970-01-01T00:00:00", *(others if unit != "s" else [])]
    values = pa.array(moments).cast(pa.timestamp(unit)).cast(pa.timestamp(unit, zone))
    assert texts_of(values)[0].to_pylist() == [None if m is None else m.replace("T", " ") for m in moments]


def test_the_first_and_the_last_time_have_a_text() -> None:
    texts = texts_of(pa.array([-(2**63), 2**63 - 1], pa.int64()).cast(pa.timestamp("us")))[0].to_pylist()
    assert len(set(texts)) == 2


def test_numbers_have_no_needless_zeros() -> None:
    values = [Decimal("10.50"), Decimal("10.00"), Decimal("0.00"), Decimal("-0.01"), None, Decimal("100.25")]
    assert texts_of(pa.array(values, pa.decimal128(12, 2)))[0].to_pylist() == ["10.5", "10", "0", "-0.01", None, "100.25"]


@pytest.mark.parametrize("written", ["+49 (30) 123-45-67", "0049 30 1234567"])
def test_a_telephone_number_is_known_in_each_way_to_dial_it(written: str) -> None:
    known = KnownValues()
    known.add(KnownPlace("users.phone", "phone"), pa.array([written]))
    known.seal()
    dialled = ["+49301234567", "0049301234567", "49 30 1234567", "030/1234567", "301234567"]
    assert known.cells(pa.array([*dialled, "0048301234567", "00301234567"])).tolist() == [True] * 5 + [False] * 2
    assert all(known.find([f"call {number} now" for number in dialled]))
