"""Many clients at once, and clients that die."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import pytest

from dpsql.accounting import Limit, Spend
from dpsql.errors import BudgetSpent, LedgerBroken, LedgerFailure
from dpsql.ledger.chain import Chain
from tests.dpsql.ledger.books import RELEASE, TENTH, opened, question, reopened

ROOT = Path(__file__).parents[3]


def run(module: str, *arguments: object) -> list[int]:
    command = [sys.executable, "-m", f"tests.dpsql.ledger.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


@pytest.mark.parametrize(("processes", "threads"), [(1, 200), (8, 25)])
@pytest.mark.slow
def test_two_hundred_clients_spend_exactly_what_is_there(address: str, processes: int, threads: int) -> None:
    accepted, refused = run("crowd", address, processes, threads, 1)
    assert (accepted, refused) == (100, 100)
    book = reopened(address)
    assert book.spending(RELEASE).total.epsilon == 1.0
    assert sum(e.spend.epsilon == 0.01 for e in book.entries() if e.kind == "charge") == 100
    assert book.verify() == 201


@pytest.mark.slow
def test_two_hundred_processes_spend_exactly_what_is_there(tmp_path: Path) -> None:
    address = tmp_path / "ledger.db"
    assert run("crowd", address, 200, 1, 2) == [100, 300]
    book = reopened(address)
    assert book.spending(RELEASE).total.epsilon == 1.0
    assert book.verify() == 401


def test_clients_that_are_killed_lose_no_spending_and_block_nobody(address: str) -> None:
    kills, charged = run("crash", address, 37)
    assert kills > 10
    assert 0 < charged < kills


@pytest.mark.slow
def test_clients_that_are_killed_at_any_line_lose_no_spending(tmp_path: Path) -> None:
    kills, charged = run("crash", tmp_path / "ledger.db", 1)
    assert kills > 100
    assert 0 < charged < kills


def test_what_one_client_asks_wrongly_undoes_nothing_of_those_who_share_its_transaction(tmp_path: Path) -> None:
    book = opened(tmp_path / "ledger.db", Limit(1.0, 0.0))
    start, outcomes = Barrier(21), []

    def client(number: int) -> None:
        start.wait()
        try:
            book.reserve(RELEASE if number % 2 else "nowhere", "ada", TENTH, question())
            outcomes.append("charged")
        except BudgetSpent:
            outcomes.append("refused")
        except Exception as error:
            outcomes.append(type(error).__name__)

    clients = [Thread(target=client, args=(n,)) for n in range(21)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert sorted(outcomes) == ["InputError"] * 11 + ["charged"] * 10
    assert book.spending(RELEASE).total.epsilon == 1.0
    book.verify()


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    book = opened(tmp_path / "ledger.db")

    def work(chain: Chain) -> None:
        chain.append("refusal", release=None, analyst="ada", document={"reason": "none"})
        raise LedgerBroken("on purpose")

    with pytest.raises(LedgerBroken, match="on purpose"):
        book.database.write(work)
    assert book.verify() == 1
    book.reserve(RELEASE, "ada", TENTH, question())
    assert book.verify() == 2


def test_an_interrupted_client_leaves_the_ledger_to_the_others(tmp_path: Path) -> None:
    book = opened(tmp_path / "ledger.db")

    def interrupted(chain: Chain) -> None:
        chain.append("refusal", release=None, analyst="ada", document={"reason": "none"})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        book.database.write(interrupted)
    book.reserve(RELEASE, "ada", TENTH, question())
    assert book.verify() == 2


def test_nothing_is_answered_when_the_anchor_cannot_be_written_and_the_charge_stays(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book = opened(path)
    move = book.database.anchor.move
    book.database.anchor.move = _cannot  # type: ignore[method-assign]
    with pytest.raises(LedgerFailure, match="disk is full"):
        book.reserve(RELEASE, "ada", TENTH, question())
    book.database.anchor.move = move  # type: ignore[method-assign]
    assert book.spending(RELEASE).total.epsilon == 0.1
    book.reserve(RELEASE, "ada", TENTH, question())
    assert book.verify() == 3


def test_nothing_is_told_when_the_anchor_cannot_come_to_the_disk_and_the_charge_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = opened(tmp_path / "ledger.db")

    def cannot(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("schemas.syncing.sync", cannot)
    charge = book.reserve(RELEASE, "ada", TENTH, question())
    with pytest.raises(LedgerFailure, match="anchor .* cannot be written: Input/output error"):
        book.finish(charge, "answered", {"a": b"1"})
    with pytest.raises(LedgerFailure, match="anchor .* cannot be written"):
        book.reserve(RELEASE, "ada", Spend.pure(9.0), question())
    monkeypatch.undo()
    assert book.kept(RELEASE, ["a"]) == {}
    assert book.spending(RELEASE).total.epsilon == 0.1
    book.finish(book.reserve(RELEASE, "ada", TENTH, question()), "answered")
    assert book.verify() == 5


def _cannot(*arguments: object, **options: object) -> None:
    raise LedgerFailure("the disk is full")
