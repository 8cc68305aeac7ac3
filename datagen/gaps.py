"""Numbers with gaps: rows numbered about in their order, with room for further rows that cannot be told from the others.

The rows are cut into windows of 256. A window has `gaps` times as many numbers as rows, in a keyed order: its own rows take the
first of them and further rows the others, so the numbers of both lie spread over the window in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from datagen.permutation import permute
from datagen.randomness import Int64, Stream

if TYPE_CHECKING:
    from datagen.additions import Additions

WINDOW = 256
_TURN = 0x9E3779B1


class Gapped:
    """Maps row numbers, of `further` rows too, to distinct numbers from 0."""

    def __init__(self, stream: Stream, gaps: int, further: Additions | None) -> None:
        self._stream, self._gaps, self._further = stream, gaps, further

    def last(self, rows: int) -> int:
        """The greatest number that `rows` rows, and further ones in the same windows, may have."""
        return max(-(-rows // WINDOW), 1) * WINDOW * self._gaps - 1

    def shortage(self) -> str | None:
        """Why there is no room for the further rows; None where there is."""
        return None if self._further is None else self._further.shortage(self._gaps)

    def __call__(self, numbers: Int64) -> Int64:
        window, place = numbers // WINDOW, numbers % WINDOW
        if self._further is not None:
            code = self._further.codes(self._gaps, numbers)
            free = WINDOW * (self._gaps - 1)
            window = np.where(code < 0, window, code // free)
            place = np.where(code < 0, place, WINDOW + code % free)
        width = WINDOW * self._gaps
        # turned by the window, so that windows do not repeat each other
        turned = (place + window % 2**30 * _TURN) % width
        return window * width + permute(self._stream, turned, width)
