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
from masking.transformers.persona import family_first

# words of ASCII without commas, one space between them: what is read as a column; all else is read name by name
_REGULAR = r"^[!-+\--~]+(?: [!-+\--~]+)*$"
_INITIAL = r"^[^.]\.*$"
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
    family name; all others are one given name and one family name, or a part of a name.
    """

    first: pa.Array
    last: pa.Array
    irregular: Int64
    single: list[Shape | None]
    regular: Int64
    words: pa.Array

    @classmethod
    def of(cls, values: pa.Array, folded: pa.Array, others: Int64, locale: str) -> Shapes:
        """Read names with single spaces; `others` are the rows that are not known to be written plainly."""
        reverse = family_first(locale)
        some = values.take(pa.array(others))
        words = pc.split_pattern(folded, " ")
        first, last = _ends(words, folded, reverse)
        told = pc.and_(
            pc.match_substring_regex(some, _REGULAR), pc.invert(pc.is_in(first.take(pa.array(others)), value_set=_titles(locale)))
        ).fill_null(False)
        by_column = told.to_numpy(zero_copy_only=False) & (not reverse)
        regular, irregular = others[by_column], others[~by_column]
        titles = pool("title", locale).folded
        single = [None if text is None else Shape.of(text, titles, locale) for text in values.take(pa.array(irregular)).to_pylist()]
        if len(irregular):
            given = [None if s is None or not s.given else s.given[0].casefold() for s in single]
            family = [None if s is None else (s.family or (s.given or ("",))[0]).casefold() for s in single]
            first, last = _replaced(first, irregular, given), _replaced(last, irregular, family)
        return cls(first, last, irregular, single, regular, words.take(pa.array(regular)))

    def written(self, plain: pa.Array, given: pa.Array, family: pa.Array, middle: Callable[[int, Int64], pa.Array]) -> pa.Array:
        """Return `plain` with the names of other shapes; `middle` gives the first and the second further given names of some rows."""
        masked = self._regular_written(plain, given, family, middle)
        if not len(self.irregular):
            return masked
        index = pa.array(self.irregular)
        further = [middle(i, self.irregular).to_pylist() for i in range(_MOST_GIVEN - 1)]
        names = zip(self.single, given.take(index).to_pylist(), family.take(index).to_pylist(), *further)
        return _replaced(masked, self.irregular, [None if shape is None else shape.written(own, *others) for shape, own, *others in names])

    def _regular_written(self, plain: pa.Array, given: pa.Array, family: pa.Array, middle: Callable[[int, Int64], pa.Array]) -> pa.Array:
        if not len(self.regular):
            return plain
        starts = self.words.offsets.to_numpy()
        counts = np.minimum(np.diff(starts) - 1, _MOST_GIVEN)
        initial = pc.match_substring_regex(self.words.flatten(), _INITIAL).to_numpy(zero_copy_only=False)
        starts = starts[:-1] - starts[0]
        for count in np.unique(counts).tolist():
            here = np.flatnonzero(counts == count)
            rows = self.regular[here]
            index = pa.array(rows)
            if not count:
                plain = _replaced(plain, rows, given.take(index))
                continue
            names = [given.take(index), *(middle(i, rows) for i in range(count - 1))]
            names = [_shortened(name, initial[starts[here] + i]) for i, name in enumerate(names)]
            plain = _replaced(plain, rows, pc.binary_join_element_wise(*names, family.take(index), " "))
        return plain


@cache
def _titles(locale: str) -> pa.Array:
    return pa.array(sorted(pool("title", locale).folded), pa.string())


def _ends(words: pa.Array, folded: pa.Array, reverse: bool) -> tuple[pa.Array, pa.Array]:
    """The first and the last word of every text, or the last and the first."""
    inside = len(words.values) - 1
    if inside < 0:
        return folded, folded
    starts, ends = words.offsets[:-1].to_numpy(), words.offsets[1:].to_numpy()
    # a null has no words, and points behind the last one perhaps
    first, last = (words.values.take(pa.array(np.minimum(place, inside))) for place in (starts, np.maximum(ends - 1, starts)))
    return (last, first) if reverse else (first, last)


def _replaced(texts: pa.Array, rows: Int64, others: pa.Array | list[str | None]) -> pa.Array:
    mask = np.zeros(len(texts), np.bool_)
    mask[rows] = True
    return pc.replace_with_mask(texts, pa.array(mask), pa.array(others, pa.string()) if isinstance(others, list) else others)


def _shortened(names: pa.Array, initial: np.ndarray) -> pa.Array:
    """Names, or their first letters with a point, where an initial is asked for."""
    if not initial.any():
        return names
    return pc.if_else(pa.array(initial), pc.binary_join_element_wise(pc.utf8_slice_codeunits(names, 0, 1), ".", ""), names)
