"""Files that commands write are never those that they read."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from companyos.cli import run

TABLE = "age,city\n31,Bern\n33,Bern\n"
ANONYMIZE = ["mask", "anonymize", "in.csv", "--quasi-identifiers", "age", "--k", "2", "-o"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text(TABLE)
    Path("texts.jsonl").write_text('"a"\n')
    os.symlink("in.csv", "symbolic.csv")
    os.link("in.csv", "hard.csv")
    connection = sqlite3.connect("in.sqlite")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    connection.close()
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        [*ANONYMIZE, "in.csv"],
        [*ANONYMIZE, "./in.csv"],
        [*ANONYMIZE, "symbolic.csv"],
        [*ANONYMIZE, "hard.csv"],
        ["mask", "risk", "in.csv", "--quasi-identifiers", "age", "--html", "in.csv"],
        ["mask", "find", "texts.jsonl", "-o", "texts.jsonl"],
        ["mask", "plan", "sqlite:///in.sqlite", "-o", "in.sqlite"],
        ["mask", "run", "sqlite:///in.sqlite", "--policy", "in.csv", "--certificate", "in.csv"],
        ["mask", "run", "sqlite:///in.sqlite", "--policy", "in.csv", "--certificate", "in.sqlite"],
        ["schema", "reflect", "sqlite:///in.sqlite", "-o", "in.sqlite"],
    ],
    ids=" ".join,
)
def test_what_is_read_is_not_overwritten(here: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    assert run(arguments) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before


def test_another_file_is(here: Path) -> None:
    Path("out.csv").write_text("what was there")
    assert run([*ANONYMIZE, "out.csv"]) == 0
    assert Path("out.csv").read_text().startswith("age,city\n")
    assert Path("in.csv").read_text() == TABLE


def test_a_reflected_schema_that_people_may_have_worked_on_is_not_written_over_unless_they_say_so(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.yaml").write_text("schema: mine  # corrected\n")
    reflect = ["schema", "reflect", "sqlite:///in.sqlite", "-o", "mine.yaml"]
    assert run(reflect) == 2
    told = capsys.readouterr().err
    assert "is there already" in told and "--replace" in told
    assert Path("mine.yaml").read_text() == "schema: mine  # corrected\n"
    assert run([*reflect, "--replace"]) == 0
    assert "corrected" not in Path("mine.yaml").read_text()


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="the system has no name for standard output")
@pytest.mark.parametrize(
    ("arguments", "begins"),
    [([*ANONYMIZE, "/dev/stdout"], b"age,city\n"), (["schema", "profile", "shop:v1", "-o", "/dev/stdout"], b"<!doctype html>")],
    ids=["anonymize", "profile"],
)
def test_what_is_written_may_go_into_a_pipe(here: Path, arguments: list[str], begins: bytes) -> None:
    if "profile" in arguments:
        assert run(["bundle", "build", "companyos", "--scale", "0.0001", "--tag", "shop:v1"]) == 0
    found = subprocess.run([sys.executable, "-m", "companyos", *arguments], capture_output=True)
    assert (found.returncode, found.stderr) == (0, b"")
    assert found.stdout.startswith(begins)
