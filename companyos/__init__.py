"""The faces of CompanyOS data: the command line, the service over HTTP, and the entry to private questions from Python.

No logic of its own; every command is a call into one of the rooms. Names are looked up when they are first used, since the rooms
take their time to load.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from companyos.private_data import PrivateData, open_private

__version__ = "0.1.0"

_PLACES = {
    "PrivateData": "companyos.private_data",
    "open_private": "companyos.private_data",
}

__all__ = ["PrivateData", "__version__", "open_private"]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # so that type checkers know the names above, and no others

    def __getattr__(name: str) -> Any:
        if name not in _PLACES:
            raise AttributeError(f"module 'companyos' has no attribute '{name}'")
        return getattr(import_module(_PLACES[name]), name)
