"""Each command: what it does, what it prints for machines, and its exit codes for bad input."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from companyos.cli import run
from tests.spread import one_in

SHOP = """schema: shop
seed: 42
anchor: 2026-01-01T00:00:00Z
tables:
  tenants:
    rows: 20
    columns:
      id:   {type: uuid, key: true}
      name: {type: text, unique: true, generate: company.name}
  users:
    rows: {per: tenants, count: {uniform: [1, 9]}}
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id}
      email:     {type: text, unique: true, generate: person.email}
      balance:   {type: "numeric(12,2)", null: 0.2, generate: {normal: {mean: 0, sd: 100}}}
      joined:    {type: timestamptz, generate: {between: [-1y, now]}}
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP)
    return path


def called(capsys, *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run([str(a) for a in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def said(capsys, *arguments: object) -> dict:
    code, out, _ = called(capsys, *arguments, "--json")
    assert code == 0, out
    return json.loads(out)


def built(capsys, shop, tag: str = "shop:v1", *options: object) -> dict:
    return said(capsys, "bundle", "build", shop, "--tag", tag, *options)


def test_a_build_says_what_it_reused_and_why_it_made_the_rest(capsys, shop):
    assert built(capsys, shop)["reused"] == {}
    shop.write_text(shop.read_text().replace("sd: 100", "sd: 90"))
    code, out, _ = called(capsys, "bundle", "build", shop, "--tag", "shop:v1", "--explain")
    assert code == 0
    assert re.search(r"tenants +20 +reused +as in shop:v1", out)
    assert re.search(r"users +\d+ +made +column balance changed \(beside shop:v1\)", out)
    assert "2 tables (1 reused)" in out
    again = built(capsys, shop, "shop:v2", "--explain", "--seed", "7")
    assert again["reused"] == {}
    assert again["made"]["tenants"] == {"beside": "shop:v1", "reasons": ["seed is 7, and was 42"]}
    assert built(capsys, shop, "shop:v3")["reused"] == {"tenants": "shop:v1", "users": "shop:v1"}
    assert built(capsys, shop, "shop:v3", "--no-reuse")["reused"] == {}


def test_build_prints_digests_of_the_bundle_its_tables_and_columns(capsys, shop):
    made = built(capsys, shop)
    assert made["reference"] == "shop:v1"
    assert made["manifest_digest"].startswith("sha256:")
    assert made["seconds"] >= 0
    users = made["tables"]["users"]
    assert set(users["columns"]) == {"id", "tenant_id", "email", "balance", "joined"}
    shown = said(capsys, "bundle", "show", "shop:v1")
    assert "seconds" not in shown
    assert {k: shown[k] for k in ("reference", "manifest_digest", "content_digest", "tables")} == {
        k: made[k] for k in ("reference", "manifest_digest", "content_digest", "tables")
    }


def test_two_builds_are_the_same_whatever_the_number_of_jobs(capsys, shop):
    digests = {built(capsys, shop, f"shop:{jobs}", "--jobs", jobs)["manifest_digest"] for jobs in (1, 2, 3)}
    assert len(digests) == 1
    assert built(capsys, shop, "shop:other", "--seed", 7)["manifest_digest"] not in digests
    assert built(capsys, shop, "shop:large", "--scale", 2.5)["tables"]["tenants"]["rows"] == 50
    assert "seed 42, scale 2.5, generator" in called(capsys, "bundle", "show", "shop:large")[1]


def test_bundles_are_listed_verified_removed_and_collected(capsys, shop):
    built(capsys, shop)
    assert [b["reference"] for b in said(capsys, "bundle", "list")] == ["shop:v1"]
    assert called(capsys, "bundle", "list")[1].splitlines()[0].split()[:2] == ["reference", "kind"]
    assert said(capsys, "bundle", "verify", "shop:v1")["ok"] is True
    assert called(capsys, "bundle", "verify", "shop:v1")[0] == 0
    assert called(capsys, "bundle", "show", "shop:v1")[0] == 0
    said(capsys, "bundle", "rm", "shop:v1")
    assert said(capsys, "bundle", "list") == []
    assert said(capsys, "bundle", "gc", "--dry-run")["blobs"] > 0
    assert said(capsys, "bundle", "gc")["blobs"] > 0
    assert said(capsys, "bundle", "gc")["blobs"] == 0


def test_a_tag_is_moved_back_to_an_earlier_version(capsys, shop):
    first = built(capsys, shop, "shop:v1")["manifest_digest"]
    built(capsys, shop, "shop:stable", "--seed", 7)
    assert said(capsys, "bundle", "tag", "shop:v1", "shop:stable") == {"reference": "shop:stable", "manifest_digest": first}
    assert said(capsys, "bundle", "show", "shop:stable")["manifest_digest"] == first
    assert called(capsys, "bundle", "tag", "shop:v1", f"shop@{first}")[0] == 2


def test_an_altered_blob_fails_the_verification(capsys, shop, tmp_path):
    built(capsys, shop)
    blobs = (tmp_path / "home" / "bundles" / "blobs" / "sha256").iterdir()
    blobs = sorted((p for p in blobs if p.read_bytes()[:4] == b"PAR1"), key=lambda p: p.stat().st_size)
    content = bytearray(blobs[-1].read_bytes())
    content[len(content) // 2] ^= 1
    blobs[-1].chmod(0o644)
    blobs[-1].write_bytes(content)
    code, _, err = called(capsys, "bundle", "verify", "shop:v1")
    assert code == 1
    assert "users" in err


@pytest.mark.parametrize("target", ["duckdb:///company.db", "sqlite:///company.db"])
def test_a_load_reports_rows_and_the_digest_that_was_read_back(capsys, shop, target):
    made = built(capsys, shop)
    receipt = said(capsys, "load", "shop:v1", target)
    assert receipt["tables"] == {name: t["rows"] for name, t in made["tables"].items()}
    assert receipt["content_digest"] == made["content_digest"]
    code, _, err = called(capsys, "load", "shop:v1", target)
    assert code == 3
    assert "--replace" in err or "replace" in err
    assert called(capsys, "load", "shop:v1", target, "--replace", "--as-of", "2027-06-01")[0] == 0
    connect = duckdb.connect if target.startswith("duckdb") else sqlite3.connect
    with connect("company.db") as database:
        assert database.execute("SELECT count(*) FROM users").fetchone()[0] == made["tables"]["users"]["rows"]


def test_a_bundle_whose_time_is_over_is_loaded_nowhere(capsys, shop, tmp_path):
    import bundles
    import datagen

    bundles.build(datagen.source(shop), tag="shop:v1", expires=datetime(2020, 1, 31, tzinfo=UTC))
    code, _, err = called(capsys, "load", "shop:v1", "sqlite:///company.db")
    assert (code, "shop:v1 expired at 2020-01-31 00:00 UTC" in err) == (3, True)
    assert not (tmp_path / "company.db").exists()
    built(capsys, shop, "shop:v2", "--expires", "2999-01-31")
    assert called(capsys, "load", "shop:v2", "sqlite:///company.db")[0] == 0


def test_no_bundle_is_built_that_has_expired_already(capsys, shop):
    code, _, err = called(capsys, "bundle", "build", shop, "--tag", "shop:v1", "--expires", "2020-01-31")
    assert (code, "2020-01-31 00:00 UTC is past" in err) == (2, True)
    assert said(capsys, "bundle", "list") == []


@pytest.mark.parametrize("written", ["2999-01-31T02:00+02:00", "2999-01-31", "2999-01-31 00:00:00Z"])
def test_the_end_of_a_bundle_is_a_moment_of_any_zone(capsys, shop, written):
    import bundles

    built(capsys, shop, "shop:v1", "--expires", written)
    assert bundles.open("shop:v1").expires == datetime(2999, 1, 31, tzinfo=UTC)


def test_the_end_of_a_bundle_that_is_no_moment_is_told(capsys, shop):
    code, _, err = called(capsys, "bundle", "build", shop, "--expires", "tomorrow")
    assert (code, "'tomorrow' is no date or time stamp; write it like 2026-01-31" in err) == (2, True)


def test_rows_are_those_of_the_bundle_in_both_formats(capsys, shop):
    import bundles

    built(capsys, shop)
    whole = bundles.open("shop:v1").table("users").to_arrow().to_pylist()
    lines = called(capsys, "rows", shop, "users", "--from", 5, "--to", 9, "--format", "jsonl")[1].splitlines()
    assert [json.loads(line)["email"] for line in lines] == [r["email"] for r in whole[5:9]]
    assert [json.loads(line)["balance"] for line in lines] == [None if r["balance"] is None else str(r["balance"]) for r in whole[5:9]]
    table = list(csv.DictReader(io.StringIO(called(capsys, "rows", shop, "users", "--from", 5, "--to", 9)[1])))
    assert [row["email"] for row in table] == [r["email"] for r in whole[5:9]]
    assert [row["tenant_id"] for row in table] == [str(r["tenant_id"]) for r in whole[5:9]]


def test_schemas_are_checked_and_shown(capsys, shop):
    assert said(capsys, "schema", "check", shop)["tables"]["tenants"] == 20
    assert called(capsys, "schema", "check", "companyos")[0] == 0
    assert "tables:" in called(capsys, "schema", "show", "companyos")[1]


def test_every_problem_of_a_schema_is_told_with_its_place(capsys, shop):
    shop.write_text(SHOP.replace("person.email", "person.emial").replace("rows: 20", "rows: many"))
    code, _, err = called(capsys, "schema", "check", shop)
    assert code == 2
    assert f"{shop}:6:11:" in err
    assert "did you mean 'person.email'" in err
    code, out, _ = called(capsys, "schema", "check", shop, "--json")
    assert code == 2
    assert [p["line"] for p in json.loads(out)["problems"]] == [6, 15]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["bundle", "build", "nowhere.yaml"], 2, "nowhere.yaml"),
        (["bundle", "build", "companyoz"], 2, "did you mean 'companyos'"),
        (["bundle", "build", "shop.yaml", "--scale", "-1"], 2, "scale"),
        (["bundle", "build", "shop.yaml", "--scale", "nan"], 2, "scale"),
        (["bundle", "build", "shop.yaml", "--seed", "-1"], 2, "seed"),
        (["bundle", "build", "shop.yaml", "--tag", "Not A Tag"], 2, "Not A Tag"),
        (["bundle", "build", "shop.yaml", "--jobs", "0"], 2, "jobs"),
        (["bundle", "build", "shop.yaml", "--chunk-rows", "1000"], 2, "65,536"),
        (["bundle", "show", "nothing:v1"], 2, "nothing:v1"),
        (["bundle", "rm", "nothing:v1"], 2, "nothing:v1"),
        (["bundle", "tag", "nothing:v1", "other:v1"], 2, "nothing:v1"),
        (["bundle", "frobnicate"], 2, "frobnicate"),
        (["bundel"], 2, "did you mean 'bundle'"),
        (["rows", "shop.yaml", "usres"], 2, "did you mean 'users'"),
        (
            ["rows", "shop.yaml", "users", "--from", "5", "--to", "100000"],
            2,
            "there are no rows 5 to 100,000 (without the last) of users; its rows are numbered 0 to ",
        ),
        (["rows", "shop.yaml", "users", "--from", "5000"], 2, "there are no rows 5,000 to 5,010 (without the last) of users"),
        (
            ["rows", "shop.yaml", "users", "--from", "9", "--to", "5"],
            2,
            "there are no rows 9 to 5 (without the last) of users; its rows are numbered 0 to ",
        ),
        (["load", "nothing:v1", "duckdb:///x.db"], 2, "nothing:v1"),
        (["schema", "reflect", "nosuchdialect://x/y"], 2, "nosuchdialect"),
    ],
)
def test_bad_input_gets_one_clear_error(capsys, shop, arguments, code, words):
    found, out, err = called(capsys, *arguments)
    assert found == code
    assert words in err
    assert not out
    found, out, _ = called(capsys, *arguments, "--json")
    assert found == code
    assert json.loads(out)["exit_code"] == code


@pytest.mark.parametrize("command", ["load", "reflect"])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:hunter2@127.0.0.1:1/nothing?connect_timeout=1",
        "postgresql://127.0.0.1:1/nothing?password=hunter2",
        "postgresql://someone:p@hunter2@127.0.0.1:1/nothing",
        "postgresql://someone:@hunter2@127.0.0.1:1/nothing",
        "postgresql://someone:hunter2/x@127.0.0.1:1/nothing",
        "postgresql://someone:hunter2@[::1:1/nothing",
        "postgresql://someone:hunter2 x@127.0.0.1:1/nothing",
        "postgresql:/someone:hunter2@127.0.0.1:1/nothing",
        "postgresql:someone:hunter2@127.0.0.1",
        "postgresql//someone:hunter2@127.0.0.1:1/nothing",
        "postgresql:hunter2@127.0.0.1",
        "someone:hunter2@127.0.0.1/nothing",
        "someone:hunter2 x@127.0.0.1/nothing",
        ":hunter2@127.0.0.1",
        "mysql+nodriver://someone:hunter2@127.0.0.1/nothing",
    ],
)
def test_a_password_in_a_url_is_never_printed(capsys, shop, command, url):
    built(capsys, shop)
    arguments = ["load", "shop:v1", url] if command == "load" else ["schema", "reflect", url]
    for options in ([], ["--json"]):
        code, out, err = called(capsys, *arguments, *options)
        assert code in (2, 4)
        assert out + err
        assert "hunter2" not in out + err


@pytest.mark.parametrize("url", ["someone:hunter2@127.0.0.1/nothing", "postgresql//someone:hunter2@127.0.0.1/nothing"])
@pytest.mark.parametrize(
    "command",
    [
        ["mask", "plan", "-o", "policy.yaml"],
        ["mask", "plan", "sqlite:///nothing.db"],
        ["mask", "certificate"],
        ["dp", "budget", "--ledger"],
        ["sandbox", "list", "--control"],
    ],
)
def test_a_password_in_a_mistyped_url_is_neither_printed_nor_written(capsys, tmp_path, monkeypatch, command, url):
    monkeypatch.chdir(tmp_path)
    code, out, err = called(capsys, *command, url)
    assert code != 0
    assert out + err
    assert "hunter2" not in out + err
    assert not list(tmp_path.rglob("*hunter2*"))


@pytest.mark.parametrize("command", [["load", "shop:v1"], ["schema", "reflect"]])
def test_a_database_that_cannot_be_reached_is_named(capsys, shop, command):
    built(capsys, shop)
    code, _, err = called(capsys, *command, "postgresql://someone:hunter2@127.0.0.1:1/nothing?connect_timeout=1")
    assert code == 4
    assert "127.0.0.1" in err


def test_python_runs_it_by_its_name():
    ran = subprocess.run([sys.executable, "-m", "companyos", "schema", "check", "nothing.yaml"], capture_output=True, text=True)
    assert (ran.returncode, "Traceback" in ran.stderr) == (2, False)
    assert "nothing.yaml" in ran.stderr
    ran = subprocess.run([sys.executable, "-m", "companyos", "--help"], capture_output=True, text=True)
    assert ran.stdout.startswith("Usage: companyos")


def test_versions_are_those_of_the_program_and_the_generator(capsys):
    from companyos import __version__
    from datagen import GENERATOR_VERSION

    code, out, _ = called(capsys, "--version")
    assert code == 0
    assert out.strip() == f"companyos {__version__} (generator {GENERATOR_VERSION})"


@pytest.mark.parametrize("shell", one_in(3, ["bash", "zsh", "fish"]))
def test_shells_complete_commands_references_and_tables(capsys, shop, shell):
    assert "_COMPANYOS_COMPLETE" in called(capsys, "completion", shell)[1]
    built(capsys, shop)
    for words, wanted in (
        ("companyos bundle show s", "shop:v1"),
        ("companyos rows shop.yaml us", "users"),
        ("companyos schema check sh", "file,sh"),
        ("companyos mask risk released.csv --against pe", "file,pe"),
        ("companyos mask risk pe", "file,pe"),
        ("companyos mask find te", "file,te"),
        ("companyos query duckdb:///shop.db q --schema sh", "file,sh"),
        ("companyos bun", "bundle"),
        ("companyos bundle build companyos --scenario ca", "card_testing"),
        ("companyos bundle build companyos --tag a:1 --scenario=ca", "card_testing"),
        ("companyos bundle build --scenario ca", ""),
        ("companyos query s", "shop:v1"),
        ("companyos sandbox create --seed s", "shop:v1"),
        ("companyos demo rollback --to s", "shop:v1"),
        ("companyos sandbox policy --explain feat", "feature-default"),
        ("companyos demo create --template demo-", "demo-postgres"),
        ("companyos token create --scope ap", "approve"),
        ("companyos mask plan sqlite:///shop.db --locale de_", "de_DE"),
    ):
        environment = {**os.environ, "_COMPANYOS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
        found = subprocess.run([program()], env=environment, capture_output=True, text=True, check=True, cwd=shop.parent)
        assert wanted in found.stdout


@pytest.mark.parametrize("typed", ["bundle show shop:", "bundle show shop:v", "bundle show 'shop:v", "load shop:v"])
def test_bash_completes_a_reference_behind_its_colon_where_it_sees_several_words(capsys, shop, typed):
    built(capsys, shop)
    line = f"companyos {typed}"
    asked = f"""
eval "$(companyos completion bash)"
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:' COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)}
COMP_WORDS=({shlex.quote(line).replace(":", "' : '")}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_companyos_completion companyos
echo "${{COMPREPLY[*]}}"
"""
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(program()).parent), os.environ["PATH"]])}
    found = subprocess.run(["bash", "--norc", "-c", asked], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout == "v1\n", found.stderr


def program() -> str:
    return str(Path(sys.executable).with_name("companyos"))


def test_help_and_list_import_no_more_than_they_need(shop):
    code = "import sys; from companyos.cli import run; run({!r}); print(sorted(m for m in {!r} if m in sys.modules), file=sys.stderr)"
    heavy = ["numpy", "pyarrow", "duckdb", "sqlalchemy", "faker", "polars", "pandas", "sqlglot"]
    for arguments, allowed in ((["--help"], []), (["--version"], []), (["bundle", "list"], [])):
        found = subprocess.run([sys.executable, "-c", code.format(arguments, heavy)], capture_output=True, text=True, check=True)
        assert found.stderr.strip() == str(allowed), arguments


@pytest.mark.parametrize(
    "kill", [signal.SIGINT, signal.SIGKILL, *(pytest.param(s, marks=pytest.mark.slow) for s in (signal.SIGTERM, signal.SIGHUP))]
)
def test_an_interrupted_build_leaves_no_reference_and_nothing_that_gc_does_not_collect(capsys, shop, kill):
    built(capsys, shop)
    process = subprocess.Popen([program(), "bundle", "build", "companyos", "--scale", "3", "--tag", "big:v1"], stderr=subprocess.PIPE)
    blobs = Path(os.environ["COMPANYOS_HOME"]) / "bundles"
    before = {p for p in blobs.rglob("*") if p.is_file()}
    deadline = time.monotonic() + 60
    while len({p for p in blobs.rglob("*") if p.is_file()} - before) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(kill)
    _, err = process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if kill == signal.SIGKILL else 130)
    assert b"Traceback" not in err
    assert kill == signal.SIGKILL or not any((blobs / "tmp").iterdir())
    assert [b["reference"] for b in said(capsys, "bundle", "list")] == ["shop:v1"]
    assert said(capsys, "bundle", "verify", "shop:v1")["ok"] is True
    said(capsys, "bundle", "gc")
    needed = 2 + len(json.loads(called(capsys, "bundle", "show", "shop:v1", "--json")[1])["tables"])
    assert len(list((blobs / "blobs" / "sha256").iterdir())) == needed


@pytest.mark.parametrize("late", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize(("command", "code"), [("bundle list", 0), ("bundle show nothing:v1", 2)])
def test_a_signal_that_comes_while_python_ends_leaves_the_exit_code(late, command, code):
    child = f"""
import os, signal, sys
from companyos.cli import main

class Late:
    def __del__(self, kill=os.kill, me=os.getpid()):
        kill(me, signal.{late})

late = Late()  # which is let go of when Python tears down the module
sys.argv[1:] = {command.split()}
main()
"""
    assert subprocess.run([sys.executable, "-c", child], capture_output=True).returncode == code


def test_what_duckdb_makes_of_a_signal_in_the_main_thread_is_an_interruption(capsys, monkeypatch):
    def interrupted(arguments):
        raise RuntimeError("Query interrupted")  # the words of DuckDB 2

    monkeypatch.setattr("companyos.cli._invoke", interrupted)
    assert run(["demo", "reset"]) == 130
    assert capsys.readouterr().err == "error: interrupted; nothing was left half-made\n"


@pytest.mark.parametrize("unbuffered", ["", pytest.param("1", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "command", ["--help", "rows companyos users --to 20000", "bundle list", "schema show companyos", "bundle list --json"]
)
def test_a_closed_pipe_is_no_error(capsys, shop, command, unbuffered):
    built(capsys, shop)
    line = f"{program()} {command} | (exec <&-; sleep 0.1); exit ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    found = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", pytest.param("1", marks=pytest.mark.slow)])
@pytest.mark.parametrize("command", ["--help", "rows companyos users --to 3", "bundle list --json", "bundle show shop:v1"])
def test_output_that_cannot_be_written_fails_with_one_line(capsys, shop, command, unbuffered):
    built(capsys, shop)
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        found = subprocess.run([program(), *command.split()], env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (found.returncode, found.stderr) == (4, "error: No space left on device\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_names_of_any_script_are_printed_under_any_locale(shop, encoding):
    shop.write_text(SHOP.replace("tenants:\n    rows", "\"ten'ants 😀\":\n    rows").replace("per: tenants", 'per: "ten\'ants 😀"').replace(
        "references: tenants.id", 'references: "ten\'ants 😀.id"'
    ), encoding="utf-8")  # fmt: skip
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    for arguments in (["schema", "check", shop, "--json"], ["bundle", "build", shop, "--tag", "a:v1"], ["bundle", "show", "a:v1"]):
        found = subprocess.run([program(), *arguments], env=environment, capture_output=True, check=False)
        assert found.returncode == 0, found.stdout + found.stderr
    assert "ten'ants 😀" in found.stdout.decode("utf-8")


@pytest.mark.parametrize("arguments", [[], ["bundle"], ["schema"]])
def test_a_group_alone_shows_its_help_and_is_wrong_usage(capsys, shop, arguments):
    code, out, err = called(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Usage:")
    assert "error:" not in err


def test_a_reference_without_its_version_is_told_which_there_are(capsys, shop):
    built(capsys, shop)
    assert "under the name 'shop' there is shop:v1" in called(capsys, "bundle", "show", "shop")[2]


def test_csv_tells_a_null_from_an_empty_text_and_keeps_items_of_arrays_as_values(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("odd.yaml").write_text("""schema: odd
tables:
  things:
    rows: 60
    columns:
      id:   {type: bigint, key: true}
      "a,b": {type: text, null: 0.4, generate: {choice: {"": 1, "x,\\"y\\"": 1, "two\\nlines": 1}}}
      seen: {type: "timestamptz[]", generate: {array: {between: [2025-01-01, 2025-12-31]}, count: 2}}
      paid: {type: "numeric(6,2)[]", generate: {array: {uniform: [1, 9]}, count: 1}}
""")
    out = called(capsys, "rows", "odd.yaml", "things", "--to", 60)[1]
    records = [json.loads(line) for line in called(capsys, "rows", "odd.yaml", "things", "--to", 60, "--format", "jsonl")[1].splitlines()]
    assert {r["a,b"] for r in records} == {None, "", 'x,"y"', "two\nlines"}
    assert [row["a,b"] for row in csv.DictReader(io.StringIO(out))] == [r["a,b"] or "" for r in records]
    firsts = {record["id"]: record["a,b"] for record in records}
    for line in out.splitlines():
        number, _, rest = line.partition(",")
        if number.isdecimal() and not firsts[int(number)]:
            assert rest.startswith(',"[' if firsts[int(number)] is None else '"","[')
    assert all(re.fullmatch(r"2025-\d\d-\d\dT[0-9:.]+Z", at) for r in records for at in r["seen"])
    assert all(re.fullmatch(r"\d\.\d\d", text) for r in records for text in r["paid"])


def test_rows_show_every_digit_of_long_intervals_and_small_numerics(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("odd.yaml").write_text("""schema: odd
tables:
  things:
    rows: 1
    columns:
      long:  {type: interval, generate: {constant: 99999y1us}}
      below: {type: interval, generate: {constant: -99999y1us}}
      small: {type: "numeric(38,12)", generate: {constant: "0.000000000001"}}
      zero:  {type: "numeric(38,12)", generate: {constant: "0"}}
""")
    values = ["3153568464000.000001s", "-3153568464000.000001s", "0.000000000001", "0.000000000000"]
    assert called(capsys, "rows", "odd.yaml", "things")[1].splitlines() == ["long,below,small,zero", ",".join(values)]
    assert list(said(capsys, "rows", "odd.yaml", "things")["rows"][0].values()) == values


# Scenarios

PLANTED = (
    SHOP
    + """scenarios:
  locked:
    comment: users who locked themselves out
    subjects: users
    share: 0.3
    set: {users: {columns: {balance: {constant: -1}}}}
"""
)


def test_scenarios_are_planted_by_the_schema_and_by_asking(shop, capsys):
    shop.write_text(PLANTED)
    own = said(capsys, "bundle", "build", "shop.yaml")
    _, out, _ = called(capsys, "bundle", "show", "synthetic:latest")
    found = re.search(r"scenario  locked=0.3: (\d+) subjects and 0 near misses, 0 rows added and (\d+) set\n", out)
    assert found
    assert found[1] == found[2] != "0"
    none = said(capsys, "bundle", "build", "shop.yaml", "--scenario", "locked=0")
    assert own["content_digest"] != none["content_digest"]
    shop.write_text(SHOP)
    assert said(capsys, "bundle", "build", "shop.yaml")["content_digest"] == none["content_digest"]
    shop.write_text(PLANTED)
    code, out, _ = called(capsys, "bundle", "build", "shop.yaml", "--scenario", "locked=1")
    assert code == 0
    assert "scenario  locked=1: " in out


def test_rows_shows_the_rows_that_a_bundle_with_scenarios_holds(shop, capsys):
    shop.write_text(PLANTED)
    rows = said(capsys, "rows", "shop.yaml", "users", "--scenario", "locked=1")["rows"]
    assert {row["balance"] for row in rows} == {"-1.00"}
    labels = said(capsys, "rows", "shop.yaml", "locked_labels", "--scenario", "locked=1")
    assert labels["of"] == 2 * said(capsys, "rows", "shop.yaml", "users")["of"]
    assert [row["change"] for row in labels["rows"][:4]] == ["episode", "set", "episode", "set"]


def test_states_and_changes_refuse_scenarios(shop, capsys):
    shop.write_text(PLANTED)
    for command in (["bundle", "build", "shop.yaml"], ["rows", "shop.yaml", "users"]):
        code, _, err = called(capsys, *command, "--as-of-state", "-30d")
        assert code == 2
        assert "a state of a moment is asked for, and scenarios (locked) are planted in whole histories only" in err
    said(capsys, "bundle", "build", "shop.yaml", "--tag", "planted:v1")
    code, _, err = called(capsys, "bundle", "changes", "planted:v1", "--from", "-30d")
    assert code == 2
    assert "'planted:v1' has scenarios (locked)" in err


def test_scenarios_are_listed(shop, capsys):
    shop.write_text(PLANTED)
    listed = json.loads(called(capsys, "schema", "scenarios", "shop.yaml", "--json")[1])
    assert listed == [
        {
            "name": "locked",
            "subjects": "users",
            "share": 0.3,
            "near_miss": 0.0,
            "comment": "users who locked themselves out",
            "tables": ["users"],
        }
    ]
    _, out, _ = called(capsys, "schema", "scenarios")
    assert "card_testing" in out
    assert "retry_storm" in out
    shop.write_text(SHOP)
    assert "there are no ready ones for schemas named 'shop'" in called(capsys, "schema", "scenarios", "shop.yaml")[1]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("loked", "there is no scenario 'loked' for schema 'shop'; did you mean 'locked'?"),
        ("locked=1.5", "the share of scenario 'locked' must lie between 0 and 1, not 1.5"),
        ("locked=-1", "the share of scenario 'locked' must lie between 0 and 1, not -1"),
        ("locked=nan", "the share of scenario 'locked' must lie between 0 and 1, not nan"),
        ("locked=many", "the share of 'locked' must be a number from 0 to 1, as in locked=0.01, not 'many'"),
    ],
)
def test_wrong_scenarios_are_refused_before_anything_is_made(shop, capsys, option, message):
    shop.write_text(PLANTED)
    for command in (["bundle", "build", "shop.yaml"], ["rows", "shop.yaml", "users"]):
        code, _, err = called(capsys, *command, "--scenario", option)
        assert code == 2
        assert message in err
    code, _, err = called(capsys, "bundle", "build", "shop.yaml", "--scenario", "locked", "--scenario", "locked=0.1")
    assert code == 2
    assert "'locked' is given twice" in err
    assert said(capsys, "bundle", "list") == []
