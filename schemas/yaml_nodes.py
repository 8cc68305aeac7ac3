"""YAML as nodes with places: every value is read as the type that is expected where it stands.

PyYAML's resolved types are not used, so that `no` is text where text is meant, and `12:30` is no number. Problems are
collected, not raised, so that all of a file's problems are told at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import yaml

from schemas.errors import Mark, Problem, nearest

Node = yaml.nodes.Node

_MAX_NODES = 500_000
_MAX_DEPTH = 60


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
    """A file being read, and what was found wrong in it so far."""

    problems: list[Problem] = field(default_factory=list)

    def say(self, node: Node | None, message: str) -> None:
        """Note a problem at a node."""
        self.problems.append(Problem(message, None if node is None else mark_of(node)))

    def compose(self, text: str) -> Node | None:
        """Parse one YAML document; None (and a problem) where it is none, or is too large or deep."""
        try:
            documents = list(yaml.compose_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        except yaml.MarkedYAMLError as error:
            place = error.problem_mark or error.context_mark
            at = Mark(place.line + 1, place.column + 1) if place else None
            self.problems.append(Problem(f"this is not YAML: {error.problem or error.context}", at))
            return None
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            self.problems.append(Problem(f"this is not YAML: {str(error).splitlines()[0]}"))
            return None
        if len(documents) != 1 or documents[0] is None:
            self.problems.append(Problem("the file is empty" if not documents else "a schema file holds one document"))
            return None
        if not self._is_reasonable(documents[0]):
            self.problems.append(Problem("the file is nested too deeply, is too large, or an alias contains itself"))
            return None
        return documents[0]

    @staticmethod
    def _is_reasonable(root: Node) -> bool:
        count = 0
        stack = [(root, 0)]
        while stack:
            node, depth = stack.pop()
            count += 1
            if count > _MAX_NODES or depth > _MAX_DEPTH:
                return False
            if isinstance(node, yaml.MappingNode):
                stack.extend((child, depth + 1) for pair in node.value for child in pair)
            elif isinstance(node, yaml.SequenceNode):
                stack.extend((child, depth + 1) for child in node.value)
        return True

    def mapping(self, node: Node, what: str, known: Iterable[str] | None = None) -> dict[str, tuple[Node, Node]]:
        """Return {key: (key node, value node)}; unknown and repeated keys are problems and left out."""
        if not isinstance(node, yaml.MappingNode):
            self.say(node, f"{what} must be a mapping, not {kind_of(node)}")
            return {}
        words = None if known is None else list(known)
        found: dict[str, tuple[Node, Node]] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.say(key_node, f"a key of {what} must be a word, not {kind_of(key_node)}")
                continue
            key = key_node.value
            if words is not None and key not in words:
                hint = nearest(key, words) or f"; known are {', '.join(words)}"
                self.say(key_node, f"unknown key '{_short(key)}' in {what}{hint}")
            elif key in found:
                self.say(key_node, f"'{_short(key)}' stands twice in {what}")
            else:
                found[key] = (key_node, value_node)
        return found

    def items(self, node: Node, what: str) -> Iterator[Node]:
        """Yield the items of a list."""
        if isinstance(node, yaml.SequenceNode):
            yield from node.value
        else:
            self.say(node, f"{what} must be a list, not {kind_of(node)}")

    def text(self, node: Node, what: str) -> str | None:
        """Return the text of a scalar."""
        if isinstance(node, yaml.ScalarNode) and "\x00" not in node.value:
            return str(node.value)
        self.say(node, f"{what} must be text, not {kind_of(node)}")
        return None

    def integer(self, node: Node, what: str, least: int | None = None, most: int | None = None) -> int | None:
        """Return a whole number within bounds; `1_000_000` may be written with underscores."""
        if isinstance(node, yaml.ScalarNode):
            try:
                value = int(node.value)
            except ValueError:
                pass
            else:
                if (least is None or value >= least) and (most is None or value <= most):
                    return value
                bound = f"at least {least}" if least is not None and value < least else f"at most {most}"
                self.say(node, f"{what} must be {bound}, not {value}")
                return None
        self.say(node, f"{what} must be a whole number, not {kind_of(node)}")
        return None

    def number(self, node: Node, what: str) -> float | int | None:
        """Return a finite number, as int where it is written without a point."""
        if isinstance(node, yaml.ScalarNode):
            try:
                return int(node.value)
            except ValueError:
                pass
            try:
                value = float(node.value)
            except ValueError:
                pass
            else:
                if math.isfinite(value) and node.value.strip().lower() not in ("nan", "inf", "-inf"):
                    return value
        self.say(node, f"{what} must be a number, not {kind_of(node)}")
        return None

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

    def names(self, node: Node, what: str) -> tuple[str, ...] | None:
        """Return a list of words, or one word as a list of one."""
        if isinstance(node, yaml.ScalarNode):
            word = self.text(node, what)
            return None if word is None else (word,)
        words = [self.text(item, f"an item of {what}") for item in self.items(node, what)]
        if not words and isinstance(node, yaml.SequenceNode):
            self.say(node, f"{what} must name at least one column")
        return None if not words or any(w is None for w in words) else tuple(w for w in words if w is not None)


def plain(node: Node) -> object:
    """Return a node as plain JSON data; quoted scalars stay text."""
    if isinstance(node, yaml.MappingNode):
        return {str(k.value): plain(v) for k, v in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain(v) for v in node.value]
    if node.style in ("'", '"', "|", ">"):
        return str(node.value)
    word = node.value
    if word in ("true", "false"):
        return bool(word == "true")
    if word in ("null", "~", ""):
        return None
    for convert in (int, float):
        try:
            value = convert(word)
        except ValueError:
            continue
        if math.isfinite(value):
            return value
    return str(word)
