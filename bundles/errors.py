"""Errors of the bundle room.

InputError
├── ReferenceInvalid      a reference that cannot be read
├── ReferenceUnknown      a reference to a bundle that the store does not have
├── NotAStore             a folder that holds something else
├── BundleTooNew          a bundle in a format that this version does not read
└── SourceInvalid         a source whose tables do not have the shape its schema promises
CheckFailed
├── ContentInvalid        values that break the schema: a check, a row count, text that is not JSON
└── BundleDamaged         a blob or an index that is missing or altered
SystemFailure
└── StoreFailure          the disk is full, or the store cannot be read or written
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import CheckFailed, InputError, SystemFailure

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class ReferenceInvalid(InputError):
    """A reference that cannot be read."""


class ReferenceUnknown(InputError):
    """A reference to a bundle that the store does not have."""


class NotAStore(InputError):
    """A folder that holds something else than bundles."""


class BundleTooNew(InputError):
    """A bundle in a format that this version does not read."""


class SourceInvalid(InputError):
    """A source whose tables do not have the shape that its schema promises."""


class ContentInvalid(CheckFailed):
    """Values that break the schema."""


class BundleDamaged(CheckFailed):
    """A blob or an index that is missing or altered."""


class StoreFailure(SystemFailure):
    """The disk is full, or the store cannot be read or written."""


@contextmanager
def disk_errors(store: Path) -> Iterator[None]:
    """Turn the operating system's errors about the store's disk into `StoreFailure`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFailure(
                f"no space is left for the bundle store '{store}'; nothing was kept. Free some space "
                "(`companyos bundle gc` removes what no bundle uses) or choose another store"
            ) from error
        at = error.filename2 or error.filename  # of a renaming, where to
        place = f"{at}: " if at else ""
        raise StoreFailure(f"cannot use the bundle store '{store}': {place}{error.strerror or error}") from error
