"""Who runs a command, as a ledger writes it down."""

from __future__ import annotations

import getpass


def person() -> str:
    """Return the name of the user who runs this, else of the account's number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # an account that no list of users knows, as in containers
        import os

        return f"uid {os.getuid()}"
