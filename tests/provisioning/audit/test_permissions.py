"""The database itself refuses what is no addition, and verification tells where it does not any more."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from provisioning.audit import checkpoint, grants, make_key, read_private_key, statements, verify
from provisioning.control.database import Control
from provisioning.control.tables import metadata
from provisioning.errors import ControlFailure
from schemas.errors import InputError
from tests.provisioning.audit.ledgers import DROP_GUARDS, attack, opened, write

CHANGES = (
    "UPDATE audit_events SET actor = 'eve'",
    "UPDATE audit_events SET number = 9 WHERE number = 2",
    "DELETE FROM audit_events WHERE number = 3",
    "DELETE FROM audit_events",
    "UPDATE audit_checkpoints SET hash = 'x'",
    "DELETE FROM audit_checkpoints",
)
OF_POSTGRESQL = (
    "TRUNCATE audit_events",
    "TRUNCATE audit_checkpoints",
    "INSERT INTO audit_events SELECT * FROM audit_events ON CONFLICT (number) DO UPDATE SET actor = 'eve'",
    "MERGE INTO audit_events e USING (SELECT 2 AS n) x ON e.number = x.n WHEN MATCHED THEN DELETE",
    "SET session_replication_role = replica; DELETE FROM audit_events",
)
OF_SQLITE = (
    "INSERT OR REPLACE INTO audit_events SELECT number, at, 'eve', action, sandbox, why, outcome, bundle_digest, details, previous, hash "
    "FROM audit_events WHERE number = 2",
    "REPLACE INTO audit_checkpoints SELECT number, 'x', at, key, signature FROM audit_checkpoints",
    "UPDATE OR REPLACE audit_events SET number = 3 WHERE number = 2",
    "INSERT INTO audit_events SELECT * FROM audit_events WHERE true ON CONFLICT (number) DO UPDATE SET actor = 'eve'",
)


def test_rows_are_added_and_nothing_else(control: Control, address: str, tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    write(control, 4)
    checkpoint(control, read_private_key(tmp_path / "key"))
    for change in CHANGES + (OF_POSTGRESQL if control.dialect == "postgresql" else OF_SQLITE):
        with pytest.raises(Exception, match="the audit ledger is only added to"):
            attack(address, change, guards=True)
    report = verify(control)
    assert (report.events, report.checkpoints, report.problems) == (4, 1, [])


def test_guards_that_were_dropped_are_told(control: Control, address: str) -> None:
    attack(address)
    problems = verify(control).problems
    assert [(p.number, p.kind) for p in problems] == [(0, "unguarded"), (0, "unguarded")]
    assert "does not refuse changes of audit_events: its triggers are gone or altered" in problems[0].message
    attack(address, *statements(control.dialect)[control.dialect == "postgresql" :], guards=True)
    assert verify(control).problems == []


@pytest.mark.parametrize(
    "changes",
    [
        ["ALTER TABLE audit_events DISABLE TRIGGER audit_events_stays"],
        ["ALTER TABLE audit_events ENABLE TRIGGER audit_events_stays"],  # not in replicas' sessions any more
        ["CREATE OR REPLACE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"],
        [
            DROP_GUARDS["postgresql"][0],
            "CREATE TRIGGER audit_events_stays BEFORE UPDATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION audit_stays()",
            "ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_stays",
        ],
    ],
)
def test_in_postgresql_guards_that_do_not_guard_are_told(postgres_url: str, changes: list[str]) -> None:
    with opened(postgres_url) as control:
        attack(postgres_url, *changes, guards=True)
        assert {p.kind for p in verify(control).problems} == {"unguarded"}


def test_in_sqlite_guards_that_do_not_guard_are_told(tmp_path: Path) -> None:
    with opened(tmp_path / "control.db") as control:
        quiet = "CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events BEGIN SELECT 1; END"
        attack(tmp_path / "control.db", "DROP TRIGGER audit_events_no_update", quiet, guards=True)
        assert [p.kind for p in verify(control).problems] == ["unguarded"]


def test_in_postgresql_a_role_with_the_grants_adds_and_cannot_change(postgres_url: str, tmp_path: Path) -> None:
    psycopg = pytest.importorskip("psycopg")
    make_key(tmp_path / "key")
    opened(postgres_url).close()
    role = f"clerk-{uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE ROLE "{role}" LOGIN')
        for statement in grants(role):
            connection.execute(statement)
    try:
        url = sa.make_url(postgres_url).set(username=role).render_as_string(hide_password=False)
        with opened(url) as control:
            write(control, 3)
            checkpoint(control, read_private_key(tmp_path / "key"))
            assert verify(control).problems == []
            for statement in (*CHANGES, *OF_POSTGRESQL[:3], "DROP TABLE audit_events", *DROP_GUARDS["postgresql"]):
                with pytest.raises(ControlFailure, match="permission denied|must be owner"), control.write() as connection:
                    connection.exec_driver_sql(statement)
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f'DROP OWNED BY "{role}"')
            connection.execute(f'DROP ROLE "{role}"')


def test_the_grants_reach_every_table_and_quote_the_role() -> None:
    said = "\n".join(grants('o"dd'))
    assert all(f" {name}" in said for name in metadata.tables) and '"o""dd"' in said
    for role in ("", "x" * 64, "\x00"):
        with pytest.raises(InputError, match="1 to 63 bytes"):
            grants(role)


def test_databases_of_other_kinds_have_no_guards() -> None:
    assert statements("duckdb") == []
