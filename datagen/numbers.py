"""Numbers and intervals under a distribution: uniform, normal, lognormal, exponential, beta, Poisson, zipf, histogram."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np

from datagen import distributions
from datagen.arrays import from_floats, from_units, has_units, largest_units
from datagen.compiling import Context, generator
from datagen.distributions import Discrete, Quantile, Tabulated
from datagen.elementary import Float64
from datagen.errors import Unusable
from datagen.randomness import Int64, UInt64, below, unit
from datagen.rows import Kernel
from schemas.errors import Mark
from schemas.model import Recipe
from schemas.recipes import DISTRIBUTIONS, argument, bounds_of
from schemas.steps import first_multiple, is_countable
from schemas.types import FLOATS, SqlType

UnitSampler = Callable[[UInt64], Int64]
BIGINT = SqlType("bigint")

_MAX_TABLE = 4_000_000
_MAX_POISSON = 1e9
_MOST_LOST = 0.5


@dataclass(frozen=True)
class Whole:
    """A distribution over whole units: its sampler and the bounds it keeps (None where it has none)."""

    sample: UnitSampler
    least: int
    most: int


def unit_factor(type: SqlType) -> int:
    """How many units make one: 10 to the power of a numeric's decimals, else 1."""
    return int(10**type.decimals)


def to_unit(value: float, type: SqlType, rounding: str) -> int:
    """Return a bound or step in whole units, rounded inwards by the caller's choice."""
    return int((Decimal(str(value)) * unit_factor(type)).to_integral_value(rounding))


def whole_distribution(recipe: Recipe | float, type: SqlType, at: Mark | None = None) -> Whole:
    """Compile a distribution for a column type counted in units; raises Unusable where it cannot be met."""
    if not isinstance(recipe, Recipe):
        fixed = to_unit(recipe, type, ROUND_FLOOR)
        return Whole(lambda draws: np.full(len(draws), fixed, np.int64), fixed, fixed)
    at = recipe.at or at
    limit = largest_units(type)
    low, high, step = _bounds(recipe, type, at)
    least = -limit if low is None else low
    most = limit if high is None else high
    if least > most:
        raise Unusable(f"min {recipe.args.get('min', least)} is greater than max {recipe.args.get('max', most)}", at)
    if least < -limit - 1 or most > limit:
        factor = unit_factor(type)
        raise Unusable(f"values from {Decimal(least) / factor:,} to {Decimal(most) / factor:,} {_unfit(type)}", at)
    sampler = _whole_sampler(recipe, type, low, high, limit, at)
    first = max(least, sampler.first) if isinstance(sampler, Discrete) and unit_factor(type) == 1 else least
    last = min(most, sampler.first + len(sampler.thresholds)) if isinstance(sampler, Discrete) and unit_factor(type) == 1 else most

    def sample(draws: UInt64) -> Int64:
        values = sampler(draws)
        if step > 1:
            values = values // step * step
        return np.clip(values, least, most)

    within = step == 1 and (isinstance(sampler, Discrete) or recipe.name == "uniform")
    return Whole(sampler if within else sample, first, last)


def count_distribution(recipe: Recipe | float, at: Mark | None = None) -> Whole:
    """Compile a distribution of how many there are of something; raises Unusable where that could be below 0."""
    whole = whole_distribution(recipe, BIGINT, at)
    if whole.least < 0 and isinstance(recipe, Recipe):
        whole = whole_distribution(Recipe(recipe.name, {"min": 0, **recipe.args}, recipe.at), BIGINT, at)
        if whole.least < 0:
            raise Unusable(f"this {recipe.name} can be below 0, and nothing is there fewer than 0 times", recipe.at or at)
    return whole


def _unfit(type: SqlType) -> str:
    """How a message goes on about numbers that are beyond a column, or beyond what is generated for it."""
    why = f": its generated numbers have at most 18 digits, decimals among them, and it has {type.decimals} decimals"
    return f"do not fit {type}{why if type.kind == 'numeric' and (type.precision or 38) > 18 else ''}"


def _no_multiple(recipe: Recipe) -> str:
    low, high = bounds_of(recipe)
    return f"there is no multiple of the step {argument(recipe, 'step')} from {low} to {high}"


def _bounds(recipe: Recipe, type: SqlType, at: Mark | None) -> tuple[int | None, int | None, int]:
    given = argument(recipe, "step") or 0
    step = to_unit(given, type, ROUND_FLOOR) or 1
    if step < 0:
        raise Unusable(f"step must be above 0, not {given}", at)
    if not is_countable(given, type.decimals):
        raise Unusable(f"step {given} is finer than {type} counts", at)
    low, high = bounds_of(recipe)
    least = None if low is None else -(-to_unit(low, type, ROUND_CEILING) // step) * step
    most = None if high is None else to_unit(high, type, ROUND_FLOOR)
    if recipe.name == "histogram":  # which ends before its last edge
        most = to_unit(high, type, ROUND_CEILING) - 1
    if least is not None and most is not None and least > most:
        raise Unusable(_no_multiple(recipe) if step > 1 else f"{recipe.name}: {type} has no value from {low} to {high}", at)
    return least, most, step


def _in_units(recipe: Recipe, type: SqlType, at: Mark | None) -> Recipe:
    """A histogram whose intervals begin at whole units, so that each has the values that lie in it, equally likely."""
    factor, edges, weights = unit_factor(type), argument(recipe, "edges"), argument(recipe, "weights")
    whole = [Decimal(to_unit(edge, type, ROUND_CEILING)) / factor for edge in edges]
    for low, high, start, end, weight in zip(edges, edges[1:], whole, whole[1:], weights, strict=False):
        if start == end and weight > 0:
            raise Unusable(f"histogram: {type} has no value from {low} to below {high}, and that interval has a weight", at)
    kept = [i for i in range(len(weights)) if whole[i] < whole[i + 1]]
    return replace(
        recipe, args={**recipe.args, "edges": [*(float(whole[i]) for i in kept), float(whole[-1])], "weights": [weights[i] for i in kept]}
    )


def _whole_sampler(recipe: Recipe, type: SqlType, low: int | None, high: int | None, limit: int, at: Mark | None) -> UnitSampler:
    factor = unit_factor(type)
    if recipe.name == "uniform":
        assert low is not None and high is not None
        if high - low + 1 == 2**64:
            return lambda draws: draws.astype(np.int64)

        def uniform(draws: UInt64) -> Int64:
            found = below(draws, high - low + 1)
            found += low
            return found

        return uniform
    if recipe.name in ("poisson", "zipf"):
        if factor > limit:
            raise Unusable(f"the whole numbers of {recipe.name} {_unfit(type)}", at)
        ranks = _ranks(recipe, None if low is None else -(-low // factor), (limit if high is None else high) // factor, at)
        if recipe.name == "poisson" and high is None:
            free = _ranks(recipe, ranks.first, None, at)
            _stop_if_lost(recipe, type, 1.0, free.chance_up_to(limit // factor), at)
        return ranks if factor == 1 else lambda draws: ranks(draws) * factor
    continuous(recipe, at)  # which tells what is wrong with parameters
    quantile = continuous(_in_units(recipe, type, at) if recipe.name == "histogram" else recipe, at)
    rounding = 0.0 if recipe.name == "histogram" else 0.5
    last = None if high is None else high + (1 if rounding == 0.0 else 0)
    edges = _edge(quantile, low, -limit, factor, 2.0**-53), _edge(quantile, last, limit, factor, 1.0 - 2.0**-53)
    asked = _chance(quantile, None if low is None else low / factor, None if last is None else last / factor)
    _stop_if_lost(recipe, type, asked, _chance(quantile, *edges), at)
    bounded = distributions.cut(quantile, *edges)
    if bounded is None:
        raise Unusable(f"{recipe.name} has no chance of a value between min and max", at)
    table = Tabulated.of(bounded) if recipe.name != "histogram" else _direct(bounded)
    return lambda draws: np.floor(table(draws) * float(factor) + rounding).astype(np.int64)


def _edge(quantile: Quantile, given: int | None, limit: int, factor: int, extreme: float) -> float | None:
    """Where to cut a distribution: at the bound given, else at the type's own limit if it would be passed."""
    if given is not None:
        return given / factor
    return limit / factor if abs(quantile(np.array([extreme]))[0]) > abs(limit / factor) else None


def _chance(quantile: Quantile, low: float | None, high: float | None) -> float:
    end = 1.0 if high is None else distributions.probability_below(quantile, high)
    return end if low is None else end - distributions.probability_below(quantile, low)


def _stop_if_lost(recipe: Recipe, type: SqlType, asked: float, held: float, at: Mark | None) -> None:
    """Raise Unusable where a type has no room for most of the values that were asked for; what goes beyond it is cut off."""
    if held < asked * (1.0 - _MOST_LOST):
        raise Unusable(
            f"{1.0 - held / asked:.0%} of the values of this {recipe.name} {_unfit(type)}; give it a min and a max, or a wider type", at
        )


def _direct(quantile: Quantile) -> Callable[[UInt64], Float64]:
    return lambda draws: quantile(unit(draws))


def _ranks(recipe: Recipe, low: int | None, high: int | None, at: Mark | None) -> Discrete:
    if recipe.name == "zipf":
        exponent = float(argument(recipe, "exponent"))
        first, last = 1 if low is None else low, high or 1
        if exponent <= 0:
            raise Unusable(f"the exponent of zipf must be above 0, not {exponent}", at)
        if first < 1:
            raise Unusable(f"zipf has ranks from 1 on, so min must be at least 1, not {argument(recipe, 'min')}", at)
        if last < first:
            raise Unusable(f"zipf needs 1 <= min <= max, not {low} and {high}", at)
        if last - first > _MAX_TABLE:
            raise Unusable(f"zipf from {first} to {last} is too wide; at most {_MAX_TABLE:,} values", at)
        return distributions.zipf(exponent, first, last)
    mean = float(argument(recipe, "mean"))
    if not 0 < mean <= _MAX_POISSON:
        raise Unusable(f"the mean of poisson must be above 0 and at most {_MAX_POISSON:,.0f}, not {mean}", at)
    found = distributions.poisson(mean, low, high)
    if found is None:
        raise Unusable(f"poisson with mean {mean} has no chance of a value between min and max", at)
    return found


def continuous(recipe: Recipe, at: Mark | None) -> Quantile:
    """Return the quantile function of a continuous distribution, in ones (not units)."""
    get = {
        p: argument(recipe, p)
        for p in ("mean", "sd", "median", "sigma", "a", "b", "min", "max", "edges", "weights", "range")
        if _has(recipe, p)
    }

    def positive(name: str) -> float:
        if not get[name] > 0:
            raise Unusable(f"{name} of {recipe.name} must be above 0, not {get[name]}", at)
        return float(get[name])

    match recipe.name:
        case "uniform":
            low, high = (float(x) for x in get["range"])
            if low > high:
                raise Unusable(f"the range of uniform must rise, not [{low}, {high}]", at)
            return lambda u: low + u * (high - low)
        case "normal":
            return distributions.normal(float(get["mean"]), positive("sd"))
        case "lognormal":
            return distributions.lognormal(positive("median"), positive("sigma"))
        case "exponential":
            return distributions.exponential(positive("mean"))
        case "beta":
            low, high = float(get["min"]), float(get["max"])
            shape = distributions.beta(positive("a"), positive("b"))
            if shape is None:
                raise Unusable(
                    f"beta with a {get['a']} and b {get['b']} is too extreme a shape to compute; choose shapes from 0.000001 to 1000000000",
                    at,
                )
            return lambda u: low + shape(u) * (high - low)
        case "histogram":
            edges = np.array(get["edges"], np.float64)
            weights = np.array(get["weights"], np.float64)
            if len(edges) != len(weights) + 1 or (np.diff(edges) <= 0).any():
                raise Unusable("histogram needs rising edges, one more than weights", at)
            if (weights < 0).any() or not weights.any():
                raise Unusable("histogram needs weights of 0 or more, not all 0", at)
            cumulated = np.concatenate([[0.0], np.cumsum(weights)])
            return distributions.piecewise(cumulated / cumulated[-1], edges)
    raise Unusable(f"{recipe.name} is not a continuous distribution", at)


def _has(recipe: Recipe, name: str) -> bool:
    return any(p.name == name for g in DISTRIBUTIONS if g.name == recipe.name for p in g.parameters)


def _distribution(recipe: Recipe, ctx: Context) -> Kernel:
    if ctx.type.kind in FLOATS:
        return _float_kernel(recipe, ctx)
    if not has_units(ctx.type):
        ctx.fail(f"{recipe.name} does not fit {ctx.type}")
    type = ctx.type
    if ctx.unique or (ctx.factor is not None and recipe.name == "uniform"):
        return _unique_kernel(recipe, ctx)
    whole = whole_distribution(recipe, type, ctx.at)
    own = ctx.stream()
    return lambda rows: from_units(type, whole.sample(rows.draws(own)))


def _unique_kernel(recipe: Recipe, ctx: Context) -> Kernel:
    if recipe.name != "uniform":
        ctx.fail(f"{recipe.name} cannot be unique; use uniform or sequence")
    low, high, step = _bounds(recipe, ctx.type, ctx.at)
    assert low is not None and high is not None
    index = ctx.index(min((high - low) // step + 1, 2**64 - 1), "numbers")
    type = ctx.type
    return lambda rows: from_units(type, index(rows) * step + low)


def _float_kernel(recipe: Recipe, ctx: Context) -> Kernel:
    type, own = ctx.type, ctx.stream()
    if ctx.unique:
        ctx.fail(f"{type} columns cannot be unique; use an integer or a numeric type")
    step = argument(recipe, "step")
    low, high = bounds_of(recipe)
    if low is not None and high is not None and low > high:
        ctx.fail(f"min {low} is greater than max {high}", recipe.at)
    least = low if low is None or not step else first_multiple(low, step)
    if high is not None and least is not None and (least > high or (step and recipe.name == "histogram" and least == high)):
        ctx.fail(_no_multiple(recipe), recipe.at)
    if recipe.name in ("poisson", "zipf"):
        ranks = _ranks(recipe, None if least is None else math.ceil(least), None if high is None else math.floor(high), ctx.at)
        return lambda rows: from_floats(type, _stepped(ranks(rows.draws(own)).astype(np.float64), step, least))
    if recipe.name in ("uniform", "histogram"):  # which keep within their bounds
        low, high = None if least == low else least, None
    else:
        low = least
    bounded = distributions.cut(continuous(recipe, recipe.at or ctx.at), low, high)
    if bounded is None:
        ctx.fail(f"{recipe.name} has no chance of a value between min and max", recipe.at)
    with np.errstate(over="ignore", invalid="ignore"):
        least, most = bounded(np.array([2.0**-53, 1.0 - 2.0**-53]))
        fits = max(abs(least), abs(most)) <= np.finfo(np.float32 if type.kind == "real" else np.float64).max and np.isfinite(most - least)
    if not fits:
        ctx.fail(f"{recipe.name} reaches beyond the largest {type}; choose closer bounds", recipe.at)
    table = _direct(bounded) if recipe.name in ("uniform", "histogram") else Tabulated.of(bounded)

    return lambda rows: from_floats(type, _stepped(table(rows.draws(own)), step, least))


def _stepped(values: Float64, step: float | None, least: float | None) -> Float64:
    """Round down to multiples of `step`, of which `least` is the lowest."""
    if not step:
        return values
    multiples = np.floor(values / step) * step
    return multiples if least is None else np.maximum(multiples, least)


for _known in DISTRIBUTIONS:
    generator(_known.name)(_distribution)
