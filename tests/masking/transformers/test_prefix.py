"""prefix: post codes and networks."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import TransformerInvalid
from masking.transformers.registry import read

from .columns import mask


@pytest.mark.parametrize(
    ("parameters", "before", "after"),
    [
        (3, "90210", "90200"),
        (3, "SW1A 2AA", "SW10 000"),
        (2, "D-80331", "D-80000"[:3] + "0000"),
        (5, "90210", "00000"),
        (3, "90", "00"),
        (0, "8010", "0000"),
        ({"keep": 1, "pad": "X"}, "A1B 2C3", "AXX XXX"),
        ({"keep": 1, "pad": "\\"}, "A1", "A\\"),
        ({"ipv4": 24}, "203.0.113.77", "203.0.113.0"),
        ({"ipv4": 24}, "203.0.113.77/32", "203.0.113.0/32"),
        ({"ipv4": 20}, "10.1.255.3", "10.1.240.0"),
        ({"ipv4": 24}, "2001:db8:1:2::7", "2001:db8:1::"),
        ({"ipv6": 32}, "2001:db8:1:2::7", "2001:db8::"),
        ({"ipv6": 48}, "203.0.113.77", "203.0.113.0"),
        ({"ipv4": 24}, "::ffff:203.0.113.77", "203.0.113.0"),
        ({"ipv4": 24}, "fe80::1%eth0", "fe80::"),
        ({"ipv4": 24}, "no address of Ann", "0.0.0.0"),
        ({"ipv4": 24}, "203.0.113.77/99", "0.0.0.0"),
        ({"ipv4": 24}, "", "0.0.0.0"),
    ],
)
def test_the_beginning_stays(parameters: object, before: str, after: str) -> None:
    assert mask({"prefix": parameters}, [before, None, before]) == [after, None, after]


@given(st.lists(st.ip_addresses(), max_size=20), st.integers(0, 31), st.integers(0, 127))
def test_an_address_becomes_the_first_of_its_network(addresses: list[ipaddress.IPv4Address], four: int, six: int) -> None:
    masked = mask({"prefix": {"ipv4": four, "ipv6": six}}, [str(a) for a in addresses])
    for address, text in zip(addresses, masked):
        mapped = address.ipv4_mapped or address.sixtofour if address.version == 6 else None
        address = mapped or address
        assert ipaddress.ip_address(text) == ipaddress.ip_network((address, four if address.version == 4 else six), strict=False)[0]


@pytest.mark.parametrize("parameters", [{}, {"keep": 3, "ipv4": 24}, {"keep": 3, "pad": "00"}, {"ipv4": 32}])
def test_parameters_that_contradict_each_other_are_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(TransformerInvalid):
        read({"prefix": parameters}, "t.c")
