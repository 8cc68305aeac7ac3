"""The folders of what is kept between runs: one of `$COMPANYOS_HOME`, or the user's own as the operating system has them."""

from __future__ import annotations

import os
from pathlib import Path

_VARIABLE = "COMPANYOS_HOME"


def said_home() -> Path | None:
    """Return the folder that `$COMPANYOS_HOME` names, None where it names none."""
    said = os.environ.get(_VARIABLE)
    return Path(said).expanduser().absolute() if said else None


def data_folder() -> Path:
    """Return the folder of what has no other place: `$COMPANYOS_HOME`, else the user's data folder."""
    import platformdirs

    return said_home() or platformdirs.user_data_path("companyos", appauthor=False)


def state_folder() -> Path:
    """Return the folder of what is not to be restored with the data: `$COMPANYOS_HOME`, else the user's state folder."""
    import platformdirs

    return said_home() or platformdirs.user_state_path("companyos", appauthor=False)


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are not there, which only this account enters whatever the umask says; raises OSError."""
    for place in (*reversed(folder.parents), folder):
        place.mkdir(mode=0o700, exist_ok=True)


def cache_folder() -> Path:
    """Return the folder of what can be made again: `cache` in `$COMPANYOS_HOME`, else the user's cache folder."""
    import platformdirs

    home = said_home()
    return platformdirs.user_cache_path("companyos", appauthor=False) if home is None else home / "cache"
