"""What the text of a CREATE statement of SQLite says that its pragmas do not: formulas, checks, names, collations, conflicts, modules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

_COMMENT = r"--[^\n]*|/\*.*?(?:\*/|\Z)"
_QUOTED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\]"
_COMMENTS = re.compile(rf"({_QUOTED})|{_COMMENT}", re.DOTALL)
_TOKEN = re.compile(rf"{_QUOTED}|[\w$]+|\S", re.DOTALL)
_OF_TABLES = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")
_CONSTRAINTS = {"PRIMARY": "primary key", "UNIQUE": "unique", "NULL": "not null", "CHECK": "check"}


@dataclass
class WrittenReference:
    """A REFERENCES clause: its name, and the words behind it on when it is checked."""

    name: str | None
    options: dict[str, object] = field(default_factory=dict)


@dataclass
class Definition:
    """What the text of a CREATE TABLE says; columns are spelled as they are there.

    `conflicts` are told with their columns, those of constraints of the table with None.
    """

    formulas: dict[str, str] = field(default_factory=dict)
    checks: list[tuple[str | None, str]] = field(default_factory=list)
    uniques: list[tuple[str | None, tuple[str, ...]]] = field(default_factory=list)
    references: list[WrittenReference] = field(default_factory=list)
    collations: dict[str, str] = field(default_factory=dict)
    conflicts: list[tuple[str | None, str]] = field(default_factory=list)
    counts_on: bool = False
    key_name: str | None = None


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.upper()


def definition_of(sql: str) -> Definition:
    """Read a CREATE TABLE; what cannot be read is left out."""
    text, tokens = _tokens(sql)
    found = Definition(counts_on=any(token.word == "AUTOINCREMENT" for token in tokens))
    for part in _parts(tokens):
        _read(part, text, found)
    return found


def module_of(sql: str) -> str:
    """Return the module that a CREATE VIRTUAL TABLE names."""
    return next(unquoted(module.text) for before, module in pairwise(_tokens(sql)[1]) if before.word == "USING")


def _tokens(sql: str) -> tuple[str, list[_Token]]:
    """A statement without its comments, and what it is made of."""
    text = _COMMENTS.sub(lambda found: found[1] or " ", sql)
    return text, [_Token(m[0], m.start(), m.end()) for m in _TOKEN.finditer(text)]


def unquoted(name: str) -> str:
    """Return an identifier of SQLite without its quotes."""
    if len(name) < 2 or name[0] not in "\"'`[":
        return name
    return name[1:-1] if name[0] == "[" else name[1:-1].replace(name[0] * 2, name[0])


def _parts(tokens: list[_Token]) -> Iterator[list[_Token]]:
    """The definitions of columns and constraints: what stands between the commas of the first brackets."""
    depth, part = 0, list[_Token]()
    for token in tokens:
        if token.text == ")":
            depth -= 1
            if depth == 0:
                break
        if depth == 1 and token.text == ",":
            yield part
            part = []
        elif depth > 0:
            part.append(token)
        if token.text == "(":
            depth += 1
    yield part


def _read(part: list[_Token], text: str, found: Definition) -> None:
    if not part:
        return
    column = None if part[0].word in _OF_TABLES else unquoted(part[0].text)
    name: str | None = None
    last, place = "", 0 if column is None else 1
    while place < len(part):
        token, rest = part[place], part[place + 1 :]
        group = _group(rest)
        if token.word == "CONSTRAINT" and rest:
            name, place = unquoted(rest[0].text), place + 1
        elif token.word == "CHECK" and group:
            found.checks.append((name, _inside(group, text)))
            name, last = None, "CHECK"
        elif token.word == "AS" and group and column is not None:
            found.formulas[column] = _inside(group, text)
        elif token.word == "REFERENCES":
            found.references.append(WrittenReference(name, _options(rest)))
            name = None
        elif token.word == "COLLATE" and rest and column is not None:
            found.collations[column] = unquoted(rest[0].text)
        elif token.word == "CONFLICT" and rest:
            found.conflicts.append((column, f"{_CONSTRAINTS.get(last, 'it')} on conflict {rest[0].text.lower()}"))
        elif token.word in _CONSTRAINTS:
            if token.word == "PRIMARY":
                found.key_name = name
            if token.word == "UNIQUE":
                found.uniques.append((name, _named(group) if column is None else (column,)))
            last, name = token.word, None
        place += 1 + (len(group) if token.text != "(" else len(_group(part[place:])) - 1)


def _group(tokens: list[_Token]) -> list[_Token]:
    """The brackets that `tokens` begin with, and all in them; nothing where they begin otherwise."""
    depth = 0
    for place, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0:
            return tokens[: place + 1] if place else []
    return []


def _named(group: list[_Token]) -> tuple[str, ...]:
    """The columns that a constraint lists, whatever it says of each."""
    return tuple(unquoted(part[0].text) for part in _parts(group) if part)


def _inside(group: list[_Token], text: str) -> str:
    return text[group[0].end : group[-1].start].strip()


def _options(rest: list[_Token]) -> dict[str, object]:
    """Whether a reference waits for the end of the transaction."""
    words = [token.word for token in rest]
    options: dict[str, object] = {}
    if "DEFERRABLE" in words and words[words.index("DEFERRABLE") - 1 :][:1] != ["NOT"]:
        options["deferrable"] = True
    if "INITIALLY" in words:
        options["initially"] = " ".join(words[words.index("INITIALLY") + 1 :][:1])
    return options
