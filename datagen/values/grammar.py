"""Phrase grammars: symbols expanded to one of their phrases, placeholders filled from the row."""

from __future__ import annotations

from functools import partial

import pyarrow as pa

from datagen.compiling import Context, generator
from datagen.randomness import below
from datagen.rows import Kernel, made_by_choice
from datagen.values.people import serial_if_unique, text_or_serial
from datagen.values.template import Placeholder, fill, parse_template, placeholder
from schemas.model import Recipe
from schemas.recipes import argument


@generator("grammar")
def grammar(recipe: Recipe, ctx: Context) -> Kernel:
    """A text grown from `start`; each symbol draws its phrase anew at every place where it stands."""
    rules = argument(recipe, "rules")
    start = _symbol("start", "start", rules, ctx, recipe, ())
    serial = serial_if_unique(ctx, "phrases")
    return lambda rows: text_or_serial(start(rows), rows, ctx, serial, " #")


def _symbol(name: str, place: str, rules: dict[str, tuple[str, ...]], ctx: Context, recipe: Recipe, above: tuple[str, ...]) -> Kernel:
    if name in above:
        ctx.fail(f"the symbol '{name}' contains itself", recipe.at)
    phrases: list[list[str | Kernel]] = []
    for number, phrase in enumerate(rules[name]):
        try:
            pieces = parse_template(phrase)
        except ValueError as error:
            ctx.fail(f"'{name}': {error}", recipe.at)
        compiled: list[str | Kernel] = []
        for position, piece in enumerate(pieces):
            if isinstance(piece, Placeholder) and piece.name in rules:
                compiled.append(_symbol(piece.name, f"{place}/{number}.{position}", rules, ctx, recipe, (*above, name)))
            else:
                compiled.append(piece if isinstance(piece, str) else placeholder(piece, ctx, recipe, recipe.at, tuple(rules)))
        phrases.append(compiled)
    own = ctx.stream(f"phrase {place}")
    if all(len(p) == 1 and isinstance(p[0], str) for p in phrases):
        words = pa.array([str(p[0]) for p in phrases], pa.string())
        return lambda rows: words.take(pa.array(below(rows.draws(own), len(words))))
    kernels = [partial(fill, phrase) for phrase in phrases]
    if len(kernels) == 1:
        return kernels[0]
    return lambda rows: made_by_choice(kernels, below(rows.draws(own), len(kernels)), rows)
