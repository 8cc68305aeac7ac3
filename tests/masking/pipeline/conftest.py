"""The commands over a database, with a key in the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.masking.pipeline.commands import Masking

KEY = "e1a7c09b52d8f4436b0e9d7728c15fa6830b4d6e9f1c2a57d0648e3bb75f921c"


@pytest.fixture
def masking(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Masking:
    monkeypatch.setenv("MASKING_KEY", KEY)
    return Masking(tmp_path, capfd, monkeypatch)
