"""`ip`: internet addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from typing import ClassVar

import numpy as np
import pyarrow as pa

from masking.errors import TransformerUnfit
from masking.formats import FormatPermutation
from masking.keyed import KeyedHash
from masking.permutation import Permutation
from masking.transformers.base import Context, Rows
from masking.transformers.lengths import longest, text_column
from masking.transformers.parameters import parameter
from masking.walking import walk
from schemas.types import TEXTS

# networks that mean something by themselves (RFC 6890): an address of one stays in it
_SPECIAL = tuple(
    IPv4Network(text) for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3",
    )
)  # fmt: skip
_PREFIXES = tuple((32 - network.prefixlen, int(network[0]) >> (32 - network.prefixlen)) for network in _SPECIAL)
_DOCUMENTATION = int(IPv6Address("2001:db8::")) >> 96
_LEAST_KEPT = 24
_LONGEST_TEXT = 39


@dataclass(frozen=True)
class Ip:
    """Another address, one to one: `keep` bits of an IPv4 address stay, and `keep6` of an IPv6 one.

    Private, local and multicast IPv4 addresses stay in their network, and public ones public. IPv6 addresses of which nothing is
    kept, and those that hold an IPv4 address (2002::/16), become some of 2001:db8::/32, which is for documentation (RFC 3849).
    What follows a `/` stays; other texts are permuted within their format. An address is written in the shortest way.
    """

    name: ClassVar[str] = "ip"
    fits: ClassVar[tuple[str, ...]] = TEXTS

    keep: int = parameter("how many bits of an IPv4 address stay", default=0, least=0, most=31)
    keep6: int = parameter("how many bits of an IPv6 address stay: 0, or 24 at least", default=0, least=0, most=127)

    def bind(self, context: Context) -> _Addresses:
        """Raises TransformerUnfit for other columns than texts, and for more bits than there are or less than can be permuted."""
        where = text_column(context, self.name)
        if not 0 <= self.keep <= 31:
            raise TransformerUnfit(f"{where}: `keep` of `ip` is 0 to 31 bits, not {self.keep}")
        if self.keep6 and not _LEAST_KEPT <= self.keep6 <= 127:
            raise TransformerUnfit(f"{where}: `keep6` of `ip` is 0 or {_LEAST_KEPT} to 127 bits, not {self.keep6}")
        if longest(context.column.type) < len("255.255.255.255"):
            raise TransformerUnfit(f"{where}: a {context.column.type} is too short for an address")
        key = KeyedHash(context.key.derive(f"ip/{context.domain}"))
        return _Addresses(key, FormatPermutation(key), self.keep, self.keep6)


@dataclass(frozen=True)
class _Addresses:
    key: KeyedHash
    others: FormatPermutation
    keep: int
    keep6: int
    permutations: dict[str, Permutation] = field(default_factory=dict)

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        distinct = values.dictionary_encode()
        texts = distinct.dictionary.to_pylist()
        parsed = [_parsed(text) for text in texts]
        masked: list[str | None] = [None] * len(texts)
        for version, mask in ((4, self._fourth), (6, self._sixth)):
            here = [i for i, (address, _) in enumerate(parsed) if address is not None and address.version == version]
            numbers = mask([int(parsed[i][0] or 0) for i in here]) if here else []
            for i, number in zip(here, numbers):
                masked[i] = f"{IPv4Address(number) if version == 4 else IPv6Address(number)}{parsed[i][1]}"
        rest = [i for i, (address, _) in enumerate(parsed) if address is None]
        none = walk(distinct.dictionary.take(pa.array(rest, pa.int64())), self.others.apply, _are_addresses).to_pylist()
        for i, text in zip(rest, none):
            masked[i] = text
        return pa.array(masked, pa.string()).take(distinct.indices)

    def _fourth(self, numbers: list[int]) -> list[int]:
        kinds = [_special(number) for number in numbers]
        result = list(numbers)
        for kind in sorted(set(kinds)):
            kept = max(self.keep, _SPECIAL[kind].prefixlen if kind >= 0 else 0)
            permutation = self._permutation(f"4|{kind}|{kept}", 2 ** (32 - kept))
            pending = [i for i, own in enumerate(kinds) if own == kind]
            while pending:
                lows = np.array([result[i] % 2 ** (32 - kept) for i in pending], np.uint64)
                for i, low in zip(pending, permutation.numbers(lows).tolist()):
                    result[i] = result[i] >> (32 - kept) << (32 - kept) | low
                pending = [i for i in pending if _special(result[i]) != kind]
        return result

    def _sixth(self, numbers: list[int]) -> list[int]:
        # the first 48 bits of an address of 6to4 hold an IPv4 address whole (RFC 3056)
        whole = [i for i, number in enumerate(numbers) if not self.keep6 or IPv6Address(number).sixtofour is not None]
        result = self._permuted(numbers) if len(whole) < len(numbers) else list(numbers)
        if whole:
            raw = self.key.digests(pa.array([f"6|{numbers[i]}" for i in whole]), 12)
            for i, row in zip(whole, raw):
                result[i] = _DOCUMENTATION << 96 | int.from_bytes(bytes(row), "big")
        return result

    def _permuted(self, numbers: list[int]) -> list[int]:
        bits = 128 - self.keep6
        permutation = self._permutation(f"6|{self.keep6}", 2**bits)
        lows = [number % 2**bits for number in numbers]
        right = permutation.right
        one = np.array([low // right for low in lows], np.uint64)
        other = np.array([low % right for low in lows], np.uint64)
        pairs = zip(*(half.tolist() for half in permutation.apply(one, other)))
        return [number >> bits << bits | (a * right + b) for number, (a, b) in zip(numbers, pairs)]

    def _permutation(self, name: str, size: int) -> Permutation:
        if name not in self.permutations:
            self.permutations[name] = Permutation(self.key, name, size)
        return self.permutations[name]


def _parsed(text: str | None) -> tuple[IPv4Address | IPv6Address | None, str]:
    """The address in a text, and what follows it from a `/` on."""
    if text is None or len(text) > 2 * _LONGEST_TEXT:
        return None, ""
    address, slash, length = text.strip().partition("/")
    try:
        return ip_address(address.partition("%")[0]), slash + length
    except ValueError:
        return None, ""


def _are_addresses(texts: pa.Array) -> np.ndarray:
    return np.array([_parsed(text)[0] is not None for text in texts.to_pylist()], np.int64)


def _special(number: int) -> int:
    """Which special network an address is of; -1 for none."""
    return next((i for i, (bits, prefix) in enumerate(_PREFIXES) if number >> bits == prefix), -1)
