"""Where each test's ledger lives: in SQLite and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.control.database import Control
from tests.provisioning.audit.ledgers import opened


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key and no folder of whoever runs the tests."""
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path / "home"))
    for name in ("COMPANYOS_CONTROL", "COMPANYOS_AUDIT_KEY", "COMPANYOS_AUDIT_ANCHOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a control database that is not there yet."""
    if request.param == "sqlite":
        return str(tmp_path / "control.db")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def control(address: str) -> Iterator[Control]:
    with opened(address) as found:
        yield found
