"""The dictionary of names, places and ordinary words, and how words are folded before they are looked up in it."""

from __future__ import annotations

import gzip
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

WORDS = "words.txt.gz"
GIVEN, FAMILY, PLACE, LAND, STREET, ORDINARY, EVERYDAY = "gfplsoe"

IS_GIVEN, IS_FAMILY, IS_PLACE, IS_LAND, IS_STREET, IS_ORDINARY, IS_EVERYDAY, STARTS_PHRASE = (1 << n for n in range(8))
IS_NAME = IS_GIVEN | IS_FAMILY
_BITS = {
    GIVEN: IS_GIVEN,
    FAMILY: IS_FAMILY,
    PLACE: IS_PLACE,
    LAND: IS_LAND,
    STREET: IS_STREET,
    ORDINARY: IS_ORDINARY,
    EVERYDAY: IS_EVERYDAY,
}
# letters with no decomposition, as they are written where the keyboard lacks them
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "’": "'", "þ": "th"})


def fold(word: str) -> str:
    """Return a word in lower case and without accents, as the dictionary has it."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_PLAIN)


@dataclass(frozen=True)
class Dictionary:
    """What folded words may be (bits), and folded phrases with how many words the longest has."""

    words: dict[str, int]
    phrases: dict[str, int]

    def bits(self, word: str) -> int:
        """What a word may be, 0 where it is unknown."""
        return self.words.get(fold(word), 0)


@lru_cache(maxsize=1)
def load() -> Dictionary:
    """Return the dictionary, read once."""
    words: dict[str, int] = {}
    phrases: dict[str, int] = {}
    of_kinds: dict[str, int] = {}
    for line in gzip.decompress((files("masking.text") / WORDS).read_bytes()).decode().splitlines():
        word, _, kinds = line.partition("\t")
        bits = of_kinds.get(kinds)
        if bits is None:
            bits = of_kinds[kinds] = sum(_BITS[k] for k in kinds)
        if " " in word or "-" in word:
            phrases[word] = bits
            first = word.replace("-", " ").partition(" ")[0]
            words[first] = words.get(first, 0) | STARTS_PHRASE
        else:
            words[word] = words.get(word, 0) | bits
    return Dictionary(words, phrases)
