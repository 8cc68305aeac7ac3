"""Errors as problem documents (RFC 9457): which error has which type and status, and what a client is told of it.

What a person can mend is told in the words of the command line, without the places of the server's files and databases. Of what nobody
foresaw a client is told the id of the request, under which the log says more.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from companyos.api.hidden_places import without_places
from provisioning import errors as e
from schemas.errors import CheckFailed, CompanyOSError, InputError, Refused, SystemFailure

MEDIA_TYPE = "application/problem+json"
TYPES = "urn:companyos:problem:"
RETRY_SECONDS = "10"

failures = logging.getLogger("companyos.failures")


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of problem: the end of its URI, its status, and its title."""

    name: str
    status: int
    title: str


INVALID = Kind("invalid-request", 422, "The request has something that we do not take")
UNREADABLE = Kind("unreadable-request", 400, "The request cannot be read")
UNEXPECTED = Kind("unexpected", 500, "Something failed that should not")
UNAVAILABLE = Kind("unavailable", 503, "A system behind the service fails")
SPENT = Kind("idempotency-key-spent", 409, "What was made with this idempotency key cannot be used (any more)")

KINDS: tuple[tuple[type[CompanyOSError], Kind], ...] = (  # the first that fits
    (e.NotAuthenticated, Kind("not-authenticated", 401, "The request has no valid token")),
    (e.UnknownCaller, Kind("unknown-caller", 403, "The environments know no such owner")),
    (e.ScopeMissing, Kind("scope-missing", 403, "The token does not allow this")),
    (e.NotYours, Kind("not-yours", 403, "Only an administrator does this for others")),
    (e.PolicyRefused, Kind("policy-refused", 403, "The policy of the environment says no")),
    (e.SeedRefused, Kind("seed-refused", 409, "The bundle may not be loaded")),
    (e.WrongState, Kind("wrong-state", 409, "The sandbox is in a state that does not allow this")),
    (e.DeleteProtected, Kind("delete-protected", 409, "The sandbox is protected from deletion")),
    (e.NotASandbox, Kind("not-a-sandbox", 409, "The database is not one of ours")),
    (e.TargetInUse, Kind("target-in-use", 409, "The database holds what this would replace")),
    (e.TenantExists, Kind("tenant-exists", 409, "There is such a demo tenant already")),
    (e.KeyUsedTwice, Kind("idempotency-key-reused", 422, "The idempotency key was used for another request")),
    (Refused, Kind("refused", 403, "Refused")),
    (e.NoSuchSandbox, Kind("no-such-sandbox", 404, "There is no such sandbox")),
    (e.NoSuchTenant, Kind("no-such-tenant", 404, "There is no such demo tenant")),
    (e.KeyInvalid, UNAVAILABLE),  # the service's own key, which no client can mend
    (InputError, INVALID),
    (CheckFailed, Kind("check-failed", 409, "The data are not what they are said to be")),
    (SystemFailure, UNAVAILABLE),
    (CompanyOSError, UNEXPECTED),
)
HTTP = {
    400: UNREADABLE,
    404: Kind("no-such-resource", 404, "There is nothing at this address"),
    405: Kind("method-not-allowed", 405, "This address does not know the method"),
    413: Kind("too-large", 413, "The request is too large"),
}


def kind_of(error: CompanyOSError) -> Kind:
    """Return the kind of an error of ours."""
    return next(kind for type_, kind in KINDS if isinstance(error, type_))


def problem(kind: Kind, detail: str, request_id: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> JSONResponse:
    """Return a problem document; `members` are more than those of the RFC."""
    body = {
        "type": TYPES + kind.name,
        "title": kind.title,
        "status": kind.status,
        "detail": without_places(detail),
        "instance": f"urn:uuid:{request_id}",
        **members,
    }
    return JSONResponse(body, kind.status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def of_ours(request: Request, error: Exception) -> JSONResponse:
    """Answer an error of ours."""
    assert isinstance(error, CompanyOSError)
    kind = kind_of(error)
    members: dict[str, Any] = {}
    headers = {}
    if isinstance(error, e.PolicyRefused):
        members["violations"] = [{"rule": v.rule, "message": without_places(v.message)} for v in error.violations]
    if isinstance(error, e.PolicyRefused | e.SeedRefused) and error.request is not None:
        members["sandbox"] = error.request
    if isinstance(error, e.NotAuthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="companyos"'  # RFC 6750
    if isinstance(error, e.ScopeMissing):
        headers["WWW-Authenticate"] = f'Bearer realm="companyos", error="insufficient_scope", scope="{error.scope}"'
    if kind is UNAVAILABLE:
        headers["Retry-After"] = RETRY_SECONDS
        failures.warning("%s: %s", request.state.id, str(error).encode("unicode_escape").decode())
    detail = "see the log of the service" if kind is UNEXPECTED else str(error)
    return problem(kind, detail, request.state.id, headers=headers, **members)


def of_validation(request: Request, error: Exception) -> JSONResponse:
    """Answer a request that does not fit the document: where and what, but not the values, which may be anything."""
    assert isinstance(error, RequestValidationError)
    found = [{"at": ".".join(str(part) for part in item["loc"])[:200], "message": _message(request, item)} for item in error.errors()]
    kind = UNREADABLE if any(item["type"] == "json_invalid" for item in error.errors()) else INVALID
    detail = "; ".join(f"{item['at']}: {item['message']}" for item in found[:5])
    return problem(kind, detail, request.state.id, errors=found[:50])


def _message(request: Request, item: Mapping[str, Any]) -> str:
    # a body that is not said to be JSON is not read, and so is no object
    if tuple(item["loc"]) == ("body",) and item["type"] != "missing" and "json" not in request.headers.get("content-type", ""):
        return "it is taken as JSON alone: send it with the header Content-Type: application/json"
    return str(item["msg"])[:300]


def of_http(request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework refuses: no such route, a method, a body too large."""
    assert isinstance(error, HTTPException)
    kind = HTTP.get(error.status_code) or Kind("refused", error.status_code, "Refused")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return problem(kind, kind.title, request.state.id, headers=headers)


def _methods(request: Request) -> set[str]:
    """All methods that an address knows: the framework names those of one of its routes only."""
    known: list[Route] = [route for route in request.app.state.routes if isinstance(route, Route)]
    return {method for route in known if route.matches(request.scope)[0] is not Match.NONE for method in route.methods or ()}


def answers(*names: str) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of errors: those of these kinds, and those that any request may meet."""
    known = {kind.name: kind for _, kind in KINDS} | {kind.name: kind for kind in HTTP.values()} | {SPENT.name: SPENT}
    by_status: dict[int, list[Kind]] = {}
    for name in (*names, "unavailable", "unexpected"):
        by_status.setdefault(known[name].status, []).append(known[name])
    return {status: _answer(kinds) for status, kinds in sorted(by_status.items())}


def _answer(kinds: list[Kind]) -> dict[str, Any]:
    examples = {
        kind.name: {
            "value": {
                "type": TYPES + kind.name,
                "title": kind.title,
                "status": kind.status,
                "detail": "...",
                "instance": "urn:uuid:0b4ad7a9-3d60-4e2b-8ef4-2a1cfb1d3a52",
            }
        }
        for kind in kinds
    }
    return {
        "description": "; ".join(kind.title for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }
