"""Column types as the schema language writes them: `numeric(12,2)`, `varchar(40)`, `text[]`, a named enum."""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from schemas.errors import nearest
from schemas.types import ALIASES, KINDS, SqlType
from schemas.yaml_nodes import Node, Reading, kind_of

_FORM = re.compile(r"([a-z][a-z0-9_ ]*?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?$", re.IGNORECASE)
_PLAIN = tuple(k for k in KINDS if k not in ("enum", "array"))
MAX_PRECISION = 38
MAX_LENGTH = 10_485_760


def read_type(reading: Reading, node: Node, enums: Mapping[str, tuple[str, ...]]) -> SqlType | None:
    """Return the type that a node names, or None and a problem."""
    if isinstance(node, yaml.MappingNode):
        parts = reading.mapping(node, "a type", ("enum",))
        if "enum" not in parts:
            return None
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
    values = [reading.text(item, "a value of an enum") for item in reading.items(node, "an enum")]
    kept = tuple(v for v in values if v is not None)
    if not kept:
        if isinstance(node, yaml.SequenceNode) and not values:
            reading.say(node, "an enum needs at least one value")
        return None
    if len(set(kept)) < len(kept):
        reading.say(node, f"an enum has different values; {kind_of(node)} repeats one")
        return None
    return kept


def type_of(word: str, enums: Mapping[str, tuple[str, ...]]) -> SqlType:
    """Return the type that `word` names; raises ValueError saying what is wrong."""
    text = word.strip()
    if text in enums:
        return SqlType("enum", values=enums[text], name=text)
    if text.endswith("[]"):
        item = type_of(text[:-2], enums)
        if item.kind == "array":
            raise ValueError("arrays of arrays are not known; use json")
        return SqlType("array", item=item)
    found = _FORM.match(text)
    known = (*_PLAIN, *ALIASES, *enums)
    kind = "" if found is None else ALIASES.get(found[1].lower(), found[1].lower())
    if found is None or kind not in _PLAIN:
        name = text.partition("(")[0].strip()
        hint = nearest(name.lower(), known) or f"; known are {', '.join(_PLAIN)}, enums of `types:`, and each with [] as an array"
        raise ValueError(f"unknown type '{text}'{hint}")
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
    if first is not None and kind not in ("timestamp", "timestamptz", "time"):
        raise ValueError(f"{kind} takes nothing in brackets, as in {text}")
    return SqlType(kind)
