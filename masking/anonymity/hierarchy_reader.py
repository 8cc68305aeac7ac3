"""Reading hierarchies from CSV as ARX writes them: a line for each leaf, `leaf;level 1;...;*`, without a header."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from masking.anonymity.hierarchy import Hierarchy, make_hierarchy
from schemas.errors import InputError

_SEPARATORS = (";", ",")


def read_hierarchy(path: Path, *, nulls: bool = False) -> Hierarchy:
    """Read one hierarchy; `nulls` adds a leaf for null, which only the label of all covers.

    Separated by semicolons or commas, UTF-8. Raises InputError, with the line, for a file that cannot be read, levels of uneven
    length, a leaf that stands twice, a label that is empty.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 (byte {error.start}); save the hierarchy as UTF-8") from None
    first = text.lstrip().partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    rows: list[list[str]] = []
    lines: dict[str, int] = {}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for row in reader:
            if row:
                _require_sound(path, reader.line_num, row, rows, lines)
                rows.append(row)
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: {error}") from None
    if not rows:
        raise InputError(f"{path} is empty; a hierarchy has a line `leaf{separator}level 1{separator}...{separator}*` for each value")
    return make_hierarchy(rows, nulls=nulls)


def find_hierarchies(folder: Path, columns: Iterable[str]) -> dict[str, Path]:
    """Return the files of a folder that belong to `columns`, `NAME_hierarchy_COLUMN.csv` or `COLUMN.csv`; columns may have none.

    Raises InputError where there is no such folder, or more than one file for a column.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; name the one with the hierarchies, files NAME_hierarchy_COLUMN.csv")
    files = sorted(folder.glob("*.csv"))
    found = {}
    for column in columns:
        fit = [file for file in files if file.stem == column or file.stem.partition("_hierarchy_")[2] == column]
        if len(fit) > 1:
            raise InputError(f"{folder} has more than one hierarchy of '{column}': {', '.join(file.name for file in fit)}; leave one")
        if fit:
            found[column] = fit[0]
    return found


def _require_sound(path: Path, line: int, row: Sequence[str], rows: Sequence[Sequence[str]], lines: dict[str, int]) -> None:
    if rows and len(row) != len(rows[0]):
        raise InputError(
            f"{path}:{line}: {len(row)} levels, where the lines above have {len(rows[0])}; repeat a label to fill up a shorter branch"
        )
    if row[0] in lines:
        raise InputError(f"{path}:{line}: the leaf stands on line {lines[row[0]]} already; leave one of the two")
    if "" in row[1:]:
        raise InputError(f"{path}:{line}: level {row.index('', 1)} has no label; repeat the one beside it")
    lines[row[0]] = line
