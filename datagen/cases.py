"""`cases`: one recipe or another, by the value of a column of the row or of a row that it references."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datagen.compiling import Context, generator
from datagen.errors import GenerationFailed
from datagen.randomness import Int64
from datagen.rows import Kernel, Rows, made_by_choice
from schemas.cases import case_value
from schemas.model import Recipe

Chosen = Callable[[Rows], Int64]


@generator("cases")
def cases(recipe: Recipe, ctx: Context) -> Kernel:
    """The value that the recipe of the row's case makes; every case draws from streams of its own."""
    return by_case(recipe, ctx, [ctx.compile(inner, ctx.type, part) for part, inner in parts_of(recipe)])


def parts_of(recipe: Recipe) -> list[tuple[str, Recipe]]:
    """The recipes of the cases, that of `else` last, and the names by which their draws are told apart."""
    rest = [("else", recipe.args["else"])] if "else" in recipe.args else []
    return [*((f"case {text}", inner) for text, inner in recipe.args["cases"].items()), *rest]


def by_case(recipe: Recipe, ctx: Context, kernels: list[Kernel]) -> Kernel:
    """Return a kernel that makes each row by that of `kernels` which belongs to its case."""
    chosen = case_of(recipe, ctx)
    return lambda rows: made_by_choice(kernels, chosen(rows), rows)


def case_of(recipe: Recipe, ctx: Context) -> Chosen:
    """Return which case each row has, in their order; the number of cases stands for `else`."""
    path, given = str(recipe.args["by"]), list(recipe.args["cases"])
    source, type = ctx.path(path, recipe.at)
    try:
        values = [case_value(text, type) for text in given]
    except ValueError as error:
        ctx.fail(f"a case is no value of {path}, which is {type}: {error}", recipe.at)
    known, rest = pa.array(values, type.arrow), "else" in recipe.args
    where = f"{ctx.table.name}.{path}"

    def chosen(rows: Rows) -> Int64:
        found = np.asarray(pc.fill_null(pc.index_in(source(rows), value_set=known), len(given)).cast(pa.int64()))
        if not rest and len(found) and int(found.max()) == len(given):
            raise GenerationFailed(f"a row has a value of {where} that has no case; add the case, or `else:`")
        return found

    return chosen
