"""A control database, and the modules beside this file, whatever the import mode."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "life"))
sys.path.insert(0, str(Path(__file__).parent))

from yard import Clock

from provisioning.control.database import Control, open_control


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def control(tmp_path: Path, clock: Clock) -> Iterator[Control]:
    with open_control(tmp_path / "control.db", clock=clock) as opened:
        yield opened
