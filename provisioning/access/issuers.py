"""Tokens of an OIDC issuer: JWTs (RFC 7519) that are signed with one of the keys which the issuer publishes.

What is checked follows RFC 8725: asymmetric algorithms only, each with its own kind of key; `iss`, `aud`, `exp`, `nbf` and `iat`; no
critical header that is not understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.access.keys import Keys
from provisioning.access.scopes import Scope
from provisioning.errors import NotAuthenticated
from provisioning.policy.owners import LONGEST_NAME
from schemas.errors import InputError

LEEWAY = 30  # seconds that clocks may be apart
MOST_GROUPS = 500


@dataclass(frozen=True, slots=True)
class Said:
    """What a token says of who holds it."""

    name: str
    groups: tuple[str, ...]
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class Issuer:
    """An OIDC issuer whose tokens we take, and how we read them.

    `name_claim` holds the owner's address, `groups_claim` a list of groups (a path with dots: `realm_access.roles`). Everybody whose token
    is for `audience` may read and write what is theirs; who is in the group `admins` administers, who is in `approvers` approves.
    """

    url: str
    audience: str
    keys: Keys
    name_claim: str = "email"
    groups_claim: str = "groups"
    admins: str | None = None
    approvers: str | None = None

    def read(self, token: str) -> Said:
        """Return what a token says; NotAuthenticated where it is not valid, SystemFailure where the issuer's keys cannot be had."""
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            key = self.keys.find(header.get("kid"))
            if key is None:
                raise NotAuthenticated("the token is not valid: the issuer has no such key")
            claims = jwt.decode(
                token,
                key.key,
                algorithms=list(key.algorithms),
                audience=self.audience,
                issuer=self.url,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud"]},
            )
        except jwt.PyJWTError as error:
            raise NotAuthenticated(
                f"the token is not valid: {_REASONS.get(type(error).__name__, 'it is not one of the issuer for us')}"
            ) from None
        return self._said(claims)

    def _said(self, claims: Mapping[str, Any]) -> Said:
        name = _at(claims, self.name_claim)
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
            raise NotAuthenticated(f"the token names nobody: its claim '{self.name_claim}' has no text")
        if self.name_claim == "email" and claims.get("email_verified", True) is not True:
            raise NotAuthenticated("the token names nobody: its issuer has not verified the e-mail address")
        found = _at(claims, self.groups_claim)
        listed = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        groups = tuple(g for g in listed[:MOST_GROUPS] if isinstance(g, str))
        scopes: set[Scope] = {"read", "write"}
        if self.approvers is not None and self.approvers in groups:
            scopes.add("approve")
        if self.admins is not None and self.admins in groups:
            scopes.add("admin")
        return Said(name, groups, frozenset(scopes))


_REASONS = {
    "ExpiredSignatureError": "it is expired",
    "ImmatureSignatureError": "its time has not come yet",
    "InvalidAudienceError": "it is for somebody else",
    "InvalidIssuerError": "another issuer made it",
    "InvalidSignatureError": "its signature is wrong",
    "InvalidAlgorithmError": "its algorithm is not one of its key",
    "MissingRequiredClaimError": "it lacks one of exp, iat, iss, aud",
    "DecodeError": "it is no JWT",
}


def _at(claims: Mapping[str, Any], path: str) -> Any:
    if path in claims:  # names with dots of their own, such as https://company.com/groups
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def issuer_url(url: str) -> str:
    """Return an issuer's URL; InputError unless it is https (or http on this machine), without query and fragment (OIDC Discovery 1.0)."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    here = host in ("127.0.0.1", "::1", "localhost")
    if not host or parts.query or parts.fragment or parts.username or not (parts.scheme == "https" or (parts.scheme == "http" and here)):
        raise InputError("the URL of an OIDC issuer is https://HOST/..., without query, fragment and password")
    return url
