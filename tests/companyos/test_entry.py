"""How the command starts."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from companyos.__main__ import main


class _Interrupted(ModuleType):
    def __getattr__(self, name: str) -> object:
        raise KeyboardInterrupt


def test_an_interruption_while_the_command_line_is_imported_ends_cleanly(monkeypatch):
    monkeypatch.setitem(sys.modules, "companyos.cli", _Interrupted("companyos.cli"))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
