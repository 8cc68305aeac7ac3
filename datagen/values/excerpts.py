"""Excerpts: pieces of one long text, cut out at drawn places.

The text is made once, of sentences that a grammar gives, and shared by all columns of a schema that name the same grammar. A row
costs two draws and the copying of its characters, however rich the grammar is. TPC-H fills its comments in this way.

Source: TPC Benchmark H, revision 3, clause 4.2.2.10.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import rfc8785
from blake3 import blake3

from datagen.compiling import Context, generator
from datagen.errors import GenerationFailed
from datagen.numbers import BIGINT, whole_distribution
from datagen.randomness import Int64, below
from datagen.rows import Kernel, Rows
from datagen.values.template import Placeholder, parse_template
from schemas.model import Recipe
from schemas.recipes import argument
from schemas.types import SqlType

_TEXT = SqlType("text")
_SENTENCES, _MOST_SENTENCES = 1 << 9, 1 << 16
_MOST_SIZE = 2**28
_MOST_OCTETS = 2**31 - 1
_INLINE = 12  # a text of so many bytes stands in a view itself
_COVERS = np.where(np.arange(_INLINE) < np.arange(_INLINE + 1)[:, None], np.uint8(255), np.uint8(0)).view("<u4")


@generator("excerpt")
def excerpt(recipe: Recipe, ctx: Context) -> Kernel:
    """A piece of the long text: its length is drawn, and where it begins."""
    length = whole_distribution(argument(recipe, "length"), BIGINT, ctx.at)
    size = int(argument(recipe, "size"))
    if ctx.type.length is not None and length.most > ctx.type.length:
        ctx.fail(f"excerpts have up to {length.most:,} characters and {ctx.type} has {ctx.type.length}", recipe.at)
    if not 0 <= length.least <= length.most <= size <= _MOST_SIZE:
        ctx.fail(f"excerpt needs 0 <= length <= size, and a size of at most {_MOST_SIZE:,}", recipe.at)
    text = _text_of(argument(recipe, "rules"), size, recipe, ctx)
    lengths, places, most = ctx.stream("length"), ctx.stream("place"), length.most

    def kernel(rows: Rows) -> pa.Array:
        made = text()
        return made.pieces(below(rows.draws(places), made.characters - most + 1), length.sample(rows.draws(lengths)))

    return kernel


def _text_of(rules: Mapping[str, tuple[str, ...]] | None, size: int, recipe: Recipe, ctx: Context) -> Callable[[], LongText]:
    """The long text of a grammar, which knows nothing of the column that asks for it."""
    told = "" if rules is None else _digest_of(tuple(rules.items()))
    if (told, size) not in ctx.plan.long_texts:
        for symbol, phrases in (rules or {}).items():
            for phrase in phrases:
                _require_symbols(symbol, phrase, rules or {}, recipe, ctx)
        sentence = Recipe("sentences", {"count": 1}, recipe.at) if rules is None else Recipe("grammar", {"rules": rules}, recipe.at)
        apart = replace(ctx, table=replace(ctx.table, name="~excerpt"), column=told, type=_TEXT, unique=False, part=(), factor=None)
        kernel = ctx.plan.compile_recipe(sentence, apart)
        ctx.plan.long_texts[told, size] = _Once(kernel, ctx, size)
    return ctx.plan.long_texts[told, size]


@lru_cache(maxsize=64)
def _digest_of(rules: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    return blake3(rfc8785.dumps({symbol: list(phrases) for symbol, phrases in rules})).hexdigest()


def _require_symbols(symbol: str, phrase: str, rules: Mapping[str, tuple[str, ...]], recipe: Recipe, ctx: Context) -> None:
    try:
        named = [piece.name for piece in parse_template(phrase) if isinstance(piece, Placeholder)]
    except ValueError as error:
        ctx.fail(f"'{symbol}': {error}", recipe.at)
    for name in named:
        if name not in rules:
            ctx.fail(f"the text of excerpts is the same for all rows, so {{{name}}} must be a symbol of its grammar", recipe.at)


class _Once:
    """A long text that is made when it is first asked for."""

    def __init__(self, sentences: Kernel, ctx: Context, size: int) -> None:
        self._sentences, self._tables, self._size = sentences, ctx.plan.tables, size
        self._table, self._where = ctx.table.name, f"{ctx.table.name}.{ctx.column}"
        self._lock = threading.Lock()
        self._made: LongText | None = None

    def __call__(self) -> LongText:
        with self._lock:
            if self._made is None:
                self._made = LongText(self._write())
            return self._made

    def _write(self) -> str:
        written: list[str] = []
        characters = -1
        while characters < self._size:
            rows = Rows(self._tables, self._table, range(len(written), len(written) + self._next(len(written), characters)))
            more = self._sentences(rows).to_pylist()
            written += more
            characters += sum(map(len, more)) + len(more)
            if not any(more):
                raise GenerationFailed(f"{self._where}: the grammar of excerpts makes empty sentences alone; give its `start` some text")
        return " ".join(written)[: self._size]

    def _next(self, sentences: int, characters: int) -> int:
        """How many sentences to make next: some to see how long they are, then about as many as are still wanted."""
        missing = (self._size - characters) * sentences // max(characters, 1)
        return min(max(missing + missing // 16, _SENTENCES), _MOST_SENTENCES)


@dataclass(frozen=True)
class LongText:
    """A text, and fast ways to its pieces."""

    text: str

    @property
    def characters(self) -> int:
        """How many characters there are."""
        return len(self.text)

    @cached_property
    def octets(self) -> npt.NDArray[np.uint8]:
        """The text as UTF-8, with some zeros behind it."""
        return np.frombuffer(self.text.encode() + bytes(_INLINE), np.uint8)

    @cached_property
    def _starts(self) -> Int64 | None:
        """Where each character begins in the octets; None where each is one octet."""
        if self.text.isascii():
            return None
        first = (self.octets[:-_INLINE] & 0xC0) != 0x80
        return np.concatenate([np.flatnonzero(first), [len(self.octets) - _INLINE]])

    @cached_property
    def _openings(self) -> npt.NDArray[np.void]:
        """The octets that a view of a short text holds, for a text that begins at each octet."""
        octets = self.octets
        return np.ndarray(len(octets) - _INLINE + 1, f"V{_INLINE}", octets, strides=(1,))

    def pieces(self, places: Int64, lengths: Int64) -> pa.Array:
        """Return the texts of `lengths` characters that begin at the characters `places`; OverflowError where they have 2 GiB or more."""
        if self._starts is not None:
            ends = self._starts[places + lengths]
            places = self._starts[places]
            lengths = ends - places
        if int(lengths.sum()) > _MOST_OCTETS:  # the cast below does not look
            raise OverflowError(f"{len(places):,} excerpts that are made at a time have more than 2 GiB; make them shorter")
        # views as Arrow lays them out: length, first four octets, number of the buffer, place in it; short texts stand inside. Who
        # copies them does not look at the first octets of long ones
        views = np.empty((len(places), 2), "<i8")
        views[:, 0] = lengths
        np.left_shift(places, 32, out=views[:, 1])
        short = np.flatnonzero(lengths <= _INLINE)
        if len(short):
            inside = self._openings[places[short]].view("<u4").reshape(-1, _INLINE // 4)
            views.view("<u4").reshape(-1, 4)[short, 1:] = inside & _COVERS.take(lengths[short], 0)
        buffers = [None, pa.py_buffer(views), pa.py_buffer(self.octets)]
        return pa.Array.from_buffers(pa.string_view(), len(places), buffers).cast(pa.string())
