"""What a scan found, without any value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from masking.errors import Survivors
from schemas.plurals import counted

CELLS, TEXTS = "cells", "texts"
_SHOWN = 20
BASELINE = (
    "Values that stand in the output by chance are no leak. Their number is expected from the forms of the values (all texts with as many "
    "digits and letters being equally likely) and from controls: values of the output with one character, or the first or last word, "
    "exchanged; and for whole numbers that lie dense, as keys do, how many of them lie in the range of those of the source. The largest "
    "expectation counts.",
    "Chance does not explain a public column of numbers from the least to the greatest of a personal one, unless it is a key or a "
    "reference of another table; nor a public column of texts, more than nine in ten of which are those of one column that identifies.",
    "Of values that are in the pools of pseudonyms, as many are expected as if the picks from the pool had nothing to do with the source; "
    "what stands within a value of a pool is a part of the pick and no find of its own.",
    "Where more is left, its tables are masked once more under another key: what is not left again was picked, by this key alone.",
    "Survivors are those beyond what chance passes at most once in a million times; where less than a thousandth of a value is expected, "
    "one is enough.",
    "Common words, values that ten or more rows share (of columns that identify nobody by themselves), values of columns that the policy "
    "keeps, and values that a public column shows (unless it copies a column of days), do not count.",
)
LIMITS = (
    "Values are compared without case, accents, spaces and punctuation; numbers, dates, uuids and telephone numbers by their digits.",
    "Inside texts, values of fewer than 4 letters and digits (6 where all are digits, 2 where all are ideographs) are not looked for; "
    "in whole cells they are, in columns of the same kind.",
    "Values of fewer than ten letters and digits are found where a word or a number begins and ends, longer ones within words too, but not "
    "where they would cut a number in two.",
    "Escapes of URLs, JSON, HTML and quoted-printable mail are looked behind; compressed, encrypted and base64 texts are not.",
    "Of digests, those by MD5, SHA-1 and SHA-256 of the first ten thousand addresses, user names and numbers of each column are found.",
    "Of personal keys without a gap, some alone in a column of numbers that is none of their table are not told from other keys.",
    "Other transcriptions (ue for ü), abbreviations and mistyped values are not found.",
)


@dataclass(frozen=True)
class ColumnScanned:
    """A personal column of the source: how many different values it has, and how many of them survive in the whole output."""

    place: str
    column_class: str
    entity: str | None
    values: int
    inside: int
    left_out: Mapping[str, int]
    kept: str | None
    survivors: int


@dataclass(frozen=True)
class Found:
    """What an output column has of a personal column of the source; `where` is `cells` or `texts`.

    `values` are different ones, of which `common_words`, `in_pools`, `shared`, `public`, `kept` and `picked` (not there under another
    key) do not count by themselves.
    """

    place: str
    output: str
    where: str
    values: int
    cells: int
    common_words: int
    in_pools: int
    shared: int
    public: int
    kept: int
    picked: int
    expected: float
    threshold: int
    pool_expected: float
    pool_threshold: int
    survivors: int

    @property
    def explained(self) -> int:
        """Those that do not count: allowed, or no more than chance brings."""
        return self.values - min(self.survivors, self.values)

    def line(self) -> str:
        """One sentence for messages."""
        where = ("cell holds", "cells hold") if self.where == CELLS else ("text holds", "texts hold")
        left = counted(self.survivors, "value")
        return f"{self.output}: {left} of {self.place} ({counted(self.cells, *where)} {self.values:,} of its values)"


@dataclass(frozen=True)
class ScanReport:
    """What was looked for, what was searched and what was found."""

    allowed: int
    columns: Sequence[ColumnScanned]
    found: Sequence[Found]
    cells: int
    texts: int
    bytes: int
    false_alarm: float
    dictionaries: Sequence[Mapping[str, Any]]
    said: Sequence[str] = ()

    @property
    def survivors(self) -> int:
        """The different survivors, over all pairs of a source column and an output column, and places of the schema that hold one."""
        return sum(found.survivors for found in self.found) + len(self.said)

    @property
    def values(self) -> int:
        """The values looked for: different ones of each column."""
        return sum(column.values for column in self.columns)

    @property
    def passed(self) -> bool:
        return self.survivors <= self.allowed

    def require(self) -> None:
        """Raise Survivors, with counts and without values, where there are more than allowed."""
        if self.passed:
            return
        worst = sorted((f for f in self.found if f.survivors), key=lambda f: (-f.survivors, f.output, f.place))
        lines = [f"{place} (in the schema or the certificate)" for place in self.said] + [found.line() for found in worst[:_SHOWN]]
        if len(worst) > _SHOWN:
            lines.append(f"and {len(worst) - _SHOWN} more pairs of columns")
        raise Survivors(
            f"{counted(self.survivors, 'value of the source is', 'values of the source are')} left in the output, and {self.allowed:,} are "
            "allowed; mask the columns that "
            "hold them (`mask: {redact: {known: true}}` hides nothing else), or allow them in the "
            "policy (`mask: keep`, `proof: {survivors: N}`):\n  " + "\n  ".join(lines)
        )

    def document(self) -> dict[str, Any]:
        """The report as JSON data: counts alone.

        The same for the same data in the same batches; the expectations only where the secret of the known values is the same too.
        """
        return {
            "passed": self.passed,
            "allowed": self.allowed,
            "survivors": self.survivors,
            "false_alarm": self.false_alarm,
            "values": self.values,
            "output": {"cells": self.cells, "texts": self.texts, "bytes": self.bytes},
            "columns": [_renamed(asdict(column), column_class="class") for column in self.columns],
            "found": [_renamed(asdict(found), output="in") for found in self.found],
            "said": list(self.said),
            "baseline": list(BASELINE),
            "dictionaries": [dict(dictionary) for dictionary in self.dictionaries],
            "limits": list(LIMITS),
        }


def _renamed(values: dict[str, Any], **names: str) -> dict[str, Any]:
    return {names.get(key, key): round(value, 6) if isinstance(value, float) else value for key, value in values.items()}
