"""Words and sentences that mean nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datagen.compiling import Context, generator
from datagen.numbers import BIGINT, whole_distribution
from datagen.randomness import Index, Int64, below
from datagen.rows import Kernel, Rows
from datagen.values.distinct import MOST_DISTINCT, asked_for, without_repeats
from datagen.values.people import serial_if_unique, text_or_serial
from datagen.values.texts import join, pick
from schemas.model import Recipe
from schemas.recipe_rules import MOST_WORDS
from schemas.recipes import argument

WORDS = (
    "lorem", "ipsum", "dolor", "sit", "amet", "consectetur", "adipiscing", "elit", "sed", "eiusmod", "tempor", "incididunt", "labore",
    "dolore", "magna", "aliqua", "enim", "minim", "veniam", "quis", "nostrud", "exercitation", "ullamco", "laboris", "nisi", "aliquip",
    "commodo", "consequat", "duis", "aute", "irure", "reprehenderit", "voluptate", "velit", "esse", "cillum", "fugiat", "nulla",
    "pariatur", "excepteur", "sint", "occaecat", "cupidatat", "non", "proident", "sunt", "culpa", "officia", "deserunt", "mollit",
    "anim", "laborum", "perspiciatis", "unde", "omnis", "iste", "natus", "error", "accusantium", "doloremque", "laudantium", "totam",
    "rem", "aperiam", "eaque", "ipsa", "quae", "illo", "inventore", "veritatis", "quasi", "architecto", "beatae", "vitae", "dicta",
    "explicabo", "nemo", "ipsam", "quia", "voluptas", "aspernatur", "odit", "fugit", "consequuntur", "magni", "dolores", "ratione",
    "sequi", "nesciunt", "neque", "porro", "quisquam",
)  # fmt: skip

_SENTENCE_LEAST, _SENTENCE_MOST = 5, 14


@generator("words")
def words(recipe: Recipe, ctx: Context) -> Kernel:
    """Words joined by spaces."""
    counts, stride = _counts(recipe, ctx)
    own, serial = ctx.stream("word"), serial_if_unique(ctx, "texts")
    known = argument(recipe, "of") or WORDS
    distinct = bool(argument(recipe, "distinct"))
    spaced = pa.array([*known, *(" " + w for w in known)], pa.string())
    if distinct and (len(set(known)) < len(known) or stride > min(len(known), MOST_DISTINCT)):
        ctx.fail(
            f"distinct words need at least as many different words as the longest text has, and at most {MOST_DISTINCT} in a text; "
            + asked_for(argument(recipe, "count"), stride, len(set(known))),
            recipe.at,
        )

    def kernel(rows: Rows) -> pa.Array:
        count = counts(rows)
        owner, place = positions(count)
        draws = own.draws(_numbered(rows, owner, place, stride))
        index = without_repeats(draws, count, len(known)) if distinct else below(draws, len(known))
        words = pick(spaced, index + np.where(place == 0, 0, len(known)))
        return text_or_serial(glue(words, count), rows, ctx, serial, " ")

    return kernel


def _numbered(rows: Rows, owner: Int64, place: Int64, stride: int) -> Index:
    """The numbers of items, `stride` apart from owner to owner: a range where every owner has so many."""
    if isinstance(rows.index, range) and len(owner) == len(rows) * stride:
        return range(rows.index.start * stride, rows.index.stop * stride)
    return rows.numbers()[owner] * stride + place


@generator("sentences")
def sentences(recipe: Recipe, ctx: Context) -> Kernel:
    """Sentences of 5 to 14 words."""
    counts, stride = _counts(recipe, ctx)
    lengths, own, serial = ctx.stream("length"), ctx.stream("word"), serial_if_unique(ctx, "texts")
    forms = pa.array([*(" " + w for w in WORDS), *(w.capitalize() for w in WORDS), *(" " + w.capitalize() for w in WORDS)], pa.string())

    def kernel(rows: Rows) -> pa.Array:
        count = counts(rows)
        owner, place = positions(count)
        sentence = rows.numbers()[owner] * stride + place
        length = below(lengths.draws(sentence), _SENTENCE_MOST - _SENTENCE_LEAST + 1) + _SENTENCE_LEAST
        inner, word = positions(length)
        index = below(own.draws(sentence[inner] * _SENTENCE_MOST + word), len(WORDS))
        form = np.where(word > 0, 0, np.where(place[inner] == 0, 1, 2))
        written = join(glue(pick(forms, index + form * len(WORDS)), length), ".")
        return text_or_serial(glue(written, count), rows, ctx, serial, " ")

    return kernel


def _counts(recipe: Recipe, ctx: Context) -> tuple[Callable[[Rows], Int64], int]:
    whole = whole_distribution(argument(recipe, "count"), BIGINT, ctx.at)
    most = min(whole.most, MOST_WORDS)
    own = ctx.stream("count")
    return (lambda rows: np.clip(whole.sample(rows.draws(own)), 0, most)), most or 1


def positions(counts: Int64) -> tuple[Int64, Int64]:
    """For items counted per owner: the owner's position and the place among its items, item by item."""
    owner = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    first = np.cumsum(counts) - counts
    return owner, np.arange(len(owner), dtype=np.int64) - first[owner]


def glue(pieces: pa.Array, counts: Int64) -> pa.Array:
    """Concatenate pieces owner by owner: the next `counts[0]` are the first text, and so on."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), pieces)
    return pc.binary_join(lists, "")
