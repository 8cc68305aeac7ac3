"""Tokens of an OIDC issuer: which are taken, and what is never taken for one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from issuing import AUDIENCE, LocalIssuer

from provisioning.access.issuers import Issuer, issuer_url
from provisioning.access.keys import Keys
from provisioning.errors import IssuerFailure, NotAuthenticated
from schemas.errors import InputError


class Tick:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    made = LocalIssuer()
    made.add("k1")
    yield made
    made.close()


@pytest.fixture
def tick() -> Tick:
    return Tick()


@pytest.fixture
def trusted(issuer: LocalIssuer, tick: Tick) -> Issuer:
    return Issuer(issuer.url, AUDIENCE, Keys(issuer.url, seconds=2, tick=tick), admins="platform", approvers="leads")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_token_says_who_holds_it(issuer: LocalIssuer, trusted: Issuer, algorithm: str) -> None:
    issuer.add("another", algorithm)
    said = trusted.read(issuer.token("another", groups=["engineering"]))
    assert (said.name, said.groups, said.scopes) == ("alice@company.com", ("engineering",), {"read", "write"})


def test_keys_are_fetched_once(issuer: LocalIssuer, trusted: Issuer) -> None:
    for _ in range(5):
        trusted.read(issuer.token("k1"))
    assert len(issuer.asked) == 2


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": "-100"}, "expired"),
        ({"exp": None}, "lacks one of exp"),
        ({"iat": None}, "lacks one of exp"),
        ({"nbf": "+1000"}, "not come yet"),
        ({"iat": "+1000"}, "not come yet"),
        ({"aud": "another service"}, "somebody else"),
        ({"aud": None}, "lacks one of exp"),
        ({"iss": "https://elsewhere.org"}, "another issuer"),
        ({"iss": None}, "lacks one of exp"),
        ({"email": None}, "names nobody"),
        ({"email": ["alice@company.com"]}, "names nobody"),
        ({"email": ""}, "names nobody"),
        ({"email_verified": False}, "not verified"),
        ({"email_verified": "false"}, "not verified"),
    ],
    ids=str,
)
def test_what_is_not_for_us_or_not_now_is_refused(issuer: LocalIssuer, trusted: Issuer, claims: dict, reason: str) -> None:
    # moments are from now, which has to be the time of the test and not of its collection
    said = {n: int(time.time()) + int(v) if n in ("exp", "nbf", "iat") and v else v for n, v in claims.items()}
    with pytest.raises(NotAuthenticated, match=reason) as refused:
        trusted.read(issuer.token("k1", **said))
    assert "alice" not in str(refused.value)


def test_an_audience_among_others_is_ours(issuer: LocalIssuer, trusted: Issuer) -> None:
    assert trusted.read(issuer.token("k1", aud=["other", AUDIENCE], email_verified=True)).name == "alice@company.com"


def _signed(header: dict, payload: dict, key: bytes) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, payload)]
    signature = hmac.new(key, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def test_a_public_key_is_no_secret_to_sign_with(issuer: LocalIssuer, trusted: Issuer) -> None:
    issuer.add("rsa", "RS256")
    public = issuer.keys["rsa"][1].public_key()
    payload = jwt.decode(issuer.token("rsa"), options={"verify_signature": False})
    for form in (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1):
        forged = _signed({"alg": "HS256", "typ": "JWT", "kid": "rsa"}, payload, public.public_bytes(Encoding.PEM, form))
        with pytest.raises(NotAuthenticated):
            trusted.read(forged)


def test_no_signature_is_no_token(issuer: LocalIssuer, trusted: Issuer) -> None:
    payload = jwt.decode(issuer.token("k1"), options={"verify_signature": False})
    for header in ({"kid": "k1"}, {}):
        with pytest.raises(NotAuthenticated):
            trusted.read(jwt.encode(payload, None, algorithm="none", headers=header))
    head, body, signature = issuer.token("k1").split(".")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    for token in (f"{head}.{body}.", f"{head}.{body}.{flipped}", f"{head}.{body}", "a.b.c", "..", "x", head):
        with pytest.raises(NotAuthenticated):
            trusted.read(token)


def test_a_secret_key_that_an_issuer_publishes_is_passed_over(issuer: LocalIssuer, trusted: Issuer) -> None:
    published = issuer.published()
    secret = base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("=")
    listed = [*published, {"kty": "oct", "k": secret, "kid": "shared", "alg": "HS256"}, "no key", {"kty": "RSA", "kid": "broken", "n": "?"}]
    listed += [{"kty": ["RSA"], "kid": "k2"}, {**published[0], "kid": ["k3"]}]
    right = issuer.right
    issuer.answer = lambda path: (200, {}, json.dumps({"keys": listed}).encode()) if path.endswith("/keys") else right(path)
    payload = jwt.decode(issuer.token("k1"), options={"verify_signature": False})
    with pytest.raises(NotAuthenticated, match="no such key"):
        trusted.read(jwt.encode(payload, b"s" * 32, algorithm="HS256", headers={"kid": "shared"}))
    assert trusted.read(issuer.token("k1")).name == "alice@company.com"


def test_a_token_signs_with_the_algorithm_of_its_key(issuer: LocalIssuer, trusted: Issuer) -> None:
    issuer.add("rsa", "RS256")
    payload = jwt.decode(issuer.token("rsa"), options={"verify_signature": False})
    with pytest.raises(NotAuthenticated, match="algorithm"):
        trusted.read(jwt.encode(payload, issuer.keys["rsa"][1], algorithm="PS512", headers={"kid": "rsa"}))


def test_keys_rotate(issuer: LocalIssuer, trusted: Issuer, tick: Tick) -> None:
    trusted.read(issuer.token("k1"))
    issuer.add("k2")
    tick.now += 31
    assert trusted.read(issuer.token("k2")).name == "alice@company.com"
    old = issuer.token("k1")
    del issuer.keys["k1"]
    assert trusted.read(old).name == "alice@company.com"  # for ten minutes at most
    tick.now += 601
    with pytest.raises(NotAuthenticated, match="no such key"):
        trusted.read(old)


def test_invented_keys_do_not_make_us_ask_each_time(issuer: LocalIssuer, trusted: Issuer, tick: Tick) -> None:
    trusted.read(issuer.token("k1"))
    token = issuer.token("k1", header={"kid": "invented"})
    tick.now += 31
    for _ in range(10):
        with pytest.raises(NotAuthenticated):
            trusted.read(token)
    assert len(issuer.asked) == 4


def test_a_token_without_a_key_name_has_the_only_key(issuer: LocalIssuer, trusted: Issuer, tick: Tick) -> None:
    _, private = issuer.keys["k1"]
    payload = jwt.decode(issuer.token("k1"), options={"verify_signature": False})
    token = jwt.encode(payload, private, algorithm="ES256")
    assert trusted.read(token).name == "alice@company.com"
    issuer.add("k2")
    tick.now += 601
    with pytest.raises(NotAuthenticated, match="no such key"):
        trusted.read(token)


def _slowly(path: str) -> Iterator[bytes]:
    for _ in range(100):
        yield b" "
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda path: (500, {}, b"{}"), "answers 500"),
        (lambda path: (302, {"Location": "http://127.0.0.1:1/"}, b""), "answers 302"),
        (lambda path: (200, {}, b"<html>"), "no JSON"),
        (lambda path: (200, {}, b"[]"), "no object"),
        (lambda path: (200, {}, b"{" + b" " * 2_000_000), "too much"),
        (lambda path: (200, {}, _slowly(path)), "too slowly"),
        (lambda path: (200, {}, b'{"issuer": "http://127.0.0.1:1", "jwks_uri": "http://127.0.0.1:1/"}'), "another name"),
    ],
    ids=["500", "redirect", "no JSON", "no object", "huge", "slow", "another issuer"],
)
def test_an_issuer_that_does_not_answer_as_it_should_lets_nobody_in(issuer, trusted, tick, answer, reason) -> None:
    issuer.answer = answer
    for _ in range(3):
        with pytest.raises(IssuerFailure, match=reason):
            trusted.read(issuer.token("k1"))
    assert len(issuer.asked) == 1
    issuer.answer = issuer.right
    tick.now += 4
    assert trusted.read(issuer.token("k1")).name == "alice@company.com"


def test_keys_that_cannot_be_asked_for_again_open_nothing(issuer: LocalIssuer, trusted: Issuer, tick: Tick) -> None:
    token = issuer.token("k1")
    trusted.read(token)
    issuer.answer = lambda path: (503, {}, b"")
    tick.now += 599
    trusted.read(token)
    tick.now += 2
    with pytest.raises(IssuerFailure):
        trusted.read(token)
    with pytest.raises(IssuerFailure):
        trusted.read(token)


def test_a_discovery_document_has_keys(issuer: LocalIssuer, trusted: Issuer, tick: Tick) -> None:
    for place in (None, "file:///etc/passwd", 7):
        tick.now += 4
        issuer.discovery["jwks_uri"] = place
        with pytest.raises(IssuerFailure, match="jwks_uri"):
            trusted.read(issuer.token("k1"))
    issuer.discovery["jwks_uri"] = f"{issuer.url}/keys"
    token = issuer.token("k1")
    issuer.keys.clear()
    tick.now += 4
    with pytest.raises(IssuerFailure, match="no key"):
        trusted.read(token)


@pytest.mark.parametrize(
    ("claim", "claims"),
    [
        ("groups", {"groups": ["platform", 7, {"x": 1}, "leads"]}),
        ("realm_access.roles", {"realm_access": {"roles": ["platform", "leads"]}}),
        ("https://company.com/groups", {"https://company.com/groups": ["platform", "leads"]}),
    ],
)
def test_groups_give_rights(issuer: LocalIssuer, claim: str, claims: dict) -> None:
    trusted = Issuer(issuer.url, AUDIENCE, Keys(issuer.url), groups_claim=claim, admins="platform", approvers="leads")
    said = trusted.read(issuer.token("k1", **claims))
    assert said.groups == ("platform", "leads")
    assert said.scopes == {"read", "write", "approve", "admin"}


def test_no_group_gives_rights_unless_it_is_named(issuer: LocalIssuer) -> None:
    trusted = Issuer(issuer.url, AUDIENCE, Keys(issuer.url))
    for groups in (["admin", "admins", "", "*"], "admin", None, {"admin": True}, 7):
        assert trusted.read(issuer.token("k1", groups=groups)).scopes == {"read", "write"}


def test_another_claim_names_the_owner(issuer: LocalIssuer) -> None:
    trusted = Issuer(issuer.url, AUDIENCE, Keys(issuer.url), name_claim="sub")
    assert trusted.read(issuer.token("k1", email_verified=False)).name == "1"


@pytest.mark.parametrize(
    "url", ["https://login.company.com", "https://login.company.com/realms/a/", "http://localhost:8080", "http://[::1]:1/a"]
)
def test_issuers_are_reached_in_secret(url: str) -> None:
    assert issuer_url(url) == url


@pytest.mark.parametrize(
    "url", ["http://login.company.com", "login.company.com", "https://a/?x=1", "https://a/#x", "https://u:p@a/", "ftp://a", "", "https://["]
)
def test_an_issuer_in_the_clear_is_none(url: str) -> None:
    with pytest.raises(InputError, match="https://HOST"):
        issuer_url(url)
