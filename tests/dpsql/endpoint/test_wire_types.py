"""Values arrive as they were, in both formats: psycopg, which has its own code for them, reads what is written."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpsql.endpoint import wire_types as wt
from dpsql.endpoint.sqlstates import Fault

moments = st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31))
VALUES: dict[wt.WireType, st.SearchStrategy[Any]] = {
    wt.BOOL: st.booleans(),
    wt.INT2: st.integers(-(2**15), 2**15 - 1),
    wt.INT4: st.integers(-(2**31), 2**31 - 1),
    wt.INT8: st.integers(-(2**63), 2**63 - 1),
    wt.FLOAT8: st.floats(allow_nan=False),
    wt.NUMERIC: st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**25), max_value=10**25),
    wt.TEXT: st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    wt.BYTEA: st.binary(),
    wt.DATE: st.dates(),
    wt.TIMESTAMP: moments,
    wt.TIMESTAMPTZ: moments.map(lambda m: m.replace(tzinfo=datetime.UTC)).filter(lambda m: 1 < m.year < 9999),
    wt.UUID: st.uuids(),
    wt.INTERVAL: st.timedeltas(datetime.timedelta(days=-10000), datetime.timedelta(days=10000)),
}


def read(data: bytes | None, kind: wt.WireType, binary: bool) -> Any:
    """What psycopg reads."""
    from psycopg.adapt import Transformer
    from psycopg.pq import Format

    return None if data is None else Transformer().get_loader(kind.oid, Format.BINARY if binary else Format.TEXT).load(data)


@pytest.mark.parametrize("kind", list(VALUES), ids=lambda k: k.name)
@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_what_is_written_is_read(kind: wt.WireType, binary: bool) -> None:
    @given(VALUES[kind])
    def holds(value: Any) -> None:
        assert read(wt.encode(value, kind, binary), kind, binary) == value
        if kind not in (wt.INTERVAL, wt.BYTEA):
            taken = wt.decode(wt.encode(value, kind, binary), kind, binary)
            assert taken == (str(value) if kind is wt.UUID else value)

    holds()


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_numerics_keep_every_digit(binary: bool) -> None:
    for value in (Decimal("-12345678901234567890123456789.012345678"), Decimal("10000000000000000000.000000001")):
        assert read(wt.encode(value, wt.NUMERIC, binary), wt.NUMERIC, binary) == value


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@given(items=st.lists(st.none() | st.text(alphabet='a,"\\ {}N', max_size=6), max_size=5))
def test_arrays_are_read(binary: bool, items: list[str | None]) -> None:
    kind = wt.BY_OID[wt.TEXT.array]
    assert read(wt.encode(items, kind, binary), kind, binary) == items


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 0.1, -0.0, 5e-324, 1e300])
def test_floats_keep_every_bit(value: float) -> None:
    for binary in (False, True):
        assert repr(read(wt.encode(value, wt.FLOAT8, binary), wt.FLOAT8, binary)) == repr(value)


@pytest.mark.parametrize(
    ("data", "kind", "binary", "state"),
    [
        (b"many", wt.INT4, False, "22P02"),
        (b"\x01", wt.INT8, True, "22P03"),
        (b"maybe", wt.BOOL, False, "22P02"),
        (b"2026-02-30", wt.DATE, False, "22P02"),
        (b"\xff", wt.TEXT, False, "22P02"),
        (b"a\x00b", wt.TEXT, False, "22P02"),
        (b"1,5", wt.NUMERIC, False, "22P02"),
        (b"\x00\x01", wt.NUMERIC, True, "22P03"),
        (b"\x7f" * 8, wt.TIMESTAMP, True, "22P03"),
    ],
)
def test_what_is_no_value_of_its_type_is_refused(data: bytes, kind: wt.WireType, binary: bool, state: str) -> None:
    with pytest.raises(Fault) as fault:
        wt.decode(data, kind, binary)
    assert fault.value.code == state


def test_every_arrow_type_of_an_answer_has_one_on_the_wire() -> None:
    for arrow, kind in (
        (pa.int64(), wt.INT8), (pa.decimal128(38, 0), wt.NUMERIC), (pa.timestamp("us"), wt.TIMESTAMP), (pa.list_(pa.int16()), wt.BY_OID[1005]),
        (pa.timestamp("us", "UTC"), wt.TIMESTAMPTZ), (pa.uuid(), wt.UUID), (pa.duration("us"), wt.INTERVAL), (pa.large_string(), wt.TEXT),
    ):  # fmt: skip
        assert wt.wire_type(arrow) is kind
    assert wt.encode(uuid.UUID(int=1), wt.UUID, True) == bytes(15) + b"\x01"
    assert wt.encode(Decimal("-0.00012"), wt.NUMERIC, False) == b"-0.00012"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (datetime.timedelta(days=362, hours=5, minutes=32, seconds=12), "362 days 05:32:12"),
        (datetime.timedelta(days=1), "1 day"),
        (datetime.timedelta(0), "00:00:00"),
        (datetime.timedelta(hours=-3, microseconds=-500_000), "-03:00:00.5"),
        (datetime.timedelta(days=-1, hours=-4), "-1 days -04:00:00"),
    ],
)
def test_an_interval_is_written_as_postgresql_writes_it(postgres: str, value: datetime.timedelta, written: str) -> None:
    assert wt.encode(value, wt.INTERVAL, binary=False) == written.encode()
    with pytest.importorskip("psycopg").connect(postgres) as connection:
        assert connection.execute(f"SELECT CAST(INTERVAL '{written}' AS TEXT)").fetchone() == (written,)
