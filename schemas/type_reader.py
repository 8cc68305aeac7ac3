"""Column types as the schema language writes them: `numeric(12,2)`, `varchar(40)`, `text[]`, a named enum."""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from schemas import grammar
from schemas.errors import nearest
from schemas.grammar import names
from schemas.types import ALIASES, KINDS, TIMES, SqlType
from schemas.yaml_nodes import Node, Reading, kind_of

_FORM = re.compile(r"([a-z][a-z0-9_ ]*?)\s*(?:\(\s*([0-9]+)\s*(?:,\s*([0-9]+)\s*)?\))?\Z", re.IGNORECASE)
_PLAIN = tuple(k for k in KINDS if k not in ("enum", "array"))
_NESTED = "arrays of arrays are not known; use json"
_ELSEWHERE = {
    "serial": "integer, with `identity: true` beside it",
    "bigserial": "bigint, with `identity: true` beside it",
    "tinyint": "smallint",
    "money": "numeric(12,2)",
    "number": "numeric(12,2), or integer",
    "enum": "{enum: [first, second]}",
    "array": "text[]",
}
MAX_PRECISION = 38
MAX_LENGTH = 10_485_760
MAX_LABEL = 63


def read_type(reading: Reading, node: Node, enums: Mapping[str, tuple[str, ...]]) -> SqlType | None:
    """Return the type that a node names, or None and a problem."""
    if isinstance(node, yaml.MappingNode):
        parts = reading.mapping(node, "a type", names(grammar.TYPE))
        if len(parts) != 1:
            if len(parts) == len(node.value):
                reading.say(node, "a type written as a mapping has either `enum` or `array`")
            return None
        if "array" in parts:
            item = read_type(reading, parts["array"][1], enums)
            if item is not None and item.kind == "array":
                reading.say(node, _NESTED)
                return None
            return None if item is None else SqlType("array", item=item)
        values = read_enum(reading, parts["enum"][1])
        return None if values is None else SqlType("enum", values=values)
    word = reading.text(node, "a type")
    if word is None:
        return None
    try:
        return type_of(word, enums)
    except ValueError as error:
        reading.say(node, str(error))
        return None


def read_enum(reading: Reading, node: Node) -> tuple[str, ...] | None:
    """Return the values of an enum: a list of different texts."""
    values: dict[str, None] = {}
    before = len(reading.problems)
    for item in reading.items(node, "an enum"):
        value = reading.text(item, "a value of an enum")
        if value is None:
            continue
        if value in values:
            reading.say(item, f"{kind_of(item)} stands twice in the enum")
        elif len(value.encode()) > MAX_LABEL:
            reading.say(item, f"a value of an enum has at most {MAX_LABEL} bytes")
        values[value] = None
    if isinstance(node, yaml.SequenceNode) and not node.value:
        reading.say(node, "an enum needs at least one value")
    return tuple(values) if len(reading.problems) == before else None


def type_of(word: str, enums: Mapping[str, tuple[str, ...]]) -> SqlType:
    """Return the type that `word` names; raises ValueError saying what is wrong."""
    if word in enums:
        return SqlType("enum", values=enums[word], name=word)
    text = word.strip()
    if text.endswith("[]"):
        inner = text[:-2].strip()
        if inner.endswith("[]") and inner not in enums:
            raise ValueError(_NESTED)
        return SqlType("array", item=type_of(inner, enums))
    found = _FORM.match(text)
    known = (*_PLAIN, *ALIASES, *enums)
    kind = "" if found is None else ALIASES.get(found[1].lower(), found[1].lower())
    if found is None or kind not in _PLAIN:
        name = text.partition("(")[0].strip()
        elsewhere = _ELSEWHERE.get(name.lower())
        hint = f"; here it is written {elsewhere}" if elsewhere else nearest(name.lower(), known)
        hint = hint or f"; known are {', '.join(_PLAIN)}, enums of `types:`, and each with [] as an array"
        raise ValueError(f"unknown type '{text[:60]}'{hint}")
    if len(found[2] or "") > 9 or len(found[3] or "") > 9:
        raise ValueError(f"the number in '{text[:60]}' is too large")
    first, second = found[2], found[3]
    if kind == "numeric":
        if first is None:
            return SqlType(kind)
        precision, scale = int(first), int(second or 0)
        if not 1 <= precision <= MAX_PRECISION or scale > precision:
            raise ValueError(f"numeric needs a precision from 1 to {MAX_PRECISION} and a scale of at most that, not {text}")
        return SqlType(kind, precision, scale)
    if kind in ("varchar", "char"):
        if second is not None or (first is not None and not 1 <= int(first) <= MAX_LENGTH):
            raise ValueError(f"{kind} needs one length from 1 to {MAX_LENGTH:,}, not {text}")
        if first is None:
            return SqlType("text") if kind == "varchar" else SqlType(kind, length=1)
        return SqlType(kind, length=int(first))
    if first is not None:
        why = "; times are exact to the microsecond" if kind in TIMES else ""
        raise ValueError(f"{kind} takes nothing in brackets{why}; write {kind}, not {text}")
    return SqlType(kind)


def is_type(name: str) -> bool:
    """Whether `name` names a type already."""
    try:
        type_of(name, {})
    except ValueError:
        return False
    return True
