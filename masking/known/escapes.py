"""Texts as they are meant: what URLs, JSON, HTML and quoted-printable mail write in escapes."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

_ROUNDS = 3  # escapes within escapes: an address in a URL in a JSON text
_JSON = re.compile(r'(?:\\u[0-9a-fA-F]{4})+|\\["\\/bfnrt]')
_URL = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_HTML = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_MAIL = re.compile(r"(?:=[0-9A-F]{2}(?:=\r?\n)?)+|=\r?\n")  # lines end within characters too
ESCAPED = r'\\u[0-9a-fA-F]{4}|\\["\\/bfnrt]|%[0-9a-fA-F]{2}|&#?\w{1,31};|=[0-9A-F]{2}|=\r?\n'  # what has some, for RE2 too
SIGNS = b"\\%&="  # with one of which each begins
_ANY = re.compile(ESCAPED)


@dataclass(frozen=True)
class Unescaped:
    """A text without its escapes, and for each of its characters (and the end) where that is written: `begins[i]` to `ends[i]`."""

    text: str
    begins: list[int]
    ends: list[int]

    def written(self, start: int, end: int) -> tuple[int, int]:
        """The span of the written text that stands for `start` to `end`."""
        return self.begins[start], self.ends[end - 1]


def unescaped(text: str) -> Unescaped | None:
    """Return `text` as it is meant; None where nothing in it is escaped."""
    if _ANY.search(text) is None:
        return None
    meant = Unescaped(text, list(range(len(text))), list(range(1, len(text) + 1)))
    for _ in range(_ROUNDS):
        before = meant.text
        for pattern, decode in _DECODERS:
            meant = _replaced(meant, pattern, decode)
        if meant.text == before:
            break
    return None if meant.text == text else meant


def _replaced(meant: Unescaped, pattern: re.Pattern[str], decode: Callable[[str], str]) -> Unescaped:
    parts: list[str] = []
    begins: list[int] = []
    ends: list[int] = []
    last = 0
    for match in pattern.finditer(meant.text):
        plain = decode(match.group())
        start, stop = match.span()
        parts += [meant.text[last:start], plain]
        begins += meant.begins[last:start] + [meant.begins[start]] * len(plain)
        ends += meant.ends[last:start] + [meant.ends[stop - 1]] * len(plain)
        last = stop
    if not parts:
        return meant
    parts.append(meant.text[last:])
    return Unescaped("".join(parts), begins + meant.begins[last:], ends + meant.ends[last:])


def _json(escape: str) -> str:
    plain: str = json.loads(f'"{escape}"')
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _mail(escape: str) -> str:
    return bytes.fromhex(escape.replace("=", "")).decode("utf-8", "replace")


_DECODERS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (_JSON, _json),
    (_URL, unquote),
    (_HTML, html.unescape),
    (_MAIL, _mail),
)
