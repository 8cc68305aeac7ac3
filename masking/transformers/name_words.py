"""The words of names, read off the bytes of a column: where they stand, and which names are written plainly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.octets import Octets, Offsets, Places, before, first_within, octets_of, stretches

Flags = npt.NDArray[np.bool_]

_SPACE, _POINT, _COMMA = 0x20, 0x2E, 0x2C
_A, _LETTERS, _LOWER = np.uint8(ord("a")), np.uint8(26), np.uint8(0x20)
_FIRST_PRINTED, _LAST_PRINTED, _ASCII = 0x20, 0x7E, 0x80
_WORD = r"[\p{L}\p{M}.'’\-]"
_ONE_WORD = rf"^{_WORD}+$"
_TWO_WORDS = rf"^{_WORD}{{2,}} {_WORD}{{2,}}$"


@dataclass(frozen=True)
class Words:
    """The words of tidy texts, between single spaces.

    `spaces` says where the spaces stand in `octets`, and `begins` where in `spaces` those of each text begin (and the last end).
    `signs` counts the signs of each text that no name of ASCII letters has, spaces among them. `regular` are the texts of ASCII
    words without commas and control characters, `foreign` those that are not of ASCII alone.
    """

    offsets: Offsets
    octets: Octets
    spaces: Places
    begins: Places
    signs: Places
    regular: Flags
    foreign: Flags

    @classmethod
    def of(cls, values: pa.Array, folded: pa.Array) -> Words:
        """Read the words of texts in `folded` case; which are regular and which foreign, their `values` tell."""
        offsets, octets = octets_of(folded)
        letter = ((octets | _LOWER) - _A < _LETTERS) | (octets == _POINT) | (octets == ord("'")) | (octets == ord("-"))
        signs = np.flatnonzero(~letter)
        found = octets[signs]
        within = first_within(signs, offsets)  # of each text, the first sign
        is_space = found == _SPACE
        odd = (found < _FIRST_PRINTED) | (found > _LAST_PRINTED) | (found == _COMMA)
        regular, foreign = np.diff(offsets) > 0, np.zeros(len(values), np.bool_)
        if odd.any():
            counted, wide = before(odd)[within], before(found >= _ASCII)[within]
            regular &= counted[1:] == counted[:-1]
            foreign = wide[1:] != wide[:-1]
        written = octets_of(values)[0]
        if written[-1] != offsets[-1] or foreign.any():
            # the Kelvin sign and a dotted capital i have small letters of ASCII, which are shorter
            shorter = np.diff(written) != np.diff(offsets)
            regular, foreign = regular & ~shorter, foreign | shorter
        return cls(offsets, octets, signs[is_space], before(is_space)[within].astype(np.int64), np.diff(within), regular, foreign)

    @property
    def counts(self) -> Places:
        """How many words each text has; one where it is empty."""
        return np.diff(self.begins) + 1

    def first(self) -> pa.Array:
        """The first word of every text."""
        return stretches(self.octets, self.offsets[:-1], self._ends_of_first())

    def last(self) -> pa.Array:
        """The last word of every text."""
        return stretches(self.octets, self._starts_of_last(), self.offsets[1:])

    def plain(self, texts: pa.Array, parts: int) -> Flags:
        """Which of `texts`, whose words these are, are so many words (1 or 2) of letters, two of them of two letters or more."""
        if parts == 1:
            plain: Flags = (self.signs == 0) & (np.diff(self.offsets) > 0)
        else:
            long = (self._ends_of_first() - self.offsets[:-1] > 1) & (self.offsets[1:] - self._starts_of_last() > 1)
            plain = (self.signs == 1) & (np.diff(self.begins) == 1) & long
        rows = np.flatnonzero(self.foreign)
        if len(rows):
            found = pc.match_substring_regex(texts.take(pa.array(rows)), _ONE_WORD if parts == 1 else _TWO_WORDS)
            plain[rows] = found.fill_null(False).to_numpy(zero_copy_only=False)
        return plain

    def initials(self, rows: Places, place: int) -> Flags:
        """Of which texts the word at `place` is one letter, with points behind it or without."""
        spaces = self.begins[rows] + place
        starts = self.offsets[rows].astype(np.int64) if place == 0 else self.spaces[spaces - 1] + 1
        ends = self.offsets[rows + 1].astype(np.int64)
        further = spaces < self.begins[rows + 1]
        ends[further] = self.spaces[spaces[further]]
        initials = np.zeros(len(rows), np.bool_)
        if not len(self.octets):
            return initials
        lengths = ends - starts
        pointed = self.octets.take(np.minimum(starts + 1, len(self.octets) - 1)) == _POINT
        some = np.flatnonzero((lengths == 1) | (pointed & (lengths > 1)))
        some = some[self.octets[starts[some]] != _POINT]
        if len(some):
            points = before(self.octets == _POINT)
            initials[some] = points[ends[some]] - points[starts[some] + 1] == ends[some] - starts[some] - 1
        return initials

    def _ends_of_first(self) -> Places:
        ends = self.offsets[1:].astype(np.int64)
        more = np.flatnonzero(self.begins[1:] > self.begins[:-1])
        ends[more] = self.spaces[self.begins[more]]
        return ends

    def _starts_of_last(self) -> Places:
        starts = self.offsets[:-1].astype(np.int64)
        more = np.flatnonzero(self.begins[1:] > self.begins[:-1])
        starts[more] = self.spaces[self.begins[more + 1] - 1] + 1
        return starts
