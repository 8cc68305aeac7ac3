"""Anonymise a file: read, recode, write, check what was written, and only then put it in its place."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from masking.anonymity.anonymize import HIGH, LOW, Specification, Summary, anonymize, require_columns
from masking.anonymity.checker import check
from masking.anonymity.distinct import QuasiIdentifier
from masking.anonymity.hierarchy_functions import hierarchy_function
from masking.anonymity.hierarchy_reader import read_hierarchy
from masking.hierarchy_files import find_hierarchies
from masking.tabular import Tabular, read_table, write_table
from schemas.errors import InputError, nearest
from schemas.whole_files import is_device, written


def anonymize_file(
    source: str,
    target: str,
    asked: Specification,
    *,
    hierarchies: str | None = None,
    functions: Mapping[str, str] | None = None,
    sort_rows: bool = False,
) -> Summary:
    """Anonymise a CSV or Parquet file into another, which is put in its place after it was checked.

    With `sort_rows` its rows are sorted by what is written of them, since their order in the source tells whose each is; without, they
    stay where they are. Quasi-identifiers of `asked` that have no hierarchy take it from `functions` (a text such as `interval:5,10` by
    column), else from the folder `hierarchies`. Raises what `anonymize` and `read_table` raise, and ModelViolated where the finished file
    is not what was asked for; then `target` stays as it was.
    """
    read = read_table(source)
    require_columns(read.table, [quasi.name for quasi in asked.quasi_identifiers])
    asked = with_hierarchies(read.table, asked, hierarchies, functions or {})
    anonymized = anonymize(read.table, asked)
    released, original, stored = anonymized.table, read.table, read.stored
    if sort_rows:
        order = _by_cells(released)
        released, original, stored = released.take(order), original.take(order), None if stored is None else stored.take(order)
    given = Tabular(released, read.separator, read.kind, stored)
    if (read.kind if Path(target).suffix.lower() not in (".csv", ".parquet") else Path(target).suffix.lower()[1:]) == "parquet":
        given = replace(given, table=_typed(released))
    with _checked_place(target) as fresh:
        write_table(given, str(fresh))
        check(original, read_table(str(fresh)).table, asked)
    return anonymized.summary


def with_hierarchies(table: pa.Table, asked: Specification, folder: str | None, functions: Mapping[str, str]) -> Specification:
    """Give quasi-identifiers the hierarchies of a folder and of functions; columns may have none."""
    names = [quasi.name for quasi in asked.quasi_identifiers]
    for name in functions:
        if name not in names:
            raise InputError(f"a hierarchy is given for '{name}', which is no quasi-identifier{nearest(name, names)}")
    files = {} if folder is None else find_hierarchies(Path(folder), [name for name in names if name not in functions])
    if folder is not None and not files and not functions:
        raise InputError(f"{folder} has no hierarchy of {', '.join(names)}; its files are called NAME_hierarchy_COLUMN.csv or COLUMN.csv")

    def given(quasi: QuasiIdentifier) -> QuasiIdentifier:
        values = table.column(quasi.name)
        if quasi.name in functions:
            return replace(quasi, hierarchy=hierarchy_function(functions[quasi.name], quasi.name, values.unique().to_pylist()))
        if quasi.name in files:
            return replace(quasi, hierarchy=read_hierarchy(files[quasi.name], nulls=values.null_count > 0))
        return quasi

    return replace(asked, quasi_identifiers=tuple(given(quasi) for quasi in asked.quasi_identifiers))


def _by_cells(table: pa.Table) -> pa.Array:
    """The places of the rows in the order of their cells, from the first column to the last; equal rows cannot be told apart."""
    return pc.sort_indices(table, [(name, "ascending") for name in table.column_names])


def _typed(table: pa.Table) -> pa.Table:
    """The table with the middles and bounds as numbers, for files that have types."""
    bounded = [name for name in table.column_names if name + LOW in table.column_names and name + HIGH in table.column_names]
    for name in (name + suffix for name in bounded for suffix in ("", LOW, HIGH)):
        texts = table.column(name)
        whole = not any("." in text for text in texts.unique().to_pylist() if text is not None)
        try:
            numbers = texts.cast(pa.int64() if whole else pa.float64())
        except pa.ArrowInvalid:
            continue  # too large for any: it stays as it is written
        table = table.set_column(table.column_names.index(name), name, numbers)
    return table


@contextmanager
def _checked_place(target: str) -> Iterator[Path]:
    """A file to write, which takes the place of `target` when all went well; devices and pipes get what it holds."""
    place, device = Path(os.path.realpath(target)), is_device(target)
    if not device and not place.parent.is_dir():
        raise InputError(f"{target} cannot be written: there is no folder {place.parent}")
    folder = Path(tempfile.gettempdir()) if device else place.parent
    fresh = folder / f".{secrets.token_hex(8)}{place.suffix if not device else ''}"
    try:
        yield fresh
        if device:
            with written(target) as out, open(fresh, "rb") as checked:
                shutil.copyfileobj(checked, out)
        else:
            os.replace(fresh, place)
    finally:
        fresh.unlink(missing_ok=True)
