"""What PostgreSQL's catalogues tell beyond names."""

from __future__ import annotations

import psycopg
import pytest

import provisioning
from schemas.model import Recipe
from schemas.reader import parse_schema
from schemas.reflect import Reflection, reflect
from schemas.writer import to_yaml
from tests.schemas.reflecting import built, column_of


@pytest.fixture
def reflected(postgres_url):
    def made(sql: str) -> Reflection:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(sql)
        return reflect(postgres_url)

    return made


def test_types_of_one_name_in_two_schemas_are_two(reflected, tmp_path, another_postgres_url):
    found = reflected(
        "CREATE SCHEMA s2; CREATE DOMAIN posint AS int CHECK (VALUE > 0); CREATE DOMAIN s2.posint AS bigint CHECK (VALUE < 0);"
        "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TYPE s2.mood AS ENUM ('up', 'down');"
        "CREATE TABLE t(id int PRIMARY KEY, a posint, b s2.posint, m mood, n s2.mood, ms mood[], ns s2.mood[])"
    )
    t = found.schema.table("t")
    assert [str(t.column(name).type) for name in "ab"] == ["integer", "bigint"]
    assert {c.sql for c in t.checks} == {'("a" > 0)', '("b" < 0)'}
    assert t.column("m").type.values == ("sad", "glad")
    assert t.column("n").type.values == ("up", "down")
    assert t.column("ns").type.item is not None and t.column("ns").type.item.values == ("up", "down")
    assert found.schema.enums == {"mood": ("sad", "glad"), "s2.mood": ("up", "down")}
    assert parse_schema(to_yaml(found.schema, found.notes)) == found.schema
    made = built(found, tmp_path)
    assert provisioning.load(made, another_postgres_url).content_digest == made.content_digest


def test_a_domain_check_speaks_of_its_value_and_not_of_the_word(reflected):
    found = reflected("CREATE DOMAIN d AS text CHECK (VALUE <> 'VALUE'); CREATE TABLE t(id int PRIMARY KEY, a d)")
    assert [c.sql for c in found.schema.table("t").checks] == ["(\"a\" <> CAST('VALUE' AS TEXT))"]


def test_a_domain_over_a_domain_holds_the_checks_of_both(reflected, tmp_path):
    found = reflected(
        "CREATE DOMAIN low AS numeric(8,2) CHECK (VALUE > 5); CREATE DOMAIN between_ AS low CHECK (VALUE < 9);"
        "CREATE TABLE t(id int PRIMARY KEY, a between_ NOT NULL, b low[])"
    )
    assert str(column_of(found, "t", "a").type) == "numeric(8,2)"
    assert len(found.schema.table("t").checks) == 2
    assert column_of(found, "t", "a").generate == Recipe("uniform", {"range": (5.01, 8.99)})
    assert any("of the domain low is left out" in said for said in found.notes["t", "b"])
    built(found, tmp_path)


@pytest.mark.parametrize("name", ['"date"', '"Mood"', '"' + "m" * 63 + '"'])
def test_enums_whose_names_cannot_be_kept_are_written_out(reflected, tmp_path, name):
    found = reflected(
        f"CREATE SCHEMA s2; CREATE TYPE mood AS ENUM ('a'); CREATE TYPE s2.{name} AS ENUM ('b', 'c');"
        f"CREATE TABLE t(id int PRIMARY KEY, a mood, b s2.{name})"
    )
    assert column_of(found, "t", "b").type.values == ("b", "c")
    assert parse_schema(to_yaml(found.schema, found.notes)) == found.schema
    built(found, tmp_path)
