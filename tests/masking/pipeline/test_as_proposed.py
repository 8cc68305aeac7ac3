"""What the plan proposes runs as it is: the proof finds nothing that the plan has not seen."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

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


def test_what_a_row_has_many_of_in_a_document_is_not_dealt_among_rows(masking: Masking, tmp_path: Path):
    points = [[[round(8.1234567 + i / 90 + k / 1000, 7), round(52.7654321 - i / 90 - k / 1000, 7)] for k in range(4)] for i in range(90)]
    tracks = [
        {"coordinates": line, "members": [{"gender": "fm"[k % 2], "weight_kg": 61.5 + i + k} for k in range(3)]}
        for i, line in enumerate(points)
    ]
    with closing(sqlite3.connect(tmp_path / "source.sqlite")) as database:
        database.execute("CREATE TABLE members (id INTEGER PRIMARY KEY, full_name TEXT, track JSON)")
        rows = [(1000 + 3 * i, f"{GIVEN[i % 20]} {FAMILY[(i + i // 20) % 17]}", json.dumps(track)) for i, track in enumerate(tracks)]
        database.executemany("INSERT INTO members VALUES (?, ?, ?)", rows)
        database.commit()
    url = f"sqlite:///{tmp_path}/source.sqlite"
    masking.plan(url)
    masked = [json.loads(text) for text in masking.made(url).table("members").to_arrow().column("track").to_pylist()]
    assert all(isinstance(number, float) for track in masked for point in track["coordinates"] for number in point)
    assert not masking.places_of(str(number) for line in points for point in line for number in point)


def test_what_names_sound_like_is_masked_though_some_of_it_is_in_any_digest(masking: Masking, tmp_path: Path):
    sounds = [f"{'ABCDEF'[i % 6]}{100 + i}" for i in range(200)]
    with closing(sqlite3.connect(tmp_path / "source.sqlite")) as database:
        database.execute("CREATE TABLE searches (id INTEGER PRIMARY KEY, name_soundex VARCHAR(4) NOT NULL, sha256 TEXT)")
        rows = [(i, sound, hashlib.sha256(sound.encode()).hexdigest()) for i, sound in enumerate(sounds)]
        database.executemany("INSERT INTO searches VALUES (?, ?, ?)", rows)
        database.commit()
    url = f"sqlite:///{tmp_path}/source.sqlite"
    masking.plan(url)
    masked = masking.made(url).table("searches").to_arrow().sort_by("id").column("name_soundex").to_pylist()
    assert sum(now == before for now, before in zip(masked, sounds)) < 5 and len(set(masked)) == 200


def test_numbers_of_persons_behind_those_of_tenants_are_masked(masking: Masking, tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "source.sqlite")) as database:
        database.execute("CREATE TABLE members (id INTEGER PRIMARY KEY, full_name TEXT)")
        database.execute("CREATE TABLE logins (id INTEGER PRIMARY KEY, tenant_ref TEXT, page TEXT)")
        for i in range(200):
            name = f"{GIVEN[i % 20]} {FAMILY[(i + i // 20) % 17]}"
            database.execute("INSERT INTO members VALUES (?, ?)", (70001 + 13 * i, name))
            database.execute("INSERT INTO logins VALUES (?, ?, ?)", (i, f"{i % 7}/{70001 + 13 * i}", f"docs/{10000 + i}"))
        database.commit()
    url = f"sqlite:///{tmp_path}/source.sqlite"
    masking.plan(url)
    logins = yaml.safe_load(masking.policy.read_text())["tables"]["logins"]["columns"]
    assert logins["tenant_ref"]["mask"] == "code" and logins["page"]["mask"] == "keep"
    assert logins["tenant_ref"]["evidence"][0] == "all of 200 different values end with keys of members"
    assert masking.run(url)[0] == 0


def test_short_numbers_of_persons_are_masked_where_the_person_is_named_before_them(masking: Masking, tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "source.sqlite")) as database:
        database.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, full_name TEXT)")
        database.execute("CREATE TABLE visits (id INTEGER PRIMARY KEY, target TEXT, path TEXT, page TEXT)")
        for i in range(200):
            database.execute("INSERT INTO customers VALUES (?, ?)", (i, f"{GIVEN[i % 20]} {FAMILY[(i + i // 20) % 17]}"))
            target = f"customer/{i}" if i % 2 else f"order/{7 * i}"
            database.execute("INSERT INTO visits VALUES (?, ?, ?, ?)", (i, target, f"/api/customers/{i}/orders/{7 * i}", f"docs/{i}"))
        database.commit()
    url = f"sqlite:///{tmp_path}/source.sqlite"
    masking.plan(url)
    visits = yaml.safe_load(masking.policy.read_text())["tables"]["visits"]["columns"]
    assert [visits[name]["mask"] for name in ("target", "path", "page")] == ["code", "code", "keep"]
    assert masking.run(url)[0] == 0


@pytest.mark.parametrize("written", [lambda d: d.hexdigest(), lambda d: f"/img/{d.hexdigest().upper()}.png", lambda d: b64encode(d.digest()).decode(), lambda d: d.digest()])  # fmt: skip
def test_digests_of_addresses_that_a_policy_keeps_are_found(masking: Masking, tmp_path: Path, written: Callable[[Any], Any]):
    with closing(sqlite3.connect(tmp_path / "source.sqlite")) as database:
        database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)")
        database.execute(
            f"CREATE TABLE faces (id INTEGER PRIMARY KEY, face {'BLOB' if isinstance(written(hashlib.md5()), bytes) else 'TEXT'})"
        )
        for i in range(60):
            email = f"{GIVEN[i % 20]}.{FAMILY[i % 17]}{i}@mail.example"
            database.execute("INSERT INTO users VALUES (?, ?)", (i, email))
            database.execute("INSERT INTO faces VALUES (?, ?)", (i, written(hashlib.md5(email.lower().encode()))))
        database.commit()
    url = f"sqlite:///{tmp_path}/source.sqlite"
    masking.plan(url)
    policy = yaml.safe_load(masking.policy.read_text())
    assert policy["tables"]["faces"]["columns"]["face"]["mask"] != "keep"
    assert masking.run(url)[0] == 0
    policy["tables"]["faces"]["columns"]["face"] |= {"class": "public", "mask": "keep"}
    masking.policy.write_text(yaml.safe_dump(policy))
    code, _, said = masking.run(url)
    assert code == 1 and "faces.face: 60 values of digests of users.email" in said


def test_geometries_stay_geometries_unless_each_has_a_form_of_its_own(masking: Masking, tmp_path: Path):
    homes = [f"SRID=4326;POINT({10 + i / 7:.5f} {50 - i / 9:.5f})" for i in range(200)]
    corners = [", ".join(f"{10 + i + k / 10:.{3 + i % 5}f} {50 - k / 10:.4f}" for k in range(3 + i // 2)) for i in range(200)]
    with closing(sqlite3.connect(tmp_path / "source.sqlite")) as database:
        database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, home TEXT, area TEXT)")
        rows = [(i, f"{GIVEN[i % 20]}{i}@mail.example", homes[i], f"POLYGON(({corners[i]}))") for i in range(200)]
        database.executemany("INSERT INTO users VALUES (?, ?, ?, ?)", rows)
        database.commit()
    url = f"sqlite:///{tmp_path}/source.sqlite"
    masking.plan(url)
    columns = yaml.safe_load(masking.policy.read_text())["tables"]["users"]["columns"]
    assert (columns["home"]["mask"], columns["area"]["mask"]) == ("coordinates", "hash")
    masked = masking.made(url).table("users").to_arrow().column("home").to_pylist()
    places = [re.fullmatch(r"SRID=4326;POINT\((-?\d\d?\.\d{5}) (\d\d\.\d{5})\)", text) for text in masked]
    assert all(place and 6 < float(place[1]) < 42 and 24 < float(place[2]) < 54 for place in places) and not set(masked) & set(homes)
