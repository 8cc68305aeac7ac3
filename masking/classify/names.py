"""What the name of a column says of it, by the words of many languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from masking.classify.words import SHORT_PARTS, Segmenter, split

_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# prefixes of tables and columns that say nothing
_PREFIXES = ("tbl", "tb", "dim", "fact", "stg", "col", "fld", "vw", "t", "f", "c", "tab")
_DIGESTS = frozenset(("hash", "hashed", "digest", "sha", "sha256", "sha512", "md5", "gravatar"))
_TRIED = ("email", "phone", "username", "national_id", "tax_id", "iban", "credit_card", "passport", "ip_address", "person_id")


@dataclass(frozen=True)
class NameReading:
    """What a name says: `entities` with how surely (0 to 1), the surest first, and the roles of its words.

    `person` says that a word of it means persons, `thing` that one means things, `company` companies; `identifier` that it ends
    like a number or key, `flag` that it begins like a yes or no, `modified` that it ends with a word that makes it tell something
    about the thing and not the thing, `harmless` the words that are harmless in themselves, `shortened` that one stands for a name in a
    few letters.
    """

    words: tuple[str, ...]
    entities: tuple[tuple[str, float], ...]
    person: bool
    company: bool
    thing: bool
    identifier: bool
    flag: bool
    modified: bool
    harmless: tuple[str, ...]
    by: bool
    shortened: bool

    def strength(self, entity: str) -> float:
        """How surely the name says that the column holds `entity`."""
        return dict(self.entities).get(entity, 0.0)

    @property
    def digest_of_person(self) -> bool:
        """Whether it is the digest of what tells of a person, which is found by trying: `email_sha256`."""
        told = self.person or "gravatar" in self.words or any(self.strength(entity) for entity in _TRIED)
        return told and not _DIGESTS.isdisjoint(self.words)

    @property
    def telling(self) -> bool:
        """Whether the name holds a word that is known."""
        return bool(self.entities or self.person or self.company or self.thing or self.harmless)


class Lexicon:
    """The words and phrases, ready for look-up."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.phrases: dict[tuple[str, ...], list[tuple[str, float]]] = {}
        for entity, kinds in document["entities"].items():
            for kind, strength in (("strong", 0.9), ("weak", 0.4)):
                for phrase in kinds.get(kind, ()):
                    words = split(phrase)
                    for form in {words, ("".join(words),)}:
                        self.phrases.setdefault(form, []).append((entity, strength))
        roles = ("persons", "perhaps", "companies", "things", "modifiers", "flags", "identifiers", "harmless", "shortened")
        self.roles = {role: frozenset("".join(split(w)) for w in document[role]) for role in roles}
        self.longest = max(len(p) for p in self.phrases)
        known = {w for phrase in self.phrases for w in phrase} | {w for words in self.roles.values() for w in words}
        self.segmenter = Segmenter(w for w in known if len(w) >= 3 or w in SHORT_PARTS)

    def read(self, name: str) -> NameReading:
        """Read the name of a column."""
        words = self.words(name)
        found: dict[str, float] = {}
        covered: set[int] = set()
        for length in range(min(self.longest, len(words)), 0, -1):
            for start in range(len(words) - length + 1):
                places = set(range(start, start + length))
                entities = self.phrases.get(words[start : start + length])
                if entities is None or places & covered:
                    continue
                covered |= places
                rest = [words[i] for i in range(start + length, len(words))]
                for entity, strength in entities:
                    found[entity] = max(found.get(entity, 0.0), strength * self._weight(rest, entity))
        ranked = tuple(sorted(((e, s) for e, s in found.items() if s > 0), key=lambda p: (-p[1], p[0])))
        last, own = words[-1] if words else "", set(words)
        return NameReading(
            words,
            ranked,
            person=bool(own & self.roles["persons"]),
            company=bool(own & self.roles["companies"]),
            thing=bool(own & self.roles["things"]),
            identifier=last in self.roles["identifiers"],
            flag=len(words) > 1 and words[0] in self.roles["flags"],
            modified=len(words) > 1 and last in self.roles["modifiers"],
            harmless=tuple(w for i, w in enumerate(words) if w in self.roles["harmless"] and i not in covered),
            by=last in ("by", "von", "par", "por", "da", "door", "przez") and len(words) > 1,
            shortened=bool(own & self.roles["shortened"]),
        )

    def words(self, name: str) -> tuple[str, ...]:
        """The words of a name, compounds taken apart, digits and empty prefixes left out."""
        parts = split(name)
        while len(parts) > 1 and parts[0] in _PREFIXES:
            parts = parts[1:]
        return tuple(self._join_digits([word for part in parts for word in self.segmenter.segment(part)]))

    def _join_digits(self, parts: Sequence[str]) -> list[str]:
        """`line` `1` and `addr` `1` are words of their own; other digits say nothing."""
        words: list[str] = []
        for part in parts:
            if part.isdigit():
                if words and ((words[-1], part) in self.phrases or (words[-1] + part,) in self.phrases):
                    words[-1] += part
                continue
            words.append(part)
        return words

    def _weight(self, rest: Sequence[str], entity: str) -> float:
        """How much of an entity is left, when `rest` follows in the name: nothing of `email` in `email_verified`."""
        if not rest:
            return 1.0
        if rest[-1] in self.roles["modifiers"]:
            return 0.0
        if rest[-1] in ("id", "ids", "uuid", "guid", "fk", "key", "pk") and entity not in (
            "national_id",
            "person_id",
            "device_id",
            "tax_id",
        ):
            return 0.0
        return 0.8 if rest[-1] in self.roles["identifiers"] or rest[-1] in ("name", "hash", "value", "text") else 0.7


@cache
def lexicon() -> Lexicon:
    """The lexicon that comes with the code."""
    return Lexicon(yaml.load(files("masking.classify").joinpath("lexicon.yaml").read_text("utf-8"), Loader=_LOADER))


# how surely a key must tell what stands below it
_SURE = 0.6


def read_path(path: str) -> NameReading:
    """Read the key of a path in documents; one that tells nothing itself is read with the key above it: `$.birth.date`, `$.user.id`."""
    keys = [step.rstrip("[*]") for step in path.split(".")[1:]]
    name = lexicon().read(keys[-1] if keys else "")
    if name.entities or len(keys) < 2:
        return name
    whole = lexicon().read(f"{keys[-2]} {keys[-1]}")
    sure = tuple((entity, strength) for entity, strength in whole.entities if strength >= _SURE)
    if whole.person and whole.identifier:
        return replace(whole, entities=sure)
    return replace(name, entities=sure, harmless=whole.harmless) if sure else name
