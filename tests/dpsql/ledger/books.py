"""What the tests of the ledger share: limits, spendings, questions, and how to open a ledger of their own."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("opendp")

from dpsql.accounting import Limit, Spend
from dpsql.ledger import Question, StoredLedger, open_ledger

RELEASE = "sha256:" + "5e" * 32
LIMIT = Limit(1.0, 1e-6)
BOOKS: list[StoredLedger] = []
TENTH = Spend.pure(0.1)


def question(sql: str = "SELECT count(*) FROM users") -> Question:
    return Question("digest", sql, ("part",))


def reopened(path: Path | str, **options: Any) -> StoredLedger:
    """The ledger there, closed when the test ends."""
    book = open_ledger(path, **options)
    BOOKS.append(book)
    return book


def opened(path: Path | str, limit: Limit = LIMIT, per_analyst: Limit | None = None, **options: Any) -> StoredLedger:
    """A ledger with one release in it."""
    book = reopened(path, **options)
    book.open_release(RELEASE, limit, per_analyst)
    return book


def close_all() -> None:
    """Close the ledgers of the test, so that their databases can be dropped."""
    while BOOKS:
        BOOKS.pop().close()


def attack(path: Path, *statements: str) -> None:
    """Change a ledger's file behind its back, as its owner can."""
    with sqlite3.connect(path, isolation_level=None) as connection:
        for table in ("ledger_entries", "ledger_parts"):
            for verb in ("UPDATE", "DELETE"):
                connection.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")
        for statement in statements:
            connection.execute(statement)
    connection.close()
