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
    """A document: pieces of text, the places among them that are holes, each with its group, and the values of the holes by group."""

    pieces: list[str] = field(default_factory=list)
    holes: list[tuple[int, int]] = field(default_factory=list)
    leaves: dict[int, list[str]] = field(default_factory=dict)


# (place, kind of leaf, text) -> the group of a value, the JSON that replaces it, or None where it is kept
Grouping = Callable[[Place, str, str], int | str | None]
# (place, kind of leaf) -> whether that is the same for every text
Steadiness = Callable[[Place, str], bool]


def read_document(text: str) -> Any:
    """Parse JSON; numbers are `Number`s, the last of equal names counts, half surrogate pairs become U+FFFD. Raises NotJson."""
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise NotJson from None
    return _whole(value) if "\\ud" in text or "\\uD" in text else value


def quoted(text: str) -> str:
    """A JSON string."""
    return encode_basestring(text)


class Cutter:
    """Cuts the documents of one batch; what it has found out of a name or a place, it does not ask again."""

    def __init__(self, group_of: Grouping, is_steady: Steadiness) -> None:
        self._group_of = group_of
        self._is_steady = is_steady
        self._names: dict[int, dict[str, tuple[str, str, int | str | None, Place]]] = {}
        self._steady: dict[tuple[int, str], tuple[bool, int | str | None]] = {}

    def cut(self, value: Any, root: Place) -> Template:
        """Return the document as a template, compact, with its members in their order; raises NotJson where it is nested too deeply."""
        template = Template()
        self._walk(value, root, template, 0)
        return template

    def _walk(self, value: Any, place: Place, template: Template, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise NotJson
        kind = type(value)
        if kind is dict:
            self._walk_members(value, place, template, depth)
        elif kind is list:
            below = place.items()
            separator = "["
            for inner in value:
                template.pieces.append(separator)
                self._walk(inner, below, template, depth + 1)
                separator = ","
            template.pieces.append("]" if value else "[]")
        elif kind is str:
            self._leaf(place, "string", value, template)
        elif kind is Number:
            self._leaf(place, "number", value, template)
        elif value is None:
            template.pieces.append("null")
        else:
            self._leaf(place, "boolean", "true" if value else "false", template)

    def _walk_members(self, value: dict[str, Any], place: Place, template: Template, depth: int) -> None:
        pieces = template.pieces
        names = self._names.setdefault(id(place), {})
        first = True
        for name, inner in value.items():
            if name not in names:
                group = self._group_of(place, "name", name)
                opening = f"{encode_basestring(name) if group is None else group}:"
                names[name] = (f"{{{opening}", f",{opening}", group, place.member(name))
            begin, following, group, below = names[name]
            if isinstance(group, int):
                pieces.append("{" if first else ",")
                _hole(group, name, template)
                pieces.append(":")
            else:
                pieces.append(begin if first else following)
            first = False
            self._walk(inner, below, template, depth + 1)
        pieces.append("{}" if first else "}")

    def _leaf(self, place: Place, kind: str, text: str, template: Template) -> None:
        key = (id(place), kind)
        known = self._steady.get(key)
        if known is None:
            known = self._steady[key] = (self._is_steady(place, kind), self._group_of(place, kind, text))
        group = known[1] if known[0] else self._group_of(place, kind, text)
        if group is None:
            template.pieces.append(encode_basestring(text) if kind == "string" else text)
        elif isinstance(group, int):
            _hole(group, text, template)
        else:
            template.pieces.append(group)


def _hole(group: int, text: str, template: Template) -> None:
    template.holes.append((len(template.pieces), group))
    template.pieces.append("")
    if group in template.leaves:
        template.leaves[group].append(text)
    else:
        template.leaves[group] = [text]


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
