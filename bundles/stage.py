"""A stage: where the blobs of one build wait, on the disk, until the whole is known to be good.

A blob comes in pieces, each of which is digested and handed on while it is still in the processor's cache. One thread brings the
pieces to the disk while others make the next ones; no more than 16 MiB of them wait for it, however large the blobs are.

Pieces of large blobs go to the disk past the page cache, where the system and the file system know how (open(2), O_DIRECT). All
of them have to be on the disk before a bundle is tagged, so that nothing is lost by it; the copies of all pages are saved, and what
other programs have in the page cache stays there. The pages are kept where the build itself reads them again.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import mmap
import os
import secrets
import shutil
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore
from types import TracebackType
from typing import Any

from bundles import locks
from bundles.errors import disk_errors
from bundles.layout import Blob, Layout
from schemas.syncing import sync_path

_BUILD = "build-"
_PIECE = 1 << 20
_PIECES = 16
_SECTOR = 4096  # what is written past the page cache has whole ones; no file system in use asks for more
_REFUSED = (errno.EINVAL, errno.EOPNOTSUPP)


class Stage:
    """A private folder in the store for the blobs of one build; `publish` waits until all are on the disk.

    `reread` says that blobs will be read again before they are published.
    """

    def __init__(self, layout: Layout, *, reread: bool = False) -> None:
        self._layout = layout
        self.path = layout.temporary / f"{_BUILD}{secrets.token_hex(8)}"
        self.path.mkdir(0o700)  # what waits is not yet proved to be safe to show
        self._taken = locks.taken(self.path)
        self._direct = 0 if reread else getattr(os, "O_DIRECT", 0)
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._room = BoundedSemaphore(_PIECES)
        self._free: deque[mmap.mmap] = deque()
        self._failure: BaseException | None = None

    def add(self, data: bytes | memoryview) -> Blob:
        """Take one blob; safe to call from several threads."""
        with self.begin() as blob:
            blob.write(data)
            return blob.finish()

    def begin(self) -> NewBlob:
        """Begin a blob that comes in pieces."""
        return NewBlob(self, _File(self.path, self._direct))

    def blob_path(self, digest: str) -> Path:
        """Where a blob waits once `settle` has returned."""
        return self.path / digest.removeprefix("sha256:")

    def settle(self) -> None:
        """Wait until all blobs are on the disk; StoreFailure where one cannot be."""
        self._writing.submit(int).result()
        self._raise_failure()

    def publish(self) -> None:
        """Move all blobs to their place in the store."""
        self.settle()
        with disk_errors(self._layout.path):
            for name in sorted(os.listdir(self.path)):
                os.replace(self.path / name, self._layout.blobs / name)
            sync_path(self._layout.blobs)

    def discard(self) -> None:
        """Remove what still waits."""
        self._writing.shutdown()
        shutil.rmtree(self.path, ignore_errors=True)
        if self._taken is not None:
            os.close(self._taken)
            self._taken = None

    @staticmethod
    def discard_abandoned(layout: Layout) -> None:
        """Remove what builds have left whose processes were killed; the caller holds the index lock, under which stages are made."""
        for folder in layout.temporary.glob(f"{_BUILD}*"):
            with suppress(OSError):  # another may be removing its own
                descriptor = locks.taken(folder)
                if descriptor is not None:
                    shutil.rmtree(folder, ignore_errors=True)
                    os.close(descriptor)

    def take_piece(self) -> mmap.mmap:
        """Return the memory of a piece."""
        try:
            return self._free.pop()
        except IndexError:
            return mmap.mmap(-1, _PIECE)

    def give_back(self, piece: mmap.mmap) -> None:
        """Let others have the memory of a piece."""
        self._free.append(piece)

    def hand_on(self, piece: mmap.mmap, write: Callable[[], object]) -> None:
        """Have the writing thread `write` a piece, once no more than 15 others wait; StoreFailure where one before it was lost."""
        self._room.acquire()

        def written() -> None:
            self.give_back(piece)
            self._room.release()

        self.do(write, written)
        self._raise_failure()

    def do(self, work: Callable[[], object] | None, after: Callable[[], object] | None = None) -> None:
        """Have the writing thread do `work` unless something before it has failed, and then `after` in any case."""
        self._writing.submit(self._attempt, work, after)

    def _attempt(self, work: Callable[[], object] | None, after: Callable[[], object] | None) -> None:
        try:
            if self._failure is None and work is not None:
                work()
        except BaseException as error:
            self._failure = error
        finally:
            if after is not None:
                after()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            with disk_errors(self._layout.path):
                raise self._failure


class NewBlob:
    """A blob that is being made, which programs see as a file; it is dropped unless it is finished."""

    closed = False

    def __init__(self, stage: Stage, file: _File) -> None:
        self._stage, self._file = stage, file
        self._hash = hashlib.sha256()
        self._size = self._filled = 0
        self._piece: mmap.mmap | None = None
        self._finished = False

    def write(self, data: Any) -> int:
        """Add the bytes of a buffer; StoreFailure where those before it did not reach the disk."""
        given = memoryview(data).cast("B")
        start = 0
        while start < len(given):
            if self._piece is None:
                self._piece, self._filled = self._stage.take_piece(), 0
            count = min(_PIECE - self._filled, len(given) - start)
            self._piece[self._filled : self._filled + count] = given[start : start + count]
            self._filled += count
            start += count
            if self._filled == _PIECE:
                self._hand_on()
        return len(given)

    def flush(self) -> None:
        """Do nothing: what has been written is handed on in whole pieces alone."""

    def close(self) -> None:
        """Do nothing: what is not finished is dropped."""

    def finish(self) -> Blob:
        """Return the digest and the size of what has been written."""
        self._hand_on()
        blob = Blob(f"sha256:{self._hash.hexdigest()}", self._size)
        file, place = self._file, self._stage.blob_path(blob.digest)
        self._stage.do(lambda: file.finish(blob.size, place), file.close)
        self._finished = True
        return blob

    def _hand_on(self) -> None:
        piece, count, file = self._piece, self._filled, self._file
        if piece is None:
            return
        with memoryview(piece) as view:
            self._hash.update(view[:count])
        self._size += count
        self._piece = None
        self._stage.hand_on(piece, lambda: file.append(piece, count))

    def __enter__(self) -> NewBlob:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._piece is not None:
            self._stage.give_back(self._piece)
            self._piece = None
        if not self._finished:
            self._stage.do(None, self._file.drop)


class _File:
    """The file of a blob, which the writing thread alone writes, under a name of its own until its digest is known."""

    def __init__(self, folder: Path, direct: int) -> None:
        self._path = folder / f"new.{secrets.token_hex(8)}"
        self._direct = direct
        self._descriptor = -1

    def append(self, piece: mmap.mmap, count: int) -> None:
        """Write the next bytes; only the last piece of a file is not whole."""
        if self._descriptor < 0:
            self._open(count)
        written = count
        if self._direct:
            written = -(-count // _SECTOR) * _SECTOR
            piece[count:written] = bytes(written - count)  # nothing of other files
        with memoryview(piece) as view:
            start = 0
            while start < written:
                start += self._write(view[start:written])

    def finish(self, size: int, place: Path) -> None:
        """Cut the file to its size, wait until it is on the disk, and give it the name of its digest."""
        if self._descriptor < 0:
            self._open(0)
        if self._direct:
            os.ftruncate(self._descriptor, size)
        os.fsync(self._descriptor)
        os.replace(self._path, place)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def drop(self) -> None:
        """Remove what has been written."""
        self.close()
        self._path.unlink(missing_ok=True)

    def _open(self, count: int) -> None:
        """Open the file past the page cache if its first piece is a whole one, and this can be done here."""
        how = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        if count == _PIECE and self._direct:
            try:
                self._descriptor = os.open(self._path, how | self._direct, 0o666)
                return
            except OSError as error:
                if error.errno not in _REFUSED:
                    raise
                self._path.unlink(missing_ok=True)  # Linux makes the file before it refuses
        self._direct = 0
        self._descriptor = os.open(self._path, how, 0o666)

    def _write(self, part: memoryview) -> int:
        try:
            return os.write(self._descriptor, part)
        except OSError as error:
            if not self._direct or error.errno not in _REFUSED:
                raise
            flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags & ~self._direct)
            return os.write(self._descriptor, part)
