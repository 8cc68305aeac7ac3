"""`ip` and `url`: addresses of machines and pages."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import TransformerUnfit
from masking.transformers.ip import Ip
from masking.transformers.url import Url
from schemas.types import SqlType
from tests.masking.transformers.binding import context, masked


@given(st.lists(st.ip_addresses(v=4), unique=True, max_size=20))
@settings(max_examples=30)
def test_addresses_stay_public_private_or_local_and_apart(addresses: list) -> None:
    result = list(map(ip_address, masked(Ip(), list(map(str, addresses)), unique=True)))
    assert len(set(result)) == len(addresses)
    private = [ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "224.0.0.0/3")]
    assert [[a in n for n in private] for a in addresses] == [[a in n for n in private] for a in result]
    assert all(a != b for a, b in zip(addresses, result))


def test_a_network_is_kept_as_asked_and_its_hosts_permuted() -> None:
    hosts = [f"203.5.113.{i}" for i in range(256)]
    result = masked(Ip(keep=24), hosts)
    assert set(result) == set(hosts)
    assert not any(a == b for a, b in zip(hosts, result))
    sixth = [f"2a00:1450:4001:82b::{i:x}" for i in range(1, 50)]
    kept = masked(Ip(keep6=64), sixth, unique=True)
    assert len(set(kept)) == 49
    assert all(ip_address(text) in ip_network("2a00:1450:4001:82b::/64") for text in kept)


def test_ipv6_goes_to_the_network_for_documentation_and_other_texts_stay_none() -> None:
    result = masked(Ip(), ["2a00:1450::1", "::1", "10.1.2.3/24", "nope", "", None])
    assert all(ip_address(text) in ip_network("2001:db8::/32") for text in result[:2])
    assert result[2].startswith("10.") and result[2].endswith("/24")
    assert result[3] != "nope" and result[3].isalpha()
    assert result[4:] == ["", None]


def test_urls_keep_scheme_port_and_form_and_lead_nowhere() -> None:
    result = masked(Url(), ["https://acme.com/users/bob?id=12#x", "http://bob:secret@acme.org:8080/", "acme"])
    assert result[0].startswith("https://") and ".test/" in result[0] and result[0].count("/") == 4
    assert result[1].endswith(".test:8080/")
    assert not any(word in text for text in result for word in ("acme", "bob", "secret"))


def test_parts_of_urls_stay_when_asked_for_but_never_who_logs_in() -> None:
    host, path = (masked(Url((part,)), ["https://bob@acme.com/users?q=1"])[0] for part in ("host", "path"))
    assert "@acme.com/" in host and "users" not in host
    assert path.endswith("/users?q=1") and "acme" not in path
    assert "bob" not in host + path


@given(st.lists(st.from_regex(r"https?://[a-z]{1,8}\.(com|org)(/[a-z0-9]{0,6})?", fullmatch=True), unique=True, max_size=20))
@settings(max_examples=30)
def test_urls_stay_apart_and_fit(urls: list[str]) -> None:
    result = masked(Url(), urls, SqlType("varchar", length=32), unique=True)
    assert len(set(result)) == len(urls)
    assert all(len(text) <= 32 for text in result)


def test_what_does_not_fit_is_said() -> None:
    for transformer, message in ((Ip(keep=32), "0 to 31"), (Ip(keep6=8), "24 to 127"), (Url(("hots",)), "did you mean 'host'")):
        with pytest.raises(TransformerUnfit, match=message):
            transformer.bind(context())
    with pytest.raises(TransformerUnfit, match="too short"):
        Ip().bind(context(SqlType("varchar", length=10)))
