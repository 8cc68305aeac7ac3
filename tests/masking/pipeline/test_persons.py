"""Persons of a PostgreSQL database made anonymous over joined tables: planned, masked, loaded, and counted there by SQL."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import psycopg

from tests.masking.pipeline.commands import Masking
from tests.masking.pipeline.databases import asked, email_of, name_of

DDL = """
CREATE TABLE plans (id integer PRIMARY KEY, tier varchar(200) NOT NULL, price numeric(8,2) NOT NULL);
CREATE TABLE cities (id integer PRIMARY KEY, region text NOT NULL);
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, full_name text NOT NULL, email varchar(80) NOT NULL UNIQUE,
    sex char(1) NOT NULL, born_on date NOT NULL CHECK (born_on > '1900-01-01'), seen_at timestamptz NOT NULL, diagnosis text NOT NULL,
    plan_id integer REFERENCES plans (id), city_id integer NOT NULL REFERENCES cities (id), mentor_id bigint REFERENCES users (id)
);
CREATE TABLE addresses (id integer PRIMARY KEY, user_id bigint REFERENCES users (id), zip varchar(12) NOT NULL, floor smallint);
CREATE TABLE visits (id integer PRIMARY KEY, user_id bigint NOT NULL REFERENCES users (id), ward text);
"""
QUASI = ["users.sex", "users.born_on", "users.seen_at", "addresses.zip", "addresses.floor", "visits.ward", "plans.tier", "plans.price",
         "cities.region"]  # fmt: skip
RECORDS = """
    SELECT u.diagnosis, (u.sex, u.born_on, u.seen_at, p.id IS NULL, p.tier, p.price, c.region,
        (SELECT array_agg(DISTINCT (zip, floor)::text) FROM addresses a WHERE a.user_id = u.id),
        (SELECT array_agg(DISTINCT coalesce(ward, 'none')) FROM visits v WHERE v.user_id = u.id))::text AS cells
    FROM users u LEFT JOIN plans p ON p.id = u.plan_id JOIN cities c ON c.id = u.city_id
"""
SMALLEST = f"SELECT min(n), min(ills), count(*), sum(n) FROM (SELECT count(*) AS n, count(DISTINCT diagnosis) AS ills FROM ({RECORDS}) r GROUP BY cells) s"


def people(url: str, count: int = 300) -> None:
    draw = random.Random(11)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(DDL)
        cursor.executemany("INSERT INTO plans VALUES (%s, %s, %s)", [(i, f"tier {i}", 10 * i) for i in range(1, 13)])
        cursor.executemany("INSERT INTO cities VALUES (%s, %s)", [(i, f"region {i % 4}") for i in range(1, 9)])
        for p in range(1, count + 1):
            plan = None if p <= 20 else draw.randint(1, 12)
            born, seen = date(draw.randint(1950, 2000), draw.randint(1, 12), 1), f"2026-03-{draw.randint(1, 28)}T10:00:00Z"
            row = (name_of(p), email_of(p), draw.choice("fm"), born, seen, draw.choice(["flu", "gout"]), plan, draw.randint(1, 8))
            cursor.execute(
                "INSERT INTO users (full_name, email, sex, born_on, seen_at, diagnosis, plan_id, city_id, mentor_id) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (*row, p - 1 if p % 3 == 0 else None),
            )
        homes = [p for p in range(1, count + 1) for _ in range(draw.choice((1, 1, 2)))] + [None, None]
        cursor.executemany(
            "INSERT INTO addresses VALUES (%s, %s, %s, %s)",
            [(i, p, f"{draw.randint(10, 14)}{draw.randint(100, 110)}", draw.choice((None, 0, 1, 2))) for i, p in enumerate(homes)],
        )
        wards = [p for p in range(41, count + 1) for _ in range(draw.choice((1, 3)))]
        cursor.executemany("INSERT INTO visits VALUES (%s, %s, %s)", [(i, p, draw.choice(["a", "b"])) for i, p in enumerate(wards)])


def made_anonymous(policy: dict[str, Any], **item: Any) -> None:
    for name in [*QUASI, *item.get("sensitive", ())]:
        table, column = name.split(".")
        policy["tables"][table]["columns"][column] = {"class": "quasi" if name in QUASI else "sensitive", "mask": "keep"}
    hierarchies = {"addresses.zip": {"prefix": [2]}, "users.sex": "prefix:1", "visits.ward": "prefix:1"}
    policy["anonymity"] = [{"subject": "users.id", "quasi_identifiers": QUASI, "hierarchies": hierarchies, **item}]


def test_persons_of_a_server_are_alike_when_they_are_counted_in_the_loaded_database(
    masking: Masking, postgres_url: str, another_postgres_url: str
) -> None:
    people(postgres_url)
    assert asked(postgres_url, SMALLEST)[0][0] == 1
    masking.plan(postgres_url)
    masking.edit(lambda policy: made_anonymous(policy, k=4, l=2, sensitive=["users.diagnosis"]))
    made = masking.made(postgres_url)
    code, out, err = masking("load", made.reference, another_postgres_url, "--store", masking.store)
    assert code == 0, out + err
    ((smallest, ills, classes, persons),) = asked(another_postgres_url, SMALLEST)
    assert smallest >= 4 and ills >= 2 and persons == 300
    # without a plan, without a visit, and neither: each is alike only among itself
    assert classes > 4
    certificate = made.config.provenance["certificate"]
    assert certificate["anonymity"][0]["classes"] >= classes and certificate["risks"][0]["after"]["k"] == smallest
    # rows of two tables are shared, and neither is made one for the other
    assert min(asked(another_postgres_url, "SELECT count(DISTINCT tier), (SELECT count(DISTINCT region) FROM cities) FROM plans")[0]) > 1
    # references are whole, and rows of nobody say nothing
    same = "SELECT count(*), count(mentor_id), count(plan_id) FROM users LEFT JOIN addresses a ON a.user_id = users.id"
    assert asked(another_postgres_url, same) == asked(postgres_url, same)
    assert asked(another_postgres_url, "SELECT DISTINCT zip, floor FROM addresses WHERE user_id IS NULL") == [("*", None)]


def test_a_model_that_a_server_cannot_meet_leaves_no_bundle(masking: Masking, postgres_url: str) -> None:
    people(postgres_url)
    masking.plan(postgres_url)
    masking.edit(lambda policy: made_anonymous(policy, k=30))
    code, _, err = masking.run(postgres_url)
    assert code != 0 and "20 have no row in plans" in err and "classes of" in err
    masking.assert_nothing_is_left()
