"""References that no database declares: polymorphic ones, into JSON, from arrays, between types."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import psycopg
from subsets import chosen, kept, made

from masking.policy.model import VirtualReference
from masking.source import open_source

COMMENTS = (
    VirtualReference("comments", ("author_id",), "users", ("id",), when="author_type = 'user'"),
    VirtualReference("comments", ("author_id",), "bots", ("id",), when="author_type = 'bot'"),
)


def test_a_polymorphic_reference_goes_where_its_condition_says(tmp_path: Path) -> None:
    url = made(
        tmp_path / "poly.db",
        "CREATE TABLE users (id INTEGER PRIMARY KEY)",
        "CREATE TABLE bots (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES users)",
        "CREATE TABLE comments (id INTEGER PRIMARY KEY, author_type TEXT, author_id INTEGER)",
        rows={
            "users": [(i,) for i in range(10)],
            "bots": [(i, i + 5) for i in range(5)],
            "comments": [(1, "user", 1), (2, "bot", 1), (3, None, 3), (4, "user", None), (5, "ghost", 4), (6, "user", 2)],
        },
    )
    with open_source(url) as source:
        found = chosen(source, {"root": "comments", "where": "id < 6"}, COMMENTS)
        assert kept(source, found, "users", "id") == [1, 6]
        assert kept(source, found, "bots", "id") == [1]
        assert found.missing == {}


def test_polymorphic_children_are_those_whose_condition_holds(tmp_path: Path) -> None:
    url = made(
        tmp_path / "poly.db",
        "CREATE TABLE users (id INTEGER PRIMARY KEY)",
        "CREATE TABLE bots (id INTEGER PRIMARY KEY)",
        "CREATE TABLE comments (id INTEGER PRIMARY KEY, author_type TEXT, author_id INTEGER)",
        rows={"users": [(1,), (2,)], "bots": [(1,)], "comments": [(1, "user", 1), (2, "bot", 1), (3, "user", 2)]},
    )
    with open_source(url) as source:
        found = chosen(source, {"root": "users", "where": "id = 1", "children": {"comments": "all"}}, COMMENTS)
        assert kept(source, found, "comments", "id") == [1]
        assert found.counts["bots"] == 0


def test_a_path_into_json_finds_keys_written_as_numbers_or_texts(tmp_path: Path) -> None:
    documents = [{"user_id": 1}, {"user_id": "2"}, {"other": 3}, {"user_id": None}, None, {"user_id": 4}]
    url = made(
        tmp_path / "json.db",
        "CREATE TABLE users (id INTEGER PRIMARY KEY)",
        "CREATE TABLE events (id INTEGER PRIMARY KEY, payload JSON)",
        rows={
            "users": [(i,) for i in range(6)],
            "events": [(i, None if d is None else json.dumps(d)) for i, d in enumerate(documents)] + [(7, '{"user_id": 5')],
        },
    )
    with open_source(url) as source:
        virtual = (VirtualReference("events", ("payload",), "users", ("id",), path="$.user_id"),)
        found = chosen(source, {"root": "events", "where": "id <> 5"}, virtual)
        assert kept(source, found, "users", "id") == [1, 2]


def test_a_path_with_a_star_finds_several_keys_in_a_row_even_in_a_cycle(tmp_path: Path) -> None:
    url = made(
        tmp_path / "several.db",
        "CREATE TABLE teams (id INTEGER PRIMARY KEY, members JSON, main INTEGER REFERENCES teams)",
        rows={
            "teams": [
                (1, '{"friends": [{"id": 2}, {"id": 3}, {}, {"id": 2}]}', None),
                (2, '{"friends": [{"id": 4}]}', None),
                (3, '{"friends": []}', 5),
                (4, "{}", None),
                (5, '{"friends": [{"id": 1}, {"id": 99}]}', None),
                (6, '{"friends": [{"id": 1}]}', 1),
            ]
        },
    )
    with open_source(url) as source:
        virtual = (VirtualReference("teams", ("members",), "teams", ("id",), path="$.friends[*].id"),)
        found = chosen(source, {"root": "teams", "where": "id = 1"}, virtual)
        assert kept(source, found, "teams", "id") == [1, 2, 3, 4, 5]
        assert found.missing == {"teams.id": 1}


def test_keys_are_equal_whatever_type_they_stand_in(postgres_url: str) -> None:
    one, two = UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), UUID("b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE devices (id uuid PRIMARY KEY)")
        connection.execute("CREATE TABLE accounts (id numeric(10, 2) PRIMARY KEY, code char(6) UNIQUE NOT NULL)")
        connection.execute("CREATE TABLE pings (id serial PRIMARY KEY, device text, devices uuid[], account integer, code text, day date)")
        connection.execute("INSERT INTO devices VALUES (%s), (%s), (gen_random_uuid())", [one, two])
        connection.execute("INSERT INTO accounts VALUES (7, 'ab'), (8.5, 'cd'), (9, 'ef')")
        connection.execute(
            "INSERT INTO pings (device, devices, account, code) VALUES (%s, NULL, 7, NULL), (NULL, %s, NULL, 'EF ')",
            [str(one).upper(), [two, None]],
        )
    virtual = (
        VirtualReference("pings", ("device",), "devices", ("id",)),
        VirtualReference("pings", ("devices",), "devices", ("id",)),
        VirtualReference("pings", ("account",), "accounts", ("id",)),
        VirtualReference("pings", ("code",), "accounts", ("code",)),
    )
    with open_source(postgres_url) as source:
        found = chosen(source, {"root": "pings"}, virtual)
        assert [str(i) for i in kept(source, found, "devices", "id")] == [str(one), str(two)]
        assert kept(source, found, "accounts", "code") == ["ab", "ef"]
        assert found.missing == {}
