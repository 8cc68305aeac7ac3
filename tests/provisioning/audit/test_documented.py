"""The program in docs/audit.md, which shares no code with ours, verifies our ledgers and finds what was done to them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.audit import checkpoint, make_key, read_private_key, write_checkpoint
from tests.provisioning.audit.ledgers import attack, opened, write

PAGE = Path(__file__).parents[3] / "docs" / "audit.md"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    make_key(tmp_path / "key")
    with opened(tmp_path / "control.db") as control:
        for n in (1, 4):
            write(control, 3, n)
            write_checkpoint(tmp_path / "kept", checkpoint(control, read_private_key(tmp_path / "key")))
        write(control, 2, 7)
    return tmp_path / "control.db"


def documented(database: Path, key: str = "key.pub") -> str:
    (program,) = re.findall(r"```python\n(import base64.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    command = [sys.executable, "-c", program, str(database), str(database.with_name("kept")), str(database.with_name(key))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_it_finds_a_ledger_whole(database: Path) -> None:
    assert documented(database) == "8 events, none touched; signed up to event 6\n"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE audit_events SET actor = 'eve' WHERE number = 2", "row 2 was touched"),
        ("DELETE FROM audit_events WHERE number = 5", "row 5 was touched"),
        ("DELETE FROM audit_events WHERE number > 4", "rows 5 to 6 are missing"),
    ],
)
def test_it_finds_what_was_done(database: Path, change: str, told: str) -> None:
    attack(database, change)
    assert documented(database) == told + "\n"


def test_it_believes_no_other_key(database: Path) -> None:
    make_key(database.with_name("other"))
    assert "InvalidSignature" in documented(database, "other.pub")


def test_every_problem_has_its_line_on_the_page() -> None:
    from typing import get_args

    from provisioning.audit.report import Kind

    assert re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8").partition("## Checkpoints")[0], re.M) == list(get_args(Kind))
