"""`email`: e-mail addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import TransformerUnfit
from masking.keyed import KeyedHash, pick
from masking.octets import first_within, octets_of, stretches
from masking.scripts import known_locale
from masking.transformers.base import Context, Rows
from masking.transformers.choices import fold, left_empty
from masking.transformers.lengths import longest, text_column
from masking.transformers.parameters import parameter
from masking.transformers.persona import Seeds, genders, names
from masking.transformers.shared_domains import SharedDomains
from masking.transformers.suffixes import suffix_length, suffixes
from schemas.types import TEXTS

EXAMPLES = ("example.com", "example.net", "example.org")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9\-.]*[a-z0-9])?\.[a-z0-9\-]{2,}")
_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1
_FEWEST_LETTERS = 4
_NUMBERS = 90
_TWO_DIGITS = pa.array([str(number) for number in range(10, 10 + _NUMBERS)])
_FEW_DOMAINS = 64
_AT = ord("@")


@dataclass(frozen=True)
class Email:
    """An address made of an invented name, picked by the folded address, or by the subject: `keira.lopez42@example.com`.

    The domain is one of those reserved for examples (RFC 2606), the same for the same domain, unless `keep: domain` leaves it as it
    is or `domains` says what becomes of it (`{acme.com: acme.test}`). A domain that fewer than `persons` have in all columns that
    are masked so, as `@anna-meyer.example`, tells who they are and is not kept. Where a column is too short for the name, or for the domain
    that is to be kept, a shorter address takes its place. What is no address becomes one. No address is its original.

    In a unique column the suffix is long enough to keep different addresses different, and their case counts.
    """

    name: ClassVar[str] = "email"
    fits: ClassVar[tuple[str, ...]] = TEXTS

    keep: Literal["domain"] | None = parameter("`domain` leaves it as it is, where enough persons have it", default=None)
    persons: int = parameter(
        "how many different persons (subjects where there are such, and addresses) must have a domain that is kept", default=5, least=1
    )
    domains: Mapping[str, str] = field(default_factory=dict, hash=False, metadata={"help": "what becomes of which domain"})
    subject: bool = parameter("pick by the person whom the row is about, not by the value", default=False)
    gender: str | None = parameter("the column that tells the gender", default=None)
    locale: str | None = parameter("whose values, such as `de_DE`; the policy's where it is left out", default=None)

    def bind(self, context: Context) -> _Emails:
        """Raises TransformerUnfit for other columns than texts, too short ones, and a missing subject or gender column."""
        where = text_column(context, self.name)
        if self.keep not in (None, "domain"):
            raise TransformerUnfit(f"{where}: `keep` of `email` is `domain` or nothing, not '{self.keep}'")
        if self.gender is not None and not context.table.has(self.gender):
            raise TransformerUnfit(f"{where}: the table has no column '{self.gender}' to tell the gender")
        suffix = suffix_length(context.distinct) if context.unique else 2
        room = longest(context.column.type)
        need = suffix + 1 + max(len(domain) for domain in EXAMPLES)
        if room < need + (0 if context.unique else _FEWEST_LETTERS):
            raise TransformerUnfit(
                f"{where}: a {context.column.type} is too short for an e-mail address of {need} characters"
                + (f", {suffix} of them to keep the values of a unique column apart" if context.unique else "")
            )
        locale = known_locale(where, self.locale or context.locale)
        key = KeyedHash(context.key.derive(f"email/{context.domain}/address"))
        domain_key = KeyedHash(context.key.derive("email/domains"))
        mapped = {name.lower(): other for name, other in self.domains.items()}
        values = (self, Seeds.of(context, "email", self.subject), key, domain_key, mapped, locale, room, suffix, context.unique)
        if self.keep is None or self.persons == 1:
            return _Emails(*values)
        counted = KeyedHash(context.key.derive("email/persons of domains"))
        counts = [
            context.learned.setdefault(f"email domains of {self.persons} {what}", SharedDomains(counted, self.persons))
            for what in ("subjects", "addresses")
        ]
        return _CountedEmails(*values, *counts)


@dataclass(frozen=True)
class _Emails:
    parameters: Email
    seeds: Seeds
    key: KeyedHash
    domain_key: KeyedHash
    mapped: Mapping[str, str]
    locale: str
    room: int
    suffix: int
    exact: bool

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        folded = fold(values)
        source = values if self.exact else folded
        words = self.seeds.words(source, rows)
        told = None if self.parameters.gender is None else rows.columns[self.parameters.gender]
        female = genders(words, told)
        given, family = names("given_name", self.locale), names("family_name", self.locale)
        first, last = given.choose(female, words[1]), family.choose(female, words[2])
        domains, which = self._domains(folded)
        lengths = _lengths(domains)
        room = np.minimum(self.room - 1 - lengths, _LOCAL_PART)[which]
        short = room < self.suffix + (0 if self.exact else _FEWEST_LETTERS)
        if short.any():
            domains, which = pa.concat_arrays([domains, pa.array(EXAMPLES[:1])]), np.where(short, len(domains), which)
            room = np.minimum(self.room - 1 - _lengths(domains), _LOCAL_PART)[which]
        kept_apart = suffixes(self.key, source, self.suffix) if self.exact else None
        numbers = pick(words[3], _NUMBERS)
        long = given.slug_lengths[first] + family.slug_lengths[last] + 1 + self.exact + self.suffix > room
        slugs = given.slugs.take(pa.array(first)), family.slugs.take(pa.array(last))
        if long.any():
            suffix = _TWO_DIGITS.take(pa.array(numbers)) if kept_apart is None else kept_apart
            masked = pc.binary_join_element_wise(self._local(*slugs, suffix, room), domains.take(pa.array(which)), "@")
        elif kept_apart is not None:
            masked = pc.binary_join_element_wise(slugs[0], ".", slugs[1], ".", kept_apart, "@", domains.take(pa.array(which)), "")
        else:
            masked = pc.binary_join_element_wise(slugs[0], ".", slugs[1], _tails(numbers, domains, which), "")
        same = pc.equal(masked, folded).fill_null(False)
        if pc.any(same).as_py():
            masked = pc.replace_with_mask(masked, same, _turned(masked.filter(same)))
        return left_empty(values, folded, masked)

    def _local(self, given: pa.Array, family: pa.Array, suffix: pa.Array, room: np.ndarray) -> pa.Array:
        """`given.family` and the suffix, `family` and the suffix, or as many letters of it as there is room for."""
        names = pc.binary_join_element_wise(given, family, ".")
        separator = "." if self.exact else ""
        for shorter in (family, None):
            long = _lengths(names) + len(separator) + self.suffix > room
            if not long.any():
                break
            if shorter is not None:
                names = pc.if_else(pa.array(long), shorter, names)
                continue
            rest = np.maximum(room - len(separator) - self.suffix, 0)
            cut = pa.array([n[:r] for n, r in zip(names.filter(pa.array(long)).to_pylist(), rest[long].tolist())], pa.string())
            names = pc.replace_with_mask(names, pa.array(long), cut)
        return pc.if_else(pc.equal(names, ""), suffix, pc.binary_join_element_wise(names, suffix, separator))

    def is_kept(self, domain: str) -> bool:
        """Whether a domain is left as it is."""
        return self.parameters.keep is not None and _DOMAIN.fullmatch(domain) is not None

    def _domains(self, folded: pa.Array) -> tuple[pa.Array, np.ndarray]:
        """The domains of the pseudonyms, and which of them each has; each different domain is looked at once."""
        found = domains_of(folded).dictionary_encode()
        known = found.dictionary
        examples = pa.array(EXAMPLES).take(pa.array(pick(self.domain_key.words(known)[0], len(EXAMPLES)))).to_pylist()
        kept = [name if self.is_kept(name) else other for name, other in zip(known.to_pylist(), examples)]
        made = pa.array([self.mapped.get(name, other) for name, other in zip(known.to_pylist(), kept)], pa.string()).dictionary_encode()
        which = made.indices.take(found.indices)
        if which.null_count:  # nulls, which stay
            return pa.concat_arrays([made.dictionary, pa.array([""])]), which.fill_null(len(made.dictionary)).to_numpy()
        return made.dictionary, which.to_numpy()


@dataclass(frozen=True)
class _CountedEmails(_Emails):
    """Addresses of which a domain is kept where enough persons have it: different subjects, and as many different addresses.

    Both count, since a person may have many addresses at a domain of its own, and one address in tables with different keys.
    """

    subjects: SharedDomains
    addresses: SharedDomains

    def is_kept(self, domain: str) -> bool:
        return domain in self.subjects.shared and domain in self.addresses.shared and super().is_kept(domain)

    def learn(self, values: pa.Array, rows: Rows) -> None:
        folded = fold(values)
        domains = domains_of(folded)
        self.addresses.see(domains, folded)
        self.subjects.see(domains, folded if rows.subject is None else pc.if_else(pc.is_valid(rows.subject), rows.subject, folded))

    def finish(self) -> None:
        """Other columns may still be counted: what is kept is told when the first address is masked."""


def domains_of(folded: pa.Array) -> pa.Array:
    """The domain of each folded address; empty for what is none, null for null."""
    offsets, octets = octets_of(folded)
    at = np.flatnonzero(octets == _AT)
    begins = first_within(at, offsets)
    ends = offsets[1:].astype(np.int64)
    starts = ends.copy()
    one = np.flatnonzero(np.diff(begins) == 1)
    starts[one] = at[begins[one]] + 1
    domains = stretches(octets, starts, ends)
    return pc.if_else(pc.is_valid(folded), domains, None) if folded.null_count else domains


def _tails(numbers: np.ndarray, domains: pa.Array, which: np.ndarray) -> pa.Array:
    """The number of two digits, `@` and the domain of each address."""
    if len(domains) > _FEW_DOMAINS:
        return pc.binary_join_element_wise(_TWO_DIGITS.take(pa.array(numbers)), domains.take(pa.array(which)), "@")
    all_ = pa.array([f"{number}@{domain}" for domain in domains.to_pylist() for number in _TWO_DIGITS.to_pylist()], pa.string())
    return all_.take(pa.array(which * _NUMBERS + numbers))


def _turned(addresses: pa.Array) -> pa.Array:
    """Addresses with what stands before the `@` turned round."""
    parts = [address.rpartition("@") for address in addresses.to_pylist()]
    return pa.array([f"{local[::-1]}@{domain}" for local, _, domain in parts], pa.string())


def _lengths(texts: pa.Array) -> np.ndarray:
    lengths: np.ndarray = pc.utf8_length(texts).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return lengths
