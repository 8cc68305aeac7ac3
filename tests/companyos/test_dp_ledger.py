"""`companyos dp budget`, `audit`, `limit` and `analyst`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("opendp")
pytest.importorskip("scramp")

from companyos.cli import run
from dpsql.accounting import Limit, Spend
from dpsql.errors import BudgetSpent
from dpsql.ledger import Question, open_ledger

RELEASE = "sha256:" + "ab12cd34" * 8


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger in which ada asked twice and bob was refused."""
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path))
    book = open_ledger()
    book.open_release(RELEASE, Limit(3.0, 1e-6), Limit(0.5, 1e-7))
    for n in (1, 2):
        charge = book.reserve(RELEASE, "ada", Spend.pure(n / 10), Question("d", f"SELECT count(*)\n  FROM t{n}", ()))
        book.finish(charge, "answered")
    with pytest.raises(BudgetSpent):
        book.reserve(RELEASE, "bob", Spend.pure(0.6), Question("d", "SELECT sum(x) FROM t", ()))
    book.close()
    return tmp_path / "ledger.db"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(["dp", *arguments]) == code
    out, err = capsys.readouterr()
    return out if code == 0 else out + err


def documents(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[Any]:
    return [json.loads(line) for line in printed(capsys, *arguments, "--json").splitlines()]


def test_the_budget_shows_who_spent_what_on_what_and_what_is_left(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "budget", "ab12cd34")
    assert f"{RELEASE}\nepsilon 0.3 of 3 spent (delta 1e-06)" in text
    assert any(line.split() == ["ada", "0.3", "0.5", "0.2"] for line in text.splitlines())
    assert "SELECT count(*) FROM t2" in text
    ((one,),) = documents(capsys, "budget", "--analyst", "ada")
    assert one["analysts"] == {"ada": {"epsilon": pytest.approx(0.3), "limit": {"epsilon": 0.5, "delta": 1e-7}, "left": pytest.approx(0.2)}}
    assert [c["sql"] for c in one["charges"]] == ["SELECT count(*)\n  FROM t1", "SELECT count(*)\n  FROM t2"]
    ((one,),) = documents(capsys, "budget", "--analyst", "bob")
    assert (one["analysts"], one["charges"]) == ({}, [])


def test_a_release_that_is_not_known_is_told_with_the_way_on(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "the ledger knows no release 'nowhere'; `companyos dp budget` shows all" in printed(capsys, "budget", "nowhere", code=2)
    assert "there is no ledger at" in printed(capsys, "budget", "--ledger", str(ledger.parent / "none.db"), code=2)


def test_the_audit_log_tells_all_and_is_verified(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = [(e["kind"], e["analyst"]) for e in documents(capsys, "audit", RELEASE)]
    assert kinds == [("limit", None), ("charge", "ada"), ("finish", "ada"), ("charge", "ada"), ("finish", "ada"), ("refusal", "bob")]
    lines = printed(capsys, "audit", "--analyst", "bob").splitlines()
    assert len(lines) == 1
    assert "refusal bob SELECT sum(x) FROM t the privacy budget of analyst 'bob' has not enough left" in lines[0]
    assert printed(capsys, "audit", "--verify") == "6 entries, none touched\n"


@pytest.mark.parametrize("command", ["budget", "audit"])
def test_what_an_analyst_wrote_does_not_command_the_terminal_of_who_looks_at_it(
    ledger: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    book = open_ledger()
    book.reserve(RELEASE, "ada", Spend.pure(0.1), Question("d", "SELECT '\x1b[2J' FROM t", ()))
    book.close()
    assert r"SELECT '\u001b[2J' FROM t" in printed(capsys, command, RELEASE)


def test_a_ledger_that_was_put_back_stops_all_until_somebody_accepts_it(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(ledger, ledger.with_name("backup.db"))
    printed(capsys, "limit", RELEASE, "--epsilon", "2")
    shutil.copy(ledger.with_name("backup.db"), ledger)
    for arguments in (["budget"], ["audit", "--verify"], ["limit", RELEASE, "--epsilon", "9"], ["analyst", "list"]):
        assert "entry 7 is missing" in printed(capsys, *arguments, code=1)
    assert printed(capsys, "audit", "--new-anchor") == "7 entries, none touched\n"
    assert "new anchor after 6 entries; the anchor before knew of 7" in printed(capsys, "audit").splitlines()[-1]


def test_a_limit_is_changed_in_the_open(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, "limit", "ab12cd34", "--epsilon", "5", "--analyst-epsilon", "2", "--refresh", "30")
    assert said == f"{RELEASE}: epsilon 5, delta 1e-06; each analyst epsilon 2, delta 1e-07; renewed every 30 days\n"
    assert "limit" in printed(capsys, "audit").splitlines()[-1]
    assert "ever spent: epsilon 0.3" in printed(capsys, "budget")
    (said,) = documents(capsys, "limit", RELEASE, "--refresh", "0")
    assert said["refresh_days"] is None
    assert said["limit"] == {"epsilon": 5.0, "delta": 1e-6}
    assert "say what is to change" in printed(capsys, "limit", RELEASE, code=2)
    assert "a budget needs an epsilon above 0" in printed(capsys, "limit", RELEASE, "--epsilon", "-1", code=2)


def test_analysts_come_and_go_and_their_passwords_come_from_elsewhere(
    ledger: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("correct horse battery\n")
    monkeypatch.setenv("PASSWORD_OF_BOB", "staple battery horse")
    printed(capsys, "analyst", "add", "ada", "--password-file", str(tmp_path / "password"), "--epsilon", "0.5")
    printed(capsys, "analyst", "add", "bob", "--password-env", "PASSWORD_OF_BOB")
    ((ada, bob),) = documents(capsys, "analyst", "list")
    assert (ada["analyst"], ada["limit"], bob["limit"]) == ("ada", {"epsilon": 0.5, "delta": 0.0}, None)
    assert printed(capsys, "analyst", "remove", "bob") == "bob may log in no more\n"
    assert "no analyst 'bob'" in printed(capsys, "analyst", "remove", "bob", code=2)
    printed(capsys, "analyst", "remove", "ada")
    assert printed(capsys, "analyst", "list") == "there are no analysts; `companyos dp analyst add` makes one\n"
    (tmp_path / "password").write_bytes("Prägestempel".encode("latin-1"))
    assert "password is not UTF-8 text\n" in printed(capsys, "analyst", "add", "eve", "--password-file", str(tmp_path / "password"), code=2)
    assert "no environment variable 'NOTHING'" in printed(capsys, "analyst", "add", "eve", "--password-env", "NOTHING", code=2)
    assert "no terminal to ask" in printed(capsys, "analyst", "add", "eve", code=2)
    assert "no such option" in printed(capsys, "analyst", "add", "eve", "--password", "x", code=2).lower()
    assert "horse" not in printed(capsys, "audit")
