"""`template`: a new text out of fixed words and keyed hashes, such as `user-1f3a90bc@example.com`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.canonical import fixed_texts
from masking.draws import told
from masking.keyed import KeyedHash
from masking.transformers.base import Context, Rows
from masking.transformers.fit import WORDS, require_kind, unfit
from masking.transformers.parameters import parameter
from schemas.errors import nearest

_PART = re.compile(r"\{([^{}]*)\}")
_INSIDE = re.compile(r"(hash|digits|letters)(?:\.([^:]+))?(?::([0-9]+))?\Z")
# how many of each come from the 256 bits of a hash, nearly without bias; and the bits in one of them
_MOST = {"hash": 64, "digits": 24, "letters": 16}
_BITS = {"hash": 4.0, "digits": 3.32, "letters": 4.7}
# two of so many values share a hash with a chance of one in a million at most
_ASSUMED_VALUES = 2**26


@dataclass(frozen=True)
class Template:
    """Makes texts from a template: `{hash:8}`, `{digits:6}` and `{letters:5}` are keyed hashes of the value, in so many signs.

    `{hash.COLUMN:8}` hashes the value of another column of the row instead, `{hash.subject:8}` the row's subject: alike wherever
    that person stands. `{{` and `}}` are braces. In a unique column the hashes of the value must be long enough.
    """

    name: ClassVar[str] = "template"
    fits: ClassVar[tuple[str, ...]] = WORDS

    text: str = parameter("the template")

    def __post_init__(self) -> None:
        _parts(self.text)

    def bind(self, context: Context) -> Filled:
        require_kind(context, self.name, self.fits)
        parts = _parts(self.text)
        names = [column.name for column in context.table.columns]
        keys: dict[str | None, bytes] = {}
        for part in parts:
            if isinstance(part, str):
                continue
            if part.source == "subject" and context.subject_domain is None:
                raise unfit(context, self.name, "the table has no subject; name it (`subject:`) or leave out `.subject`")
            if part.source is not None and part.source not in ("subject", *names):
                raise unfit(context, self.name, f"there is no column '{part.source}' in {context.table.name}{nearest(part.source, names)}")
            if part.source not in (None, "subject") and context.table.column(str(part.source)).type.item is not None:
                raise unfit(context, self.name, f"'{part.source}' is an array, which has no hash")
            keys[part.source] = context.key.derive(f"template/{_domain(part.source, context)}")
        longest = sum(len(part) if isinstance(part, str) else part.length for part in parts)
        if context.column.type.length is not None and longest > context.column.type.length:
            raise unfit(context, self.name, f"it makes {longest} characters, and the column is {context.column.type}")
        if context.unique:
            self._require_unique(context, [part for part in parts if not isinstance(part, str) and part.source is None])
        return Filled(tuple(parts), keys)

    def _require_unique(self, context: Context, own: list[Part]) -> None:
        bits = min(64.0 * 4, max((part.length * _BITS[part.kind] for part in own), default=0.0))
        count = context.distinct or _ASSUMED_VALUES
        if count * count / 2.0 ** (bits + 1) > 1e-6:
            needed = next(n for n in range(1, 65) if count * count / 2.0 ** (4 * n + 1) <= 1e-6)
            raise unfit(context, self.name, f"the column is unique, and two values could become alike; use at least `{{hash:{needed}}}`")


@dataclass(frozen=True)
class Part:
    """A hash in a template: in which signs, of what (None: the value itself), how many signs."""

    kind: str
    source: str | None
    length: int


@dataclass(frozen=True)
class Filled:
    """A template's parts, fixed texts and hashes, and the key for each source."""

    parts: tuple[str | Part, ...]
    keys: Mapping[str | None, bytes] = field(repr=False)

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        texts = {source: told(self._values(source, values, rows)) for source in self.keys}
        pieces = [pa.scalar(p) if isinstance(p, str) else _signs(texts[p.source], self.keys[p.source], p) for p in self.parts]
        made = pc.binary_join_element_wise(pa.repeat("", len(values)), *pieces, "")
        return pc.if_else(pc.is_valid(values), made, pa.scalar(None, pa.string()))

    def _values(self, source: str | None, values: pa.Array, rows: Rows) -> pa.Array:
        if source is None:
            return values
        if source == "subject":
            return pa.nulls(len(values), pa.string()) if rows.subject is None else rows.subject
        return rows.columns[source]


def _signs(texts: pa.Array, key: bytes, part: Part) -> pa.Array:
    keyed = KeyedHash(key)
    if part.kind == "hash":
        return pc.utf8_slice_codeunits(keyed.hexadecimal(texts), 0, part.length).cast(pa.string())
    base, first = (10, ord("0")) if part.kind == "digits" else (26, ord("a"))
    each = _MOST[part.kind] // 4  # signs from each 64 bits
    words = keyed.words(texts, 4)
    signs = np.empty((len(texts), part.length), np.uint8)
    for place in range(part.length):
        numbers = words[place // each] // np.uint64(base ** (place % each))
        signs[:, place] = first + numbers % np.uint64(base)
    return fixed_texts(signs)


def _parts(text: str) -> list[str | Part]:
    parts: list[str | Part] = []
    plain = text.replace("{{", "\0").replace("}}", "\1")
    end = 0
    for found in _PART.finditer(plain):
        parts += _fixed(plain[end : found.start()])
        inside = _INSIDE.match(found[1])
        if inside is None:
            raise ValueError(
                f"'{{{found[1]}}}' is not understood; a part is written {{hash:8}}, {{digits:6}}, {{letters:5}} or {{hash.COLUMN:8}}"
            )
        kind, length = inside[1], int(inside[3] or 8)
        if not 1 <= length <= _MOST[kind]:
            raise ValueError(f"'{{{found[1]}}}' must be 1 to {_MOST[kind]} signs long")
        parts.append(Part(kind, inside[2], length))
        end = found.end()
    return parts + _fixed(plain[end:])


def _fixed(text: str) -> list[str | Part]:
    if "{" in text or "}" in text:
        raise ValueError("a brace is not closed or not opened; write `{{` and `}}` for braces")
    text = text.replace("\0", "{").replace("\1", "}")
    return [text] if text else []


def _domain(source: str | None, context: Context) -> str:
    if source is None:
        return f"value/{context.domain}"
    if source == "subject":
        return f"subject/{context.subject_domain}"
    return f"column/{context.table.name}.{source}"
