"""What is wrong is told in one clear message, with its exit code, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.masking.pipeline.commands import Masking, readable
from tests.masking.pipeline.conftest import KEY
from tests.masking.pipeline.databases import asked, people_in_sqlite, raw_values


@pytest.fixture
def planned(masking: Masking, tmp_path: Path) -> str:
    url = people_in_sqlite(tmp_path / "source.db")
    masking.plan(url)
    return url


def refused(masking: Masking, url: str, code: int) -> str:
    found, _, err = masking.run(url)
    assert found == code, err
    masking.assert_nothing_is_left()
    assert not [value for value in raw_values(60) if value in err]
    return err


def test_a_column_that_is_new_stops_the_run_and_is_shown_by_diff(masking: Masking, planned: str):
    asked(planned, "ALTER TABLE users ADD COLUMN passport TEXT")
    assert "column users.passport is in the source and not in the policy" in refused(masking, planned, 1)
    code, out, _ = masking("mask", "plan", planned, "--diff", masking.policy)
    assert code == 1
    assert "users.passport" in out


def test_a_table_that_is_new_stops_the_run(masking: Masking, planned: str):
    asked(planned, "CREATE TABLE secrets (id INTEGER PRIMARY KEY, secret TEXT)")
    assert "table secrets is in the source and not in the policy" in refused(masking, planned, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"emial": {"class": "direct", "mask": "email"}}, "'users.emial': there is no such column; did you mean 'email'?"),
        ({"email": {"class": "direct", "mask": "emial"}}, "there is no transformer 'emial'; did you mean 'email'?"),
        ({"email": {"class": "direct", "mask": {"email": {"kep": "domain"}}}}, "has no parameter 'kep'"),
        ({"born_on": {"class": "quasi", "mask": "email"}}, "users.born_on"),
        ({"email": {"class": "direct", "mask": {"constant": "x@y.example"}}}, "the column is unique"),
        ({"full_name": {"class": "direct", "mask": "null"}}, "NOT NULL"),
        ({"salary": {"class": "sensitive", "mask": "keep", "when": "contry = 'DE'", "else": "keep"}}, "there is no column 'contry'"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_at_its_place(masking: Masking, planned: str, change, message: str):
    masking.edit(lambda policy: policy["tables"]["users"]["columns"].update(change))
    err = refused(masking, planned, 2)
    assert message in err
    assert f"{masking.policy}:" in err


def test_a_pool_smaller_than_a_unique_column_is_refused(masking: Masking, tmp_path: Path):
    connection = sqlite3.connect(tmp_path / "source.db")
    connection.execute("CREATE TABLE firms (id INTEGER PRIMARY KEY, region VARCHAR(12) NOT NULL UNIQUE)")
    connection.executemany("INSERT INTO firms VALUES (?, ?)", [(i, f"region {i}") for i in range(3000)])
    connection.commit()
    connection.close()
    columns = {"id": {"class": "public", "mask": "keep"}, "region": {"class": "quasi", "entity": "region", "mask": "region"}}
    masking.write({"firms": {"columns": columns}})
    assert "firms.region" in refused(masking, f"sqlite:///{tmp_path / 'source.db'}", 2)


def test_a_source_that_cannot_be_reached_fails_without_its_password(masking: Masking):
    masking.write({"users": "drop"})
    code, _, err = masking.run("postgresql://reader:hunter2@127.0.0.1:1/crm")
    assert code == 4
    assert "hunter2" not in err
    masking.assert_nothing_is_left()


def test_text_that_is_no_utf_8_is_told_by_table_and_column(masking: Masking, planned: str, tmp_path: Path):
    connection = sqlite3.connect(tmp_path / "source.db")
    connection.execute("UPDATE orders SET contact = CAST(x'ff41' AS TEXT) WHERE id = 3")
    connection.commit()
    connection.close()
    err = refused(masking, planned, 4)
    assert "orders" in err and "UTF-8" in err


def test_a_huge_cell_is_masked_like_any_other(masking: Masking, planned: str, tmp_path: Path):
    connection = sqlite3.connect(tmp_path / "source.db")
    connection.execute("UPDATE orders SET contact = ? WHERE id = 3", ("x" * 20_000_000,))
    connection.commit()
    connection.close()
    masking.edit(lambda policy: policy["tables"]["orders"]["columns"].update(contact={"class": "direct", "mask": "hash"}))
    assert max(map(len, masking.made(planned).table("orders").to_arrow().column("contact").to_pylist())) == 64


def test_an_empty_database_and_one_that_is_dropped_whole(masking: Masking, tmp_path: Path):
    connection = sqlite3.connect(tmp_path / "source.db")
    connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)")
    connection.close()
    url = f"sqlite:///{tmp_path / 'source.db'}"
    masking.plan(url)
    assert masking.made(url).table("users").rows == 0
    masking.write({"users": "drop"})
    assert list(masking.made(url).tables) == []


def test_a_run_that_is_killed_leaves_no_raw_value_and_the_next_one_works(masking: Masking, tmp_path: Path):
    url = people_in_sqlite(tmp_path / "source.db", people=60, events=20_000)
    masking.plan(url)
    masking.edit(lambda policy: policy["tables"]["orders"]["columns"].update(contact={"class": "direct", "mask": "name"}))
    main = "from companyos.cli import main; main()"
    command = [sys.executable, "-c", main, "mask", "run", url, "--policy", str(masking.policy), "--store", str(masking.store)]
    environment = {**os.environ, "TMPDIR": str(masking.temporary), "MASKING_KEY": KEY, "CI": "true"}
    running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and running.poll() is None and not staged(masking.store):
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    running.wait()
    left = [p for p in [*masking.store.rglob("*"), *masking.temporary.rglob("*")] if p.is_file()]
    wanted = [value.encode() for value in raw_values(60)]
    assert running.returncode == -signal.SIGKILL and staged(masking.store)
    assert not [path for path in left for data in readable(path) for value in wanted if value in data]
    with sqlite3.connect(tmp_path / "source.db") as connection:
        connection.execute("DELETE FROM orders WHERE id > 100")
        connection.execute("DELETE FROM events WHERE id > 100")
    connection.close()
    assert masking.made(url).kind == "sanitized"
    assert not list((masking.store / "tmp").iterdir())


def staged(store: Path) -> bool:
    """Whether a table, or a part of one, waits to be published."""
    return any(path.is_file() for path in store.glob("tmp/build-*/*"))
