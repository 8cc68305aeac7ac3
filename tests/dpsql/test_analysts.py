"""Who may log in, and what is kept of their passwords."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("opendp")
pytest.importorskip("scramp")

import scramp

from dpsql.accounting import Limit
from dpsql.analysts import Analysts, Verifier
from dpsql.errors import BudgetSpent
from dpsql.ledger import StoredLedger
from schemas.errors import InputError
from tests.dpsql.ledger.books import RELEASE, TENTH, close_all, opened, question

PASSWORD = "correct horse battery staple"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[StoredLedger]:
    yield opened(tmp_path / "ledger.db")
    close_all()


def logs_in(verifier: Verifier, name: str, password: str) -> bool:
    """A whole log-in of SCRAM-SHA-256, both sides."""
    keys = (verifier.salt, verifier.stored_key, verifier.server_key, verifier.iterations)
    client = scramp.ScramClient(["SCRAM-SHA-256"], name, password)
    server = scramp.ScramMechanism("SCRAM-SHA-256").make_server(lambda _: keys)
    server.set_client_first(client.get_client_first())
    client.set_server_first(server.get_server_first())
    try:
        server.set_client_final(client.get_client_final())
    except scramp.ScramException:
        return False
    client.set_server_final(server.get_server_final())
    return True


def test_an_analyst_logs_in_with_the_password_and_with_no_other(book: StoredLedger) -> None:
    analysts = Analysts(book)
    analysts.add("ada", PASSWORD, by="root")
    verifier = analysts.verifier("ada")
    assert verifier is not None
    assert logs_in(verifier, "ada", PASSWORD)
    assert not logs_in(verifier, "ada", PASSWORD + "!")
    assert analysts.verifier("eve") is None
    assert analysts.verifier("a\x00") is None


def test_a_new_password_takes_the_place_of_the_old_one(book: StoredLedger) -> None:
    analysts = Analysts(book)
    analysts.add("ada", PASSWORD, by="root")
    analysts.add("ada", "another long password", by="root")
    verifier = analysts.verifier("ada")
    assert verifier is not None
    assert logs_in(verifier, "ada", "another long password")
    assert not logs_in(verifier, "ada", PASSWORD)
    assert [e.detail for e in book.entries() if e.kind == "analyst"] == ["added by root", "changed by root"]


def test_two_analysts_with_one_password_have_nothing_in_common(book: StoredLedger) -> None:
    analysts = Analysts(book)
    for name in ("ada", "bob"):
        analysts.add(name, PASSWORD, by="root")
    ada, bob = analysts.verifier("ada"), analysts.verifier("bob")
    assert ada is not None
    assert bob is not None
    assert not {ada.salt, ada.stored_key, ada.server_key} & {bob.salt, bob.stored_key, bob.server_key}


def test_a_password_is_in_no_file_and_in_no_text(book: StoredLedger, tmp_path: Path) -> None:
    analysts = Analysts(book)
    analysts.add("ada", PASSWORD, by="root")
    assert str(analysts.verifier("ada")) == "Verifier(iterations=4096)"
    assert all(PASSWORD.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_an_analyst_who_is_removed_logs_in_no_more_and_what_was_spent_stays(book: StoredLedger) -> None:
    analysts = Analysts(book)
    analysts.add("ada", PASSWORD, by="root", limit=Limit(0.15, 0.0))
    book.reserve(RELEASE, "ada", TENTH, question())
    analysts.remove("ada", by="root")
    assert analysts.verifier("ada") is None
    assert analysts.list() == []
    analysts.add("ada", PASSWORD, by="root", limit=Limit(0.15, 0.0))
    with pytest.raises(BudgetSpent, match="analyst 'ada'"):
        book.reserve(RELEASE, "ada", TENTH, question())
    assert [(a.name, a.limit) for a in analysts.list()] == [("ada", Limit(0.15, 0.0))]
    book.verify()


def test_who_is_not_there_cannot_be_removed(book: StoredLedger) -> None:
    analysts = Analysts(book)
    analysts.add("barbara", PASSWORD, by="root")
    with pytest.raises(InputError, match=r"no analyst 'barbera'; did you mean 'barbara'\?"):
        analysts.remove("barbera", by="root")


@pytest.mark.parametrize("password", ["", "short", "x" * 1001, "twelve\x00characters", "unassigned \U000e0001 tag"])
def test_what_is_no_password_is_refused_without_being_told(book: StoredLedger, password: str) -> None:
    with pytest.raises(InputError, match="password") as caught:
        Analysts(book).add("ada", password, by="root")
    assert not password or password not in str(caught.value)
    assert Analysts(book).list() == []
