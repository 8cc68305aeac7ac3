"""Personal values that stand in another column of their own rows: dense keys and frequent names meet by chance, but not row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import Survivors
from masking.known.canonical import texts_of
from masking.known.stream import U64
from masking.proof.chance import threshold

FEWEST = 20  # different values: of fewer, a column of small counts has some by chance
_LEAST = 1000  # smaller numbers are in texts for many reasons
_SHORTEST = 4  # characters: shorter texts are in others for many reasons
_TURNS = (1, 2, 3, 5, 8, 13, 21, 34)  # rows further on, whose values tell what chance brings
_Copies = dict[tuple[str, str], "CopiesFound"]


@dataclass(frozen=True)
class CopiesFound:
    """Of one batch: cells compared, how many hold the value of their own row, how many that of another row, and hashes of the values."""

    cells: int
    own: int
    other: float
    values: U64


@dataclass
class _Tally:
    cells: int = 0
    own: int = 0
    other: float = 0.0
    values: set[int] = field(default_factory=set)


def copies(personal: Mapping[str, pa.Array], masked: Mapping[str, pa.Array]) -> _Copies:
    """Look for whole numbers and texts of personal columns, by name, in the masked cells of other columns, of the same rows."""
    found: _Copies = {}
    for name, values in personal.items():
        for other, cells in masked.items():
            if other != name:
                whole = pa.types.is_integer(values.type) and pa.types.is_integer(cells.type)
                found[name, other] = _equal(values, cells) if whole else _inside(values, cells)
    return found


class Copies:
    """Counts of cells that hold a personal value of their own row, by column and column; memory is bound by what is found."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str, str], _Tally] = {}

    def add(self, table: str, found: Mapping[tuple[str, str], CopiesFound]) -> None:
        """Count a batch of `table`."""
        for (name, other), batch in found.items():
            tally = self._tallies.setdefault((table, name, other), _Tally())
            tally.cells += batch.cells
            tally.own += batch.own
            tally.other += batch.other
            if len(tally.values) < FEWEST:
                tally.values.update(batch.values[: FEWEST * 2].tolist())

    def document(self) -> list[dict[str, Any]]:
        """The counts of those columns that hold some, as JSON data."""
        return [self._entry(names, tally) for names, tally in self._tallies.items() if tally.own]

    def require(self) -> None:
        """Raise Survivors where a column holds more values of its own rows than those of others let expect, at a false alarm of 1e-6."""
        wrong = [e for e in self.document() if e["copied"]]
        if wrong:
            lines = [f"{e['in']}: {e['own']:,} of {e['cells']:,} cells hold what {e['place']} has in their row" for e in wrong]
            raise Survivors("columns hold what others mask; mask them alike (`mask: reference`), or drop them:\n  " + "\n  ".join(lines))

    def _entry(self, names: tuple[str, str, str], tally: _Tally) -> dict[str, Any]:
        table, name, other = names
        expected = tally.other + 4.9 * tally.other**0.5  # the mean over rows further on, with its error
        copied = len(tally.values) >= FEWEST and tally.own > threshold(float(tally.cells), min(expected, float(tally.cells)))
        return {"place": f"{table}.{name}", "in": f"{table}.{other}", "cells": tally.cells, "own": tally.own, "copied": copied}


def _equal(values: pa.Array, cells: pa.Array) -> CopiesFound:
    there = pc.and_(values.is_valid(), cells.is_valid())
    mine, theirs = (v.filter(there).to_numpy(zero_copy_only=False) for v in (values, cells))
    same = mine == theirs
    other = [float(np.count_nonzero(np.roll(mine, turn) == theirs)) for turn in _TURNS] if same.any() else [0.0]
    return CopiesFound(
        len(mine), int(np.count_nonzero(same)), float(np.mean(other)), np.unique(mine[same]).astype(np.int64).view(np.uint64)
    )


def _inside(values: pa.Array, cells: pa.Array) -> CopiesFound:
    if pa.types.is_integer(values.type):
        telling = pc.greater_equal(values, _LEAST)
    else:
        telling = pc.greater_equal(pc.utf8_length(values), _SHORTEST)
    texts, rows = texts_of(cells)
    mine = pc.if_else(telling, _folded(values.cast(pa.large_string())), None)
    if rows is not None:
        mine = mine.take(pa.array(rows))
    there = pc.and_(mine.is_valid(), texts.is_valid())
    mine, texts = mine.filter(there), _folded(texts.filter(there))
    own = _contained(mine, texts)
    other = [float(np.count_nonzero(_contained(_turned(mine, turn), texts))) for turn in _TURNS] if own.any() else [0.0]
    return CopiesFound(len(mine), int(np.count_nonzero(own)), float(np.mean(other)), _hashes(mine.filter(pa.array(own))))


def _folded(texts: pa.Array) -> pa.Array:
    return pc.utf8_lower(texts)


def _hashes(texts: pa.Array) -> U64:
    import polars as pl

    return np.unique(pl.Series(texts).hash().to_numpy())


def _turned(values: pa.Array, turn: int) -> pa.Array:
    return values.take(pa.array(np.roll(np.arange(len(values)), turn)))


def _contained(values: pa.Array, texts: pa.Array) -> npt.NDArray[np.bool_]:
    """Which texts hold their value, whatever is beside it: longer numbers and words that hold it by chance do so in other rows as well."""
    import polars as pl

    frame = pl.DataFrame({"value": pl.Series(values), "text": pl.Series(texts)})
    held = frame.select(pl.col("text").str.contains(pl.col("value"), literal=True)).to_series()
    return np.asarray(held.to_numpy(), np.bool_)


def textual_or_whole(kinds: Mapping[str, pa.DataType]) -> Sequence[str]:
    """Those of some columns that `copies` can look into: whole numbers and texts."""
    tests = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string)
    return [name for name, kind in kinds.items() if any(holds(getattr(kind, "storage_type", kind)) for holds in tests)]
