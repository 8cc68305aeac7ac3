"""Addresses: streets, cities, states and postal codes of the person's locale."""

from __future__ import annotations

import pyarrow as pa

from datagen.compiling import Context, generator
from datagen.rows import Kernel
from datagen.values.geo import by_locale, country_of
from datagen.values.people import serial_if_unique, text_or_serial
from datagen.values.persona import Persona, persona
from datagen.values.texts import fit, join, pick
from schemas.model import Recipe

_KINDS = {
    "address.street": ("street_address", "street", "streets"),
    "address.city": ("city", "city", "cities"),
    "address.state": ("state", "state", "states"),
    "address.postcode": ("postcode", "postcode", "postal codes"),
}


def _part(who: Persona, name: str) -> Kernel:
    kind, purpose, _ = _KINDS[name]
    pool = who.pool(kind)
    position = who.draw(pool, purpose)
    return lambda rows: pick(pool.texts, position(rows))


def _address_part(recipe: Recipe, ctx: Context) -> Kernel:
    part = _part(persona(recipe, ctx), recipe.name)
    serial = serial_if_unique(ctx, _KINDS[recipe.name][2])
    return lambda rows: text_or_serial(part(rows), rows, ctx, serial, " ")


for _name in _KINDS:
    generator(_name)(_address_part)


@generator("address.full")
def full(recipe: Recipe, ctx: Context) -> Kernel:
    """Street, postal code, city and country on one line."""
    who = persona(recipe, ctx)
    street, city, postcode = (_part(who, f"address.{p}") for p in ("street", "city", "postcode"))
    names = [country_of(n).name for n in who.locales.names]
    serial = serial_if_unique(ctx, "addresses")

    def kernel(rows: object) -> pa.Array:
        line = join(street(rows), ", ", postcode(rows), " ", city(rows), ", ", by_locale(names, who.locales, rows))  # type: ignore[arg-type]
        return text_or_serial(line, rows, ctx, serial, " #")  # type: ignore[arg-type]

    return kernel if ctx.unique else lambda rows: fit(kernel(rows), ctx.type)
