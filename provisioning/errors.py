"""Errors of the provisioning room.

InputError
├── TargetInvalid         a URL that cannot be read, or that names no database
├── NoSuchSandbox         an id that no sandbox has
├── NoSuchTenant          a name that no demo tenant has
├── KeyInvalid            a key of audit checkpoints that is missing, of another kind, there already, or open to others
└── SchemaRefused         a schema that the database does not take: a check in words it does not know, a clash of names
CheckFailed
├── ConstraintBroken      the database refused rows: they break a key, reference, check or type
├── ReadBackDiffers       what the database gives back is not what the bundle holds
└── AuditBroken           the audit ledger was altered, reordered or cut short
Refused
├── TargetInUse           the target holds what a load would replace, or what hangs on it
├── NotASandbox           a database without our marker where a sandbox should be: nothing of it is touched
├── PolicyRefused         rules of the environment, all that are broken at once
├── SeedRefused           a bundle that is empty, recalled or expired
├── TenantExists          a demo tenant that is there already
├── DeleteProtected       a sandbox that is not deleted by mistake
├── KeyUsedTwice          an idempotency key that was used for another request
├── NotAuthenticated      a request without a token that we take
├── UnknownCaller         a valid token of a person whom the environments' file does not know
├── ScopeMissing          a token that does not allow what was asked
├── NotYours              something that only an administrator does for others
└── WrongState            a sandbox whose state does not allow what was asked
SystemFailure
├── TargetFailure         the database or its disk failed, is locked, or cannot be reached
├── IssuerFailure         the issuer of tokens cannot be reached, or does not answer as it should
└── ControlFailure        the control database failed, or is of a newer version
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.errors import CheckFailed, InputError, Refused, SystemFailure


class TargetInvalid(InputError):
    """A URL that cannot be read, or that names no database."""


class NoSuchSandbox(InputError):
    """An id that no sandbox has."""


class KeyInvalid(InputError):
    """A key of audit checkpoints that is missing, of another kind, there already, or open to others."""


class NoSuchTenant(InputError):
    """A name that no demo tenant has."""


class SchemaRefused(InputError):
    """A schema that the database does not take."""


class ConstraintBroken(CheckFailed):
    """The database refused rows: they break a key, reference, check or type."""


class ReadBackDiffers(CheckFailed):
    """What the database gives back is not what the bundle holds."""


class AuditBroken(CheckFailed):
    """The audit ledger was altered, reordered or cut short."""


class TargetInUse(Refused):
    """The target holds what a load would replace, or what hangs on it."""


class TargetFailure(SystemFailure):
    """The database or its disk failed, is locked, or cannot be reached."""


class NotASandbox(Refused):
    """A database without our marker where a sandbox should be."""


class WrongState(Refused):
    """A sandbox whose state does not allow what was asked."""


class SeedRefused(Refused):
    """A bundle that is empty, recalled or expired. `request` is the id under which the refusal was written down."""

    request: str | None = None


class DeleteProtected(Refused):
    """A sandbox that is not deleted by mistake."""


class TenantExists(Refused):
    """A demo tenant that is there already."""


class KeyUsedTwice(Refused):
    """An idempotency key that was used for another request."""


class NotAuthenticated(Refused):
    """A request without a token that we take."""


class UnknownCaller(Refused):
    """A valid token of a person whom the environments' file does not know."""


class ScopeMissing(Refused):
    """A token that does not allow what was asked."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__(f"your token does not allow this: it needs the scope '{scope}'")


class NotYours(Refused):
    """Something that only an administrator does for others."""


class IssuerFailure(SystemFailure):
    """The issuer of tokens cannot be reached, or does not answer as it should."""


class ControlFailure(SystemFailure):
    """The control database failed, or is of a newer version."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that is broken: its name, and what would have to be otherwise."""

    rule: str
    message: str


class PolicyRefused(Refused):
    """Rules of the environment, all that are broken at once. `request` is the id under which the refusal was written down."""

    request: str | None = None

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("\n".join(f"{v.rule}: {v.message}" for v in self.violations))

    def __str__(self) -> str:
        return super().__str__() + (f"\n`companyos sandbox why {self.request}` tells this again" if self.request else "")
