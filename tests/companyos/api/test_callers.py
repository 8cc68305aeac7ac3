"""Who is let in, and what their token allows."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest
from serving import PROBLEM, Served, wanted
from yard import ALICE, BOB, Yard

sys.path.insert(0, str(Path(__file__).parents[2] / "provisioning" / "access"))

from issuing import AUDIENCE, LocalIssuer

from provisioning.access.issuers import Issuer
from provisioning.access.keys import Keys
from provisioning.access.tokens import revoke, tokens

OPEN = {"/healthz", "/readyz", "/metrics", "/openapi.json"}


def test_everything_but_health_takes_a_token(served: Served) -> None:
    client = served.client()
    document = client.get("/openapi.json").json()
    seen = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answer = client.request(method, path.replace("{id}", "sb-aaaaaaaaaa"), json={} if method == "post" else None)
            seen += 1
            if path in OPEN:
                assert answer.status_code == 200
                assert "security" not in operation
            else:
                assert answer.status_code == 401, (method, path)
                assert answer.headers["content-type"] == PROBLEM
                assert answer.headers["www-authenticate"] == 'Bearer realm="companyos"'
                assert operation["security"] == [{"apiToken": []}, {"oidcToken": []}]
    assert seen >= 15


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YTpi", "bearer x y", "Bearer cos_" + "a" * 43, "Bearer " + "a" * 20_000, "Bearer \xe4", "cos_x"],
)
def test_what_is_no_token_opens_nothing(served: Served, header: str) -> None:
    served.token()
    answer = served.client().get("/sandboxes", headers={b"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:companyos:problem:not-authenticated"


def test_a_token_in_the_address_opens_nothing(served: Served) -> None:
    token = served.token()
    for name in ("access_token", "token"):
        assert served.client().get("/sandboxes", params={name: token}).status_code == 401


def test_a_token_that_is_over_or_revoked_opens_nothing(served: Served) -> None:
    client = served.client(served.token(valid=timedelta(hours=1)))
    assert client.get("/sandboxes").status_code == 200
    served.yard.clock.move(hours=1)
    assert client.get("/sandboxes").status_code == 401
    other = served.as_()
    assert other.get("/sandboxes").status_code == 200
    revoke(served.yard.control, tokens(served.yard.control)[-1].id, actor="ops")
    assert other.get("/sandboxes").status_code == 401


def test_scopes_hold(served: Served) -> None:
    reader = served.as_(ALICE, "read")
    assert reader.get("/sandboxes").status_code == 200
    refused = reader.post("/sandboxes", json=wanted())
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:companyos:problem:scope-missing")
    assert refused.headers["www-authenticate"] == 'Bearer realm="companyos", error="insufficient_scope", scope="write"'
    writer = served.as_(ALICE, "write")
    id = writer.post("/sandboxes", json=wanted()).json()["id"]
    assert writer.get(f"/sandboxes/{id}").status_code == 403
    for method, rest, body in (
        ("POST", "/extend", {"hours": 1}),
        ("POST", "/reset", {}),
        ("POST", "/connection", {}),
        ("DELETE", "", None),
    ):
        assert reader.request(method, f"/sandboxes/{id}{rest}", json=body).status_code == 403
    assert writer.delete(f"/sandboxes/{id}").status_code == 200


def test_who_is_in_the_file_no_more_is_refused(served: Served) -> None:
    answer = served.as_("carol@left.org", "admin").get("/sandboxes")
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:companyos:problem:unknown-caller")


def test_tokens_of_an_issuer_are_taken_where_one_is_trusted(yard: Yard, served: Served) -> None:
    issuer = LocalIssuer()
    issuer.add("k1")
    try:
        trusted = Issuer(issuer.url, AUDIENCE, Keys(issuer.url, seconds=2), admins="platform", approvers="leads")
        assert served.client(issuer.token("k1")).get("/sandboxes").status_code == 401  # by a service that trusts none
        with Served(yard, issuer=trusted) as other:
            alice = other.client(issuer.token("k1", groups=["engineering"]))
            id = alice.post("/sandboxes", json=wanted()).json()["id"]
            assert alice.post("/sweep", json={}).status_code == 403
            bob = other.client(issuer.token("k1", email=BOB))
            assert bob.get(f"/sandboxes/{id}").status_code == 404
            admin = other.client(issuer.token("k1", email=BOB, groups=["platform"]))
            assert admin.get(f"/sandboxes/{id}").json()["owner"] == ALICE
            assert other.client(issuer.token("k1", exp=1)).get("/sandboxes").status_code == 401
            assert other.as_().get("/sandboxes").status_code == 200  # API tokens go on
            stranger = other.client(issuer.token("k1", email="eve@elsewhere.org")).get("/sandboxes")
            assert stranger.json()["type"] == "urn:companyos:problem:unknown-caller"
    finally:
        issuer.close()


def test_whom_only_an_issuer_knows_is_approved_and_cared_for_all_the_same(yard: Yard) -> None:
    issuer = LocalIssuer()
    issuer.add("k1")
    try:
        trusted = Issuer(issuer.url, AUDIENCE, Keys(issuer.url, seconds=2), admins="platform", approvers="leads")
        with Served(yard, issuer=trusted) as served:
            eve = served.client(issuer.token("k1", email="eve@elsewhere.org", groups=["engineering"]))
            id = eve.post("/sandboxes", json=wanted(owner="eve@elsewhere.org")).json()["id"]
            admin = served.client(issuer.token("k1", email=BOB, groups=["platform"]))
            assert admin.post(f"/sandboxes/{id}/extend", json={"hours": 24}).status_code == 200
            load = {"what": "load", "seed_profile": "synthetic:v2", "owner": "eve@elsewhere.org", "template": "plain", "why": "a bug"}
            lead = served.client(issuer.token("k1", email=BOB, groups=["leads"]))
            assert lead.post("/approvals", json=load).status_code == 201
            recalled = yard.sandboxes.recall("synthetic:v1", "reset", to="synthetic:v2", actor="ops", why="a name leaked")
            assert (recalled.done, recalled.errors) == ({id: "reset"}, [])
        with Served(yard) as served:
            assert served.as_(BOB, "approve").post("/approvals", json=load).status_code == 422
    finally:
        issuer.close()


def test_without_the_issuers_keys_the_service_is_unavailable_and_not_open(yard: Yard) -> None:
    issuer = LocalIssuer()
    issuer.add("k1")
    token = issuer.token("k1")
    issuer.close()
    with Served(yard, issuer=Issuer(issuer.url, AUDIENCE, Keys(issuer.url, seconds=1))) as served:
        answer = served.client(token).get("/sandboxes")
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:companyos:problem:unavailable")
        assert served.as_().get("/sandboxes").status_code == 200
