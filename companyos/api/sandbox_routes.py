"""Routes of sandboxes: made, listed, shown, extended, reset, snapshot and removed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from companyos.api.answers import Bundle, ConnectedSandbox, Connection, Manifests, Page, Reasons, Sandbox, connected
from companyos.api.metrics import Metrics
from companyos.api.problems import SPENT, answers, failures, problem
from companyos.api.requests import (
    ConnectionRequest,
    DeletionQuery,
    ExtensionRequest,
    Id,
    IdempotencyKey,
    ResetRequest,
    SandboxQuery,
    SandboxRequest,
    SnapshotRequest,
)
from companyos.api.service import Reader, Serving, Writer
from companyos.api.watching import where
from provisioning.access.rights import own_reasons, own_sandbox, owner_for, owner_of
from provisioning.life.creating import Created
from provisioning.life.sandbox import Sandbox as Recorded
from provisioning.life.states import BEING_MADE, STATES
from provisioning.manifests import render_under
from schemas.errors import CompanyOSError, InputError, Refused

router = APIRouter(tags=["sandboxes"])

ANYBODY = ("not-authenticated", "unknown-caller", "scope-missing", "invalid-request")
OF_ONE = (*ANYBODY, "no-such-sandbox")
SENT = ("unreadable-request", "too-large")
_LOCATION = {"Location": {"description": "The sandbox.", "schema": {"type": "string", "format": "uri-reference"}}}
_AGAIN = {"Idempotent-Replayed": {"description": "`true` where the same was asked before.", "schema": {"type": "string", "enum": ["true"]}}}


@router.post(
    "/sandboxes",
    status_code=201,
    response_model=ConnectedSandbox,
    summary="Make a sandbox",
    responses={
        201: {"description": "It is ready.", "headers": _LOCATION | _AGAIN},
        202: {
            "description": "It is being made: because of `Prefer: respond-async`, or by a request with the same key that is not done yet.",
            "model": ConnectedSandbox,
            "headers": _LOCATION | _AGAIN | {"Retry-After": {"description": "In seconds.", "schema": {"type": "integer"}}},
        },
        **answers(
            *ANYBODY,
            *SENT,
            "not-yours",
            "policy-refused",
            "seed-refused",
            "idempotency-key-reused",
            "idempotency-key-spent",
            "check-failed",
        ),
    },
)
def create(
    asked: SandboxRequest,
    caller: Writer,
    service: Serving,
    request: Request,
    idempotency_key: IdempotencyKey = None,
    prefer: Annotated[str | None, Header(description="`respond-async`: answer before it is ready (RFC 7240).", max_length=200)] = None,
) -> Response:
    """Make an isolated database for somebody, seeded from a bundle, by the rules of its environment, for a limited time."""
    owner = owner_for(service.sandboxes, caller, asked.owner)
    recorded: Future[Recorded] = Future()

    def work() -> Created:
        with _counted(service.metrics):
            return service.sandboxes.create(
                owner,
                template=asked.template,
                seed=asked.seed_profile,
                ttl=None if asked.ttl_hours is None else timedelta(hours=asked.ttl_hours),
                flags=asked.feature_flags,
                as_of=asked.as_of,
                actor=caller.name,
                why=asked.why,
                idempotency_key=idempotency_key,
                on_recorded=recorded.set_result,
            )

    job = service.jobs.start(work) if _wants_async(prefer) else None
    if job is None:
        return _made(work(), request)
    either: tuple[Future[Any], ...] = (job, recorded)
    wait(either, return_when=FIRST_COMPLETED)
    if job.done():
        return _made(job.result(), request)
    job.add_done_callback(lambda done: _log_unforeseen(done, request.state.id))
    return _accepted(recorded.result(), again=False)


def _log_unforeseen(job: Future[Any], id: str) -> None:
    """Log what nobody foresaw of a job whose request is answered already."""
    error = job.exception()
    if error is not None and not isinstance(error, CompanyOSError):
        failures.error("%s failed: %s", id, where(error))


def _wants_async(prefer: str | None) -> bool:
    return any(word.partition(";")[0].strip().lower() == "respond-async" for word in (prefer or "").split(","))


@contextmanager
def _counted(metrics: Metrics) -> Iterator[None]:
    """Count what becomes of a create, and how long one takes that succeeds."""
    began, outcome = time.perf_counter(), "failed"
    try:
        yield
        outcome = "made"
        metrics.create_seconds.observe(time.perf_counter() - began)
    except Refused:
        outcome = "refused"
        raise
    except InputError:
        outcome = "invalid"
        raise
    finally:
        metrics.creates.labels(outcome).inc()


def _made(created: Created, request: Request) -> Response:
    sandbox = created.sandbox
    if sandbox.state in BEING_MADE:
        return _accepted(sandbox, again=created.again)
    if sandbox.state != "ready":
        said = f"{sandbox.id} is {sandbox.state}" + (f": {sandbox.failure}" if sandbox.failure else "")
        return problem(SPENT, f"{said}; take a new key to make another one", request.state.id, sandbox=sandbox.id)
    return _answer(201, sandbox, created.address, again=created.again)


def _accepted(sandbox: Recorded, *, again: bool) -> Response:
    answer = _answer(202, sandbox, None, again=again)
    answer.headers["Retry-After"] = "1"
    return answer


def _answer(status: int, sandbox: Recorded, url: str | None, *, again: bool) -> Response:
    headers = {"Location": f"/sandboxes/{sandbox.id}", **({"Idempotent-Replayed": "true"} if again else {})}
    return JSONResponse(connected(sandbox.to_json(), url).model_dump(mode="json"), status, headers)


@router.get(
    "/sandboxes",
    summary="List sandboxes",
    responses={
        200: {"headers": {"Link": {"description": "The next page (RFC 8288), unless this is the last.", "schema": {"type": "string"}}}},
        **answers(*ANYBODY, "not-yours"),
    },
)
def list_sandboxes(asked: Annotated[SandboxQuery, Query()], caller: Reader, service: Serving, response: Response) -> Page:
    """List one's own sandboxes, for an administrator all, the newest first."""
    owner = None if asked.owner is None and caller.is_admin else owner_for(service.sandboxes, caller, asked.owner or caller.name).name
    states = tuple(asked.state) or tuple(s for s in STATES if s != "deleted")
    page = service.sandboxes.list(owner=owner, states=states, tenant=asked.tenant, after=asked.after, limit=asked.limit)
    if page.next is not None:
        given = asked.model_dump(exclude_defaults=True, exclude={"after"}) | {"limit": asked.limit, "after": page.next}
        response.headers["Link"] = f'</sandboxes?{urlencode(given, doseq=True)}>; rel="next"'
    return Page.model_validate({"sandboxes": [s.to_json() for s in page.sandboxes], "next": page.next})


@router.get("/sandboxes/{id}", summary="Show a sandbox", responses=answers(*OF_ONE))
def show(id: Id, caller: Reader, service: Serving) -> Sandbox:
    """Show all that is recorded of a sandbox, but its password. One that was removed is still shown, as `deleted`."""
    return Sandbox.model_validate(own_sandbox(service.sandboxes, caller, id).to_json())


@router.get("/sandboxes/{id}/why", summary="Say why a sandbox is as it is", responses=answers(*OF_ONE))
def why(id: Id, caller: Reader, service: Serving) -> Reasons:
    """Say why a sandbox is kept, idle, refused or about to go, and when."""
    return Reasons.model_validate(own_reasons(service.sandboxes, caller, id).to_json())


@router.post(
    "/sandboxes/{id}/extend",
    summary="Let a sandbox live longer",
    responses=answers(*OF_ONE, *SENT, "policy-refused", "wrong-state"),
)
def extend(id: Id, asked: ExtensionRequest, caller: Writer, service: Serving) -> Sandbox:
    """Let a sandbox live longer; past what its owner may ask for alone, somebody else has to approve (POST /approvals)."""
    sandbox = own_sandbox(service.sandboxes, caller, id)
    owner = owner_of(service.sandboxes, caller, sandbox)
    extended = service.sandboxes.extend(id, timedelta(hours=asked.hours), owner=owner, actor=caller.name, why=asked.why)
    return Sandbox.model_validate(extended.to_json())


@router.post(
    "/sandboxes/{id}/reset",
    summary="Give a sandbox its data anew",
    responses=answers(*OF_ONE, *SENT, "policy-refused", "seed-refused", "wrong-state", "not-a-sandbox", "check-failed"),
)
def reset(id: Id, asked: ResetRequest, caller: Writer, service: Serving) -> ConnectedSandbox:
    """Reseed, rotate the password, purge webhooks and reset feature flags, in this order; all or nothing."""
    sandbox = own_sandbox(service.sandboxes, caller, id)
    owner = owner_of(service.sandboxes, caller, sandbox)
    done = service.sandboxes.reset(id, owner=owner, seed=asked.seed_profile, as_of=asked.as_of, actor=caller.name, why=asked.why)
    return connected(done.to_json(), service.sandboxes.address(id, actor=caller.name))


@router.post(
    "/sandboxes/{id}/snapshot",
    status_code=201,
    summary="Make a bundle of what a sandbox holds",
    responses=answers(*OF_ONE, *SENT, "wrong-state", "refused", "not-a-sandbox", "check-failed"),
)
def snapshot(id: Id, asked: SnapshotRequest, caller: Writer, service: Serving) -> Bundle:
    """Make a bundle of the present data of a sandbox, of the same class, from which somebody else can make a sandbox."""
    sandbox = own_sandbox(service.sandboxes, caller, id)
    tag = f"{sandbox.kind}:{id}" + (f".{asked.label}" if asked.label else "")
    made = service.sandboxes.snapshot(id, tag=tag, actor=caller.name, why=asked.why).describe()
    return Bundle.model_validate({name: made[name] for name in Bundle.model_fields})


@router.post(
    "/sandboxes/{id}/connection",
    summary="Say how to connect to a sandbox",
    responses=answers(*OF_ONE, *SENT, "wrong-state", "not-a-sandbox"),
)
def connection(id: Id, asked: ConnectionRequest, caller: Writer, service: Serving) -> Connection:
    """Return the URL to connect with, password included."""
    own_sandbox(service.sandboxes, caller, id)
    return Connection(id=id, url=service.sandboxes.address(id, actor=caller.name, rotate=asked.rotate))


@router.get("/sandboxes/{id}/manifests", summary="Give the Kubernetes objects that isolate a sandbox", responses=answers(*OF_ONE))
def manifests(id: Id, caller: Reader, service: Serving) -> Manifests:
    """Give the objects that isolate what runs beside a sandbox, for `kubectl apply -f -`. No password is in them."""
    sandbox = own_sandbox(service.sandboxes, caller, id)
    return Manifests(apiVersion="v1", kind="List", items=render_under(service.sandboxes.platform.environments, sandbox))


@router.delete(
    "/sandboxes/{id}", summary="Remove a sandbox", responses=answers(*OF_ONE, "wrong-state", "delete-protected", "not-a-sandbox")
)
def delete(id: Id, asked: Annotated[DeletionQuery, Query()], caller: Writer, service: Serving) -> Sandbox:
    """Remove database, role, password and files. What was removed before stays so; its record and its events are kept."""
    own_sandbox(service.sandboxes, caller, id)
    return Sandbox.model_validate(service.sandboxes.delete(id, actor=caller.name, why=asked.why, force=asked.force).to_json())
