"""The order of masked rows tells nothing without the key: who counts the rows does not learn which key was whose.

In an order drawn at random, one row of a table stands on average at the place that it had, whatever the table's size, and ten or more do
once in nine million times (Poisson's distribution with the mean 1); so a guess by places is held to be no better than chance. The keys here
are fixed, so that nothing fails by chance.
"""

from __future__ import annotations

import json
import random
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pytest

import bundles
import masking
from masking import MaskedSource, open_source, parse_policy
from masking.agreement import agree
from masking.binding import bind
from masking.drawn_rows import _File
from masking.keys import MaskingKey
from masking.row_order import RowOrder, is_told_by_what_is_kept
from tests.masking.memory_source import MemorySource
from tests.masking.people import databases as people

KEY, ANOTHER = MaskingKey(bytes(range(32)), "env"), MaskingKey(bytes(range(1, 33)), "env")
USERS, MOST_BY_CHANCE = 300, 9
NAMES = ["Anneliese", "Bernhard", "Carlotta", "Dietmar", "Ermelinda", "Friedrich", "Gunhild", "Hannelore", "Ingeborg", "Jaroslaw"]
FAMILIES = ["Kowalczyk", "Schneidewind", "Moreauville", "Rossellini", "Novakova", "Garciaparra", "Janssens", "Silveira"]
TABLES = (
    "CREATE TABLE users (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, email TEXT NOT NULL)",
    "CREATE TABLE visits (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id))",
    "CREATE TABLE notes (user_id INTEGER NOT NULL REFERENCES users (id), stars INTEGER)",
)


def rows_of(users: int = USERS) -> Mapping[str, list[tuple[Any, ...]]]:
    """Users that count from 1, two visits of each, and a note of each, as they lie."""
    owners = [user for user in range(1, users + 1) for _ in range(2)]
    random.Random(7).shuffle(owners)
    names = [f"{NAMES[i % 10]} {FAMILIES[i // 10 % 8]}" for i in range(users)]
    return {
        "users": [(i, name, f"{name.lower().replace(' ', '.')}{i}@kolibri-werke.example") for i, name in enumerate(names, 1)],
        "visits": list(enumerate(owners, 1)),
        "notes": [(i, i % 5) for i in range(1, users + 1)],
    }


def in_sqlite(path: Path, users: int = USERS) -> str:
    connection = sqlite3.connect(path)
    for statement in TABLES:
        connection.execute(statement)
    for table, rows in rows_of(users).items():
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def in_postgresql(url: str) -> str:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for statement in TABLES:
            cursor.execute(statement)
        for table, rows in rows_of().items():
            cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield in_sqlite(tmp_path / "source.db")
    else:
        yield in_postgresql(request.getfixturevalue("postgres_url"))


def made(url: str, store: Path, *, key: MaskingKey = KEY, jobs: int = 1, tag: str = "e:v1") -> bundles.Bundle:
    """The bundle of a database by the plan that is proposed for it."""
    with open_source(url) as source:
        found = MaskedSource(source, masking.plan(source), key, jobs=jobs)
        found.prepare()
        return bundles.build(found, store=store, tag=tag)


def column(bundle: bundles.Bundle, table: str, name: str) -> list[Any]:
    return bundle.table(table).to_arrow().column(name).to_pylist()


def raw_of(bundle: bundles.Bundle) -> dict[int, int]:
    """The raw id of each masked one, by the visits, whose own numbers are kept."""
    owners = dict(rows_of()["visits"])
    pairs = zip(column(bundle, "visits", "id"), column(bundle, "visits", "user_id"), strict=True)
    return {masked: owners[visit] for visit, masked in pairs}


def hits(order: list[int]) -> int:
    """How many rows stand at the place that they had."""
    return sum(raw == place for place, raw in enumerate(order, 1))


def assert_drawn(order: list[int]) -> None:
    """No better than chance by places, and no run up or down: beyond five standard deviations once in two million times."""
    assert sorted(order) == list(range(1, USERS + 1))
    assert hits(order) <= MOST_BY_CHANCE
    rises = sum(later > sooner for sooner, later in pairwise(order))
    assert abs(rises - (USERS - 1) / 2) <= 5 * ((USERS + 1) / 12) ** 0.5


def test_places_do_not_tell_which_masked_key_is_whose(url: str, tmp_path: Path) -> None:
    bundle = made(url, tmp_path / "store")
    raw, ids = raw_of(bundle), column(bundle, "users", "id")
    guess = {masked: place for place, masked in enumerate(ids, 1)}
    assert sorted(raw) == sorted(ids)
    right = sum(guess[masked] == raw[masked] for masked in column(bundle, "visits", "user_id"))
    assert right <= 2 * MOST_BY_CHANCE
    assert_drawn([raw[masked] for masked in ids])
    assert_drawn([raw[masked] for masked in column(bundle, "notes", "user_id")])  # which has no key


def test_the_same_key_gives_the_same_order_and_another_key_another(url: str, tmp_path: Path) -> None:
    one, same, other = (
        made(url, tmp_path / "store", key=key, jobs=jobs, tag=f"e:{jobs}") for key, jobs in ((KEY, 1), (KEY, 3), (ANOTHER, 2))
    )
    assert one.manifest_digest == same.manifest_digest
    orders = [[raw_of(bundle)[masked] for masked in column(bundle, "users", "id")] for bundle in (one, other)]
    assert sum(a == b for a, b in zip(*orders, strict=True)) <= MOST_BY_CHANCE


def test_a_table_that_waits_on_the_disk_is_the_same(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_memory = made(url, tmp_path / "store")
    written, folders = list[bytes](), list[Path]()
    append, temporary_file = _File.append, tempfile.TemporaryFile
    monkeypatch.setattr("tempfile.TemporaryFile", lambda dir: folders.append(dir) or temporary_file(dir=dir))
    monkeypatch.setattr("masking.drawn_rows.BUCKET_BYTES", 2_000)
    monkeypatch.setattr(_File, "append", lambda file, data: written.append(bytes(data)) or append(file, data))
    store = tmp_path / "another"
    assert made(url, store).manifest_digest == in_memory.manifest_digest
    assert written and not any(text in data for data in written for _, *raw in rows_of()["users"] for text in map(str.encode, raw))
    assert folders and all(store in folder.parents for folder in folders), "the system's folder may be small, or memory"
    assert not [path for path in store.rglob("*") if "build-" in str(path)]


def test_nothing_is_left_of_a_run_that_fails_while_rows_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(Exception):
        pass

    def fail(file: _File, start: int, length: int) -> bytes:
        raise Stopped

    url, store, temporary = in_sqlite(tmp_path / "source.db"), tmp_path / "store", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setattr("masking.drawn_rows.BUCKET_BYTES", 2_000)
    monkeypatch.setattr(_File, "read", fail)
    with pytest.raises(Stopped):
        made(url, store)
    assert not list(temporary.iterdir())
    assert not [path for path in store.rglob("*") if path.is_file() and path.stat().st_size > 1_000]
    assert not [path for path in store.rglob("*") if "build-" in str(path)]


def test_rows_of_anonymous_persons_are_not_those_of_the_source_by_place(tmp_path: Path) -> None:
    """The class of a row hides its person only where its place does not tell it."""
    item = "{subject: users.id, quasi_identifiers: [users.born_on, users.sex, plans.tier], k: 5, l: 2, sensitive: users.diagnosis}"
    url = people.made(tmp_path / "people.db", plans=40)
    bundle = people.masked(url, tmp_path, item)
    with sqlite3.connect(tmp_path / "people.db") as database:
        owners = dict(database.execute("SELECT id, user_id FROM addresses").fetchall())
    raw = {row["user_id"]: owners[row["id"]] for row in people.rows(bundle, tmp_path, "addresses")}
    order = [raw[row["id"]] - 10_000 for row in people.rows(bundle, tmp_path, "users")]
    assert sorted(order) == list(range(1, 161))
    assert hits(order) <= MOST_BY_CHANCE
    assert hits([row["id"] for row in people.rows(bundle, tmp_path, "plans")]) <= MOST_BY_CHANCE


SCHEMA = """
schema: shop
tables:
  kept:
    rows: 40
    columns:
      id: {type: bigint, key: true}
      email: {type: text, generate: person.email}
  hashed:
    rows: 40
    columns:
      id: {type: bigint, key: true}
  dropped:
    rows: 40
    columns:
      id: {type: bigint, key: true}
      n: {type: bigint, generate: {constant: 1}}
  without:
    rows: 40
    columns:
      n: {type: bigint, generate: {constant: 1}}
  some:
    rows: 40
    key: [a, b]
    columns:
      a: {type: text, generate: {constant: x}}
      b: {type: bigint, generate: {constant: 1}}
"""
KEEP, HASH = {"class": "public", "mask": "keep"}, {"class": "direct", "mask": {"hash": {"form": "integer"}}}
POLICY = {
    "policy": "shop",
    "tables": {
        "kept": {"columns": {"id": KEEP, "email": {"class": "direct", "entity": "email", "mask": "email"}}},
        "hashed": {"columns": {"id": HASH}},
        "dropped": {"columns": {"id": {"class": "public", "mask": "drop"}, "n": KEEP}},
        "without": {"columns": {"n": KEEP}},
        "some": {"columns": {"a": KEEP, "b": HASH}},
    },
}


def test_rows_keep_their_order_only_where_it_follows_from_a_key_that_is_kept() -> None:
    source, policy = MemorySource.of(SCHEMA), parse_policy(json.dumps(POLICY))
    bound = bind(source.schema, policy, agree(source.schema, policy), KEY, source.count, None)
    assert {name for name, table in bound.items() if is_told_by_what_is_kept(table)} == {"kept"}


def draws(table: str, read: list[str], rows: pa.RecordBatch, first: int = 0, key: MaskingKey = KEY) -> list[int]:
    found = MemorySource.of(SCHEMA).schema.table(table)
    return RowOrder.of(found, read, key).draws(rows, first).tolist()


def ids(*numbers: int | None) -> pa.RecordBatch:
    return pa.record_batch({"id": pa.array(numbers, pa.int64())})


def test_a_row_that_comes_in_does_not_move_the_others() -> None:
    first, *others = draws("hashed", ["id"], ids(1, 2, 3, 4))
    assert draws("hashed", ["id"], ids(2, 3, 4), 77) == others
    assert first not in others
    assert draws("hashed", ["id"], ids(1, 2, 3, 4), key=ANOTHER)[0] != first
    assert draws("kept", ["id"], ids(1, 2, 3, 4))[0] != first, "each table has an order of its own"


def test_rows_without_a_key_that_can_be_read_are_drawn_by_their_places() -> None:
    rows = pa.record_batch({"n": pa.array([5, 5, 5], pa.int64())})
    for table in ("without", "dropped"):
        found = draws(table, ["n"], rows)
        assert len(set(found)) == 3
        assert draws(table, ["n"], rows.slice(1), 1) == found[1:]


def test_rows_whose_key_is_null_are_not_equal() -> None:
    assert len(set(draws("hashed", ["id"], ids(None, 1, None, 0, None)))) == 5


def test_keys_of_several_columns_are_told_apart() -> None:
    texts = ["a", "a\x1f1", "a\x1f1\x1f1", "1\x1fa", ""]
    rows = pa.record_batch({"a": pa.array(texts * 3), "b": pa.array(np.repeat([1, 11, 111], 5))})
    assert len(set(draws("some", ["a", "b"], rows))) == 15
