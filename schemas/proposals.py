"""Proposes a generator for a column from its name, type, constraints and checks, so that a reflected schema builds as it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from schemas.check_facts import ColumnFacts
from schemas.model import Recipe
from schemas.number_proposals import propose_number, unique_number
from schemas.recipes import BY_NAME
from schemas.text_forms import is_formed, satisfies
from schemas.text_proposals import propose_text
from schemas.time_proposals import propose_moment, times_of_day
from schemas.times import DAY
from schemas.types import FLOATS, INTEGERS, MOMENTS, TEXTS, SqlType
from schemas.wanted import SCALE, Proposal, Wanted

_ROWS_OF_EMPTY = 10_000  # that a table without rows is to have room for


def propose(column: Wanted) -> Proposal:
    """Return a recipe that satisfies what is known of a column."""
    if column.facts.values is not None:
        return _closed_list(column)
    kind = column.type.kind
    if kind in TEXTS:
        found = propose_text(column)
    elif kind in INTEGERS or kind in (*FLOATS, "numeric"):
        found = propose_number(column)
    elif kind in MOMENTS:
        found = propose_moment(column)
    else:
        found = _other(column)
    return _made_unique(column, found) if column.unique else found


def _closed_list(column: Wanted) -> Proposal:
    allowed = [v for v in column.facts.values or () if allows(column.facts, v)]
    values = [_value(v, column.type) for v in allowed or column.facts.values or ()]
    length = column.facts.max_length if column.facts.max_length is not None else column.type.length
    if length is not None:
        values = [v for v in values if not isinstance(v, str) or len(v) <= length] or values
    if column.unique and len(values) < column.rows * SCALE:
        recipe = Recipe("choice", {"values": tuple((v, 1) for v in values)})
        return Proposal(recipe, (f"only {len(values)} different values are allowed and they are unique, so the rows do not scale",), True)
    return Proposal(Recipe("choice", {"values": tuple((v, 1) for v in values)}))


def allows(facts: ColumnFacts, value: Any) -> bool:
    """Whether the bounds and forms of `facts` allow a value of a closed list."""
    if isinstance(value, str):
        return satisfies(value, facts)
    if not isinstance(value, Decimal):
        return True
    low, high = facts.low, facts.high
    above = low is None or value > low or (value == low and not facts.open_low)
    return above and (high is None or value < high or (value == high and not facts.open_high))


def _value(value: Any, type: SqlType) -> Any:
    if isinstance(value, Decimal):
        if type.kind in INTEGERS:
            return int(value)
        return float(value) if type.kind in FLOATS else str(value)
    return value


def _other(column: Wanted) -> Proposal:
    type = column.type
    match type.kind:
        case "boolean":
            rare = column.has("deleted", "archived", "blocked", "locked", "disabled", "banned")
            common = column.has("active", "enabled", "verified", "visible", "published", "activebool")
            return Proposal(Recipe("boolean", {"share": 0.05 if rare else 0.9 if common else 0.5}))
        case "enum":
            return Proposal(Recipe("choice", {"values": tuple((v, 1) for v in type.values)}))
        case "uuid":
            return Proposal(Recipe("uuid4", {}))
        case "json":
            return Proposal(
                Recipe("json", {"fields": {"key": Recipe("words", {"count": 1}), "value": Recipe("uniform", {"range": (1, 100)})}})
            )
        case "bytes":
            most = 16 if column.facts.max_length is None else column.facts.max_length
            return Proposal(Recipe("bytes", {"length": max(min(16, most), column.facts.min_length)}))
        case "time":
            return Proposal(Recipe("between", {"period": times_of_day(column.facts)}))
        case "interval":
            return Proposal(Recipe("exponential", {"mean": DAY, "max": 30 * DAY}))
        case "array":
            assert type.item is not None
            inner = propose(Wanted(column.table, column.name, type.item, column.rows, False, False, ColumnFacts()))
            return Proposal(Recipe("array", {"of": inner.recipe, "count": Recipe("uniform", {"range": (0, 3)})}), inner.notes)
    raise AssertionError(type)


_SERIAL = frozenset((
    "person.first_name", "person.last_name", "person.name", "person.email", "person.username", "person.job", "address.street",
    "address.city", "address.postcode", "phone.number", "words", "sentences", "internet.email", "internet.domain",
    "internet.hostname", "internet.url", "internet.slug", "company.catch_phrase",
))  # fmt: skip


def _made_unique(column: Wanted, found: Proposal) -> Proposal:
    """Return a recipe whose values never repeat, also with ten times as many rows."""
    spec, rows = BY_NAME[found.recipe.name], column.rows * SCALE
    kind, room = column.type.kind, column.room
    if kind in TEXTS and not is_formed(column.facts):
        digits = len(str(2 * max(rows, 1)))
        roomy = spec.name == "uuid4" or room >= (40 if "." in spec.name and spec.name not in _SERIAL else digits + 26)
        if spec.unique and spec.name != "pattern" and spec.name != "choice" and roomy and column.facts.min_length <= 1:
            return found
        length = next((n for n in range(max(column.facts.min_length, 1), room + 1) if 36**n >= (rows or _ROWS_OF_EMPTY) * 100), room)
        if 36**length < column.rows:
            return Proposal(
                Recipe("pattern", {"regex": f"[A-Z0-9]{{{length}}}"}), ("too short for as many unique values as there are rows",), True
            )
        note = ("the column is short, so the rows do not scale",) if 36**length < rows else ()
        return Proposal(Recipe("pattern", {"regex": f"[A-Z0-9]{{{length}}}"}), note, bool(note))
    if kind in (*INTEGERS, "numeric"):
        return unique_number(column, found, rows)
    bounded = column.facts.low_text is not None or column.facts.high_text is not None
    if kind in ("date", "timestamp", "timestamptz", "time") and not bounded:
        period = ("-80y", "now") if kind == "date" else ("00:00", "23:59:59") if kind == "time" else ("-3y", "now")
        fixed = kind == "date" and rows > 29_000
        return Proposal(Recipe("between", {"period": period}), ("a date has few values, so the rows do not scale",) if fixed else (), fixed)
    if kind == "interval":
        return Proposal(Recipe("uniform", {"range": (0, 30 * DAY)}))
    if kind == "boolean":
        found = Proposal(Recipe("choice", {"values": ((False, 1), (True, 1))}))
    elif spec.unique and spec.name != "choice":
        return found
    if found.recipe.name == "choice":
        few = len(found.recipe.args["values"])
        return Proposal(
            found.recipe, (f"only {few} different values are allowed and they are unique, so the rows do not scale",), few < rows
        )
    return Proposal(found.recipe, (f"unique, which no generator for {column.type} can promise: change its type or drop the constraint",))
