"""Cycle walking: a permutation of all texts of a format, made one of those among them that are valid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Permute = Callable[[pa.Array], pa.Array]
Classify = Callable[[pa.Array], npt.NDArray[np.int64]]


def walk(texts: pa.Array, permute: Permute, classify: Classify) -> pa.Array:
    """Apply `permute` to every text until the result is of the text's own class; nulls stay null.

    One to one where `permute` is, since a text's cycle comes back to it (Black and Rogaway 2002). A class with a share p of all
    texts takes 1/p rounds on average; a text that is the only one of its class in its cycle stays itself.
    """
    wanted = classify(texts)
    result = permute(texts)
    pending = np.flatnonzero(classify(result) != wanted)
    while len(pending):
        walked = permute(result.take(pa.array(pending)))
        mask = np.zeros(len(texts), np.bool_)
        mask[pending] = True
        result = pc.replace_with_mask(result, pa.array(mask), walked)
        pending = pending[classify(walked) != wanted[pending]]
    return result
