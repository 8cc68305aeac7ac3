"""Dates and times: between two moments, after or before another column."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from datagen.arrays import DAY, MAX_UNITS, SECOND, Mask, from_units, moments, require_years, to_units
from datagen.compiling import Context, generator
from datagen.elementary import exp, log
from datagen.randomness import Int64, Stream, UInt64, below, multiply_high, unit
from datagen.rhythm import Rhythm, rhythm_of
from datagen.rows import Kernel, Rows
from datagen.seasons import YEARS_AFTER, YEARS_BEFORE, Calendar, season_of
from datagen.zones import Zones, zones_of
from schemas.model import Recipe
from schemas.recipes import argument
from schemas.times import is_moment, resolve_moment, resolve_time_of_day
from schemas.types import MOMENTS, SqlType

_EARLIEST = -62_135_596_800_000_000
_LATEST = 253_402_300_799_999_999


def microseconds_per_unit(ctx: Context) -> int:
    """A day for date columns, else 1."""
    return DAY if ctx.type.kind == "date" else 1


@generator("between")
def between(recipe: Recipe, ctx: Context) -> Kernel:
    """A moment in [from, to]: dates both included; times and time stamps on whole steps (a second, unless given)."""
    type = ctx.type
    first, last = argument(recipe, "period")
    if type.kind == "time":
        low, high = resolve_time_of_day(first), resolve_time_of_day(last)
    else:
        low, high = (resolve_moment(m, ctx.schema.anchor) for m in (first, last))
    if low > high:
        ctx.fail(f"the period ends before it begins: [{first}, {last}]", recipe.at)
    if type.kind != "time" and not _EARLIEST <= low <= high <= _LATEST:
        ctx.fail("the period must lie between the years 1 and 9999", recipe.at)
    step = max(int(argument(recipe, "step") or 0), DAY if type.kind == "date" else SECOND)
    growth = float(argument(recipe, "growth"))
    if growth < 0:
        ctx.fail(f"growth must be 0 or more, not {growth}", recipe.at)
    low = -(-low // DAY) * DAY if type.kind == "date" else low
    places = (high - low) // step + 1
    if places < 1:
        ctx.fail(f"there is no whole day in [{first}, {last}]", recipe.at)
    per = microseconds_per_unit(ctx)
    rhythm, calendar, zones = rhythm_of(argument(recipe, "rhythm")), _calendar(recipe, ctx), zones_of(recipe, ctx)
    if calendar is not None and not calendar.covers(low, high):
        ctx.fail(f"with a season or yearly_growth the period must lie within {YEARS_BEFORE} years before the anchor and "
                 f"{YEARS_AFTER} after it: [{first}, {last}]", recipe.at)  # fmt: skip
    if calendar is not None and not calendar.has_weight(low, low + places * step):
        ctx.fail(f"the season has no weight in any month of [{first}, {last}]", recipe.at)
    if rhythm is not None and zones is None and not rhythm.has_weight(low, high + 1):
        day = ", which counts as a Thursday" if type.kind == "time" else ""
        ctx.fail(f"the rhythm has no weight in any hour of [{first}, {last}]{day}", recipe.at)
    if ctx.unique or ctx.factor is not None:
        if rhythm is not None or growth != 1.0 or calendar is not None:
            ctx.fail("a unique time cannot have a rhythm, a season or growth", recipe.at)
        index = ctx.index(places, "times")
        return lambda rows: from_units(type, (low + index(rows) * step) // per)
    when, hour = ctx.stream("index"), ctx.stream("hour")

    def kernel(rows: Rows) -> object:
        draws = rows.draws(when)
        place = below(draws, places) if growth == 1.0 else _growing(draws, growth, places)
        times = low + place * step
        bounds = np.full(len(times), low, np.int64), np.full(len(times), high + 1, np.int64)
        if calendar is not None:
            times = low + (calendar.place(times, bounds[0], bounds[0] + places * step, draws) - low) // step * step
        if rhythm is not None:
            times = low + (_in_rhythm(rhythm, zones, rows, times, *bounds, rows.draws(hour)) - low) // step * step
        return from_units(type, times // per)

    return kernel


def _calendar(recipe: Recipe, ctx: Context) -> Calendar | None:
    """The calendar of a recipe's growth and season; None where every month is like any other."""
    growth, season = float(argument(recipe, "yearly_growth")), argument(recipe, "season")
    if growth == 1.0 and season == "none":
        return None
    return Calendar.of(ctx.schema.anchor, growth, season_of(season))


def _in_rhythm(rhythm: Rhythm, zones: Zones | None, rows: Rows, times: Int64, low: Int64, high: Int64, draws: UInt64) -> Int64:
    """Move times within their weeks to where a rhythm by the clock of their zones puts them, staying in [low, high)."""
    if zones is None:
        return rhythm.place(times, low, high, draws)
    local = [zones.local(rows, moments) for moments in (times, low, high)]
    placed = zones.universal(rows, rhythm.place(local[0], local[1], local[2], draws))
    return np.clip(placed, low, np.maximum(high - 1, low))


def _growing(draws: UInt64, growth: float, places: int) -> Int64:
    """Invert the distribution whose density rises linearly from 1 to `growth` (by the stable root of its quadratic)."""
    a = (growth - 1.0) / 2.0
    c = unit(draws) * (1.0 + a)
    t = 2.0 * c / (1.0 + np.sqrt(1.0 + 4.0 * a * c))
    return np.minimum(np.floor(t * float(places)).astype(np.int64), places - 1)


def moments_of(ctx: Context, path: str, recipe: Recipe) -> Callable[[Rows], tuple[Int64, Mask | None]]:
    """Return how the times at the end of `path` are read: microseconds since 1970, and which rows have none."""
    source, type = ctx.path(path, recipe.at)
    if type.kind not in MOMENTS:
        ctx.fail(f"{recipe.name} needs a date or time stamp and {path} is {type}", recipe.at)
    return lambda rows: moments(type, source(rows))


def limit_of(ctx: Context, text: str, recipe: Recipe) -> int | Callable[[Rows], Int64]:
    """A moment in microseconds since 1970, or how the one of each row is read from a column; the anchor where that is null."""
    anchor = ctx.schema.anchor
    if is_moment(text):
        return resolve_moment(text, anchor)
    read = moments_of(ctx, text, recipe)

    def limits(rows: Rows) -> Int64:
        found, absent = read(rows)
        return found if absent is None else np.where(absent, anchor, found)

    return limits


@generator("after")
def after(recipe: Recipe, ctx: Context) -> Kernel:
    """A moment at least `at_least` and at most `within` after another, never after `until` unless `at_least` demands it."""
    within, least = int(argument(recipe, "within")), int(argument(recipe, "at_least"))
    if not 0 <= least <= within:
        ctx.fail("after needs 0 <= at_least <= within", recipe.at)
    mean = argument(recipe, "mean")
    limit = limit_of(ctx, str(argument(recipe, "until")), recipe)
    rhythm, calendar, zones = rhythm_of(argument(recipe, "rhythm")), _calendar(recipe, ctx), zones_of(recipe, ctx)
    month = ctx.stream("month")
    earlier = moments_of(ctx, str(argument(recipe, "path")), recipe)
    waits, hour, type, per = ctx.stream("wait"), ctx.stream("hour"), ctx.type, microseconds_per_unit(ctx)
    step = DAY if per == DAY else SECOND
    source, source_type = ctx.path(str(argument(recipe, "path")), recipe.at)
    if per == DAY and source_type.kind == "date" and mean is None and rhythm is None and calendar is None and isinstance(limit, int):
        return _days_after(source, source_type, (-(-least // DAY), within // DAY), limit // DAY, waits)

    def kernel(rows: Rows) -> object:
        base, absent = earlier(rows)
        low = base + least
        low = -(-low // DAY) * DAY if per == DAY else low
        until = limit if isinstance(limit, int) else limit(rows)
        span = np.maximum(np.minimum(base + within, until) - low, 0)
        draws = rows.draws(waits)
        wait = _uniform_wait(draws, span, step) if mean is None else _exponential_wait(draws, span, float(mean), step)
        times = low + wait
        if calendar is not None:
            end = low + (span // step + 1) * step
            if mean is None:
                placed = calendar.place(times, low, end, draws)
            else:
                placed = calendar.place_in_year(times, low, end, rows.draws(month))
            times = low + (placed - low) // step * step
        if rhythm is not None:
            placed = _in_rhythm(rhythm, zones, rows, times, low, low + span + 1, rows.draws(hour))
            times = low + (placed - low) // step * step
        values = from_units(type, times // per, absent)
        require_years(type, values)
        return values

    return kernel


def _days_after(source: Kernel, type: SqlType, waits: tuple[int, int], until: int, stream: Stream) -> Kernel:
    """The same for dates after dates, counted in whole days."""
    least, most = waits

    def kernel(rows: Rows) -> object:
        base, absent = to_units(type, source(rows))
        low = base + least
        if len(base) and int(base.max()) + most <= until:
            wait = multiply_high(rows.draws(stream), np.uint64(most - least + 1)).view(np.int64)  # as `below` does it for many bounds
            wait += low
            return from_units(type, wait, absent)
        values = from_units(type, below(rows.draws(stream), np.maximum(np.minimum(base + most, until) - low, 0) + 1) + low, absent)
        require_years(type, values)
        return values

    return kernel


def _uniform_wait(draws: UInt64, span: Int64, step: int) -> Int64:
    return below(draws, span // step + 1) * step


def _exponential_wait(draws: UInt64, span: Int64, mean: float, step: int) -> Int64:
    """Invert the exponential distribution cut to [0, span]."""
    reach = -exp(np.maximum(-(span.astype(np.float64) / mean), -700.0)) + 1.0
    wait = -mean * log(1.0 - unit(draws) * reach)
    return np.minimum(np.floor(np.minimum(wait, MAX_UNITS)).astype(np.int64), span) // step * step


@generator("before")
def before(recipe: Recipe, ctx: Context) -> Kernel:
    """A moment at least `at_least` and at most `within` before another; of dates those that begin then."""
    within, least = int(argument(recipe, "within")), int(argument(recipe, "at_least"))
    if not 0 <= least <= within:
        ctx.fail("before needs 0 <= at_least <= within", recipe.at)
    later = moments_of(ctx, str(argument(recipe, "path")), recipe)
    waits, type, per = ctx.stream("wait"), ctx.type, microseconds_per_unit(ctx)
    step = DAY if per == DAY else SECOND

    def kernel(rows: Rows) -> object:
        base, absent = later(rows)
        wait = below(rows.draws(waits), (within - least) // step + 1) * step + least
        values = from_units(type, np.maximum((base - wait) // per, -((within - base) // per)), absent)
        require_years(type, values)
        return values

    return kernel
