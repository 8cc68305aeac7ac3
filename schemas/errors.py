"""Errors of the schema room.

    CompanyOSError                 any error a person can act on; carries its exit code
    ├── InputError        (2)      a file, option or value that is wrong
    │   └── SchemaError   (2)      one or more `Problem`s in a schema, all at once
    ├── CheckFailed       (1)      the data or bundle breaks a promise
    ├── Refused           (3)      allowed by nobody: a policy says no
    └── SystemFailure     (4)      another system (database, disk, network) failed

Other rooms hang their own errors below the four classes of the second level, so that the command line maps every error
to its exit code without knowing any room.
"""

from __future__ import annotations

import copyreg
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schemas.model import Schema

# up to the last @, and with any number of slashes: a wrong URL still holds a password
_URL_PASSWORD = re.compile(r"([A-Za-z][\w+.-]*:/{0,2}[^/\s:@]*):\S*@")
# the same without a scheme, or with a mistyped one; the number of a version and a path after a colon are none
_USER_PASSWORD = re.compile(r"([^\s:/@'\"]*):(?![/\\\s])[^\s'\"]*@(?!sha256:|blake3:)")
_QUERY_PASSWORD = re.compile(r"(?i)((?:password|passwd|pwd|token|secret)=)[^&\s]+")


def without_secrets(text: str) -> str:
    """Return `text` with the passwords of any URLs in it replaced by `***`."""
    return _QUERY_PASSWORD.sub(r"\1***", _USER_PASSWORD.sub(r"\1:***@", _URL_PASSWORD.sub(r"\1:***@", text)))


def mistyped_url(text: str) -> str:
    """Return what was given for a URL and is none, to be shown: without all that stands from its first colon to its last @."""
    before, _, after = text.rpartition("@")
    return without_secrets(f"{before.partition(':')[0]}:***@{after}" if ":" in before else text)


class CompanyOSError(Exception):
    """An error that a person can act on: what is wrong, where, and what to do."""

    exit_code = 4

    def __init__(self, message: str) -> None:
        super().__init__(without_secrets(message))

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a process send any of them to another, whatever its `__init__` asks for."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class InputError(CompanyOSError):
    """A file, an option or a value that is wrong."""

    exit_code = 2


class CheckFailed(CompanyOSError):
    """The data or the bundle breaks a promise it makes."""

    exit_code = 1


class Refused(CompanyOSError):
    """A policy says no."""

    exit_code = 3


class SystemFailure(CompanyOSError):
    """Another system failed: a database, a disk, the network."""

    exit_code = 4


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a schema file; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a schema, and where."""

    message: str
    at: Mark | None = None

    def render(self, file: str) -> str:
        """Return `file:line:column: message`, or without the place where none is known."""
        place = f"{file}:{self.at.line}:{self.at.column}" if self.at else file
        return f"{place}: {self.message}"


class SchemaError(InputError):
    """Everything that is wrong in one schema file, in the order of the file.

    `schema` is what was read in spite of it, None where nothing was, and `broken` the parts of it that were not.
    """

    def __init__(
        self, file: str, problems: Iterable[Problem], schema: Schema | None = None, broken: Iterable[tuple[str, ...]] = ()
    ) -> None:
        self.file, self.schema, self.broken = file, schema, frozenset(broken)
        self.problems: Sequence[Problem] = tuple(sorted(problems, key=lambda p: p.at or Mark(0, 0)))
        super().__init__("\n".join(p.render(file) for p in self.problems))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint such as `; did you mean 'email'?` with the nearest of `known`, or an empty string."""
    return _nearest(word, tuple(known))


@lru_cache(1024)  # the same mistake is often made many times, and is dear to compare with many words
def _nearest(word: str, known: tuple[str, ...]) -> str:
    matches = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean '{matches[0]}'?" if matches else ""


def followed(hint: str, rest: str) -> str:
    """Return a hint, or an empty string, with what is said after it: as a sentence of its own after a question."""
    return f"{hint} {rest[0].upper()}{rest[1:]}" if hint.endswith("?") else f"{hint}; {rest}"
