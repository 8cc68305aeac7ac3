"""Columns that hold the paths of files, and how those files are drawn from the other values of the row.

The path is `table/column/row number.extension`, and the file a pure function of the row: of what it names, and of one draw of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from datagen.arrays import blank
from datagen.compiling import Context, generator
from datagen.media import avatars, documents, logos
from datagen.randomness import Stream
from datagen.rows import Kernel, Rows
from datagen.values.texts import decimal, join
from datagen.values.writing import text_of
from schemas.model import Recipe
from schemas.recipes import argument
from schemas.source import MediaFile
from schemas.types import SqlType

MOST_FILES = 10_000
_DIGITS = 6
_TEXT = SqlType("text")
_TYPES = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
Draw = Callable[[int, tuple[str, ...]], bytes]


@dataclass(frozen=True)
class Drawn:
    """The files of one column: those of the rows with numbers below `count`."""

    table: str
    column: str
    count: int
    media_type: str
    paths: Kernel
    texts: tuple[Kernel, ...]
    look: Stream
    draw: Draw

    def files(self, rows: Rows, cells: pa.Array) -> Iterator[MediaFile]:
        """Draw the files of `rows`, whose cells of this column are `cells`: those that have one."""
        texts = [["" if text is None else text for text in kernel(rows).to_pylist()] for kernel in self.texts]
        looks = rows.draws(self.look).tolist()
        for i, (path, cell) in enumerate(zip(self.paths(rows).to_pylist(), cells.to_pylist(), strict=True)):
            if path is not None and path == cell:
                data = self.draw(looks[i], tuple(text[i] for text in texts))
                yield MediaFile(self.table, self.column, path, self.media_type, data)


@generator("media.logo")
def logo(recipe: Recipe, ctx: Context) -> Kernel:
    """The logo of a company; `of` names it."""
    return _images(recipe, ctx, {"svg": logos.as_svg, "png": logos.as_png})


@generator("media.avatar")
def avatar(recipe: Recipe, ctx: Context) -> Kernel:
    """The picture of a person."""
    return _images(recipe, ctx, {"png": avatars.as_png, "svg": avatars.as_svg})


@generator("media.document")
def document(recipe: Recipe, ctx: Context) -> Kernel:
    """A document of templates."""
    parts = [argument(recipe, "letterhead"), argument(recipe, "title"), *(argument(recipe, "lines") or ())]
    texts = [ctx.compile(Recipe("template", {"text": str(part)}, recipe.at), _TEXT, f"text {i}") for i, part in enumerate(parts)]
    return _column(recipe, ctx, "pdf", tuple(texts), documents.as_pdf)


def _images(recipe: Recipe, ctx: Context, ways: dict[str, Draw]) -> Kernel:
    form = str(argument(recipe, "format"))
    if form not in ways:
        ctx.fail(f"{recipe.name} draws {' or '.join(ways)}, not '{form[:20]}'", recipe.places.get("format", recipe.at))
    path = argument(recipe, "of")
    if path is None:
        return _column(recipe, ctx, form, (), ways[form])
    source, type = ctx.path(str(path), recipe.places.get("of", recipe.at))
    return _column(recipe, ctx, form, (lambda rows: text_of(source(rows), type),), ways[form])


def _column(recipe: Recipe, ctx: Context, form: str, texts: tuple[Kernel, ...], draw: Draw) -> Kernel:
    if not ctx.table.has(ctx.column) or ctx.table.column(ctx.column).generate is not recipe:
        ctx.fail(f"{recipe.name} makes whole columns, and no parts of values", recipe.at)
    if ctx.table.column(ctx.column).hidden:
        ctx.fail(f"{recipe.name}: '{ctx.column}' is hidden, so nobody would find its files", recipe.at)
    first = argument(recipe, "first")
    count = ctx.rows if first is None else min(int(first), ctx.rows)
    if count > MOST_FILES:
        ctx.fail(f"{recipe.name} would draw {count:,} files, and draws at most {MOST_FILES:,}; say `first: 100` or so", recipe.at)
    span = ctx.plan.row_span(ctx.table.name)
    if count < span and not ctx.table.column(ctx.column).nullable:
        ctx.fail(f"{recipe.name} draws {count:,} files for {span:,} rows, and the others have none; add `null: 0`", recipe.at)
    folder, ending = f"{_safe(ctx.table.name)}/{_safe(ctx.column)}/", f".{form}"
    longest = len(folder) + max(_DIGITS, len(str(count))) + len(ending)
    if ctx.type.length is not None and ctx.type.length < longest:
        ctx.fail(f"{recipe.name}: paths have up to {longest} characters, which do not fit {ctx.type}", recipe.at)

    def paths(rows: Rows) -> pa.Array:
        numbers = rows.numbers()
        named = join(folder, pc.utf8_lpad(decimal(numbers + 1), _DIGITS, "0"), ending)
        return blank(named, numbers >= count) if (numbers >= count).any() else named

    place = (ctx.table.name, ctx.column)
    ctx.plan.media[place] = Drawn(*place, count, _TYPES[form], paths, texts, ctx.stream("look"), draw)
    return paths


def _safe(name: str) -> str:
    """A name as one part of a path: of ASCII letters, digits, `_`, `-`, `%`, and `.` but at the ends."""
    quoted = quote(name, safe="").replace("~", "%7E")
    inner = quoted.strip(".")
    before = len(quoted) - len(quoted.lstrip("."))
    return "%2E" * before + inner + "%2E" * (len(quoted) - before - len(inner))
