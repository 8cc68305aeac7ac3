"""`companyos mask find`: one list of spans a text, numbers for machines, and what it says of bad files."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from companyos.cli import run

TEXTS = ["Mail ann@example.org", "nothing", "😀 ring +49 30 1234567", "", None]
SPANS = [[[5, 20]], [], [[7, 21]], [], []]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps(text) + "\n" for text in TEXTS))
    return path


def spans_in(path: Path) -> list[list[list[int]]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("fast", [[], ["--fast"]])
def test_a_line_of_spans_is_written_for_each_text(file: Path, tmp_path: Path, fast: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mask", "find", str(file), "-o", str(tmp_path / "spans.jsonl"), *fast]) == 0
    assert spans_in(tmp_path / "spans.jsonl") == SPANS
    assert "2 spans in 5 texts" in capsys.readouterr().out


def test_json_tells_the_numbers(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "s.jsonl")
    assert run(["mask", "find", str(file), "-o", out, "--fast", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"texts": 5, "spans": 2, "entities": {"email": 1, "phone": 1}, "output": out}
    assert run(["mask", "find", str(file), "--json"]) == 2


def test_standard_input_and_output(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    assert run(["mask", "find", "-", "--fast"]) == 0
    printed = capsys.readouterr()
    assert [json.loads(line) for line in printed.out.splitlines()] == SPANS
    assert printed.err == ""


def test_a_bad_line_leaves_the_old_file_and_nothing_else(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "spans.jsonl"
    out.write_text("old")
    with file.open("a") as more:
        more.write("Ann Miller\n")
    assert run(["mask", "find", str(file), "-o", str(out), "--fast"]) == 2
    message = capsys.readouterr().err
    assert f"{file}:6: this is no JSON" in message and "Miller" not in message
    assert out.read_text() == "old"
    assert {p.name for p in tmp_path.iterdir()} == {"texts.jsonl", "spans.jsonl"}


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mask", "find", str(tmp_path / "no.jsonl"), "-o", str(tmp_path / "s.jsonl")]) == 2
    assert "no.jsonl cannot be read" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
