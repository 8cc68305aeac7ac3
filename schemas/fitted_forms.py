"""Regular expressions made narrower, so that all their texts fit in a column, or fill it.

PostgreSQL pads what `char(n)` holds with blanks before a check sees it: only texts that fill it match as they were made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_MOST = 60  # characters of texts that are made to fit or to fill
_UNBOUNDED = 8  # times that generators repeat what may be repeated without an end
_POSIX = {
    "alpha": "A-Za-z", "digit": "0-9", "alnum": "A-Za-z0-9", "upper": "A-Z", "lower": "a-z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_POSIX_CLASS = re.compile(rf"\[:({'|'.join(_POSIX)}):\]")
_LETTER = re.compile(r"\\(?:[dwsDWS]|[^A-Za-z0-9])|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\\[\]^$.*+?{}()|]|\.")
_REPETITION = re.compile(r"([?*+])|\{(\d+)(,?)(\d*)\}")


@dataclass(frozen=True)
class _Part:
    """A letter, or options of parts one after the other, `least` to `most` times; no `most` is as often as one likes."""

    of: str | _Options
    least: int
    most: int | None


_Sequence = tuple[_Part, ...]
_Options = tuple[_Sequence, ...]


def fitted(pattern: str, room: int, *, filling: bool) -> str | None:
    """Return a regular expression whose texts match `pattern`, from `^` to `$`, and have at most `room` characters.

    Where they are to be `filling`, and can, they have as many, if those are no more than 60. A pattern that is so already stays
    as it is. None where it has no such texts, or something that generators do not know.
    """
    pattern = _POSIX_CLASS.sub(lambda found: _POSIX[found[1]], pattern)
    try:
        options = _Reader(pattern.removeprefix("^").removesuffix("$")).whole()
    except ValueError:
        return None
    longest = _longest(options)
    known = _of_options(options, min(room, _MOST)) if longest > room or (filling and room <= _MOST) else {}
    if longest <= room and (room not in known or len(known) == 1):
        return pattern
    return f"^{_written(options, max(known))}$" if known else None


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def whole(self) -> _Options:
        options = self._options()
        if self._at < len(self._text):
            raise ValueError
        return options

    def _options(self) -> _Options:
        options = [self._sequence()]
        while self._taken("|"):
            options.append(self._sequence())
        return tuple(options)

    def _sequence(self) -> _Sequence:
        parts = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            of = self._letter_or_group()
            parts.append(_Part(of, *self._times()))
        return tuple(parts)

    def _letter_or_group(self) -> str | _Options:
        if not self._taken("("):
            found = _LETTER.match(self._text, self._at)
            if found is None or "[:" in found[0]:
                raise ValueError
            self._at = found.end()
            return found[0]
        if self._text.startswith("?", self._at) and not self._taken("?:"):
            raise ValueError
        options = self._options()
        if not self._taken(")"):
            raise ValueError
        return options

    def _times(self) -> tuple[int, int | None]:
        found = _REPETITION.match(self._text, self._at)
        if found is None:
            return 1, 1
        self._at = found.end()
        if self._text[self._at : self._at + 1] in ("?", "*", "+", "{"):
            raise ValueError
        sign, least, comma, most = found.groups()
        if sign is not None:
            return (1 if sign == "+" else 0), (1 if sign == "?" else None)
        return int(least), (int(most) if most else None) if comma else int(least)

    def _taken(self, text: str) -> bool:
        found = self._text.startswith(text, self._at)
        self._at += len(text) * found
        return found


# Of parts it is known about how many texts there are of each length up to the room.

_Known = Mapping[int, int]


def _of_options(options: _Options, room: int) -> _Known:
    return _merged(_of_sequence(sequence, room) for sequence in options)


def _of_sequence(sequence: _Sequence, room: int) -> _Known:
    known: _Known = {0: 1}
    for part in sequence:
        known = _joined(known, _merged(_powers(part, room)[part.least :]), room)
    return known


def _powers(part: _Part, room: int) -> list[_Known]:
    """What is known of a part no time, once, twice and so on."""
    once = {1: _letters(part.of)} if isinstance(part.of, str) else _of_options(part.of, room)
    most = max(part.least, room) if part.most is None else part.most
    known: list[_Known] = [{0: 1}]
    while len(known) <= most and known[-1] and len(known) <= max(part.least, room):
        known.append(_joined(known[-1], once, room))
    return known


def _letters(letter: str) -> int:
    if letter.startswith("["):
        return 30
    return {"\\d": 10, "\\s": 1}.get(letter, 60 if letter == "." or letter[1:].isalpha() else 1)


def _joined(one: _Known, other: _Known, room: int) -> _Known:
    return _merged({mine + theirs: count * more} for mine, count in one.items() for theirs, more in other.items() if mine + theirs <= room)


def _merged(several: Iterable[_Known]) -> _Known:
    found: dict[int, int] = {}
    for known in several:
        for length, count in known.items():
            found[length] = found.get(length, 0) + count
    return found


def _longest(options: _Options) -> int:
    def of_part(part: _Part) -> int:
        most = max(part.least, _UNBOUNDED) if part.most is None else part.most
        return most * (1 if isinstance(part.of, str) else _longest(part.of))

    return max(sum(map(of_part, sequence)) for sequence in options)


# Writing: each part is as long as leaves most texts.


def _written(options: _Options, length: int) -> str:
    able = [sequence for sequence in options if length in _of_sequence(sequence, length)]
    texts = list(dict.fromkeys(_written_sequence(sequence, length) for sequence in able))
    return texts[0] if len(texts) == 1 else f"(?:{'|'.join(texts)})"


def _written_sequence(sequence: _Sequence, length: int) -> str:
    text = ""
    for place, part in enumerate(sequence):
        mine = _split(_of_sequence((part,), length), _of_sequence(sequence[place + 1 :], length), length)
        text, length = text + _written_part(part, mine), length - mine
    return text


def _written_part(part: _Part, length: int) -> str:
    if isinstance(part.of, str):
        return "" if length == 0 else part.of if length == 1 else f"{part.of}{{{length}}}"
    powers, text = _powers(part, length), ""
    count = next(count for count in range(part.least, len(powers)) if length in powers[count])
    for left in reversed(range(count if length else 0)):
        mine = _split(powers[1], powers[left], length)
        text, length = text + _written(part.of, mine), length - mine
    return text


def _split(mine: _Known, others: _Known, length: int) -> int:
    """The length of a part with which those behind it fill `length` in most ways."""
    able = [taken for taken in mine if length - taken in others]
    return max(able, key=lambda taken: (mine[taken] * others[length - taken], taken))
