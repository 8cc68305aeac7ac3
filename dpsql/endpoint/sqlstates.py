"""What goes wrong, as clients of PostgreSQL expect to be told: a SQLSTATE, a message, a detail and a hint."""

from __future__ import annotations

from dpsql.errors import BudgetSpent, EngineFailure, LedgerFailure, QueryInvalid, QueryRefused
from schemas.errors import CompanyOSError, InputError, Refused


class Fault(Exception):
    """Something that the client is told, as one ErrorResponse.

    `code` is the SQLSTATE (PostgreSQL's appendix A). A `fatal` one ends the session.
    """

    def __init__(self, code: str, message: str, detail: str | None = None, hint: str | None = None, fatal: bool = False) -> None:
        self.code, self.message, self.detail, self.hint, self.fatal = code, message, detail, hint, fatal
        super().__init__(message)

    def fields(self) -> dict[str, str]:
        """Return the fields of the ErrorResponse."""
        severity = "FATAL" if self.fatal else "ERROR"
        found = {"S": severity, "V": severity, "C": self.code, "M": self.message, "D": self.detail, "H": self.hint}
        return {name: text.replace("\x00", "") for name, text in found.items() if text}


def fault_of(error: CompanyOSError) -> Fault:
    """Return what the client is told of `error`."""
    match error:
        case QueryRefused():
            hint = None if error.instead is None else f"Accepted would be: {error.instead}"
            return Fault("42501", "the query cannot be shown private", error.reason, hint)
        case BudgetSpent():
            return Fault("53400", str(error), hint="SHOW dp.budget says what is left; what was answered before stays free.")
        case QueryInvalid():
            return Fault(_invalid(str(error)), str(error))
        case EngineFailure() | LedgerFailure():
            return Fault("58000", str(error))
        case Refused():
            return Fault("42501", str(error))
        case InputError():
            return Fault("22023", str(error))
        case _:
            return Fault("58000", str(error))


def _invalid(message: str) -> str:
    """Tell a table or column that is not there from other SQL that is wrong."""
    words = message.lower()
    if "no table" in words:
        return "42P01"
    if "no column" in words:
        return "42703"
    return "42601"
