"""Declared types of SQLite are read as they are meant, and what they are taken as instead is told."""

from __future__ import annotations

import pytest

import provisioning
from masking.source import open_source
from schemas.sqlite_types import declared_type
from schemas.types import SqlType
from tests.schemas.reflecting import built, reflected

MEANT = {
    "uuid": "uuid", "GUID": "uuid", "uniqueidentifier": "uuid",
    "datetime(6)": "timestamp", "DateTime": "timestamp", "datetime2(3)": "timestamp", "timestamp": "timestamp",
    "timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp", "TIMESTAMPTZ": "timestamptz",
    "timestamp\n with /* its */ time  zone": "timestamptz", '"timestamp(6) with time zone"': "timestamptz",
    "date": "date", "time": "time", '"time(6) without time zone"': "time",
    "string": "text", "clob": "text", "TEXT": "text", "varchar": "text", "char": "text", "longtext": "text",
    "character varying(20)": "varchar(20)", "VARYING CHARACTER (255)": "varchar(255)", "nvarchar(10)": "varchar(10)",
    "string(8)": "varchar(8)", '"varchar(max)"': "text", "nvarchar](50": "varchar(50)",
    "nchar(5)": "char(5)", "native character(70)": "char(70)", "char(2)": "char(2)",
    "decimal (10, 2)": "numeric(10,2)", "NUMERIC(5)": "numeric(5,0)", "number(12 , 3)": "numeric(12,3)", "decimal](10, 2": "numeric(10,2)",
    "int8": "bigint", "int4": "integer", "int2": "smallint", "INTEGER": "integer", "tinyint(1)": "smallint", "int(11)": "integer",
    "unsigned big int": "bigint", "int unsigned": "bigint", "smallint unsigned": "integer",
    "double precision": "double", "real": "double", "float8": "double", "FLOAT": "double",
    "bool": "boolean", "bit(1)": "boolean", "json": "json", "jsonb": "json", "bytea": "bytes", "longblob": "bytes", "interval": "interval",
}  # fmt: skip
TAKEN = {
    "": ("text", "declared without a type, taken as text"),
    "VARCHAR(0)": ("text", "declared VARCHAR(0), taken as text"),
    "char(99000000)": ("text", "declared char(99000000), taken as text"),
    "money": ("numeric(19,4)", "declared money, taken as numeric(19,4)"),
    "decimal": ("numeric(18,4)", "declared decimal, taken as numeric(18,4)"),
    "numeric(0)": ("numeric(38,0)", "declared numeric(0), taken as numeric(38,0)"),
    "numeric(10,-2)": ("numeric(38,0)", "declared numeric(10,-2), taken as numeric(38,0)"),
    "timetz": ("time", "declared timetz, taken as time"),
    "datetime2(7)": ("timestamp", "declared datetime2(7), taken as timestamp"),
    "float(10,2)": ("double", "declared float(10,2), taken as double"),
    "varbinary(16)": ("bytes", "declared varbinary(16), taken as bytes"),
    "bit(8)": ("bigint", "declared bit(8), taken as bigint"),
    "ANY": ("text", "declared ANY, taken as text"),
    "inet": ("text", "declared inet, taken as text"),
    "FLOATING POINT": ("integer", "declared FLOATING POINT, taken as integer"),
    "my varchar of sorts": ("text", "declared my varchar of sorts, taken as text"),
    "text[]": ("text", "declared text[], taken as text"),
    "jsonb[]": ("text", "declared jsonb[], taken as text"),
    "integer[]": ("text", "declared integer[], taken as text"),
    "geoblob": ("bytes", "declared geoblob, taken as bytes"),
    "doubled": ("double", "declared doubled, taken as double"),
    "thing": ("numeric(18,4)", "declared thing, taken as numeric(18,4)"),
}


@pytest.mark.parametrize("declared", MEANT)
def test_a_declared_type_is_taken_as_what_it_means(declared):
    type, note = declared_type(declared)
    assert (str(type), note) == (MEANT[declared], None)


@pytest.mark.parametrize("declared", TAKEN)
def test_a_declared_type_that_says_something_else_is_noted_with_what_it_is_taken_as(declared):
    type, note = declared_type(declared)
    assert (str(type), note) == TAKEN[declared]


def test_numerics_without_a_precision_may_be_carried_by_another_type():
    double = SqlType("double")
    assert [declared_type(d, double)[0] for d in ("decimal", "money", "thing", "numeric(5,2)")] == [*[double] * 3, SqlType("numeric", 5, 2)]


@pytest.mark.parametrize("target", ["duckdb", "sqlite"])
def test_columns_of_every_declared_type_build_and_load(tmp_path, target):
    declared = [d for d in (*MEANT, *TAKEN) if "](" not in d]
    columns = ", ".join(f"c{number} {type}" for number, type in enumerate(declared))
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, {columns}, bracketed [nvarchar](50));")
    types = {c.name: str(c.type) for c in found.schema.table("t").columns}
    assert types["bracketed"] == "varchar(50)"
    for number, said in enumerate(declared):
        if said in TAKEN:
            assert (types[f"c{number}"], found.notes["t", f"c{number}"]) == (TAKEN[said][0], [TAKEN[said][1]])
        else:
            assert types[f"c{number}"] == MEANT[said]
            assert ("t", f"c{number}") not in found.notes
    made = built(found, tmp_path)
    receipt = provisioning.load(made, f"{target}:///{tmp_path}/loaded.{target}")
    assert receipt.content_digest == made.content_digest
    assert not receipt.not_enforced


def test_values_are_read_as_their_columns_are_declared(tmp_path):
    reflected(
        tmp_path,
        "CREATE TABLE t(id INTEGER PRIMARY KEY, u UUID, w timestamp with time zone, r REAL, s STRING(5), j jsonb);"
        "INSERT INTO t VALUES (1, '00112233-4455-6677-8899-aabbccddeeff', '2026-01-01 10:00:00+02:00', 0.1, 'abc', '[1]');",
    )
    with open_source(f"sqlite:///{tmp_path}/made.sqlite") as source:
        (row,) = source.read("t").read_all().to_pylist()
    assert str(row["u"]) == "00112233-4455-6677-8899-aabbccddeeff"
    assert row["w"].isoformat() == "2026-01-01T08:00:00+00:00"
    assert (row["r"], row["s"], row["j"]) == (0.1, "abc", "[1]")
