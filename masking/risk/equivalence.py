"""Equivalence classes: the records that look the same in all quasi-identifiers, and how many they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

SUPPRESSED = "*"

Integers = npt.NDArray[np.int64]

_MOST = 1 << 62


@dataclass(frozen=True)
class EquivalenceClasses:
    """The equivalence classes of a table, in the order of their tuples of codes.

    `cells` are the different cells of each quasi-identifier in the order in which they first stand, null as the empty text.
    `tuples` (classes x columns) are the codes of each class's cells in them, `sizes` (classes) how many records it has, at least
    one, and `of_records` (records) the class of each record. `suppressed` (classes) marks the class whose cells are all `*`.
    """

    columns: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    tuples: Integers
    sizes: Integers
    of_records: Integers
    suppressed: npt.NDArray[np.bool_]

    @property
    def records(self) -> int:
        """How many records there are, suppressed ones included."""
        return len(self.of_records)

    @property
    def kept(self) -> Integers:
        """The sizes of the classes that are not suppressed."""
        kept: Integers = self.sizes[~self.suppressed]
        return kept

    @property
    def suppressed_records(self) -> int:
        """How many records are suppressed in all quasi-identifiers."""
        return int(self.sizes[self.suppressed].sum())

    def codes(self, column: int) -> Integers:
        """The code of each record's cell in a column."""
        found: Integers = self.tuples[self.of_records, column]
        return found


def equivalence_classes(table: pa.Table, columns: Sequence[str]) -> EquivalenceClasses:
    """Group the records of a table of texts by `columns`, at least one; null and the empty text are one value.

    Costs a sort of the records; whatever follows costs as much as there are different tuples.
    """
    found = [encoded(table.column(name)) for name in columns]
    cells, codes = tuple(tuple(texts) for texts, _ in found), [coded for _, coded in found]
    keys = tuple_keys(codes, [len(texts) for texts in cells])
    _, first, of_records, sizes = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    tuples = np.column_stack([coded[first] for coded in codes])
    stars = [texts.index(SUPPRESSED) if SUPPRESSED in texts else -1 for texts in cells]
    return EquivalenceClasses(
        tuple(columns), cells, tuples, sizes, of_records, (tuples == np.array(stars, np.int64)).all(axis=1)
    )  # fmt: skip


def tuple_keys(codes: Sequence[Integers], widths: Sequence[int]) -> Integers:
    """Return a number for each row of several columns of codes, the same for the same codes; column i has codes below `widths[i]`."""
    keys, width = np.zeros(len(codes[0]), np.int64), 1
    for coded, many in zip(codes, widths, strict=True):
        if width * max(many, 1) >= _MOST:
            seen, keys = np.unique(keys, return_inverse=True)
            width = len(seen)
        keys = keys * max(many, 1) + coded
        width *= max(many, 1)
    return keys


def encoded(values: pa.ChunkedArray) -> tuple[list[str], Integers]:
    """Return the different texts of a column in the order in which they first stand, and the code of each record's text in them."""
    whole = values.combine_chunks()
    array = whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
    dictionary = array.dictionary_encode(null_encoding="encode")
    texts = [text or "" for text in dictionary.dictionary.to_pylist()]
    codes = dictionary.indices.to_numpy().astype(np.int64)
    if texts.count("") < 2:
        return texts, codes
    places = {text: i for i, text in enumerate(dict.fromkeys(texts))}  # both null and the empty text
    return list(places), np.array([places[text] for text in texts], np.int64)[codes]
