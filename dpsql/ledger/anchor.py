"""A file outside of the database that remembers how far the chain of entries has come."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from dpsql.errors import LedgerFailure

SIZE = 128  # one length for all, and within one sector of a disk: a write is seen whole or not at all


@dataclass(frozen=True)
class Mark:
    """The number and hash of an entry that was written."""

    number: int
    hash: str


class Anchor:
    """The anchor of one ledger. It only ever moves forward, whichever process moves it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Mark | None:
        """Return where the chain had come to, None where there is no file; LedgerFailure where it cannot be read."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LedgerFailure(f"the ledger's anchor {self.path} cannot be read: {error.strerror}") from error
        return self._mark(text) if text else None

    def move(self, mark: Mark, *, durable: bool = True, back: bool = False) -> None:
        """Write down that the chain has come to `mark`, unless it is further already.

        With `durable` it is on the disk when this returns; otherwise a loss of power may take it back. `back` moves it back, too.
        Raises LedgerFailure.
        """
        try:
            fresh = not self.path.exists()
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                text = os.pread(descriptor, SIZE, 0)
                if not text or back or self._mark(text).number < mark.number:
                    os.pwrite(descriptor, json.dumps([mark.number, mark.hash]).encode().ljust(SIZE), 0)
                if durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if fresh:
                _sync_folder(self.path.parent)
        except OSError as error:
            raise LedgerFailure(f"the ledger's anchor {self.path} cannot be written: {error.strerror}; nothing was answered") from error

    def _mark(self, text: bytes) -> Mark:
        try:
            number, digest = json.loads(text)
            return Mark(int(number), str(digest))
        except (ValueError, TypeError) as error:
            raise LedgerFailure(
                f"the ledger's anchor {self.path} is damaged; put back the newest copy of it, or let `companyos dp audit --new-anchor` "
                "verify the ledger and write another"
            ) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
