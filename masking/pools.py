"""Pools of values by kind and locale, taken from the lists of Faker and Mimesis: names, places, streets, organisations, jobs.

Pseudonyms are picked from them, and the finders of personal data know names and places by them. A pool is sorted, so that it
depends on the versions of the two libraries alone; its digest tells a certificate which one was used.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module, resources
from importlib.util import find_spec
from typing import Any

from schemas.errors import InputError, nearest

_SEED = 20_260_101
_DRAWN = 1500
_FEW = 60
_LEAST = 3
_SPACE = re.compile(r"\s+")
_NOT_A_LETTER = re.compile(r"[^a-z]+")
_FALLBACK = "en_US"


@dataclass(frozen=True)
class Pool:
    """Different texts of one kind in one locale, sorted by code point; never empty."""

    kind: str
    locale: str
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def digest(self) -> str:
        """The BLAKE3 digest of the texts in their order, in hexadecimal."""
        from blake3 import blake3

        return blake3(json.dumps(self.texts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()

    @cached_property
    def slugs(self) -> tuple[str, ...]:
        """Each text in the letters a-z alone (`Jürgen` is `jurgen`), as user names and e-mail addresses need it; `x` where none is left."""
        from anyascii import anyascii

        return tuple(_NOT_A_LETTER.sub("", anyascii(text).lower()) or "x" for text in self.texts)

    @cached_property
    def folded(self) -> frozenset[str]:
        """The texts in folded case."""
        return frozenset(text.casefold() for text in self.texts)


@cache
def pool(kind: str, locale: str) -> Pool:
    """Return the pool of a kind (a key of `KINDS`) in a locale such as `de_DE` or `de`.

    Where the locale has no list of its own (or one of less than three texts), that of its language is taken, and failing that
    the English one. Raises InputError where kind or locale are unknown.
    """
    if kind not in KINDS:
        raise InputError(f"there is no pool of values called '{kind}'{nearest(kind, KINDS)}")
    if locale not in locales():
        raise InputError(f"there are no values for the locale '{locale}'{nearest(locale, locales())}")
    texts = sorted({text for text in map(_tidy, KINDS[kind](locale)) if text})
    return Pool(kind, locale, tuple(texts)) if len(texts) >= _LEAST or locale == _FALLBACK else pool(kind, _FALLBACK)


def pools_of(locales: Iterable[str]) -> list[Pool]:
    """Return the pools of all kinds in some locales, each once, though several locales may have it."""
    found = {(of.locale, kind): of for name in sorted(set(locales)) for kind in sorted(KINDS) for of in [pool(kind, name)]}
    return [found[key] for key in sorted(found)]


@cache
def locales() -> tuple[str, ...]:
    """The locales of which there are names, and their languages, sorted."""
    folder = resources.files("faker.providers.person")
    names = [entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("_")]
    return tuple(sorted({*names, *(name.partition("_")[0] for name in names)}))


def language(locale: str) -> str:
    """Return the language of a locale: `de` of `de_AT`."""
    return locale.partition("_")[0]


def _tidy(text: Any) -> str:
    """A list's entry as composed Unicode with single spaces; empty where it is no text or no name of anything."""
    if not isinstance(text, str):
        return ""
    text = _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()
    return text if any(c.isalpha() for c in text) and len(text) <= 80 else ""


def _provider(topic: str, locale: str) -> type[Any] | None:
    """Faker's provider class of a topic for a locale or, failing that, the first of its language by name."""
    package = f"faker.providers.{topic}"
    found = [locale] if find_spec(f"{package}.{locale}") else [name for name in _modules(package) if language(name) == language(locale)]
    return import_module(f"{package}.{found[0]}").Provider if found else None


@cache
def _modules(package: str) -> tuple[str, ...]:
    return tuple(sorted(entry.name for entry in resources.files(package).iterdir() if entry.is_dir() and not entry.name.startswith("_")))


def _faker(topic: str, locale: str, *attributes: str) -> Iterator[Any]:
    """The entries of the lists of those names that a locale's provider has of its own; the shared base classes know English only."""
    provider = _provider(topic, locale)
    for cls in provider.__mro__ if provider else ():
        if cls.__module__ == f"faker.providers.{topic}" or not cls.__module__.startswith("faker.providers."):
            continue
        for attribute in attributes:
            yield from cls.__dict__.get(attribute, ())


def _mimesis(locale: str, topic: str, *path: str) -> Iterator[Any]:
    """The entries of one of Mimesis's data sets, all branches below `path` together."""
    data = _data_set(locale, topic)
    for step in path:
        data = data.get(step, {}) if isinstance(data, dict) else {}
    yield from _leaves(data)


def _leaves(data: Any) -> Iterator[Any]:
    if isinstance(data, dict):
        for branch in data.values():
            yield from _leaves(branch)
    elif isinstance(data, list):
        yield from data


@cache
def _data_set(locale: str, topic: str) -> Any:
    folder = resources.files("mimesis.datasets")
    known = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("_"))
    wanted = [name for name in (locale.lower().replace("_", "-"), language(locale)) if name in known]
    wanted += [name for name in known if name.partition("-")[0] == language(locale)]
    if not wanted:
        return {}
    data: dict[str, Any] = {}
    for name in dict.fromkeys((wanted[0].partition("-")[0], wanted[0])):  # de-at holds only what differs from de
        file = folder / name / f"{topic}.json"
        if file.is_file():
            data |= json.loads(file.read_text("utf-8"))
    return data


def _drawn(method: str, locale: str) -> Iterator[str]:
    """What a Faker provider makes by its formats where it has no list, drawn with a fixed seed."""
    from faker import Faker
    from faker.config import AVAILABLE_LOCALES

    known = [locale] if locale in AVAILABLE_LOCALES else sorted(name for name in AVAILABLE_LOCALES if language(name) == language(locale))
    if not known:
        return
    fake = Faker(known[0])
    fake.seed_instance(_SEED)
    call = getattr(fake.factories[0], method, None)
    if call is None or type(call.__self__).__module__.rpartition(".")[2].partition("_")[0] != language(locale):
        return  # Faker answers in English for what it does not know
    kept = random.getstate()
    random.seed(_SEED)
    try:
        for _ in range(_DRAWN):
            yield str(call())
    finally:
        random.setstate(kept)


def _or_drawn(texts: Iterable[Any], method: str, locale: str) -> list[Any]:
    found = list(texts)
    return found if len(set(map(str, found))) >= _FEW else [*found, *_drawn(method, locale)]


def _given(gender: str) -> Callable[[str], Iterable[Any]]:
    other = "male" if gender == "female" else "female"

    def names(locale: str) -> Iterable[Any]:
        own = set(_faker("person", locale, f"first_names_{gender}"))
        opposite = set(_faker("person", locale, f"first_names_{other}")) | set(_mimesis(locale, "person", "names", other))
        # Mimesis lists some names under either gender alike (Adam among the female ones): such tell nothing
        return own | (set(_mimesis(locale, "person", "names", gender)) - opposite)

    return names


def _family(gender: str) -> Callable[[str], Iterable[Any]]:
    def names(locale: str) -> Iterable[Any]:
        inflected = [*_faker("person", locale, f"last_names_{gender}"), *_mimesis(locale, "person", "surnames", gender)]
        return inflected or _family_any(locale)

    return names


def _family_any(locale: str) -> Iterable[Any]:
    yield from _faker("person", locale, "last_names", "last_names_female", "last_names_male")
    yield from _mimesis(locale, "person", "surnames")


def _streets(locale: str) -> Iterable[Any]:
    formats = list(_mimesis(locale, "address", "address_fmt"))
    pattern = formats[0] if formats else _data_set(locale, "address").get("address_fmt", "")
    names, suffixes = (sorted(set(_mimesis(locale, "address", "street", part))) for part in ("name", "suffix"))
    if "{st_sfx}" in pattern and suffixes:
        first = pattern.find("{st_sfx}") < pattern.find("{st_name}")
        kinds = [suffixes[i % len(suffixes)] for i in range(len(names))]
        names = [f"{kind} {name}" if first else f"{name} {kind}" for name, kind in zip(names, kinds)]
    return _or_drawn(names, "street_name", locale)


def _companies(locale: str) -> Iterable[Any]:
    return _drawn("company", locale)


def _organisations(locale: str) -> Iterable[Any]:
    yield from _faker("company", locale, "large_companies")
    yield from _mimesis(locale, "finance", "company", "name")
    yield from _mimesis(locale, "finance", "banks")
    yield from _mimesis(locale, "person", "university")


KINDS: Mapping[str, Callable[[str], Iterable[Any]]] = {
    "given_name": lambda locale: [
        *_faker("person", locale, "first_names", "first_names_female", "first_names_male"),
        *_mimesis(locale, "person", "names"),
    ],
    "given_name_female": _given("female"),
    "given_name_male": _given("male"),
    "middle_name_female": lambda locale: list(_faker("person", locale, "middle_names_female")) or _given("female")(locale),
    "middle_name_male": lambda locale: list(_faker("person", locale, "middle_names_male")) or _given("male")(locale),
    "family_name": _family_any,
    "family_name_female": _family("female"),
    "family_name_male": _family("male"),
    "title": lambda locale: [
        *_faker("person", locale, "prefixes", "prefixes_female", "prefixes_male"),
        *_mimesis(locale, "person", "title"),
    ],
    "city": lambda locale: _or_drawn(
        [*_faker("address", locale, "cities", "city_names", "metropolitan_cities"), *_mimesis(locale, "address", "city")], "city", locale
    ),
    "street": _streets,
    "region": lambda locale: [
        *_faker("address", locale, "states", "provinces", "prefectures", "regions", "estados"),
        *_mimesis(locale, "address", "state", "name"),
    ],
    "country": lambda locale: [*_faker("address", locale, "countries"), *_mimesis(locale, "address", "country", "name")],
    "company": _companies,
    "company_suffix": lambda locale: [
        *_faker("company", locale, "company_suffixes"),
        *_mimesis(locale, "finance", "company", "type", "abbr"),
    ],
    "organisation": _organisations,
    "job_title": lambda locale: [*_faker("job", locale, "jobs", "jobs_female"), *_mimesis(locale, "person", "occupation")],
    "nationality": lambda locale: _mimesis(locale, "person", "nationality"),
}
"""What there are pools of. `company` are invented names, made from parts; `organisation` are such as there are in the world: fit to
recognise a name by, not to give one. Names by gender leave out those that either may have."""
