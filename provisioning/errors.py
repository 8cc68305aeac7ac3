"""Errors of the provisioning room.

InputError
├── TargetInvalid         a URL that cannot be read, or that names no database
└── SchemaRefused         a schema that the database does not take: a check in words it does not know, a clash of names
CheckFailed
├── ConstraintBroken      the database refused rows: they break a key, reference, check or type
└── ReadBackDiffers       what the database gives back is not what the bundle holds
Refused
└── TargetInUse           the target holds what a load would replace, or what hangs on it
SystemFailure
└── TargetFailure         the database or its disk failed, is locked, or cannot be reached
"""

from __future__ import annotations

from schemas.errors import CheckFailed, InputError, Refused, SystemFailure


class TargetInvalid(InputError):
    """A URL that cannot be read, or that names no database."""


class SchemaRefused(InputError):
    """A schema that the database does not take."""


class ConstraintBroken(CheckFailed):
    """The database refused rows: they break a key, reference, check or type."""


class ReadBackDiffers(CheckFailed):
    """What the database gives back is not what the bundle holds."""


class TargetInUse(Refused):
    """The target holds what a load would replace, or what hangs on it."""


class TargetFailure(SystemFailure):
    """The database or its disk failed, is locked, or cannot be reached."""
