"""Pools of values harvested from Faker and Mimesis, once per locale, and indexed by draws ever after.

A pool is a list of distinct texts with weights and, for names, ASCII forms. It is read from the provider's own lists where
it has them and otherwise drawn from the provider with a fixed seed, so that it depends on the library's version alone. Pools
are kept in a cache folder, so that a build needs neither library once they are there; the digest of every pool that a plan
uses goes into the bundle.
"""

from __future__ import annotations

import inspect
import json
import os
import random
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from blake3 import blake3

from datagen.distributions import Discrete
from datagen.randomness import Int64, UInt64, below
from schemas.home import cache_folder

HARVEST_VERSION = 5

_SAMPLE = 2500
_SEED = 20_260_101
_NOT_A_LETTER = re.compile(r"[^a-z]+")


@dataclass(frozen=True)
class Pool:
    """Distinct texts, their weights (None for equal ones) and, for names, their ASCII letters."""

    texts: tuple[str, ...]
    weights: tuple[float, ...] | None = None
    slugs: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def digest(self) -> str:
        """The BLAKE3 digest of everything in the pool, in hexadecimal."""
        content = json.dumps([self.texts, self.weights, self.slugs], ensure_ascii=False, separators=(",", ":"))
        return blake3(content.encode()).hexdigest()

    @cached_property
    def _sampler(self) -> Discrete | None:
        return None if self.weights is None else Discrete.of(0, np.array(self.weights, np.float64))

    def index(self, draws: UInt64) -> Int64:
        """Positions in the pool, by weight."""
        return below(draws, len(self.texts)) if self._sampler is None else self._sampler(draws)


class GroupedPool:
    """Several pools laid end to end, one for each group (such as a locale): one look-up serves all."""

    def __init__(self, pools: Sequence[Pool]) -> None:
        self.pools = pools
        self.offsets = np.cumsum([0, *(len(p) for p in pools)])
        self.texts = pa.array([t for p in pools for t in p.texts], pa.string())
        self.slugs = pa.array([s for p in pools for s in (p.slugs or p.texts)], pa.string())

    def index(self, draws: UInt64, groups: Int64 | None) -> Int64:
        """Positions in the pools laid end to end; `groups` says which pool each row draws from."""
        if len(self.pools) == 1 or groups is None:
            return self.pools[0].index(draws)
        result = np.empty(len(draws), np.int64)
        for i, pool in enumerate(self.pools):
            here = groups == i
            if here.any():
                result[here] = pool.index(draws[here]) + self.offsets[i]
        return result


class Pools:
    """The pools one plan uses, from the cache or freshly harvested; `folder` is the cache (None for the user's own)."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder if folder is not None else cache_folder() / "pools"
        self._pools: dict[tuple[str, str], Pool] = {}
        self._lock = threading.Lock()

    def get(self, kind: str, locale: str) -> Pool:
        """Return the pool of a kind of text (a key of `HARVESTS`, or a provider) in a locale; raises ValueError if empty."""
        harvest = HARVESTS[kind]
        return self._find(f"faker/{kind}", locale, lambda: harvest(_faker(locale)))

    def provider(self, library: str, provider: str, arguments: Mapping[str, Any], size: int, locale: str, today: date) -> Pool:
        """Return a pool of what any provider of Faker or Mimesis makes; raises AttributeError, TypeError or ValueError.

        Providers that read the clock find the beginning of `today` there, so that they make the same on any day.
        """
        name = f"{library}/{provider}/{json.dumps(arguments, sort_keys=True)}/{size}/{today}"
        call = _faker_call if library == "faker" else _mimesis_call

        def harvest() -> Pool:
            import time_machine  # here, for it brings pytest along where that is installed

            with time_machine.travel(datetime.combine(today, time(), UTC), tick=False):
                return _drawn(call(provider, arguments, locale), size)

        return self._find(name, locale, harvest)

    def note(self, kind: str, locale: str, pool: Pool) -> None:
        """Note that a pool of another making is used, so that its digest is told."""
        with self._lock:
            self._pools[kind, locale] = pool

    def digests(self) -> dict[str, str]:
        """The digest of every pool used so far, by kind and locale."""
        with self._lock:
            return {f"{kind} {locale}": pool.digest for (kind, locale), pool in sorted(self._pools.items())}

    def _find(self, kind: str, locale: str, harvest: Callable[[], Pool]) -> Pool:
        with self._lock:
            if (kind, locale) not in self._pools:
                self._pools[kind, locale] = self._load(kind, locale) or self._harvest(kind, locale, harvest)
            return self._pools[kind, locale]

    def _harvest(self, kind: str, locale: str, harvest: Callable[[], Pool]) -> Pool:
        pool = harvest()
        if not pool.texts:
            raise ValueError(f"nothing was found for {kind} in {locale}")
        self._save(kind, locale, pool)
        return pool

    def _path(self, kind: str, locale: str) -> Path:
        from importlib.metadata import version

        library = kind.partition("/")[0]
        name = blake3(f"{kind} {locale}".encode()).hexdigest()[:24]
        made_by = f"{library}-{version(library)}-anyascii-{version('anyascii')}-{HARVEST_VERSION}"
        return self._folder / made_by / f"{name}.json"

    def _load(self, kind: str, locale: str) -> Pool | None:
        try:
            kept = json.loads(self._path(kind, locale).read_text("utf-8"))
            pool = Pool(tuple(kept["texts"]), kept["weights"] and tuple(kept["weights"]), kept["slugs"] and tuple(kept["slugs"]))
            return pool if kept["digest"] == pool.digest and pool.texts else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _save(self, kind: str, locale: str, pool: Pool) -> None:
        """Keep a pool for the next plan; a cache that cannot be written is done without."""
        content = {"kind": kind, "locale": locale, "digest": pool.digest, "texts": pool.texts, "weights": pool.weights, "slugs": pool.slugs}
        path = self._path(kind, locale)
        with suppress(OSError), ExitStack() as stack:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
                stack.callback(Path(file.name).unlink, missing_ok=True)
                json.dump(content, file, ensure_ascii=False)
            os.replace(file.name, path)


def known_locales() -> frozenset[str]:
    """The locales that Faker knows."""
    from faker.config import AVAILABLE_LOCALES

    return frozenset(AVAILABLE_LOCALES)


def _faker(locale: str) -> Any:
    from faker import Faker

    fake = Faker(locale)
    fake.seed_instance(_SEED)
    return fake.factories[0]


def _faker_call(provider: str, arguments: Mapping[str, Any], locale: str) -> Callable[[], Any]:
    method = getattr(_faker(locale), provider)
    return lambda: method(**arguments)


def _mimesis_call(provider: str, arguments: Mapping[str, Any], locale: str) -> Callable[[], Any]:
    from mimesis import Generic
    from mimesis.locales import Locale

    language = locale.lower().replace("_", "-")
    known = {member.value: member for member in Locale}
    generic = Generic(known.get(language) or known.get(language.partition("-")[0]) or Locale.EN, seed=_SEED)
    topic, _, name = provider.partition(".")
    if topic == "datetime":
        _end_this_year(generic.datetime)
    method = getattr(getattr(generic, topic), name)
    return lambda: method(**arguments)


def _end_this_year(provider: Any) -> None:
    """Let the methods of a provider of times end in the year of the clock, where they would in that of the import of Mimesis."""
    for name, parameters in THIS_YEAR.items():
        setattr(provider, name, _by_default(getattr(provider, name), dict.fromkeys(parameters, datetime.now(UTC).year)))


def _by_default(method: Callable[..., Any], values: Mapping[str, Any]) -> Callable[..., Any]:
    """A method whose parameters have other defaults."""
    signature = inspect.signature(method)

    def call(*given: Any, **named: Any) -> Any:
        bound = signature.bind_partial(*given, **named)
        bound.arguments = {**values, **bound.arguments}
        return method(**bound.arguments)

    return call


def _drawn(call: Callable[[], Any], size: int) -> Pool:
    """Draw from a provider until `size` different texts are found; those of a provider that has fewer keep their frequencies."""
    state = random.getstate()
    random.seed(_SEED)
    found: Counter[str] = Counter()
    try:
        for _ in range(size * 4):
            value = call()
            if not isinstance(value, (str, int, float, bool)) and not hasattr(value, "isoformat") and type(value).__name__ != "Decimal":
                raise TypeError(f"it gives {type(value).__name__}, not a single value")
            found[value.isoformat() if hasattr(value, "isoformat") else str(value)] += 1
            if len(found) >= size:
                break
    finally:
        random.setstate(state)
    return Pool(tuple(found), tuple(map(float, found.values())) if 1 < len(found) < size else None)


def _sampled(method: str, instead: str | None = None) -> Callable[[Any], Pool]:
    """Draw from a provider's method, or from `instead` in the locales that lack it."""

    def harvest(fake: Any) -> Pool:
        call = getattr(fake, method, None) or getattr(fake, instead or method)
        cities = getattr(call.__self__, "cities", None)
        if isinstance(cities, list) and type(call.__self__).__module__.endswith("it_IT"):
            # This one locale makes its list from a set, whose order changes with every process.
            call.__self__.cities = sorted(cities)
        return _drawn(lambda: " ".join(str(call()).split()), _SAMPLE)

    return harvest


def _listed(method: str, *attributes: str) -> Callable[[Any], Pool]:
    """Harvest the first of a provider's own lists that exists, with its weights; without one, draw from its method."""

    def harvest(fake: Any) -> Pool:
        from faker.providers.person import Provider

        provider = getattr(fake, method).__self__
        for attribute in attributes:
            found = getattr(provider, attribute, None)
            if found and found is not getattr(Provider, attribute, None):  # whose stand-ins are John, Jane and Doe
                weights = dict(found) if isinstance(found, dict) else dict.fromkeys(found, 1.0)
                texts = tuple(t for t in weights if isinstance(t, str) and t.strip())
                equal = len({weights[t] for t in texts}) == 1
                return _with_slugs(texts, None if equal else tuple(float(weights[t]) for t in texts), {})
        pool = _drawn(lambda: str(getattr(fake, method)()), _SAMPLE)
        return _with_slugs(pool.texts, pool.weights, {})

    return harvest


def _titles(method: str, attribute: str, gender: int) -> Callable[[Any], Pool]:
    """As `_listed`; a provider without forms of address, or with particles of family names in their place, has those of its language."""
    listed = _listed(method, attribute)

    def harvest(fake: Any) -> Pool:
        pool = listed(fake)
        language = type(getattr(fake, method).__self__).__module__.rpartition(".")[2][:2]
        if language in _TITLES and set(pool.texts) <= _NO_TITLES:
            return _with_slugs(_TITLES[language][gender], None, {})
        return pool

    return harvest


def _paired(method: str, pairs: str, *attributes: str) -> Callable[[Any], Pool]:
    """As `_listed`, but where the provider has (name, reading, romanised) the romanised form is the slug."""
    plain = _listed(method, *attributes)

    def harvest(fake: Any) -> Pool:
        found = getattr(getattr(fake, method).__self__, pairs, None)
        if not found:
            return plain(fake)
        romanised = {name: roman for name, _, roman in found}
        return _with_slugs(tuple(romanised), None, romanised)

    return harvest


def _with_slugs(texts: tuple[str, ...], weights: tuple[float, ...] | None, romanised: Mapping[str, str]) -> Pool:
    from anyascii import anyascii

    slugs = [_NOT_A_LETTER.sub("", anyascii(romanised.get(t, t)).lower()) or "x" for t in texts]
    return Pool(texts, weights, tuple(slugs))


_NO_TITLES = frozenset(("", "de", "de la", "del", "du", "Le", "da", "do"))
_TITLES = {  # of women and of men
    "en": (("Ms", "Mrs", "Dr"), ("Mr", "Dr")),
    "es": (("Sra.", "Srta.", "Dra."), ("Sr.", "Dr.")),
    "fr": (("Mme", "Mlle", "Dr"), ("M.", "Dr")),
    "nl": (("mevr.", "dr."), ("dhr.", "dr.")),
    "pt": (("Sra.", "Dra."), ("Sr.", "Dr.")),
    "sv": (("Fru", "Dr"), ("Herr", "Dr")),
}

THIS_YEAR = {"year": ("maximum",), "week_date": ("end",), "date": ("end",), "datetime": ("start", "end")}
"""The parameters of Mimesis' provider of times whose default is the year in which a process imports it."""

HARVESTS: dict[str, Callable[[Any], Pool]] = {
    "first_name_female": _paired("first_name_female", "first_name_female_pairs", "first_names_female", "first_names"),
    "first_name_male": _paired("first_name_male", "first_name_male_pairs", "first_names_male", "first_names"),
    "last_name": _paired("last_name", "last_name_pairs", "last_names"),
    "prefix_female": _titles("prefix_female", "prefixes_female", 0),
    "prefix_male": _titles("prefix_male", "prefixes_male", 1),
    "company": _sampled("company"),
    "company_suffix": _sampled("company_suffix"),
    "catch_phrase": _sampled("catch_phrase"),
    "job": _sampled("job"),
    "street_address": _sampled("street_address"),
    "city": _sampled("city"),
    "postcode": _sampled("postcode"),
    "state": _sampled("administrative_unit", "city"),
}
