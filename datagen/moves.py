"""How often the rows of a state machine move, so that a walk that would hardly end is refused before any is made."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from datagen.arrays import DAY, SECOND
from datagen.compiling import Context
from schemas.model import Recipe, Table
from schemas.recipes import argument
from schemas.times import resolve_moment

MOST_MOVES = 10_000

_RARE = -27.0  # the logarithm of a chance that no data set of a size that is made here meets
_TILTS = 64
_DEEPEST = 60

Matrix = npt.NDArray[np.float64]


def may_exceed(chances: Matrix, means: npt.NDArray[np.int64], span: int | None) -> bool:
    """Whether rows from the first state on may move more than `MOST_MOVES` times, more often than hardly ever.

    `chances` are those of each state (row) to be followed by each other, `means` the mean times in states and `span` the time that
    there is (both microseconds; None for no end). By Chernoff's bound: the chance that so many waits fit into the span is at most
    exp(tilt * span) times the mean of exp(-tilt * their sum), for any tilt.
    """
    seconds = np.maximum(means.astype(np.float64) / SECOND, 1e-9)
    stay = np.exp(-1.0 / seconds)  # waits are cut to whole seconds
    tilts = [0.0]
    if span is not None:
        tilts += list(np.geomspace(1.0 / (span / SECOND + 1.0), 10.0 / max(float(seconds.min()), 1.0) + 1.0, _TILTS))
    for tilt in tilts:
        waits = (1.0 - stay) / (1.0 - stay * np.exp(-tilt))
        room = 0.0 if span is None else tilt * (span / SECOND + 1.0)
        if _after_moves(chances * waits[:, None]) + room < _RARE:
            return False
    return True


def _after_moves(matrix: Matrix) -> float:
    """The logarithm of what is left of the first state after `MOST_MOVES` moves by a matrix of chances."""
    left, scale, power, power_scale = np.eye(len(matrix))[0], 0.0, matrix, 0.0
    for bit in range(MOST_MOVES.bit_length()):
        if MOST_MOVES >> bit & 1:
            left, scale = left @ power, scale + power_scale
            largest = left.max()
            if largest <= 0:
                return -np.inf
            left, scale = left / largest, scale + float(np.log(largest))
        power, power_scale = power @ power, 2 * power_scale
        largest = power.max()
        if largest > 0:
            power, power_scale = power / largest, power_scale + float(np.log(largest))
    return scale + float(np.log(left.sum()))


def earliest(ctx: Context, table: Table, path: str, depth: int = 0) -> int | None:
    """The earliest time (microseconds since 1970) that the column at the end of a path can have; None where its recipe does not tell."""
    hops, name = ctx.plan.hops(path, table, None)
    table = ctx.schema.table(hops[-1].table) if hops else table
    recipe = table.column(name).generate
    return None if recipe is None or depth > _DEEPEST else _of_recipe(ctx, table, recipe, depth + 1)


def _of_recipe(ctx: Context, table: Table, recipe: Recipe, depth: int) -> int | None:
    match recipe.name:
        case "between":
            return resolve_moment(argument(recipe, "period")[0], ctx.schema.anchor)
        case "slot" if argument(recipe, "from") is not None:
            return resolve_moment(argument(recipe, "from"), ctx.schema.anchor)
        case "from" | "after":
            return earliest(ctx, table, str(argument(recipe, "path")), depth)
        case "slot":
            return earliest(ctx, table, str(argument(recipe, "after")), depth)
        case "slot_end":
            return earliest(ctx, table, str(argument(recipe, "of")), depth)
        case "before":
            later = earliest(ctx, table, str(argument(recipe, "path")), depth)
            return None if later is None else later - int(argument(recipe, "within")) - DAY  # a date may begin a day earlier
    return None
