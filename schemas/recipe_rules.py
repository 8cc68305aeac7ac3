"""What recipes must satisfy beyond their grammar: generators that fit their columns, paths that lead somewhere, sound numbers.

Each rule is one function from a recipe in its place to problems; they run in the order of `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from schemas.cases import case_problems
from schemas.errors import Mark, Problem, nearest
from schemas.model import Column, Recipe, Schema, Table
from schemas.paths import NoSuchPath, child, follow, may_be_unread, references_are_read
from schemas.recipes import BY_NAME, DISTRIBUTIONS, GENERATORS, Parameter, argument, bounds_of, is_zone_name
from schemas.sql_expressions import NotAnExpression, columns_in, parse_expression
from schemas.steps import first_multiple, is_countable
from schemas.times import DAY, format_duration, is_moment, resolve_moment, resolve_time_of_day
from schemas.types import FLOATS, INTEGERS, MOMENTS, TEXTS, SqlType

_BIGINT = SqlType("bigint")
_INTERVAL = SqlType("interval")
MOST_GAPS = 1_000_000
MOST_WORDS = 2_000
MOST_GROWTH = 1_000_000


@dataclass(frozen=True)
class Placed:
    """A recipe and where it stands: its table and column, and the type it makes (None where any will do)."""

    schema: Schema
    table: Table
    column: Column | None
    recipe: Recipe
    type: SqlType | None
    broken: Collection[tuple[str, ...]] = ()

    def at(self, parameter: str) -> Mark | None:
        """Where an argument stands, or else the recipe, or the column."""
        place = self.recipe.places.get(parameter) or self.recipe.at
        return place or (self.column.at if self.column else self.table.rows.at)

    def get(self, parameter: str) -> Any:
        """An argument, or its default; None for what the generator does not have."""
        return argument(self.recipe, parameter)


Rule = Callable[[Placed], Iterator[Problem]]


def recipe_problems(schema: Schema, broken: Collection[tuple[str, ...]] = ()) -> Iterator[Problem]:
    """Yield every problem of the recipes of a schema; nothing is said about columns that are `broken`."""
    for table in schema.tables:
        if (table.name,) in broken:
            continue
        placed = [
            Placed(schema, table, c, c.generate, c.type, broken)
            for c in table.columns
            if c.generate is not None and (table.name, c.name) not in broken
        ]
        if isinstance(table.rows.each, Recipe) and table.rows.per is not None and schema.has(table.rows.per):
            # its paths begin at the row whose children are counted
            placed.append(Placed(schema, schema.table(table.rows.per), None, table.rows.each, _BIGINT, broken))
        for outer in placed:
            yield from placed_problems(outer)


def placed_problems(placed: Placed) -> Iterator[Problem]:
    """Yield every problem of one recipe in its place, and of those inside of it."""
    for inner in _with_inner(placed):
        for rule in RULES:
            yield from rule(inner)


def _with_inner(placed: Placed) -> Iterator[Placed]:
    """A recipe and those inside of it."""
    yield placed
    for name, value in placed.recipe.args.items():
        parameter = BY_NAME[placed.recipe.name].parameter(name)
        inner = list(value.values()) if isinstance(value, dict) else [value]
        type = _BIGINT if parameter is not None and parameter.kind == "distribution" else None
        if parameter is not None and parameter.kind == "span":
            type = _INTERVAL
        if parameter is not None and parameter.kind in ("case", "cases"):
            type = placed.type
        if parameter is not None and parameter.kind == "recipe" and placed.type is not None:
            type = placed.type.item
        for recipe in inner:
            if isinstance(recipe, Recipe):
                yield from _with_inner(Placed(placed.schema, placed.table, placed.column, recipe, type, placed.broken))


def generators_fit_types(placed: Placed) -> Iterator[Problem]:
    type, name = placed.type, placed.recipe.name
    if type is not None and type.kind not in BY_NAME[name].fits:
        able = [g.name for g in GENERATORS if type.kind in g.fits and g.room == "general"]
        yield Problem(f"{name} does not fit {type}; these do: {', '.join(able)}", placed.recipe.at or placed.at(""))


def generators_make_unique_values(placed: Placed) -> Iterator[Problem]:
    column, name = placed.column, placed.recipe.name
    if column is None or placed.recipe is not column.generate or BY_NAME[name].unique:
        return
    if placed.table.is_unique(column.name) and column.type.kind in BY_NAME[name].fits and not _is_reference(placed):
        able = [g.name for g in GENERATORS if g.unique and column.type.kind in g.fits and g.room == "general"]
        yield Problem(
            f"{name} cannot promise unique values, and '{column.name}' is unique; these can: {', '.join(able)}",
            placed.recipe.at or column.at,
        )


def _is_reference(placed: Placed) -> bool:
    return placed.column is not None and placed.table.foreign_key_of(placed.column.name) is not None


def paths_lead_to_columns(placed: Placed) -> Iterator[Problem]:
    for parameter in BY_NAME[placed.recipe.name].parameters:
        value = placed.recipe.args.get(parameter.name)
        if not isinstance(value, str):
            continue
        try:
            if _is_path(parameter, value) and _can_follow(placed):
                follow(placed.schema, placed.table, value)
            elif parameter.kind in ("child", "table") and not may_be_unread(value, placed.broken):
                child(placed.schema, placed.table, value, column=parameter.kind == "child")
        except NoSuchPath as error:
            yield Problem(f"{placed.recipe.name}: {error}", placed.at(parameter.name))


def _is_path(parameter: Parameter, value: str) -> bool:
    named = {"zone": is_zone_name, "limit": is_moment}.get(parameter.kind)
    return parameter.kind == "path" or (named is not None and not named(value))


def _can_follow(placed: Placed) -> bool:
    return references_are_read(placed.schema, placed.table, placed.broken)


_TIMES = {
    "after": ("path", "until"), "before": ("path",), "uuid7": ("at",), "states": ("start",), "slot": ("after", "until"),
    "internet.user_agent": ("at",),
}  # fmt: skip


def paths_lead_to_what_is_needed(placed: Placed) -> Iterator[Problem]:
    yield from _lead_to(placed, _TIMES, MOMENTS, "date or time stamp")
    yield from _lead_to(placed, {"states": ("factor",), "slot": ("factor",)}, (*INTEGERS, "numeric"), "whole number or numeric")
    yield from _lead_to(placed, {"internet.user_agent": ("of",)}, INTEGERS, "whole number")


def _lead_to(placed: Placed, parameters: Mapping[str, tuple[str, ...]], kinds: Collection[str], what: str) -> Iterator[Problem]:
    for wanted in parameters.get(placed.recipe.name, ()):
        path, parameter = placed.recipe.args.get(wanted), BY_NAME[placed.recipe.name].parameter(wanted)
        if parameter is None or not isinstance(path, str) or not _is_path(parameter, path) or not _can_follow(placed):
            continue
        try:
            found = follow(placed.schema, placed.table, path)
        except NoSuchPath:
            continue
        sound = (found.table.name, found.column.name) not in placed.broken
        if sound and found.column.type.kind not in kinds:
            yield Problem(f"{placed.recipe.name} needs a {what}, and '{path}' is {found.column.type}", placed.at(wanted))


def whole_days_fit(placed: Placed) -> Iterator[Problem]:
    """A date column keeps whole days, one of which must lie within the bounds of a wait whatever it counts from."""
    name, path = placed.recipe.name, placed.get("path")
    if name not in ("after", "before") or placed.type is None or placed.type.kind != "date" or not _can_follow(placed):
        return
    least, most = placed.get("at_least"), placed.get("within")
    try:
        source = follow(placed.schema, placed.table, path).column.type.kind
    except NoSuchPath:
        return
    if least > most or source not in MOMENTS:
        return
    told = f"from {format_duration(least)} to {format_duration(most)} {name} '{path}'"
    if source == "date" and -(-least // DAY) > most // DAY:
        yield Problem(f"{name}: no whole day lies {told}, and this column is a date", placed.at("within"))
    elif source != "date" and most - least < DAY:
        what = f"{name}: there is not always a whole day {told}, which is a time stamp; let within be a day longer than at_least, or more"
        yield Problem(what, placed.at("within"))


def nulls_stand_where_they_may(placed: Placed) -> Iterator[Problem]:
    column = placed.column
    if placed.recipe.name != "constant" or placed.recipe.args.get("value") is not None or column is None or placed.type is None:
        return
    if column.type.item is not None and placed.recipe is not column.generate and placed.type == column.type.item:
        yield Problem("constant: an item of an array cannot be null", placed.at("value"))
    elif not column.nullable:
        what = f"constant: '{column.name}' is NOT NULL; give it `null: 0`, or write \"null\" in quotes to mean the text"
        yield Problem(what, placed.at("value"))


_TAKEN = {
    "from": "path", "after": "path", "before": "path", "uuid7": "at", "entered": "of", "slot": "after", "slot_end": "of",
    "person.email": "domain", "expression": "sql",
}  # fmt: skip


def nulls_go_where_they_may(placed: Placed) -> Iterator[Problem]:
    """What is made from a column alone is null where that is."""
    column, parameter = placed.column, _TAKEN.get(placed.recipe.name)
    if parameter is None or column is None or column.nullable or column.hidden or placed.recipe is not column.generate:
        return
    path = placed.get(parameter)
    if placed.recipe.name == "expression":
        path = _bare_path(path)
    if path is None or not _can_follow(placed):
        return
    try:
        found = follow(placed.schema, placed.table, path)
    except NoSuchPath:
        return
    tables = [placed.table, *(placed.schema.table(key.table) for key in found.hops)]
    passed = [(table, name) for table, key in zip(tables, found.hops, strict=False) for name in key.columns]
    for table, name in [*passed, (found.table, found.column.name)]:
        share = table.column(name).null
        if share and (table.name, name) not in placed.broken:
            what = f"{placed.recipe.name}: '{table.name}.{name}' is null in a share of {share:g} of its rows"
            yield Problem(f"{what}, and '{column.name}' is NOT NULL; give it `null: 0`", placed.at(parameter))
            return


def _bare_path(sql: str) -> str | None:
    """The path that an expression consists of, None where it is anything else."""
    try:
        tree = parse_expression(sql)
        paths = columns_in(tree)
    except NotAnExpression:
        return None
    return next((path for path, _ in paths), None) if tree.key == "column" else None


def expressions_name_columns(placed: Placed) -> Iterator[Problem]:
    if placed.recipe.name != "expression":
        return
    try:
        paths = columns_in(parse_expression(str(placed.get("sql"))))
    except NotAnExpression as error:
        yield Problem(f"expression: {error}", placed.at("sql"))
        return
    for path, _ in paths if _can_follow(placed) else ():
        try:
            follow(placed.schema, placed.table, path)
        except NoSuchPath as error:
            yield Problem(f"expression: {error}", placed.at("sql"))


def bounds_are_in_order(placed: Placed) -> Iterator[Problem]:
    low, high = placed.get("min"), placed.get("max")
    if low is not None and high is not None and low > high:
        least, most = ("min_age", "max_age") if placed.get("min_age") is not None else ("min", "max")
        yield Problem(
            f"{placed.recipe.name}: {least} {low} is greater than {most} {high}", placed.at("min" if "min" in placed.recipe.args else "max")
        )
    young, old = placed.get("min_age"), placed.get("max_age")
    if young is not None and old is not None and not 0 <= young <= old:
        yield Problem(f"{placed.recipe.name}: min_age {young} is greater than max_age {old}, or below 0", placed.at("min_age"))
    least, most = placed.get("at_least"), placed.get("within")
    if least is not None and most is not None and least > most:
        yield Problem(f"{placed.recipe.name}: at_least is longer than within", placed.at("at_least"))


_POSITIVE = {
    "normal": ("sd",), "lognormal": ("median", "sigma"), "exponential": ("mean",), "zipf": ("exponent",), "beta": ("a", "b"),
    "after": ("mean",), "faker": ("pool",), "mimesis": ("pool",), "internet.token": ("length",), "internet.hash": ("length",),
    "excerpt": ("size",), "sequence": ("run",),
}  # fmt: skip
_NOT_NEGATIVE = {
    "poisson": ("mean",), "between": ("growth",), "finance.price": ("min",), "sequence": ("skip",),
    "media.logo": ("first",), "media.avatar": ("first",), "media.document": ("first",),
}  # fmt: skip


def numbers_have_the_right_sign(placed: Placed) -> Iterator[Problem]:
    name, args = placed.recipe.name, placed.recipe.args
    for parameter in (*_POSITIVE.get(name, ()), *(("step",) if name != "sequence" else ())):
        value = args.get(parameter)
        if isinstance(value, (int, float)) and value <= 0:
            yield Problem(f"{parameter} of {name} must be above 0, not {value}", placed.at(parameter))
    for parameter in _NOT_NEGATIVE.get(name, ()):
        if isinstance(args.get(parameter), (int, float)) and args[parameter] < 0:
            yield Problem(f"{parameter} of {name} must be 0 or more, not {args[parameter]}", placed.at(parameter))
    if name == "sequence" and args.get("step") == 0:
        yield Problem("step of sequence must not be 0, or all numbers would be the same", placed.at("step"))
    if name == "sequence" and args.get("skip", 0) > 0 and "run" not in args:
        yield Problem("skip of sequence is done after each run; say how many rows that is with `run:`", placed.at("skip"))
    if name == "sequence" and "format" in args and placed.type is not None and placed.type.kind not in TEXTS:
        yield Problem(f"format of sequence is for texts, and this is {placed.type}", placed.at("format"))
    if name == "sequence" and not 1 <= placed.get("gaps") <= MOST_GAPS:
        yield Problem(f"gaps of sequence must lie between 1 and {MOST_GAPS:,}, not {placed.get('gaps'):,}", placed.at("gaps"))


def histograms_have_a_weight_for_each_interval(placed: Placed) -> Iterator[Problem]:
    if placed.recipe.name != "histogram":
        return
    edges, weights = placed.get("edges"), placed.get("weights")
    if len(edges) != len(weights) + 1:
        yield Problem(f"histogram: {len(weights)} weights need {len(weights) + 1} edges, not {len(edges)}", placed.at("edges"))
    if any(a >= b for a, b in pairwise(edges)):
        yield Problem("histogram: each edge must be greater than the one before", placed.at("edges"))
    if any(weight < 0 for weight in weights) or not any(weights):
        yield Problem("histogram: weights must be 0 or more, and not all 0", placed.at("weights"))


def steps_can_be_met(placed: Placed) -> Iterator[Problem]:
    step, type = placed.recipe.args.get("step"), placed.type
    if BY_NAME[placed.recipe.name] not in DISTRIBUTIONS or step is None or step <= 0:
        return
    if type is not None and type.kind not in FLOATS and not is_countable(step, type.decimals):
        yield Problem(f"{placed.recipe.name}: step {step} is finer than {type} counts; use a multiple of {_unit(type)}", placed.at("step"))
        return
    low, high = bounds_of(placed.recipe)
    if low is None or high is None or low > high:
        return
    least = first_multiple(low, step)
    if least > high or (placed.recipe.name == "histogram" and least == high):
        before = "before" if placed.recipe.name == "histogram" else "to"
        yield Problem(f"{placed.recipe.name}: there is no multiple of the step {step} from {low} {before} {high}", placed.at("step"))


def _unit(type: SqlType) -> Decimal:
    return Decimal(1).scaleb(-type.decimals)


def periods_are_in_order(placed: Placed) -> Iterator[Problem]:
    if placed.recipe.name != "between" or placed.type is None:
        return
    first, last = placed.get("period")
    if placed.type.kind == "time":
        start, end = resolve_time_of_day(first), resolve_time_of_day(last)
    else:
        start, end = (resolve_moment(moment, placed.schema.anchor) for moment in (first, last))
    if start > end:
        yield Problem(f"between: the period ends before it begins: [{first}, {last}]", placed.at("period"))


def texts_are_not_too_long(placed: Placed) -> Iterator[Problem]:
    if placed.recipe.name not in ("words", "sentences"):
        return
    count = placed.get("count")
    if isinstance(count, Recipe):
        bounds = [x for x in bounds_of(count) if x is not None] if count.name in ("uniform", "histogram") else []
        asked = [*bounds, *(count.args.get(name, 0) for name in ("min", "max", "mean", "median"))]
    else:
        asked = [count]
    if max(asked) > MOST_WORDS:
        yield Problem(f"{placed.recipe.name}: a text has at most {MOST_WORDS:,} of them, not {max(asked):,}", placed.at("count"))


_SLOWEST, _FASTEST = 0.01, 100


def shapes_of_time_go_together(placed: Placed) -> Iterator[Problem]:
    if placed.recipe.name not in ("between", "after"):
        return
    growth, season, args = placed.get("yearly_growth"), placed.get("season"), placed.recipe.args
    if args.get("growth", 0) > MOST_GROWTH:
        yield Problem(f"growth of {placed.recipe.name} must be at most {MOST_GROWTH:,}, not {args['growth']:g}", placed.at("growth"))
    if not _SLOWEST <= growth <= _FASTEST:
        yield Problem(f"yearly_growth must lie between {_SLOWEST} and {_FASTEST}, not {growth}", placed.at("yearly_growth"))
    if (growth != 1 or season != "none") and placed.type is not None and placed.type.kind == "time":
        yield Problem("yearly_growth and season are for dates and time stamps, not for times of day", placed.recipe.at)
    if growth != 1 and "growth" in args:
        yield Problem("growth and yearly_growth cannot stand together", placed.at("growth"))
    if season != "none" and "growth" in args:
        yield Problem("growth and season cannot stand together; use yearly_growth", placed.at("growth"))
    if growth != 1 and "mean" in args:
        yield Problem("mean and yearly_growth cannot stand together", placed.at("mean"))


def zones_have_a_rhythm(placed: Placed) -> Iterator[Problem]:
    args = placed.recipe.args
    if "zone" not in args or BY_NAME[placed.recipe.name].parameter("rhythm") is None:
        return
    if args.get("rhythm", "always") == "always":
        yield Problem("zone says by which clock a rhythm goes; give it a rhythm, such as office", placed.at("zone"))
    if placed.recipe.name != "states" and placed.type is not None and placed.type.kind not in ("timestamp", "timestamptz"):
        yield Problem(f"zone is for time stamps, and this is {placed.type}", placed.at("zone"))


def machines_fit_their_columns(placed: Placed) -> Iterator[Problem]:
    if placed.recipe.name != "states":
        return
    names = states_of(placed.recipe)
    type, dwell = placed.type, placed.get("dwell")
    for name in names:
        if type is not None and type.kind == "enum" and name not in type.values:
            yield Problem(f"state '{name[:60]}' is not a value of {type}{nearest(name, type.values)}", placed.at("machine"))
        if type is not None and type.length is not None and len(name) > type.length:
            yield Problem(f"state '{name[:60]}' is longer than {type} allows", placed.at("machine"))
    for name in dwell if isinstance(dwell, dict) else ():
        if name not in names:
            yield Problem(f"dwell names the unknown state '{name[:60]}'{nearest(name, names)}", placed.at("dwell"))


def states_of(recipe: Recipe) -> list[str]:
    """Every state of a state machine: those with a way out in their order, then those that are only led to."""
    machine = recipe.args["machine"]
    return list(dict.fromkeys([*machine, *(target for following in machine.values() for target in following)]))


def entered_names_a_state(placed: Placed) -> Iterator[Problem]:
    if placed.recipe.name != "entered":
        return
    name, state, table = placed.get("of"), placed.get("state"), placed.table
    if not table.has(name) or (table.name, name) in placed.broken:
        return
    status = table.column(name).generate
    if status is None or status.name != "states":
        yield Problem(f"entered needs a column made by `states`, and '{name}' is not", placed.at("of"))
    elif state != "any" and state not in states_of(status):
        known = [*states_of(status), "any"]
        yield Problem(
            f"'{state[:60]}' is no state of '{name}'{nearest(state, known) or '; it has ' + ', '.join(known)}", placed.at("state")
        )
    elif state != states_of(status)[0] and state != "any" and placed.column is not None and not placed.column.nullable:
        yield Problem(f"not every row enters '{state}', so '{placed.column.name}' needs `null: 0`", placed.column.at)


def slots_are_those_of_a_parent(placed: Placed) -> Iterator[Problem]:
    table, name = placed.table, placed.recipe.name
    if name == "slot_end":
        of = placed.get("of")
        if table.has(of) and (table.name, of) not in placed.broken:
            made = table.column(of).generate
            if made is None or made.name != "slot":
                yield Problem(f"slot_end needs a column made by `slot`, and '{of}' is not", placed.at("of"))
    if name != "slot":
        return
    after, moment = placed.get("after"), placed.get("from")
    if (after is None) == (moment is None):
        yield Problem("slot needs one of `after:` (a time of the parent) and `from:` (a moment)", placed.at(""))
    until, anchor = placed.get("until"), placed.schema.anchor
    if placed.get("rhythm") != "always" and "length" in placed.recipe.args:
        yield Problem("slot: a rhythm is for moments; leave out one of rhythm and length", placed.at("rhythm"))
    fixed = moment is not None and until is not None and is_moment(until)
    if fixed and resolve_moment(moment, anchor) >= resolve_moment(until, anchor):
        yield Problem(f"slot: until must be later than from: [{moment}, {until}]", placed.at("until"))
    if table.rows.per is None:
        yield Problem(f"slot is for tables with rows per parent, and '{table.name}' has a number of rows of its own", placed.at(""))
    elif _can_follow(placed):
        for parameter in ("after", "until", "factor", "zone"):
            path = placed.get(parameter)
            if path is None or (is_zone_name(path) if parameter == "zone" else is_moment(path)):
                continue
            try:
                hops = follow(placed.schema, table, path).hops
            except NoSuchPath:
                continue
            if not hops or hops[0].table != table.rows.per:
                kind = {"factor": "number", "zone": "zone"}.get(parameter, "time")
                what = f"slot: {parameter} must be a {kind} of '{table.rows.per}', whose slots these are, not '{path}'"
                yield Problem(what, placed.at(parameter))


def cases_are_values(placed: Placed) -> Iterator[Problem]:
    if placed.recipe.name != "cases" or not _can_follow(placed):
        return
    try:
        found = follow(placed.schema, placed.table, str(placed.get("by")))
    except NoSuchPath:
        return
    if (found.table.name, found.column.name) not in placed.broken:
        for message, place in case_problems(placed.schema, placed.table, placed.recipe):
            yield Problem(message, placed.at(place))


RULES: tuple[Rule, ...] = (
    generators_fit_types,
    generators_make_unique_values,
    paths_lead_to_columns,
    paths_lead_to_what_is_needed,
    whole_days_fit,
    nulls_stand_where_they_may,
    nulls_go_where_they_may,
    expressions_name_columns,
    bounds_are_in_order,
    numbers_have_the_right_sign,
    histograms_have_a_weight_for_each_interval,
    steps_can_be_met,
    texts_are_not_too_long,
    periods_are_in_order,
    shapes_of_time_go_together,
    zones_have_a_rhythm,
    machines_fit_their_columns,
    entered_names_a_state,
    cases_are_values,
    slots_are_those_of_a_parent,
)
