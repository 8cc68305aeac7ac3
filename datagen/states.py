"""Status columns as state machines, and when each row entered each state.

A row starts in the machine's first state at its start time and stays there for an exponential time with the mean that `dwell`
gives, times the row's `factor` and by the clock of its `rhythm`; then it moves by the chances of the machine. It is seen as of
`until`: what would come later has not happened. Without a start time rows walk to the end of the machine. A machine in which rows
would move more than 10,000 times is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from datagen.arrays import DAY, SECOND, from_units, moments
from datagen.compiling import Context, generator
from datagen.distributions import Tabulated, cut, exponential
from datagen.errors import GenerationFailed
from datagen.randomness import Int64
from datagen.rows import Kernel, Rows
from datagen.waits import LONGEST, clock_of, factor_of
from schemas.model import Recipe, Table
from schemas.recipe_rules import states_of
from schemas.recipes import argument
from schemas.times import resolve_moment
from schemas.types import MOMENTS

_NEVER = np.int64(-(2**62))
_GRID = 2**31
_EXPONENTIAL_MEAN = 2**20
_MOST_MOVES = 10_000


@dataclass(frozen=True)
class Walk:
    """Where rows stand: the state's position, when each state was first entered (rows x states), the latest change."""

    state: Int64
    entered: Int64
    changed: Int64


@dataclass(frozen=True)
class Machine:
    """A state machine over `states`; `targets` and `thresholds` (out of 2**31) say what follows each."""

    states: tuple[str, ...]
    targets: tuple[Int64, ...]
    thresholds: tuple[Int64, ...]
    means: Int64


@generator("states")
def states(recipe: Recipe, ctx: Context) -> Kernel:
    """The state of each row as of `until`."""
    machine = _machine(recipe, ctx)
    start = _start(recipe, ctx.table)
    until = ctx.plan.seen_until(resolve_moment(argument(recipe, "until"), ctx.schema.anchor))
    moves = cache(lambda move: ctx.stream(f"step {move}"))
    dwell = cut(exponential(float(_EXPONENTIAL_MEAN)), None, None)
    assert dwell is not None
    waiting = Tabulated.of(dwell)
    source = None if start is None else ctx.path(str(start), recipe.at)
    if source is not None and source[1].kind not in MOMENTS:
        ctx.fail(f"start needs a date or time stamp and {start} is {source[1]}", recipe.at)
    factor, clock = factor_of(recipe, ctx), clock_of(recipe, ctx)
    if start is None:
        _require_an_end(machine, recipe, ctx)
    endless = f"{ctx.table.name}.{ctx.column}: a row moves more than {_MOST_MOVES:,} times; lengthen `dwell`, or start it later"

    def starts(rows: Rows) -> Int64:
        if source is None:
            return np.zeros(len(rows), np.int64)
        found, absent = moments(source[1], source[0](rows))
        return found if absent is None else np.where(absent, until, found)

    def walk(rows: Rows) -> Walk:
        count = len(rows)
        state = np.zeros(count, np.int64)
        time = starts(rows)
        slowness = None if factor is None else factor(rows)
        offsets = clock.offsets(rows, time)
        entered = np.full((count, len(machine.states)), _NEVER, np.int64)
        entered[:, 0] = time
        active = np.arange(count)
        for move in range(_MOST_MOVES + 1):
            if not len(active):
                break
            if move == _MOST_MOVES:
                raise GenerationFailed(endless)
            index = rows.index if len(active) == count else rows.numbers()[active]
            draws = moves(move).draws(index)
            current = state[active]
            chance = (draws & np.uint64(_GRID - 1)).astype(np.int64)
            following = np.full(len(active), -1, np.int64)
            for i in np.unique(current):
                here = current == i
                place = np.searchsorted(machine.thresholds[i], chance[here], side="right")
                following[here] = np.append(machine.targets[i], -1)[place]
            wait = waiting(draws) * (machine.means[current] / float(_EXPONENTIAL_MEAN))
            if slowness is not None:
                wait = np.minimum(wait * slowness[active], LONGEST)
            later = clock.later(time[active], np.floor(wait).astype(np.int64) // SECOND, offsets[active])
            moved = following >= 0
            if source is not None:
                moved &= later <= until
            active, following, later = active[moved], following[moved], later[moved]
            state[active] = following
            time[active] = later
            unseen = entered[active, following] == _NEVER
            entered[active[unseen], following[unseen]] = later[unseen]
        return Walk(state, entered, time)

    remembered = ctx.walked(walk)
    names = pa.array(machine.states, pa.string())
    return lambda rows: names.take(pa.array(remembered(rows).state))


def _require_an_end(machine: Machine, recipe: Recipe, ctx: Context) -> None:
    """Fail where rows without a start time would walk in a circle for ever."""
    ends = {i for i, thresholds in enumerate(machine.thresholds) if not len(thresholds) or thresholds[-1] < _GRID}
    while more := {i for i, targets in enumerate(machine.targets) if i not in ends and ends & set(targets.tolist())}:
        ends |= more
    if len(ends) < len(machine.states):
        ctx.fail("rows would move for ever in this machine: give it `start:` (a time column), or a state with no way out", recipe.at)


def _start(recipe: Recipe, table: Table) -> str | None:
    """The path of the start time: as given, else the row's created_at, where there is one."""
    start = argument(recipe, "start")
    if start is None and table.has("created_at") and table.column("created_at").type.kind in MOMENTS:
        return "created_at"
    return None if start is None else str(start)


def _machine(recipe: Recipe, ctx: Context) -> Machine:
    given = argument(recipe, "machine")
    names = states_of(recipe)
    if ctx.type.kind == "enum":
        for name in names:
            if name not in ctx.type.values:
                ctx.fail(f"state '{name}' is not a value of {ctx.type}", recipe.at)
    if ctx.type.length is not None and max(map(len, names)) > ctx.type.length:
        ctx.fail(f"a state is longer than {ctx.type} allows", recipe.at)
    position = {name: i for i, name in enumerate(names)}
    dwell = argument(recipe, "dwell")
    targets, thresholds = [], []
    for name in names:
        following = given.get(name, {})
        chances = np.cumsum(np.array(list(following.values()), np.float64))
        if len(chances) and chances[-1] > 1.0 + 1e-9:
            ctx.fail(f"the chances of what follows '{name}' sum to {chances[-1]:g}, more than 1", recipe.at)
        targets.append(np.array([position[t] for t in following], np.int64))
        scaled = np.floor(chances * _GRID + 0.5).astype(np.int64)
        thresholds.append(np.where(scaled >= _GRID - 1, np.int64(_GRID), scaled))
    means = [int(dwell.get(n, DAY)) if isinstance(dwell, dict) else int(dwell) for n in names]
    return Machine(tuple(names), tuple(targets), tuple(thresholds), np.array(means, np.int64))


@generator("entered")
def entered(recipe: Recipe, ctx: Context) -> Kernel:
    """When each row first entered a state; null where it never did, or where the column of states is null."""
    column, state, type = str(argument(recipe, "of")), str(argument(recipe, "state")), ctx.type
    status = ctx.recipe_of(column)
    if status is None or status.name != "states":
        ctx.fail(f"entered needs a column with a state machine, and {column} is none", recipe.at)
    names = states_of(status)
    if _start(status, ctx.table) is None:
        ctx.fail(f"{column} has no start time; give its machine `start: <a time column>`", recipe.at)
    if state != "any" and state not in names:
        ctx.fail(f"'{state}' is not a state of {column}; it has {', '.join(names)}", recipe.at)
    nulls = ctx.nulls_of(column, recipe.at)
    if state != names[0] and state != "any" and not ctx.table.column(ctx.column).nullable:
        ctx.fail(f"rows that never entered '{state}' have no time; make the column nullable (`null: 0`)", recipe.at)
    position = None if state == "any" else names.index(state)
    walks, per = ctx.walks, DAY if type.kind == "date" else 1

    def kernel(rows: Rows) -> pa.Array:
        walk: Walk = walks[column](rows)
        times = walk.changed if position is None else walk.entered[:, position]
        absent = times == _NEVER
        unknown = nulls(rows)
        absent = absent if unknown is None else absent | unknown
        return from_units(type, np.where(absent, 0, times) // per, absent if absent.any() else None)

    return kernel
