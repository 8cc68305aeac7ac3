"""Errors of the masking room.

schemas.errors.InputError
├── PolicyInvalid        (2)     what is wrong in a policy, all at once, with places
├── TransformerInvalid   (2)     a transformer that does not exist, or parameters that it does not take
├── TransformerUnfit     (2)     a transformer that cannot do what a column needs
├── KeyInvalid           (2)     a masking key that is missing, empty or too short
├── ModelInfeasible      (2)     a privacy model that the data cannot meet
└── TextsInvalid         (2)     a file of texts or records that cannot be read
schemas.errors.CheckFailed
├── PolicyOutdated       (1)     the source has columns that the policy does not know
├── MaskingFailed        (1)     a value that cannot be masked, or a masked one that breaks its column
├── Survivors            (1)     values of the source are left in the output
└── ModelViolated        (1)     a finished file does not meet its privacy model
schemas.errors.SystemFailure
├── SourceFailure        (4)     the source cannot be reached or read, or changed under us
│   └── ValueNotCarried  (4)     a column of it holds a value that no type here can carry
└── RoomFailure          (4)     the disk has no room for masked rows that wait
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.errors import CheckFailed, InputError, SchemaError, SystemFailure


class PolicyInvalid(SchemaError):
    """Everything that is wrong in one policy file, in the order of the file."""


class TransformerInvalid(InputError):
    """A transformer that does not exist, or parameters that it does not take: all of it, with the place in the policy."""

    def __init__(self, place: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{place}: {problem}" for problem in problems))


class TransformerUnfit(InputError):
    """A transformer that cannot do what a column needs: its type, its length, its uniqueness."""


class KeyInvalid(InputError):
    """A masking key that is missing, empty or too short."""


class ModelInfeasible(InputError):
    """A privacy model that the data cannot meet."""


class TextsInvalid(InputError):
    """A file of texts or records that cannot be read."""


class PolicyOutdated(CheckFailed):
    """The source has columns that the policy does not know."""


class MaskingFailed(CheckFailed):
    """A value that cannot be masked, or a masked value that breaks a promise of its column."""


class Survivors(CheckFailed):
    """Values of the source are left in the output."""


class ModelViolated(CheckFailed):
    """A finished file does not meet its privacy model."""


class SourceFailure(SystemFailure):
    """The source cannot be reached or read, or changed while it was read."""


class ValueNotCarried(SourceFailure):
    """A column of the source holds a value that its type, or any here, cannot carry."""


class RoomFailure(SystemFailure):
    """The disk has no room for masked rows that wait to be written, or fails."""
