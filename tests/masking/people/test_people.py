"""Nobody can be told from fewer than k persons, however many rows and tables a person is spread over."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest

from masking.errors import ModelViolated, PolicyInvalid
from masking.people import recoding
from tests.masking.people.databases import made, masked

OWN = "subject: users.id, quasi_identifiers: [users.born_on, users.sex, users.height]"
ALL = "subject: users.id, quasi_identifiers: [users.born_on, users.sex, addresses.zip, plans.tier]"
FUNCTIONS = "hierarchies: {users.born_on: date, addresses.zip: 'prefix:3,2'}"


def people_of(bundle, own=("born_on", "sex"), child=None, parent=False):
    """The record of each person as the bundle's tables show it, joined by the masked keys alone; and how many cells a person shows."""
    users = bundle.table("users").to_arrow().to_pylist()
    cells: dict[int, set[object]] = defaultdict(set)
    if child:
        for row in bundle.table("addresses").to_arrow().to_pylist():
            cells[row["user_id"]].add(row[child])
    tiers = {row["id"]: row["tier"] for row in bundle.table("plans").to_arrow().to_pylist()}
    records = []
    for user in users:
        record = tuple(user[name] for name in own)
        record += (frozenset(cells[user["id"]]),) if child else ()
        record += (tiers[user["plan_id"]],) if parent else ()
        records.append((record, user["diagnosis"]))
    return records, max(map(len, cells.values()), default=0)


def test_every_person_is_like_at_least_four_others(tmp_path: Path):
    bundle = masked(made(tmp_path / "s.db"), tmp_path / "store", f"{{{OWN}, k: 5}}")
    records, _ = people_of(bundle, ("born_on", "sex", "height"))
    assert min(Counter(record for record, _ in records).values()) >= 5
    assert len({record for record, _ in records}) > 5
    assert all(isinstance(record[0], date) and isinstance(record[2], int) for record, _ in records)


def test_rows_of_other_tables_count_once_and_agree(tmp_path: Path):
    bundle = masked(made(tmp_path / "s.db", homeless=9), tmp_path / "store", f"{{{ALL}, k: 4, {FUNCTIONS}}}")
    records, most = people_of(bundle, child="zip", parent=True)
    assert most == 1
    assert min(Counter(record for record, _ in records).values()) >= 4


def test_sensitive_values_are_diverse_in_every_class(tmp_path: Path):
    bundle = masked(made(tmp_path / "s.db"), tmp_path / "store", f"{{{OWN}, k: 3, l: 2, sensitive: [users.diagnosis]}}")
    records, _ = people_of(bundle, ("born_on", "sex", "height"))
    illnesses = defaultdict(set)
    for record, illness in records:
        illnesses[record].add(illness)
    assert min(map(len, illnesses.values())) >= 2


def test_the_same_key_gives_the_same_bundle_with_any_number_of_threads(tmp_path: Path):
    url = made(tmp_path / "s.db")
    one, two = (masked(url, tmp_path / f"store{jobs}", f"{{{ALL}, k: 4, {FUNCTIONS}}}", jobs=jobs) for jobs in (1, 3))
    assert one.manifest_digest == two.manifest_digest


def test_the_certificate_tells_the_risks_before_and_after(tmp_path: Path):
    bundle = masked(made(tmp_path / "s.db"), tmp_path / "store", f"{{{OWN}, k: 5}}")
    document = bundle.provenance["certificate"]
    (risk,) = document["risks"]
    assert risk["before"]["k"] == 1
    assert risk["after"]["k"] >= 5
    assert document["anonymity"][0]["persons"] == 160


def test_a_recoding_that_is_wrong_is_found_in_what_was_written(tmp_path: Path, monkeypatch):
    url, apply = made(tmp_path / "s.db"), recoding.RecodedColumn.apply

    def wrong(self, link, secret):
        cells = apply(self, link, secret)
        return link.cast(cells.type) if self.quasi.column == "height" else cells

    monkeypatch.setattr(recoding.RecodedColumn, "apply", wrong)
    with pytest.raises(ModelViolated):
        masked(url, tmp_path / "store", f"{{{OWN}, k: 5}}")


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("{subject: users.id, k: 5}", "needs `quasi_identifiers"),
        ("{subject: users.idd, quasi_identifiers: [users.sex], k: 5}", "there is no column 'users.idd'; did you mean 'id'?"),
        ("{subject: users.id, quasi_identifiers: [users.sex]}", "no privacy model is asked for"),
        ("{subject: users.id, quasi_identifiers: [users.id], k: 5}", "its own mask in `tables:` must be `keep`"),
        ("{subject: users.id, quasi_identifiers: [users.plan_id], k: 5}", "is a key, unique or a reference"),
        ("{subject: users.id, quasi_identifiers: [users.sex], k: 5, kk: 2}", "unknown key 'kk'"),
        ("{subject: users.id, quasi_identifiers: [users.sex], l: 2}", "l and t are about sensitive columns"),
        ("{subject: users.sex, quasi_identifiers: [users.height], k: 5}", "must be a key or unique"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_a_row_is_read(tmp_path: Path, item: str, message: str):
    with pytest.raises(PolicyInvalid, match=".*") as caught:
        masked(made(tmp_path / "s.db", 20), tmp_path / "store", item)
    assert message in str(caught.value)
