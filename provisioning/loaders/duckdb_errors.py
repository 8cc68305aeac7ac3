"""What DuckDB says, in words that name the place and hold no values of rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from provisioning.database_file import disk_full
from provisioning.errors import ConstraintBroken, SchemaRefused, TargetFailure, TargetInvalid

_KEY = re.compile(r'key "(?:([^":,]+): )?.*"')
_QUOTED = re.compile(r"'[^']*'")
_REFUSALS = (
    (re.compile(r"Scalar Function with name (\S+) does not exist!"), "DuckDB has no function {}"),
    (re.compile(r"No function matches the given name and argument types '([^']*)'"), "DuckDB has no {}"),
    (re.compile(r"Cannot compare values of type (.+) and type (.+) - an"), "DuckDB compares no {} with {}"),
    (re.compile(r"^[A-Z]\w+(?: \w+)* Error: (.*)$"), "DuckDB does not take it: {}"),
)
_FULL = ("No space left", "Disk quota", "File too large")


@contextmanager
def duckdb_errors(path: Path, doing: str = "") -> Iterator[None]:
    """Turn DuckDB's errors into the errors of this room; `doing` says at which table."""
    at = f"'{path}', {doing}" if doing else f"'{path}'"
    try:
        yield
    except duckdb.ConstraintException as error:
        raise ConstraintBroken(f"{at}: DuckDB refused rows of the bundle: {_KEY.sub(_without_value, _first(error))}") from None
    except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException) as error:
        raise ConstraintBroken(f"{at}: DuckDB cannot hold a value of the bundle: {_QUOTED.sub('...', _first(error))}") from None
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException, duckdb.NotImplementedException) as error:
        raise SchemaRefused(f"{at}: DuckDB does not take it: {_first(error)}") from None
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except duckdb.Error as error:
        raise _failure(error, path, at) from None


def refusal(error: duckdb.Error) -> str:
    """Why DuckDB does not take an expression."""
    said = _first(error)
    return next((words.format(*found.groups()) for pattern, words in _REFUSALS if (found := pattern.search(said))), said)


def _failure(error: duckdb.Error, path: Path, at: str) -> TargetFailure | TargetInvalid:
    text = str(error)
    if any(word in text for word in _FULL):
        return disk_full(path)
    if "Could not set lock" in text:
        return TargetFailure(f"another process has '{path}' open; close it there and load again")
    if "not a valid DuckDB database" in text:
        return TargetInvalid(f"'{path}' is no DuckDB database")
    return TargetFailure(f"{at}: DuckDB failed: {_first(error)}")


def _first(error: duckdb.Error) -> str:
    return str(error).partition("\n")[0]


def _without_value(found: re.Match[str]) -> str:
    return f"key of '{found[1]}'" if found[1] else "key"
