"""`companyos mask scan`: a bundle against the database that it was made of."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from companyos.cli import run

POLICY = """
policy: crm
tables:
  users:
    subject: id
    columns:
      id:    {class: direct, entity: person_id, mask: {hash: {form: integer}}}
      name:  {class: direct, entity: person_name, mask: name}
      email: {class: direct, entity: email, mask: email}
      plan:  {class: public, mask: keep}
  messages:
    subject: user_id
    columns:
      id:      {class: public, mask: keep}
      user_id: {class: direct, entity: person_id, mask: reference}
      payload: {class: public, mask: keep}
"""
PEOPLE = 60
NAMES = [
    f"{a} {b}ington"
    for a in ("Quentin", "Rosalind", "Barnaby", "Ottoline", "Ferdinand", "Isolde")
    for b in ["Ash", "Bex", "Cor", "Dev", "Elm", "Fen", "Gar", "Hol", "Ing", "Jop"]
]


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path / "home"))
    (tmp_path / "policy.yaml").write_text(POLICY)
    database = tmp_path / "crm.sqlite"
    with sqlite3.connect(database) as connection:
        connection.executescript(
            """CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, plan TEXT NOT NULL);
            CREATE TABLE messages (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id), payload JSON NOT NULL);"""
        )
        for i, name in enumerate(NAMES):
            email = f"{name.lower().replace(' ', '.')}@northwind-traders.net"
            connection.execute("INSERT INTO users VALUES (?, ?, ?, 'free')", (1000 + i, name, email))
            connection.execute("INSERT INTO messages VALUES (?, ?, ?)", (i, 1000 + i, json.dumps({"state": "sent", "n": i})))
    connection.close()
    return database


def change(database: Path, sql: str, *values: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(sql, values)
    connection.close()


def mask(crm: Path, *options: str) -> int:
    return run(["mask", "run", f"sqlite:///{crm}", "--policy", str(crm.with_name("policy.yaml")), "--tag", "crm:v1", *options])


def test_a_masked_bundle_has_no_survivor_and_its_certificate_says_what_to_look_for(crm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mask(crm, "--json") == 0
    certificate = json.loads(capsys.readouterr().out)["certificate"]
    assert run(["mask", "scan", "crm:v1", "--against", f"sqlite:///{crm}", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["passed"] and report["survivors"] == 0 and report["values"] == 4 * PEOPLE
    assert [c["place"] for c in report["columns"]] == ["users.id", "users.name", "users.email", "messages.user_id"]
    told = json.dumps([certificate, report])
    assert not any(name in told or name.lower().replace(" ", ".") in told for name in NAMES)
    assert certificate["scan"]["survivors"] == 0 and certificate["key"]["origin"] == "ephemeral"
    assert "time" not in certificate and certificate["policy"]["digest"].startswith("blake3:")


def test_one_raw_address_in_the_json_of_a_message_stops_the_bundle(crm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(
        crm, "UPDATE messages SET payload = ? WHERE id = 7", json.dumps({"state": "sent", "cc": "Quentin.Hollington@northwind-traders.net"})
    )
    change(crm, "UPDATE users SET name = 'Quentin Hollington', email = 'quentin.hollington@northwind-traders.net' WHERE id = 1007")
    assert mask(crm) == 1
    said = capsys.readouterr()
    assert "messages.payload: 1 value of users.email" in said.err
    assert "hollington" not in (said.out + said.err).lower()
    assert run(["mask", "scan", "crm:v1", "--against", f"sqlite:///{crm}"]) == 2
    assert "there is no bundle" in capsys.readouterr().err


def test_a_scan_finds_what_a_bundle_shares_with_a_source_that_it_was_not_made_of(crm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(crm, 'UPDATE messages SET payload = \'{"cc": "somebody.else@fabrikam-industries.com"}\' WHERE id = 3')
    assert mask(crm) == 0
    change(crm, "UPDATE users SET email = 'somebody.else@fabrikam-industries.com' WHERE id = 1003")
    capsys.readouterr()
    assert run(["mask", "scan", "crm:v1", "--against", f"sqlite:///{crm}"]) == 1
    said = capsys.readouterr()
    assert "users.email" in said.out and "messages.payload" in said.out and "somebody" not in said.out + said.err
    assert "1 value of the source is left" in said.err
    policy = crm.with_name("lenient.yaml")
    policy.write_text(POLICY + "proof: {survivors: 1}\n")
    assert run(["mask", "scan", "crm:v1", "--against", f"sqlite:///{crm}", "--policy", str(policy), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["survivors"], report["allowed"], report["passed"]) == (1, 1, True)


def test_bad_input_is_told_in_one_line(crm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mask(crm) == 0
    capsys.readouterr()
    change(crm, "ALTER TABLE users RENAME COLUMN email TO mail")
    assert run(["mask", "scan", "crm:v1", "--against", f"sqlite:///{crm}"]) == 1
    assert "no column 'users.email'" in capsys.readouterr().err
    assert run(["mask", "scan", "crm:v1", "--against", f"sqlite:///{crm.with_name('none.sqlite')}"]) in (2, 4)
    assert run(["mask", "scan", "crm:v1"]) == 2
    assert "--against" in capsys.readouterr().err


def test_a_synthetic_bundle_needs_a_policy(crm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = crm.with_name("shop.yaml")
    schema.write_text(
        "schema: shop\ntables:\n  users:\n    rows: 5\n    columns:\n      id: {type: bigint, key: true}\n      name: {type: text, generate: {constant: x}}\n"
    )
    assert run(["bundle", "build", str(schema), "--tag", "shop:v1"]) == 0
    capsys.readouterr()
    assert run(["mask", "scan", "shop:v1", "--against", f"sqlite:///{crm}"]) == 2
    assert "--policy" in capsys.readouterr().err
    assert run(["mask", "scan", "shop:v1", "--against", f"sqlite:///{crm}", "--policy", str(crm.with_name("policy.yaml"))]) == 0
