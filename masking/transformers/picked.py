"""Pseudonyms picked from a pool of texts: what the transformers of places, jobs and companies have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.cmac import Cmac
from masking.errors import TransformerUnfit
from masking.keyed import KeyedHash, UInt64
from masking.scripts import by_locale, known_locale
from masking.transformers.base import Context, Masker, Rows
from masking.transformers.choices import choices, fold, left_empty
from masking.transformers.lengths import UNLIMITED, check_pool, longest, text_column
from masking.transformers.parameters import parameter
from masking.transformers.suffixes import suffix_length, suffixes
from schemas.types import TEXTS

# a locale, texts of its script as they are and folded, and their words and the room for them: the pseudonyms
Composer = Callable[[str, pa.Array, pa.Array, UInt64, int], pa.Array]

_FEWEST = 3


@dataclass(frozen=True)
class Picked:
    """The masker that picks a pseudonym by the folded text, in its script; blank texts stay.

    In a unique column the text itself counts, and a suffix of its hash keeps different texts different.
    """

    compose: Composer
    key: Cmac
    marks: KeyedHash
    locale: str
    room: int
    suffix: int

    @classmethod
    def of(cls, context: Context, name: str, kind: str, locale: str | None, compose: Composer) -> Picked:
        """Raises TransformerUnfit where the column holds no texts, or too short ones for the pool of `kind` or for a suffix."""
        where = text_column(context, name)
        found = known_locale(where, locale or context.locale)
        suffix = suffix_length(context.distinct) if context.unique else 0
        whole = longest(context.column.type)
        room = whole - (suffix + 1 if suffix else 0)
        fitting = choices(kind, found).fitting(max(room, 0))
        if fitting < _FEWEST and suffix:
            check_pool(where, name, choices(kind, found).fitting(whole), context.distinct)
            raise TransformerUnfit(
                f"{where}: a {context.column.type} has no room for `{name}` and a suffix of {suffix} letters; use `code`"
            )
        if fitting < _FEWEST:
            raise TransformerUnfit(f"{where}: a {context.column.type} is too short for `{name}`; mask it by `code`")
        key, marks = (context.key.derive(f"{name}/{context.domain}{part}") for part in ("", "/suffix"))
        return cls(compose, Cmac(key), KeyedHash(marks), found, room, suffix)

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        folded = fold(values)
        words = self.key.words(values if self.suffix else folded, 4)

        def masked_in(locale: str, here: np.ndarray) -> pa.Array:
            index = pa.array(here)
            return self.compose(locale, values.take(index), folded.take(index), words[:, here], self.room)

        masked = by_locale(values, self.locale, masked_in)
        if self.suffix:
            masked = pc.binary_join_element_wise(masked, suffixes(self.marks, values, self.suffix), " ")
        return left_empty(values, folded, masked)


@dataclass(frozen=True)
class FromPool:
    """What transformers by a pool share: `kind` is the pool that has to have texts which fit the column."""

    name: ClassVar[str]
    kind: ClassVar[str]
    fits: ClassVar[tuple[str, ...]] = TEXTS

    locale: str | None = parameter("whose values, such as `de_DE`; the policy's where it is left out", default=None)

    def bind(self, context: Context) -> Masker:
        """Raises TransformerUnfit for other columns than texts, and for too short ones."""
        return Picked.of(context, self.name, self.kind, self.locale, self.composer(context))

    def composer(self, context: Context) -> Composer:
        """What makes the pseudonyms: texts of the pool as they are."""
        return lambda locale, texts, folded, words, room: picked_text(self.kind, locale, words[0], folded, room)


def picked_text(kind: str, locale: str, words: UInt64, avoid: pa.Array | None = None, room: int = UNLIMITED) -> pa.Array:
    """Return the text of a pool that each word picks (see `Choices.choose`)."""
    pool = choices(kind, locale)
    return pool.texts.take(pa.array(pool.choose(words, avoid, room)))


def cut(texts: pa.Array, room: int) -> pa.Array:
    """Texts cut to `room` characters, without what a cut would leave dangling."""
    return texts if room >= UNLIMITED else pc.utf8_rtrim(pc.utf8_slice_codeunits(texts, 0, room), " ,;-/&(")
