"""The README's commands and Python lines run as they stand, one after the other, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ALSO = (  # blocks of the pages that go on from where the README ends, by how they begin
    ("audit.md", "$ companyos audit log  "),
    ("privacy.md", "$ companyos dp suggest"),
    ("privacy.md", "import companyos"),
)


def script(block: str) -> str:
    """The commands of a console block: lines after `$ `, and all of a block that has a here-document."""
    return "\n".join(line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ") or "<<" in block)


@pytest.mark.xdist_group("readme")
@pytest.mark.slow
def test_the_readme_is_true(tmp_path, postgres_url):
    environment = {
        **os.environ,
        "COMPANYOS_HOME": str(tmp_path / "home"),
        "DATABASE_URL": postgres_url,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CI": "true",
    }
    blocks = BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
    assert {language for language, _ in blocks} == {"console", "python"}
    for page, first in ALSO:
        (block,) = (b for b in BLOCK.findall((ROOT / "docs" / page).read_text("utf-8")) if b[1].startswith(first))
        blocks.append(block)
    for language, text in blocks:
        command = ["bash", "-euo", "pipefail", "-c", script(text)] if language == "console" else [sys.executable, "-W", "error", "-c", text]
        run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, f"{text}\n{run.stdout}\n{run.stderr}"
        assert "Traceback" not in run.stderr


def test_the_two_promised_commands_are_targets_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    for target in ("demo", "test"):
        assert f"make {target}" in readme
        assert f"\n{target}: install" in makefile
