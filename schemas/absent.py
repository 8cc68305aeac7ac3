"""Modules that a process does without, though they are installed."""

from __future__ import annotations

import sys
from dataclasses import dataclass


def do_without(*names: str) -> None:
    """Let modules be as if they were not installed, for whoever imports them where they are there and has no need of them.

    pyarrow takes None in `sys.modules` for the module itself, which is why this does not put it there.
    """
    sys.meta_path.insert(0, _Without(names))


@dataclass(frozen=True, slots=True)
class _Without:
    names: tuple[str, ...]

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in self.names:
            raise ModuleNotFoundError(f"this process does without {name}", name=name)
