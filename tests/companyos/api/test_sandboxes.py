"""Sandboxes over HTTP: what is asked for, what is answered, and by whom it may be."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from serving import PROBLEM, Served, wanted
from yard import ALICE, BEGIN, BOB, Yard

from provisioning.audit import record
from provisioning.demo.tenants import create_tenant
from provisioning.errors import TargetFailure

UNKNOWN = "sb-aaaaaaaaaa"


def test_the_body_of_the_documentation_makes_a_sandbox(served: Served) -> None:
    body = {
        "owner": "alice@company.com",
        "template": "plain",
        "ttl_hours": 72,
        "seed_profile": "synthetic:v1",
        "feature_flags": ["onboarding", "billing"],
    }
    answer = served.as_().post("/sandboxes", json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["Location"] == f"/sandboxes/{made['id']}"
    assert (made["state"], made["owner"], made["seed_profile"]) == ("ready", ALICE, "synthetic:v1")
    assert made["feature_flags"] == {"onboarding": True, "billing": True}
    assert made["created_at"] == "2026-03-02T09:00:00Z"
    assert made["expires_at"] == "2026-03-05T09:00:00Z"
    assert made["url"].startswith("duckdb:///")
    shown = served.as_().get(answer.headers["Location"]).json()
    assert shown == {name: value for name, value in made.items() if name != "url"}


def test_the_ledger_names_who_asked(served: Served) -> None:
    id = served.as_().post("/sandboxes", json=wanted(why="bug 7")).json()["id"]
    events = served.as_().get("/audit/events", params={"sandbox": id}).json()["events"]
    assert [(e["action"], e["actor"], e["why"]) for e in events] == [("ready", ALICE, ""), ("requested", ALICE, "bug 7")]


def test_the_same_key_gives_the_same_sandbox(served: Served) -> None:
    client, key = served.as_(), {"Idempotency-Key": "a-key"}
    first = client.post("/sandboxes", json=wanted(), headers=key)
    second = client.post("/sandboxes", json=wanted(), headers=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    other = client.post("/sandboxes", json=wanted(ttl_hours=5), headers=key)
    assert other.status_code == 422
    assert other.json()["type"] == "urn:companyos:problem:idempotency-key-reused"
    assert len(client.get("/sandboxes").json()["sandboxes"]) == 1


def test_a_key_of_somebody_else_is_another_key(served: Served) -> None:
    key = {"Idempotency-Key": "a-key"}
    first = served.as_().post("/sandboxes", json=wanted(), headers=key).json()
    second = served.as_(BOB).post("/sandboxes", json=wanted(owner=BOB), headers=key).json()
    assert first["id"] != second["id"]


def test_two_requests_at_once_with_one_key_make_one_sandbox(served: Served) -> None:
    token, both = served.token(), threading.Barrier(2)

    def ask(client):
        both.wait()
        return client.post("/sandboxes", json=wanted(), headers={"Idempotency-Key": "one"})

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(ask, [served.client(token), served.client(token)]))
    assert {a.status_code for a in answers} <= {201, 202}
    assert len({a.json()["id"] for a in answers}) == 1
    assert len(served.as_().get("/sandboxes").json()["sandboxes"]) == 1


def test_a_key_whose_sandbox_is_gone_is_spent(served: Served) -> None:
    client, key = served.as_(), {"Idempotency-Key": "a-key"}
    id = client.post("/sandboxes", json=wanted(), headers=key).json()["id"]
    assert client.delete(f"/sandboxes/{id}").json()["state"] == "deleted"
    again = client.post("/sandboxes", json=wanted(), headers=key)
    assert again.status_code == 409
    assert again.json()["sandbox"] == id
    assert "new key" in again.json()["detail"]


def test_who_does_not_wait_gets_an_address_to_look_at(served: Served) -> None:
    client = served.as_()
    answer = client.post("/sandboxes", json=wanted(), headers={"Prefer": "wait=5, respond-async"})
    assert answer.status_code == 202, answer.text
    assert answer.json()["url"] is None
    assert answer.headers["Retry-After"] == "1"
    for _ in range(600):
        shown = client.get(answer.headers["Location"]).json()
        if shown["state"] not in ("requested", "provisioning"):
            break
        time.sleep(0.05)
    assert shown["state"] == "ready"
    assert client.post(f"/sandboxes/{shown['id']}/connection", json={}).json()["url"].startswith("duckdb:///")


def test_what_fails_when_its_request_is_answered_stands_in_the_log(tmp_path: Path, built: Path, caplog: pytest.LogCaptureFixture) -> None:
    answered = threading.Event()

    def fail(step: str) -> None:
        if step == "seeded":
            answered.wait(60)
            raise RuntimeError("a secret")

    (tmp_path / "store").symlink_to(built / "store")
    yard = Yard(tmp_path, on_step=fail)
    with Served(yard) as served:
        answer = served.as_().post("/sandboxes", json=wanted(), headers={"Prefer": "respond-async"})
        answered.set()
    assert answer.status_code == 202
    [said] = [r.getMessage() for r in caplog.records if r.name == "companyos.failures"]
    assert said.startswith(f"{answer.headers['X-Request-Id']} failed: RuntimeError at ")
    assert "secret" not in caplog.text
    yard.close()


def test_who_does_not_wait_is_refused_at_once(served: Served) -> None:
    answer = served.as_().post("/sandboxes", json=wanted(ttl_hours=80_000), headers={"Prefer": "respond-async"})
    assert answer.status_code == 403
    assert answer.json()["violations"]


def test_who_does_not_wait_is_served_even_when_all_threads_work(yard: Yard) -> None:
    with Served(yard, jobs=1) as served:
        going_on = threading.Event()
        served.service.jobs.start(lambda: going_on.wait(60))
        answer = served.as_().post("/sandboxes", json=wanted(), headers={"Prefer": "respond-async"})
        going_on.set()
        assert answer.status_code == 201


@pytest.mark.parametrize(
    "call",
    [
        ("GET", "", None),
        ("GET", "/why", None),
        ("POST", "/extend", {"hours": 1}),
        ("POST", "/reset", {}),
        ("POST", "/snapshot", {}),
        ("POST", "/connection", {}),
        ("DELETE", "", None),
    ],
    ids=lambda call: f"{call[0]}{call[1]}",
)
def test_what_is_somebody_elses_is_not_there(served: Served, call: tuple[str, str, dict | None]) -> None:
    id = served.as_().post("/sandboxes", json=wanted()).json()["id"]
    method, rest, body = call
    others, nobodys = (served.as_(BOB).request(method, f"/sandboxes/{i}{rest}", json=body) for i in (id, UNKNOWN))
    assert (others.status_code, nobodys.status_code) == (404, 404)
    without = [{**a.json(), "instance": None, "detail": a.json()["detail"].replace(i, "ID")} for a, i in ((others, id), (nobodys, UNKNOWN))]
    assert without[0] == without[1]
    assert served.as_().get(f"/sandboxes/{id}").json()["state"] == "ready"


def test_ids_of_others_are_not_suggested(served: Served) -> None:
    id = served.as_().post("/sandboxes", json=wanted()).json()["id"]
    near = id[:-1] + ("a" if id[-1] != "a" else "b")
    for client in (served.as_(BOB), served.as_(BOB, "read", "write", "approve")):
        for answer in (client.get(f"/sandboxes/{near}"), client.get(f"/sandboxes/{near}/why")):
            assert answer.status_code == 404
            assert id not in answer.text
    said = served.as_(BOB, "approve").post("/approvals", json={"what": "extend", "sandbox": near, "why": "so"})
    assert said.status_code == 404
    assert id not in said.text


def test_an_owner_asks_for_themselves_and_an_administrator_for_all(served: Served) -> None:
    refused = served.as_(BOB).post("/sandboxes", json=wanted(owner=ALICE))
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:companyos:problem:not-yours")
    made = served.as_(BOB, "admin").post("/sandboxes", json=wanted(owner=ALICE))
    assert made.status_code == 201
    id = made.json()["id"]
    assert served.as_().get(f"/sandboxes/{id}").status_code == 200
    assert served.as_(BOB, "admin").delete(f"/sandboxes/{id}").status_code == 200


def test_a_list_shows_ones_own_and_an_administrator_all(served: Served) -> None:
    for owner in (ALICE, BOB):
        assert served.as_(owner).post("/sandboxes", json=wanted(owner=owner)).status_code == 201

    def owners(client, **asked):
        return sorted(s["owner"] for s in client.get("/sandboxes", params=asked).json()["sandboxes"])

    assert owners(served.as_()) == [ALICE]
    assert owners(served.as_(), owner="Alice@Company.com") == [ALICE]
    assert served.as_().get("/sandboxes", params={"owner": BOB}).status_code == 403
    assert owners(served.as_(BOB, "admin")) == [ALICE, BOB]
    assert owners(served.as_(BOB, "admin"), owner=ALICE) == [ALICE]


def test_pages_follow_each_other_by_their_links(served: Served) -> None:
    client, made = served.as_(), []
    for _ in range(5):
        served.yard.clock.move(minutes=1)
        made.append(client.post("/sandboxes", json=wanted()).json()["id"])
    found, address = [], "/sandboxes?limit=2&state=ready&state=expired"
    for _ in range(3):
        page = client.get(address)
        found += [s["id"] for s in page.json()["sandboxes"]]
        link = page.headers.get("Link")
        assert (link is None) == (page.json()["next"] is None)
        if link is None:
            break
        address = link.partition("<")[2].partition(">")[0]
        assert link.endswith('; rel="next"')
        assert "state=ready&state=expired" in address
    assert found == made[::-1]
    assert link is None


def test_a_sandbox_lives_longer_as_far_as_its_owner_may_ask(served: Served) -> None:
    client = served.as_()
    id = client.post("/sandboxes", json=wanted(ttl_hours=24)).json()["id"]
    assert client.post(f"/sandboxes/{id}/extend", json={"hours": 24}).json()["expires_at"] == "2026-03-04T09:00:00Z"
    refused = client.post(f"/sandboxes/{id}/extend", json={"hours": 300})
    assert refused.status_code == 403
    assert "extension" in [v["rule"] for v in refused.json()["violations"]]
    approval = {"what": "extend", "sandbox": id, "why": "the customer tests", "valid_hours": 400}
    own = served.as_(ALICE, "approve").post("/approvals", json=approval)
    assert (own.status_code, own.json()["type"]) == (403, "urn:companyos:problem:refused")
    assert served.as_(BOB).post("/approvals", json=approval).json()["type"] == "urn:companyos:problem:scope-missing"
    given = served.as_(BOB, "approve").post("/approvals", json=approval)
    assert given.status_code == 201, given.text
    assert (given.json()["by"], given.json()["owner"], given.json()["sandbox"]) == (BOB, ALICE, id)
    assert client.post(f"/sandboxes/{id}/extend", json={"hours": 300}).status_code == 200


def test_a_long_life_is_approved_before_a_sandbox_is_made(served: Served) -> None:
    client = served.as_(ALICE)
    refused = client.post("/sandboxes", json=wanted(ttl_hours=240))
    assert (refused.status_code, [v["rule"] for v in refused.json()["violations"]]) == (403, ["extension"])
    approval = {"what": "long-life", "owner": ALICE, "template": "plain", "why": "a pilot", "valid_hours": 200}
    assert served.as_(ALICE, "approve").post("/approvals", json=approval).json()["type"] == "urn:companyos:problem:refused"
    given = served.as_(BOB, "approve").post("/approvals", json=approval)
    assert (given.status_code, given.json()["by"], given.json()["sandbox"]) == (201, BOB, None)
    made = client.post("/sandboxes", json=wanted(ttl_hours=240)).json()
    assert made["expires_at"] == "2026-03-10T17:00:00Z"
    assert served.as_(BOB).post("/sandboxes", json=wanted(owner=BOB, ttl_hours=240)).status_code == 403


def test_a_bundle_is_approved_for_an_owner(served: Served) -> None:
    body = {"what": "load", "seed_profile": "synthetic:v1", "owner": ALICE, "template": "plain", "why": "bug 4711"}
    given = served.as_(BOB, "approve").post("/approvals", json=body)
    assert given.status_code == 201, given.text
    assert given.json()["bundle_digest"].startswith("sha256:")
    unknown = served.as_(BOB, "approve").post("/approvals", json={**body, "template": "plian"})
    assert unknown.status_code == 422
    assert "did you mean 'plain'" in unknown.json()["detail"]


def test_a_reset_gives_other_data_and_the_same_sandbox(served: Served) -> None:
    client = served.as_()
    id = client.post("/sandboxes", json=wanted()).json()["id"]
    reset = client.post(f"/sandboxes/{id}/reset", json={"seed_profile": "synthetic:v2", "why": "next"})
    assert reset.status_code == 200, reset.text
    assert (reset.json()["id"], reset.json()["seed_profile"], reset.json()["state"]) == (id, "synthetic:v2", "ready")
    assert reset.json()["url"]


def test_all_that_is_against_the_policy_is_told_at_once(served: Served) -> None:
    answer = served.as_().post("/sandboxes", json=wanted(ttl_hours=24 * 365, template="demo"))
    assert answer.status_code == 403
    assert answer.headers["content-type"] == PROBLEM
    said = answer.json()
    assert said["type"] == "urn:companyos:problem:policy-refused"
    assert {"ttl", "extension"} & {v["rule"] for v in said["violations"]}
    why = served.as_().get(f"/sandboxes/{said['sandbox']}/why").json()
    assert (why["verdict"], len(why["reasons"])) == ("refused", len(said["violations"]))
    assert served.as_(BOB).get(f"/sandboxes/{said['sandbox']}/why").status_code == 404


@pytest.mark.parametrize(
    ("changed", "hint"),
    [
        ({"template": "plian"}, "did you mean 'plain'"),
        ({"seed_profile": "synthetic:v9"}, "synthetic:v9"),
        ({"feature_flags": ["onbording"]}, "did you mean 'onboarding'"),
        ({"as_of": "2026-99-99"}, "2026-99-99"),
    ],
    ids=["template", "bundle", "flag", "day"],
)
def test_what_is_unknown_is_told_with_what_is_near(served: Served, changed: dict, hint: str) -> None:
    answer = served.as_().post("/sandboxes", json=wanted(**changed))
    assert answer.status_code in (403, 422), answer.text
    assert hint in answer.text


def test_an_owner_whom_nobody_knows_is_an_error_of_the_administrator(served: Served) -> None:
    answer = served.as_(ALICE, "admin").post("/sandboxes", json=wanted(owner="eve@elsewhere.org"))
    assert answer.status_code == 422
    assert "eve@elsewhere.org" in answer.json()["detail"]


def test_a_host_that_fails_is_unavailable_and_leaves_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TargetFailure("the server at postgresql://admin:secret@db/x went away")

    monkeypatch.setattr(served.yard.host, "admit", fail)
    answer = served.as_().post("/sandboxes", json=wanted())
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "secret" not in answer.text
    assert [s["state"] for s in served.as_().get("/sandboxes").json()["sandboxes"]] == ["failed"]


def test_a_sandbox_that_is_gone_is_still_told_of(served: Served) -> None:
    client = served.as_()
    id = client.post("/sandboxes", json=wanted()).json()["id"]
    assert client.delete(f"/sandboxes/{id}", params={"why": "done"}).json()["state"] == "deleted"
    assert client.delete(f"/sandboxes/{id}").status_code == 200
    assert client.get(f"/sandboxes/{id}").json()["state"] == "deleted"
    assert client.get(f"/sandboxes/{id}/why").json()["verdict"] == "gone"
    assert client.get("/sandboxes").json()["sandboxes"] == []
    gone = client.post(f"/sandboxes/{id}/connection", json={})
    assert (gone.status_code, gone.json()["type"]) == (409, "urn:companyos:problem:wrong-state")


def test_a_protected_sandbox_goes_by_force_and_with_a_reason(served: Served) -> None:
    client = served.as_()
    id = client.post("/sandboxes", json=wanted(template="guarded")).json()["id"]
    for asked in ({}, {"force": True}):
        refused = client.delete(f"/sandboxes/{id}", params=asked)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:companyos:problem:delete-protected")
    assert client.delete(f"/sandboxes/{id}", params={"force": True, "why": "the demo is over"}).status_code == 200


def test_a_sweep_is_an_administrators(served: Served) -> None:
    id = served.as_().post("/sandboxes", json=wanted(ttl_hours=1)).json()["id"]
    served.yard.clock.move(hours=2)
    assert served.as_().post("/sweep", json={}).json()["type"] == "urn:companyos:problem:scope-missing"
    admin = served.as_(BOB, "admin")
    assert admin.post("/sweep", json={"dry_run": True}).json()["expired"] == [id]
    assert admin.get(f"/sandboxes/{id}").json()["state"] == "ready"
    assert admin.post("/sweep", json={}).json()["expired"] == [id]
    assert admin.get(f"/sandboxes/{id}").json()["state"] == "deleted"


def test_the_whole_ledger_is_an_administrators(served: Served) -> None:
    served.as_().post("/sandboxes", json=wanted())
    assert served.as_().get("/audit/events").json()["type"] == "urn:companyos:problem:not-yours"
    assert served.as_(BOB).get("/audit/events", params={"sandbox": UNKNOWN}).status_code == 404
    admin = served.as_(BOB, "admin")
    page = admin.get("/audit/events", params={"limit": 2}).json()
    numbers = [e["number"] for e in page["events"]]
    assert numbers == sorted(numbers, reverse=True) and len(numbers) == 2
    assert admin.get("/audit/events", params={"before": page["next"], "limit": 1}).json()["events"][0]["number"] == numbers[-1] - 1


def test_events_are_told_without_places_of_the_server(served: Served) -> None:
    admin = served.as_(BOB, "admin")
    with served.yard.control.write() as connection:
        record(
            connection,
            at=served.yard.clock(),
            actor="test",
            action="failed",
            sandbox=None,
            why="see /srv/my notes/x",
            outcome={"violations": [{"message": 'server at "db.company.com" (10.0.0.7), port 5432 is full'}]},
            details={"files": ["/srv/a", {"name": "'/srv/b c'"}], "rows": 7},
        )
    [event] = admin.get("/audit/events", params={"limit": 1}).json()["events"]
    assert event["whole"] and event["why"] == "see [path]"
    assert event["outcome"] == {"violations": [{"message": "server at [server] is full"}]}
    assert event["details"] == {"files": ["[path]", {"name": "[path]"}], "rows": 7}


def test_environments_and_templates_are_told(served: Served) -> None:
    told = served.as_(ALICE, "read").get("/environments").json()
    assert told["environments"]["dev"]["classes"] == {"synthetic": 0, "sanitized": 1}
    assert told["templates"]["plain"]["feature_flags"] == {"onboarding": False, "billing": True}


def test_moments_are_those_of_the_control_database(served: Served) -> None:
    made = served.as_().post("/sandboxes", json=wanted()).json()
    assert made["created_at"] == BEGIN.isoformat().replace("+00:00", "Z")


def test_a_snapshot_is_called_by_its_sandbox_and_moves_no_other_tag(served: Served) -> None:
    client = served.as_()
    id = client.post("/sandboxes", json=wanted()).json()["id"]
    first = client.post(f"/sandboxes/{id}/snapshot", json={"why": "a bug"})
    assert first.status_code == 201, first.text
    assert (first.json()["reference"], first.json()["kind"]) == (f"synthetic:{id}", "synthetic")
    labelled = client.post(f"/sandboxes/{id}/snapshot", json={"label": "before"}).json()
    assert labelled["reference"] == f"synthetic:{id}.before"
    assert labelled["content_digest"] == first.json()["content_digest"]
    assert client.post(f"/sandboxes/{id}/snapshot", json={"tag": "synthetic:v1"}).status_code == 422
    restored = served.as_(BOB).post("/sandboxes", json=wanted(owner=BOB, seed_profile=f"synthetic:{id}.before"))
    assert restored.status_code == 201, restored.text
    assert restored.json()["receipt"]["content_digest"] == first.json()["content_digest"]


def test_manifests_isolate_a_sandbox_and_hold_no_password(served: Served) -> None:
    client = served.as_()
    id = client.post("/sandboxes", json=wanted()).json()["id"]
    answer = client.get(f"/sandboxes/{id}/manifests")
    assert answer.status_code == 200, answer.text
    assert {"Namespace", "NetworkPolicy", "ResourceQuota"} <= {item["kind"] for item in answer.json()["items"]}
    assert served.as_(BOB).get(f"/sandboxes/{id}/manifests").status_code == 404


def _tenant(served: Served, name: str, owner: str) -> str:
    made = create_tenant(
        served.yard.platform,
        name,
        owner=served.yard.sandboxes.who(owner),
        template="demo",
        seed="synthetic:v1",
        ttl=None,
        as_of="now",
        actor=owner,
        why="",
    )
    return made.sandbox.id


def test_demo_tenants_are_reset_by_their_owners_and_by_administrators(served: Served) -> None:
    ids = {"demo-acme": _tenant(served, "demo-acme", ALICE), "demo-beta": _tenant(served, "demo-beta", BOB)}

    def done(client, **asked):
        answer = client.post("/demo/reset", json=asked)
        assert answer.status_code == 200, answer.text
        return {t["tenant"]: (t["sandbox"], t["done"]) for t in answer.json()["tenants"]}

    admin = served.as_(BOB, "admin")
    assert done(admin, tenant="demo-*", force=True, dry_run=True) == {n: (i, "would be reset") for n, i in ids.items()}
    assert done(admin, tenant="demo-*", force=True, why="friday") == {n: (i, "reset") for n, i in ids.items()}
    assert done(served.as_(), tenant="demo-acme") == {"demo-acme": (ids["demo-acme"], "skipped")}
    for pattern in ("demo-beta", "demo-*", "demo-none"):
        refused = served.as_().post("/demo/reset", json={"tenant": pattern})
        assert (refused.status_code, refused.json()["type"]) == (404, "urn:companyos:problem:no-such-tenant")
        assert "beta" not in refused.json()["detail"].replace(f"'{pattern}'", "")
    assert admin.post("/demo/reset", json={"tenant": "demo-none"}).status_code == 404


def test_passwords_get_to_the_owner_and_nowhere_else(tmp_path: Path, built: Path, postgres: str, monkeypatch, caplog) -> None:
    monkeypatch.setenv("YARD_POSTGRES", postgres)
    (tmp_path / "store").symlink_to(built / "store")
    yard = Yard(tmp_path, "postgresql")
    with caplog.at_level(logging.DEBUG), Served(yard) as served:
        client = served.as_()
        made = client.post("/sandboxes", json=wanted()).json()
        address = f"/sandboxes/{made['id']}"
        try:
            again = client.post(f"{address}/connection", json={}).json()["url"]
            rotated = client.post(f"{address}/connection", json={"rotate": True}).json()["url"]
            reset = client.post(f"{address}/reset", json={}).json()["url"]
            rest = [client.get(path).text for path in (address, f"{address}/why", f"/audit/events?sandbox={made['id']}", "/metrics")]
        finally:
            assert client.delete(address).status_code == 200
    urls = [made["url"], rotated, reset]
    assert again == made["url"]
    passwords = {urlsplit(url).password for url in urls}
    assert len(passwords) == 3 and None not in passwords
    for password in passwords:
        assert password not in caplog.text + "".join(rest)
    yard.close()
