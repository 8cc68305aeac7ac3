"""The invented person who stands for a person: a gender, given names and a family name, picked by a code under the key.

Picked by a value (its name, its address), or by the key of the person whom a row is about (`subject`), so that name, e-mail
address and user name agree wherever that person stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.cmac import Cmac
from masking.errors import TransformerUnfit
from masking.keyed import UInt64, pick
from masking.pools import language
from masking.transformers.base import Context, Rows
from masking.transformers.choices import TRIES, Int64, choices
from masking.transformers.lengths import UNLIMITED

Flags = npt.NDArray[np.bool_]

GENDERS = ("female", "male")
_WORDS = 4
# words and letters of common languages, and the numbers of ISO/IEC 5218
_FEMALE = "^(f|w|k|ж|2)$|^(fem|weib|frau|woman|girl|mujer|donna|vrouw|kvinn|kobiet|жен|女|여)"
_MALE = "^(m|h|м|1)$|^(male|masc|homme|hombre|männ|herr|man$|boy|uomo|maschi|var[oó]n|муж|男|남)"
_FAMILY_FIRST = ("ja", "zh", "ko", "hu", "vi")


@dataclass(frozen=True)
class Seeds:
    """The codes by which people are picked: of the subject of a row where one is asked for and known, else of the value."""

    values: Cmac
    subjects: Cmac | None

    @classmethod
    def of(cls, context: Context, purpose: str, subject: bool) -> Seeds:
        """Raises TransformerUnfit where the subject is asked for and the table has none."""
        if subject and context.subject_domain is None:
            raise TransformerUnfit(
                f"{context.table.name}.{context.column.name}: `subject: true` needs a subject, and the policy names none "
                f"for {context.table.name}"
            )
        values = Cmac(context.key.derive(f"{purpose}/{context.domain}"))
        return cls(values, Cmac(context.key.derive(f"persona/{context.subject_domain}")) if subject else None)

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


class Names:
    """The names of women and men of one kind in a locale, together: those of women stand first; one pool may serve both."""

    def __init__(self, kind: str, locale: str) -> None:
        sides = [choices(f"{kind}_{gender}", locale) for gender in GENDERS]
        self._sides = sides[:1] if sides[0].pool.texts == sides[1].pool.texts else sides
        self.texts, self.slugs, folded = (
            pa.concat_arrays([getattr(side, part) for side in self._sides]) for part in ("texts", "slugs", "folded")
        )
        self.slug_lengths: Int64 = pc.binary_length(self.slugs).to_numpy().astype(np.int64)  # of letters a-z alone
        self._women = len(self._sides[0])
        self._longest = max(int(side.lengths.max()) for side in self._sides)
        self._known = folded.unique()
        self._number: Int64 = pc.index_in(folded, self._known).to_numpy().astype(np.int64)
        self._of = [np.append(pc.is_in(self._known, side.folded).to_numpy(zero_copy_only=False), False) for side in sides]

    def numbers_of(self, folded: pa.Array) -> Int64:
        """Which of these names some texts in folded case are; -1 for those that are none."""
        numbers: Int64 = pc.index_in(folded, self._known).fill_null(-1).to_numpy().astype(np.int64)
        return numbers

    def genders(self, numbers: Int64) -> tuple[Flags, Flags]:
        """Which of such names are women's alone, and which men's."""
        women, men = (of[numbers] for of in self._of)
        return women & ~men, men & ~women

    def choose(
        self, female: Flags, words: UInt64, avoid: Int64 | None = None, longest: int = UNLIMITED, like: Int64 | None = None
    ) -> Int64:
        """Return which name each word picks for a person of that gender, for `take`; see `Choices.choose` for the limits.

        `avoid` are the numbers of names that are not to be picked (`numbers_of`).
        """
        start, count = np.zeros(len(words), np.int64), np.full(len(words), self._women, np.int64)
        if len(self._sides) > 1:
            men = len(self._sides[1])
            start, count = np.where(female, 0, self._women), np.where(female, self._women, men)
        if like is None and longest >= self._longest:
            chosen = start + pick(words, count)
        else:
            some = [side.among(words, longest, like) for side in self._sides]
            within, chosen_ones, counts = some[0] if len(some) == 1 else (np.where(female, *parts) for parts in zip(*some))
            chosen, start, count = start + chosen_ones, start + within, counts
        rows = np.flatnonzero(self._number[chosen] == avoid) if avoid is not None else ()
        for _ in range(TRIES):
            if avoid is None or not len(rows):
                break
            chosen[rows] = start[rows] + (chosen[rows] - start[rows] + 1) % count[rows]
            rows = rows[self._number[chosen[rows]] == avoid[rows]]
        return chosen


@cache
def names(kind: str, locale: str) -> Names:
    """Return the names of a kind (`given_name`, `middle_name` or `family_name`) in a locale."""
    return Names(kind, locale)
