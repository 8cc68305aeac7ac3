"""Where a ledger is, who may read it, and of which version it is."""

from __future__ import annotations

import datetime
import stat
from pathlib import Path

import pytest

from dpsql.accounting import Limit
from dpsql.errors import BudgetSpent, LedgerFailure
from schemas.errors import InputError
from tests.dpsql.ledger.books import RELEASE, TENTH, attack, opened, question, reopened


def test_nobody_else_may_read_a_ledger_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.db"
    opened(path)
    files = sorted(file.name for file in path.parent.iterdir())
    assert files == ["ledger.db", "ledger.db-shm", "ledger.db-wal", "ledger.db.anchor"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_without_an_address_it_is_in_the_data_folder_and_its_anchor_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COMPANYOS_HOME", "COMPANYOS_LEDGER", "COMPANYOS_LEDGER_ANCHOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    reopened(None)  # type: ignore[arg-type]
    reopened(tmp_path / "data" / "companyos" / "ledger.db")
    assert (tmp_path / "data" / "companyos" / "ledger.db").exists()
    assert [f.name for f in (tmp_path / "state" / "companyos").iterdir()] == ["ledger.anchor"]


def test_the_environment_says_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path / "home"))
    reopened(None)  # type: ignore[arg-type]
    assert {"ledger.db", "ledger.db.anchor"} <= {f.name for f in (tmp_path / "home").iterdir()}
    monkeypatch.setenv("COMPANYOS_LEDGER", str(tmp_path / "team.db"))
    monkeypatch.setenv("COMPANYOS_LEDGER_ANCHOR", str(tmp_path / "team.anchor"))
    reopened(None)  # type: ignore[arg-type]
    assert (tmp_path / "team.db").exists()
    assert (tmp_path / "team.anchor").exists()


def test_looking_makes_no_ledger(tmp_path: Path, postgres_url: str) -> None:
    for address in (str(tmp_path / "none.db"), postgres_url):
        with pytest.raises(InputError, match="there is no ledger"):
            reopened(address, anchor=tmp_path / "none.anchor", create=False).close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["mysql://u:secret@h/d", "https://example.com/ledger.db", "sqlite://ledger.db"])
def test_another_kind_of_address_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(InputError, match="a ledger is a file, sqlite:///FILE or postgresql://") as caught:
        reopened(address)
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_told_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(LedgerFailure, match="the ledger cannot be used") as caught:
        reopened("postgresql://u:hunter2hunter2@127.0.0.1:1/d", anchor=tmp_path / "a")
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("these are notes, " * 100)
    with pytest.raises(LedgerFailure, match="not a database"):
        reopened(path)
    assert path.read_text().startswith("these are notes")


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    opened(path).close()
    attack(path, "UPDATE ledger_version SET version = 2")
    with pytest.raises(LedgerFailure, match="of version 2, this program knows up to 1"):
        reopened(path)


class Clock:
    """A clock that is put where the test wants it."""

    def __init__(self) -> None:
        self.at = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

    def __call__(self) -> datetime.datetime:
        return self.at

    def wait(self, days: float) -> None:
        self.at += datetime.timedelta(days=days)


def test_a_budget_with_a_refresh_is_renewed_and_the_whole_spending_stays_known(address: str) -> None:
    clock = Clock()
    book = opened(address, Limit(0.1, 0.0), Limit(0.1, 0.0), clock=clock)
    book.reserve(RELEASE, "ada", TENTH, question())
    clock.wait(3)
    book.set_limit(RELEASE, Limit(0.1, 0.0), Limit(0.1, 0.0), by="root", refresh_days=30)
    clock.wait(29.9)
    with pytest.raises(BudgetSpent):
        book.reserve(RELEASE, "ada", TENTH, question())
    clock.wait(0.2)
    assert book.spending(RELEASE).left("ada") == 0.1
    book.reserve(RELEASE, "ada", TENTH, question())
    with pytest.raises(BudgetSpent):
        book.reserve(RELEASE, "ada", TENTH, question())
    clock.wait(65)
    book.reserve(RELEASE, "bob", TENTH, question())
    spending = book.spending(RELEASE)
    assert (spending.total.epsilon, round(spending.ever.epsilon, 9), spending.refresh_days) == (0.1, 0.3, 30)
    assert spending.left("ada") == 0.0
    assert book.verify() == 7


def test_what_is_spent_at_the_moment_of_a_refresh_belongs_to_the_new_time(address: str) -> None:
    clock = Clock()
    book = opened(address, Limit(0.2, 0.0), None, clock=clock)
    book.set_limit(RELEASE, Limit(0.2, 0.0), None, by="root", refresh_days=10)
    clock.wait(10)
    for _ in range(2):
        book.reserve(RELEASE, "ada", TENTH, question())
    with pytest.raises(BudgetSpent):
        book.reserve(RELEASE, "bob", TENTH, question())
    assert book.verify() == 5


def test_a_refresh_counts_on_from_where_it_began_until_its_days_change(address: str) -> None:
    clock = Clock()
    book = opened(address, Limit(0.1, 0.0), clock=clock)
    book.set_limit(RELEASE, Limit(0.1, 0.0), None, by="root", refresh_days=10)
    book.reserve(RELEASE, "ada", TENTH, question())
    clock.wait(6)
    book.set_limit(RELEASE, Limit(0.1, 0.0), None, by="root", refresh_days=10)
    book.open_release(RELEASE, Limit(0.1, 0.0), Limit(0.1, 0.0))
    clock.wait(5)
    book.reserve(RELEASE, "ada", TENTH, question())
    clock.wait(5)
    book.set_limit(RELEASE, Limit(0.1, 0.0), None, by="root", refresh_days=7)
    clock.wait(6)
    with pytest.raises(BudgetSpent):
        book.reserve(RELEASE, "ada", TENTH, question())
    clock.wait(1)
    book.reserve(RELEASE, "ada", TENTH, question())


def test_a_clock_that_is_set_back_renews_nothing(address: str) -> None:
    clock = Clock()
    book = opened(address, Limit(0.1, 0.0), clock=clock)
    book.set_limit(RELEASE, Limit(0.1, 0.0), None, by="root", refresh_days=10)
    clock.wait(11)
    book.reserve(RELEASE, "ada", TENTH, question())
    for days in (-2, 1.5):
        clock.wait(days)
        with pytest.raises(BudgetSpent):
            book.reserve(RELEASE, "ada", TENTH, question())
    book.verify()


def test_without_a_refresh_a_budget_is_never_renewed(address: str) -> None:
    clock = Clock()
    book = opened(address, Limit(0.1, 0.0), clock=clock)
    book.reserve(RELEASE, "ada", TENTH, question())
    book.set_limit(RELEASE, Limit(0.1, 0.0), None, by="root", refresh_days=10)
    book.set_limit(RELEASE, Limit(0.1, 0.0), None, by="root")
    clock.wait(10_000)
    with pytest.raises(BudgetSpent):
        book.reserve(RELEASE, "ada", TENTH, question())


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_a_refresh_is_after_a_day_or_more(tmp_path: Path, days: int) -> None:
    with pytest.raises(InputError, match="1 to 36500 days"):
        opened(tmp_path / "ledger.db").set_limit(RELEASE, Limit(1.0, 0.0), None, by="root", refresh_days=days)
