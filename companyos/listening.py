"""What the servers of the command line share: the addresses that only this machine reaches, and the two files of TLS."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import InputError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def require_both(certificate: Path | None, key: Path | None) -> None:
    """Raise InputError where one of the two files is given without the other."""
    if (certificate is None) != (key is None):
        raise InputError("--tls-cert and --tls-key go together")
