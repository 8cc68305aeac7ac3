"""`name`: names of people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import TransformerUnfit
from masking.keyed import KeyedHash, UInt64
from masking.scripts import by_locale, known_locale
from masking.transformers.base import Context, Rows
from masking.transformers.choices import Int64, choices, left_empty, lowered, tidy
from masking.transformers.lengths import UNLIMITED, longest, text_column
from masking.transformers.name_shapes import Shapes
from masking.transformers.parameters import parameter
from masking.transformers.persona import Flags, Names, Seeds, family_first, genders, names
from masking.transformers.suffixes import suffix_length, suffixes
from schemas.errors import nearest
from schemas.types import TEXTS

PARTS = ("full", "given", "family")
_LEAST_ROOM = 8
_FEWEST = 20


@dataclass(frozen=True)
class Name:
    """A name of the same shape in the same script, picked by the folded value (case and spaces aside), or by the subject.

    `parts` is `full`, `given` or `family`. Kept are the script (and with it the locale: the policy's, or `locale`), the order and
    the number of words, titles (`Dr.`), initials, the case where all letters have one, and the gender: as the column `gender`
    tells it, else as the given name does, where it is known as a woman's or a man's alone. With `keep_length` short names stay
    short and long ones long. No word of the name is one of the original's. With `subject`, given name, family name, e-mail
    address and user name of a person agree; gender is then told by a column alone.

    In a unique column a suffix of the value's hash keeps different names different, and case and spaces count.
    """

    name: ClassVar[str] = "name"
    fits: ClassVar[tuple[str, ...]] = TEXTS

    parts: Literal["full", "given", "family"] = parameter("which part of a name the column holds", default="full")
    subject: bool = parameter("pick by the person whom the row is about, not by the value", default=False)
    gender: str | None = parameter("the column that tells the gender", default=None)
    locale: str | None = parameter("whose values, such as `de_DE`; the policy's where it is left out", default=None)
    keep_length: bool = parameter("keep short names short and long ones long", default=False)

    def bind(self, context: Context) -> _Names:
        """Raises TransformerUnfit for other columns than texts, too short ones, unknown parts and columns, and a missing subject."""
        where, table = text_column(context, self.name), context.table
        if self.parts not in PARTS:
            raise TransformerUnfit(f"{where}: `parts` is {', '.join(PARTS)}, not '{self.parts}'{nearest(self.parts, PARTS)}")
        if self.gender is not None and not table.has(self.gender):
            known = [c.name for c in table.columns]
            raise TransformerUnfit(f"{where}: the table has no column '{self.gender}' to tell the gender{nearest(self.gender, known)}")
        locale = known_locale(where, self.locale or context.locale)
        room = longest(context.column.type)
        suffix = suffix_length(context.distinct) if context.unique else 0
        room -= suffix + 1 if suffix else 0
        if room < _LEAST_ROOM and (self.parts == "full" or choices("family_name_female", locale).fitting(room) < _FEWEST):
            need = f", of which the suffix of a unique column takes {suffix + 1}" if suffix else ""
            raise TransformerUnfit(f"{where}: a {context.column.type} is too short for names{need}; mask it by `code`")
        purpose = KeyedHash(context.key.derive(f"name/{context.domain}/suffix"))
        return _Names(self, Seeds.of(context, "name", self.subject), purpose, locale, room, suffix, context.unique)


@dataclass(frozen=True)
class _Names:
    parameters: Name
    seeds: Seeds
    key: KeyedHash
    locale: str
    room: int
    suffix: int
    exact: bool

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        tidied = tidy(values)
        folded = lowered(tidied)
        words = self.seeds.words(values if self.exact else folded, rows)
        told = None if self.parameters.gender is None else rows.columns[self.parameters.gender]
        masked = by_locale(values, self.locale, lambda locale, here: self._people(locale, here, tidied, folded, words, told))
        if self.suffix:
            masked = pc.binary_join_element_wise(masked, suffixes(self.key, values, self.suffix), " ")
        return left_empty(values, folded, masked)

    def _people(self, locale: str, here: np.ndarray, values: pa.Array, folded: pa.Array, words: UInt64, told: pa.Array | None) -> pa.Array:
        if len(here) < len(values):
            index = pa.array(here)
            values, folded, words = values.take(index), folded.take(index), words[:, here]
            told = None if told is None else told.take(index)
        parts = self.parameters.parts
        shapes = Shapes.of(values, folded, 2 if parts == "full" else 1, locale)
        given_names, family_names = names("given_name", locale), names("family_name", locale)
        first, last = given_names.numbers_of(shapes.first), family_names.numbers_of(shapes.last)
        guessed = None
        if self.seeds.subjects is None:
            guessed = given_names.genders(first) if parts != "family" else family_names.genders(family_names.numbers_of(shapes.first))
        female = genders(words, told, guessed)
        given = self._chosen(given_names, female, words[1], first, shapes.first) if parts != "family" else None
        family = self._chosen(family_names, female, words[2], last, shapes.last) if parts != "given" else None
        masked = given if family is None else family
        if given is not None and family is not None:
            ordered = (family, given) if family_first(locale) else (given, family)

            def middle(i: int, rows: Int64) -> pa.Array:
                further = names("middle_name", locale)
                picking = words[(3, 0)[i]]
                if len(rows) == len(picking):
                    return further.texts.take(pa.array(further.choose(female, picking)))
                return further.texts.take(pa.array(further.choose(female[rows], picking[rows])))

            masked = shapes.written(lambda: pc.binary_join_element_wise(*ordered, " "), given, family, middle)
        masked = _cased_like(masked, values)
        return pc.utf8_rtrim(pc.utf8_slice_codeunits(masked, 0, self.room), " -.'") if self.room < UNLIMITED else masked

    def _chosen(self, known: Names, female: Flags, words: UInt64, avoid: Int64, original: pa.Array) -> pa.Array:
        # half of the column is for either word of a full name
        room = self.room if self.parameters.parts != "full" else (self.room - 1) // 2 if self.room < UNLIMITED else UNLIMITED
        like = pc.utf8_length(original).fill_null(0).to_numpy(zero_copy_only=False) if self.parameters.keep_length else None
        return known.texts.take(pa.array(known.choose(female, words, avoid, room, like)))


def _cased_like(masked: pa.Array, values: pa.Array) -> pa.Array:
    """Upper or lower case throughout where the original has it."""
    upper, lower = pc.utf8_is_upper(values), pc.utf8_is_lower(values).fill_null(False)
    if pc.any(upper).as_py():
        several = pc.and_(upper, pc.greater(pc.utf8_length(values), 1)).fill_null(False)
        masked = pc.if_else(several, pc.utf8_upper(masked), masked)
    return pc.if_else(lower, pc.utf8_lower(masked), masked) if pc.any(lower).as_py() else masked
