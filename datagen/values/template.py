"""Templates: text with {placeholders} for columns, references, generators and the row number."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datagen.arrays import to_units
from datagen.compiling import Context, generator
from datagen.errors import GenerationFailed, Unusable
from datagen.keys import uuid_text
from datagen.rows import Kernel, Rows
from datagen.values.texts import decimal, fit, join
from schemas.errors import Mark, nearest
from schemas.model import Recipe
from schemas.recipes import BY_NAME, argument
from schemas.types import INTEGERS, TEXTS, SqlType

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_PADDED = re.compile(r"0(\d+)$")
_TEXT = SqlType("text")
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
    """A template; a unique column needs {row} or a unique column of its own row in it."""
    text = str(argument(recipe, "text"))
    try:
        pieces = parse_template(text)
    except ValueError as error:
        ctx.fail(f"template: {error}", recipe.at)
    names = [p.name for p in pieces if isinstance(p, Placeholder)]
    if ctx.unique and not any(n == "row" or ctx.table.is_unique(n) for n in names):
        ctx.fail("a unique template needs {row} or a unique column in it", recipe.at)
    compiled = [p if isinstance(p, str) else placeholder(p, ctx, recipe, recipe.at) for p in pieces]
    if ctx.unique and ctx.type.length is not None:
        return _within_length(compiled, ctx)
    return lambda rows: fit(fill(compiled, rows), ctx.type)


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
    if type.kind in (*TEXTS, "enum", "json"):
        return source
    if type.kind == "uuid":
        return lambda rows: text_of_uuids(source(rows))
    if type.kind in ("bytes", "array"):
        raise Unusable(f"a {type} cannot stand in a template")
    if type.kind == "timestamptz":
        return lambda rows: pc.strftime(pc.cast(source(rows), pa.timestamp("s"), safe=False), "%Y-%m-%d %H:%M:%S")
    return lambda rows: pc.cast(source(rows), pa.string())


def text_of_uuids(values: pa.Array) -> pa.Array:
    """Return uuids in their usual form of 36 characters."""
    storage = values.storage
    octets = np.frombuffer(storage.buffers()[1], np.uint8)[16 * storage.offset :][: 16 * len(storage)].reshape(-1, 16)
    text = uuid_text(octets)
    return text if storage.null_count == 0 else pc.if_else(storage.is_valid(), text, pa.scalar(None, pa.string()))


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
    if found.form.startswith("%") and type.kind in ("date", "timestamp", "timestamptz"):
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
