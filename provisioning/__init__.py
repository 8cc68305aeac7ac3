"""The provisioning room: thin. It loads a bundle into a database, all or nothing, and reads it back to be sure.

`load` takes a bundle and the URL of a PostgreSQL, DuckDB or SQLite database and gives a `Receipt`. What is particular to one
database lives in `provisioning.loaders`, one module each, behind the protocol of `provisioning.loaders.base`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.lazy_names import lazy_names

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


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _PLACES)
