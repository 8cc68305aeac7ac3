"""Ledgers to tamper with, in SQLite and in PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from provisioning.audit import Report, record
from provisioning.control.database import Control, open_control

BEGIN = datetime(2026, 1, 31, 9, tzinfo=UTC)
DROP_GUARDS = {
    "sqlite": [
        f"DROP TRIGGER {table}_no_{verb}" for table in ("audit_events", "audit_checkpoints") for verb in ("update", "delete", "replace")
    ],
    "postgresql": [f"DROP TRIGGER {table}_stays ON {table}" for table in ("audit_events", "audit_checkpoints")],
}


class Clock:
    """A clock that goes on by a second each time it is looked at."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def opened(address: str | Path) -> Control:
    return open_control(address, clock=Clock())


def write(control: Control, count: int, first: int = 1) -> None:
    """Add events whose texts say which they are."""
    with control.write() as connection:
        for n in range(first, first + count):
            record(
                connection,
                at=control.clock(),
                actor=f"user{n}@company.com",
                action="created",
                sandbox=f"sb-{n:010d}",
                why=f"reason {n}",
                outcome={"allowed": True, "checked": ["quota", "ttl"]},
                bundle_digest="sha256:" + "ab" * 32,
                details={"rows": n},
            )


@contextmanager
def raw(address: str | Path) -> Iterator[object]:
    """A connection that belongs to the tables' owner, with each statement a transaction of its own."""
    if str(address).startswith("postgresql"):
        import psycopg

        with psycopg.connect(str(address), autocommit=True) as connection:
            yield connection
    else:
        with closing(sqlite3.connect(address, isolation_level=None)) as connection:
            yield connection


def attack(address: str | Path, *statements: str, guards: bool = False) -> None:
    """Run statements as the owner of the tables does, who drops what guards them first, unless `guards`."""
    drop = DROP_GUARDS["postgresql" if str(address).startswith("postgresql") else "sqlite"]
    with raw(address) as connection:
        for statement in (*([] if guards else drop), *statements):
            connection.execute(statement)  # type: ignore[attr-defined]


def found(report: Report) -> list[tuple[int, str]]:
    """The problems of rows and checkpoints, without those of guards."""
    return [(p.number, p.kind) for p in report.problems if p.kind != "unguarded"]
