"""`prefix`: the beginning of a code that says where, without the rest that says who: post codes, networks of IP addresses."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from masking.transformers.base import Context, Masker, Rows
from masking.transformers.fit import WORDS, require_kind, require_repeats
from masking.transformers.parameters import parameter
from masking.transformers.signs import hidden


@dataclass(frozen=True)
class Prefix:
    """Keeps the first characters of a code and pads it to its length, or the network of an IP address.

    With `keep`, letters and digits after the first few become `pad`, and separators stay; a code with no more than those few is padded
    whole. With `ipv4` or `ipv6`, the bits after the prefix become 0 (`203.0.113.77` in /24: `203.0.113.0`; a prefix length behind it
    stays); what is no address becomes `0.0.0.0`. An IPv4 address in IPv6 (`::ffff:203.0.113.77`, or `2002:cb00:714d::1` of RFC 3056)
    is treated as the IPv4 address.
    """

    name: ClassVar[str] = "prefix"
    fits: ClassVar[tuple[str, ...]] = WORDS

    keep: int | None = parameter("how many letters and digits are kept", default=None, least=0, most=100)
    pad: str = parameter("what stands for the others", default="0")
    ipv4: int | None = parameter("bits that are kept of an IPv4 address (24 with `ipv6` alone)", default=None, least=0, most=31)
    ipv6: int | None = parameter("bits that are kept of an IPv6 address (48 with `ipv4` alone)", default=None, least=0, most=127)

    def __post_init__(self) -> None:
        networks = self.ipv4 is not None or self.ipv6 is not None
        if (self.keep is not None) == networks:
            raise ValueError("give either 'keep', or 'ipv4' or 'ipv6' or both")
        if len(self.pad) != 1:
            raise ValueError("'pad' must be one character")

    def bind(self, context: Context) -> Masker:
        require_kind(context, self.name, self.fits)
        require_repeats(context, self.name, "code")
        if self.keep is not None:
            return Padded(self.keep, self.pad)
        return Networked(24 if self.ipv4 is None else self.ipv4, 48 if self.ipv6 is None else self.ipv6)


@dataclass(frozen=True)
class Padded:
    """The first `keep` letters and digits, and `pad` for each of the others."""

    keep: int
    pad: str

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        # a code with no more letters and digits than that is hidden whole: what is left of it would be all of it
        return hidden(values, self.pad, first=self.keep, at_least=1)


@dataclass(frozen=True)
class Networked:
    """IP addresses by their networks."""

    ipv4: int
    ipv6: int

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        encoded = values.dictionary_encode()
        masked = [self._network(text) for text in encoded.dictionary.to_pylist()]
        return pa.array(masked, pa.string()).take(encoded.indices)

    def _network(self, text: str) -> str:
        address, slash, length = text.strip().partition("/")
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])
            if slash and not 0 <= int(length) <= parsed.max_prefixlen:
                return "0.0.0.0"
        except ValueError:
            return "0.0.0.0"
        if isinstance(parsed, ipaddress.IPv6Address) and (inner := parsed.ipv4_mapped or parsed.sixtofour) is not None:
            parsed, slash, length = inner, "", ""
        kept = self.ipv4 if parsed.version == 4 else self.ipv6
        network = ipaddress.ip_network((int(parsed) if parsed.version == 4 else parsed.packed, kept), strict=False)
        return f"{network.network_address}{slash}{length}"
