"""`companyos dp suggest`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bundles
import datagen
from companyos.cli import run
from schemas.reader import parse_schema

SHOP = """\
schema: shop
tables:
  users:
    rows: 9
    columns:
      id:   {type: bigint, key: true}
      age:  {type: integer, generate: {uniform: [18, 90]}}
      kind: {type: text, generate: {choice: [a, b]}}
      debt: {type: integer, generate: {poisson: 4}}
"""

UNKNOWN = "error: the unit 'users.idd' is no column that is a key or unique; did you mean 'users.id'?\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP, "utf-8")
    return file


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(["dp", "suggest", *arguments]) == code
    out, err = capsys.readouterr()
    return out if code == 0 else err


def test_what_is_printed_can_be_pasted_into_the_file(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, str(shop))
    assert "    users.age: {bounds: [18, 90]}  # generator 'uniform'\n" in text
    assert "#   users.debt: its generator 'poisson' has no `max`" in text
    privacy = parse_schema(SHOP + text, "shop.yaml").privacy
    assert privacy is not None
    assert set(privacy.columns) == {"users.age", "users.kind"}


def test_machines_are_told_the_same(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, str(shop), "--json"))
    assert (found["unit"], found["guessed"]) == ("users.id", True)
    assert found["columns"]["users.kind"] == {"values": ["a", "b"], "from": "generator 'choice'"}
    assert set(found["unbounded"]) == {"users.debt"}
    assert found["section"] == printed(capsys, str(shop))


def test_a_bundle_is_asked_for_its_schema_alone(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    built = bundles.build(datagen.source(str(shop)), store=store)
    opened = bundles.open(built.reference, store)
    for table in opened.tables:
        for path in opened.table(table).paths():
            Path(path).chmod(0o600)
            Path(path).write_bytes(b"")
    assert printed(capsys, built.reference, "--store", str(store)) == printed(capsys, str(shop))


def test_bad_input_is_told_in_one_line(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, str(shop), "--unit", "users.idd", code=2) == UNKNOWN
    assert printed(capsys, str(tmp_path / "no.yaml"), code=2).count("\n") == 1
    assert "there is no bundle 'nosuch:latest'" in printed(capsys, "nosuch", "--store", str(tmp_path / "empty"), code=2)
