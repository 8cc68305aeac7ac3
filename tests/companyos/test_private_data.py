"""Private questions from Python: the answers, charges and refusals of the command, and nothing that leads around them."""

from __future__ import annotations

import copy
import json
import multiprocessing
import os
import pickle
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("opendp")

import bundles
import companyos
import datagen
import dpsql
from companyos.cli import run
from companyos.person import person
from dpsql.accounting import NOTHING, Limit
from dpsql.ledger import open_ledger
from schemas.errors import InputError

ROOT = Path(__file__).parent.parent.parent
SCHEMA = """
schema: club
seed: 1
tables:
  members:
    rows: 300
    columns:
      id:   {type: bigint, key: true}
      plan: {type: text, check: "plan IN ('free', 'pro')", generate: {choice: {free: 2, pro: 1}}}
      age:  {type: integer, check: "age BETWEEN 0 AND 120", generate: {uniform: [18, 90]}}
privacy:
  unit: members.id
  budget: {epsilon: 3, delta: 1e-6, analyst: {epsilon: 1}}
"""
PLANS = "SELECT plan, COUNT(*) AS n FROM members GROUP BY plan ORDER BY plan"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with the bundle `club:v1` and the schema it was made from."""
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path / "home"))
    (tmp_path / "club.yaml").write_text(SCHEMA)
    bundles.build(datagen.source(str(tmp_path / "club.yaml")), tag="club:v1")
    return tmp_path


def commanded(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(list(arguments)) == code
    out, err = capsys.readouterr()
    return out if code == 0 else err


def test_an_answer_is_a_table_of_each_kind_with_its_errors_and_its_price() -> None:
    with companyos.open_private("club:v1", analyst="ada") as private:
        answer = private.ask(PLANS, epsilon=0.5)
        assert answer.source == "private"
        assert answer.spend.epsilon == 0.5
        assert answer.to_arrow().column_names == ["plan", "n"]
        assert answer.to_pandas()["plan"].tolist() == answer.to_polars()["plan"].to_list() == ["free", "pro"]
        assert answer.rows() == list(answer.to_polars().iter_rows()) == [tuple(row) for row in answer.to_pandas().to_numpy()]
        assert [0 < error < 20 for error in answer.errors_95["n"]] == [True, True]
        assert private.left == 0.5
        assert private.budget().analysts["ada"].epsilon == 0.5
        assert private.ask(PLANS, epsilon=0.5).source == "kept"
        assert private.left == 0.5


def test_the_command_and_the_object_have_one_ledger_one_release_and_one_analyst(capsys: pytest.CaptureFixture[str]) -> None:
    printed = json.loads(commanded(capsys, "query", "club:v1", PLANS, "--epsilon", "0.25", "--format", "json"))
    with companyos.open_private("club:v1") as private:
        assert private.analyst == person()
        told = private.ask(PLANS, epsilon=0.25).to_json()
        assert (told["rows"], told["errors_95"]) == (printed["rows"], printed["errors_95"])
        assert (told["source"], told["epsilon"]) == ("kept", 0)
        private.ask("SELECT AVG(age) FROM members", epsilon=0.5)
    ((one,),) = [json.loads(commanded(capsys, "dp", "budget", "club:v1", "--json"))]
    assert one["analysts"][person()]["epsilon"] == 0.75
    assert [charge["sql"] for charge in one["charges"]] == [PLANS, "SELECT AVG(age) FROM members"]


def test_an_altered_file_of_the_right_size_is_told_before_anything_is_charged(capsys: pytest.CaptureFixture[str]) -> None:
    opened = bundles.open("club:v1")
    (file,) = opened.table("members").paths()
    whole = file.read_bytes()
    data = bytearray(whole)
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert "with rows of table 'members' is altered" in commanded(capsys, "query", "club:v1", PLANS, "--epsilon", "0.25", code=1)
    file.write_bytes(data[:-4] + b"PAR0")  # DuckDB fails before it reads a row
    assert "with rows of table 'members' is altered" in commanded(capsys, "query", "club:v1", PLANS, "--epsilon", "0.25", code=1)
    file.write_bytes(whole)
    with companyos.open_private("club:v1") as private:
        assert private.left == 1


def test_a_budget_is_headed_by_what_the_release_is_called_in_the_store(capsys: pytest.CaptureFixture[str]) -> None:
    commanded(capsys, "query", "club:v1", PLANS, "--epsilon", "0.25")
    digest = bundles.open("club:v1").manifest_digest
    bundles.Store().tag("club:v1", "club:kept")
    assert commanded(capsys, "dp", "budget").splitlines()[0] == f"club:kept, club:v1  {digest}"
    (bundles.Store().path / "index.json").write_text("lost")
    assert commanded(capsys, "dp", "budget").splitlines()[0] == digest


def test_json_is_asked_of_a_query_as_of_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(commanded(capsys, "query", "club:v1", PLANS, "--epsilon", "0.25", "--json"))["columns"] == ["plan", "n"]
    assert json.loads(commanded(capsys, "query", "club:v1", PLANS, "--explain", "--json"))
    assert run(["query", "club:v1", PLANS, "--epsilon", "0", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["exit_code"] == 2


def test_a_database_of_another_kind_is_taken_for_no_reference() -> None:
    with pytest.raises(InputError, match=r"asked of a bundle, postgresql://\.\.\. or duckdb:///FILE, not of 'mysql:'$"):
        companyos.open_private("mysql://ada:secret@host/club", schema="club.yaml")


def test_a_question_is_refused_as_the_command_refuses_it_and_written_down(capsys: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT id, age FROM members"
    said = commanded(capsys, "query", "club:v1", sql, code=3)
    with companyos.open_private("club:v1") as private, pytest.raises(dpsql.QueryRefused) as refused:
        private.ask(sql)
    assert " ".join(said.split()) == " ".join(f"error: {refused.value}".split())
    assert refused.value.instead == "SELECT COUNT(*) FROM members"
    assert commanded(capsys, "dp", "audit", "club:v1").count("refusal") == 2


def test_an_analysts_budget_ends_for_all_that_is_opened_in_their_name() -> None:
    with companyos.open_private("club:v1", analyst="ada") as private:
        private.ask(PLANS, epsilon=0.75)
    with companyos.open_private("club:v1", analyst="ada") as again:
        assert again.left == 0.25
        with pytest.raises(dpsql.BudgetSpent):
            again.ask("SELECT AVG(age) FROM members", epsilon=0.5)
        assert again.left == 0.25
    with companyos.open_private("club:v1", analyst="bob") as another:
        assert another.left == 1


def test_what_is_left_heeds_a_limit_of_the_analysts_own_before_the_first_question() -> None:
    with companyos.open_private("club:v1", analyst="zoë") as private:
        assert private.left == 1
        book = open_ledger()
        book.set_analyst("zoë", Limit(0.125, 0.0), "root")
        book.close()
        assert private.left == 0.125
    with companyos.open_private("club:v1", analyst="zoe\u0308") as decomposed:  # the same name, as other keyboards write it
        assert decomposed.left == 0.125


def test_threads_that_ask_at_once_never_pass_the_limit_together() -> None:
    with companyos.open_private("club:v1", analyst="ada") as private:

        def asked(age: int) -> bool:
            try:
                private.ask(f"SELECT COUNT(*) FROM members WHERE age > {age}", epsilon=0.3, delta=0)
            except dpsql.BudgetSpent:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(asked, range(20, 28))) == 3
        assert private.left == pytest.approx(0.1)


def test_an_explanation_costs_nothing() -> None:
    with companyos.open_private("club:v1") as private:
        explained = private.explain(PLANS, epsilon=0.5)
        assert (explained.spend.epsilon, explained.free) == (0.5, False)
        assert private.left == 1
        assert explained.columns[1].error95 == private.ask(PLANS, epsilon=0.5).errors_95["n"][0]
        assert private.explain(PLANS, epsilon=0.5).free


def test_nothing_public_of_it_leads_to_rows_service_or_ledger() -> None:
    with companyos.open_private("club:v1") as private:
        public = [name for name in dir(private) if not name.startswith("_")]
        assert public == ["analyst", "ask", "budget", "close", "explain", "left"]
        assert not hasattr(private, "__dict__")
        with pytest.raises(AttributeError):
            private.analyst = "bob"  # type: ignore[misc]


def test_it_cannot_be_pickled_or_copied() -> None:
    with companyos.open_private("club:v1") as private:
        for double in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="open it in each process"):
                double(private)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_process_gets_no_answer_and_leaves_the_one_of_its_parent_open() -> None:
    with companyos.open_private("club:v1") as private:
        forking = multiprocessing.get_context("fork")
        said = forking.SimpleQueue()

        def ask() -> None:
            try:
                private.ask(PLANS, epsilon=0.5)
            except InputError as error:
                said.put(str(error))
            private.close()

        child = forking.Process(target=ask, daemon=True)
        child.start()
        child.join(20)
        assert child.exitcode == 0
        assert said.get().startswith("this private data was opened in another process")
        assert private.left == 1
        private.ask(PLANS, epsilon=0.5)


def test_what_is_closed_answers_no_more_and_lets_go_of_the_database_and_the_ledger(home: Path) -> None:
    database = home / "club.duckdb"
    members = bundles.open("club:v1").table("members").to_arrow()
    with duckdb.connect(str(database)) as connection:
        connection.register("given", members)
        connection.execute("CREATE TABLE members AS SELECT * FROM given")
    ledger = home / "other.db"
    with companyos.open_private(f"duckdb:///{database}", schema=home / "club.yaml", ledger=ledger) as private:
        private.ask(PLANS)
        assert Path(f"{ledger}-wal").exists()
        with pytest.raises(dpsql.QueryRefused) as kept:  # as a notebook keeps the last error, and all that its frames hold
            private.ask("SELECT id FROM members")
        with pytest.raises(duckdb.Error):
            duckdb.connect(str(database))
    assert not Path(f"{ledger}-wal").exists()
    duckdb.connect(str(database)).close()
    assert kept.tb is not None
    private.close()
    for use in (lambda: private.ask(PLANS), lambda: private.explain(PLANS), private.budget, lambda: private.left):
        with pytest.raises(InputError, match="is closed"):
            use()
    assert repr(private) == f"<PrivateData, closed, asked by {person()}>"


def test_what_cannot_be_opened_leaves_the_database_to_others(home: Path) -> None:
    database = home / "club.duckdb"
    duckdb.connect(str(database)).close()
    (home / "bare.yaml").write_text(SCHEMA.partition("  budget:")[0])
    with pytest.raises(InputError, match="has no budget") as kept:
        companyos.open_private(f"duckdb:///{database}", schema=home / "bare.yaml")
    duckdb.connect(str(database)).close()
    assert kept.value.__traceback__ is not None  # as a notebook keeps the last error, and all that its frames hold


def test_no_password_is_shown(home: Path) -> None:
    with companyos.open_private("postgresql://ada:hunter2@127.0.0.1:1/club", schema=home / "club.yaml", analyst="ada") as private:
        assert repr(private) == "<PrivateData club of postgresql://ada@127.0.0.1:1/club, asked by ada>"
        with pytest.raises(dpsql.EngineFailure) as failed:
            private.ask(PLANS)
        assert "hunter2" not in f"{failed.value!r} {private.budget()!r}"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"target": "duckdb:///club.duckdb"}, "`schema=FILE`"),
        ({"analyst": ""}, "an analyst's name has 1 to 200 characters"),
        ({"analyst": "ada\n"}, "no control characters"),
        ({"dialect": "mysql"}, "the dialect is 'postgres' or 'duckdb', not 'mysql'"),
        ({"target": "clubs:v1"}, "clubs"),
        ({"ledger": "mysql://ledger"}, "a ledger is a file"),
    ],
)
def test_what_is_wrong_on_opening_is_told(changed: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        companyos.open_private(**{"target": "club:v1", **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"epsilon": "0.5"}, "epsilon is a number, not '0.5'"),
        ({"epsilon": True}, "epsilon is a number, not True"),
        ({"epsilon": float("nan")}, "epsilon must be from 0.000001"),
        ({"delta": float("inf")}, "delta must be at least 0 and below 1"),
        ({"rel_error": float("nan")}, "the relative error must be above 0"),
        ({"max_groups": 2.5}, "max_groups is a whole number, not 2.5"),
        ({"min_units": 0}, "min_units must be a whole number from 1"),
    ],
)
def test_settings_that_are_wrong_are_told_and_cost_nothing(setting: dict[str, float], told: str) -> None:
    with companyos.open_private("club:v1") as private:
        with pytest.raises(InputError, match=re.escape(told)):
            private.ask(PLANS, **setting)  # type: ignore[arg-type]
        assert private.left == 1


def test_numbers_of_numpy_are_settings_too() -> None:
    with companyos.open_private("club:v1") as private:
        answer = private.ask(PLANS, epsilon=np.float32(0.5), max_groups=np.int64(1))  # type: ignore[arg-type]
        assert answer.spend.epsilon == 0.5


def test_a_frame_without_its_library_is_told_with_the_way_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dpsql.answers.find_spec", lambda name: None)
    answer = dpsql.Answer(pa.table({"n": [1]}), {}, (), NOTHING, "public")
    for convert, library in ((answer.to_pandas, "pandas"), (answer.to_polars, "polars")):
        with pytest.raises(InputError, match=f"{library} is not installed; .*dataframes"):
            convert()


def test_to_import_the_entry_loads_none_of_the_rooms_below() -> None:
    program = "import companyos, dpsql, sys; print([m for m in ('pyarrow', 'sqlglot', 'duckdb', 'click', 'numpy') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_the_example_of_the_page_on_privacy_is_true(home: Path) -> None:
    bundles.build(datagen.source("companyos", scale=0.01), tag="synthetic:v1")
    section = (ROOT / "docs" / "privacy.md").read_text("utf-8").partition("\n## From Python\n")[2].partition("\n## ")[0]
    (example,) = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    program = [sys.executable, "-W", "error", "-c", example]
    found = subprocess.run(program, cwd=home, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("0.5 of 10.0\n")
    assert "error" in found.stdout
