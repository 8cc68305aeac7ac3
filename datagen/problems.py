"""All that is wrong with a schema, told at once: problems that end a reading or a planning are no end to the search for others."""

from __future__ import annotations

from fractions import Fraction

from datagen.errors import RecipeError
from datagen.plan import Plan
from schemas.errors import SchemaError
from schemas.whole_parts import whole_part


def in_full(error: SchemaError, seed: int | None = None, scale: float | Fraction = 1.0) -> SchemaError:
    """Return `error` with the problems that planning finds in what is whole of its schema, and in what is whole of that."""
    told, found, rest = dict.fromkeys(error.problems), list(error.problems), error.schema
    while rest is not None and found:
        rest = whole_part(rest, found, error.broken)
        try:
            Plan(rest, seed, scale)
            break
        except RecipeError as further:
            found = [problem for problem in further.problems if problem not in told]
            told |= dict.fromkeys(found)
    return type(error)(error.file, told)
