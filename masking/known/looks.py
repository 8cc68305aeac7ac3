"""What the values of a column look like: how long they are, and which characters stand at which place.

From that follows how many values of the same look there are, and so how often two meet by chance.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from masking.known.stream import I64, Stream

PROFILE = 24  # lengths from 0 to 23, which are told apart; the last stands for all above
_ALL = 1 << 14  # cells that are looked at, one by one; of those after them one in sixteen
_STRIDE = 16
_ENOUGH = 64  # values of one form from which on a character that none of them has is taken for impossible
_DIGIT, _LETTER = 10.0, 26.0
_DIGITS = 18  # that a number of 63 bits has room for


class Looks:
    """Counts of values by form (digits and other letters), and the characters at each of the last 23 places by form.

    Sees a sample of the cells; memory is 200 bytes for each form that is met, of which there are at most 576.
    """

    def __init__(self) -> None:
        self.cells = np.zeros(PROFILE * PROFILE, np.int64)
        self._characters: dict[int, npt.NDArray[np.uint64]] = {}

    def see(self, stream: Stream) -> None:
        """Look at the texts of a stream."""
        rows = np.flatnonzero(stream.lengths > 0)
        if self.cells.sum() >= _ALL:
            rows = rows[::_STRIDE]
        starts, ends = stream.begins[rows], stream.begins[rows + 1]
        forms = forms_of(stream, starts, ends)
        self.cells += np.bincount(forms, minlength=PROFILE * PROFILE)
        bits = _bits(endings(stream, starts, ends, PROFILE - 1))
        order = np.argsort(forms, kind="stable")
        different, first = np.unique(forms[order], return_index=True)
        if not len(rows):
            return
        for form, seen in zip(different.tolist(), np.bitwise_or.reduceat(bits[order], first, axis=0)):
            known = self._characters.setdefault(form, np.zeros(PROFILE - 1, np.uint64))
            known |= seen

    def expected(self, output: npt.NDArray[np.float64], values: int) -> float:
        """How many of `values` different values meet those of an output, were both drawn from all texts that look like them.

        `output[d, l]` is the number of different values of the output with d digits and l other letters.
        """
        share = values / max(int(self.cells.sum()), 1)
        expected = 0.0
        for form, characters in self._characters.items():
            digits, letters = divmod(form, PROFILE)
            mine, theirs = float(self.cells[form]) * share, float(output[digits, letters])
            expected += min(mine * theirs / self._possible(form, characters), mine, theirs)
        return expected

    def _possible(self, form: int, characters: npt.NDArray[np.uint64]) -> float:
        digits, letters = divmod(form, PROFILE)
        if self.cells[form] < _ENOUGH:
            return float(_DIGIT**digits * _LETTER**letters)
        counts = [int(mask).bit_count() for mask in characters[: digits + letters]]
        return float(np.prod([max(count, 1) for count in counts], dtype=np.float64))


def forms_of(stream: Stream, starts: I64, ends: I64) -> I64:
    """The form of stretches of a stream, as `digits * PROFILE + other letters`, each at most `PROFILE - 1`."""
    digits = stream.digits[ends] - stream.digits[starts]
    forms: I64 = np.minimum(digits, PROFILE - 1) * PROFILE + np.minimum(ends - starts - digits, PROFILE - 1)
    return forms


def endings(stream: Stream, starts: I64, ends: I64, count: int) -> npt.NDArray[np.uint8]:
    """The last `count` characters of stretches, the last first; 127 for those that are no ASCII, 0 where there are no more."""
    found = np.zeros((len(starts), count), np.uint8)
    for place in range(count):
        long = np.flatnonzero(ends - starts > place)
        found[long, place] = np.minimum(stream.characters_at(ends[long] - 1 - place), 127)
    return found


def numbers_of(stream: Stream, starts: I64, ends: I64) -> I64:
    """The whole numbers that stretches of up to 18 digits are; -1 for other stretches, and for those that begin with a needless zero."""
    lengths = ends - starts
    numbers = np.full(len(starts), -1, np.int64)
    some = np.flatnonzero((lengths > 0) & (lengths <= _DIGITS) & (stream.digits[ends] - stream.digits[starts] == lengths))
    if not len(some):
        return numbers
    first = stream.characters_at(starts[some])
    some = some[(first != 48) | (lengths[some] == 1)]
    read = np.zeros(len(some), np.int64)
    for place in range(int(lengths[some].max(initial=0))):
        there = np.flatnonzero(lengths[some] > place)
        read[there] = read[there] * 10 + stream.characters_at(starts[some[there]] + place).astype(np.int64) - 48
    numbers[some] = read
    return numbers


def _bits(characters: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """One bit for each digit and letter, one for all else."""
    bits = np.zeros(128, np.uint64)
    bits[48:58] = np.uint64(1) << np.arange(10, dtype=np.uint64)
    bits[97:123] = np.uint64(1) << np.arange(10, 36, dtype=np.uint64)
    bits[127] = np.uint64(1) << np.uint64(36)
    return bits[characters]
