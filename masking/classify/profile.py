"""What the sample of a column looks like: how many values, which different ones, how long, how they are built."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

# different values that are looked at one by one, and the characters of each: more say nothing new of a column
MOST_VALUES = 400
MOST_CHARACTERS = 4000
_ENOUGH = 10  # different values that show how various their shapes are

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_SENTENCE = 10  # of these; names and most titles have fewer
_UPPER, _LOWER, _DIGIT = re.compile(r"[A-Z]"), re.compile(r"[^\W\dA-Z_]"), re.compile(r"\d")


@dataclass(frozen=True)
class Texts:
    """The texts of a column: `rows` that are not null, `distinct` different ones of them, and up to MOST_VALUES of these.

    `often` is how many rows have one of `values`, on average. Surrounding space is left out, and so are empty texts; what is no
    UTF-8 is replaced.
    """

    rows: int
    distinct: int
    values: tuple[str, ...]

    def share(self, matching: Iterable[object]) -> float:
        """The share of `values` for which `matching`, one each, is true."""
        return sum(1 for m in matching if m) / len(self.values) if self.values else 0.0

    @cached_property
    def words(self) -> tuple[tuple[str, ...], ...]:
        """The words of each value, letters alone."""
        return tuple(tuple(_TOKEN.findall(v)) for v in self.values)

    @cached_property
    def mean_words(self) -> float:
        return sum(map(len, self.words)) / len(self.words) if self.words else 0.0

    @cached_property
    def most_words(self) -> int:
        return max(map(len, self.words), default=0)

    @cached_property
    def unspaced(self) -> float:
        """The share of values with so many Chinese or Japanese characters, between whose words no spaces stand, as sentences have."""
        return self.share(len(_UNSPACED.findall(v)) >= _SENTENCE for v in self.values)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The different words, in lower case."""
        return frozenset(w.lower() for words in self.words for w in words)

    @cached_property
    def longest(self) -> int:
        return max(map(len, self.values), default=0)

    @cached_property
    def mean_length(self) -> float:
        return sum(map(len, self.values)) / len(self.values) if self.values else 0.0

    @cached_property
    def shapes(self) -> int:
        """How many different shapes the values have, where capitals, small letters and digits are all alike."""
        return len({shape(v) for v in self.values})

    @property
    def various(self) -> bool:
        """Whether there is a shape for every second value at least, as of random ones and addresses."""
        return len(self.values) >= _ENOUGH and self.shapes >= 0.5 * len(self.values)

    @property
    def repeats(self) -> float:
        """How often a value stands in the sample, on average."""
        return self.rows / self.distinct if self.distinct else 0.0


def shape(text: str) -> str:
    """The text with capitals as A, other letters as a and digits as 9."""
    return _DIGIT.sub("9", _LOWER.sub("a", _UPPER.sub("A", text)))


def texts_of(values: pa.Array | pa.ChunkedArray, most: int | None = MOST_VALUES) -> Texts:
    """Profile an array of texts, binary texts or dictionaries of them; `most` values are kept, all for None."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    # texts of a source may be no UTF-8 at all, which Arrow carries and only Python refuses
    encoded = values.cast(pa.large_binary()) if not pa.types.is_null(values.type) else values
    known = encoded.drop_null()
    unique = pc.unique(known)
    texts = (
        str(v, "utf-8", "replace")[:MOST_CHARACTERS].replace("\0", " ").strip()
        for v in map(_bytes, unique if most is None else _spread(unique, most))
    )
    kept = tuple(dict.fromkeys(t for t in texts if t))
    return Texts(len(known), len(unique), kept)


def texts_from(values: Sequence[str]) -> Texts:
    """Profile Python texts, such as the leaves of documents."""
    unique = list(dict.fromkeys(values))
    step = max(1, -(-len(unique) // MOST_VALUES))
    kept = (v[:MOST_CHARACTERS].replace("\0", " ").strip() for v in unique[::step])
    return Texts(len(values), len(unique), tuple(dict.fromkeys(t for t in kept if t)))


def _spread(unique: pa.Array, most: int) -> pa.Array:
    """At most so many of them, evenly from the first to the last."""
    step = max(1, -(-len(unique) // most))
    return unique if step == 1 else unique.take(pa.array(range(0, len(unique), step)))


def _bytes(value: pa.Scalar) -> bytes:
    # the first of a huge cell is enough, and is not copied as a whole
    buffer = value.as_buffer()
    return b"" if buffer is None else buffer.slice(0, min(buffer.size, 4 * MOST_CHARACTERS)).to_pybytes()
