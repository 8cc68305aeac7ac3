"""The canonical text of a typed value, under which values of different columns are the same value.

An integer of two bytes and one of eight, a numeric and an integer, a uuid and its text: equal values have equal texts, so that
a key and what references it are masked alike whatever their types.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import MaskingFailed
from masking.octets import octets_of

_PAIRS = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint16)  # the two digits of each byte
_GROUPS = ((0, 8, 0), (8, 12, 1), (12, 16, 2), (16, 20, 3), (20, 32, 4))  # digits from .. to, after so many hyphens
_UUID_LENGTH = 36
_DIGITS_OF_A_WORD = 18
_MOST_LISTED = 4
_ZERO = r"^-?0(\.0*)?(E[-+]?\d+)?$"  # Arrow writes a zero of nine decimals as 0E-9
_LAST_IS_ZERO = r"0(?:E[-+]?\d+)?$"
_ZERO_DIGIT, _EXPONENT = ord("0"), ord("E")
_TRAILING_ZEROS = r"^(?:(-?\d+)\.0*|(-?\d+\.\d*?[1-9])0+)(E[-+]?\d+)?$"


def texts_of(values: pa.Array) -> pa.Array:
    """Return the canonical texts (`string`) of an array of any scalar type; nulls stay null.

    Numbers are written without needless zeros, uuids in lower case with hyphens, bytes in hexadecimal, durations in
    microseconds, and the rest as Arrow writes it. Raises MaskingFailed for nested types.
    """
    kind = values.type
    if pa.types.is_string(kind):
        return values
    if isinstance(kind, pa.UuidType):
        return _text_of_uuids(values.storage)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([None if v is None else v.hex() for v in values.to_pylist()], pa.string())
    if pa.types.is_decimal(kind):
        return _text_of_decimals(values)
    if pa.types.is_duration(kind):
        return values.cast(pa.int64()).cast(pa.string())
    if pa.types.is_dictionary(kind):
        return texts_of(values.dictionary_decode())
    if pa.types.is_nested(kind):
        raise MaskingFailed(f"values of the type {kind} have no text of their own; mask their parts by path")
    return values.cast(pa.string())


def uuids_of(raw: np.ndarray, valid: np.ndarray | None) -> pa.Array:
    """Return an array of Arrow's uuid type from the 16 bytes of each (`uint8`, rows by 16); those not `valid` are null."""
    storage = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(raw), [bitmap(valid), pa.py_buffer(np.ascontiguousarray(raw))])
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


def hexadecimal(raw: np.ndarray) -> np.ndarray:
    """Return the hexadecimal digits (ASCII, `uint8`, two for each byte) of rows of bytes."""
    return _PAIRS.take(raw).view(np.uint8)


def uuid_digits(raw: np.ndarray) -> np.ndarray:
    """Return the text of uuids (ASCII, rows by 36) from their bytes (rows by 16)."""
    digits = hexadecimal(raw)
    text = np.full((len(raw), _UUID_LENGTH), ord("-"), np.uint8)
    for start, end, shift in _GROUPS:
        text[:, start + shift : end + shift] = digits[:, start:end]
    return text


def fixed_texts(characters: np.ndarray, valid: np.ndarray | None = None) -> pa.Array:
    """Return a `string` array of ASCII texts of one length from their characters (`uint8`, rows by length; less than 2^31 in all)."""
    rows, length = characters.shape
    offsets = pa.py_buffer(np.arange(rows + 1, dtype=np.int32) * np.int32(length))
    return pa.StringArray.from_buffers(rows, offsets, pa.py_buffer(np.ascontiguousarray(characters)), bitmap(valid))


def bitmap(valid: np.ndarray | None) -> pa.Buffer | None:
    """Return Arrow's validity bitmap of a boolean array; None where all are valid."""
    return None if valid is None or valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))


def validity(values: pa.Array) -> np.ndarray | None:
    """Return which values are not null (boolean), or None where none is."""
    return None if values.null_count == 0 else values.is_valid().to_numpy(zero_copy_only=False)


def _text_of_decimals(values: pa.Array) -> pa.Array:
    if pa.types.is_decimal128(values.type) and values.type.precision <= _DIGITS_OF_A_WORD and 0 < values.type.scale <= _MOST_LISTED:
        units = np.frombuffer(values.buffers()[1], "<i8")[2 * values.offset : 2 * (values.offset + len(values)) : 2]
        valid = validity(values)
        units = units if valid is None else np.where(valid, units, 0)
        if units.min(initial=0) >= 0:  # a sign before 0 is not the whole number's
            return _joined_with_decimals(units, valid, values.type.scale)
    texts = values.cast(pa.string())
    some = _last_digit_is_zero(texts)  # few have a zero that might be needless
    trimmed = pc.replace_substring_regex(texts.filter(some), _ZERO, "0")
    return pc.replace_with_mask(texts, some, pc.replace_substring_regex(trimmed, _TRAILING_ZEROS, r"\1\2\3"))


def _joined_with_decimals(units: np.ndarray, valid: np.ndarray | None, scale: int) -> pa.Array:
    whole = units // 10**scale
    decimals = _all_decimals(scale).take(pa.array(units - whole * 10**scale))
    return pc.binary_join_element_wise(pa.array(whole, mask=None if valid is None else ~valid).cast(pa.string()), decimals, "")


@cache
def _all_decimals(scale: int) -> pa.Array:
    """What stands behind the whole part of numbers, by their decimals, without needless zeros."""
    return pa.array([f".{decimals:0{scale}d}".rstrip("0").rstrip(".") for decimals in range(10**scale)], pa.string())


def _last_digit_is_zero(texts: pa.Array) -> pa.Array:
    offsets, octets = octets_of(texts)
    if (octets == _EXPONENT).any():
        return pc.match_substring_regex(texts, _LAST_IS_ZERO).fill_null(False)
    ends = np.append(octets, np.uint8(0)).take(offsets[1:] - 1)  # of a null, the last of another text or the zero behind all
    return pa.array((ends == _ZERO_DIGIT) & (offsets[1:] > offsets[:-1]))


def _text_of_uuids(storage: pa.Array) -> pa.Array:
    valid = validity(storage)
    data = np.frombuffer(storage.buffers()[1], np.uint8)
    raw = data[storage.offset * 16 : (storage.offset + len(storage)) * 16].reshape(-1, 16)
    return fixed_texts(uuid_digits(raw), valid)
