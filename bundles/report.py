"""What a verification found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bundles.errors import BundleDamaged

_PLACES = ("table", "column", "row", "rows")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: where, what, and for how many rows; `row` is the first one, counted from 0.

    `rule` is one of blob, structure, type, null, length, enum, range, json, encoding, digest, key, unique, reference, check, rule,
    media.
    """

    rule: str
    what: str
    table: str | None = None
    column: str | None = None
    row: int | None = None
    rows: int = 0

    def __str__(self) -> str:
        place = [f"table '{self.table}'"] if self.table is not None else []
        place += [f"column '{self.column}'"] if self.column is not None else []
        place += [f"row {self.row}"] if self.row is not None else []
        others = f" ({self.rows:,} such rows)" if self.rows > 1 else ""
        return f"{', '.join(place)}: {self.what}{others}" if place else f"{self.what}{others}"


@dataclass(frozen=True, slots=True)
class Report:
    """The problems of a bundle, what could not be checked, and how much was.

    `checked` counts blobs, bytes, tables, rows, columns, keys (and unique constraints), references, checks and rules, and media where
    there are any.
    """

    reference: str
    problems: Sequence[Finding]
    not_checked: Sequence[Finding]
    checked: dict[str, int]

    @property
    def ok(self) -> bool:
        """Whether no problem was found."""
        return not self.problems

    def require(self) -> None:
        """Raise BundleDamaged with all problems, one a line, where there are any."""
        if self.problems:
            raise BundleDamaged("\n".join([f"'{self.reference}' is not what it says:", *map(str, self.problems)]))

    def describe(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        return {
            "reference": self.reference,
            "ok": self.ok,
            "problems": [_describe(finding) for finding in self.problems],
            "not_checked": [_describe(finding) for finding in self.not_checked],
            "checked": dict(self.checked),
        }


@dataclass(slots=True)
class Findings:
    """Findings as they are made."""

    problems: list[Finding] = field(default_factory=list)
    not_checked: list[Finding] = field(default_factory=list)
    checked: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("blobs", "bytes", "tables", "rows", "columns", "keys", "references", "checks", "rules"), 0)
    )

    def wrong(
        self, rule: str, what: str, table: str | None = None, column: str | None = None, row: int | None = None, rows: int = 0
    ) -> None:
        """Note a problem."""
        self.problems.append(Finding(rule, what, table, column, row, rows))

    def skipped(self, rule: str, what: str, table: str) -> None:
        """Note something that could not be checked."""
        self.not_checked.append(Finding(rule, what, table))

    def count(self, what: str, number: int = 1) -> None:
        """Note that something was checked."""
        self.checked[what] = self.checked.get(what, 0) + number

    def report(self, reference: str) -> Report:
        """Return all of it."""
        return Report(reference, tuple(self.problems), tuple(self.not_checked), self.checked)


def _describe(finding: Finding) -> dict[str, Any]:
    places = {name: getattr(finding, name) for name in _PLACES}
    return {
        "rule": finding.rule,
        "what": finding.what,
        **{name: place for name, place in places.items() if place is not None and (name != "rows" or place)},
    }
