"""The passwords of sandboxes: made at random, and kept in files that only the account that made them reads."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from provisioning.errors import TargetFailure
from schemas.home import make_private

_ASIDE = ".aside"


class Passwords:
    """A folder (0700) with one file (0600) for each sandbox that has a password."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, sandbox: str) -> str:
        """Make a new password of 256 random bits, keep it in place of the old one, and return it; TargetFailure where it cannot be kept."""
        password = secrets.token_urlsafe(32)
        self.keep(sandbox, password)
        return password

    def keep(self, sandbox: str, password: str) -> None:
        """Keep a password; the file is replaced at once and whole."""
        try:
            make_private(self._folder)
            partial = self._folder / f".{sandbox}.{secrets.token_hex(4)}"
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, password.encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            partial.replace(self._folder / sandbox)
        except OSError as error:
            raise TargetFailure(f"the password of {sandbox} cannot be kept in '{self._folder}': {error.strerror}") from error

    def get(self, sandbox: str) -> str | None:
        """Return the password of a sandbox, None where none is kept here."""
        with suppress(OSError):
            return (self._folder / sandbox).read_text()
        return None

    def forget(self, sandbox: str) -> None:
        """Remove the password of a sandbox, one set aside, and what a killed process left beside it."""
        for path in [self._folder / sandbox, self._folder / f"{sandbox}{_ASIDE}", *self._folder.glob(f".{sandbox}.*")]:
            path.unlink(missing_ok=True)

    def set_aside(self, sandbox: str) -> None:
        """Keep the present password to come back to, unless one is kept already."""
        present = self.get(sandbox)
        if present is not None and self.get(f"{sandbox}{_ASIDE}") is None:
            self.keep(f"{sandbox}{_ASIDE}", present)

    def bring_back(self, sandbox: str) -> str | None:
        """Put the password that was set aside back in its place, and return the one that is in force then."""
        with suppress(FileNotFoundError):
            (self._folder / f"{sandbox}{_ASIDE}").replace(self._folder / sandbox)
        return self.get(sandbox)

    def forget_aside(self, sandbox: str) -> None:
        """Remove the password that was set aside."""
        (self._folder / f"{sandbox}{_ASIDE}").unlink(missing_ok=True)

    def kept(self) -> list[str]:
        """Return the ids of the sandboxes that have a password here."""
        with suppress(OSError):
            return sorted({p.name.removesuffix(_ASIDE) for p in self._folder.iterdir() if not p.name.startswith(".")})
        return []
