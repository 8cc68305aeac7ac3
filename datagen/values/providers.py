"""Any provider of Faker or Mimesis by name, as a pool of what it makes."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from datagen.compiling import Context, generator
from datagen.pools import GroupedPool, Pool
from datagen.rows import Kernel
from datagen.values.choices import constants
from datagen.values.persona import locales_of
from datagen.values.texts import fit, pick
from schemas.errors import nearest
from schemas.model import Recipe
from schemas.recipes import argument
from schemas.times import EPOCH, MICROSECOND
from schemas.types import SqlType

_MOST = 200_000


def _provider(recipe: Recipe, ctx: Context) -> Kernel:
    name, arguments, size = str(argument(recipe, "provider")), argument(recipe, "args") or {}, int(argument(recipe, "pool"))
    if not 1 <= size <= _MOST:
        ctx.fail(f"a pool has 1 to {_MOST:,} values, not {size}", recipe.at)
    locales, today = locales_of(recipe, ctx), (EPOCH + ctx.schema.anchor * MICROSECOND).date()
    try:
        pools = [ctx.provider_pool(recipe.name, name, arguments, size, locale, today) for locale in locales.names]
    except Exception as error:
        for locale in locales.names:
            _require(recipe.name, name, locale, ctx, recipe)
        ctx.fail(f"{recipe.name} provider {name} cannot be used: {error}", recipe.at)
    if ctx.unique or ctx.factor is not None:
        texts = [t for pool in pools for t in _fitting(pool, ctx.type, cut=False).texts]
        if not texts:
            ctx.fail(f"no value of {name} fits {ctx.type}", recipe.at)
        values = _distinct(_values(texts, ctx))
        index = ctx.index(len(values), f"values of {name} (raise `pool:` for more)")
        return lambda rows: pick(values, index(rows))
    pools = [_fitting(pool, ctx.type, cut=True) for pool in pools]
    for pool, locale in zip(pools, locales.names, strict=True):
        if not pool.texts:
            ctx.fail(f"no value of {name} in {locale} fits {ctx.type}", recipe.at)
    grouped, own = GroupedPool(pools), ctx.stream()
    values = _values(grouped.texts.to_pylist(), ctx)
    return lambda rows: fit(pick(values, grouped.index(rows.draws(own), locales.groups(rows))), ctx.type)


def _fitting(pool: Pool, type: SqlType, *, cut: bool) -> Pool:
    """What an enum has of a pool, or what is short enough; texts that may be `cut` all are."""
    if type.kind == "enum":
        kept = [i for i, text in enumerate(pool.texts) if text in type.values]
    elif type.length is not None and not cut:
        kept = [i for i, text in enumerate(pool.texts) if len(text) <= type.length]
    else:
        return pool
    weights = None if pool.weights is None else tuple(pool.weights[i] for i in kept)
    return Pool(tuple(pool.texts[i] for i in kept), weights)


def _distinct(values: pa.Array) -> pa.Array:
    """Each value once, in order; different texts may be the same value of a type."""
    if isinstance(values, pa.ExtensionArray):
        return values.type.wrap_array(_distinct(values.storage))
    return values.unique()


def _values(texts: Sequence[str], ctx: Context) -> pa.Array:
    if ctx.type.kind == "boolean":
        return constants([t == "True" for t in texts], ctx.type, ctx)
    if ctx.type.kind in ("smallint", "integer", "bigint"):
        try:
            return constants([int(t) for t in texts], ctx.type, ctx)
        except ValueError:
            ctx.fail(f"its values are not all of type {ctx.type}")
    return constants(texts, ctx.type, ctx)


def _require(library: str, name: str, locale: str, ctx: Context, recipe: Recipe) -> None:
    """Fail on a name that the library does not know, with the nearest that it does."""
    if library == "faker":
        from faker import Faker

        known = [n for n in dir(Faker(locale).factories[0]) if not n.startswith("_")]
    else:
        from mimesis import Generic

        generic = Generic()
        topic = name.partition(".")[0]
        topics = [t for t in dir(generic) if not t.startswith("_")]
        known = (
            [f"{topic}.{n}" for n in dir(getattr(generic, topic)) if not n.startswith("_")]
            if topic in topics
            else [f"{t}." for t in topics]
        )
    if name not in known:
        ctx.fail(f"{library} has no provider '{name[:60]}' in {locale}{nearest(name, known)}", recipe.at)


generator("faker")(_provider)
generator("mimesis")(_provider)
