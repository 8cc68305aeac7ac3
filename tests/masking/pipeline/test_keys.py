"""The key decides all, and is nowhere: same key, same bytes; another key, nothing in common; no key, no way back."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from pathlib import Path

import pyarrow as pa
import pytest

import bundles
from tests.masking.pipeline.commands import Masking
from tests.masking.pipeline.conftest import KEY
from tests.masking.pipeline.databases import people_in_sqlite, raw_values

PHONES = 10_000


def values_of(made: bundles.Bundle, table: str, column: str) -> set[str]:
    return set(made.table(table).to_arrow().column(column).cast(pa.string()).to_pylist()) - {None}


def test_the_same_key_gives_the_same_bytes_with_any_number_of_threads(masking: Masking, tmp_path: Path):
    url = people_in_sqlite(tmp_path / "source.db")
    masking.plan(url)
    one, two = masking.made(url, "--jobs", 1, "--tag", "a:1"), masking.made(url, "--jobs", 3, "--tag", "b:1")
    assert one.manifest_digest == two.manifest_digest


def test_ephemeral_keys_share_no_masked_value_and_another_commitment(masking: Masking, tmp_path: Path):
    url = people_in_sqlite(tmp_path / "source.db")
    masking.plan(url)
    one, two = (masking.made(url, "--key", "ephemeral", "--tag", f"x:{i}") for i in (1, 2))
    for column in ("email", "full_name", "phone"):
        assert not values_of(one, "users", column) & values_of(two, "users", column)
    commitments = {made.provenance["certificate"]["key"]["commitment"] for made in (one, two)}
    assert len(commitments) == 2


def test_neither_the_key_nor_what_was_masked_is_left_anywhere(masking: Masking, tmp_path: Path):
    url = people_in_sqlite(tmp_path / "source.db")
    masking.plan(url)
    made = masking.made(url, "--certificate", tmp_path / "page.html")
    masking("mask", "certificate", made.reference, "--store", masking.store)
    assert masking.places_of([KEY, *raw_values(60)]) == []
    assert not list(masking.temporary.rglob("*"))


def test_ten_thousand_known_numbers_tried_without_the_key_match_none(masking: Masking, tmp_path: Path):
    phones = [f"+4915112{i:06d}" for i in range(0, 7 * PHONES, 7)]
    connection = sqlite3.connect(tmp_path / "source.db")
    connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, phone TEXT NOT NULL UNIQUE)")
    connection.executemany("INSERT INTO people VALUES (?, ?)", list(enumerate(phones)))
    connection.commit()
    connection.close()
    columns = {
        "id": {"class": "public", "mask": "keep"},
        "phone": {"class": "direct", "entity": "phone", "mask": {"hash": {"form": "hex"}}},
    }
    masking.write({"people": {"columns": columns}})
    masked = values_of(masking.made(f"sqlite:///{tmp_path / 'source.db'}"), "people", "phone")
    assert len(masked) == PHONES
    tried: set[str] = set()
    for phone in phones:
        for form in (phone, phone[1:], phone.replace("+49", "0")):
            data = form.encode()
            tried |= {hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")}
            tried |= {hmac.new(key, data, "sha256").hexdigest() for key in (b"", b"\x00" * 32, b"people", b"people.phone", b"phone")}
            tried.add(form)
    assert not masked & tried


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("env:NO_SUCH_KEY", "the environment variable NO_SUCH_KEY, which should hold the masking key, is not set or empty"),
        ("file:/no/such/key", "the masking key cannot be read"),
        ("hunter2hunter2hunter2hunter2hunter2", "the key must be `ephemeral`, `env:NAME` or `file:PATH`"),
        ("env:SHORT", "needs at least 32"),
        ("env:DULL", "repeats a few bytes"),
    ],
)
def test_a_key_that_is_none_is_refused_and_not_repeated(masking: Masking, tmp_path: Path, monkeypatch, key: str, message: str):
    monkeypatch.setenv("SHORT", "a1b2c3d4")
    monkeypatch.setenv("DULL", "ab" * 20)
    url = people_in_sqlite(tmp_path / "source.db")
    masking.write(dict.fromkeys(("users", "orders", "events", "plans"), "drop"))
    code, _, err = masking.run(url, "--key", key)
    assert code == 2
    assert message in err
    assert "a1b2c3d4" not in err and "abab" not in err and "hunter2" not in err
    masking.assert_nothing_is_left()
