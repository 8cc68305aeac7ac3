"""Products: names, stock-keeping units, categories, EANs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from datagen.compiling import Context, generator
from datagen.keys import fixed_width_text
from datagen.rows import Kernel, Rows
from datagen.values.companies import word_list
from datagen.values.texts import decimal_places, digits, fit, join, pick, require_room
from schemas.model import Recipe

_QUALITIES = (
    "Classic", "Compact", "Premium", "Essential", "Ultra", "Smart", "Eco", "Pro", "Slim", "Rugged", "Portable", "Modern", "Vintage",
    "Deluxe", "Everyday", "Heavy-Duty", "Lightweight", "Wireless", "Ergonomic", "Outdoor", "Folding", "Insulated", "Adjustable", "Quiet",
)  # fmt: skip
_MATERIALS = (
    "Steel", "Oak", "Cotton", "Leather", "Bamboo", "Ceramic", "Aluminium", "Linen", "Glass", "Wool", "Canvas", "Copper", "Walnut",
    "Carbon", "Granite", "Silicone", "Marble", "Cork", "Denim", "Titanium",
)  # fmt: skip
_THINGS = (
    "Backpack", "Bottle", "Chair", "Desk", "Lamp", "Kettle", "Notebook", "Keyboard", "Headphones", "Speaker", "Jacket", "Mug", "Wallet",
    "Watch", "Tent", "Knife Set", "Blender", "Monitor Stand", "Router", "Charger", "Umbrella", "Sneakers", "Pillow", "Rug", "Shelf",
    "Toolbox", "Grill", "Planter", "Camera Bag", "Bicycle Light", "Yoga Mat", "Cutting Board", "Frying Pan", "Tablet Case", "Gloves",
)  # fmt: skip
_CATEGORIES = (
    "Home & Kitchen", "Electronics", "Office", "Outdoor", "Clothing", "Toys", "Sports", "Beauty", "Garden", "Automotive", "Books", "Pets",
)  # fmt: skip
_LETTERS = np.frombuffer(b"ABCDEFGHJKLMNPQRSTUVWXYZ", np.uint8)


@generator("product.name")
def product_name(recipe: Recipe, ctx: Context) -> Kernel:
    """A quality, a material and a thing; unique ones carry a model number."""
    parts = [pa.array(p, pa.string()) for p in (_QUALITIES, _MATERIALS, _THINGS)]
    models = 10_000 if ctx.unique else 1
    if ctx.unique:
        require_room(ctx, 42, "product names")
    index = ctx.index(len(_QUALITIES) * len(_MATERIALS) * len(_THINGS) * models, "product names")

    def kernel(rows: Rows) -> pa.Array:
        rest, quality = np.divmod(index(rows), len(_QUALITIES))
        rest, material = np.divmod(rest, len(_MATERIALS))
        model, thing = np.divmod(rest, len(_THINGS))
        name = join(pick(parts[0], quality), " ", pick(parts[1], material), " ", pick(parts[2], thing))
        return join(name, " ", digits(model, 4)) if models > 1 else fit(name, ctx.type)

    return kernel


@generator("product.sku")
def sku(recipe: Recipe, ctx: Context) -> Kernel:
    """Two letters, a hyphen and six digits; shorter where the column is."""
    room = 9 if ctx.type.length is None else min(ctx.type.length, 9)
    if room < 4:
        ctx.fail(f"a stock-keeping unit needs at least 4 characters and {ctx.type} has {room}")
    index = ctx.index(len(_LETTERS) ** 2 * 10 ** (room - 3), "stock-keeping units")

    def kernel(rows: Rows) -> pa.Array:
        number, pair = np.divmod(index(rows), len(_LETTERS) ** 2)
        letters = fixed_width_text(np.column_stack([_LETTERS[pair // len(_LETTERS)], _LETTERS[pair % len(_LETTERS)]]))
        return join(letters, "-", digits(number, room - 3))

    return kernel


@generator("product.category")
def category(recipe: Recipe, ctx: Context) -> Kernel:
    """A category of a shop."""
    return word_list(_CATEGORIES, ctx)


@generator("product.ean")
def ean(recipe: Recipe, ctx: Context) -> Kernel:
    """13 digits that begin with 2 (restricted to use within a company) and end in the check digit of GS1."""
    require_room(ctx, 13, "EANs")
    index = ctx.index(10**11, "EANs")

    def kernel(rows: Rows) -> pa.Array:
        payload = index(rows) + 2 * 10**11
        places = decimal_places(payload, 12).astype(np.int64)
        total = places[:, ::2].sum(axis=1) + 3 * places[:, 1::2].sum(axis=1)
        return digits(payload * 10 + (10 - total % 10) % 10, 13)

    return kernel
