"""The provisioning room: thin. It loads a bundle into a database, all or nothing, and reads it back to be sure.

`load` takes a bundle and the URL of a PostgreSQL, DuckDB or SQLite database and gives a `Receipt`. What is particular to one
database lives in `provisioning.loaders`, one module each, behind the protocol of `provisioning.loaders.base`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provisioning.loading import load
    from provisioning.receipt import Receipt
    from provisioning.target import Target, parse_target

_PLACES = {
    "Receipt": "provisioning.receipt",
    "Target": "provisioning.target",
    "load": "provisioning.loading",
    "parse_target": "provisioning.target",
}

__all__ = ["Receipt", "Target", "load", "parse_target"]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # so that type checkers know the names above, and no others

    def __getattr__(name: str) -> Any:
        if name not in _PLACES:
            raise AttributeError(f"module 'provisioning' has no attribute '{name}'")
        return getattr(import_module(_PLACES[name]), name)
