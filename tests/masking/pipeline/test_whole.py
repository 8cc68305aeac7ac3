"""From a live database to a bundle and into a fresh database: planned as proposed, masked, verified, loaded, searched."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

import bundles
import datagen
import provisioning
from tests.masking.pipeline import databases
from tests.masking.pipeline.commands import Masking
from tests.masking.pipeline.databases import asked, interlocked, people_in_sqlite, raw_values

LEAK = "ottokar.unverwechselbar@geheim-werke.example"


def assert_masked_as_proposed(masking: Masking, url: str, another: str) -> bundles.Bundle:
    """Plan, run, verify, load, and hold the loaded database against the source."""
    masking.plan(url)
    made = masking.made(url)
    code, out, err = masking("bundle", "verify", made.reference, "--store", masking.store)
    assert code == 0, out + err
    code, out, err = masking("load", made.reference, another, "--store", masking.store)
    assert code == 0, out + err
    code, out, err = masking("mask", "scan", made.reference, "--against", url, "--store", masking.store, "--json")
    assert code == 0, out + err
    assert json.loads(out)["survivors"] == 0
    code, _, _ = masking("mask", "plan", url, "--diff", masking.policy)
    assert code == 0
    return made


def constraints(url: str) -> list[tuple[str, ...]]:
    """All keys, references and checks by their definitions, of which none is unproven."""
    return asked(
        url,
        "SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype IN ('p', 'u', 'f') AND convalidated AND connamespace::regnamespace::text NOT LIKE 'pg\\_%' "
        "AND connamespace::regnamespace::text <> 'information_schema' ORDER BY 1, 2, 3",
    )


def test_interlocked_cycles_without_nulls_are_masked_and_loaded_again(masking: Masking, postgres_url: str, another_postgres_url: str):
    interlocked(postgres_url)
    made = assert_masked_as_proposed(masking, postgres_url, another_postgres_url)

    def shape(url: str) -> list[str]:
        return [kind for _, kind, _ in constraints(url)]

    assert sorted(shape(postgres_url)) == sorted(shape(another_postgres_url))
    # everyone is still led, taught and housed by the people whom the source says, under other numbers
    query = (
        "SELECT count(*), count(DISTINCT e.department_id), count(DISTINCT m.id), count(DISTINCT k.id), count(DISTINCT h.id) FROM employees e "
        "JOIN employees m ON m.id = e.mentor_id JOIN offices o ON (o.building, o.room) = (e.building, e.room) JOIN employees k ON k.id = o.keeper_id "
        "JOIN staff.departments d ON d.id = e.department_id JOIN employees h ON h.id = d.head_id"
    )
    assert asked(another_postgres_url, query) == asked(postgres_url, query)
    assert not set(asked(another_postgres_url, "SELECT id FROM employees")) & set(asked(postgres_url, "SELECT id FROM employees"))
    with psycopg.connect(another_postgres_url) as connection, pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute("UPDATE employees SET mentor_id = 1")
        connection.commit()
    masking.said.clear()
    masking("bundle", "show", made.reference, "--store", masking.store)
    assert masking.places_of(raw_values(60)) == []


def test_a_sqlite_database_is_masked_as_proposed(masking: Masking, tmp_path: Path):
    url = people_in_sqlite(tmp_path / "source.db")
    made = assert_masked_as_proposed(masking, url, f"sqlite:///{tmp_path / 'loaded.db'}")
    assert made.kind == "sanitized"
    assert masking.places_of(raw_values(60)) == []


@pytest.mark.slow
@pytest.mark.skipif(not databases.CHINOOK.exists(), reason="the shop of music is not here")
def test_chinook_is_masked_as_proposed(masking: Masking, postgres_url: str, another_postgres_url: str):
    databases.chinook(postgres_url)
    assert_masked_as_proposed(masking, postgres_url, another_postgres_url)
    emails = [email for (email,) in asked(postgres_url, "SELECT email FROM customer")]
    masking.said.clear()
    assert masking.places_of(emails) == []


@pytest.mark.slow
def test_the_built_in_company_is_masked_as_proposed(masking: Masking, tmp_path: Path, postgres_url: str, another_postgres_url: str):
    made = bundles.build(datagen.source("companyos", scale=0.01), store=tmp_path / "synthetic")
    provisioning.load(made, postgres_url)
    assert_masked_as_proposed(masking, postgres_url, another_postgres_url)


def plant_in_postgres(url: str) -> None:
    interlocked(url)
    asked(
        url,
        "INSERT INTO employees (id, full_name, email, phones, born_on, salary, mood, department_id, mentor_id, building, room) "
        f"OVERRIDING SYSTEM VALUE SELECT 5000, 'Ottokar Unverwechselbar', '{LEAK}', phones, born_on, salary, mood, department_id, "
        "mentor_id, building, room FROM employees WHERE id = 1001",
        'UPDATE messages SET payload = payload || \'{"note": "see ' + LEAK.upper() + " for more\"}' WHERE id = 7",
    )


def test_a_leak_in_the_json_of_a_message_stops_the_bundle(masking: Masking, postgres_url: str):
    plant_in_postgres(postgres_url)
    masking.plan(postgres_url)
    masking.edit(lambda policy: policy["tables"]["messages"]["columns"].update(payload={"class": "public", "mask": "keep"}))
    masking.edit(lambda policy: policy.update(references=[r for r in policy["references"] if "payload" not in r["from"]]))
    # what else stands in the documents is taken away, so that the one address is all that is left
    asked(postgres_url, "UPDATE messages SET payload = payload - 'from' - 'employee_id'")
    code, _, err = masking.run(postgres_url)
    assert code == 1
    assert "messages.payload: 1 value of employees.email" in err
    assert masking.places_of([LEAK, LEAK.upper()]) == []
    masking.assert_nothing_is_left()
    code, out, _ = masking("bundle", "gc", "--store", masking.store, "--json")
    assert code == 0 and json.loads(out)["blobs"] == 0
