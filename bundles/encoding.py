"""Arrays as the canonical bytes that the content digest is made of; `bundles.digest` defines them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bundles.canonical import NotJson, canonical_values
from bundles.dictionaries import lengths_in, octets_in
from bundles.errors import ContentInvalid
from schemas.types import FLOATS, SqlType

_NAN = np.frombuffer(b"\x00\x00\x00\x00\x00\x00\xf8\x7f", "<f8")[0]
_TEXTS = ("text", "varchar", "char", "enum", "json", "bytes")
_CODED = ("text", "varchar", "char", "enum")

Bits = npt.NDArray[np.bool_]
Bytes = bytes | npt.NDArray[np.generic]


def storage(type: SqlType, array: pa.Array) -> pa.Array:
    """Return `array` without extension types, dictionaries and views, in the Arrow type that carries `type`.

    Text and bytes may keep 64-bit offsets. Raises pyarrow.ArrowInvalid or ArrowNotImplementedError where values do not fit.
    """
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        return storage(type, array.dictionary_decode())
    if pa.types.is_run_end_encoded(array.type):
        return storage(type, pc.run_end_decode(array))
    if type.kind == "array":
        return _list_storage(type, array)
    target = pa.binary(16) if type.kind == "uuid" else type.arrow
    if array.type == target or (pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)):
        return array
    return array.cast(target)


def _list_storage(type: SqlType, array: pa.Array) -> pa.Array:
    assert type.item is not None
    if not pa.types.is_list(array.type):
        array = array.cast(pa.list_(array.type.value_type))
    if array.type.value_type == (pa.binary(16) if type.item.kind == "uuid" else type.item.arrow):
        return array
    return relisted(array, storage(type.item, array.flatten()))


def relisted(array: pa.ListArray, items: pa.Array) -> pa.ListArray:
    """Return lists of the same lengths as those of `array`, with the `items` that `array.flatten()` became."""
    valid = _valid(array)
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(_item_counts(array, valid), dtype=np.int32)])
    mask = None if valid is None else pa.array(~valid)
    return pa.ListArray.from_arrays(pa.array(offsets), items, mask=mask)


def encode(type: SqlType, array: pa.Array) -> Iterator[Bytes]:
    """Return the bytes of values(TYPE, array) in parts; `array` is as `storage` returns it, or `is_coded` for the type.

    Raises NotJson with the position of a value that is not JSON in a json column.
    """
    valid = _valid(array)
    if valid is None:
        yield b"\x00"
    else:
        yield b"\x01"
        yield np.packbits(valid, bitorder="little")
    if type.kind == "array":
        yield from _lists(type, array, valid)
    elif not len(array):
        return
    elif pa.types.is_dictionary(array.type):
        yield from _coded_texts(type.kind, array, valid)
    elif type.kind in _TEXTS:
        yield from _texts(type.kind, array, valid)
    else:
        fixed = _FIXED.get(type.kind, _integers)(array)
        if valid is not None:
            fixed = fixed.copy()
            fixed[~valid] = 0
        yield fixed


def is_coded(type: SqlType, array: pa.Array) -> bool:
    """Whether `encode` takes a dictionary array as it is: texts of any form, none of them null."""
    if type.kind not in _CODED or not pa.types.is_dictionary(array.type):
        return False
    return pa.types.is_string(array.type.value_type) and not array.dictionary.null_count


def _valid(array: pa.Array) -> Bits | None:
    if not array.null_count:
        return None
    bitmap = array.buffers()[0]
    return np.zeros(len(array), np.bool_) if bitmap is None else _bits(bitmap, array.offset, len(array))


def _bits(buffer: pa.Buffer, offset: int, count: int) -> Bits:
    first, last = offset // 8, (offset + count + 7) // 8
    bits = np.unpackbits(np.frombuffer(buffer, np.uint8)[first:last], bitorder="little")
    return bits[offset - first * 8 :][:count].view(np.bool_)


def _raw(array: pa.Array, dtype: str, per_value: int = 1) -> npt.NDArray[np.generic]:
    buffer = array.buffers()[1]
    if buffer is None:
        return np.zeros(len(array) * per_value, dtype)
    width = np.dtype(dtype).itemsize * per_value
    return np.frombuffer(buffer, dtype, len(array) * per_value, array.offset * width)


def _integers(array: pa.Array) -> npt.NDArray[np.generic]:
    return _raw(array, f"<i{array.type.bit_width // 8}").astype("<i8", copy=False)


def _floats(array: pa.Array) -> npt.NDArray[np.generic]:
    values = _raw(array, f"<f{array.type.bit_width // 8}").astype("<f8") + 0.0  # -0.0 + 0.0 is 0.0
    values[np.isnan(values)] = _NAN
    return values


def _decimals(array: pa.Array) -> npt.NDArray[np.generic]:
    return _raw(array, "<u8", 2).reshape(-1, 2)


def _booleans(array: pa.Array) -> npt.NDArray[np.generic]:
    buffer = array.buffers()[1]
    bits = np.zeros(len(array), np.bool_) if buffer is None else _bits(buffer, array.offset, len(array))
    return bits.view(np.uint8)


def _uuids(array: pa.Array) -> npt.NDArray[np.generic]:
    return _raw(array, "u1", 16).reshape(-1, 16)


_FIXED: dict[str, Callable[[pa.Array], npt.NDArray[np.generic]]] = {
    "numeric": _decimals,
    "boolean": _booleans,
    "uuid": _uuids,
    **dict.fromkeys(FLOATS, _floats),
}


def _texts(kind: str, array: pa.Array, valid: Bits | None) -> Iterator[Bytes]:
    if kind == "char" and _any_ends_in_space(array):
        array = pc.utf8_rtrim(array, " ")
    elif kind == "json":
        array = _canonical_json(array, valid)
    offsets = _offsets(array)
    lengths = np.diff(offsets)
    if valid is not None and lengths[~valid].any():
        array = array.fill_null(b"" if kind == "bytes" else "")
        offsets = _offsets(array)
        lengths = np.diff(offsets)
    yield _lengths(lengths)
    data = array.buffers()[2]
    if data is not None:
        yield np.frombuffer(data, np.uint8)[int(offsets[0]) : int(offsets[-1])]


def _coded_texts(kind: str, array: pa.DictionaryArray, valid: Bits | None) -> Iterator[Bytes]:
    """The same of a dictionary array, without its texts one by one; a null has the code of an empty text of its own."""
    values, indices = array.dictionary, array.indices
    if kind == "char":
        values = pc.utf8_rtrim(values, " ")
    codes = np.asarray(indices if valid is None else indices.fill_null(0))
    if valid is not None or codes.dtype.kind == "u":
        codes = codes.astype(np.int64)
    if valid is not None:
        codes[~valid] = len(values)
        values = pa.concat_arrays([values, pa.array([""], pa.string())])
    yield lengths_in(values, codes)
    yield from octets_in(values, codes)


def _any_ends_in_space(array: pa.Array) -> bool:
    data = array.buffers()[2]
    if data is None:
        return False
    offsets = _offsets(array)
    ends = offsets[1:][np.diff(offsets) > 0]
    return bool((np.frombuffer(data, np.uint8)[ends - 1] == ord(" ")).any())


def _canonical_json(array: pa.Array, valid: Bits | None) -> pa.Array:
    texts = array.to_pylist()
    if valid is None:
        canonical = canonical_values(texts)
        return array if canonical is texts else pa.array(canonical, pa.large_string())
    places = np.flatnonzero(valid)
    present = [texts[i] for i in places]
    try:
        canonical = canonical_values(present)
    except NotJson as error:
        raise NotJson(int(places[error.position])) from None
    if canonical is present:
        return array
    for place, text in zip(places, canonical, strict=True):
        texts[place] = text
    return pa.array(texts, pa.large_string())


def _offsets(array: pa.Array) -> npt.NDArray[np.integer]:
    wide = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    dtype = "<i8" if wide else "<i4"
    return np.frombuffer(array.buffers()[1], dtype, len(array) + 1, array.offset * (8 if wide else 4))


def _lengths(lengths: npt.NDArray[np.integer]) -> npt.NDArray[np.generic]:
    if lengths.itemsize > 4 and lengths.max(initial=0) >= 2**32:
        raise ContentInvalid("a value longer than 4 GiB cannot be digested")
    return lengths.astype("<u4")


def _lists(type: SqlType, array: pa.Array, valid: Bits | None) -> Iterator[Bytes]:
    assert type.item is not None
    lengths = _item_counts(array, valid)
    yield _lengths(lengths)
    items = array.flatten()
    yield u64(len(items))
    try:
        yield from encode(type.item, items)
    except NotJson as error:
        raise NotJson(int(np.searchsorted(np.cumsum(lengths), error.position, side="right"))) from None


def _item_counts(array: pa.Array, valid: Bits | None) -> npt.NDArray[np.integer]:
    if not len(array):
        return np.zeros(0, np.int32)
    lengths = np.diff(_offsets(array))
    return lengths if valid is None else np.where(valid, lengths, np.int32(0))


def u64(number: int) -> bytes:
    """Return 8 bytes, little-endian."""
    return number.to_bytes(8, "little")
