"""Where each test's ledger lives: in SQLite and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dpsql.ledger.books import close_all


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No connection outlives its test, whose database is dropped."""
    yield
    close_all()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty ledger, its anchor in a folder of its own."""
    monkeypatch.setenv("COMPANYOS_LEDGER_ANCHOR", str(tmp_path / "anchors" / "ledger.anchor"))
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.db")
    else:
        yield str(request.getfixturevalue("postgres_url"))
    close_all()
