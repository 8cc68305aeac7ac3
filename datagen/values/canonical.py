"""Which JSON columns come in canonical form by construction, so that nobody need read them again to know.

Canonical means: as `bundles.canonical` has it. What cannot be told from the recipe alone counts as not canonical.
"""

from __future__ import annotations

from datagen.compiling import Context
from datagen.numbers import whole_distribution
from datagen.values.documents import json_type
from schemas.model import Recipe
from schemas.recipes import DISTRIBUTIONS, argument
from schemas.types import INTEGERS, TEXTS, SqlType

_DISTRIBUTIONS = {g.name for g in DISTRIBUTIONS}
_PLAIN = (*INTEGERS, *TEXTS, "boolean", "enum", "uuid", "date", "timestamp", "timestamptz")
_WRITTEN = ("json", "array", "choice", "list", "constant")  # others may take over text as it is
_EXACT_DIGITS = 15  # so many decimal digits survive binary64
_PLAIN_DECIMALS = 4  # smaller numbers are spelled with an exponent


def is_canonical(recipe: Recipe, ctx: Context) -> bool:
    """Whether a json column under this recipe has canonical texts only."""
    return recipe.name in _WRITTEN and _is_canonical_member(recipe, ctx)


def _is_canonical_member(recipe: Recipe, ctx: Context) -> bool:
    if recipe.name == "json":
        fields = argument(recipe, "fields")
        # members stand in the order of UTF-16 code units, which is that of code points below U+10000
        return all(max(name, default="") < "\U00010000" and _is_canonical_member(inner, ctx) for name, inner in fields.items())
    if recipe.name == "array":
        return _is_canonical_member(argument(recipe, "of"), ctx)
    if recipe.name == "from":
        type = ctx.path(str(recipe.args["path"]), recipe.at)[1]
        return type.kind in _PLAIN or _is_short(type, 10 ** (type.precision or 0))
    type = json_type(recipe)
    if type.kind == "numeric" and recipe.name in _DISTRIBUTIONS:
        whole = whole_distribution(recipe, type, ctx.at)
        return _is_short(type, max(whole.most, -whole.least))
    return type.kind in _PLAIN


def _is_short(type: SqlType, units: int) -> bool:
    return type.kind == "numeric" and type.decimals <= _PLAIN_DECIMALS and 0 < units <= 10**_EXACT_DIGITS
