"""Paths into JSON documents: their grammar, and the automaton that finds the rule for each place of a document.

    $                       the document itself
    $.a.b   $["odd key"]    the member of an object (quotes as in JSON or single; `\\` before a quote or a backslash)
    $.a.*                   any member of an object
    $.a[*]                  any item of an array
    $..email                a member of that name at any depth, here or below
    $.a~                    the names of the members of the object at $.a

A path speaks for all that lies below its place. Where several do, the one that ends deepest counts, then one without `..`, then the
one with fewer `*`, then the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum


class Step(Enum):
    """What a path may say beside a name."""

    ITEMS = "[*]"
    ANY = ".*"
    DESCEND = ".."
    NAMES = "~"


Token = str | Step
_TOKEN = re.compile(
    r"""(?P<items>\[\*\]) | (?P<any>\.\*) | \[(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\]
    | (?P<descend>\.\.)(?P<below>[^.\[\]~*"'\s]+) | \.(?P<name>[^.\[\]~*"'\s]+) | (?P<names>~)\Z""",
    re.VERBOSE,
)


class NotAPath(ValueError):
    """Text that is no path; the message says where and why."""


def parse_path(text: str) -> tuple[Token, ...]:
    """Return the steps of a path; raises NotAPath."""
    if not text.startswith("$"):
        raise NotAPath(f"the path '{text}' must begin with `$`, the document, as in $.contact.email")
    tokens: list[Token] = []
    place = 1
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise NotAPath(
                f"the path '{text}' is not understood from character {place + 1} on; write $.a.b, $[\"odd key\"], $.a[*], $.a.* or $..a"
            )
        if found["items"]:
            tokens.append(Step.ITEMS)
        elif found["any"]:
            tokens.append(Step.ANY)
        elif found["names"]:
            tokens.append(Step.NAMES)
        elif found["descend"]:
            tokens += [Step.DESCEND, found["below"]]
        else:
            tokens.append(found["name"] if found["quoted"] is None else _unquoted(found["quoted"], text))
        place = found.end()
    return tuple(tokens)


def _unquoted(quoted: str, path: str) -> str:
    if quoted.startswith("'"):
        return re.sub(r"\\(.)", r"\1", quoted[1:-1])
    try:
        return str(json.loads(quoted))
    except ValueError:
        raise NotAPath(f"the path '{path}' has a quoted name that is not a JSON string") from None


@dataclass
class Place:
    """A state of the automaton: all places of documents for which the same rules count.

    `rule` is the number of the path that speaks for the place, and `names` of the one for the names of its members; None for none.
    """

    rule: int | None
    names: int | None
    _positions: frozenset[tuple[int, int]]
    _automaton: Automaton = field(repr=False)
    _members: dict[str | None, Place] = field(default_factory=dict, repr=False)
    _items: Place | None = field(default=None, repr=False)

    def member(self, name: str) -> Place:
        """The place of the member called `name`."""
        known = name if name in self._automaton.vocabulary else None
        found = self._members.get(known)
        if found is None:
            found = self._members[known] = self._automaton.advance(self._positions, self.rule, known)
        return found

    def items(self) -> Place:
        """The place of all items of the array here."""
        if self._items is None:
            self._items = self._automaton.advance(self._positions, self.rule, Step.ITEMS)
        return self._items


class Automaton:
    """All paths of a column at once: a finite automaton over the names in a document, made as far as documents need it."""

    def __init__(self, paths: Sequence[tuple[Token, ...]]) -> None:
        self._paths = paths
        self.vocabulary = frozenset(token for path in paths for token in path if isinstance(token, str))
        self._places: dict[tuple[frozenset[tuple[int, int]], int | None], Place] = {}
        self.root = self._place(frozenset((i, 0) for i in range(len(paths))), None)

    def advance(self, positions: Iterable[tuple[int, int]], rule: int | None, step: Token | None) -> Place:
        """The place one step further; `step` is a name of the vocabulary, None for any other name, or ITEMS."""
        following = set()
        for i, at in positions:
            path = self._paths[i]
            if at < len(path) and path[at] is Step.DESCEND:
                following.add((i, at))
                at += 1
            wanted = path[at] if at < len(path) else Step.NAMES
            if wanted == step or (wanted is Step.ANY and step is not Step.ITEMS):
                following.add((i, at + 1))
        return self._place(frozenset(following), rule)

    def _place(self, positions: frozenset[tuple[int, int]], above: int | None) -> Place:
        ended = [i for i, at in positions if at == len(self._paths[i])]
        rule = min(ended, key=self._rank) if ended else above
        if (positions, rule) not in self._places:
            naming = [i for i, at in positions if self._paths[i][at:] == (Step.NAMES,)]
            names = min(naming, key=self._rank) if naming else None
            self._places[positions, rule] = Place(rule, names, positions, self)
        return self._places[positions, rule]

    def _rank(self, i: int) -> tuple[bool, int, int]:
        path = self._paths[i]
        return Step.DESCEND in path, sum(token in (Step.ANY, Step.ITEMS) for token in path), i
