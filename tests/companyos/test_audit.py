"""`companyos audit`: log, verify, checkpoint, key and grants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from companyos.cli import run
from companyos.output import visible
from provisioning.audit import record
from provisioning.control.database import open_control
from tests.provisioning.audit.ledgers import attack, opened, write


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A ledger of five events."""
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path))
    for name in ("COMPANYOS_CONTROL", "COMPANYOS_AUDIT_KEY", "COMPANYOS_AUDIT_ANCHOR"):
        monkeypatch.delenv(name, raising=False)
    with opened(tmp_path / "control.db") as control:
        write(control, 5)
    return tmp_path / "control.db"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    assert run(["audit", *map(str, arguments)]) == code
    return capsys.readouterr()


def documents(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[Any]:
    return [json.loads(line) for line in printed(capsys, *arguments, "--json", code=code)[0].splitlines()]


def test_the_log_tells_who_did_what_and_why_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = printed(capsys, "log", "--limit", "2")
    assert out.splitlines()[0] == (
        f"5 2026-01-31T09:00:05.000000Z user5@company.com created sb-0000000005 sha256:{'ab' * 32} "
        '{"allowed": true, "checked": ["quota", "ttl"]} reason 5'
    )
    assert len(out.splitlines()) == 2 and err == "older ones with --before 4\n"
    out, err = printed(capsys, "log", "--limit", "3", "--before", "4")
    assert [line.split()[0] for line in out.splitlines()] == ["3", "2", "1"] and err == ""


def test_a_log_without_events_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "log", "--sandbox", "sb-no") == ("", "no events were found\n")
    assert printed(capsys, "log", "--sandbox", "sb-no", "--json") == ("", "")
    assert printed(capsys, "log", "--action", "create") == ("", "no events were found; the actions of this ledger are created\n")
    assert printed(capsys, "log", "--action", "created", "--sandbox", "sb-no") == ("", "no events were found\n")


def test_the_log_is_filtered(capsys: pytest.CaptureFixture[str]) -> None:
    for filters, numbers in (
        (["--sandbox", "sb-0000000002"], [2]),
        (["--actor", "user3@company.com", "--action", "created"], [3]),
        (["--action", "deleted"], []),
        (["--since", "2026-01-31T09:00:04Z"], [5, 4]),
        (["--since", "2026-02-01"], []),
        (["--since", "200y"], [5, 4, 3, 2, 1]),
        (["--all", "--limit", "1"], [5, 4, 3, 2, 1]),
    ):
        assert [event["number"] for event in documents(capsys, "log", *filters)] == numbers


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "-3d", "0x5"])
def test_a_moment_that_is_none_is_told(capsys: pytest.CaptureFixture[str], since: str) -> None:
    _, err = printed(capsys, "log", f"--since={since}", code=2)
    assert "is neither a length of time such as 24h or 7d nor a moment" in err


def test_no_text_of_an_event_steers_the_terminal(capsys: pytest.CaptureFixture[str], ledger: Path) -> None:
    evil = "\x1b[2J\r\n\x9b1A\u202e\u2028\x7f\U000e0001 é 日本"
    with open_control(ledger) as control, control.write() as connection:
        record(connection, at=control.clock(), actor=evil, action=evil, sandbox=evil, why=evil, outcome={evil: evil}, details={evil: evil})
    out, _ = printed(capsys, "log", "--limit", "1")
    assert out.rstrip("\n").isprintable() and "\\u001b[2J\\u000d\\u000a\\u009b1A\\u202e\\u2028\\u007f\\udb40\\udc01 é 日本" in out
    out, _ = printed(capsys, "log", "--limit", "1", "--json")
    assert out.rstrip("\n").isprintable() and json.loads(out)["why"] == evil and json.loads(out)["details"] == {evil: evil}


def test_what_is_printable_stays_as_it_is() -> None:
    assert visible("a \\ é 日本 🙂") == "a \\ é 日本 🙂"


def test_verification_tells_what_was_touched_and_where(capsys: pytest.CaptureFixture[str], ledger: Path) -> None:
    assert printed(capsys, "verify")[0] == (
        "5 events, none touched; signatures were not checked, since no public key was given (--public-key)\n"
    )
    attack(ledger, "UPDATE audit_events SET why = 'x' WHERE number = 2", "DELETE FROM audit_events WHERE number = 5")
    out, _ = printed(capsys, "verify", code=1)
    assert "unguarded: the database does not refuse changes of audit_events" in out
    assert out.endswith(
        "altered: row 2 was altered: it is not what its hash says\n"
        "truncated: row 5 is missing at the end, which the anchor at row 5 knows; put back the newest copy\n"
    )
    (said,) = documents(capsys, "verify", code=1)
    assert (said["verified"], said["events"]) == (False, 4)
    assert [(p["number"], p["kind"]) for p in said["problems"]] == [(0, "unguarded"), (0, "unguarded"), (2, "altered"), (5, "truncated")]


def test_an_anchor_that_was_not_there_is_told(capsys: pytest.CaptureFixture[str], ledger: Path, tmp_path: Path) -> None:
    path = tmp_path / "mistyped.anchor"
    begun = f"a new anchor was begun, {path}: events that are cut off are found from now on\n"
    assert [printed(capsys, "verify", "--anchor", str(path))[1] for _ in range(2)] == [begun, ""]


@pytest.mark.parametrize("command", ["verify", "log"])
def test_a_ledger_that_is_not_there_is_told_and_not_made(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str) -> None:
    missing = tmp_path / "mistyped.db"
    assert "there is no control database" in printed(capsys, command, "--control", str(missing), code=2)[1]
    assert not missing.exists()


def test_an_altered_event_is_marked_in_the_log(capsys: pytest.CaptureFixture[str], ledger: Path) -> None:
    attack(ledger, "UPDATE audit_events SET why = 'x' WHERE number = 2")
    marked = [line.split()[0] for line in printed(capsys, "log")[0].splitlines() if line.endswith("(this event was altered)")]
    assert marked == ["2"]


def test_checkpoints_are_signed_kept_elsewhere_and_find_what_was_cut_off(
    capsys: pytest.CaptureFixture[str], ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, public, kept = tmp_path / "audit.key", tmp_path / "audit.key.pub", tmp_path / "kept.jsonl"
    assert documents(capsys, "key", str(key)) == [{"private": str(key), "public": str(public)}]
    assert "is there already, and a key is never overwritten" in printed(capsys, "key", str(key), code=2)[1]
    assert "no key was given to sign with" in printed(capsys, "checkpoint", code=2)[1]
    monkeypatch.setenv("COMPANYOS_AUDIT_KEY", str(key))
    assert printed(capsys, "verify")[0] == (
        "5 events, none touched; warning: no signature covers any of the 5 events, so that all could have been made anew; "
        "`companyos audit checkpoint` signs them\n"
    )
    assert [(said["unsigned"], len(said["warnings"])) for said in documents(capsys, "verify")] == [(5, 1)]
    assert printed(capsys, "checkpoint", "--to", str(kept))[0].startswith("signed up to event 5: ")
    assert json.loads(printed(capsys, "checkpoint", "--to", "-")[0]) == json.loads(kept.read_text())
    assert printed(capsys, "verify")[0] == "5 events, none touched; signed up to event 5\n"
    attack(ledger, "DELETE FROM audit_events WHERE number > 3", "DELETE FROM audit_checkpoints")
    options = ["--public-key", str(public), "--anchor", str(tmp_path / "another.anchor")]
    out, _ = printed(capsys, "verify", *options, "--checkpoint", str(kept), code=1)
    assert "truncated: rows 4 to 5 are missing at the end, which the checkpoint that was kept at row 5 knows" in out
    assert "missing, which the anchor knows. Nothing was signed" in printed(capsys, "checkpoint", code=1)[1]
    assert "cannot be read: No such file" in printed(capsys, "verify", "--checkpoint", str(tmp_path / "none"), code=2)[1]


def test_the_grants_are_sql_that_a_shell_pipes(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = printed(capsys, "grants", "clerk")
    assert 'GRANT SELECT, INSERT ON audit_events, audit_checkpoints TO "clerk";\n' in out
    assert [f"{line};" for line in documents(capsys, "grants", "clerk")[0]] == out.splitlines()
