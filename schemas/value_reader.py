"""Values as the schema language writes them in recipes, read as the type of the column that will hold them."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import yaml

from schemas.errors import nearest
from schemas.times import parse_duration, parse_moment, resolve_time_of_day
from schemas.types import FLOATS, INTEGER_RANGE, INTEGERS, SqlType
from schemas.yaml_nodes import Node, Reading, kind_of, plain

_NUMERIC = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z")
_VERBATIM = ("text", "varchar", "char", "enum", "bytes")


class Unfit(ValueError):
    """A value that a type cannot hold; the message says why."""


def read_value(reading: Reading, type: SqlType, node: Node, what: str) -> Any:
    """Return a value as a column of `type` has it, or None and a problem.

    Integers and floats are numbers, numerics, dates, times and uuids checked text, intervals microseconds; json is plain data,
    an array a list.
    """
    if type.kind in INTEGERS:
        return reading.integer(node, what, -INTEGER_RANGE[type.kind] - 1, INTEGER_RANGE[type.kind])
    if type.kind in FLOATS:
        return reading.number(node, what)
    if type.kind == "boolean":
        return reading.boolean(node, what)
    if type.kind == "json":
        value = plain(node)
        if value is None:
            reading.say(node, f"{what} cannot be null; for nulls give the column `null: <share>`")
        return value
    if type.item is not None:
        values = [read_value(reading, type.item, inner, f"an item of {what}") for inner in reading.items(node, what)]
        return values if isinstance(node, yaml.SequenceNode) and all(v is not None for v in values) else None
    text = reading.text(node, what)
    if text is None:
        return None
    try:
        return _checked(text if type.kind in _VERBATIM else text.strip(), type)
    except ValueError as error:
        reason = str(error) if isinstance(error, Unfit) else f"must be of type {type}, not {kind_of(node)}"
        reading.say(node, f"{what} {reason}")
        return None


def _checked(text: str, type: SqlType) -> Any:
    """Return text as a value of `type`; raises ValueError where it is none."""
    match type.kind:
        case "numeric":
            _check_numeric(text, type)
        case "date" | "timestamp" | "timestamptz":
            parse_moment(text)
        case "time":
            resolve_time_of_day(text)
        case "interval":
            return parse_duration(text, negative=True)
        case "uuid":
            return str(UUID(text))
        case "enum" if text not in type.values:
            raise Unfit(f"must be a value of {type}, not '{text[:60]}'{nearest(text, type.values)}")
    if type.length is not None and len(text) > type.length:
        raise Unfit(f"must have at most {type.length} characters, and '{text[:60]}' has {len(text)}")
    return text


def _check_numeric(text: str, type: SqlType) -> None:
    if not _NUMERIC.match(text):
        raise ValueError
    whole, _, fraction = text.lstrip("+-").partition(".")
    arrow = type.arrow
    if len(fraction.rstrip("0")) > arrow.scale or len(whole.lstrip("0")) > arrow.precision - arrow.scale:
        raise Unfit(f"must fit {type}, and {text[:60]} has more digits")
