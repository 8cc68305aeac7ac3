"""Whether a proposed generator keeps what the checks say of its column, so that what it may break is told."""

from __future__ import annotations

from decimal import Decimal

from schemas.check_facts import ColumnFacts, TableFacts
from schemas.model import Recipe
from schemas.proposals import allows
from schemas.text_forms import is_formed
from schemas.text_proposals import text_form
from schemas.times import parse_moment, resolve_time_of_day
from schemas.types import FLOATS, INTEGERS, TEXTS
from schemas.wanted import Wanted


def keeps(column: Wanted, recipe: Recipe, table: TableFacts) -> bool:
    """Whether every value that `recipe` makes satisfies the facts of `column`, those of `table` being kept elsewhere."""
    facts = column.facts
    if facts.document and column.type.kind != "json":
        return False
    if facts.equals is not None:
        return recipe.name == "expression" and _is_plain(facts)
    if facts.after:
        return _follows(column, recipe, table)
    if facts.values is not None:
        return recipe.name == "choice" and any(allows(facts, value) for value in facts.values)
    if _is_plain(facts):
        return True
    kind = column.type.kind
    if kind in TEXTS:
        formed = not is_formed(facts) or (recipe.name == "pattern" and recipe.args["regex"] == text_form(column))
        return facts.low is None and facts.high is None and formed
    if is_formed(facts) and kind not in ("date", "time", "timestamp", "timestamptz"):
        return False
    if kind in (*INTEGERS, *FLOATS, "numeric"):
        return facts.max_length is None and facts.min_length <= 1 and _is_within(facts, _range(recipe))
    if kind == "bytes":
        return facts.low is None and facts.high is None
    return _is_in_period(facts, recipe)


def _is_plain(facts: ColumnFacts) -> bool:
    """Whether nothing but that it is present, or not empty, is said of a column alone."""
    bounded = facts.low is not None or facts.high is not None or facts.max_length is not None
    return facts.values is None and not bounded and not is_formed(facts) and facts.min_length <= 1


def _follows(column: Wanted, recipe: Recipe, table: TableFacts) -> bool:
    """Whether a column is made from the one that it must be above, and its other bounds with that."""
    facts = column.facts
    if facts.values is not None or facts.high is not None or is_formed(facts):
        return False
    others = {other for other, _ in facts.after}
    if recipe.name == "after":
        return others == {recipe.args["path"]}
    lows = [low for other in others if (low := table.of(other).low) is not None]
    return recipe.name == "expression" and (facts.low is None or max(lows, default=facts.low - 1) >= facts.low)


def _is_within(facts: ColumnFacts, made: tuple[Decimal, Decimal | None] | None) -> bool:
    if made is None:
        return False
    low, high = made
    return allows(facts, low) and (facts.high is None if high is None else allows(facts, high))


def _range(recipe: Recipe) -> tuple[Decimal, Decimal | None] | None:
    """The least and the greatest number that a recipe makes, where that is known."""
    args = recipe.args
    match recipe.name:
        case "uniform":
            return Decimal(str(args["range"][0])), Decimal(str(args["range"][1]))
        case "lognormal":
            return Decimal(str(args["min"])), Decimal(str(args["max"]))
        case "sequence":
            return Decimal(str(args.get("start", 1))), None
        case "boolean":
            return Decimal(0), Decimal(1)
        case "geo.latitude":
            return Decimal(-90), Decimal(90)
        case "geo.longitude":
            return Decimal(-180), Decimal(180)
    return None


def _is_in_period(facts: ColumnFacts, recipe: Recipe) -> bool:
    if recipe.name != "between" or facts.low is not None or facts.high is not None or facts.like is not None or facts.pattern is not None:
        return False
    begin, end = recipe.args["period"]
    read = resolve_time_of_day if ":" in begin[:3] else parse_moment
    try:
        bounds = [read(text) for text in (facts.low_text or begin, begin, end, facts.high_text or end)]
    except ValueError:
        return False
    return bounds == sorted(bounds)
