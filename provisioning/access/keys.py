"""The public keys of an OIDC issuer (JWKS, RFC 7517), found by its discovery document and fetched again when they have rotated."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from provisioning.errors import IssuerFailure

SECONDS = 5.0  # that fetching both documents may take
LARGEST = 1_000_000  # bytes of a document
FRESH = 600.0  # seconds for which keys are used without asking again
PAUSE = 3.0  # seconds for which an issuer that failed is not asked again: whoever waits for it keeps others waiting
AGAIN = 30.0  # seconds between two askings for a key that is not there: tokens with invented keys do not make us ask each time
DISCOVERY = "/.well-known/openid-configuration"
ALGORITHMS: Mapping[tuple[Any, Any], tuple[str, ...]] = {  # what a key of a kind and curve is good for: signing by secrets is not among it
    ("RSA", None): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key, and the algorithms that it serves: the one that it names, or all of its kind."""

    key: Any = field(repr=False)
    algorithms: tuple[str, ...]


class Keys:
    """Keys of one issuer, kept for ten minutes; `tick` tells the seconds."""

    def __init__(self, issuer: str, *, seconds: float = SECONDS, tick: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._seconds = seconds
        self._tick = tick
        self._lock = threading.Lock()
        self._keys: dict[str | None, PublicKey] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._failure: str | None = None

    def find(self, name: Any) -> PublicKey | None:
        """Return the key of this name (`kid`), or the only one for a token that names none; None where there is no such key.

        Raises IssuerFailure where keys are needed and the issuer does not answer as it should.
        """
        with self._lock:  # one asks, the others wait for what it gets
            now = self._tick()
            stale = self._fetched is None or now - self._fetched > FRESH
            if stale or (self._find(name) is None and self._tried is not None and now - self._tried > AGAIN):
                self._fetch(now, stale=stale)
            return self._find(name)

    def _find(self, name: Any) -> PublicKey | None:
        if name is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(name) if isinstance(name, str) else None

    def _fetch(self, now: float, *, stale: bool) -> None:
        if stale:
            self._keys = {}  # what the issuer may have withdrawn opens nothing
            if self._failure is not None and self._tried is not None and now - self._tried < PAUSE:
                raise IssuerFailure(self._failure)
        self._tried = now
        try:
            self._keys = _fetched(self._issuer, self._seconds)
        except IssuerFailure as error:
            self._failure = str(error)
            raise
        self._fetched, self._failure = now, None


def _fetched(issuer: str, seconds: float) -> dict[str | None, PublicKey]:
    import httpx
    from jwt import PyJWK, PyJWTError

    deadline = time.monotonic() + seconds
    with httpx.Client(follow_redirects=False, trust_env=False) as client:
        found = _document(client, issuer.rstrip("/") + DISCOVERY, deadline)
        if found.get("issuer") != issuer:  # OIDC Discovery 1.0, section 4.3
            raise IssuerFailure("the OIDC issuer calls itself by another name in its discovery document than the one that it was given")
        address = found.get("jwks_uri")
        if not isinstance(address, str) or not address.startswith(("https://", "http://")) or (_secure(issuer) and not _secure(address)):
            raise IssuerFailure("the discovery document of the OIDC issuer has no https `jwks_uri`")
        listed = _document(client, address, deadline).get("keys")
    keys: dict[str | None, PublicKey] = {}
    for data in listed if isinstance(listed, list) else []:
        if not isinstance(data, dict) or data.get("use", "sig") != "sig":
            continue
        if not all(isinstance(data.get(name), str | None) for name in ("kty", "crv", "kid")):
            continue
        kind = ALGORITHMS.get((data.get("kty"), data.get("crv")), ())
        algorithms = tuple(name for name in kind if data.get("alg") in (None, name))
        if algorithms:
            with suppress(PyJWTError):  # one that cannot be read; the others serve
                keys[data.get("kid")] = PublicKey(PyJWK(data).key, algorithms)
    if not keys:
        raise IssuerFailure("the OIDC issuer publishes no key that we could check a signature with")
    return keys


def _secure(address: str) -> bool:
    return address.startswith("https://")


def _document(client: Any, address: str, deadline: float) -> dict[str, Any]:
    """Return a JSON object from the issuer, within the time that is left and not larger than it may be."""
    import httpx

    try:
        with client.stream("GET", address, timeout=max(deadline - time.monotonic(), 0.001)) as answer:
            if answer.status_code != 200:
                raise IssuerFailure(f"the OIDC issuer answers {answer.status_code} where it publishes its keys")
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > LARGEST or time.monotonic() > deadline:
                    raise IssuerFailure("the OIDC issuer sends too much, or too slowly")
        found = json.loads(body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise IssuerFailure(f"the OIDC issuer cannot be reached ({type(error).__name__})") from error
    except ValueError as error:
        raise IssuerFailure("the OIDC issuer sends something that is no JSON") from error
    if not isinstance(found, dict):
        raise IssuerFailure("the OIDC issuer sends JSON that is no object")
    return found
