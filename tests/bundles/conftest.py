"""A store for the tests of this folder, which may import `bundle_sources`, whatever the import mode."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import bundles

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def store(tmp_path: Path) -> bundles.Store:
    return bundles.Store(tmp_path / "store")
