"""`companyos dp serve`, from its start to Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pygwire")
from dpsql.analysts import Analysts
from dpsql.ledger import open_ledger
from tests.dpsql.endpoint.serving import PASSWORD
from tests.dpsql.ledger.books import attack
from tests.dpsql.shop import SCHEMA
from tests.dpsql.shop_databases import tables
from tests.spread import one_in


@pytest.fixture
def shop_file(tmp_path: Path) -> list[str]:
    """The arguments for the shop in a DuckDB file, whose ledger knows ana."""
    import duckdb

    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        for name, table in tables().items():
            connection.register("filled", table)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM filled")
    schema = tmp_path / "shop.yaml"
    schema.write_text(SCHEMA.replace("privacy: {unit: users.id}", "privacy: {unit: users.id, budget: {epsilon: 2, delta: 1e-6}}"))
    ledger = tmp_path / "ledger.db"
    Analysts(open_ledger(ledger)).add("ana", PASSWORD, "test")
    return [f"duckdb:///{tmp_path / 'shop.duckdb'}", "--schema", str(schema), "--ledger", str(ledger)]


@pytest.mark.parametrize("stop", one_in(2, [signal.SIGTERM, signal.SIGINT]))
def test_it_serves_until_it_is_stopped(tmp_path: Path, shop_file: list[str], stop: signal.Signals) -> None:
    import psycopg

    environment = {**os.environ, "COMPANYOS_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", "from companyos.cli import main; main()", "dp", "serve", *shop_file, "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as served:
        try:
            assert served.stdout is not None
            said = json.loads(served.stdout.readline())
            assert said["tls"]
            root = str(tmp_path / "home" / "endpoint" / "server.crt")
            where = {
                "host": "127.0.0.1",
                "port": said["port"],
                "user": "ana",
                "password": PASSWORD,
                "sslmode": "verify-full",
                "sslrootcert": root,
            }
            with psycopg.connect(**where, autocommit=True) as connection:
                connection.execute("SET dp.epsilon = 1")
                assert isinstance(connection.execute("SELECT count(*) FROM users").fetchone()[0], int)
                served.send_signal(stop)
                assert served.wait(20) == 0
            assert PASSWORD not in served.stderr.read()
        finally:
            served.kill()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--no-tls", "--host", "0.0.0.0"], "loopback"),
        (["--tls-cert", "a.pem"], "go together"),
        (["--tls-cert", "a.pem", "--tls-key", "b.pem"], "cannot be used"),
        (["--host", "192.0.2.1", "--port", "1"], "cannot listen"),
    ],
)
def test_what_it_cannot_do_is_said_in_one_line(tmp_path: Path, shop_file: list[str], arguments: list[str], told: str) -> None:
    environment = {**os.environ, "COMPANYOS_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", "from companyos.cli import main; main()", "dp", "serve", *shop_file, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_nothing_is_served_over_a_ledger_that_was_altered(tmp_path: Path, shop_file: list[str]) -> None:
    attack(Path(shop_file[-1]), "UPDATE ledger_entries SET at = '2020-01-01T00:00:00.000+00:00' WHERE number = 1")
    Analysts(open_ledger(shop_file[-1])).add("bob", PASSWORD, "test")  # what comes later fits, and is all that opening looks at
    environment = {**os.environ, "COMPANYOS_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", "from companyos.cli import main; main()", "dp", "serve", *shop_file, "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 1
    assert "entry 1 of the ledger was altered" in done.stderr
    assert "serving" not in done.stdout
