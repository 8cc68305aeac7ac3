"""Files of hierarchies, CSV as ARX writes them: a line for each leaf, `leaf;level 1;...;*`, without a header."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from masking.tabular import read_records
from schemas.errors import InputError

NAMED = "_hierarchy_"


def read_rows(path: str) -> list[list[str]]:
    """Read a hierarchy as rows of a leaf and its labels from fine to coarse, separated by semicolons or commas, UTF-8.

    Raises InputError, with the line, for a file that cannot be read or is empty, levels of uneven length, a leaf that stands twice, a
    label that is empty.
    """
    records = read_records(path)
    if not records:
        raise InputError(f"{path} is empty; a hierarchy has a line `leaf;level 1;...;*` for each value")
    lines: dict[str, int] = {}
    for line, row in records:
        if row[0] in lines:
            raise InputError(f"{path}:{line}: the leaf stands on line {lines[row[0]]} already; leave one of the two")
        if "" in row[1:]:
            raise InputError(f"{path}:{line}: level {row.index('', 1)} has no label; repeat the one beside it")
        lines[row[0]] = line
    return [row for _, row in records]


def find_hierarchies(folder: Path, columns: Iterable[str]) -> dict[str, Path]:
    """Return the files of a folder that belong to `columns`, `NAME_hierarchy_COLUMN.csv` or `COLUMN.csv`; columns may have none.

    Raises InputError where the folder cannot be read, or more than one file is for a column.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".csv")
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}; name the folder of the hierarchies, CSV files") from None
    found = {}
    for column in columns:
        fit = [file for file in files if file.stem == column or file.stem.endswith(NAMED + column)]
        if len(fit) > 1:
            raise InputError(f"{folder} has more than one hierarchy of column '{column}': {', '.join(f.name for f in fit)}; leave one")
        if fit:
            found[column] = fit[0]
    return found
