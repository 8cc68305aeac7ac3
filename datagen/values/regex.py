"""Regular expressions whose words are finite in number: their parts, and how they are read.

The subset: literals, `.`, classes, `\\d \\w \\s` and their opposites, groups, `|`, `?`, `*` (0 to 8 times), `+` (1 to 8 times),
`{n}` and `{n,m}`; `^` at the beginning and `$` at the end mean nothing, since words are whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNBOUNDED = 8
_LONGEST = 4096
_PRINTABLE = "".join(chr(c) for c in range(32, 127))
_DIGITS = "0123456789"
_WORD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": " "}
_ANCHORED = re.compile(r"(?<!\\)(?:\\\\)*\$\Z")


@dataclass(frozen=True)
class Letter:
    """One of some characters."""

    letters: str


@dataclass(frozen=True)
class Sequence:
    """One part after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    """One of several options."""

    options: tuple[Node, ...]


@dataclass(frozen=True)
class Repeated:
    """A part `least` to `most` times."""

    part: Node
    least: int
    most: int


Node = Letter | Sequence | Either | Repeated


def longest(node: Node) -> int:
    """Return how many characters the longest word has."""
    return _size(node, 0)


def _size(node: Node, least: int) -> int:
    """The length of the longest word, where every part counts for `least` characters or more."""
    match node:
        case Letter():
            return 1
        case Sequence(parts):
            return max(sum(_size(p, least) for p in parts), least)
        case Either(options):
            return max(_size(o, least) for o in options)
        case Repeated(part, _, most):
            return max(most * _size(part, least), least)


def parse_pattern(text: str) -> Node:
    """Parse a regular expression; raises ValueError naming what is not known and where."""
    parser = _Parser(text.removeprefix("^"))
    node = parser.either()
    if parser.rest():
        raise ValueError(f"'{parser.rest()[0]}' at character {parser.at + 1} closes nothing")
    # a part that may be empty still costs work each time that it is repeated
    if _size(node, 1) > _LONGEST:
        raise ValueError(f"its repetitions may make words of more than {_LONGEST:,} characters")
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text[:-1] if _ANCHORED.search(text) else text
        self.at = 0

    def rest(self) -> str:
        return self.text[self.at :]

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        if self.at >= len(self.text):
            raise ValueError("the pattern ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def either(self) -> Node:
        options = [self.sequence()]
        while self.peek() == "|":
            self.take()
            options.append(self.sequence())
        return options[0] if len(options) == 1 else Either(tuple(options))

    def sequence(self) -> Node:
        parts: list[Node] = []
        while self.peek() and self.peek() not in "|)":
            parts.append(self.repeated(self.atom()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def atom(self) -> Node:
        start, char = self.at, self.take()
        if char == "(":
            if self.peek() == "?":
                if not self.rest().startswith("?:"):
                    raise ValueError(f"'(?' at character {start + 1} is not known; only (?: groups are")
                self.at += 2
            node = self.either()
            if self.peek() != ")":
                raise ValueError(f"the group at character {start + 1} is not closed")
            self.take()
            return node
        if char == "[":
            return Letter(self.character_class(start))
        if char == ".":
            return Letter(_PRINTABLE)
        if char == "\\":
            return Letter(self.escape())
        if char in "*+?{^$":
            raise ValueError(f"'{char}' at character {start + 1} is not known here; write \\{char} to mean itself")
        return Letter(char)

    def escape(self) -> str:
        char = self.take()
        if char in _CLASSES:
            return _CLASSES[char]
        if char.upper() in "DWS" and char.isupper():
            return "".join(c for c in _PRINTABLE if c not in _CLASSES[char.lower()])
        if char.isalnum():
            raise ValueError(f"'\\{char}' at character {self.at - 1} is not known")
        return char

    def character_class(self, start: int) -> str:
        negated = self.peek() == "^"
        if negated:
            self.take()
        found: dict[str, None] = {}
        first = True
        while first or self.peek() != "]":
            first = False
            if not self.peek():
                raise ValueError(f"the class at character {start + 1} is not closed")
            char = self.take()
            members = self.escape() if char == "\\" else char
            if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", "") and len(members) == 1:
                self.take()
                last = self.take()
                last = self.escape() if last == "\\" else last
                if len(last) != 1 or ord(last) < ord(members):
                    raise ValueError(f"the range {members}-{last} in the class at character {start + 1} does not rise")
                members = "".join(chr(c) for c in range(ord(members), ord(last) + 1))
            found.update(dict.fromkeys(members))
        self.take()
        members = "".join(c for c in _PRINTABLE if c not in found) if negated else "".join(found)
        if not members:
            raise ValueError(f"the class at character {start + 1} has no members")
        return members

    def repeated(self, node: Node) -> Node:
        start, char = self.at, self.peek()
        if char not in ("?", "*", "+", "{"):
            return node
        self.take()
        if char == "{":
            body, closed, _ = self.rest().partition("}")
            low, comma, high = body.partition(",")
            if not closed or not low.isdigit() or (high and not high.isdigit()):
                raise ValueError(f"the repetition at character {start + 1} must be {{n}} or {{n,m}}")
            self.at += len(body) + 1
            least = int(low)
            most = int(high) if high else (max(least, _UNBOUNDED) if comma else least)
        else:
            least, most = {"?": (0, 1), "*": (0, _UNBOUNDED), "+": (1, _UNBOUNDED)}[char]
        if most < least or most > _LONGEST:
            raise ValueError(f"the repetition at character {start + 1} must rise and be at most {_LONGEST:,}")
        if self.peek() in ("?", "+", "*"):
            raise ValueError(f"'{self.peek()}' at character {self.at + 1} after a repetition is not known")
        return Repeated(node, least, most)
