"""A file outside of the database that remembers how far the chain of entries has come."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import SystemFailure
from schemas.hash_chain import START, Mark
from schemas.syncing import SYNCING, sync, sync_path

SIZE = 128  # one length for all, and within one sector of a disk: a write is seen whole or not at all


class Anchor:
    """The anchor of one ledger. It only ever moves forward, whichever process moves it.

    `whose` begins its messages, as in `the ledger's anchor`; `mended` ends them where it is damaged, and `elsewhere` where it cannot be
    written, with what to do; `failure` is what is raised where the file cannot be used.
    """

    def __init__(self, path: Path, whose: str, mended: str, failure: type[SystemFailure], elsewhere: str = "") -> None:
        self.path = path
        self._whose, self._mended, self._failure, self._elsewhere = whose, mended, failure, elsewhere
        self._known: tuple[bytes, Mark] = b"", START

    def read(self) -> Mark | None:
        """Return where the chain had come to, None where there is no file; raises `failure` where it cannot be read."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                text = os.pread(descriptor, SIZE, 0)
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failure(f"{self._whose} {self.path} cannot be read: {error.strerror}") from error
        return self._mark(text) if text else None

    def move(self, mark: Mark, *, durable: bool = True, back: bool = False, soon: bool = False) -> Callable[[], None]:
        """Write down that the chain has come to `mark`, unless it is further already.

        With `durable` it is on the disk when this returns; otherwise a loss of power may take it back. With `soon` it is on its way to the
        disk, and there when the function returned, which waits for that, has returned. `back` moves it back, too.
        Raises `failure`, and so does that function, where it cannot.
        """
        with self._failing():
            descriptor = self._written(mark, back)
            if soon:
                wait = SYNCING.begin(descriptor)
                return lambda: self._waited(wait)
            try:
                if durable:
                    sync(descriptor)
            finally:
                os.close(descriptor)
        return nothing

    def _waited(self, wait: Callable[[], None]) -> None:
        with self._failing():
            wait()

    def _written(self, mark: Mark, back: bool) -> int:
        """The descriptor of the file, in which `mark` was written where it belongs there."""
        fresh = False
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            fresh = True
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            text = os.pread(descriptor, SIZE, 0)
            if not text or back or self._mark(text).number < mark.number:
                os.pwrite(descriptor, json.dumps([mark.number, mark.hash]).encode().ljust(SIZE), 0)
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            if fresh:
                sync_path(self.path.parent)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._failure(f"{self._whose} {self.path} cannot be written: {error.strerror}{self._elsewhere}") from error

    def _mark(self, text: bytes) -> Mark:
        known, mark = self._known
        if text == known:
            return mark
        try:
            number, digest = json.loads(text)
            mark = Mark(int(number), str(digest))
        except (ValueError, TypeError) as error:
            raise self._failure(f"{self._whose} {self.path} is damaged; {self._mended}") from error
        self._known = text, mark
        return mark


def nothing() -> None:
    """What waits for nothing."""
