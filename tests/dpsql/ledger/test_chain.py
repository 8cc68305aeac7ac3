"""A ledger that was changed behind its back says so, and where."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from dpsql.accounting import Limit
from dpsql.errors import LedgerBroken, LedgerFailure
from dpsql.ledger import StoredLedger
from tests.dpsql.ledger.books import RELEASE, TENTH, attack, close_all, opened, question, reopened


def spent(path: Path) -> StoredLedger:
    """A ledger with eight entries: a limit, three charges with an end each, and kept parts."""
    book = opened(path, Limit(1.0, 0.0))
    for n in range(3):
        charge = book.reserve(RELEASE, "ada" if n else "bob", TENTH, question(f"SELECT {n}"))
        book.finish(charge, "answered", {} if n else {"a": b"1", "b": b"2"})
    book.close()
    return book


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE ledger_entries SET epsilon = 0.01 WHERE number = 2", "entry 2 of the ledger was altered: a charge of"),
        ("UPDATE ledger_entries SET analyst = 'eve' WHERE number = 5", "entry 5 of the ledger was altered"),
        ("UPDATE ledger_entries SET sql = 'SELECT 9' WHERE number = 7", "entry 7 of the ledger was altered"),
        ("UPDATE ledger_entries SET document = replace(document, 'answered', 'failed') WHERE number = 4", "entry 4 .* altered"),
        ("UPDATE ledger_entries SET document = 'x' WHERE number = 1", "entry 1 .* altered"),
        ("UPDATE ledger_entries SET epsilon = NULL WHERE number = 2", None),
        ("UPDATE ledger_entries SET hash = previous WHERE number = 8", "entry 8 .* altered"),
        ("DELETE FROM ledger_entries WHERE number = 5", "entry 5 of the ledger is missing: the next is 6"),
        ("DELETE FROM ledger_entries WHERE number = 1", "entry 1 of the ledger is missing: the next is 2"),
        ("DELETE FROM ledger_entries WHERE number = 8", "knows: entry 8 is missing"),
        ("DELETE FROM ledger_entries WHERE number > 4", "knows: entry 8 is missing"),
        ("DELETE FROM ledger_entries", "knows: entry 8 is missing"),
        ("DELETE FROM ledger_parts WHERE digest = 'a'", "parts that entry 3 of the ledger kept were altered"),
        ("DELETE FROM ledger_parts", "parts that entry 3 of the ledger kept are missing"),
        ("UPDATE ledger_parts SET data = x'39' WHERE digest = 'b'", "parts that entry 3 of the ledger kept were altered"),
        ("INSERT INTO ledger_parts VALUES ('r', 'c', 4, x'39')", "parts that entry 4 of the ledger kept were altered"),
    ],
)
def test_what_was_altered_or_taken_out_is_found_and_named(tmp_path: Path, change: str, told: str | None) -> None:
    path = tmp_path / "ledger.db"
    spent(path)
    try:
        attack(path, change)
    except sqlite3.IntegrityError:
        assert told is None
        return
    with pytest.raises(LedgerBroken, match=told):
        reopened(path, hold=False).verify()


def test_entries_that_changed_places_are_found(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    spent(path)
    swap = "UPDATE ledger_entries SET number = {} WHERE number = {}"
    attack(path, swap.format(99, 4), swap.format(4, 6), swap.format(6, 99))
    with pytest.raises(LedgerBroken, match="entry 4 of the ledger was altered"):
        reopened(path).verify()


def test_an_entry_that_was_altered_together_with_its_hash_no_longer_fits_the_next(tmp_path: Path) -> None:
    from dpsql.ledger.chain import entry_hash

    path = tmp_path / "ledger.db"
    spent(path)
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        entry = dict(connection.execute("SELECT * FROM ledger_entries WHERE number = 2").fetchone())
    connection.close()
    entry["sql"] = "SELECT 42"
    attack(path, f"UPDATE ledger_entries SET sql = 'SELECT 42', hash = '{entry_hash(entry)}' WHERE number = 2")
    with pytest.raises(LedgerBroken, match="entry 3 of the ledger does not follow entry 2"):
        reopened(path).verify()


def test_a_whole_chain_that_was_forged_is_found_by_the_anchor_and_by_its_totals(tmp_path: Path) -> None:
    from dpsql.ledger.chain import entry_hash

    path = tmp_path / "ledger.db"
    spent(path)
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        entries = [dict(row) for row in connection.execute("SELECT * FROM ledger_entries ORDER BY number")]
    connection.close()
    changes, previous = [], "0" * 64
    for entry in entries:
        entry["previous"] = previous
        if entry["number"] == 2:
            entry["epsilon"] = 0.001
        previous = entry_hash(entry)
        changes.append(
            f"UPDATE ledger_entries SET epsilon = {entry['epsilon']!r}, previous = '{entry['previous']}', hash = '{previous}' "
            f"WHERE number = {entry['number']}"
        )
    attack(path, *changes)
    with pytest.raises(LedgerBroken, match="entry 8 is another one"):
        reopened(path)
    with pytest.raises(LedgerBroken, match="entry 2 of the ledger holds totals that are not the sums"):
        reopened(path, hold=False).verify()


def test_nothing_is_charged_on_a_total_or_a_limit_that_was_altered(tmp_path: Path) -> None:
    for kind in ("charge", "limit"):
        path = tmp_path / f"{kind}.db"
        spent(path)
        attack(path, f"UPDATE ledger_entries SET document = replace(document, '0x1.', '0x0.') WHERE kind = '{kind}'")
        book = reopened(path)
        with pytest.raises(LedgerBroken, match=r"entry \d of the ledger was altered"):
            book.reserve(RELEASE, "ada", TENTH, question())
        with pytest.raises(LedgerBroken):
            book.spending(RELEASE)


def test_a_backup_that_was_put_back_brings_no_budget_back(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    spent(path)
    shutil.copy(path, tmp_path / "backup.db")
    book = reopened(path)
    book.reserve(RELEASE, "ada", TENTH, question())
    book.close()
    shutil.copy(tmp_path / "backup.db", path)
    with pytest.raises(LedgerBroken, match="entry 9 is missing. It was cut short or put back from an old copy"):
        reopened(path)
    with pytest.raises(LedgerBroken):
        book.reserve(RELEASE, "ada", TENTH, question())


def test_a_backup_that_takes_the_ledgers_place_while_it_is_open_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book = spent(path)
    shutil.copy(path, tmp_path / "backup.db")
    book.reserve(RELEASE, "ada", TENTH, question())
    (tmp_path / "backup.db").replace(path)
    for left in tmp_path.glob("ledger.db-*"):
        left.unlink()
    with pytest.raises(LedgerBroken, match="entry 9 is missing"):
        book.reserve(RELEASE, "ada", TENTH, question())
    book.close()


def test_a_ledger_that_was_removed_brings_no_budget_back(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    spent(path)
    path.unlink()
    with pytest.raises(LedgerBroken, match="entry 8 is missing"):
        reopened(path)


def test_a_ledger_without_its_anchor_is_not_trusted_until_somebody_says_so(tmp_path: Path) -> None:
    path, anchor = tmp_path / "ledger.db", tmp_path / "ledger.db.anchor"
    book = spent(path)
    anchor.unlink()
    with pytest.raises(LedgerBroken, match="anchor .* is missing"):
        reopened(path)
    with pytest.raises(LedgerBroken, match="anchor .* is missing"):
        book.reserve(RELEASE, "ada", TENTH, question())
    reopened(path, hold=False).renew_anchor("root")
    again = reopened(path)
    assert again.verify() == 9
    assert list(again.entries())[-1].detail == "new anchor after 8 entries; the anchor before knew of none"
    again.reserve(RELEASE, "ada", TENTH, question())


def test_a_new_anchor_is_not_for_a_chain_that_was_altered(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    spent(path)
    attack(path, "DELETE FROM ledger_entries WHERE number = 4")
    with pytest.raises(LedgerBroken, match="entry 4 of the ledger is missing"):
        reopened(path, hold=False).renew_anchor("root")


def test_an_anchor_that_is_damaged_stops_all(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book = spent(path)
    (tmp_path / "ledger.db.anchor").write_text("{")
    with pytest.raises(LedgerFailure, match="anchor .* is damaged"):
        book.reserve(RELEASE, "ada", TENTH, question())


def test_the_anchor_follows_every_charge_before_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book = opened(path)
    for _ in range(3):
        charge = book.reserve(RELEASE, "ada", TENTH, question())
        assert json.loads((tmp_path / "ledger.db.anchor").read_text())[0] == charge.number


def test_how_a_question_ended_waits_for_no_disk_and_the_anchor_is_never_ahead_of_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    def anchored() -> int:
        return int(json.loads((tmp_path / "ledger.db.anchor").read_text())[0])

    def synchronous(*, durable: bool) -> int:
        return int(book.database.write(lambda chain: chain.connection.exec_driver_sql("PRAGMA synchronous").scalar(), durable=durable))

    book = opened(path)
    charge = book.reserve(RELEASE, "ada", TENTH, question())
    book.finish(charge, "answered", {"a": b"1"})
    assert (synchronous(durable=False), synchronous(durable=True)) == (1, 2)
    assert anchored() == charge.number  # a loss of power may take back what came after
    assert reopened(path).verify() == charge.number + 2  # as after a crash
    book.close()
    assert anchored() == charge.number + 2
    attack(path, f"DELETE FROM ledger_entries WHERE number > {charge.number}")
    with pytest.raises(LedgerBroken, match=f"entry {charge.number + 2} is missing"):
        reopened(path)


def test_the_next_charge_takes_the_anchor_past_what_was_not_waited_for(tmp_path: Path) -> None:
    book = opened(tmp_path / "ledger.db")
    book.finish(book.reserve(RELEASE, "ada", TENTH, question()), "answered")
    charge = book.reserve(RELEASE, "ada", TENTH, question())
    assert json.loads((tmp_path / "ledger.db.anchor").read_text())[0] == charge.number


def test_the_database_itself_refuses_changes(address: str) -> None:
    book = opened(address)
    charge = book.reserve(RELEASE, "ada", TENTH, question())
    book.finish(charge, "answered", {"a": b"1"})
    for statement in (
        "UPDATE ledger_entries SET epsilon = 0",
        "DELETE FROM ledger_entries",
        "UPDATE ledger_parts SET data = ''",
        "DELETE FROM ledger_parts",
    ):
        with pytest.raises(LedgerFailure, match="the ledger is only added to"), book.database.reading() as connection:
            connection.exec_driver_sql(statement)
    assert book.verify() == 4


def test_in_postgresql_rights_to_read_and_add_are_enough(postgres_url: str, tmp_path: Path) -> None:
    psycopg = pytest.importorskip("psycopg")
    anchor = tmp_path / "ledger.anchor"
    opened(postgres_url, anchor=anchor)
    role = f"clerk_{uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f"GRANT SELECT, INSERT ON ledger_version, ledger_entries, ledger_parts TO {role}")
    try:
        url = sa.make_url(postgres_url).set(username=role).render_as_string(hide_password=False)
        clerk = opened(url, anchor=anchor)
        charge = clerk.reserve(RELEASE, "ada", TENTH, question())
        clerk.finish(charge, "answered", {"a": b"1"})
        assert clerk.verify() == 4
        for statement in ("UPDATE ledger_entries SET epsilon = 0", "TRUNCATE ledger_entries", "DROP TABLE ledger_parts"):
            with pytest.raises(LedgerFailure), clerk.database.reading() as connection:
                connection.exec_driver_sql(statement)
        clerk.close()
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role}")
            connection.execute(f"DROP ROLE {role}")
        close_all()


def test_a_database_of_postgresql_that_was_put_back_brings_no_budget_back(
    postgres_url: str, another_postgres_url: str, tmp_path: Path
) -> None:
    anchor = tmp_path / "ledger.anchor"
    opened(postgres_url, anchor=anchor).reserve(RELEASE, "ada", TENTH, question())
    with pytest.raises(LedgerBroken, match="entry 2 is missing"):
        reopened(another_postgres_url, anchor=anchor)
    close_all()
