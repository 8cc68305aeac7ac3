"""YAML text for plain values, written so that every reader takes it for what it is (no `no` that becomes false)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

_PLAIN = re.compile(r"[^\W\d][\w./+\-]*(?: [\w./+\-<>=*()%]+)*\Z")
_MEANS_ELSE = re.compile(r"(?:null|true|false|yes|no|on|off|y|n|nan|inf|e[0-9+\-]*)\Z", re.IGNORECASE)
_LONGEST_KEY = 1000
_EXACT = 2**53


class Written(str):
    """Text that is YAML already."""

    __slots__ = ()


def text(value: str) -> Written:
    """Write text, quoted where it has to be, on one line."""
    if _PLAIN.match(value) and not _MEANS_ELSE.match(value) and value.isprintable():
        return Written(value)
    return Written('"' + visible(json.dumps(value, ensure_ascii=False)[1:-1]) + '"')


def visible(value: str) -> str:
    """Replace what YAML does not let stand as it is by its escape."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}" for c in value)


def scalar(value: object) -> Written:
    """Write a text, number, truth value or nothing."""
    if isinstance(value, Written):
        return value
    if isinstance(value, str):
        return text(value)
    if value is None:
        return Written("null")
    if isinstance(value, bool):
        return Written("true" if value else "false")
    assert isinstance(value, (int, float)), value
    whole = isinstance(value, float) and value.is_integer() and abs(value) < _EXACT
    return Written(repr(int(value) if whole else value))


def flow(value: object) -> Written:
    """Write a value on one line: `{a: 1, b: [x, y]}`."""
    if isinstance(value, Mapping):
        return Written("{" + ", ".join(_entry(scalar(key), flow(inner)) for key, inner in value.items()) + "}")
    if isinstance(value, Iterable) and not isinstance(value, str):
        return Written("[" + ", ".join(flow(inner) for inner in value) + "]")
    return scalar(value)


def _entry(key: str, value: str) -> str:
    return f"{key}: {value}" if len(key) <= _LONGEST_KEY else f"? {key} : {value}"
