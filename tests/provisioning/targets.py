"""The kinds of targets to load into, and an empty one of each."""

from __future__ import annotations

from pathlib import Path

import pytest

TARGETS = ("duckdb", "sqlite", "postgresql")


def make_url(request: pytest.FixtureRequest, dialect: str, folder: Path) -> str:
    if dialect == "postgresql":
        return request.getfixturevalue("postgres_url")
    return f"{dialect}:///{folder / 'target.db'}"
