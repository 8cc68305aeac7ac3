"""What the routes work with, and who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from companyos.api.jobs import Jobs
from companyos.api.metrics import Metrics
from companyos.api.readiness import Readiness
from provisioning.access.authentication import Authenticator
from provisioning.access.issuers import Issuer
from provisioning.access.rights import Caller
from provisioning.access.scopes import Scope
from provisioning.errors import NotAuthenticated
from provisioning.life.health import figures, unreachable
from provisioning.life.sandboxes import Sandboxes
from provisioning.life.scheduling import Scheduler

MOST_JOBS = 4


@dataclass(frozen=True, slots=True)
class Service:
    """The sandboxes, who may ask for them, what is counted, and what works in the background."""

    sandboxes: Sandboxes
    authenticator: Authenticator
    metrics: Metrics
    readiness: Readiness
    jobs: Jobs

    @classmethod
    def over(
        cls, sandboxes: Sandboxes, *, issuer: Issuer | None = None, scheduler: Scheduler | None = None, jobs: int = MOST_JOBS
    ) -> Service:
        """Return the service of these sandboxes."""
        platform = sandboxes.platform
        return cls(
            sandboxes,
            Authenticator(sandboxes, issuer),
            Metrics(lambda: figures(platform), scheduler),
            Readiness(lambda: unreachable(platform)),
            Jobs(jobs),
        )


def service_of(request: Request) -> Service:
    """Return the service of the application that answers this request."""
    return cast(Service, request.app.state.service)


Serving = Annotated[Service, Depends(service_of)]

_api_token = HTTPBearer(
    scheme_name="apiToken",
    bearerFormat="cos_...",
    description="An API token that `companyos token create` made; its scopes are read, write, approve and admin.",
    auto_error=False,
)
_issuer_token = HTTPBearer(
    scheme_name="oidcToken",
    bearerFormat="JWT",
    description="A JWT of the OIDC issuer that the service trusts; it may read and write, its groups decide over the rest.",
    auto_error=False,
)


class Holds:
    """Lets in who holds a token with a scope, and tells the route who that is."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __call__(
        self,
        service: Serving,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_api_token)],
        _: Annotated[HTTPAuthorizationCredentials | None, Depends(_issuer_token)],
    ) -> Caller:
        if bearer is None:
            raise NotAuthenticated("say who you are: Authorization: Bearer TOKEN")
        caller = service.authenticator.caller(bearer.credentials)
        caller.require(self._scope)
        return caller


Reader = Annotated[Caller, Depends(Holds("read"))]
Writer = Annotated[Caller, Depends(Holds("write"))]
Approver = Annotated[Caller, Depends(Holds("approve"))]
Administrator = Annotated[Caller, Depends(Holds("admin"))]
