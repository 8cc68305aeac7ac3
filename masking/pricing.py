"""What it costs to find the values behind masked ones by trying: how many there are, and how fast each can be tried.

A keyed hash hides a value only from who has no key: with it, all telephone numbers of a country are tried in seconds. So the price
is told with the key known and without, and a long-lived key over a small domain is warned of.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2, log10

from masking.national_ids import PLANS
from masking.pools import pool
from schemas.types import INTEGER_RANGE, SqlType

TRIES_GPU = 1.1e10
"""HMAC-SHA-256 of short values a second on one graphics card: hashcat's benchmark of the RTX 4090 does 2.2 * 10^10 SHA-256 a second
(published by Chick3nman in 2022), and an HMAC under a known key takes two. The order of magnitude holds for AES-CMAC too, by which
pseudonyms are picked."""

KEY_BITS = 256
WEAK_SECONDS = 365.25 * 86_400
LONG_LIVED = ("env", "file")
# their maskers can be run backwards by who has the key; the others have to be searched
PERMUTING = ("code", "postcode", "phone", "iban", "card", "national_id", "ip", "url")

_YEARS = 365.25 * 86_400
_UUID = 2.0**122
_SECRETS = 2.0**128
_UNITS = ((_YEARS, "years"), (86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))

# how many values of an entity are worth trying where nothing better is known, and what that rests on
_DOMAINS: dict[str, tuple[float, str]] = {
    "email": (1.5e10, "addresses in public collections of leaked ones"),
    "username": (1e10, "user names in public collections of leaked ones"),
    "birth_date": (110 * 365.25, "days of 110 years"),
    "age": (110, "years of a life"),
    "gender": (4, "answers"),
    "ip_address": (2.0**32, "IPv4 addresses"),
    "mac_address": (3e4 * 2.0**24, "addresses under the vendors' prefixes"),
    "iban": (1e4 * 1e10, "banks of a country and accounts of ten digits"),
    "bank_account": (1e10, "accounts of ten digits"),
    "credit_card": (1e4 * 1e9, "issuers' prefixes and accounts of nine digits"),
    "device_id": (1e5 * 1e6, "device types and serial numbers (IMEI)"),
    "passport": (1e9, "numbers of nine digits"),
    "driving_licence": (1e9, "numbers of nine digits"),
    "tax_id": (1e9, "numbers of nine digits"),
    "vehicle": (1e8, "number plates of a country"),
    "address": (2e8, "addresses of a large country"),
    "coordinates": (5e10, "squares of a hundred metres on land"),
    "url": (1e10, "addresses of pages worth trying"),
    "password": (1e10, "passwords in public collections of leaked ones"),
    "secret": (_SECRETS, "secrets of 128 bits"),
    "salary": (1e6, "amounts"),
}
_POOLS = {
    "given_name": ("given_name", "given names"), "family_name": ("family_name", "family names"), "city": ("city", "cities"),
    "street": ("street", "streets"), "region": ("region", "regions"), "country": ("country", "countries"),
    "company": ("organisation", "companies"), "job_title": ("job_title", "jobs"), "nationality": ("nationality", "nationalities"),
}  # fmt: skip
_POSTCODES = {"US": 41_700, "DE": 8_200, "GB": 1_800_000, "FR": 6_300, "NL": 460_000, "CA": 880_000}
_MOBILES = 1e9


@dataclass(frozen=True)
class SearchPrice:
    """The price of searching one masked column.

    `values` are worth trying, for the reason `basis`; `reversible` says that who has the key need not try. `seconds_with_key` is
    the expected time until a value is found with the key known (half of the values, on one graphics card), `years_without_key`
    that to find a key of 256 bits. `warning` is None where there is nothing to warn of.
    """

    column: str
    transformer: str
    values: float
    basis: str
    reversible: bool
    seconds_with_key: float
    years_without_key: float
    warning: str | None

    @property
    def with_key(self) -> str:
        """How long a search takes with the key known, for people."""
        return "all read backwards at once" if self.reversible else f"one found in {_duration(self.seconds_with_key)}"

    @property
    def without_key(self) -> str:
        """How long a search takes without the key, for people."""
        return f"10^{log10(self.years_without_key):.0f} years"

    def lines(self) -> tuple[str, ...]:
        """The price as sentences."""
        values = f"{self.column}: `{self.transformer}` of about 2^{log2(max(self.values, 1)):.0f} values ({self.basis})"
        rate = "" if self.reversible else f", at {TRIES_GPU:.1e} tries a second on one graphics card"
        line = f"{values}; with the key known, {self.with_key}{rate}; without it, in {self.without_key}"
        return (line,) if self.warning is None else (line, f"warning: {self.warning}")


def price_search(
    column: str, transformer: str, kind: SqlType, origin: str, entity: str | None = None, locale: str = "en_US"
) -> SearchPrice:
    """Return what a search for the values of a masked column costs.

    `column` is its name for messages, `origin` that of the masking key (`env`, `file`, `ephemeral`).
    """
    values, basis = domain_size(kind, entity, locale)
    reversible = transformer in PERMUTING or (transformer == "hash" and kind.kind in INTEGER_RANGE)
    seconds = 1 / TRIES_GPU if reversible else values / 2 / TRIES_GPU
    warning = None
    if origin in LONG_LIVED and seconds < WEAK_SECONDS:
        undone = "at once" if reversible else f"in {_duration(2 * seconds)}"
        warning = (
            f"{column}: the key from {origin} outlives the run, and whoever gets hold of it undoes `{transformer}` for every value "
            f"{undone}; take `key: ephemeral`, or guard the key as you guard the source"
        )
    return SearchPrice(column, transformer, values, basis, reversible, seconds, 2.0 ** (KEY_BITS - 1) / TRIES_GPU / _YEARS, warning)


def domain_size(kind: SqlType, entity: str | None = None, locale: str = "en_US") -> tuple[float, str]:
    """Return how many values of a column are worth trying, and what that rests on: its entity, else its type."""
    country = locale.partition("_")[2]
    if entity == "phone":
        return phone_numbers(country)
    if entity == "national_id" and country in PLANS:
        return float(sum(plan.size for plan in PLANS[country])), f"national numbers of {country}"
    if entity == "national_id":
        return 1e9, "numbers of nine digits"
    if entity == "person_name":
        names = float(len(pool("given_name", locale)) * len(pool("family_name", locale)))
        return names, f"given and family names of {locale}"
    if entity in _POOLS:
        listed, plural = _POOLS[entity]
        return float(len(pool(listed, locale))), f"known {plural} of {locale}"
    if entity == "postcode":
        return float(_POSTCODES.get(country, 1e5)), f"postcodes of {country or 'a country'}"
    if entity in _DOMAINS:
        return _DOMAINS[entity]
    return _by_type(kind)


def phone_numbers(country: str) -> tuple[float, str]:
    """Return how many mobile numbers a country's plan has, of the length that they have there."""
    from masking.transformers.number_plan import mobile_numbers

    size = mobile_numbers(country)
    return (size, f"mobile numbers of {country}") if size else (_MOBILES, "mobile numbers of a country")


def _by_type(kind: SqlType) -> tuple[float, str]:
    if kind.kind in INTEGER_RANGE:
        return float(INTEGER_RANGE[kind.kind]), f"values of a {kind}"
    if kind.kind == "uuid":
        return _UUID, "random uuids"
    if kind.kind in ("date", "timestamp", "timestamptz"):
        return 110 * 365.25, "days of 110 years"
    if kind.kind == "boolean":
        return 2.0, "answers"
    return 2.0**32, "texts worth trying, of which nothing is known"


def _duration(seconds: float) -> str:
    for length, name in _UNITS:
        if seconds >= length:
            count = seconds / length
            return f"{count:.1f} {name}" if count < 1e6 else f"10^{log10(count):.0f} {name}"
    return "less than a second"
