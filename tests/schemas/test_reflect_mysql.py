"""Types that MySQL alone has, as its inspector gives them, over the catalogue of a real database."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Inspector

import provisioning
from schemas.reader import parse_schema
from schemas.reflect import reflect_connection
from schemas.writer import to_yaml
from tests.schemas.reflecting import built, column_of

LONG = "refused: " + "é" * 28


@pytest.fixture
def reflected(tmp_path, monkeypatch):
    def made(type, required=True):
        with sqlite3.connect(tmp_path / "made.sqlite") as database:
            database.execute(f"CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT {'NOT NULL' * required})")
        own = Inspector.get_columns
        monkeypatch.setattr(
            Inspector, "get_columns", lambda *given, **more: [{**c, "type": type} if c["name"] == "a" else c for c in own(*given, **more)]
        )
        with sa.create_engine(f"sqlite:///{tmp_path / 'made.sqlite'}").connect() as connection:
            return reflect_connection(connection, sa.make_url("mysql://h/made"))

    return made


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_an_enum_with_long_values_is_a_text_of_those(reflected, tmp_path, postgres_url, target):
    found = reflected(mysql.ENUM("open", "it's", LONG))
    assert len(LONG.encode()) == 65
    assert found.notes["t", "a"] == ["an enum with values of more than 63 bytes, taken as text"]
    assert str(column_of(found, "t", "a").type) == "text"
    assert [value for value, _ in column_of(found, "t", "a").generate.args["values"]] == ["open", "it's", LONG]
    assert parse_schema(to_yaml(found.schema, found.notes)) == found.schema
    made = built(found, tmp_path)
    assert provisioning.load(made, postgres_url if target == "postgresql" else f"sqlite:///{tmp_path}/again.sqlite").tables["t"] == 40


def test_an_enum_with_values_that_just_fit_stays_one(reflected):
    found = reflected(mysql.ENUM("open", LONG[:-1]))
    assert column_of(found, "t", "a").type.values == ("open", LONG[:-1])
    assert ("t", "a") not in found.notes


@pytest.mark.parametrize(
    ("type", "said"),
    [
        (mysql.VARCHAR(0), "VARCHAR(0), taken as text"),
        (mysql.CHAR(0), "CHAR(0), taken as text"),
        (mysql.NVARCHAR(0), "NVARCHAR(0), taken as text"),
    ],
)
def test_texts_of_no_length_are_taken_as_text(reflected, tmp_path, type, said):
    found = reflected(type)
    assert found.notes["t", "a"] == [said]
    assert str(column_of(found, "t", "a").type) == "text"
    built(found, tmp_path)
