"""The yard of the tests beside these, on each kind of host."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "life"))

from yard import Yard, build, clean, make_yard


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of two versions of a small bundle."""
    folder = tmp_path_factory.mktemp("built")
    build(folder, "synthetic:v1")
    build(folder, "synthetic:v2", seed=2)
    return folder


@pytest.fixture(params=["duckdb", "postgresql"])
def yard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Yard]:
    """A yard on each kind of host."""
    made = make_yard(request, request.param, tmp_path)
    yield made
    clean(made)


@pytest.fixture
def file_yard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Yard]:
    """A yard of DuckDB files."""
    made = make_yard(request, "duckdb", tmp_path)
    yield made
    clean(made)
