"""Errors as problem documents, and what they must not tell."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
from serving import PROBLEM, Served, wanted
from yard import ALICE

from companyos.api.hidden_places import without_places
from companyos.api.problems import HTTP, KINDS, SPENT, kind_of
from companyos.api.watching import shown
from provisioning import errors
from schemas.errors import CompanyOSError


def _is_problem(answer, status: int, name: str) -> dict:
    said = answer.json()
    assert (answer.status_code, said["status"], said["type"]) == (status, status, f"urn:companyos:problem:{name}")
    assert answer.headers["content-type"] == PROBLEM
    assert said["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    assert said["title"] and said["detail"]
    return said


def test_unknown_fields_are_refused(served: Served) -> None:
    said = _is_problem(served.as_().post("/sandboxes", json=wanted(ttl=72)), 422, "invalid-request")
    assert [e["at"] for e in said["errors"]] == ["body.ttl"]
    _is_problem(served.as_().get("/sandboxes", params={"ownr": ALICE}), 422, "invalid-request")


@pytest.mark.parametrize(
    "changed",
    [
        {"ttl_hours": "72"}, {"ttl_hours": 0}, {"ttl_hours": -1}, {"ttl_hours": 1e300}, {"ttl_hours": True}, {"owner": None}, {"owner": 7},
        {"owner": ""}, {"owner": "a" * 400}, {"owner": "a\x00b"}, {"feature_flags": "onboarding"}, {"feature_flags": ["x"] * 101},
        {"seed_profile": "a b"}, {"template": ["plain"]}, {"as_of": "today"}, {"why": "a\nb"}, {"why": "x" * 501},
    ],
    ids=str,
)  # fmt: skip
def test_no_type_is_bent_into_another(served: Served, changed: dict) -> None:
    said = _is_problem(served.as_().post("/sandboxes", json=wanted(**changed)), 422, "invalid-request")
    assert {e["at"].split(".")[1] for e in said["errors"]} == set(changed)


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff\xfe", b'{"owner": NaN,}', b"[" * 20_000, b"1" * 10_000, b"\x00", '{"owner": "\ud800"}'.encode("utf-8", "surrogatepass")],
    ids=["cut", "no text", "comma", "deep", "number", "nul", "surrogate"],
)
def test_what_cannot_be_read_is_a_bad_request(served: Served, body: bytes) -> None:
    answer = served.as_().post("/sandboxes", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize(
    "body", ['{"owner": "\\ud800"}', '{"ttl_hours": NaN}', '{"ttl_hours": Infinity}', '{"ttl_hours": 1e999}', "null", "[]", '""']
)
def test_what_json_allows_and_we_do_not_is_refused(served: Served, body: str) -> None:
    answer = served.as_().post("/sandboxes", content=body, headers={"Content-Type": "application/json"})
    _is_problem(answer, 422, "invalid-request")
    json.loads(answer.content)


@pytest.mark.parametrize("said", ["application/x-www-form-urlencoded", "text/plain", None])
def test_who_does_not_say_that_a_body_is_json_is_told_to(served: Served, said: str | None) -> None:
    answer = served.as_().post("/sandboxes", content=json.dumps(wanted()), headers={} if said is None else {"Content-Type": said})
    assert "Content-Type: application/json" in _is_problem(answer, 422, "invalid-request")["detail"]


def test_large_requests_are_refused(served: Served) -> None:
    client = served.as_()
    _is_problem(client.post("/sandboxes", json=wanted(why="x" * 70_000)), 413, "too-large")

    def parts():
        for _ in range(100):
            yield b" " * 1000

    _is_problem(client.post("/sandboxes", content=parts(), headers={"Content-Type": "application/json"}), 413, "too-large")


def test_other_addresses_and_methods(served: Served) -> None:
    client = served.as_()
    _is_problem(client.get("/nothing"), 404, "no-such-resource")
    _is_problem(client.get("/sandboxes/"), 404, "no-such-resource")
    said = client.put("/sandboxes")
    _is_problem(said, 405, "method-not-allowed")
    assert said.headers["allow"] == "GET, POST"
    assert client.patch("/sandboxes/sb-aaaaaaaaaa").headers["allow"] == "DELETE, GET"
    _is_problem(client.get("/sandboxes/SB-1"), 422, "invalid-request")


def test_what_nobody_foresaw_says_nothing_but_where_to_look(served: Served, monkeypatch, caplog) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("password hunter2 of alice@company.com")

    monkeypatch.setattr("provisioning.life.records.page", fail)
    with caplog.at_level(logging.INFO):
        answer = served.as_().get("/sandboxes")
    said = _is_problem(answer, 500, "unexpected")
    assert "hunter2" not in answer.text + caplog.text
    assert "alice" not in answer.text
    assert any(
        said["instance"].removeprefix("urn:uuid:") in line and "RuntimeError" in line and "sandboxes.py" in line for line in caplog.messages
    )


def test_an_unknown_bundle_is_named_without_the_path_of_the_store(served: Served) -> None:
    answer = served.as_().post("/sandboxes", json=wanted(seed_profile="synthetic:v9"))
    detail = _is_problem(answer, 422, "invalid-request")["detail"]
    assert detail.startswith("there is no bundle 'synthetic:v9' in the store [path]; ")
    assert "did you mean" in detail or "under the name 'synthetic' there is" in detail
    assert str(served.yard.folder) not in answer.text


def test_what_fails_on_the_server_is_told_without_its_places_and_logged_with_them(served: Served, monkeypatch, caplog) -> None:
    path = served.yard.folder / "my sandboxes" / "sandbox.duckdb"

    def fail(*_: object, **__: object) -> None:
        raise errors.TargetFailure(f"the sandbox's file '{path}' is locked; ask server at \"db.company.com\", port 5432")

    monkeypatch.setattr("provisioning.hosts.files.FileHost.seed", fail)
    with caplog.at_level(logging.INFO):
        answer = served.as_().post("/sandboxes", json=wanted(), headers={"Idempotency-Key": "k"})
    said = _is_problem(answer, 503, "unavailable")
    assert said["detail"] == "the sandbox's file [path] is locked; ask server at [server]"
    assert any(
        said["instance"].removeprefix("urn:uuid:") in line and str(path) in line and "db.company.com" in line for line in caplog.messages
    )
    [sandbox] = served.as_().get("/sandboxes").json()["sandboxes"]
    assert sandbox["failure"] == said["detail"]
    told = [served.as_().get(f"/sandboxes/{sandbox['id']}{page}").text for page in ("", "/why")]
    told.append(served.as_().post("/sandboxes", json=wanted(), headers={"Idempotency-Key": "k"}).text)
    told.append(served.as_().get("/audit/events", params={"sandbox": sandbox["id"]}).text)
    assert "is locked" in told[-1]
    assert not any(hidden in text for text in told for hidden in (str(served.yard.folder), "company.com\\", "5432"))


def test_a_key_of_the_service_that_cannot_be_read_is_not_the_fault_of_a_client(served: Served, monkeypatch, tmp_path: Path) -> None:
    client = served.as_()
    monkeypatch.setenv("COMPANYOS_AUDIT_KEY", str(tmp_path / "no-key"))
    answer = client.post("/sandboxes", json=wanted())
    assert "the key [path] of $COMPANYOS_AUDIT_KEY" in _is_problem(answer, 503, "unavailable")["detail"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no space is left on the disk of '/srv/a b/c'; free some", "no space is left on the disk of [path]; free some"),
        ('cannot open "file:/srv/a b?mode=ro" now', "cannot open [path] now"),
        ("blob 1 in /srv/bundles is altered; build", "blob 1 in [path] is altered; build"),
        ("the store /store: (/srv/x, /srv/y).", "the store [path]: ([path], [path])."),
        ("duckdb:////srv/x.duckdb is locked", "[path] is locked"),
        ("blob 1 in /srv/my very old bundles/x is altered; build", "blob 1 in [path] is altered; build"),
        ("duckdb:////srv/my data/x.duckdb is locked", "[path] is locked"),
        ("another process has '/srv/o'brien's data/x.db' locked; close 'it'", "another process has [path] locked; close 'it'"),
        ("neither /srv/a nor /srv/b is a store, and/or full", "neither [path] nor [path] is a store, and/or full"),
        (
            'connection to server at "db.company.com" (10.0.0.7), port 5432 failed: refused',
            "connection to server at [server] failed: refused",
        ),
        ('could not translate host name "db-1" to address', "could not translate host name [server] to address"),
        ("failed to resolve host 'db-1': [Errno -2]", "failed to resolve host [server]: [Errno -2]"),
        ("- host: 'db-1', port: 5432, hostaddr: '::1': timeout", "- host: [server], hostaddr: [server]: timeout"),
        ('certificate for "db-1" does not match host name "db-2"', "certificate for [server] does not match host name [server]"),
        ('no pg_hba.conf entry for host "10.0.0.7", user "us"', 'no pg_hba.conf entry for host [server], user "us"'),
        ("at [2001:db8::1]:5432, 10.0.0.7:5432 and 10.0.0.8.", "at [server], [server] and [server]."),
        ("postgresql://alice@db.company.com:5432/x failed", "[server] failed"),
        ("host 'pg': version 1.2.3 of 10:30 [Errno 2]", "host 'pg': version 1.2.3 of 10:30 [Errno 2]"),
        ("say 1/2, and/or https://docs.company.com/a/b", "say 1/2, and/or https://docs.company.com/a/b"),
    ],
)
def test_places_are_hidden_and_nothing_else(text: str, told: str) -> None:
    assert without_places(text) == told


def test_every_error_of_ours_has_a_kind() -> None:
    kinds = {}
    for name, found in vars(errors).items():
        if isinstance(found, type) and issubclass(found, CompanyOSError):
            error = found.__new__(found)
            kinds[name] = kind_of(error).status
    assert 500 not in kinds.values()
    assert {kinds["NotAuthenticated"], kinds["PolicyRefused"], kinds["NoSuchSandbox"], kinds["ControlFailure"]} == {401, 403, 404, 503}
    assert kinds["KeyUsedTwice"] == 422 and kinds["WrongState"] == 409


def test_the_documentation_lists_every_kind() -> None:
    text = (Path(__file__).parents[3] / "docs" / "service.md").read_text()
    told = dict(re.findall(r"^\| (`[a-z`, -]+`) \| ([0-9]{3}) \|", text, re.MULTILINE))
    listed = {(name, int(status)) for names, status in told.items() for name in re.findall(r"`([a-z-]+)`", names)}
    kinds = [kind for _, kind in KINDS] + [*HTTP.values(), SPENT]
    assert listed == {(kind.name, kind.status) for kind in kinds}


def test_answers_are_kept_nowhere(served: Served) -> None:
    answer = served.as_().post("/sandboxes", json=wanted())
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_tokens_in_a_path_do_not_get_into_the_log(served: Served, caplog) -> None:
    token = served.token()
    with caplog.at_level(logging.INFO):
        served.client().get(f"/sandboxes/{token}?access_token={token}")
        served.client(token).get(f"/{token}%0A{token}")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("companyos")]
    assert len(ours) == 2
    assert token not in " ".join(ours)
    assert shown("/a\r\nb/eyJhbGciOi.eyJzdWIi.c2ln") == "/a\\r\\nb/***"
    assert len(shown("/" + "a" * 10_000)) < 300
