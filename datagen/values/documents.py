"""JSON documents and arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import rfc8785

from datagen.cases import by_case, parts_of
from datagen.compiling import Context, generator
from datagen.errors import GenerationFailed
from datagen.numbers import count_distribution
from datagen.randomness import Int64
from datagen.rows import Elements, Kernel, Rows
from datagen.values.choices import constants, require_distinct
from datagen.values.distinct import MOST_DISTINCT, asked_for, without_repeats, without_repeats_by_weight
from datagen.values.lorem import glue, positions
from datagen.values.texts import join, pick
from datagen.values.writing import text_of
from schemas.model import Recipe
from schemas.recipes import BY_NAME, argument
from schemas.types import FLOATS, INTEGERS, TEXTS, SqlType

_PREFERRED = ("text", "bigint", "double", "boolean", "timestamptz", "json", "uuid", "interval", "numeric")
_ESCAPES = (
    *((chr(c), f"\\u{c:04x}") for c in range(32) if chr(c) not in "\b\t\n\f\r"),
    ("\b", "\\b"), ("\t", "\\t"), ("\n", "\\n"), ("\f", "\\f"), ("\r", "\\r"),
)  # fmt: skip
_CENTS = SqlType("numeric", 18, 2)
_JSON = SqlType("json")
_APART = ("choice", "uniform", "between")


def json_type(recipe: Recipe) -> SqlType:
    """The type that a member of a JSON document has under a recipe: numbers for distributions, text for most others."""
    if recipe.name in ("uniform", "histogram", "normal", "lognormal", "exponential", "beta"):
        numbers = [v for v in _flat(recipe.args) if isinstance(v, (int, float))]
        return SqlType("bigint") if recipe.name == "uniform" and all(isinstance(v, int) for v in numbers) else _CENTS
    if recipe.name in ("choice", "list", "constant"):
        return _type_of_values(recipe)
    if recipe.name in ("json", "array", "cases"):
        return SqlType("json")
    if recipe.name in ("between", "after", "before", "entered", "earliest", "latest"):
        return SqlType("timestamptz")
    fits = BY_NAME[recipe.name].fits
    return SqlType(next(k for k in (("boolean", *_PREFERRED) if recipe.name == "boolean" else _PREFERRED) if k in fits))


def _type_of_values(recipe: Recipe) -> SqlType:
    """The type that given values have as they were written: whole numbers, truth values, texts, or JSON for a mixture."""
    given = recipe.args.get("values", (recipe.args.get("value"),))
    kinds = {type(v[0] if recipe.name == "choice" else v) for v in given}
    known = {int: "bigint", bool: "boolean", str: "text"}
    return SqlType(known.get(kinds.pop(), "json") if len(kinds) == 1 else "json")


def _flat(value: object) -> list[object]:
    if isinstance(value, dict):
        return [x for v in value.values() for x in _flat(v)]
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in _flat(v)]
    return [value]


def as_json(values: pa.Array, type: SqlType) -> pa.Array:
    """Return each value as JSON text (RFC 8785); `null` for nulls."""
    if type.kind == "json":
        written = values
    elif type.kind in INTEGERS:
        written = text_of(values, type)
    elif type.kind == "boolean":
        written = pc.if_else(values, "true", "false")
    elif type.kind == "numeric":
        written = _trimmed(text_of(values, type))
    elif type.kind in FLOATS:
        written = pa.array([None if v is None else rfc8785.dumps(v).decode() for v in values.to_pylist()], pa.string())
    elif type.kind in (*TEXTS, "enum"):
        written = quoted(values)
    else:
        written = join('"', text_of(values, type, "%Y-%m-%dT%H:%M:%SZ"), '"')
    return pc.fill_null(written, "null")


def _trimmed(text: pa.Array) -> pa.Array:
    """Decimals as JSON has them: no zeros at the end."""
    trimmed = pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")
    return pc.if_else(pc.match_substring(text, "."), trimmed, text)


def quoted(values: pa.Array) -> pa.Array:
    """Return texts as JSON strings."""
    escaped = pc.replace_substring(pc.replace_substring(values, "\\", "\\\\"), '"', '\\"')
    if pc.any(pc.match_substring_regex(escaped, "[\\x00-\\x1f]")).as_py():
        for raw, written in _ESCAPES:
            escaped = pc.replace_substring(escaped, raw, written)
    return join('"', escaped, '"')


@generator("json")
def document(recipe: Recipe, ctx: Context) -> Kernel:
    """An object with its members sorted as RFC 8785 asks (by UTF-16 code units)."""
    fields = argument(recipe, "fields")
    members: list[tuple[str, Kernel, SqlType]] = []
    for name in sorted(fields, key=lambda n: n.encode("utf-16-be")):
        member, type = _member(fields[name], ctx, name)
        members.append((rfc8785.dumps(name).decode(), member, type))

    def kernel(rows: Rows) -> pa.Array:
        pieces: list[pa.Array | str] = []
        for i, (name, member, type) in enumerate(members):
            pieces += [("{" if i == 0 else ",") + name + ":", as_json(member(rows), type)]
        written = join(*pieces, "}")
        if length is not None and (pc.max(pc.utf8_length(written)).as_py() or 0) > length:
            raise GenerationFailed(f"{where}: a JSON document does not fit {ctx.type}; widen the column")
        return written

    length, where = ctx.type.length, f"{ctx.table.name}.{ctx.column}"
    return kernel


def _member(recipe: Recipe, ctx: Context, part: str) -> tuple[Kernel, SqlType]:
    """The kernel and the type of a member of a document; cases, which may be of different types, become JSON each."""
    if recipe.name == "cases":
        inner = replace(ctx, part=(*ctx.part, part), type=_JSON, unique=False, factor=None, at=recipe.at or ctx.at)
        return by_case(recipe, inner, [_written(*_member(case, inner, name)) for name, case in parts_of(recipe)]), _JSON
    type = _path_type(recipe, ctx) or json_type(recipe)
    if type.kind in ("bytes", "array"):
        ctx.fail(f"a {type} cannot be a member of a JSON document", recipe.at)
    return ctx.compile(recipe, type, part), type


def _written(kernel: Kernel, type: SqlType) -> Kernel:
    return lambda rows: as_json(kernel(rows), type)


def _path_type(recipe: Recipe, ctx: Context) -> SqlType | None:
    """The type of a member that is taken over from a column."""
    return ctx.path(str(recipe.args["path"]), recipe.at)[1] if recipe.name == "from" else None


@generator("array")
def array(recipe: Recipe, ctx: Context) -> Kernel:
    """A list of items made by one recipe; JSON text in json columns."""
    inner = argument(recipe, "of")
    whole = count_distribution(argument(recipe, "count"), ctx.at)
    if whole.most > 100_000:
        ctx.fail("an array has at most 100,000 items; give its count a max", recipe.at)
    item_type = _item_type(inner, ctx)
    if argument(recipe, "distinct"):
        item = _distinct_items(inner, ctx, item_type, argument(recipe, "count"), whole.most)
    elif ctx.type.kind == "json":
        item, item_type = _member(inner, ctx, "item")
    else:
        item = ctx.compile(inner, item_type, "item")
    own, stride, type = ctx.stream("count"), max(whole.most, 1), ctx.type

    def kernel(rows: Rows) -> pa.Array:
        counts = whole.sample(rows.draws(own))
        owner, place = positions(counts)
        items = item(Elements(rows, owner, place, stride))
        if type.kind == "json":
            first = place == 0
            separated = join(pa.array(["[", ","], pa.string()).take(pa.array(np.where(first, 0, 1))), as_json(items, item_type))
            return join(pc.if_else(pa.array(counts == 0), "[", glue(separated, counts)), "]")
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        return pa.ListArray.from_arrays(pa.array(offsets), items, type=type.arrow)

    return kernel


def _item_type(inner: Recipe, ctx: Context) -> SqlType:
    return ctx.type.item or _path_type(inner, ctx) or json_type(inner)


def _distinct_items(inner: Recipe, ctx: Context, type: SqlType, count: object, most: int) -> Callable[[Elements], pa.Array]:
    """A kernel of items of which no array has one twice; fails where there are too few different ones."""
    if inner.name not in _APART or type.kind in FLOATS:
        ctx.fail(f"distinct items are made by {', '.join(_APART)} (of numbers that are exact), not by {inner.name} of {type}", inner.at)
    own = ctx.stream("item")

    def require(size: int) -> None:
        if most > min(size, MOST_DISTINCT):
            ctx.fail(
                f"distinct items need at least as many different ones as the longest array has, and at most {MOST_DISTINCT} in an array; "
                + asked_for(count, most, size),
                inner.at,
            )

    if inner.name == "choice":
        pairs = [(value, weight) for value, weight in argument(inner, "values") if weight]
        values = constants([value for value, _ in pairs], type, ctx)
        require_distinct(values, ctx)
        require(len(pairs))
        weights = [weight for _, weight in pairs]
        return lambda rows: pick(values, without_repeats_by_weight(rows.draws(own), rows.counts, weights))

    def factor(size: int) -> Callable[[Rows], Int64]:
        require(size)

        def position(rows: Rows) -> Int64:
            assert isinstance(rows, Elements)
            return without_repeats(rows.draws(own), rows.counts, size)

        return position

    return ctx.plan.compile_recipe(inner, replace(ctx, type=type, part=(*ctx.part, "item"), factor=factor, at=inner.at or ctx.at))
