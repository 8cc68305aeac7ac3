"""How names are written: their words, titles, initials and order, read off a column and written again with other names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.pools import pool
from masking.transformers.choices import Int64
from masking.transformers.name_words import Flags, Words
from masking.transformers.persona import family_first

_MOST_GIVEN = 3


@dataclass(frozen=True)
class Shape:
    """How a name is written: its titles, its given names (initials among them), whether the family name is there, and where."""

    titles: tuple[str, ...]
    given: tuple[str, ...]
    family: str
    family_first: bool
    comma: bool

    @classmethod
    def of(cls, text: str, titles: frozenset[str], locale: str) -> Shape:
        """Read a name with single spaces."""
        before, comma, after = (part.strip() for part in text.partition(","))
        parts = (after or before).split() if comma else before.split()
        heads = []
        while len(parts) > 1 and parts[0].casefold() in titles:
            heads.append(parts.pop(0))
        first = family_first(locale)
        if comma:
            return cls(tuple(heads), tuple(parts), before, first, True)
        family, given = ("", parts) if len(parts) <= 1 else (parts[0], parts[1:]) if first else (parts[-1], parts[:-1])
        return cls(tuple(heads), tuple(given), family, first, False)

    def written(self, given: str, family: str, *middle: str) -> str:
        """Write another person's name in the same way; of more than three given names three are left."""
        if not self.family:
            return " ".join([*self.titles, family + given if self.family_first else given])
        names = [name[0] + "." if len(original.rstrip(".")) == 1 else name for name, original in zip((given, *middle), self.given)]
        if self.comma:
            return f"{family}, {' '.join([*self.titles, *names])}"
        return " ".join([*self.titles, family, *names] if self.family_first else [*self.titles, *names, family])


@dataclass(frozen=True)
class Shapes:
    """The shapes of a column of names, and the folded given name and family name of each.

    `irregular` are the rows whose `single` shapes were read one by one, `regular` those of some words of which the last is the
    family name, read as a column; all others are one given name and one family name, or a part of a name.
    """

    first: pa.Array
    last: pa.Array
    irregular: Int64
    single: list[Shape | None]
    regular: Int64
    words: Words

    @classmethod
    def of(cls, values: pa.Array, folded: pa.Array, parts: int, locale: str) -> Shapes:
        """Read tidy names, of which those of `parts` words (1 or 2) are written plainly."""
        reverse = family_first(locale)
        words = Words.of(values, folded)
        first, last = (words.last(), words.first()) if reverse else (words.first(), words.last())
        others = np.flatnonzero(~words.plain(values, parts))
        by_column = _read_by_column(words, first, others, locale)
        regular, irregular = others[by_column], others[~by_column]
        titles = pool("title", locale).folded
        single = [None if text is None else Shape.of(text, titles, locale) for text in values.take(pa.array(irregular)).to_pylist()]
        if len(irregular):
            given = [None if s is None or not s.given else s.given[0].casefold() for s in single]
            family = [None if s is None else (s.family or (s.given or ("",))[0]).casefold() for s in single]
            first, last = _replaced(first, irregular, given), _replaced(last, irregular, family)
        return cls(first, last, irregular, single, regular, words)

    def written(
        self, plain: Callable[[], pa.Array], given: pa.Array, family: pa.Array, middle: Callable[[int, Int64], pa.Array]
    ) -> pa.Array:
        """Return what `plain` gives, with names of other shapes; `middle` gives the first or the second further given name of some rows."""
        masked = self._regular_written(plain, given, family, middle)
        if not len(self.irregular):
            return masked
        index = pa.array(self.irregular)
        further = [middle(i, self.irregular).to_pylist() for i in range(_MOST_GIVEN - 1)]
        names = zip(self.single, given.take(index).to_pylist(), family.take(index).to_pylist(), *further)
        return _replaced(masked, self.irregular, [None if shape is None else shape.written(own, *others) for shape, own, *others in names])

    def _regular_written(
        self, plain: Callable[[], pa.Array], given: pa.Array, family: pa.Array, middle: Callable[[int, Int64], pa.Array]
    ) -> pa.Array:
        counts = np.minimum(self.words.counts[self.regular] - 1, _MOST_GIVEN)
        different = np.flatnonzero(np.bincount(counts)).tolist()
        if len(different) == 1 and len(self.regular) == len(given):
            return self._of_words(different[0], self.regular, given, family, middle)
        masked = plain()
        for count in different:
            rows = self.regular[counts == count]
            index = pa.array(rows)
            masked = _replaced(masked, rows, self._of_words(count, rows, given.take(index), family.take(index), middle))
        return masked

    def _of_words(self, count: int, rows: Int64, given: pa.Array, family: pa.Array, middle: Callable[[int, Int64], pa.Array]) -> pa.Array:
        """Names of so many given names and a family name, or one given name alone."""
        if not count:
            return given
        names = [given, *(middle(i, rows) for i in range(count - 1))]
        names = [_shortened(name, self.words.initials(rows, i)) for i, name in enumerate(names)]
        return pc.binary_join_element_wise(*names, family, " ")


@cache
def _titles(locale: str) -> pa.Array:
    return pa.array(sorted(pool("title", locale).folded), pa.string())


def _read_by_column(words: Words, first: pa.Array, rows: Int64, locale: str) -> Flags:
    """Which names are written in regular words, no title before them, in the order that is read as a column; others are read one by one."""
    if family_first(locale):
        return np.zeros(len(rows), np.bool_)
    regular = words.regular if len(rows) == len(first) else words.regular[rows]
    titles = pc.is_in(first if len(rows) == len(first) else first.take(pa.array(rows)), value_set=_titles(locale))
    by_column: Flags = regular & ~titles.to_numpy(zero_copy_only=False)
    return by_column


def _replaced(texts: pa.Array, rows: Int64, others: pa.Array | list[str | None]) -> pa.Array:
    if isinstance(others, list):
        others = pa.array(others, pa.string())
    if len(rows) == len(texts):
        return others
    mask = np.zeros(len(texts), np.bool_)
    mask[rows] = True
    return pc.replace_with_mask(texts, pa.array(mask), others)


def _shortened(names: pa.Array, initial: np.ndarray) -> pa.Array:
    """Names, or their first letters with a point, where an initial is asked for."""
    if not initial.any():
        return names
    return pc.if_else(pa.array(initial), pc.binary_join_element_wise(pc.utf8_slice_codeunits(names, 0, 1), ".", ""), names)
