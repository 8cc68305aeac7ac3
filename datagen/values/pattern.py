"""Text that matches a regular expression: the subset whose words can be counted.

A pattern is a tree whose every node knows how many words it has and how to write the word with a given number, so that a
unique column counts through all words without repeating one. `*` means 0 to 8 times and `+` 1 to 8 times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pyarrow as pa

from datagen.compiling import Context, generator
from datagen.randomness import Int64, below
from datagen.rows import Kernel, Rows
from datagen.values.texts import join, pick
from schemas.model import Recipe
from schemas.recipes import argument

_UNBOUNDED = 8
_MOST_WORDS = 2**62
_PRINTABLE = "".join(chr(c) for c in range(32, 127))
_DIGITS = "0123456789"
_WORD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": " "}


class Node(Protocol):
    """A part of a pattern with `size` words."""

    @property
    def size(self) -> int: ...

    def write(self, number: Int64) -> pa.Array:
        """Return the word with each number, 0 to size - 1."""
        ...


@dataclass(frozen=True)
class OneOf:
    """One of some characters (or short texts)."""

    words: tuple[str, ...]

    @property
    def size(self) -> int:
        return len(self.words)

    def write(self, number: Int64) -> pa.Array:
        return pick(pa.array(self.words, pa.string()), number)


@dataclass(frozen=True)
class Sequence:
    """One node after the other."""

    parts: tuple[Node, ...]

    @property
    def size(self) -> int:
        total = 1
        for part in self.parts:
            total *= part.size
        return total

    def write(self, number: Int64) -> pa.Array:
        written, rest = [], number
        for part in reversed(self.parts):
            rest, digit = np.divmod(rest, min(part.size, _MOST_WORDS))
            written.append(part.write(digit))
        return join(*reversed(written)) if written else pa.repeat(pa.scalar("", pa.string()), len(number))


@dataclass(frozen=True)
class Either:
    """One of several nodes."""

    options: tuple[Node, ...]

    @property
    def size(self) -> int:
        return sum(o.size for o in self.options)

    def write(self, number: Int64) -> pa.Array:
        bounds = np.cumsum([0, *(min(o.size, _MOST_WORDS) for o in self.options)])
        which = np.clip(np.searchsorted(bounds, number, side="right") - 1, 0, len(self.options) - 1)
        order = np.argsort(which, kind="stable")
        pieces = [o.write(number[order][which[order] == i] - bounds[i]) for i, o in enumerate(self.options)]
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return pa.chunked_array(pieces, pa.string()).combine_chunks().take(pa.array(back))


def parse_pattern(text: str) -> Node:
    """Parse a regular expression; raises ValueError naming what is not known and where."""
    parser = _Parser(text.removeprefix("^"))
    node = parser.either()
    if parser.rest():
        raise ValueError(f"'{parser.rest()[0]}' at character {parser.at + 1} closes nothing")
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text[:-1] if text.endswith("$") and not text.endswith("\\$") else text
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
            return OneOf(tuple(self.character_class(start)))
        if char == ".":
            return OneOf(tuple(_PRINTABLE))
        if char == "\\":
            return OneOf(tuple(self.escape()))
        if char in "*+?{^$":
            raise ValueError(f"'{char}' at character {start + 1} is not known here; write \\{char} to mean itself")
        return OneOf((char,))

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
        if most < least or most > 4096:
            raise ValueError(f"the repetition at character {start + 1} must rise and be at most 4,096")
        if self.peek() in ("?", "+", "*"):
            raise ValueError(f"'{self.peek()}' at character {self.at + 1} after a repetition is not known")
        options: list[Node] = [Sequence((node,) * count) for count in range(least, most + 1)]
        return options[0] if len(options) == 1 else Either(tuple(options))


@generator("pattern")
def pattern(recipe: Recipe, ctx: Context) -> Kernel:
    """A word of the pattern, all equally likely as far as 64 bits reach."""
    text = str(argument(recipe, "regex"))
    try:
        node = parse_pattern(text)
    except ValueError as error:
        ctx.fail(f"pattern {text!r}: {error}", recipe.at)
    longest = _longest(node)
    if ctx.type.length is not None and longest > ctx.type.length:
        ctx.fail(f"words of {text!r} have up to {longest} characters and {ctx.type} has {ctx.type.length}", recipe.at)
    if (ctx.unique or ctx.factor is not None) and not _is_plain(node):
        ctx.fail(
            f"{text!r} may spell the same word in two ways, so its words may repeat in a unique column; "
            "let parts of varying length end at a character that is not in them, and alternatives begin differently",
            recipe.at,
        )
    if ctx.unique or ctx.factor is not None or node.size <= _MOST_WORDS:
        index = ctx.index(min(node.size, _MOST_WORDS), f"words of {text!r}")
        return lambda rows: node.write(index(rows))
    return _drawn_apart(node, ctx)


def _drawn_apart(node: Node, ctx: Context) -> Kernel:
    """For patterns of more than 2**62 words: a draw for each part."""
    parts = node.parts if isinstance(node, Sequence) else (node,)
    kernels: list[Callable[[Rows], pa.Array]] = []
    for i, part in enumerate(parts):
        if part.size > _MOST_WORDS and isinstance(part, Sequence):
            kernels.append(_drawn_apart(part, _inner(ctx, i)))
        else:
            kernels.append(_drawn_part(part, ctx, i))
    return lambda rows: join(*(k(rows) for k in kernels))


def _inner(ctx: Context, i: int) -> Context:
    return replace(ctx, part=(*ctx.part, f"part {i}"))


def _drawn_part(part: Node, ctx: Context, i: int) -> Kernel:
    own, size = ctx.stream(f"part {i}"), min(part.size, _MOST_WORDS)
    return lambda rows: part.write(below(rows.draws(own), size))


def _longest(node: Node) -> int:
    if isinstance(node, OneOf):
        return max(map(len, node.words))
    if isinstance(node, Either):
        return max(map(_longest, node.options))
    assert isinstance(node, Sequence)
    return sum(map(_longest, node.parts))


def _is_plain(node: Node) -> bool:
    """Whether each word is spelled in one way only; False also where that is hard to tell."""
    if isinstance(node, OneOf):
        return len(set(node.words)) == len(node.words)
    if isinstance(node, Either):
        return all(map(_is_plain, node.options)) and _are_apart(node.options)
    assert isinstance(node, Sequence)
    # from the left, a part of fixed length ends by itself, and one of varying length at a character that is not in it
    for i, part in enumerate(node.parts):
        if not _is_plain(part) or not (_is_fixed(part) or _ends_before(part, Sequence(node.parts[i + 1 :]))):
            return False
    return True


def _ends_before(part: Node, rest: Sequence) -> bool:
    return all(map(_is_fixed, rest.parts)) or not _letters(part) & _first_letters(rest)


def _are_apart(options: tuple[Node, ...]) -> bool:
    """Whether no two options share a word, by their lengths or by their first letters."""
    lengths = [_longest(o) for o in options]
    if all(map(_is_fixed, options)) and len(set(lengths)) == len(lengths):
        return True
    first = [_first_letters(o) for o in options]
    return all(_shortest(o) for o in options) and sum(map(len, first)) == len(frozenset().union(*first))


def _is_fixed(node: Node) -> bool:
    return _shortest(node) == _longest(node)


def _shortest(node: Node) -> int:
    if isinstance(node, OneOf):
        return min(map(len, node.words))
    if isinstance(node, Either):
        return min(map(_shortest, node.options))
    assert isinstance(node, Sequence)
    return sum(map(_shortest, node.parts))


def _letters(node: Node) -> frozenset[str]:
    if isinstance(node, OneOf):
        return frozenset("".join(node.words))
    if isinstance(node, Either):
        return frozenset().union(*map(_letters, node.options))
    assert isinstance(node, Sequence)
    return frozenset().union(*map(_letters, node.parts))


def _first_letters(node: Node) -> frozenset[str]:
    """The characters with which a word can begin, or what follows it where it can be empty."""
    if isinstance(node, OneOf):
        return frozenset(word[0] for word in node.words)
    if isinstance(node, Either):
        return frozenset().union(*map(_first_letters, node.options))
    assert isinstance(node, Sequence)
    found: frozenset[str] = frozenset()
    for part in node.parts:
        found |= _first_letters(part)
        if _shortest(part):
            break
    return found
