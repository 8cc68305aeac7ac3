"""Flat files as tables of texts: CSV and Parquet, read whole and written back whole, row by row in the same order.

A cell is a text or null, whatever it looks like: `007`, `1e5` and `2024-01-01` stay as they are written. In CSV an empty cell is
null and `""` is the empty text; blank lines are passed over where there is more than one column.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import InputError, nearest
from schemas.plurals import counted
from schemas.whole_files import written

_BOM, _PARQUET = b"\xef\xbb\xbf", b"PAR1"
_WIDE_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_SEPARATORS = (",", ";")
_SAMPLE = 1 << 16
_BLOCK = 1 << 22
_ROWS_WRITTEN, _BYTES_WRITTEN = 1 << 16, 1 << 26


@dataclass(frozen=True)
class Tabular:
    """A table of texts, and how its file was written.

    `table` has columns of strings with nulls; `separator` is that of the CSV (`,` for Parquet); `kind` is `csv` or `parquet`.
    `stored` is what a Parquet file holds, in its own types.
    """

    table: pa.Table
    separator: str
    kind: str
    stored: pa.Table | None = None


def read_table(path: str, columns: Sequence[str] | None = None) -> Tabular:
    """Read a CSV (UTF-8, separated by commas or semicolons, with a header) or Parquet file, told apart by their content.

    `columns` are those wanted, in the order wanted; None for all. Raises InputError, which names the line and never a value:
    for a file that cannot be read, is empty, is not UTF-8, has rows of uneven length, quotes that do not close, columns with no
    name or the same name, or not the columns wanted.
    """
    content = _content(path)
    if content.startswith(_PARQUET):
        return _read_parquet(path, content, columns)
    return _read_csv(path, content, columns)


def read_records(path: str) -> list[tuple[int, list[str]]]:
    """Read the rows of a CSV file that has no header, such as a hierarchy, each with the line on which it begins.

    Blank lines are passed over. Raises InputError as `read_table` does.
    """
    content = _csv_content(path, _content(path))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(_what_is_wrong(path, content, _SEPARATORS[0], 0)) from None
    separator = _separator(content)
    records = [(line, row) for line, row in _records(text, separator) if row != []]
    rows = [(line, row) for line, row in records if row is not None]
    if len(rows) < len(records) or any(len(row) != len(rows[0][1]) for _, row in rows):
        raise InputError(_what_is_wrong(path, content, separator, len(rows[0][1]) if rows else 0))
    return rows


def write_table(tabular: Tabular, path: str) -> None:
    """Put `tabular` in the place of the file `path`, which stays as it was until all is written; devices and pipes are written to.

    Written as Parquet or CSV as `path` ends in `.parquet` or `.csv`, else as it was read. In Parquet, columns whose texts are
    still those that were read keep their type; the others are strings. In CSV cells are quoted where they must be, lines end in a
    line feed. Raises InputError where nothing can be written there, SystemFailure where the disk fails.
    """
    kind = {".parquet": "parquet", ".csv": "csv"}.get(Path(path).suffix.lower(), tabular.kind)
    write = _write_parquet if kind == "parquet" else _write_csv
    with written(path) as file:
        write(tabular, file)


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def _csv_content(path: str, content: bytes) -> bytes:
    """The content without a byte order mark, with a line feed at its end."""
    if (wide := _WIDE_BOMS.get(content[:2])) is not None:
        raise InputError(f"{path} is in {wide}; save it as UTF-8")
    content = content.removeprefix(_BOM)
    if not content.strip():
        raise InputError(f"{path} is empty; there is no row in it")
    return content if content.endswith(b"\n") else content + b"\n"


def _read_parquet(path: str, content: bytes, columns: Sequence[str] | None) -> Tabular:
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        wanted = _wanted(path, file.schema_arrow.names, columns)
        stored = file.read(wanted).select(wanted)
    except pa.ArrowException:
        raise InputError(f"{path} is not a sound Parquet file; write it anew") from None
    texts = []
    for name, values in zip(wanted, stored.columns, strict=True):
        try:
            texts.append(values.cast(pa.string()))
        except pa.ArrowException:
            raise InputError(f"{path}: column '{name}' holds {values.type}, which has no text; leave it out or write it as text") from None
    return Tabular(pa.table(texts, names=wanted), ",", "parquet", stored)


def _read_csv(path: str, content: bytes, columns: Sequence[str] | None) -> Tabular:
    content = _csv_content(path, content)
    separator = _separator(content)
    header = _header(path, content, separator)
    wanted = _wanted(path, header, columns)
    try:
        table = _parsed(content, separator, header, wanted)
    except pa.ArrowInvalid:
        raise InputError(_what_is_wrong(path, content, separator, len(header))) from None
    if content.count(b'"') % 2 and any(row is None for _, row in _records(content.decode(), separator)):
        raise InputError(_what_is_wrong(path, content, separator, len(header)))
    return Tabular(table, separator, "csv")


def _parsed(content: bytes, separator: str, header: Sequence[str], wanted: Sequence[str]) -> pa.Table:
    from pyarrow import csv as arrow_csv

    def parsed(block: int) -> pa.Table:
        return arrow_csv.read_csv(
            pa.BufferReader(content),
            arrow_csv.ReadOptions(block_size=block),
            arrow_csv.ParseOptions(
                delimiter=separator, newlines_in_values=b'"' in content, ignore_empty_lines=len(header) > 1
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()),
                include_columns=list(wanted),
                strings_can_be_null=True,
                null_values=[""],
                quoted_strings_can_be_null=False,
            ),
        )  # fmt: skip

    try:
        return parsed(_BLOCK)
    except pa.ArrowInvalid as error:
        if "straddl" not in str(error) or len(content) <= _BLOCK:
            raise
        return parsed(min(len(content), (1 << 31) - 1))  # a row longer than a block


def _separator(content: bytes) -> str:
    """The separator by which the first rows are of one length, and the longest."""
    sample = content[:_SAMPLE].decode("utf-8", "replace")
    if len(content) > _SAMPLE:
        sample = sample[: sample.rfind("\n") + 1]  # the last row may be cut

    def fit(separator: str) -> tuple[bool, bool, int]:
        widths = [len(row) for _, row in _records(sample, separator) if row]
        return (max(widths[:1], default=0) > 1, len(set(widths)) <= 1, max(widths[:1], default=0))

    return max(_SEPARATORS, key=fit)


def _header(path: str, content: bytes, separator: str) -> list[str]:
    with io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", errors="replace", newline="") as text:
        header = next((row for _, row in _records(text, separator)), None)
    if not header:
        raise InputError(f"{path}:1: no column names; a CSV file begins with a line of them")
    if (unnamed := next((i for i, name in enumerate(header, 1) if not name.strip()), None)) is not None:
        raise InputError(f"{path}:1: column {unnamed} has no name")
    return header


def _wanted(path: str, header: Sequence[str], columns: Sequence[str] | None) -> list[str]:
    doubled = [name for name, times in Counter(header).items() if times > 1]
    if doubled:
        raise InputError(f"{path} has more than one column named {', '.join(repr(name) for name in doubled)}; rename all but one")
    wanted = list(header if columns is None else columns)
    for name in wanted:
        if name not in header:
            raise InputError(f"{path} has no column '{name}'{nearest(name, header) or f'; it has {_listed(header)}'}")
    return wanted


def _listed(names: Sequence[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _what_is_wrong(path: str, content: bytes, separator: str, width: int) -> str:
    """Find by a slower way what the parser stumbled over; its own messages show the row."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return f"{path}:{line}: not UTF-8; save the file as UTF-8"
    for line, row in _records(text, separator):
        if row is None:
            return f"{path}:{line}: a quote that begins here is never closed"
        if row and len(row) != width:
            return f"{path}:{line}: {counted(len(row), 'cell')}, where the first line has {width} (separated by '{separator}')"
    return f"{path} is not a sound CSV file; its rows cannot be told apart"


def _records(text: str | IO[str], separator: str) -> Iterator[tuple[int, list[str] | None]]:
    """Yield the rows with the line on which each begins, and None for one with a quote that never closes."""
    lines = io.StringIO(text, newline="") if isinstance(text, str) else text
    rows, line = csv.reader(lines, delimiter=separator, strict=True), 1
    while True:
        try:
            yield line, next(rows)
        except StopIteration:
            return
        except csv.Error as error:  # others than this are no faults to the parser of the table
            if "end of data" in str(error):
                yield line, None
        line = rows.line_num + 1


def _write_parquet(tabular: Tabular, file: IO[bytes]) -> None:
    import pyarrow.parquet as pq

    columns = []
    for name, texts in zip(tabular.table.column_names, tabular.table.columns, strict=True):
        kept = tabular.stored.column(name) if tabular.stored is not None and name in tabular.stored.column_names else None
        columns.append(kept if kept is not None and kept.cast(pa.string()).equals(texts) else texts)
    pq.write_table(pa.table(columns, names=tabular.table.column_names), file, compression="zstd")


def _write_csv(tabular: Tabular, file: IO[bytes]) -> None:
    separator = tabular.separator
    must_be_quoted = f'[{separator}"\r\n]|^$'

    def lines(columns: Sequence[pa.Array]) -> memoryview:
        ended = pc.binary_join_element_wise(columns[-1], "", "\n", null_handling="replace")
        rows = pc.binary_join_element_wise(*columns[:-1], ended, separator, null_handling="replace")
        return memoryview(pc.binary_join(pa.ListArray.from_arrays([0, len(rows)], rows), "")[0].as_buffer())

    def cell(values: pa.Array) -> pa.Array:
        special = pc.match_substring_regex(values, must_be_quoted)
        if not pc.any(special).as_py():
            return values
        quoted = pc.binary_join_element_wise("", pc.replace_substring(values, '"', '""'), "", '"')
        return pc.if_else(special, quoted, values)

    header = pa.array(tabular.table.column_names, pa.string())
    file.write(lines([cell(header.slice(i, 1)) for i in range(len(header))]))
    held = max(tabular.table.nbytes // max(tabular.table.num_rows, 1), 1)
    for batch in tabular.table.to_batches(max_chunksize=max(1, min(_ROWS_WRITTEN, _BYTES_WRITTEN // held))):
        file.write(lines([cell(values) for values in batch.columns]))
