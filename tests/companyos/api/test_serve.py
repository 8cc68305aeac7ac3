"""The commands `serve` and `token`, in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from serving import wanted
from yard import ALICE, build

from companyos.cli import run

ENVIRONMENTS = """
environments: {local: {classes: {synthetic: 0}}}
hosts: {files: {kind: duckdb}}
templates:
  plain: {environment: local, host: files, seeds: ["synthetic:*"], approved: {infrastructure: a@company.com, data: b@company.com}}
owners: {"*@company.com": [engineering]}
"""


@pytest.fixture
def home(tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path))
    (tmp_path / "environments.yaml").write_text(ENVIRONMENTS)
    monkeypatch.setenv("COMPANYOS_ENVIRONMENTS", str(tmp_path / "environments.yaml"))
    (tmp_path / "bundles").symlink_to(built / "store")
    for name in [n for n in os.environ if n.startswith("COMPANYOS_OIDC_")]:
        monkeypatch.delenv(name)
    return tmp_path


def said(capsys, *arguments: str) -> dict:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def failed(capsys, *arguments: str) -> str:
    capsys.readouterr()
    assert run(list(arguments)) == 2
    return capsys.readouterr().err


class Process:
    """`companyos serve`, with its output in files."""

    def __init__(self, home: Path, *options: str, first: str = "") -> None:
        self.log = home / "serve.log"
        command = [sys.executable, "-c", f"{first}\nfrom companyos.cli import main; main()", "serve", "--port", "0", "--json", *options]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.url = json.loads(line)["url"]

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.process.stdout.close()
        return code


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    made: list[Process] = []
    yield made
    for process in made:
        if process.process.poll() is None:
            process.process.kill()
            process.process.wait()
        process.process.stdout.close()


def test_a_service_serves_ends_in_peace_and_keeps_no_token_in_its_log(home: Path, capsys, processes: list[Process]) -> None:
    token = said(capsys, "token", "create", "--owner", ALICE)["token"]
    admin = said(capsys, "token", "create", "--owner", ALICE, "--scope", "admin")["token"]
    service = Process(home, "--scheduler")
    processes.append(service)
    with httpx.Client(base_url=service.url, trust_env=False, timeout=60) as client:
        bearer = {"Authorization": f"Bearer {token}"}
        for _ in range(500):
            if client.get("/readyz").status_code == 200 and "companyos_scheduler_sweeps_total 1.0" in client.get("/metrics").text:
                break
            time.sleep(0.05)
        else:
            raise AssertionError(service.log.read_text())
        made = client.post("/sandboxes", json=wanted(), headers=bearer)
        assert made.status_code == 201, made.text
        assert "server" not in made.headers
        assert client.get(f"/sandboxes?access_token={token}").status_code == 401
        assert client.get(f"/sandboxes/{token}", headers=bearer).status_code == 422
        assert client.get("/sandboxes", headers={"Authorization": f"Bearer {token[:-1]}"}).status_code == 401
        assert client.post("/sweep", json={}, headers={"Authorization": f"Bearer {admin}"}).status_code == 200
        later = client.post("/sandboxes", json=wanted(), headers=bearer | {"Prefer": "respond-async"})
        assert later.status_code == 202
    assert service.end() == 0
    log = service.log.read_text()
    assert "POST /sandboxes 201" in log and "GET /sandboxes/*** 422" in log
    kept = [p for p in home.rglob("*") if p.is_file() and _is_ours(p)]
    for secret in (token[4:-1], admin[4:-1]):
        for path in kept:
            assert secret.encode() not in path.read_bytes(), path
    assert ALICE not in log
    assert "Traceback" not in log
    states = {s["id"]: s["state"] for s in said(capsys, "sandbox", "list")["sandboxes"]}
    assert states == {made.json()["id"]: "ready", later.json()["id"]: "ready"}


@pytest.mark.slow
def test_a_database_server_that_is_lost_in_the_midst_of_a_load_takes_no_service_along(
    home: Path, capsys, processes: list[Process], monkeypatch: pytest.MonkeyPatch, postgres: str
) -> None:
    monkeypatch.setenv("SERVED_POSTGRES", postgres)
    policies = home / "environments.yaml"
    policies.write_text(policies.read_text().replace("kind: duckdb", "kind: postgresql, url_from: SERVED_POSTGRES"))
    (home / "bundles").unlink()
    build(home, "synthetic:v1", rows=50_000)
    (home / "store").rename(home / "bundles")
    token = said(capsys, "token", "create", "--owner", ALICE)["token"]
    service = Process(home)
    processes.append(service)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=service.url, trust_env=False, timeout=120, headers=headers) as client, ThreadPoolExecutor(1) as thread:
        asked = thread.submit(client.post, "/sandboxes", json=wanted())
        with psycopg.connect(postgres, autocommit=True) as connection:
            busy = (
                "SELECT pid FROM pg_stat_activity WHERE datname LIKE 'companyos_m_%' AND state = 'active' AND query LIKE 'ALTER TABLE%KEY%'"
            )
            while not asked.done() and not (found := connection.execute(busy).fetchall()):
                pass
            os.kill(found[0][0], signal.SIGKILL)
        assert (asked.result().status_code, asked.result().json()["type"]) == (503, "urn:companyos:problem:unavailable")
        assert client.get("/healthz").status_code == 200
        while client.get("/readyz").status_code != 200:
            time.sleep(0.1)
        made = client.post("/sandboxes", json=wanted())
        assert made.status_code == 201, made.text
        place = f"/sandboxes/{made.json()['id']}"
        taken = client.post(f"{place}/snapshot", json={})
        assert taken.status_code == 201, taken.text
        assert client.delete(place).status_code == 200
    assert service.end() == 0
    log = service.log.read_text()
    assert "has ended (SIGABRT)" in log and "Traceback" not in log
    said(capsys, "sandbox", "reconcile")
    with psycopg.connect(postgres, autocommit=True) as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'companyos_%'").fetchall()
    assert [name[:12] for (name,) in left] == ["companyos_t_"]


STUCK = """
import time
from provisioning.hosts.files import FileHost
FileHost.admit = lambda *_: time.sleep(600)
"""


@pytest.mark.parametrize(
    "prefer", [pytest.param("respond-async", marks=pytest.mark.slow, id="asynchronous"), pytest.param("", id="synchronous")]
)
def test_what_takes_too_long_at_the_end_is_left_to_be_put_right(home: Path, capsys, processes: list[Process], prefer: str) -> None:
    token = said(capsys, "token", "create", "--owner", ALICE)["token"]
    service = Process(home, "--grace", "1", first=STUCK)
    processes.append(service)
    headers = {"Authorization": f"Bearer {token}", "Prefer": prefer}
    with httpx.Client(base_url=service.url, trust_env=False, timeout=None) as client, ThreadPoolExecutor(1) as thread:
        asked = thread.submit(client.post, "/sandboxes", json=wanted(), headers=headers)
        for _ in range(1000):
            listed = client.get("/sandboxes", headers=headers).json()["sandboxes"]
            if listed and listed[0]["state"] == "provisioning":
                break
            time.sleep(0.05)
        assert service.end() == 0
        asked.exception()
    assert "companyos sandbox reconcile" in service.log.read_text()
    assert said(capsys, "sandbox", "reconcile")["undone"] == [listed[0]["id"]]
    assert said(capsys, "sandbox", "show", listed[0]["id"])["state"] == "failed"


HASTY = """
import time
from companyos.api import connections
from provisioning.hosts.files import FileHost
connections.MOST, connections.ASKING, connections.TAKING = 20, 1.0, 1.0
admit = FileHost.admit
FileHost.admit = lambda *given: (time.sleep(2.5), admit(*given))[1]
"""
POST = b"POST /sandboxes HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def _hung_up_on(connection: socket.socket, drip: bytes) -> float:
    """After how many seconds the service ends a connection, to which a byte is sent every tenth of a second, where it is given any."""
    began = time.monotonic()
    connection.settimeout(0.1)
    while time.monotonic() - began < 30:
        try:
            connection.sendall(drip)
            if not connection.recv(65536):
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        pytest.param(b"", b"", marks=pytest.mark.slow, id="silent"),
        pytest.param(b"", b"G", marks=pytest.mark.slow, id="head"),
        pytest.param(POST, b" ", id="body"),
        pytest.param(GET, b"G", marks=pytest.mark.slow, id="next"),
        pytest.param(GET + POST, b"", marks=pytest.mark.slow, id="both"),
    ],
)
def test_clients_who_take_too_long_to_ask_are_hung_up_on(home: Path, capsys, processes: list[Process], first: bytes, drip: bytes) -> None:
    said(capsys, "token", "create", "--owner", ALICE)
    service = Process(home, first=HASTY)
    processes.append(service)
    with socket.create_connection(("127.0.0.1", httpx.URL(service.url).port)) as connection:
        connection.sendall(first)
        assert _hung_up_on(connection, drip) < 20
    assert httpx.get(f"{service.url}/healthz", trust_env=False).status_code == 200
    assert service.end() == 0
    assert "Traceback" not in service.log.read_text()


@pytest.mark.slow
def test_a_client_who_takes_no_answers_is_hung_up_on(home: Path, capsys, processes: list[Process]) -> None:
    said(capsys, "token", "create", "--owner", ALICE)
    service = Process(home, first=HASTY)
    processes.append(service)
    answer = len(httpx.get(f"{service.url}/openapi.json", trust_env=False).content)
    taken = 0
    with socket.create_connection(("127.0.0.1", httpx.URL(service.url).port)) as connection, suppress(ConnectionError):
        connection.sendall(GET.replace(b"healthz", b"openapi.json") * 400)
        time.sleep(4)
        while received := connection.recv(1_000_000):
            taken += len(received)
    assert taken < 400 * answer
    assert service.end() == 0


@pytest.mark.slow
def test_hundreds_of_idle_connections_keep_nobody_out_for_long(home: Path, capsys, processes: list[Process]) -> None:
    said(capsys, "token", "create", "--owner", ALICE)
    service = Process(home, first=HASTY)
    processes.append(service)
    idle = [socket.create_connection(("127.0.0.1", httpx.URL(service.url).port)) for _ in range(300)]
    began = time.monotonic()
    assert min(_hung_up_on(connection, b"") for connection in idle[20:30]) < 0.9
    assert all(_hung_up_on(connection, b"") < 20 for connection in idle)
    assert time.monotonic() - began < 30
    assert httpx.get(f"{service.url}/healthz", trust_env=False).status_code == 200
    for connection in idle:
        connection.close()
    assert service.end() == 0


@pytest.mark.slow
def test_an_answer_may_take_longer_than_its_request(home: Path, capsys, processes: list[Process]) -> None:
    token = said(capsys, "token", "create", "--owner", ALICE)["token"]
    service = Process(home, first=HASTY)
    processes.append(service)
    with httpx.Client(base_url=service.url, trust_env=False, timeout=60, headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.post("/sandboxes", json=wanted()).status_code == 201
    assert service.end() == 0


def _is_ours(path: Path) -> bool:
    return "bundles" not in path.parts


def test_a_terminal_that_closes_ends_the_service_in_peace(home: Path, capsys, processes: list[Process]) -> None:
    said(capsys, "token", "create", "--owner", ALICE)
    processes.append(Process(home))
    assert processes[0].end(signal.SIGHUP) == 0


@pytest.mark.slow
def test_tls_is_spoken_with_a_certificate(home: Path, capsys, processes: list[Process]) -> None:
    said(capsys, "token", "create", "--owner", ALICE)
    certificate, key = _certificate(home)
    service = Process(home, "--tls-cert", str(certificate), "--tls-key", str(key))
    processes.append(service)
    assert service.url.startswith("https://127.0.0.1:")
    import ssl

    with httpx.Client(base_url=service.url, trust_env=False, verify=ssl.create_default_context(cafile=str(certificate))) as client:
        assert client.get("/healthz").json() == {"status": "alive"}
    assert service.end(signal.SIGINT) == 0


def _certificate(folder: Path) -> tuple[Path, Path]:
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def test_a_service_that_lets_nobody_in_does_not_start(home: Path, capsys) -> None:
    assert "companyos token create" in failed(capsys, "serve", "--port", "0")
    made = said(capsys, "token", "create", "--owner", ALICE)
    said(capsys, "token", "revoke", made["id"])
    assert "companyos token create" in failed(capsys, "serve", "--port", "0")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--host", "0.0.0.0"], "--plain-http"),
        (["--tls-cert", __file__], "go together"),
        (["--oidc-issuer", "https://login.company.com"], "--oidc-audience is missing"),
        (["--oidc-issuer", "http://login.company.com", "--oidc-audience", "x"], "https://HOST"),
        (["--oidc-admin-group", "x"], "--oidc-issuer is missing"),
        (["--sweep-at", "25:00"], "no time of day"),
    ],
    ids=lambda given: given[0] if isinstance(given, list) else "",
)
def test_options_that_would_be_unsafe_or_say_nothing_are_refused(home: Path, capsys, options: list[str], text: str) -> None:
    assert text in failed(capsys, "serve", "--port", "0", *options)


def test_a_port_that_is_taken_is_told(home: Path, capsys) -> None:
    said(capsys, "token", "create", "--owner", ALICE)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"nobody can listen at 127.0.0.1, port {port}" in failed(capsys, "serve", "--port", port)


def test_the_document_is_printed_without_anything_set_up(home: Path, capsys) -> None:
    printed = said(capsys, "serve", "--openapi")
    assert printed["openapi"].startswith("3.1")
    assert not (home / "control.db").exists()


def test_tokens_are_made_listed_and_revoked(home: Path, capsys) -> None:
    assert run(["token", "list"]) == 0
    assert capsys.readouterr().out == "there are no tokens; `companyos token create` makes one\n"
    made = said(capsys, "token", "create", "--owner", "Alice@company.com", "--scope", "read", "--valid", "7d", "--why", "ci")
    assert run(["token", "list", "--owner", "bob@company.com"]) == 0
    assert capsys.readouterr().out == "no tokens were found\n"
    assert (made["owner"], made["scopes"]) == (ALICE, ["read"])
    assert run(["token", "create", "--owner", ALICE]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("cos_") and len(out.split()) == 1
    assert out.strip() not in err
    [first, second] = said(capsys, "token", "list")
    assert "token" not in first and (first["state"], second["state"]) == ("valid", "valid")
    said(capsys, "token", "revoke", made["id"])
    assert run(["token", "list"]) == 0
    listed = capsys.readouterr().out
    assert "revoked" in listed and "cos_" not in listed
    assert "did you mean" in failed(capsys, "token", "create", "--owner", ALICE, "--scope", "raed")
    assert "unknown owner" in failed(capsys, "token", "create", "--owner", "eve@elsewhere.org")
    assert "no token" in failed(capsys, "token", "revoke", "tok-x")


def test_without_the_extra_the_command_says_which() -> None:
    code = "import sys; sys.modules['fastapi'] = None; from companyos.cli import run; sys.exit(run(['serve', '--openapi']))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 2
    assert "pip install 'companyos-data[server]'" in found.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"]])
def test_no_other_command_waits_for_the_service(arguments: list[str]) -> None:
    code = (
        "import sys; from companyos.cli import run; run(sys.argv[1:]);"
        "heavy = {'fastapi', 'uvicorn', 'pydantic', 'httpx', 'jwt', 'prometheus_client', 'sqlalchemy'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
