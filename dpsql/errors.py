"""Errors of the room of private queries.

schemas.errors.InputError
├── DeclarationInvalid   (2)     a schema that does not say what privacy needs, or says it wrongly
└── QueryInvalid         (2)     SQL that cannot be parsed, or names what is not there
    └── OutcomeOverflow  (2)     what is done with the noisy outcome comes to a number that its type does not hold
schemas.errors.Refused
├── QueryRefused         (3)     a query that cannot be shown private; carries the nearest accepted one
└── BudgetSpent          (3)     the privacy budget has not enough left
schemas.errors.CheckFailed
└── LedgerBroken         (1)     the ledger was altered, reordered or cut short
schemas.errors.SystemFailure
├── EngineFailure        (4)     the database failed; never with its own message, which could tell of its data
└── LedgerFailure        (4)     the ledger cannot be reached or written
"""

from __future__ import annotations

from schemas.errors import CheckFailed, InputError, Refused, SystemFailure


class DeclarationInvalid(InputError):
    """A schema that does not say what privacy needs, or says it wrongly."""


class QueryInvalid(InputError):
    """SQL that cannot be parsed, or names what is not there."""


class OutcomeOverflow(QueryInvalid):
    """What a query does with the noisy outcome comes to a number that its type does not hold."""


class QueryRefused(Refused):
    """A query that cannot be shown private.

    `reason` says why, from the schema and the SQL alone; `instead` is the nearest query that is accepted, or None.
    """

    def __init__(self, reason: str, instead: str | None = None) -> None:
        self.reason, self.instead = reason, instead
        super().__init__(reason if instead is None else f"{reason}\nAccepted would be: {instead}")


class BudgetSpent(Refused):
    """The privacy budget has not enough left for what was asked."""


class LedgerBroken(CheckFailed):
    """The ledger was altered, reordered or cut short."""


class EngineFailure(SystemFailure):
    """The database failed, or took too long."""


class EngineStopped(EngineFailure):
    """The database was stopped: by who asked, or since it took too long."""


class LedgerFailure(SystemFailure):
    """The ledger cannot be reached or written."""
