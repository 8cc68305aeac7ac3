"""The invented person who stands for a person: a gender, given names and a family name, picked by keyed hash.

Picked by a value (its name, its address), or by the key of the person whom a row is about (`subject`), so that name, e-mail
address and user name agree wherever that person stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import TransformerUnfit
from masking.keyed import KeyedHash, UInt64
from masking.pools import language
from masking.transformers.base import Context, Rows
from masking.transformers.choices import choices

Flags = npt.NDArray[np.bool_]

GENDERS = ("female", "male")
_WORDS = 4
# words and letters of common languages, and the numbers of ISO/IEC 5218
_FEMALE = "^(f|w|k|ж|2)$|^(fem|weib|frau|woman|girl|mujer|donna|vrouw|kvinn|kobiet|жен|女|여)"
_MALE = "^(m|h|м|1)$|^(male|masc|homme|hombre|männ|herr|man$|boy|uomo|maschi|var[oó]n|муж|男|남)"
_FAMILY_FIRST = ("ja", "zh", "ko", "hu", "vi")


@dataclass(frozen=True)
class Seeds:
    """The hashes by which people are picked: of the subject of a row where one is asked for and known, else of the value."""

    values: KeyedHash
    subjects: KeyedHash | None

    @classmethod
    def of(cls, context: Context, purpose: str, subject: bool) -> Seeds:
        """Raises TransformerUnfit where the subject is asked for and the table has none."""
        if subject and context.subject_domain is None:
            raise TransformerUnfit(
                f"{context.table.name}.{context.column.name}: `subject: true` needs a subject, and the policy names none "
                f"for {context.table.name}"
            )
        values = KeyedHash(context.key.derive(f"{purpose}/{context.domain}"))
        return cls(values, KeyedHash(context.key.derive(f"persona/{context.subject_domain}")) if subject else None)

    def words(self, texts: pa.Array, rows: Rows) -> UInt64:
        """Four words for each row: for its subject, or for its text where that is not asked for or null."""
        if self.subjects is None or rows.subject is None:
            return self.values.words(texts, _WORDS)
        theirs = self.subjects.words(rows.subject, _WORDS)
        if rows.subject.null_count == 0:
            return theirs
        return np.where(rows.subject.is_valid().to_numpy(zero_copy_only=False), theirs, self.values.words(texts, _WORDS))


def family_first(locale: str) -> bool:
    """Whether the family name stands before the given name."""
    return language(locale) in _FAMILY_FIRST


def people(locale: str) -> int:
    """Return how many different names of two words the people of a locale have."""
    return sum(len(choices(f"given_name_{gender}", locale)) * len(choices(f"family_name_{gender}", locale)) for gender in GENDERS)


def genders(words: UInt64, told: pa.Array | None = None, guessed: tuple[Flags, Flags] | None = None) -> Flags:
    """Return for each person whether she is female: as a column tells (`told`), as her name does (female, male), else by hash."""
    female: Flags = (words[0] & np.uint64(1)) == 1
    if guessed is not None:
        female = np.where(guessed[0], True, np.where(guessed[1], False, female))
    if told is not None:
        texts = pc.utf8_lower(told.cast(pa.string()))
        for pattern, value in ((_MALE, False), (_FEMALE, True)):
            said = pc.match_substring_regex(texts, pattern).fill_null(False).to_numpy(zero_copy_only=False)
            female = np.where(said, value, female)
    return female


def chosen_names(
    kind: str, locale: str, female: Flags, words: UInt64, part: Literal["texts", "slugs"] = "texts", **limits: Any
) -> pa.Array:
    """Return the name that each word picks for a person of that gender, or its slug.

    `kind` is `given_name`, `middle_name` or `family_name`; `limits` are those of `Choices.choose`.
    """
    sides = [choices(f"{kind}_{gender}", locale) for gender in GENDERS]
    if sides[0].pool.texts == sides[1].pool.texts:
        sides = sides[:1]
    names = [getattr(side, part).take(pa.array(side.choose(words, **limits))) for side in sides]
    return names[0] if len(names) == 1 else pc.if_else(pa.array(female), *names)
