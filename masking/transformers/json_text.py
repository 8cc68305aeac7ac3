"""JSON documents as text with holes: read once, each value that is to be masked left out, the rest written as it stood."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any, NoReturn

from masking.transformers.path_language import Place

# more than any application writes, and few enough for every parser
MAX_DEPTH = 400


class NotJson(ValueError):
    """A text that is no JSON, or nested too deeply."""


class Number(str):
    """A number as it is written, so that none is changed by reading it."""

    __slots__ = ()


@dataclass
class Template:
    """A document: `pieces` are text, or the number of the group whose next value comes there; `leaves` are those values by group."""

    pieces: list[str | int] = field(default_factory=list)
    leaves: dict[int, list[str]] = field(default_factory=dict)


# (place, kind of leaf, text) -> the group of a value, the JSON that replaces it, or None where it is kept
Grouping = Callable[[Place, str, str], int | str | None]


def read_document(text: str) -> Any:
    """Parse JSON; numbers are `Number`s, the last of equal names counts, half surrogate pairs become U+FFFD. Raises NotJson."""
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise NotJson from None
    return _whole(value) if "\\ud" in text or "\\uD" in text else value


def cut(value: Any, root: Place, group_of: Grouping) -> Template:
    """Return the document as a template, compact, with its members in their order; raises NotJson where it is nested too deeply."""
    template = Template()
    _cut(value, root, group_of, template, 0)
    merged: list[str | int] = []
    for piece in template.pieces:
        if merged and isinstance(piece, str) and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    template.pieces = merged
    return template


def quoted(text: str) -> str:
    """A JSON string."""
    return encode_basestring(text)


def _cut(value: Any, place: Place, group_of: Grouping, template: Template, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotJson
    pieces = template.pieces
    if isinstance(value, dict):
        separator = "{"
        for name, inner in value.items():
            pieces.append(separator)
            _leaf(place, "name", name, group_of, template)
            pieces.append(":")
            _cut(inner, place.member(name), group_of, template, depth + 1)
            separator = ","
        pieces.append("}" if value else "{}")
    elif isinstance(value, list):
        below = place.items()
        separator = "["
        for inner in value:
            pieces.append(separator)
            _cut(inner, below, group_of, template, depth + 1)
            separator = ","
        pieces.append("]" if value else "[]")
    elif isinstance(value, Number):
        _leaf(place, "number", value, group_of, template)
    elif isinstance(value, str):
        _leaf(place, "string", value, group_of, template)
    elif value is None:
        pieces.append("null")
    else:
        _leaf(place, "boolean", "true" if value else "false", group_of, template)


def _leaf(place: Place, kind: str, text: str, group_of: Grouping, template: Template) -> None:
    group = group_of(place, kind, text)
    if group is None:
        template.pieces.append(text if kind in ("number", "boolean") else encode_basestring(text))
    else:
        template.pieces.append(group)
    if isinstance(group, int):
        template.leaves.setdefault(group, []).append(text)


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {_whole(name): _whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    if isinstance(value, str) and not isinstance(value, Number):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError


_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_refuse)
