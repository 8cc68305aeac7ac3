"""Text that matches a regular expression, drawn part by part; a unique column counts through the words instead."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import numpy as np
import pyarrow as pa

from datagen.compiling import Context, generator
from datagen.randomness import Int64, below
from datagen.rows import Elements, Kernel, Rows, made_by_choice
from datagen.values.lorem import glue, positions
from datagen.values.regex import Either, Letter, Node, Repeated, Sequence, longest, parse_pattern
from datagen.values.texts import code_points, join, spell
from datagen.values.words import Tangled, Words
from schemas.model import Recipe
from schemas.recipes import argument

# letters share a draw of 64 bits as long as each of their combinations stays as likely as the others to five digits
_COMBINATIONS = 2**48


@generator("pattern")
def pattern(recipe: Recipe, ctx: Context) -> Kernel:
    """A word of the pattern: each letter of a class, each option and each number of repetitions is as likely as the others."""
    text = str(argument(recipe, "regex"))
    try:
        node = parse_pattern(text)
        words = Words(node) if ctx.unique or ctx.factor is not None else None
    except Tangled as problem:
        ctx.fail(f"{text!r} cannot be unique: {problem}", recipe.at)
    except ValueError as problem:
        ctx.fail(f"pattern {text!r}: {problem}", recipe.at)
    if ctx.type.length is not None and longest(node) > ctx.type.length:
        ctx.fail(f"words of {text!r} have up to {longest(node)} characters and {ctx.type} has {ctx.type.length}", recipe.at)
    if words is None:
        return _drawn(node, ctx, "word")
    index, endings = ctx.index(words.size, f"words of {text!r}"), [ctx.stream(f"ending {i}") for i in range(words.ending)]
    return lambda rows: words.write(index(rows), lambda i, here: endings[i].draws(rows.numbers()[here]))


def _drawn(node: Node, ctx: Context, name: str) -> Kernel:
    letters = _letters(node)
    if letters is not None:
        return _spelled(letters, ctx, name)
    match node:
        case Sequence(parts):
            runs = [list(run) for _, run in groupby(parts, key=lambda p: _letters(p) is None)]
            merged = [p for run in runs for p in ([Sequence(tuple(run))] if _letters(run[0]) is not None else run)]
            kernels = [_drawn(p, ctx, f"{name}/{i}") for i, p in enumerate(merged)]
            return lambda rows: join(*(k(rows) for k in kernels))
        case Either(options):
            kernels, own = [_drawn(o, ctx, f"{name}/{i}") for i, o in enumerate(options)], ctx.stream(f"{name} option")
            return lambda rows: made_by_choice(kernels, below(rows.draws(own), len(kernels)), rows)
        case Repeated(part, least, most):
            return _repeated(part, least, most, ctx, name)
    raise AssertionError(node)


def _letters(node: Node) -> list[str] | None:
    """The letters of each place, where all words are equally long."""
    match node:
        case Letter(letters):
            return [letters]
        case Sequence(parts):
            found = [_letters(p) for p in parts]
            return None if None in found else [place for places in found for place in places or ()]
        case Repeated(part, least, most) if least == most:
            places = _letters(part)
            return None if places is None else places * most
    return None


def _spelled(places: list[str], ctx: Context, name: str, lengths: Callable[[Rows], Int64] | None = None) -> Kernel:
    """Words with a letter at each place, cut to `lengths`."""
    tables = code_points(places)
    draws: list[tuple[int, list[int]]] = []
    for place, letters in enumerate(places):
        if not draws or draws[-1][0] * len(letters) > _COMBINATIONS:
            draws.append((1, []))
        draws[-1] = draws[-1][0] * len(letters), [*draws[-1][1], place]
    streams = [ctx.stream(f"{name} letters {i}") for i in range(len(draws))]

    def kernel(rows: Rows) -> pa.Array:
        written = np.empty((len(rows), len(places)), tables[0].dtype if tables else np.uint8)
        for stream, (combinations, here) in zip(streams, draws, strict=True):
            number = below(rows.draws(stream), combinations)
            for place in here:
                number, letter = np.divmod(number, len(tables[place]))
                written[:, place] = tables[place][letter]
        return spell(written, None if lengths is None else lengths(rows))

    return kernel


def _repeated(part: Node, least: int, most: int, ctx: Context, name: str) -> Kernel:
    own = ctx.stream(f"{name} count")

    def counts(rows: Rows) -> Int64:
        return below(rows.draws(own), most - least + 1) + least

    places = _letters(part)
    if places is not None:
        return _spelled(places * most, ctx, name, lambda rows: counts(rows) * len(places))
    item = _drawn(part, ctx, f"{name}/item")

    def kernel(rows: Rows) -> pa.Array:
        count = counts(rows)
        owner, place = positions(count)
        return glue(item(Elements(rows, owner, place, max(most, 1))), count)

    return kernel
