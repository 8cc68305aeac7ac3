"""What is found: a span of a text with its entity and score, and how overlapping finds become spans that do not overlap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """A personal value in a text: characters `start` to `end` (exclusive), an entity of `masking.classes`, a score from 0 to 1."""

    start: int
    end: int
    entity: str
    score: float


# parts of an address, which are one where they stand together
_OF_ADDRESS = frozenset(("address", "street", "city", "postcode", "region", "country"))
_SINGLE = frozenset(("email", "url", "username", "ip_address", "mac_address", "password", "secret", "date", "birth_date", "age"))
_JOINED_BY = frozenset(" \t\r\n,.;>-/'’\u00a0?")
_FARTHEST = 6
_LOOKED_AT = 40


def settled(text: str, candidates: Iterable[Found]) -> list[Found]:
    """Return spans in order and without overlap that cover every letter and digit of the candidates.

    Where candidates overlap, the one with the higher score (then the longer, then the earlier) keeps its span and the others
    what is left of theirs. Neighbours of one entity become one span, and parts of an address an address.
    """
    ranked = sorted(candidates, key=lambda f: (-f.score, f.start - f.end, f.start, f.entity))
    if not ranked:
        return []
    if len(ranked) > 1:
        # the highest score is painted last
        owner: dict[int, int] = {}
        for rank in range(len(ranked) - 1, -1, -1):
            found = ranked[rank]
            owner.update(dict.fromkeys(range(found.start, found.end), rank))
        pieces: list[Found] = []
        start, last, rank = -1, -2, -1
        for place in sorted(owner):
            if place != last + 1 or owner[place] != rank:
                if rank >= 0:
                    _add(text, pieces, start, last + 1, ranked[rank])
                start, rank = place, owner[place]
            last = place
        _add(text, pieces, start, last + 1, ranked[rank])
    else:
        pieces = []
        _add(text, pieces, ranked[0].start, ranked[0].end, ranked[0])
    return _joined(text, pieces)


def _add(text: str, pieces: list[Found], start: int, end: int, source: Found) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if any(c.isalnum() for c in text[start:end]):
        pieces.append(Found(start, end, source.entity, source.score))


def _joined(text: str, pieces: list[Found]) -> list[Found]:
    joined: list[Found] = []
    for piece in pieces:
        if joined and (entity := _together(text, joined[-1], piece)):
            joined[-1] = Found(joined[-1].start, piece.end, entity, max(joined[-1].score, piece.score))
        else:
            joined.append(piece)
    return joined


def _together(text: str, before: Found, after: Found) -> str:
    """The entity that two neighbours make together, empty where they are two."""
    between = text[before.end : after.start]
    if len(between) > _FARTHEST or not _JOINED_BY.issuperset(between):
        return ""
    if before.entity == after.entity:
        if before.entity in _SINGLE:
            return ""
        # a name a line is a person a line; two numbers are two numbers
        apart = (
            "\n" in between
            or "," in between
            or ";" in between
            or any(c.isdigit() for c in text[max(before.start, before.end - _LOOKED_AT) : before.end])
        )
        return "" if apart and before.entity != "address" else before.entity
    if before.entity in _OF_ADDRESS and after.entity in _OF_ADDRESS and "address" in (before.entity, after.entity):
        return "address"
    return ""
