"""`companyos bundle media`: lists the files of rows, and writes them to a folder."""

from __future__ import annotations

import json

import pytest

from companyos.cli import run

SCHEMA = """schema: t
tables:
  people:
    rows: 3
    columns:
      id:   {type: bigint, key: true}
      icon: {type: text, generate: media.avatar}
"""


@pytest.fixture
def built(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.yaml").write_text(SCHEMA)
    assert run(["bundle", "build", "t.yaml", "--tag", "t:v1"]) == 0
    capsys.readouterr()
    return tmp_path


def test_files_are_listed(built, capsys):
    assert run(["bundle", "media", "t:v1"]) == 0
    assert "people/icon/000003.png" in capsys.readouterr().out
    assert run(["bundle", "show", "t:v1"]) == 0
    assert "3 files of people.icon" in capsys.readouterr().out


def test_files_are_written_to_a_new_folder_and_to_no_other(built, capsys):
    assert run(["bundle", "media", "t:v1", "-o", "out", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [m["path"] for m in said["media"]] == [f"people/icon/00000{i}.png" for i in (1, 2, 3)]
    assert all((built / "out" / m["path"]).stat().st_size == m["bytes"] for m in said["media"])
    assert run(["bundle", "media", "t:v1", "-o", "out"]) == 2
    assert "other files" in capsys.readouterr().err


def test_a_bundle_without_files_says_so(built, capsys):
    (built / "p.yaml").write_text(SCHEMA.replace("      icon: {type: text, generate: media.avatar}\n", ""))
    assert run(["bundle", "build", "p.yaml", "--tag", "p:v1"]) == 0
    assert run(["bundle", "media", "p:v1"]) == 0
    assert "holds no files" in capsys.readouterr().out
