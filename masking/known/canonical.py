"""Values of any column type as the texts by which they are compared, and other ways to write the same value."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.known.stream import I64

# E.164: a plus or two zeros, a country code, the national number; codes of one and two digits are listed, all others have three
_INTERNATIONAL = r"^(?:\+|00)(?P<country>1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[2-9]\d{2})(?P<national>\d{6,12})$"
_TAGGED = r"^(?P<local>[^+@]+)\+[^@]*(?P<domain>@.+)$"


def texts_of(values: pa.Array) -> tuple[pa.Array, I64 | None]:
    """Return `values` as texts (large_string), and for lists the row of each text, None where rows and texts are the same.

    Numbers without needless zeros, times in ISO 8601 without needless fractions and zones, uuids and other binary values in
    hexadecimal (what is UTF-8 as text). Truth values give none: they tell nobody apart.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    kind = values.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        items, inner = texts_of(values.flatten())
        rows = np.asarray(pc.list_parent_indices(values), np.int64)
        return items, rows if inner is None else rows[inner]
    if pa.types.is_dictionary(kind):
        return texts_of(values.dictionary_decode())
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return pa.nulls(len(values), pa.large_string()), None
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _binary(values), None
    if pa.types.is_duration(kind):
        values = values.cast(pa.int64())
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        values = values.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.timestamp(kind.unit))
    if pa.types.is_timestamp(kind):
        seconds = values.cast(pa.timestamp("s"), safe=False)
        if seconds.cast(values.type).equals(values):  # most times are whole seconds, which need no look at each text
            return seconds.cast(pa.large_string()), None
    texts = values.cast(pa.large_string())
    if (pa.types.is_decimal(kind) and kind.scale > 0) or pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        ending = pc.ends_with(texts, "0").fill_null(False)
        pattern = r"\.?0+$|(\.\d*[1-9])0+$" if pa.types.is_decimal(kind) else r"\.0+$|(\.\d*[1-9])0+$"
        texts = pc.replace_with_mask(texts, ending, pc.replace_substring_regex(texts.filter(ending), pattern, r"\1"))
    return texts, None


def other_spellings(texts: pa.Array, entity: str | None, kind: pa.DataType) -> list[pa.Array]:
    """Return other ways to write the same values, of those values that have some.

    E-mail addresses without a tag (`anna+news@x.org`), telephone numbers without the country code (with and without a zero before
    them) and with it (with and without two zeros), dates with the day or the month first.
    """
    if entity == "email":
        return [_joined(texts, _TAGGED, ("local", "domain"))]
    if entity == "phone":
        dialled = pc.replace_substring_regex(texts, r"[^+\d]", "")
        national, whole = (_joined(dialled, _INTERNATIONAL, parts) for parts in (("national",), ("country", "national")))
        none, zero, zeros = (pa.scalar(z, pa.large_string()) for z in ("", "0", "00"))
        return [national, pc.binary_join_element_wise(zero, national, none), whole, pc.binary_join_element_wise(zeros, whole, none)]
    if pa.types.is_date(kind):
        pattern = r"^(\d{4})-(\d\d)-(\d\d)$"
        return [pc.replace_substring_regex(texts, pattern, form) for form in (r"\3.\2.\1", r"\2/\3/\1")]
    return []


def _joined(texts: pa.Array, pattern: str, groups: tuple[str, ...]) -> pa.Array:
    found = pc.extract_regex(texts, pattern).drop_null()
    parts = [pc.struct_field(found, name) for name in groups]
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, pa.scalar("", parts[0].type))


def _binary(values: pa.Array) -> pa.Array:
    if pa.types.is_fixed_size_binary(values.type):
        return pa.array([None if v is None else v.hex() for v in values.to_pylist()], pa.large_string())
    return pa.array([None if v is None else _text_of_bytes(v) for v in values.to_pylist()], pa.large_string())


def _text_of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return hashlib.sha256(value).hexdigest()
