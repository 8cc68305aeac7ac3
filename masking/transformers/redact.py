"""`redact`: what is personal in a free text gives way to marks, or to the pseudonyms of other transformers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from masking.classes import ENTITIES
from masking.keyed import KeyedHash
from masking.transformers.base import Context, KnownTexts, Learner, Masker, Rows, Transformer
from masking.transformers.binding import bound_within
from masking.transformers.fit import WORDS, require_kind, require_repeats, unfit
from masking.transformers.parameters import parameter
from masking.transformers.suffixes import suffix_length, suffixes
from schemas.errors import nearest
from schemas.types import SqlType

if TYPE_CHECKING:
    from masking.text import Found

_STARS = "****"
_HIDDEN = "***"
_TEXT = SqlType("text")
_WORD = re.compile(r"\S*[^\W\d_]\S*")
_WORDS_OF_PROSE = 4


@dataclass(frozen=True)
class Redact:
    """Replaces what is personal in a text, found by patterns, dictionaries, a small model and the source's own values.

    A replaced value becomes `<EMAIL>` and the like, `****`, or what the transformer of its entity makes of it: a name in a text
    then gets the pseudonym that it gets in its column. Texts longer than the column are cut, never within a mark. Needs the extra
    `pii`.

    With `known` nothing is looked for but the source's own values, which is for names of things of which a few hold one: a
    `Florence Nightingale Ward`. In a unique column, which is masked so alone, a suffix of the value's hash keeps such texts different.
    """

    name: ClassVar[str] = "redact"
    fits: ClassVar[tuple[str, ...]] = WORDS
    of_strings: ClassVar[bool] = True

    by: Mapping[str, Transformer] = field(
        default_factory=dict,
        metadata={"help": "transformers by entity, such as `{email: email, person_name: name}`; other entities get a mark"},
    )
    mark: Literal["entity", "stars"] = parameter("what stands for a value: `<ENTITY>` or `****`", default="entity")
    keep: tuple[str, ...] = parameter("entities that stay as they are", default=())
    fast: bool = parameter("ask the model only where patterns and rules are unsure: many times as fast, and misses more", default=False)
    known: bool = parameter("look for values of the source's personal columns alone", default=False)

    def __post_init__(self) -> None:
        for entity in (*self.by, *self.keep):
            if entity not in ENTITIES:
                raise ValueError(f"there is no entity '{entity}'{nearest(entity, ENTITIES)}")

    def bind(self, context: Context) -> Redacted:
        from masking.text import Finder

        require_kind(context, self.name, WORDS)
        if not self.known:
            require_repeats(context, self.name, "hash")
        maskers: dict[str, Masker] = {}
        for entity, transformer in self.by.items():
            column = replace(context.column, type=_TEXT)
            masker = bound_within(transformer, replace(context, column=column, domain=entity))
            if isinstance(masker, Learner):
                raise unfit(context, self.name, f"'{transformer.name}' of '{entity}' has to see all values of a column first")
            maskers[entity] = masker
        finder: Finds = OwnValues(context.known) if self.known else Finder(fast=self.fast, known=context.known)
        suffix = None
        if context.unique:
            suffix = Suffix(KeyedHash(context.key.derive(f"redact/{context.domain}/suffix")), suffix_length(context.distinct))
        return Redacted(finder, maskers, frozenset(self.keep), self.mark == "stars", context.column.type.length, suffix=suffix)


class Finds(Protocol):
    """What says which spans of texts are personal."""

    def find(self, texts: Sequence[str]) -> list[list[Found]]: ...


@dataclass(frozen=True)
class OwnValues:
    """Finds the values of the source alone."""

    known: KnownTexts | None

    def find(self, texts: Sequence[str]) -> list[list[Found]]:
        from masking.text import Found

        told = [[] for _ in texts] if self.known is None else self.known.find(texts)
        return [[Found(start, end, entity, 1.0) for start, end, entity in spans] for spans in told]


@dataclass(frozen=True)
class Suffix:
    """What keeps redacted texts of a unique column apart: so many letters of the hash of the text as it was."""

    key: KeyedHash
    length: int

    def of(self, texts: pa.Array) -> list[str]:
        return [f" {letters}" for letters in suffixes(self.key, texts, self.length).to_pylist()]


@dataclass(frozen=True)
class RedactProse:
    """`redact` for strings of which nobody has said what they are: what is no prose is hidden, unless all of it is found."""

    name: ClassVar[str] = Redact.name
    of_strings: ClassVar[bool] = True

    redact: Redact

    def bind(self, context: Context) -> Redacted:
        return replace(self.redact.bind(context), prose_alone=True)


@dataclass(frozen=True)
class Redacted:
    """Texts without what was found in them; each different text of a batch is read once."""

    finder: Finds
    maskers: Mapping[str, Masker]
    keep: frozenset[str]
    stars: bool
    length: int | None
    prose_alone: bool = False
    suffix: Suffix | None = None

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        # a transformer that looks at the row gives each row its own pseudonyms; marks are the same in all
        if self.maskers:
            texts, places = values.drop_null(), pc.indices_nonzero(pc.is_valid(values)).cast(pa.int64())
        else:
            encoded = values.dictionary_encode()
            texts, places = encoded.dictionary, pa.array(range(len(encoded.dictionary)), pa.int64())
        written = texts.to_pylist()
        personal = self.finder.find(written)
        found = [[f for f in spans if f.entity not in self.keep] for spans in personal]
        pseudonyms = self._pseudonyms(written, found, places, rows)
        ends = [""] * len(written) if self.suffix is None else self.suffix.of(texts)
        masked = [
            self._written(i, text, spans, pseudonyms, len(end)) + end if spans else text
            for i, (text, spans, end) in enumerate(zip(written, found, ends))
        ]
        if self.prose_alone:
            masked = [out if _is_prose(text) or _is_found(text, spans) else _HIDDEN for out, text, spans in zip(masked, written, personal)]
        out = pa.array(masked, values.type)
        if not self.maskers:
            return out.take(encoded.indices)
        return pc.replace_with_mask(values, pc.is_valid(values), out)

    def _pseudonyms(
        self, texts: Sequence[str], found: Sequence[Sequence[Found]], places: pa.Array, rows: Rows
    ) -> dict[tuple[int, int], str]:
        """What the transformers make of the values that they are for, by text and first character."""
        pseudonyms: dict[tuple[int, int], str] = {}
        for entity, masker in self.maskers.items():
            where = [(i, f) for i, spans in enumerate(found) for f in spans if f.entity == entity]
            if where:
                raw = pa.array([texts[i][f.start : f.end] for i, f in where], pa.string())
                masked = masker.apply(raw, rows.take(places.take(pa.array([i for i, _ in where], pa.int64()))))
                pseudonyms.update(((i, f.start), value or "") for (i, f), value in zip(where, masked.to_pylist()))
        return pseudonyms

    def _written(self, number: int, text: str, spans: Sequence[Found], pseudonyms: Mapping[tuple[int, int], str], reserved: int = 0) -> str:
        """A text with marks in the place of its spans, and room for `reserved` characters behind it."""
        length = None if self.length is None else max(0, self.length - reserved)
        parts: list[str] = []
        size = at = 0
        for span in spans:
            between = text[at : span.start]
            mark = pseudonyms.get((number, span.start))
            if mark is None:
                mark = _STARS if self.stars else f"<{span.entity.upper()}>"
            if length is not None and size + len(between) + len(mark) > length:
                parts.append(cut(between, length - size))
                return "".join(parts)
            parts += (between, mark)
            size += len(between) + len(mark)
            at = span.end
        rest = text[at:]
        parts.append(rest if length is None else cut(rest, length - size))
        return "".join(parts)


def _is_prose(text: str) -> bool:
    return len(_WORD.findall(text)) >= _WORDS_OF_PROSE


def _is_found(text: str, spans: Sequence[Found]) -> bool:
    """Whether nothing but signs and spaces is left of a text without its spans."""
    ends = [0, *(span.end for span in spans)]
    starts = [*(span.start for span in spans), len(text)]
    return not any(c.isalnum() for end, start in zip(ends, starts) for c in text[end:start])


def cut(text: str, length: int) -> str:
    """The first `length` characters of a text at most, without the beginning of a character whose marks would be cut off."""
    if len(text) <= length:
        return text
    while length > 0 and (unicodedata.combining(text[length]) or text[length] in "\u200d\ufe0f" or text[length - 1] == "\u200d"):
        length -= 1
    return text[:length]
