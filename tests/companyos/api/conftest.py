"""A service over a yard of sandboxes, and clients of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "provisioning" / "life"))
sys.path.insert(0, str(Path(__file__).parent))

from serving import Served
from yard import Yard, build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of two versions of a small bundle."""
    folder = tmp_path_factory.mktemp("built-for-the-service")
    build(folder, "synthetic:v1")
    build(folder, "synthetic:v2", seed=2)
    return folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def yard(request: pytest.FixtureRequest, tmp_path: Path, built: Path) -> Iterator[Yard]:
    """Sandboxes whose record is in a database of each kind."""
    (tmp_path / "store").symlink_to(built / "store")
    made = Yard(tmp_path, address=request.getfixturevalue("postgres_url") if request.param == "postgresql" else None)
    yield made
    made.close()


@pytest.fixture
def served(yard: Yard) -> Iterator[Served]:
    with Served(yard) as service:
        yield service
