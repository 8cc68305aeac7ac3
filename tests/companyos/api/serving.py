"""A service in this process, and what clients send to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from yard import ALICE, Yard

from companyos.api.application import application
from companyos.api.service import Service
from provisioning.access.tokens import issue

PROBLEM = "application/problem+json"


class Served:
    """The service of a yard. `as_` gives a client that sends a token of somebody's."""

    def __init__(self, yard: Yard, **more: Any) -> None:
        self.yard = yard
        self.service = Service.over(yard.sandboxes, **more)
        self.app = application(self.service)
        self._clients: list[TestClient] = []

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()
        self.service.jobs.close(30)

    def token(self, owner: str = ALICE, *scopes: str, valid: timedelta = timedelta(days=30)) -> str:
        return issue(self.yard.control, owner, scopes or ("read", "write"), valid, actor="test")[1]

    def client(self, token: str | None = None) -> TestClient:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        client = TestClient(self.app, headers=headers, raise_server_exceptions=False)
        self._clients.append(client)
        return client

    def as_(self, owner: str = ALICE, *scopes: str) -> TestClient:
        return self.client(self.token(owner, *scopes))


def wanted(**more: object) -> dict[str, object]:
    """What a client asks for."""
    return {"owner": ALICE, "template": "plain", "seed_profile": "synthetic:v1", **more}
