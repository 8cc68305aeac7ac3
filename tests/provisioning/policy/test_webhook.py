"""The webhook, asked for real over HTTP: what it is sent, and that nothing but a plain yes in time lets anything pass."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from asking import DIGEST, approved, broken, place, verdict

from provisioning.policy.webhook import MOST_BYTES, refusals
from schemas.cel import VARIABLES
from schemas.environments import Environment, Webhook
from schemas.environments_reference import WEBHOOK_REQUEST
from schemas.errors import InputError

Answer = Callable[[BaseHTTPRequestHandler], None]
FULL = 30.0


class Service:
    """A server on this machine that answers as a test says, and keeps what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.over = Event()


@contextmanager
def serving(answer: Answer) -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
            try:
                answer(self)
            except OSError:
                service.over.set()

        def do_GET(self) -> None:
            service.asked.append((self.path, {}, "GET"))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    service = Service(f"http://127.0.0.1:{server.server_port}/policy")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def saying(body: bytes | str, status: int = 200, **headers: str) -> Answer:
    content = body.encode() if isinstance(body, str) else body

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def reasons(answer: Answer, seconds: float = FULL) -> tuple[str, ...]:
    with serving(answer) as service:
        return refusals(Webhook(service.url, None, seconds), {"version": 1})


def test_a_plain_yes_lets_pass_and_is_one_of_the_rules_that_were_held():
    with serving(saying('{"allow": true}')) as service:
        found = verdict(place(webhook=Webhook(service.url, None, FULL))).require()
    assert found.checked[-1] == "webhook"


def test_each_reason_of_a_no_is_a_violation_beside_all_others():
    with serving(saying('{"allow": false, "reasons": ["a freeze", "no budget"]}')) as service:
        found = broken(place(Environment("dev", {"synthetic": 0}, quota=1), webhook=Webhook(service.url, None, FULL)), live=1)
    assert found["webhook"] == ["a freeze", "no budget"]
    assert "quota" in found


def test_no_proxy_comes_between_us_and_a_service_on_this_machine(monkeypatch: pytest.MonkeyPatch):
    with serving(saying('{"allow": true}')) as proxy, serving(saying('{"allow": false, "reasons": ["a freeze"]}')) as service:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/policy"))
        assert refusals(Webhook(service.url, None, FULL), {"version": 1}) == ("a freeze",)
    assert proxy.asked == []


def test_it_is_sent_the_documented_document():
    with serving(saying('{"allow": true}')) as service:
        environments = place(webhook=Webhook(service.url, None, FULL))
        verdict(environments, bundle_kind="sanitized", approvals=(approved("bob@company.com"),), live=1)
    ((path, headers, document),) = service.asked
    assert path == "/policy"
    assert headers["content-type"] == "application/json"
    assert "authorization" not in headers
    assert document == {
        "version": 1,
        "action": "create",
        "owner": "alice@company.com",
        "groups": ["engineering"],
        "actor": "alice@company.com",
        "template": "place",
        "environment": "dev",
        "kind": "sanitized",
        "seed": "synthetic:v1",
        "bundle_digest": DIGEST,
        "ttl_hours": 72,
        "flags": [],
        "age_hours": 0,
        "live": 1,
        "sandbox": None,
        "approved_by": ["bob@company.com"],
        "at": "2026-03-02T12:00:00.000000Z",
    }
    assert set(json.loads(WEBHOOK_REQUEST)) == set(document)
    assert set(VARIABLES) < set(document)


def test_its_token_is_of_the_environment_and_in_no_message(monkeypatch):
    monkeypatch.setenv("POLICY_TOKEN", "s3cret-token")
    with serving(saying("{}", 403)) as service:
        said = refusals(Webhook(service.url, "POLICY_TOKEN", FULL), {"version": 1})
    assert service.asked[0][1]["authorization"] == "Bearer s3cret-token"
    assert said == ("the policy webhook answered with status 403",)


@pytest.mark.parametrize("token", [None, "", "two words", "line\nbreak", "schlüssel"])
def test_without_a_token_where_one_is_needed_nothing_is_asked(monkeypatch, token):
    monkeypatch.delenv("POLICY_TOKEN", raising=False)
    if token is not None:
        monkeypatch.setenv("POLICY_TOKEN", token)
    with (
        serving(saying('{"allow": true}')) as service,
        pytest.raises(InputError, match="environment variable POLICY_TOKEN holds none") as caught,
    ):
        refusals(Webhook(service.url, "POLICY_TOKEN", FULL), {})
    assert service.asked == []
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (saying('{"allow": false}'), "the policy webhook refuses, and does not say why"),
        (saying('{"allow": false, "reasons": ["  \\u0000\\n "]}'), "the policy webhook refuses"),
        (saying('{"allow": true}', 500), "answered with status 500"),
        (saying('{"allow": true}', 201), "answered with status 201"),
        (saying("", 204), "answered with status 204"),
        (saying('{"allow": true}', 302, Location="/elsewhere"), "answered with a redirect (302), which is not followed"),
        (saying('{"allow": true}', 307, Location="/elsewhere"), "answered with a redirect (307)"),
        (saying(""), "did not answer in JSON"),
        (saying("yes"), "did not answer in JSON"),
        (saying(b"\xff{}"), "did not answer in JSON"),
        (saying('{"allow": false, "allow": true}'), "did not answer in JSON"),
        (saying("[" * 60_000), "did not answer in JSON"),
        (saying("true"), "did not answer with"),
        (saying("{}"), "did not answer with"),
        (saying('{"allow": "true"}'), "did not answer with"),
        (saying('{"allow": 1}'), "did not answer with"),
        (saying('{"allow": null}'), "did not answer with"),
        (saying('[{"allow": true}]'), "did not answer with"),
        (saying('{"allow": true, "reasons": "none"}'), "reasons that are no list of texts"),
        (saying('{"allow": true, "reasons": [1]}'), "reasons that are no list of texts"),
        (saying('{"allow": true}' + " " * MOST_BYTES), "answered with more than 64 KiB"),
        (saying('{"allow": true}', Content_Encoding="gzip"), "an encoding that it was not asked for"),
    ],
)
def test_anything_else_is_no(answer, said):
    found = reasons(answer)
    assert len(found) == 1 and said in found[0]


def test_a_redirect_leads_nowhere():
    with serving(saying("", 307, Location="/elsewhere")) as service:
        assert refusals(Webhook(service.url, None, FULL), {})
    assert [path for path, _, _ in service.asked] == ["/policy"]


def test_reasons_are_few_short_and_printable():
    many = reasons(saying(json.dumps({"allow": False, "reasons": ["x" * 1000 + "\x1b[2J"] * 50})))
    assert len(many) == 20
    assert all(len(reason) == 300 for reason in many)
    assert reasons(saying(json.dumps({"allow": False, "reasons": ["\x1b[2Ja\nb"]}))) == ("[2Ja b",)


def dripping(prelude: bytes, drop: bytes) -> Answer:
    """Begin an answer, and never come to its end: every read is answered long before the time of a read is over."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(prelude)
        while not Event().wait(0.02):
            handler.wfile.write(drop)

    return answer


@pytest.mark.parametrize(
    ("prelude", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    ],
    ids=["body", "headers"],
)
def test_an_answer_that_does_not_end_is_too_late(prelude, drop):
    """It would drip on for as long as anybody listens, so that the test ends at all only where nobody does."""
    with serving(dripping(prelude, drop)) as service:
        assert refusals(Webhook(service.url, None, 0.3), {}) == ("the policy webhook did not answer within 0.3 s",)
        assert service.over.wait(FULL)


def test_a_service_that_says_nothing_is_too_late():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert refusals(Webhook(url, None, 0.2), {}) == ("the policy webhook did not answer within 0.2 s",)


def test_an_answer_that_breaks_off_is_no():
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"allow": true}')

    (said,) = reasons(answer)
    assert said == "the policy webhook could not be asked (RemoteProtocolError)"


def test_a_service_that_is_not_there_is_no():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert refusals(Webhook(f"http://127.0.0.1:{port}/", None, FULL), {}) == ("the policy webhook could not be asked (ConnectError)",)


def test_it_can_be_asked_where_an_event_loop_runs_already():
    import asyncio

    async def within() -> tuple[str, ...]:
        with serving(saying('{"allow": true}')) as service:
            return refusals(Webhook(service.url, None, FULL), {})

    assert asyncio.run(within()) == ()


def test_without_the_extra_nothing_is_allowed_where_there_is_a_webhook(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(InputError, match=r"pip install 'companyos-data\[policy\]'"):
        verdict(place(webhook=Webhook("http://127.0.0.1:1/", None, 1.0)))
