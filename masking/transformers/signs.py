"""Letters and digits of a whole column of texts, hidden but for the first and last few."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from masking.canonical import validity
from masking.formats import Codepoints, code_points, texts_from

Bools = np.ndarray[Any, np.dtype[np.bool_]]
_PAGE = 256


def hidden(values: pa.Array, mark: str, *, first: int = 0, last: int = 0, at_least: int = 0, all_signs: bool = False) -> pa.Array:
    """Return texts (`string`) in which `mark`, one character, stands for every letter and digit but the `first` and `last` of each.

    Letters, digits and the marks on them are told by Unicode's general category (L, N, M), of any script; with `all_signs` every
    character counts as one. Where fewer than `at_least` would be hidden, all are. Nulls stay.
    """
    characters, starts = code_points(values)
    counted = np.ones(len(characters), bool) if all_signs else _is_sign(characters)
    before = np.concatenate([[0], np.cumsum(counted)])  # signs before each character, over all texts
    row = np.repeat(np.arange(len(values)), np.diff(starts))
    total = before[starts[1:]] - before[starts[:-1]]
    rank = before[:-1] - before[starts[row]]
    kept = (rank < first) | (rank >= (total - last)[row])
    kept &= (np.maximum(total - first - last, 0) >= at_least)[row]
    masked = np.where(counted & ~kept, np.uint32(ord(mark)), characters)
    return texts_from(masked, starts, validity(values))


def _is_sign(characters: Codepoints) -> Bools:
    signs = np.zeros(len(characters), bool)
    pages = characters // _PAGE
    for page in np.unique(pages).tolist():
        there = pages == page
        signs[there] = _signs_of(page)[characters[there] % _PAGE]
    return signs


@cache
def _signs_of(page: int) -> Bools:
    return np.array([unicodedata.category(chr(page * _PAGE + i))[0] in "LNM" for i in range(_PAGE)])
