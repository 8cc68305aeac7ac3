"""How the command starts."""

from __future__ import annotations

import os
import subprocess
import sys
from types import ModuleType

import pytest

from companyos.__main__ import main

INTERRUPTED_IN_EXEC = """
import sys, types

def main():
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        sys.exit(130)

sys.modules["companyos.cli"] = types.ModuleType("companyos.cli")
sys.modules["companyos.cli"].main = main
"""


class _Interrupted(ModuleType):
    def __getattr__(self, name: str) -> object:
        raise KeyboardInterrupt


def test_an_interruption_while_the_command_line_is_imported_ends_cleanly(monkeypatch):
    monkeypatch.setitem(sys.modules, "companyos.cli", _Interrupted("companyos.cli"))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130


def test_an_interruption_while_a_dataclass_is_made_ends_python_m_with_the_code_too(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED_IN_EXEC)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    assert subprocess.run([sys.executable, "-m", "companyos"], env=environment).returncode == 130
