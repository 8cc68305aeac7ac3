"""Companies: names, domains, catch phrases, departments, industries."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from datagen.compiling import Context, generator
from datagen.randomness import below
from datagen.rows import Kernel, Rows
from datagen.values.people import serial_if_unique, text_or_serial
from datagen.values.persona import persona
from datagen.values.texts import fit, fit_before, join, pick, require_room
from schemas.model import Recipe

_STEMS = (
    "Acor", "Adven", "Alpen", "Altiv", "Amber", "Anchor", "Apex", "Aquil", "Arbor", "Arden", "Astra", "Atlan", "Auror", "Avalon",
    "Azur", "Balan", "Beacon", "Birch", "Blue", "Bold", "Boreal", "Bright", "Brook", "Cael", "Calder", "Cape", "Cedar", "Cinder",
    "Civic", "Clear", "Cobal", "Coral", "Crest", "Crown", "Delt", "Dover", "Drift", "Eagle", "Echo", "Eden", "Ember", "Equi",
    "Ever", "Falcon", "Fern", "Field", "Fjord", "Forge", "Fox", "Galen", "Garnet", "Glen", "Gold", "Grand", "Granit", "Green",
    "Grove", "Halcy", "Harbor", "Hazel", "Helio", "Heron", "High", "Hollow", "Horizon", "Iris", "Iron", "Ivory", "Jasper", "Juni",
    "Kestrel", "Keystone", "Kite", "Lake", "Lark", "Laurel", "Linden", "Lumen", "Lyra", "Maple", "Marin", "Meadow", "Meridian",
    "Mesa", "Metro", "Mill", "Mistral", "Mont", "Moss", "Nexa", "Nimb", "Noble", "Nord", "North", "Nova", "Oak", "Ocean", "Olive",
    "Onyx", "Opal", "Orchid", "Orion", "Osprey", "Palm", "Peak", "Pine", "Pioneer", "Polar", "Prairie", "Prism", "Quarry", "Quill",
    "Raven", "Redwood", "Ridge", "River", "Robin", "Rowan", "Sable", "Sage", "Sequoia", "Sierra", "Silver", "Slate", "Solar",
    "Spruce", "Stella", "Sterling", "Stone", "Summit", "Swift", "Tern", "Terra", "Thistle", "Tidal", "Timber", "Topaz", "Trident",
    "Umber", "Union", "Valley", "Vantage", "Vector", "Verdant", "Vertex", "Vista", "Walnut", "Wave", "West", "Willow", "Wren", "Zephyr",
)  # fmt: skip
_ENDINGS = (
    "", "a", "ia", "is", "on", "or", "us", "ix", "eo", "ara", "aris", "enta", "bridge", "bay", "bank", "craft", "crest", "dale",
    "edge", "field", "flow", "forge", "gate", "grid", "hill", "house", "land", "lane", "line", "link", "lock", "loop", "mark",
    "mere", "mind", "path", "point", "port", "rise", "shore", "side", "smith", "span", "spring", "stead", "stone", "stream", "view",
    "ward", "ware", "watch", "way", "well", "wick", "wood", "works", "worth", "yard",
)  # fmt: skip
_FIELDS = (
    "Analytics", "Apparel", "Automation", "Biotech", "Capital", "Care", "Chemicals", "Cloud", "Components", "Consulting", "Controls",
    "Design", "Devices", "Digital", "Dynamics", "Electric", "Energy", "Engineering", "Events", "Financial", "Foods", "Freight",
    "Health", "Holdings", "Hospitality", "Industries", "Insurance", "Interactive", "Labs", "Learning", "Legal", "Logistics",
    "Manufacturing", "Marketing", "Materials", "Media", "Mobility", "Motors", "Networks", "Optics", "Partners", "Pharma", "Power",
    "Properties", "Recruiting", "Research", "Retail", "Robotics", "Security", "Semiconductors", "Services", "Software", "Solutions",
    "Studios", "Supply", "Systems", "Technologies", "Textiles", "Tools", "Trading", "Travel", "Ventures", "Water", "Wines",
)  # fmt: skip
_FORMS = ("Inc.", "LLC", "Group", "Ltd.", "Corp.", "GmbH", "AG", "Co.")
_DEPARTMENTS = (
    "Engineering", "Sales", "Marketing", "Customer Support", "Finance", "Human Resources", "Operations", "Product", "Legal",
    "Information Technology", "Procurement", "Research", "Quality", "Security", "Logistics", "Design",
)  # fmt: skip
_INDUSTRIES = (
    "Software", "Financial services", "Health care", "Manufacturing", "Retail", "Logistics", "Energy", "Education", "Insurance",
    "Media", "Hospitality", "Construction", "Telecommunications", "Biotechnology", "Agriculture", "Real estate", "Consulting",
    "Automotive", "Public sector", "Aerospace",
)  # fmt: skip
_TOP_LEVEL = ("example", "test")


def _coined(ctx: Context, between: str, with_form: bool) -> tuple[int, object]:
    """A kernel from positions to coined names, and how many there are."""
    parts = [_STEMS, _ENDINGS, _FIELDS, _FORMS if with_form else ("",)]
    arrays = [pa.array(p, pa.string()) for p in parts]
    size = int(np.prod([len(p) for p in parts]))

    def names(positions: np.ndarray) -> pa.Array:
        rest, digit = np.divmod(positions, len(parts[0]))
        stem = pick(arrays[0], digit)
        rest, digit = np.divmod(rest, len(parts[1]))
        ending = pick(arrays[1], digit)
        rest, digit = np.divmod(rest, len(parts[2]))
        field = pick(arrays[2], digit)
        if not with_form:
            return join(stem, ending, between, field)
        return join(stem, ending, between, field, " ", pick(arrays[3], rest))

    return size, names


@generator("company.name")
def company_name(recipe: Recipe, ctx: Context) -> Kernel:
    """The locale's company names; unique ones are coined (a name, a field and a legal form), of which there are 4.7 million."""
    if ctx.unique:
        require_room(ctx, 36, "company names")
        size, names = _coined(ctx, " ", with_form=True)
        index = ctx.index(size, "company names")
        return lambda rows: names(index(rows))  # type: ignore[operator]
    who = persona(Recipe("person.name", {"of": "company", **recipe.args}), ctx)
    pool = who.pool("company")
    position = who.draw(pool, "company name")
    return lambda rows: fit(pick(pool.texts, position(rows)), ctx.type)


@generator("company.domain")
def company_domain(recipe: Recipe, ctx: Context) -> Kernel:
    """A domain below .example or .test (RFC 2606) that carries a coined name."""
    size, names = _coined(ctx, "-", with_form=False)
    index = ctx.index(size * len(_TOP_LEVEL), "domains")
    if ctx.unique:
        require_room(ctx, 38, "domains")
    elif ctx.type.length is not None and ctx.type.length < 9:
        ctx.fail(f"no domain fits {ctx.type}")
    tops = pa.array([f".{t}" for t in _TOP_LEVEL], pa.string())

    def kernel(rows: Rows) -> pa.Array:
        rest, top = np.divmod(index(rows), len(_TOP_LEVEL))
        return fit_before(pa.compute.ascii_lower(names(rest)), pick(tops, top), ctx.type)  # type: ignore[operator]

    return kernel


@generator("company.catch_phrase")
def catch_phrase(recipe: Recipe, ctx: Context) -> Kernel:
    """A catch phrase of the locale."""
    who = persona(Recipe("person.name", {"of": "company", **recipe.args}), ctx)
    pool = who.pool("catch_phrase")
    position, serial = who.draw(pool, f"catch phrase {ctx.column}"), serial_if_unique(ctx, "catch phrases")
    return lambda rows: text_or_serial(pick(pool.texts, position(rows)), rows, ctx, serial, " ")


def word_list(words: tuple[str, ...], ctx: Context) -> Kernel:
    """One of the words, all equally likely."""
    values, own = pa.array(words, pa.string()), ctx.stream()
    return lambda rows: fit(pick(values, below(rows.draws(own), len(words))), ctx.type)


@generator("company.department")
def department(recipe: Recipe, ctx: Context) -> Kernel:
    """A department of a company."""
    return word_list(_DEPARTMENTS, ctx)


@generator("company.industry")
def industry(recipe: Recipe, ctx: Context) -> Kernel:
    """An industry."""
    return word_list(_INDUSTRIES, ctx)
