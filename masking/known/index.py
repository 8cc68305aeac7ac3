"""The index of known values: what is added, and which cells are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from masking.known.canonical import other_spellings, texts_of
from masking.known.dense import DenseNumbers
from masking.known.different import different
from masking.known.filters import Filter, GrowingFilter
from masking.known.looks import Looks
from masking.known.pools import Pools
from masking.known.stream import I64, U64, Hasher, Mask, Stream
from masking.known.values import HashedValues

SHORT, WORD, ANCHORED, LONG = range(4)  # the two lowest bits of a hash: how a value can be looked for inside texts
ANCHOR = 10  # values of as many characters are found wherever they stand, shorter ones where a word or number begins and ends
HEAD = 64
MIN_LETTERS, MIN_DIGITS, MIN_IDEOGRAPHS = 4, 6, 2
POOL = "pool"  # the class of values from which pseudonyms are picked
_TAG = np.uint64(3)
_TAGS = np.repeat(np.array([SHORT, WORD, ANCHORED, LONG], np.uint64), [MIN_DIGITS, ANCHOR - MIN_DIGITS, HEAD - ANCHOR + 1, 1])


@dataclass(frozen=True)
class KnownPlace:
    """A column of the source, or a path in a JSON column: `users.email`, `users.settings$.contact.email`.

    What is not `sought` is known for comparison alone (values that stay on purpose, pools of pseudonyms): `find` passes it over.
    """

    name: str
    entity: str | None = None
    column_class: str = "direct"
    sought: bool = True

    @property
    def identifies(self) -> bool:
        """Whether one value tells who somebody is, however many rows share it."""
        return self.column_class not in ("quasi", "sensitive")

    @property
    def is_pool(self) -> bool:
        return self.column_class == POOL


@dataclass
class KnownColumn:
    """What is known of a place: hashes of its values and of other spellings of them, and how they look.

    `cells` counts all cells, of values that are not empty.
    """

    place: KnownPlace
    inside: bool
    values: HashedValues = field(default_factory=HashedValues)
    spellings: HashedValues = field(default_factory=HashedValues)
    looks: Looks = field(default_factory=Looks)
    dense: DenseNumbers = field(default_factory=DenseNumbers)
    cells: int = 0

    def lookup(self, hashes: U64) -> Mask:
        return self.values.lookup(hashes) | self.spellings.lookup(hashes)

    def lookup_sorted(self, hashes: U64) -> Mask:
        return self.values.lookup_sorted(hashes) | self.spellings.lookup_sorted(hashes)

    @property
    def left_out(self) -> dict[str, int]:
        """How many values are not looked for inside texts, and why."""
        short = int(np.count_nonzero((self.values.hashes & _TAG) == SHORT))
        shared = 0
        if not self.place.identifies:
            shared = int(np.count_nonzero(self.values.shared(self.values.hashes) & ((self.values.hashes & _TAG) != SHORT)))
        return {"short": short, "shared": shared}


class KnownValues:
    """All values of the personal columns of a source, as 64-bit hashes under a key of this object alone.

    Add all values, `seal`, then ask. Values are compared as `folding` and `canonical` say. Memory: 11 bytes for each different
    value of a column and about 5 for the filters; texts are hashed in pieces of half a million characters.
    """

    def __init__(self, secret: bytes | None = None) -> None:
        self.hasher = Hasher(secret)
        self.columns: list[KnownColumn] = []
        self._by_name: dict[str, int] = {}
        self.anchors = GrowingFilter()
        self.heads = HashedValues()
        self.lengths: set[int] = set()
        self.passed_over = HashedValues()
        self.sealed = False
        self._lock = Lock()

    def add(self, place: KnownPlace, values: pa.Array, *, inside: bool = True) -> None:
        """Add values of `place`, of any Arrow type; `inside` says whether they are looked for inside texts too."""
        self._take(self._column(place, inside), values)

    def add_all(self, values: Iterable[tuple[KnownPlace, pa.Array]], each: Callable[..., Iterable[None]] = map) -> None:
        """Add values of several places; `each`, such as the `map` of an executor, may take those of different places at once."""
        by_column: dict[int, list[pa.Array]] = {}
        for place, some in values:
            column = self._column(place, True)
            by_column.setdefault(self._by_name[column.place.name], []).append(some)

        def take(number: int) -> None:
            for some in by_column[number]:
                self._take(self.columns[number], some)

        for _ in each(take, by_column):
            pass

    def _take(self, column: KnownColumn, values: pa.Array) -> None:
        texts, _ = texts_of(values)
        column.dense.add(values)
        for stream in self.hasher.streams(texts):
            hashes = self._learn(stream, column.inside)
            column.values.add(hashes)
            column.cells += len(hashes)
            column.looks.see(stream)
        for spelling in other_spellings(texts, column.place.entity, values.type):
            for stream in self.hasher.streams(spelling):
                column.spellings.add(self._learn(stream, column.inside))
        self.sealed = False

    def pass_over(self, words: pa.Array) -> None:
        """Let `find` pass over values that are such words, since they stand in texts for other reasons."""
        for stream in self.hasher.streams(words):
            self.passed_over.add(self.tagged(stream)[stream.lengths > 0])
        self.passed_over.settle()

    def seal(self) -> None:
        """Make ready to be asked; more may be added afterwards, and sealed again."""
        for column in self.columns:
            column.values.settle()
            column.spellings.settle()
            column.dense.settle()
        self.heads.settle()
        self._pools = Pools([(number, column.values) for number, column in enumerate(self.columns) if column.place.is_pool])
        sets = [(c, s) for c in self.columns for s in (c.values, c.spellings) if len(s)]
        self.known = Filter(sum(len(s) for _, s in sets))
        self.words = Filter(sum(int(np.count_nonzero((s.hashes & _TAG) == WORD)) for c, s in sets if c.inside))
        self._of_source = Filter(sum(len(s) for c, s in sets if not c.place.is_pool))
        for column, hashed in sets:
            self.known.add(hashed.hashes)
            if not column.place.is_pool:
                self._of_source.add(hashed.hashes)
            if column.inside:
                self.words.add(hashed.hashes[(hashed.hashes & _TAG) == WORD])
        self.sealed = True

    def find(self, texts: Sequence[str], *, identifying: bool = False) -> list[list[tuple[int, int, str]]]:
        """Where known values stand in `texts`; see `masking.known.search.find`."""
        from masking.known.search import find  # which builds on this class

        return find(self, texts, identifying=identifying)

    def cells(self, values: pa.Array) -> npt.NDArray[np.bool_]:
        """Which cells hold a known value and nothing else; one truth for each cell (of a list: whether one of its items does)."""
        found = np.zeros(len(values), bool)
        texts, rows = texts_of(values)
        for stream in self.hasher.streams(texts):
            hashes = self.tagged(stream)
            for _, hit in self.columns_of(hashes, stream.lengths > 0):
                places = stream.row + hit
                found[places if rows is None else rows[places]] = True
        return found

    def columns_of(self, hashes: U64, asked: Mask | None = None, *, sought: bool = False) -> Iterator[tuple[int, I64]]:
        """The columns that know some of `hashes` (where `asked`), and the places of those hashes; with `sought` only columns that are."""
        hit = self.known.passing(hashes)
        if asked is not None:
            hit = hit[asked[hit]]
        names = named(hashes[hit])
        for number, known in self.columns_with(names.different, sought=sought):
            yield number, hit[known.take(names.which)]

    def columns_with(self, different: U64, *, sought: bool = False) -> Iterator[tuple[int, Mask]]:
        """The columns that know some of `different` hashes, which are sorted, and which of them each knows."""
        if not len(different):
            return
        in_pools = dict(self._pools.columns_with(different)) if not sought else {}
        maybe = self._of_source.passing(different)  # most words that are met are those of pseudonyms
        for number, column in enumerate(self.columns):
            if number in in_pools:
                yield number, in_pools[number]
            elif len(maybe) and number not in self._pools.numbers and (column.place.sought or not sought):
                met = column.lookup_sorted(different[maybe])
                if met.any():
                    known = np.zeros(len(different), bool)
                    known[maybe[met]] = True
                    yield number, known

    def tagged(self, stream: Stream) -> U64:
        """The hashes of the whole texts of a stream, with the way to look for them."""
        return tag(stream, stream.begins[:-1], stream.begins[1:], stream.cells)

    def _column(self, place: KnownPlace, inside: bool) -> KnownColumn:
        if place.name not in self._by_name:
            self._by_name[place.name] = len(self.columns)
            self.columns.append(KnownColumn(place, inside))
        return self.columns[self._by_name[place.name]]

    def _learn(self, stream: Stream, inside: bool) -> U64:
        hashes = self.tagged(stream)
        tags, lengths, starts = hashes & _TAG, stream.lengths, stream.begins[:-1]
        if inside:
            anchored = starts[tags >= ANCHORED]
            self.anchors.add(stream.hashes(anchored, anchored + ANCHOR))
            long = starts[tags == LONG]
            heads, found = stream.hashes(long, long + HEAD), different(lengths[tags != SHORT]).tolist()
            with self._lock:
                self.heads.add(heads)
                self.lengths.update(found)
        return hashes[lengths > 0]

    @property
    def places(self) -> Sequence[KnownPlace]:
        return [column.place for column in self.columns]


@dataclass(frozen=True)
class Names:
    """The `different` ones of some hashes, sorted, and `which` of them each hash is."""

    different: U64
    which: I64


def named(hashes: U64) -> Names:
    """Tell the different ones of some hashes: neighbours are found near one another then, and equal ones once."""
    order = np.argsort(hashes)
    ordered = hashes[order]
    first = np.ones(len(hashes), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    which = np.empty(len(hashes), np.int64)
    which[order] = np.cumsum(first) - 1
    return Names(ordered[first], which)


def tag(stream: Stream, starts: I64, ends: I64, hashes: U64) -> U64:
    """Return `hashes` of stretches of a stream with how each can be looked for inside texts in the two lowest bits."""
    lengths = ends - starts
    tags = _TAGS.take(np.minimum(lengths, HEAD + 1))
    few = np.flatnonzero((lengths >= MIN_IDEOGRAPHS) & (lengths < MIN_DIGITS))  # too few for a number, perhaps for a word
    if len(few):
        first, last, length = starts[few], ends[few], lengths[few]
        number = stream.digits[last] - stream.digits[first] == length
        ideographs = stream.ideographs[last] - stream.ideographs[first] == length
        if ideographs.any():  # a syllable of Hangul is several characters, and one of these alone is no name
            ideographs &= stream.tokens[last] - stream.tokens[first] >= MIN_IDEOGRAPHS
        tags[few] = np.where(~number & ((length >= MIN_LETTERS) | ideographs), WORD, SHORT)
    tagged: U64 = (hashes & ~_TAG) | tags
    return tagged


def tag_words(hashes: U64, lengths: I64) -> U64:
    """The same for stretches that are known to hold letters, by their lengths alone."""
    tags: U64 = _TAGS.take(np.minimum(lengths, HEAD + 1))
    tags[(lengths >= MIN_LETTERS) & (lengths < MIN_DIGITS)] = WORD
    return (hashes & ~_TAG) | tags
