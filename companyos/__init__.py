"""The faces of CompanyOS data: the command line, the service over HTTP, and the entry to private questions from Python.

No logic of its own; every command is a call into one of the rooms. Names are looked up when they are first used, since the rooms
take their time to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.lazy_names import lazy_names

if TYPE_CHECKING:
    from companyos.private_data import PrivateData, open_private

__version__ = "0.1.0"

_PLACES = {
    "PrivateData": "companyos.private_data",
    "open_private": "companyos.private_data",
}

__all__ = ["PrivateData", "__version__", "open_private"]


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _PLACES)
