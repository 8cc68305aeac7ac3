"""Rows as a source gives them, in the Arrow types that carry the types of a schema."""

from __future__ import annotations

import pyarrow as pa

from bundles.dictionaries import is_sound_dictionary
from bundles.encoding import relisted, storage
from bundles.errors import ContentInvalid, SourceInvalid
from schemas.errors import Problem
from schemas.model import Column, Table
from schemas.types import SqlType


def conformed(table: Table, batch: pa.RecordBatch, first_row: int, file: str = "") -> pa.RecordBatch:
    """Return `batch` with exactly the Arrow schema of `table`, but for dictionaries of texts, which may stay.

    Other dictionaries and 64-bit offsets are undone; SourceInvalid names the column where the type is another or the column is
    missing or unknown, ContentInvalid the first row where a NOT NULL column has a null, and the place of its recipe where the
    schema was read from a `file`.
    """
    for name in batch.schema.names:
        if not table.has(name) or table.column(name).computed is not None:
            raise SourceInvalid(f"table '{table.name}' comes with a column '{name}' that its schema does not store")
    arrays = []
    for field, column in zip(table.arrow, table.stored_columns, strict=True):
        if batch.schema.names.count(field.name) != 1:
            raise SourceInvalid(f"table '{table.name}' comes without its column '{field.name}', or with two of them")
        array = batch.column(field.name)
        if array.null_count and not field.nullable:
            row = first_row + array.is_null().index(True).as_py()
            raise ContentInvalid(_null_in(table, column, row, file))
        if array.type != field.type:
            if not _carries(array.type, field.type):
                raise SourceInvalid(
                    f"table '{table.name}', column '{field.name}' comes as {array.type}, but {column.type} is carried as {field.type}"
                )
            if not is_sound_dictionary(array, field.type):
                array = typed(column.type, array)
        arrays.append(array)
    fields = [field.with_type(array.type) for field, array in zip(table.arrow, arrays, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _null_in(table: Table, column: Column, row: int, file: str) -> str:
    """What is wrong and what to do, at the place in the schema's file that makes the column, where that is known."""
    what = f"table '{table.name}', column '{column.name}', row {row}: null in a column that is NOT NULL"
    at = column.at if column.generate is None else column.generate.at or column.at
    if at is None:
        return what
    return Problem(f"{what}; {_remedy(table, column)}", at).render(file)


def _remedy(table: Table, column: Column) -> str:
    is_key, referenced = column.name in table.key, _always_referenced(table, column)
    if referenced is not None:
        here = "" if is_key else ", or this one `null: 0`"
        return f"its values are those of {referenced}, some of which are null: give that `null: 0` and a value in every row{here}"
    return "it is part of the key, so let it never be null" if is_key else "give it `null: 0`, or a value in every row"


def _always_referenced(table: Table, column: Column) -> str | None:
    """The column that gives `column` its values, where a reference that is never null does."""
    key = table.foreign_key_of(column.name) if column.generate is None else None
    if key is None or any(table.column(name).nullable for name in key.columns):
        return None
    return f"{key.table}.{key.target[key.columns.index(column.name)]}"


def typed(type: SqlType, array: pa.Array) -> pa.Array:
    """Return `array`, as a Parquet file or a lenient source gives it, in the Arrow type that carries `type`."""
    target = type.arrow
    if array.type == target:
        return array
    stored = storage(type, array)
    if type.kind == "uuid":
        return pa.ExtensionArray.from_storage(target, stored)
    if type.kind == "array":
        assert type.item is not None
        return relisted(stored, typed(type.item, stored.flatten()))
    return stored if stored.type == target else stored.cast(target)


def _carries(given: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether `given` is `wanted` but for dictionaries, run-ends and the width of offsets."""
    if given == wanted:
        return True
    if isinstance(given, (pa.DictionaryType, pa.RunEndEncodedType)):
        return _carries(given.value_type, wanted)
    if pa.types.is_large_string(given) or pa.types.is_large_binary(given):
        return bool(wanted == (pa.string() if pa.types.is_large_string(given) else pa.binary()))
    if pa.types.is_list(wanted) and (pa.types.is_list(given) or pa.types.is_large_list(given)):
        return _carries(given.value_type, wanted.value_type)
    return False
