import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from companyos.cli import run
from companyos.query_command import show
from dpsql.accounting import Spend
from dpsql.answers import Answer
from tests.spread import one_in

ENDLESS = """
schema: endless
tables:
  users:
    rows: 1
    columns:
      id: {type: bigint, key: true}
privacy:
  unit: users.id
  budget: {epsilon: 3, delta: 1e-6}
"""


@pytest.mark.parametrize("ending", one_in(2, [signal.SIGTERM, signal.SIGINT]))
def test_a_signal_ends_a_query_while_the_database_works_and_the_charge_stays(tmp_path, capsys, ending):
    schema, database, ledger = tmp_path / "endless.yaml", tmp_path / "endless.db", tmp_path / "ledger.db"
    schema.write_text(ENDLESS)
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE VIEW users AS SELECT range AS id FROM range(100_000_000_000_000) WHERE range % 7 = 3")
    program = [str(Path(sys.executable).with_name("companyos")), "query", f"duckdb:///{database}"]
    asked = ["SELECT COUNT(*) FROM users", "--epsilon", "1", "--schema", str(schema), "--ledger", str(ledger)]
    with subprocess.Popen([*program, *asked], stderr=subprocess.PIPE, text=True) as asking:
        deadline = time.monotonic() + 60
        while asking.poll() is None and time.monotonic() < deadline and not charged(ledger):
            time.sleep(0.05)
        time.sleep(0.5)  # by now the database is at it
        asking.send_signal(ending)
        try:
            _, err = asking.communicate(timeout=60)
        finally:
            asking.kill()
    assert (asking.returncode, err) == (130, "error: interrupted; nothing was left half-made\n")
    assert run(["dp", "budget", f"duckdb:///{database}", "--ledger", str(ledger), "--json"]) == 0
    assert [release["epsilon"] for release in json.loads(capsys.readouterr().out)] == [1]
    assert run(["dp", "audit", f"duckdb:///{database}", "--ledger", str(ledger)]) == 0
    assert "cancelled" in capsys.readouterr().out


def test_large_numbers_and_their_errors_are_printed_with_all_digits_before_the_point(capsys):
    table = pa.table({"seconds": [116428354.7, 0.000012345678, 5224.411234], "share": [0.25, 1e20, None]})
    show(Answer(table, {0: [4152345.0, 0.0000123, 351.4]}, (), Spend.pure(1), "private"))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert rows == [["116428355", "4150000", "0.25"], ["1.23457e-05", "1.23e-05", "1e+20"], ["5224.41", "351"]]


def test_each_of_several_columns_of_one_name_has_its_error_in_json():
    table = pa.table([[1], [2], ["a"], [3]], ["sum", "sum", "name", "count"])
    told = Answer(table, {0: [0.5], 1: [7.0], 3: [None]}, (), Spend.pure(1), "private").to_json()
    assert told["columns"] == ["sum", "sum", "name", "count"]
    assert told["errors_95"] == {"sum": [0.5], "sum:2": [7.0], "count": [None]}


def charged(ledger: Path) -> bool:
    if not ledger.exists():
        return False
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        try:
            return bool(connection.execute("SELECT 1 FROM ledger_entries WHERE kind = 'charge'").fetchall())
        except sqlite3.OperationalError:  # its tables are still to be made
            return False
