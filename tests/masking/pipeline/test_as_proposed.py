"""What the plan proposes runs as it is: the proof finds nothing that the plan has not seen."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from tests.masking.pipeline.commands import Masking

GIVEN = [
    "Anna",
    "Bernd",
    "Carla",
    "David",
    "Emma",
    "Felix",
    "Greta",
    "Hugo",
    "Irene",
    "Jonas",
    "Karl",
    "Laura",
    "Maria",
    "Nora",
    "Oskar",
    "Paula",
    "Robert",
    "Sophie",
    "Thomas",
    "Ursula",
]
FAMILY = [
    "Kowalski",
    "Schneider",
    "Moreau",
    "Rossi",
    "Novak",
    "Garcia",
    "Jansen",
    "Silva",
    "Weber",
    "Fischer",
    "Becker",
    "Hoffmann",
    "Keller",
    "Lehmann",
    "Vogel",
    "Peters",
    "Martin",
]
WARDS = ["Surgery", "Maternity Ward", "Cardiology", "Intensive Care", "Day Clinic", "Radiology"]


def a_hospital(path: Path, patients: int, called: str, wards: str = "name TEXT NOT NULL") -> str:
    """A database of a hospital, one ward of which is `called` as its last patient is."""
    names = [f"{GIVEN[i % 20]} {FAMILY[(i + i // 20) % 17]}" for i in range(patients - 1)]
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"CREATE TABLE wards (id INTEGER PRIMARY KEY, {wards})")
        database.execute("CREATE TABLE patients (id INTEGER PRIMARY KEY, full_name TEXT, ward_id INTEGER REFERENCES wards)")
        database.executemany("INSERT INTO wards VALUES (?, ?)", enumerate([*WARDS, f"{called} Ward"], 1))
        rows = [(1000 + 3 * i, name, 1 + i % 7) for i, name in enumerate([*names, called])]
        database.executemany("INSERT INTO patients VALUES (?, ?, ?)", rows)
        database.commit()
    return f"sqlite:///{path}"


@pytest.mark.parametrize(
    ("patients", "rows", "wards"),
    [(200, 5000, "name TEXT NOT NULL"), (200, 5000, "name TEXT NOT NULL UNIQUE"), (400, 50, "name VARCHAR(40)")],
    ids=["of a sampled patient", "in a unique column", "of a patient beyond the sample"],
)
def test_a_ward_that_is_called_as_a_patient_is_loses_that_name_alone(
    masking: Masking, tmp_path: Path, patients: int, rows: int, wards: str
):
    url = a_hospital(tmp_path / "source.sqlite", patients, "Florence Nachtegaal", wards)
    masking.plan(url, "--rows", rows)
    proposed = yaml.safe_load(masking.policy.read_text())["tables"]["wards"]["columns"]["name"]
    assert proposed["mask"] == {"redact": {"known": True}}
    made = masking.made(url)
    names = made.table("wards").to_arrow().column("name").to_pylist()
    assert set(WARDS) < set(names) and len(set(names)) == 7
    assert not masking.places_of(["Nachtegaal"])
