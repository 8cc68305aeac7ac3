"""YAML as nodes with places: every value is read as the type that is expected where it stands.

PyYAML's resolved types are not used, so that `no` is text where text is meant, and `12:30` is no number. Problems are
collected, not raised, so that all of a file's problems are told at once.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import yaml

from schemas.errors import Mark, Problem, nearest

Node = yaml.nodes.Node
Parts = dict[str, tuple[Node, Node]]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_NAME = 63
_MANY = 12
_MAX_NODES = 500_000
_MAX_DEPTH = 60
_MAX_SAFE = 2**53
_YAML = "tag:yaml.org,2002:"
_TAGS = {_YAML + name for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge", "value")}
_MERGE = _YAML + "merge"
_INTEGER = re.compile(r"[+-]?[0-9](?:_?[0-9])*$")
_DECIMAL = re.compile(r"[+-]?(?:[0-9](?:_?[0-9])*)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?$")


def mark_of(node: Node) -> Mark:
    """Return where a node begins."""
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)


def kind_of(node: Node) -> str:
    """Return what a node is, in the words of an error message."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return f"'{_short(node.value)}'" if node.value else "nothing"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass
class Reading:
    """A file being read, and what was found wrong in it so far; `kind` says what file it is, `begins` how such a file begins."""

    problems: list[Problem] = field(default_factory=list)
    kind: str = "a schema file"
    begins: str = "schema: <name>"

    def say(self, node: Node | None, message: str) -> None:
        """Note a problem at a node."""
        self.problems.append(Problem(message, None if node is None else mark_of(node)))

    def compose(self, text: str) -> Node | None:
        """Parse one YAML document; None (and a problem) where it is none, or is too large or deep."""
        try:
            if not self._can_be_parsed(text):
                return None
            document = yaml.compose(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            self._say_syntax(text, error)
            return None
        except (yaml.YAMLError, ValueError) as error:
            self.problems.append(Problem(f"this is not YAML: {str(error).splitlines()[0]}"))
            return None
        if isinstance(document, yaml.ScalarNode) and document.value:  # another file altogether: nothing of it is shown
            self.say(document, f"{self.kind} is a mapping that begins with `{self.begins}`, and this file is plain text")
            return None
        return document if document is not None and self._is_finite(document) else None

    def _can_be_parsed(self, text: str) -> bool:
        """Look at characters and nesting before composing, which recurses."""
        wrong = yaml.reader.Reader.NON_PRINTABLE.search(text)
        if wrong:
            before = text[: wrong.start()]
            at = Mark(before.count("\n") + 1, wrong.start() - before.rfind("\n"))
            self.problems.append(Problem(f"this is not YAML: the character U+{ord(wrong[0]):04X} is not allowed", at))
            return False
        depth = documents = 0
        for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
            start = event.start_mark
            place = Mark(start.line + 1, start.column + 1) if start is not None else None
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            documents += isinstance(event, yaml.DocumentStartEvent)
            message = (
                f"the file is nested more than {_MAX_DEPTH} deep" if depth > _MAX_DEPTH
                else f"the file has more than {_MAX_NODES:,} values" if count > _MAX_NODES
                else f"{self.kind} holds one document, and here a second begins" if documents > 1
                else ""
            )  # fmt: skip
            if message:
                self.problems.append(Problem(message, place))
                return False
        if not documents:
            self.problems.append(Problem(f"the file is empty; {self.kind} begins with `{self.begins}`"))
        return documents == 1

    def _say_syntax(self, text: str, error: yaml.MarkedYAMLError) -> None:
        place = error.problem_mark or error.context_mark
        at = Mark(place.line + 1, place.column + 1) if place else None
        lines = text.splitlines()
        line = lines[place.line] if place and place.line < len(lines) else ""
        why = error.problem or error.context or "it cannot be read"
        if "cannot start any token" in why and "\t" in line[: len(line) - len(line.lstrip()) + 1]:
            why = "lines are indented by spaces, not tabs"
        elif why == "second occurrence":
            why = "an anchor of this name stands above already"
        elif "mapping values are not allowed" in why:
            why += "; quote text that contains a colon and a space"
        self.problems.append(Problem(f"this is not YAML: {why}", at))

    def _is_finite(self, root: Node) -> bool:
        """Whether the tree ends, aliases written out, within bounds; its tags, keys and characters are looked at too."""
        count = 0
        above: list[int] = []
        looked_at: set[int] = set()
        stack = [(root, 0)]
        while stack:
            node, depth = stack.pop()
            del above[depth:]
            count += 1
            message = (
                "an alias contains itself" if id(node) in above
                else f"aliases make this nested more than {_MAX_DEPTH} deep" if depth > _MAX_DEPTH
                else f"aliases make more than {_MAX_NODES:,} values of this file" if count > _MAX_NODES
                else ""
            )  # fmt: skip
            if message:
                self.say(node, message)
                return False
            if id(node) not in looked_at:
                looked_at.add(id(node))
                self._look_at(node)
            above.append(id(node))
            if isinstance(node, yaml.MappingNode):
                stack.extend((child, depth + 1) for pair in node.value for child in pair)
            elif isinstance(node, yaml.SequenceNode):
                stack.extend((child, depth + 1) for child in node.value)
        return True

    def _look_at(self, node: Node) -> None:
        if node.tag not in _TAGS:
            self.say(node, f"the tag {_short(node.tag)} is not known here; leave it out")
        if isinstance(node, yaml.ScalarNode) and "\x00" in node.value:
            self.say(node, "text cannot hold the character U+0000")
        if not isinstance(node, yaml.MappingNode):
            return
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.say(key, f"a key must be a word, not {kind_of(key)}")
            elif key.value in lines and key.tag != _MERGE:
                self.say(key, f"'{_short(key.value)}' stands twice here; it is at line {lines[key.value]} already")
            else:
                lines[key.value] = key.start_mark.line + 1

    def mapping(
        self, node: Node, what: str, known: Iterable[str] | None = None, elsewhere: Mapping[str, str] = MappingProxyType({})
    ) -> Parts:
        """Return {key: (key node, value node)}; unknown keys are problems and left out.

        `elsewhere` says how that is written which other tools write under a key that is unknown here.
        """
        if not isinstance(node, yaml.MappingNode):
            self.say(node, f"{what} must be a mapping, not {kind_of(node)}")
            return {}
        words = None if known is None else list(known)
        found: Parts = {}
        merged: list[Node] = []
        for key_node, value_node in self._made_whole(node):
            if key_node.tag == _MERGE:
                merged += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                continue
            key = key_node.value
            if not isinstance(key, str) or key in found:
                continue
            if words is not None and key not in words:
                hint = f"; write {elsewhere[key]}" if key in elsewhere else nearest(key, words) or f"; known are {', '.join(words)}"
                self.say(key_node, f"unknown key '{_short(key)}' in {what}{hint}")
            else:
                found[key] = (key_node, value_node)
        for source in merged:
            for key, pair in self.mapping(source, "what `<<` merges", words, elsewhere).items():
                found.setdefault(key, pair)
        return found

    def _made_whole(self, node: yaml.MappingNode) -> list[tuple[Node, Node]]:
        """The entries of a mapping; text that YAML cut at a comma inside of { }, such as `numeric(12,2)`, is told and made whole."""
        entries: list[tuple[Node, Node]] = []
        cut: set[int] = set()
        for key, value in node.value:
            if node.flow_style and entries and _is_open(entries[-1][1]) and is_nothing(value) and isinstance(key, yaml.ScalarNode):
                before, first = entries[-1]
                entries[-1] = (before, yaml.ScalarNode(first.tag, f"{first.value}, {key.value}", first.start_mark, key.end_mark))
                cut.add(len(entries) - 1)
            else:
                entries.append((key, value))
        for place in sorted(cut):
            whole = entries[place][1]
            self.say(whole, f'YAML cuts this at its comma; inside of {{ }} it stands in quotes: "{_short(whole.value)}"')
        return entries

    def items(self, node: Node, what: str) -> Iterator[Node]:
        """Yield the items of a list."""
        if isinstance(node, yaml.SequenceNode):
            yield from node.value
        else:
            self.say(node, f"{what} must be a list, not {kind_of(node)}")

    def text(self, node: Node, what: str) -> str | None:
        """Return the text of a scalar."""
        if isinstance(node, yaml.ScalarNode) and not is_nothing(node):
            return str(node.value)
        self.say(node, f"{what} must be text, not {kind_of(node)}")
        return None

    def name(self, node: Node, what: str) -> str | None:
        """Return a name that databases can hold: text of 1 to 63 bytes without control characters."""
        name = self.text(node, what)
        if name is None:
            return None
        fault = name_fault(name)
        if fault is None:
            return name
        self.say(node, f"{what} {fault}")
        return None

    def different_names(self, nodes: Iterable[Node], what: str) -> None:
        """Note names that are the same but for case, which databases take for one."""
        folded: dict[str, str] = {}
        for node in nodes:
            other = folded.setdefault(node.value.casefold(), node.value)
            if other != node.value:
                self.say(
                    node, f"{what} '{_short(node.value)}' and '{_short(other)}' differ only in case, and some databases take them for one"
                )

    def integer(self, node: Node, what: str, least: int | None = None, most: int | None = None) -> int | None:
        """Return a whole number within bounds; `1_000_000` may be written with underscores."""
        value = as_number(node)
        if not isinstance(value, int):
            self.say(node, f"{what} must be a whole number, not {kind_of(node)}")
        elif (least is None or value >= least) and (most is None or value <= most):
            return value
        else:
            bound = f"at least {least:,}" if least is not None and value < least else f"at most {most:,}"
            self.say(node, f"{what} must be {bound}, not {kind_of(node)}")
        return None

    def number(self, node: Node, what: str) -> float | int | None:
        """Return a finite number; whole ones as int."""
        value = as_number(node)
        if value is None:
            self.say(node, f"{what} must be a number, not {kind_of(node)}")
        return value

    def share(self, node: Node, what: str) -> float | None:
        """Return a number from 0 to 1."""
        value = self.number(node, what)
        if value is not None and not 0 <= value <= 1:
            self.say(node, f"{what} must lie between 0 and 1, not {value}")
            return None
        return None if value is None else float(value)

    def boolean(self, node: Node, what: str) -> bool | None:
        """Return true or false, written just so."""
        if isinstance(node, yaml.ScalarNode) and node.value in ("true", "false"):
            return bool(node.value == "true")
        self.say(node, f"{what} must be true or false, not {kind_of(node)}")
        return None

    def word(self, node: Node, what: str, known: Iterable[str]) -> str | None:
        """Return one of the `known` words."""
        words = tuple(known)
        text = self.text(node, what)
        if text is None or text in words:
            return text
        hint = nearest(text, words) if len(words) > _MANY else ""
        self.say(node, f"unknown {what} {kind_of(node)}{hint or '; known are ' + ', '.join(words) + nearest(text, words)}")
        return None

    def names(self, node: Node, what: str) -> tuple[str, ...] | None:
        """Return a list of words, or one word as a list of one."""
        if isinstance(node, yaml.ScalarNode):
            word = self.text(node, what)
            return None if word is None else (word,)
        words = [self.text(item, f"an item of {what}") for item in self.items(node, what)]
        if not words and isinstance(node, yaml.SequenceNode):
            self.say(node, f"{what} must not be empty")
        return None if not words or any(w is None for w in words) else tuple(w for w in words if w is not None)


def name_fault(name: str) -> str | None:
    """Return why databases cannot hold a name, None where they can."""
    size = len(name.encode())
    if not name.strip():
        return "must not be empty"
    if size > MAX_NAME:
        return f"has {size} bytes, and databases keep at most {MAX_NAME}: '{_short(name)}'"
    if any(unicodedata.category(c) == "Cc" for c in name):
        return "must not have control characters such as line breaks"
    return None


def _is_open(node: Node) -> bool:
    """Whether a value is text without quotes in which a bracket is open."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value.count("(") > node.value.count(")")


def is_nothing(node: Node) -> bool:
    """Whether a value is left out, as in `comment:` with nothing behind it."""
    return isinstance(node, yaml.ScalarNode) and node.value == "" and not node.style


def is_null(node: Node) -> bool:
    """Whether a value is `null` or `~`, not quoted."""
    return isinstance(node, yaml.ScalarNode) and node.value in ("null", "Null", "NULL", "~") and not node.style


def as_number(node: Node) -> int | float | None:
    """Return the finite number that a scalar writes, or None; `1_000_000` may have underscores, `1.0` is the integer 1."""
    if not isinstance(node, yaml.ScalarNode) or len(node.value) > 400:
        return None
    if _INTEGER.match(node.value):
        return int(node.value)
    if not _DECIMAL.match(node.value) or not any(c.isdigit() for c in node.value.lower().partition("e")[0]):
        return None
    value = float(node.value)
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < _MAX_SAFE else value


def plain(node: Node) -> Any:
    """Return a node as plain JSON data; quoted scalars stay text."""
    if isinstance(node, yaml.MappingNode):
        own = {str(key.value): plain(value) for key, value in node.value if key.tag != _MERGE}
        for source in (value for key, value in node.value if key.tag == _MERGE):
            for each in source.value if isinstance(source, yaml.SequenceNode) else [source]:
                if isinstance(each, yaml.MappingNode):
                    own = {**plain(each), **own}
        return own
    if isinstance(node, yaml.SequenceNode):
        return [plain(v) for v in node.value]
    if not isinstance(node, yaml.ScalarNode) or node.style in ("'", '"', "|", ">"):
        return str(node.value)
    if node.value in ("true", "false"):
        return bool(node.value == "true")
    if node.value in ("null", "~", ""):
        return None
    number = as_number(node)
    return str(node.value) if number is None else number
