"""How characters are compared: without case, accents, width and ligatures; only letters and digits count.

A character folds to no, one or several letters or digits: compatibility decomposition (Unicode Standard Annex 15, NFKD), case
folding (Unicode Standard, 3.13), without marks; digits of all scripts to ASCII. Syllables of Hangul fold to the letters that they are
written with, as names of files hold them. Marks and invisible format characters vanish where they stand; everything else separates.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

SEPARATOR, MARK, DIGIT, LETTER, IDEOGRAPH = range(5)
_PAGE = 256
_PLANE_END = 0x110000
# letters whose strokes are no marks to Unicode
_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
# scripts written without spaces, and Hangul, whose words take endings: every character is a token of its own
_IDEOGRAPHS = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip
INNER = (0x1160, 0x11FF)  # vowels and last consonants of Hangul, which no syllable begins with


def fold(character: str) -> tuple[int, str]:
    """Return the class of a character and the letters or digits that it folds to."""
    code = ord(character)
    decomposed = unicodedata.normalize("NFKD", character).casefold().translate(_STROKES)
    kept = "".join(_digit(c) for c in unicodedata.normalize("NFKD", decomposed) if unicodedata.category(c)[0] in "LN")
    if 0x02B0 <= code <= 0x02FF or not kept:
        return (MARK if unicodedata.category(character) in ("Mn", "Me", "Cf") else SEPARATOR), ""
    if any(first <= ord(kept[0]) <= last for first, last in _IDEOGRAPHS):
        return IDEOGRAPH, kept
    return (DIGIT if kept.isascii() and kept.isdigit() else LETTER), kept


def _digit(character: str) -> str:
    value = unicodedata.digit(character, None)
    return character if value is None else str(value)


class FoldTables:
    """Tables over all code points: class, how many characters it folds to, the first ones, and where the others stand.

    Filled by pages of 256 code points when a text needs them, since the whole of Unicode takes a second.
    """

    def __init__(self) -> None:
        self.classes = np.zeros(_PLANE_END, np.uint8)
        self.counts = np.zeros(_PLANE_END, np.uint8)
        self.first = np.zeros(_PLANE_END, np.uint32)
        self._next = [np.zeros(_PLANE_END, np.uint32) for _ in range(2)]  # the second and the third, of Hangul in each syllable
        self._longer: dict[int, str] = {}
        self._filled = np.zeros(_PLANE_END // _PAGE, bool)
        self.require(np.arange(128, dtype=np.uint32))

    def require(self, codes: npt.NDArray[np.uint32]) -> None:
        """Fill the pages of `codes`."""
        for page in np.flatnonzero((np.bincount(codes // _PAGE, minlength=len(self._filled)) > 0) & ~self._filled):
            for code in range(int(page) * _PAGE, (int(page) + 1) * _PAGE):
                self.classes[code], kept = fold(chr(code))
                self.counts[code] = len(kept)
                if kept:
                    self.first[code] = ord(kept[0])
                for others, letter in zip(self._next, kept[1:], strict=False):
                    others[code] = ord(letter)
                if len(kept) > 1 + len(self._next):
                    self._longer[code] = kept
            self._filled[page] = True

    def spread(self, codes: npt.NDArray[np.uint32], counts: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
        """Return what `codes` fold to, one after the other; `counts` says how many each has."""
        folded = np.repeat(self.first[codes], counts)
        starts = np.cumsum(counts, dtype=np.int64) - counts
        for place, others in enumerate(self._next, 1):
            some = np.flatnonzero(counts > place)
            folded[starts[some] + place] = others[codes[some]]
        for i in np.flatnonzero(counts > 1 + len(self._next)):
            kept = self._longer[int(codes[i])]
            folded[starts[i] : starts[i] + len(kept)] = [ord(c) for c in kept]
        return folded


@cache
def fold_tables() -> FoldTables:
    """The tables of this process."""
    return FoldTables()
