"""The closure of references, against a brute-force fixpoint, over real SQLite databases."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from subsets import chosen, kept, made

from masking.source import open_source


def test_rows_bring_what_they_reference_and_nothing_else(tmp_path: Path) -> None:
    url = made(
        tmp_path / "a.db",
        "CREATE TABLE countries (code TEXT PRIMARY KEY)",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, country TEXT REFERENCES countries)",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users)",
        rows={"countries": [("DE",), ("FR",), ("JP",)], "users": [(1, "DE"), (2, "FR"), (3, None)], "orders": [(10, 1), (11, 2), (12, 3)]},
    )
    with open_source(url) as source:
        found = chosen(source, {"root": "orders", "where": "id IN (10, 12)"})
        assert found.counts == {"countries": 1, "orders": 2, "users": 2}
        assert kept(source, found, "users", "id") == [1, 3]
        assert kept(source, found, "countries", "code") == ["DE"]
        assert found.missing == {}


@st.composite
def databases(draw: st.DrawFn) -> tuple[int, dict[str, list[tuple[str, int]]], int]:
    tables = draw(st.integers(1, 5))
    names = [f"t{i}" for i in range(tables)]
    references = {name: [(draw(st.sampled_from(names)), k) for k in range(draw(st.integers(0, 3)))] for name in names}
    return tables, references, draw(st.integers(0, 2**32))


@settings(max_examples=60)
@given(databases())
def test_any_graph_closes_as_the_definition_says(tmp_path_factory: pytest.TempPathFactory, case: tuple) -> None:
    tables, references, seed = case
    chance = random.Random(seed)
    path = tmp_path_factory.getbasetemp() / "graph.db"
    names = [f"t{i}" for i in range(tables)]
    sizes = {name: chance.choice([0, 1, 3, 20]) for name in names}
    statements, rows = [], {}
    for name in names:
        columns = [f"r{k} INTEGER REFERENCES {target}" for target, k in references[name]]
        statements.append(f"CREATE TABLE {name} ({', '.join(['id INTEGER PRIMARY KEY', *columns])})")
        rows[name] = [
            (i, *(chance.choice([None, chance.randrange(sizes[t])]) if sizes[t] else None for t, _ in references[name]))
            for i in range(sizes[name])
        ]
    url = made(path, *statements, rows=rows)
    root = chance.choice(names)
    share = chance.choice([10, 50, 100])
    expected = {(root, i) for i in range(sizes[root]) if i % 10 < share // 10}
    waiting = list(expected)
    while waiting:
        name, i = waiting.pop()
        for (target, _), value in zip(references[name], rows[name][i][1:]):
            if value is not None and (target, value) not in expected:
                expected.add((target, value))
                waiting.append((target, value))
    with open_source(url) as source:
        found = chosen(source, {"root": root, "where": f"id % 10 < {share // 10}"})
        assert {(name, i) for name in names for i in kept(source, found, name, "id")} == expected
        assert found.missing == {}
        assert found.counts == {name: sum(n == name for n, _ in expected) for name in names}


def test_two_interlocked_cycles_close_though_every_key_is_not_null(tmp_path: Path) -> None:
    # a -> b -> c -> a and b -> d -> b share b: from one row all rings that it touches come along, others stay behind
    rows = {
        "a": [(i, i) for i in range(6)],
        "b": [(i, (i + 1) % 3 if i < 3 else 3 + (i + 1) % 3, i) for i in range(6)],
        "c": [(i, i) for i in range(6)],
        "d": [(i, (i + 1) % 3 if i < 3 else i) for i in range(6)],
    }
    url = made(
        tmp_path / "cycles.db",
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER NOT NULL REFERENCES b)",
        "CREATE TABLE b (id INTEGER PRIMARY KEY, c INTEGER NOT NULL REFERENCES c, d INTEGER NOT NULL REFERENCES d)",
        "CREATE TABLE c (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a)",
        "CREATE TABLE d (id INTEGER PRIMARY KEY, b INTEGER NOT NULL REFERENCES b)",
        rows=rows,
    )
    with open_source(url) as source:
        found = chosen(source, {"root": "a", "where": "id = 1"})
        for table in "abcd":
            assert kept(source, found, table, "id") == [0, 1, 2]


def test_a_composite_reference_with_a_null_part_references_nothing(tmp_path: Path) -> None:
    url = made(
        tmp_path / "composite.db",
        "CREATE TABLE rooms (house TEXT, number INTEGER, PRIMARY KEY (house, number))",
        "CREATE TABLE stays (id INTEGER PRIMARY KEY, number INTEGER, house TEXT, FOREIGN KEY (house, number) REFERENCES rooms)",
        rows={
            "rooms": [("ab", 1), ("a", 11), ("b", 1), ("a", 1)],
            "stays": [(1, 1, "ab"), (2, None, "b"), (3, 1, None), (4, 11, "a"), (5, 1, "a")],
        },
    )
    with open_source(url) as source:
        found = chosen(source, {"root": "stays", "where": "id <= 4"})
        assert kept(source, found, "rooms", "house", "number") == [("a", 11), ("ab", 1)]
        assert found.missing == {}


def test_the_parts_of_a_composite_key_are_not_exchanged(tmp_path: Path) -> None:
    url = made(
        tmp_path / "parts.db",
        "CREATE TABLE cells (x INTEGER, y INTEGER, PRIMARY KEY (x, y))",
        "CREATE TABLE marks (id INTEGER PRIMARY KEY, x INTEGER, y INTEGER, FOREIGN KEY (x, y) REFERENCES cells)",
        rows={"cells": [(x, y) for x in range(5) for y in range(5)], "marks": [(1, 1, 2), (2, 3, 3), (3, 4, 0)]},
    )
    with open_source(url) as source:
        assert kept(source, chosen(source, {"root": "marks"}), "cells", "x", "y") == [(1, 2), (3, 3), (4, 0)]


def test_keys_that_may_be_the_same_are_kept_together_in_a_cycle(tmp_path: Path) -> None:
    # capitals: whether they tell keys apart, only the database knows
    url = made(
        tmp_path / "capitals.db",
        "CREATE TABLE nodes (name TEXT PRIMARY KEY, next TEXT REFERENCES nodes)",
        rows={"nodes": [("start", "End"), ("end", None), ("End", "far"), ("END", "other"), ("far", None), ("other", None), ("out", "end")]},
    )
    with open_source(url) as source:
        found = kept(source, chosen(source, {"root": "nodes", "where": "name = 'start'"}), "nodes", "name")
        assert found == ["END", "End", "end", "far", "other", "start"]


def test_a_chain_of_self_references_is_followed_to_its_end(tmp_path: Path) -> None:
    length = 100_000
    url = made(
        tmp_path / "chain.db",
        "CREATE TABLE staff (id INTEGER PRIMARY KEY, manager INTEGER REFERENCES staff)",
        rows={"staff": [(i, i + 1 if i % length != length - 1 else None) for i in range(2 * length)]},
    )
    with open_source(url) as source:
        found = chosen(source, {"root": "staff", "where": f"id = {length // 2}"})
        assert kept(source, found, "staff", "id") == list(range(length // 2, length))


def test_many_chains_at_once_are_followed_too(tmp_path: Path) -> None:
    url = made(
        tmp_path / "chains.db",
        "CREATE TABLE staff (id INTEGER PRIMARY KEY, manager INTEGER REFERENCES staff)",
        rows={"staff": [(i, i + 1000 if i < 19_000 else 0) for i in range(20_000)]},
    )
    with open_source(url) as source:
        found = chosen(source, {"root": "staff", "where": "id BETWEEN 1 AND 500"})
        assert np.array_equal(kept(source, found, "staff", "id"), [i for i in range(20_000) if i % 1000 <= 500])


def test_keys_that_the_source_lacks_are_counted(tmp_path: Path) -> None:
    url = made(
        tmp_path / "dangling.db",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, boss INTEGER REFERENCES users)",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users)",
        rows={"users": [(1, 77), (2, 78), (3, 1)], "orders": [(1, 1), (2, 5), (3, 5), (4, 6), (5, 9)]},
    )
    with open_source(url) as source:
        found = chosen(source, {"root": "orders", "where": "id < 5"})
        assert found.missing == {"users.id": 3}  # 5 and 6 by orders, 77 by the user 1
