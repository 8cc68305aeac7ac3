"""What is encoded here for PostgreSQL: numerics, documents and arrays."""

from __future__ import annotations

from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from databases import ask
from loading_sources import BIGINT, KINDS, arrow_array, build, kind

import provisioning
from provisioning.loaders.postgresql_arrays import binary_arrays
from provisioning.loaders.postgresql_numeric import binary_numerics
from schemas.model import Column, Rows, Schema, Table
from schemas.types import SqlType

ITEMS = {name: (type, values) for name, (type, values) in KINDS.items() if type.kind != "array"}
SCALES = (0, 1, 2, 3, 4, 5, 8, 11, 16, 17, 18, 19, 38)
NUMERICS = [(precision, scale) for precision in (1, 4, 5, 12, 18, 19, 37, 38) for scale in SCALES if scale <= precision]


def units(precision: int) -> list[int]:
    """Whole numbers of up to `precision` digits: powers of ten and of 2**32, and their neighbours, either sign."""
    near = {10**power + step for power in range(precision + 1) for step in (-1, 0, 1)}
    near |= {5 * 10**power + 1 for power in range(precision)}
    near |= {2**power + step for power in (32, 64, 96) for step in (-1, 0, 1)}
    return sorted({sign * n for n in near if abs(n) < 10**precision for sign in (1, -1)})


def decimals(precision: int, scale: int) -> list[Decimal]:
    with localcontext() as context:
        context.prec = 60
        return [Decimal(n).scaleb(-scale) for n in units(precision)]


def test_numerics_of_every_precision_and_scale_are_stored_as_they_are(postgres_url: str, store: Path) -> None:
    types = {f"n_{p}_{s}": kind("numeric", precision=p, scale=s) for p, s in NUMERICS}
    table = Table("numbers", (Column("id", BIGINT), *(Column(n, t, null=0.1) for n, t in types.items())), Rows(1), key=("id",))
    columns = {name: decimals(type.precision, type.scale) for name, type in types.items()}
    rows = [
        {"id": n, **{name: values[n] for name, values in columns.items() if n < len(values)}}
        for n in range(max(map(len, columns.values())))
    ]
    provisioning.load(build(Schema("numbers", (table,)), {"numbers": rows}, store), postgres_url)
    for name, values in columns.items():
        stored = ask(postgres_url, f"SELECT {name}::text FROM numbers WHERE {name} IS NOT NULL ORDER BY id")
        assert [text for (text,) in stored] == [format(v, "f") for v in values], name


def test_numerics_without_a_scale_show_no_more_decimals_than_they_need(postgres_url: str, store: Path) -> None:
    table = Table("numbers", (Column("id", BIGINT), Column("n", kind("numeric"))), Rows(1), key=("id",))
    values = {"0": "0", "1.5": "1.5", "100": "100", "-0.000000001": "-0.000000001", "70000.0001": "70000.0001", "-20.000050": "-20.00005"}
    rows = [{"id": i, "n": Decimal(text)} for i, text in enumerate(values)]
    provisioning.load(build(Schema("numbers", (table,)), {"numbers": rows}, store), postgres_url)
    assert [text for (text,) in ask(postgres_url, "SELECT n::text FROM numbers ORDER BY id")] == list(values.values())


def lists(values: list[Any]) -> list[list[Any] | None]:
    first, last = values
    return [[first, None, last], None, [], [None, None], [last], [first] * 1000, [None]]


def test_arrays_of_every_type_come_back_as_they_were(postgres_url: str, store: Path) -> None:
    columns = (Column(name, kind("array", item=type), null=0.1) for name, (type, _) in ITEMS.items())
    table = Table("lists", (Column("id", BIGINT), *columns), Rows(1), key=("id",))
    columns_of_lists = {name: lists(values) for name, (_, values) in ITEMS.items()}
    rows = [{"id": n, **{name: values[n] for name, values in columns_of_lists.items()}} for n in range(7)]
    bundle = build(Schema("lists", (table,)), {"lists": rows}, store)
    assert provisioning.load(bundle, postgres_url).content_digest == bundle.content_digest
    whole = f"SELECT {', '.join(f'cardinality({name})' for name in ITEMS)} FROM lists ORDER BY id"
    assert ask(postgres_url, whole) == [(n,) * len(ITEMS) for n in (3, None, 0, 2, 1, 1000, 1)]
    third = "SELECT bigint[1], bigint[2], bigint[3], time[3]::text, date[1]::text, interval[1]::text, varchar[3] FROM lists WHERE id = 0"
    stored = (-(2**63), None, 2**63 - 1, "23:59:59.999999", "0001-01-01", "-9599:59:59.999999", "trailing   ")
    assert ask(postgres_url, third) == [stored]


@pytest.mark.parametrize("name", ITEMS)
def test_a_slice_is_encoded_as_its_part_of_the_whole(name: str) -> None:
    type, values = ITEMS[name]
    whole = arrow_array(SqlType("array", item=type), lists(values))
    encoded = binary_arrays(type, whole)
    for start, count in ((0, 7), (2, 3), (1, 0), (2, 1), (5, 2)):
        assert binary_arrays(type, whole.slice(start, count)).to_pylist() == encoded.slice(start, count).to_pylist()


def test_a_slice_of_numerics_is_encoded_as_its_part_of_the_whole() -> None:
    for type in (kind("numeric", precision=9, scale=3), kind("numeric", precision=30, scale=3)):
        whole = pa.array([None, Decimal("1.5"), Decimal("-2"), None, Decimal("7.125")], type.arrow)
        assert binary_numerics(type, whole.slice(2, 3)).to_pylist() == binary_numerics(type, whole).to_pylist()[2:]
        assert binary_numerics(type, whole.slice(1, 0)).to_pylist() == []
