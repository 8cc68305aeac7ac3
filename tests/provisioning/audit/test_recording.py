"""Events are added one after another, whoever adds them, and what is written down can be kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from provisioning.audit import log, make_key, read_public_key, record, verify
from provisioning.audit.recording import EVERY, LONGEST
from provisioning.control.database import Control
from provisioning.control.tables import events
from provisioning.errors import AuditBroken, KeyInvalid
from tests.provisioning.audit.ledgers import attack, found, opened, write


def add(control: Control, **said: object) -> None:
    plain = {"actor": "ada", "action": "created", "sandbox": None, "why": "", "outcome": {}}
    with control.write() as connection:
        record(connection, at=control.clock(), **plain | said)  # type: ignore[arg-type]


def test_numbers_count_from_1_without_gaps_and_each_row_holds_the_hash_before(control: Control) -> None:
    write(control, 3)
    write(control, 2, 4)
    with control.read() as connection:
        rows = connection.execute(sa.select(events).order_by(events.c.number)).all()
    assert [row.number for row in rows] == [1, 2, 3, 4, 5]
    assert [row.previous for row in rows] == ["0" * 64, *(row.hash for row in rows[:-1])]


GOLDEN = [
    "28160377e8a5d0a6ae994388c9ae9cf29fae31d01f2cd818c6dcda9e2c31902a",
    "511af79b017ef99d67510cd500ca9cf8ad30a866a52356f65e6c7aadfda1a275",
]


def test_the_hashes_are_these_for_ever(control: Control) -> None:
    write(control, 2)
    with control.read() as connection:
        hashes = connection.scalars(sa.select(events.c.hash).order_by(events.c.number)).all()
    assert hashes == GOLDEN


def test_an_event_of_a_transaction_that_was_undone_never_was(control: Control) -> None:
    write(control, 2)
    with pytest.raises(RuntimeError), control.write() as connection:
        record(connection, at=control.clock(), actor="ada", action="created", sandbox=None, why="", outcome={})
        raise RuntimeError
    write(control, 1, 3)
    assert verify(control).events == 3


def test_texts_that_a_database_cannot_hold_are_kept_as_far_as_they_can_be(control: Control) -> None:
    add(control, why="zero \x00 half \ud800 escape \x1b", details={"a\x00": ["\ud800", {"b": ("\x00",)}]}, actor="x" * (LONGEST + 1))
    (event,) = log(control).events
    assert event.why == "zero � half ? escape \x1b"
    assert event.details == {"a�": ["?", {"b": ["�"]}]}
    assert event.actor == "x" * (LONGEST - 1) + "…"
    assert verify(control).problems == []


def test_no_password_of_a_url_is_written_down(control: Control) -> None:
    secret = "postgresql://ada:hunter2@host/db"
    add(control, actor=secret, why=secret, outcome={"violations": [{"message": secret}]}, details={"url": secret, "deep": [{secret: 1}]})
    with control.read() as connection:
        (row,) = connection.execute(sa.select(events)).all()
    assert "hunter2" not in str(row) and str(row).count(":***@") == 5


def test_a_row_that_the_database_drops_in_silence_is_an_error(control: Control, address: str) -> None:
    rule = "CREATE RULE quiet AS ON INSERT TO audit_events DO INSTEAD NOTHING"
    if not address.startswith("postgresql"):
        rule = "CREATE TRIGGER quiet BEFORE INSERT ON audit_events BEGIN SELECT RAISE(IGNORE); END"
    attack(address, rule, guards=True)
    with pytest.raises(AuditBroken, match="the database did not keep row 1"):
        add(control)


def test_every_hundredth_event_is_signed_where_a_key_is_configured(
    control: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = make_key(tmp_path / "key")
    monkeypatch.setenv("COMPANYOS_AUDIT_KEY", str(tmp_path / "key"))
    write(control, EVERY - 1)
    assert verify(control).checkpoints == 0
    write(control, EVERY + 2, EVERY)
    report = verify(control, [read_public_key(public)])
    assert (report.checkpoints, report.signed, report.problems) == (2, 2 * EVERY, [])


def test_a_configured_key_that_cannot_be_used_stops_the_first_event_and_not_the_hundredth(
    control: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPANYOS_AUDIT_KEY", str(tmp_path / "key"))
    with pytest.raises(KeyInvalid, match="key .* of \\$COMPANYOS_AUDIT_KEY cannot be read"):
        add(control)
    make_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(KeyInvalid, match="open to others"):
        add(control)
    assert verify(control).events == 0


def test_a_broken_chain_is_not_signed_and_goes_on(control: Control, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_key(tmp_path / "key")
    monkeypatch.setenv("COMPANYOS_AUDIT_KEY", str(tmp_path / "key"))
    write(control, EVERY - 1)
    attack(address, "UPDATE audit_events SET actor = 'eve' WHERE number = 40")
    with pytest.warns(UserWarning, match="the audit ledger is broken at row 40. Nothing was signed"):
        write(control, 1, EVERY)
    report = verify(control)
    assert (report.events, report.checkpoints, found(report)) == (EVERY, 0, [(40, "altered")])


ADDING = """
import sys
from tests.provisioning.audit.ledgers import opened, write
with opened(sys.argv[1]) as control:
    for _ in range(40):
        write(control, 2)
"""


def test_processes_that_add_at_once_make_one_chain(address: str) -> None:
    opened(address).close()
    processes = [subprocess.Popen([sys.executable, "-c", ADDING, address]) for _ in range(2)]
    assert [process.wait(120) for process in processes] == [0, 0]
    with opened(address) as control:
        report = verify(control)
    assert (report.events, report.problems) == (160, [])


def test_a_process_killed_at_any_line_leaves_a_whole_chain_and_an_event_for_each_change(address: str, tmp_path: Path) -> None:
    """A pin of a demo and its event stand for a change of state: there are both, or neither."""
    make_key(tmp_path / "key")
    opened(address).close()
    command = [sys.executable, "-m", "tests.provisioning.audit.crash", address, str(tmp_path / "key"), "9"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    kills, kept = map(int, done.stdout.split())
    assert kills >= 10 and 0 < kept < kills
