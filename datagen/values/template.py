"""Templates: text with {placeholders} for columns, references, generators and the row number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datagen.arrays import to_units
from datagen.coded import Coded, coded
from datagen.compiling import Context, generator
from datagen.errors import GenerationFailed, Unusable
from datagen.rows import Kernel, Rows
from datagen.values.texts import decimal, fit, join
from datagen.values.writing import text_of
from schemas.errors import Mark, nearest
from schemas.model import Recipe
from schemas.recipes import BY_NAME, argument
from schemas.types import INTEGERS, MOMENTS, SqlType

Letters = str | None

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_PADDED = re.compile(r"0(\d+)$")
_TEXT = SqlType("text")
_DIGITS = "0123456789"
_FEW = 1 << 14
_LETTERS = {
    **dict.fromkeys(INTEGERS, "-" + _DIGITS), "numeric": "-." + _DIGITS, "date": _DIGITS + "-", "time": ":." + _DIGITS,
    "interval": "PTS-." + _DIGITS, "timestamp": " :.-" + _DIGITS, "timestamptz": " :.-" + _DIGITS,
    "uuid": "abcdef-" + _DIGITS, "boolean": "truefalse",
}  # fmt: skip
_DATE_MARKS = set("YmdHMSjyBbAaUe%")


@dataclass(frozen=True)
class Placeholder:
    """A name in braces and the format after the colon."""

    name: str
    form: str


def parse_template(text: str) -> list[str | Placeholder]:
    """Split a template into literal text and placeholders; raises ValueError. `{{` and `}}` stand for braces."""
    pieces: list[str | Placeholder] = []
    literal, end = "", 0
    for token in _TOKEN.finditer(text):
        literal += text[end : token.start()]
        end = token.end()
        if token[0] in ("{{", "}}"):
            literal += token[0][0]
        elif token[1] is None:
            raise ValueError(f"a lone '{token[0]}' at character {token.start() + 1}; write it twice to mean itself")
        else:
            if literal:
                pieces.append(literal)
                literal = ""
            name, _, form = token[1].partition(":")
            pieces.append(Placeholder(name.strip(), form))
    literal += text[end:]
    return [*pieces, literal] if literal else pieces


@generator("template")
def template(recipe: Recipe, ctx: Context) -> Kernel:
    """A template; in a unique column, {row} or a unique column of its own row must be readable from the text."""
    text = str(argument(recipe, "text"))
    try:
        pieces = parse_template(text)
    except ValueError as error:
        ctx.fail(f"template: {error}", recipe.at)
    compiled = [p if isinstance(p, str) else placeholder(p, ctx, recipe, recipe.at) for p in pieces]
    if ctx.unique:
        _require_distinct(pieces, ctx, recipe)
    if ctx.unique and ctx.type.length is not None:
        return _within_length(compiled, ctx)
    whole = [p.name for p in pieces if isinstance(p, Placeholder)]
    if not ctx.unique and whole and all(ctx.table.has(n) and ctx.table.column(n).type.kind in INTEGERS for n in whole):
        return Coded(lambda rows: _few(whole, rows, lambda some: fit(fill(compiled, some), ctx.type)))
    return lambda rows: fit(fill(compiled, rows), ctx.type)


def _few(columns: list[str], rows: Rows, write: Kernel) -> pa.Array:
    """Write the text of each combination of whole numbers once, where they are few; else that of each row."""
    combination, size = np.zeros(len(rows), np.int64), 1
    for name in dict.fromkeys(columns):
        values = rows.column(name)
        if values.null_count or not len(rows):
            return write(rows)
        numbers = np.asarray(values).astype(np.int64)
        low, high = int(numbers.min()), int(numbers.max())
        size *= high - low + 1
        if size > min(_FEW, len(rows) // 4):
            return write(rows)
        combination = combination * (high - low + 1) + (numbers - low)
    first = np.full(size, -1, np.int64)
    first[combination] = np.arange(len(rows))
    there = np.flatnonzero(first >= 0)
    texts = write(rows.subset(first[there]))
    distinct = texts.unique()
    place = np.zeros(size, np.int16)
    place[there] = np.asarray(pc.index_in(texts, value_set=distinct))
    return coded(distinct, place[combination])


def _require_distinct(pieces: list[str | Placeholder], ctx: Context, recipe: Recipe) -> None:
    """Fail unless a value that never repeats can be read back from each text, so that no two rows have the same."""
    telling = [*_telling(pieces, ctx)]
    if not telling:
        ctx.fail("a unique template needs {row}, a unique column or all columns of a unique key, none of which is ever null", recipe.at)
    letters = [p if isinstance(p, str) else _letters(p, ctx) for p in pieces]
    if not any(all(_is_readable(i, pieces, letters) for i in places) for places in telling):
        ctx.fail(
            "a unique template may repeat where values of varying length meet, as 1 and 12 do in 112; put a character that is in "
            "neither of them between {row} (or the unique column) and what stands beside it",
            recipe.at,
        )


def _telling(pieces: list[str | Placeholder], ctx: Context) -> Iterator[tuple[int, ...]]:
    """The places of the row number, and those of all columns of each key: what two rows never have in common."""
    places: dict[str, int] = {}
    for i, piece in enumerate(pieces):
        if isinstance(piece, Placeholder):
            column = ctx.table.column(piece.name) if ctx.table.has(piece.name) else None
            coarse = column is not None and (column.nullable or (bool(piece.form) and column.type.kind not in INTEGERS))
            if not coarse:
                places.setdefault(piece.name, i)
    if "row" in places and not ctx.table.has("row"):
        yield (places["row"],)
    for columns in ctx.table.unique_sets():
        if all(name in places for name in columns):
            yield tuple(places[name] for name in columns)


def _is_readable(i: int, pieces: list[str | Placeholder], letters: list[Letters]) -> bool:
    """Whether piece `i` can be read from the text: from its left end, from its right end, or as what both leave over."""
    left = all(_ends(j, +1, pieces, letters) for j in range(i))
    right = all(_ends(j, -1, pieces, letters) for j in range(i + 1, len(pieces)))
    return (left and right) or (left and _ends(i, +1, pieces, letters)) or (right and _ends(i, -1, pieces, letters))


def _ends(i: int, step: int, pieces: list[str | Placeholder], letters: list[Letters]) -> bool:
    """Whether a piece, read from one side, ends at a literal character that is not in it."""
    if isinstance(pieces[i], str):
        return True
    beside, own = (pieces[i + step] if 0 <= i + step < len(pieces) else None), letters[i]
    if step > 0 and own is not None:
        own = own.removeprefix("-")  # the sign of a number is only met at its beginning
    return isinstance(beside, str) and own is not None and beside[0 if step > 0 else -1] not in own


def _letters(found: Placeholder, ctx: Context) -> Letters:
    """The characters that a placeholder can write; None for any."""
    if found.name == "row":
        return _DIGITS
    if found.name in BY_NAME and found.name not in {c.name for c in ctx.table.columns}:
        return None
    kind = ctx.path(found.name)[1].kind
    return None if found.form and kind not in INTEGERS else _LETTERS.get(kind)


def _within_length(compiled: list[str | Kernel], ctx: Context) -> Kernel:
    where, length = f"{ctx.table.name}.{ctx.column}", ctx.type.length or 0

    def kernel(rows: Rows) -> pa.Array:
        values = fill(compiled, rows)
        if (pc.max(pc.utf8_length(values)).as_py() or 0) > length:
            raise GenerationFailed(f"{where}: a unique template does not fit {ctx.type}; shorten it or widen the column")
        return values

    return kernel


def fill(pieces: list[str | Kernel], rows: Rows) -> pa.Array:
    """Join literal text and the values of placeholders."""
    if not pieces:
        return pa.array([""] * len(rows), pa.string())
    parts = [p if isinstance(p, str) else p(rows) for p in pieces]
    if all(isinstance(p, str) for p in parts):
        return pa.repeat(pa.scalar("".join(map(str, parts)), pa.string()), len(rows))
    return join(*(p if isinstance(p, str) else pc.fill_null(p, "") for p in parts))


def placeholder(found: Placeholder, ctx: Context, recipe: Recipe, at: Mark | None, extra: tuple[str, ...] = ()) -> Kernel:
    """Compile one placeholder: {row}, a column or path, or a generator by name."""
    if found.name == "row":
        return _formatted(
            lambda rows: decimal(rows.numbers() + 1), SqlType("bigint"), found, ctx, lambda rows: pa.array(rows.numbers() + 1)
        )
    try:
        source, type = ctx.path(found.name, at)
    except Unusable as problem:
        if found.name not in BY_NAME:
            known = ["row", *extra, *(c.name for c in ctx.table.columns), *BY_NAME]
            if "." in found.name and found.name.partition(".")[0] in {c.name for c in ctx.table.columns}:
                raise
            ctx.fail(f"unknown placeholder '{{{found.name}}}'{nearest(found.name, known) or ': ' + problem.message}", at)
        arguments = {"locale": recipe.args["locale"]} if "locale" in recipe.args and BY_NAME[found.name].parameter("locale") else {}
        inner = Recipe(found.name, arguments, at)
        if "text" not in BY_NAME[found.name].fits or any(p.required for p in BY_NAME[found.name].parameters):
            ctx.fail(f"{found.name} cannot stand in a template", at)
        return ctx.compile(inner, _TEXT, found.name)
    return _formatted(_as_text(source, type), type, found, ctx, lambda rows: source(rows))


def _as_text(source: Kernel, type: SqlType) -> Kernel:
    if type.kind in ("bytes", "array"):
        raise Unusable(f"a {type} cannot stand in a template")
    return lambda rows: text_of(source(rows), type)


def _formatted(text: Kernel, type: SqlType, found: Placeholder, ctx: Context, whole: Kernel) -> Kernel:
    if not found.form:
        return text
    padded = _PADDED.match(found.form)
    if padded and (type.kind in INTEGERS):
        width = int(padded[1])

        def zeros(rows: Rows) -> pa.Array:
            values = text(rows)
            negative = pc.starts_with(values, "-")
            below_zero = join("-", pc.utf8_lpad(pc.utf8_ltrim(values, "-"), max(width - 1, 0), "0"))
            return pc.if_else(negative, below_zero, pc.utf8_lpad(values, width, "0"))

        return zeros
    if found.form.startswith("%") and type.kind in MOMENTS:
        marks = re.findall(r"%(.)", found.form)
        if set(marks) <= _DATE_MARKS:
            unit = pa.date32() if type.kind == "date" else pa.timestamp("s")
            form = found.form
            factor = 1 if type.kind == "date" else 1_000_000

            def kernel(rows: Rows) -> pa.Array:
                units, absent = to_units(type, whole(rows))
                return pc.strftime(
                    pa.array(units // factor, mask=absent).cast(pa.int32() if type.kind == "date" else pa.int64()).cast(unit), form
                )

            return kernel
    ctx.fail(
        f"the format '{found.form}' does not fit {found.name}, which is {type}; known are :06 for whole numbers and :%Y-%m-%d for dates"
    )
