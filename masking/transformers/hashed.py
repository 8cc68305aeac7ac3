"""`hash`: the keyed hash of a value, as hexadecimal, base64, a uuid or an integer."""

from __future__ import annotations

from binascii import b2a_base64
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.canonical import bitmap, fixed_texts, texts_of, uuid_digits, uuids_of, validity
from masking.errors import TransformerUnfit
from masking.keyed import DIGEST_BYTES, KeyedHash
from masking.transformers.base import Context, Rows
from masking.transformers.integers import IntegerPermutation, integers_of
from masking.transformers.lengths import check_collisions, longest
from masking.transformers.parameters import parameter
from schemas.errors import followed, nearest
from schemas.types import INTEGERS, TEXTS, SqlType

FORMS = ("hex", "base64", "uuid", "integer")
_HOLDS = {"uuid": "uuid", "bytes": "hex", "numeric": "integer", **dict.fromkeys(INTEGERS, "integer")}  # the one form of types but text
_BITS = {"hex": 4.0, "base64": 6.0}
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_FULL = {"hex": 64, "base64": 43}
_UUID_LENGTH = 36
_DIGITS_OF_BIGINT = 19


@dataclass(frozen=True)
class Hash:
    """HMAC-SHA-256 under a key of the column's domain, of the value's canonical text.

    `form` is `hex`, `base64` (of RFC 4648's alphabet for URLs), `uuid` (version 4, RFC 9562) or `integer`; without one, the form
    that fits the type: `integer` for integers, `uuid` for uuids, else `hex`. `length` cuts hex and base64 to so many characters;
    without it they are as long as the column lets them be. `fold` hashes texts in folded case, without spaces around them.

    Integers are permuted among those that need as many bytes (1 to 2^15-1, to 2^31-1, to 2^63-1, and the negative ones alike),
    so that nothing collides, signs stay, and what fitted a column fits it still; 0 stays 0, as it names nobody. Other values in
    integer form become 20 digits of text.
    """

    name: ClassVar[str] = "hash"
    fits: ClassVar[tuple[str, ...]] = (*TEXTS, *INTEGERS, "numeric", "uuid", "bytes")

    form: Literal["hex", "base64", "uuid", "integer"] | None = parameter("how it is written", default=None)
    length: int | None = parameter("how many characters of hex (at most 64) or base64 (43)", default=None, least=1, most=64)
    fold: bool = parameter("take texts that differ in case, or in spaces around them, for one", default=False)

    def bind(self, context: Context) -> _Hasher:
        """Raises TransformerUnfit for an unknown form, one that the type cannot hold, or a length at which values may collide."""
        kind, where = context.column.type.kind, f"{context.table.name}.{context.column.name}"
        form = self.form or _HOLDS.get(kind, "hex")
        if form not in FORMS:
            hint = followed(nearest(form, FORMS), f"it has {', '.join(FORMS)}")
            raise TransformerUnfit(f"{where}: `hash` has no form '{form}'{hint}")
        if kind not in TEXTS and form != _HOLDS.get(kind):
            advice = f"take `form: {_HOLDS[kind]}`" if kind in _HOLDS else "`hash` is for texts, integers, uuids and bytes"
            raise TransformerUnfit(f"{where}: a {context.column.type} cannot hold a hash in the form {form}; {advice}")
        if kind == "numeric":
            _require_room(context.column.type, where)
        if self.length is not None and (form not in _FULL or not 1 <= self.length <= _FULL[form]):
            raise TransformerUnfit(f"{where}: `length` is for hex (1 to 64) and base64 (1 to 43), not {self.length} for {form}")
        if self.fold and context.unique:
            raise TransformerUnfit(f"{where}: `fold` makes one value of those that differ in case, and the column is unique")
        key = KeyedHash(context.key.derive(f"hash/{context.domain}"))
        integers = IntegerPermutation(KeyedHash(context.key.derive(f"integers/{context.domain}")))
        return _Hasher(key, integers, form, self._length(context, form, where), self.fold)

    def _length(self, context: Context, form: str, where: str) -> int:
        room = longest(context.column.type)
        if form == "uuid" or form == "integer":
            need = _UUID_LENGTH if form == "uuid" else _DIGITS_OF_BIGINT + 1
            if context.column.type.kind in TEXTS and room < need:
                raise TransformerUnfit(f"{where}: a {context.column.type} is too short for a hash in the form {form} ({need} characters)")
            return need
        length = min(self.length or _FULL[form], room)
        if self.length is not None and self.length > room:
            raise TransformerUnfit(f"{where}: {self.length} characters are asked for, and a {context.column.type} holds {room}")
        if context.unique:
            check_collisions(where, "hash", length * _BITS[form], context.distinct)
        return length


@dataclass(frozen=True)
class _Hasher:
    key: KeyedHash
    integers: IntegerPermutation
    form: str
    length: int
    fold: bool

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        if pa.types.is_integer(values.type) or pa.types.is_decimal(values.type):
            return self.integers.apply(values)
        texts = texts_of(values)
        if self.fold:
            texts = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
        if self.form == "integer":
            return self._integers(texts)
        if self.form == "uuid":
            return self._uuids(texts, values.type)
        if pa.types.is_binary(values.type):
            return _binary(self.key.digests(texts), validity(texts))
        if self.form == "hex":
            digits = self.key.hexadecimal(texts)
            return (digits if self.length == _FULL["hex"] else pc.utf8_slice_codeunits(digits, 0, self.length)).cast(pa.string())
        return fixed_texts(_base64(self.key.digests(texts))[:, : self.length], validity(texts))

    def _uuids(self, texts: pa.Array, kind: pa.DataType) -> pa.Array:
        raw = self.key.digests(texts, 16)
        raw[:, 6] = (raw[:, 6] & 0x0F) | 0x40
        raw[:, 8] = (raw[:, 8] & 0x3F) | 0x80
        return uuids_of(raw, validity(texts)) if isinstance(kind, pa.UuidType) else fixed_texts(uuid_digits(raw), validity(texts))

    def _integers(self, texts: pa.Array) -> pa.Array:
        """Texts that are integers as the integers would be; other texts as 20 digits, which no integer of eight bytes has."""
        numbers, written = integers_of(texts)
        words = self.key.words(texts)[0]
        # 10^19 .. 10^19 + 2^63 - 1 has 20 digits and is beyond every bigint
        others = pa.array(words >> np.uint64(1)).cast(pa.string())
        others = pc.binary_join_element_wise("1", pc.utf8_lpad(others, _DIGITS_OF_BIGINT, "0"), "")
        permuted = self.integers.apply(numbers).cast(pa.string())
        return pc.if_else(texts.is_valid(), pc.if_else(written, permuted, others), pa.scalar(None, pa.string()))


def _base64(raw: np.ndarray) -> np.ndarray:
    """The 43 characters of 32 bytes each, without padding."""
    padded = np.zeros((len(raw), DIGEST_BYTES + 1), np.uint8)  # a multiple of three, so that all rows can be written in one go
    padded[:, :DIGEST_BYTES] = raw
    written = np.frombuffer(b2a_base64(padded.tobytes(), newline=False).translate(_URL_SAFE), np.uint8)
    return written.reshape(-1, _FULL["base64"] + 1)[:, : _FULL["base64"]]


def _binary(raw: np.ndarray, valid: np.ndarray | None) -> pa.Array:
    offsets = pa.py_buffer(np.arange(len(raw) + 1, dtype=np.int32) * DIGEST_BYTES)
    return pa.Array.from_buffers(pa.binary(), len(raw), [bitmap(valid), offsets, pa.py_buffer(np.ascontiguousarray(raw))])


def _require_room(kind: SqlType, where: str) -> None:
    """A hash has up to 19 digits and no decimals; a numeric of fewer would overflow in the middle of a run."""
    if kind.precision is not None and kind.scale:
        raise TransformerUnfit(f"{where}: a {kind} has decimals, and `hash` is for whole numbers; take `noise` or `round`")
    if kind.precision is not None and kind.precision < _DIGITS_OF_BIGINT:
        raise TransformerUnfit(
            f"{where}: a {kind} holds fewer than the {_DIGITS_OF_BIGINT} digits that a hash may have; take `code`, which keeps their number"
        )
