"""Places of a locale: its country, coordinates inside it, time zones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import pyarrow as pa

from datagen.arrays import from_floats, from_units, largest_units
from datagen.compiling import Context, generator
from datagen.randomness import below, unit
from datagen.rows import Kernel, Rows
from datagen.values.persona import Locales, persona
from datagen.values.texts import fit, pick
from schemas.model import Recipe
from schemas.types import FLOATS

_BY_LANGUAGE = {
    "en": "US", "ja": "JP", "zh": "CN", "ko": "KR", "cs": "CZ", "da": "DK", "sv": "SE", "el": "GR", "uk": "UA", "vi": "VN", "he": "IL",
    "ar": "EG", "hi": "IN", "pt": "PT", "nb": "NO", "no": "NO", "fa": "SA", "ta": "IN", "es": "ES",
}  # fmt: skip


@dataclass(frozen=True)
class Country:
    """A country's code, its own name, a box that lies within its territory (degrees), its main time zones."""

    code: str
    name: str
    south: float
    north: float
    west: float
    east: float
    zones: tuple[str, ...]


@cache
def countries() -> dict[str, Country]:
    """The countries known here, by ISO 3166 code."""
    table = json.loads((resources.files("datagen.values") / "places.json").read_text("utf-8"))
    return {code: Country(code, row[0], row[1], row[2], row[3], row[4], tuple(row[5])) for code, row in table.items()}


def country_of(locale: str) -> Country:
    """The country of a locale; that of its language, or the United States, where it is not known here."""
    language, _, code = locale.partition("_")
    known = countries()
    return known.get(code) or known.get(_BY_LANGUAGE.get(language, "")) or known.get(language.upper()) or known["US"]


def by_locale(values: list[str], locales: Locales, rows: Rows) -> pa.Array:
    """One value a row, by the row's locale."""
    return pick(pa.array(values, pa.string()), locales.positions(rows))


def _of_country(recipe: Recipe, ctx: Context, attribute: str) -> Kernel:
    locales = persona(recipe, ctx).locales
    values = [str(getattr(country_of(n), attribute)) for n in locales.names]
    return lambda rows: fit(by_locale(values, locales, rows), ctx.type)


@generator("address.country")
def country(recipe: Recipe, ctx: Context) -> Kernel:
    """The country's own name."""
    return _of_country(recipe, ctx, "name")


@generator("address.country_code")
def country_code(recipe: Recipe, ctx: Context) -> Kernel:
    """The country's ISO 3166 alpha-2 code."""
    return _of_country(recipe, ctx, "code")


@generator("geo.locale")
def locale(recipe: Recipe, ctx: Context) -> Kernel:
    """The locale as BCP 47 writes it."""
    locales = persona(recipe, ctx).locales
    return lambda rows: fit(by_locale([n.replace("_", "-") for n in locales.names], locales, rows), ctx.type)


@generator("geo.timezone")
def timezone(recipe: Recipe, ctx: Context) -> Kernel:
    """A time zone of the country."""
    who = persona(recipe, ctx)
    zones = [country_of(n).zones for n in who.locales.names]
    values = pa.array([z for own in zones for z in own], pa.string())
    offsets = np.cumsum([0, *map(len, zones)])[:-1]
    sizes = np.array([len(z) for z in zones])
    own = ctx.entity_stream(who.entity, "time zone")

    def kernel(rows: Rows) -> pa.Array:
        group = who.locales.positions(rows)
        return fit(pick(values, offsets[group] + below(rows.draws(own), sizes[group])), ctx.type)

    return kernel


def _coordinate(recipe: Recipe, ctx: Context, low: str, high: str) -> Kernel:
    who = persona(recipe, ctx)
    lows = np.array([getattr(country_of(n), low) for n in who.locales.names])
    spans = np.array([getattr(country_of(n), high) for n in who.locales.names]) - lows
    own, type = ctx.entity_stream(who.entity, low), ctx.type
    if type.kind == "numeric" and max(np.abs(lows).max(), np.abs(lows + spans).max()) * 10**type.decimals > largest_units(type):
        ctx.fail(f"{type} has too few digits before the point for degrees, or too many after it; numeric(9,6) is usual")
    scale = float(10 ** min(type.decimals, 6)) if type.kind == "numeric" else 1e6

    def kernel(rows: Rows) -> pa.Array:
        group = who.locales.positions(rows)
        whole = np.floor((lows[group] + unit(rows.draws(own)) * spans[group]) * scale).astype(np.int64)
        if type.kind in FLOATS:
            return from_floats(type, whole / scale)
        return from_units(type, whole * 10 ** max(type.decimals - 6, 0))

    return kernel


@generator("geo.latitude")
def latitude(recipe: Recipe, ctx: Context) -> Kernel:
    """Degrees north, to a millionth."""
    return _coordinate(recipe, ctx, "south", "north")


@generator("geo.longitude")
def longitude(recipe: Recipe, ctx: Context) -> Kernel:
    """Degrees east, to a millionth."""
    return _coordinate(recipe, ctx, "west", "east")
