"""Tables as data frames of pandas and Polars, with uuids as text, which neither has a type for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bundles.encoding import relisted
from schemas.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_HEX = np.frombuffer("".join(f"{i:02x}" for i in range(256)).encode(), np.uint8).reshape(256, 2)
_LARGEST_IN_FLOATS = 2**53  # up to which a float holds every whole number
_HYPHENS = (8, 13, 18, 23)
_DIGITS = [i for i in range(36) if i not in _HYPHENS]


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Return `table` as a pandas data frame; InputError where pandas is not installed.

    Whole numbers with nulls are floats, as pandas has them, but where a float would change one: then they are of its type Int64.
    """
    _need("pandas")
    import pandas

    found = plain(table)
    frame = found.to_pandas()
    for position, column in enumerate(found.columns):
        if _beyond_floats(column):
            whole, missing = pc.fill_null(column, 0).to_numpy(), pc.is_null(column).to_numpy()
            frame.isetitem(position, pandas.arrays.IntegerArray(whole, missing, copy=True))
    return frame


def _beyond_floats(column: pa.ChunkedArray) -> bool:
    if column.type != pa.int64() or not column.null_count or column.null_count == len(column):
        return False
    ends = pc.min_max(column)
    return bool(ends["min"].as_py() < -_LARGEST_IN_FLOATS or ends["max"].as_py() > _LARGEST_IN_FLOATS)


def to_polars(table: pa.Table) -> pl.DataFrame:
    """Return `table` as a Polars data frame; InputError where Polars is not installed."""
    _need("polars")
    import polars

    frame = polars.from_arrow(plain(table))
    assert isinstance(frame, polars.DataFrame)
    return frame


def plain(table: pa.Table) -> pa.Table:
    """Return `table` with its uuids as text."""
    columns = [pa.chunked_array([_plain(chunk) for chunk in c.chunks], _plain(pa.nulls(0, c.type)).type) for c in table.columns]
    return pa.Table.from_arrays(columns, table.column_names)


def _plain(array: pa.Array) -> pa.Array:
    if isinstance(array, pa.ExtensionArray):
        return _uuid_texts(array.storage)
    if pa.types.is_list(array.type):
        return relisted(array, _plain(array.flatten()))
    return array


def _uuid_texts(array: pa.Array) -> pa.Array:
    count = len(array)
    texts = np.full((count, 36), ord("-"), np.uint8)
    if count:
        raw = np.frombuffer(array.buffers()[1], np.uint8, count * 16, array.offset * 16).reshape(-1, 16)
        texts[:, _DIGITS] = _HEX[raw].reshape(count, 32)
    offsets = np.arange(count + 1, dtype=np.int64) * 36
    valid = pa.LargeStringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(texts))
    return pc.if_else(array.is_valid(), valid, None) if array.null_count else valid


def _need(library: str) -> None:
    if find_spec(library) is None:
        raise InputError(f"{library} is not installed; `pip install 'companyos-data[dataframes]'` brings it")
