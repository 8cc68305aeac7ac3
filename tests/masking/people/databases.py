"""Databases of persons with addresses (many rows a person) and plans (shared by persons), masked and read back from a bundle."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bundles
from masking import MaskedSource, open_source
from masking.keys import MaskingKey
from masking.policy.reader import parse_policy

KEY = MaskingKey(bytes(range(32)), "env")
DDL = """
CREATE TABLE plans (id INTEGER PRIMARY KEY, tier VARCHAR(80));
CREATE TABLE users (id INTEGER PRIMARY KEY, born_on DATE, sex TEXT, income NUMERIC(10,2), height INTEGER, diagnosis TEXT,
  plan_id INTEGER REFERENCES plans(id));
CREATE TABLE addresses (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id), zip VARCHAR(%d), floor INTEGER);
"""
TABLES = """
policy: people
tables:
  plans:
    columns:
      id: {class: public, mask: keep}
      tier: {class: quasi, mask: keep}
  users:
    subject: id
    columns:
      id: {class: direct, entity: person_id, mask: {hash: {form: integer}}}
      born_on: {class: quasi, mask: keep}
      sex: {class: quasi, mask: keep}
      income: {class: quasi, mask: keep}
      height: {class: quasi, mask: keep}
      diagnosis: {class: sensitive, mask: keep}
      plan_id: {class: public, mask: keep}
  addresses:
    columns:
      id: {class: public, mask: keep}
      user_id: {class: direct, entity: person_id, mask: reference}
      zip: {class: quasi, mask: keep}
      floor: {class: quasi, mask: keep}
"""
ILLNESSES = ("flu", "cold", "asthma", "gout")


def made(path: Path, persons: int = 160, *, homeless: int = 0, plans: int = 6, room: int = 900) -> str:
    """Write a database and return its URL; `homeless` persons have no address, and `zip` has `room` characters."""
    draw = random.Random(5)
    with sqlite3.connect(path) as database:
        database.executescript(DDL % room)
        database.executemany("INSERT INTO plans VALUES (?, ?)", [(i, f"tier {i}") for i in range(1, plans + 1)])
        for i in range(1, persons + 1):
            born = f"{draw.randint(1950, 2000)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
            plan = i if i <= plans else draw.randint(1, plans)
            income = f"{draw.randint(10, 90)}.{draw.randint(10, 99)}"
            row = (10_000 + i, born, draw.choice("fm"), income, draw.randint(150, 200), draw.choice(ILLNESSES), plan)
            database.execute("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            for _ in range(draw.choice((1, 1, 2, 3)) if i > homeless else 0):
                zip_code = f"{draw.randint(100, 140)}{draw.randint(10, 14)}"
                address = (10_000 + i, zip_code, draw.randint(0, 9))
                database.execute("INSERT INTO addresses (user_id, zip, floor) VALUES (?, ?, ?)", address)
    return f"sqlite:///{path}"


def masked(url: str, store: Path, anonymity: str, *, tables: str = TABLES, jobs: int = 1, rest: str = "", file: str = "p.yaml") -> Any:
    """Mask a database by `anonymity`, one item of the policy's section; returns the bundle that was built."""
    policy = parse_policy(f"{tables}\nanonymity:\n  - {anonymity}\n{rest}", file)
    with open_source(url) as source:
        found = MaskedSource(source, policy, KEY, jobs=jobs)
        found.prepare()
        return bundles.build(found, store=str(store / "store"), tag="people:v1")


def rows(bundle: Any, store: Path, table: str) -> list[Mapping[str, Any]]:
    """The rows of a table of the bundle."""
    with bundles.open(bundle.reference, str(store / "store")).read(table) as reader:
        return list(reader.read_all().to_pylist())
