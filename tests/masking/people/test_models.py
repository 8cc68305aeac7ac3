"""The models hold for persons, counted here from the bundle's own tables joined by the masked keys."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import masking.people.cells
import masking.people.recoding
from masking.anonymity import DistinctDiversity
from masking.errors import MaskingFailed, ModelInfeasible, ModelViolated
from masking.people import PeopleCheck
from masking.people.specification import PeopleSpec, QuasiColumn
from tests.masking.people.databases import DDL, TABLES, made, masked, rows

OWN = "subject: users.id, quasi_identifiers: [users.born_on, users.sex, addresses.zip]"
WITH_PLAN = "subject: users.id, quasi_identifiers: [users.born_on, users.sex, addresses.zip, plans.tier]"


def persons(bundle: Any, store: Path) -> dict[tuple[Any, ...], list[str]]:
    """The diagnoses of each class of persons: their own cells, the cells of their addresses and of their plan."""
    plans = {plan["id"]: plan["tier"] for plan in rows(bundle, store, "plans")}
    zips: dict[int, set[str]] = defaultdict(set)
    for address in rows(bundle, store, "addresses"):
        zips[address["user_id"]].add(address["zip"])
    found: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for user in rows(bundle, store, "users"):
        assert len(zips[user["id"]]) <= 1, "a person's rows show one cell"
        record = (user["born_on"], user["sex"], *zips[user["id"]], plans.get(user["plan_id"]))
        found[record[:-1]].append(user["diagnosis"])
    return found


def entropy(values: list[str]) -> float:
    return -sum(n / len(values) * math.log(n / len(values)) for n in Counter(values).values())


def test_every_person_is_like_k_persons_however_many_rows_each_has(tmp_path: Path) -> None:
    for notation in ("labels", "sets", "typed"):
        found = masked(
            made(tmp_path / f"{notation}.db"),
            tmp_path,
            f"{{{OWN}, k: 5, notation: {notation}, hierarchies: {{addresses.zip: 'prefix:3'}}}}",
        )
        classes = persons(found, tmp_path)
        assert min(map(len, classes.values())) >= 5 and sum(map(len, classes.values())) == 160 and len(classes) > 1


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ("l: 2", lambda values, _: len(set(values)) >= 2),
        ("l: 2, l_kind: entropy", lambda values, _: entropy(values) >= math.log(2) - 1e-9),
        ("l: 2, c: 2, l_kind: recursive", lambda v, _: max(Counter(v).values()) < 2 * (len(v) - max(Counter(v).values()))),
        ("t: 0.3", lambda v, all_: sum(abs(v.count(x) / len(v) - all_.count(x) / len(all_)) for x in set(all_)) / 2 <= 0.3 + 1e-9),
    ],
)  # fmt: skip
def test_every_class_of_persons_meets_what_is_asked_of_its_diagnoses(tmp_path: Path, asked: str, holds: Any) -> None:
    found = masked(made(tmp_path / "a.db"), tmp_path, f"{{{OWN}, k: 3, {asked}, sensitive: users.diagnosis}}")
    classes = persons(found, tmp_path)
    everybody = [value for values in classes.values() for value in values]
    assert all(len(values) >= 3 and holds(values, everybody) for values in classes.values())


def test_persons_are_alike_in_the_rows_that_they_share_too(tmp_path: Path) -> None:
    store = tmp_path
    found = masked(made(tmp_path / "a.db", plans=40), store, f"{{{WITH_PLAN}, k: 5, l: 2, sensitive: users.diagnosis}}")
    tiers = {plan["id"]: plan["tier"] for plan in rows(found, store, "plans")}
    zips = {a["user_id"]: a["zip"] for a in rows(found, store, "addresses")}
    users = rows(found, store, "users")
    classes = Counter((u["born_on"], u["sex"], zips[u["id"]], tiers[u["plan_id"]]) for u in users)
    assert min(classes.values()) >= 5
    assert len(set(tiers.values())) > 1
    assert found.config.provenance["certificate"]["anonymity"][0]["kept_keys"] == ["plans.id"], "who knows a plan's number knows its plan"
    assert all(f"tier {number}" in tier.strip("{}").split(",") for number, tier in tiers.items()), "each row covers what stood there"


def test_cells_cover_what_stood_there_and_keep_their_types(tmp_path: Path) -> None:
    url = made(tmp_path / "a.db")
    quasi = "[users.born_on, users.income, users.height, addresses.zip, addresses.floor]"
    found = masked(
        url, tmp_path, f"{{subject: users.id, quasi_identifiers: {quasi}, k: 4, hierarchies: {{addresses.zip: {{prefix: [3, 2, 0]}}}}}}"
    )
    for user in rows(found, tmp_path, "users"):
        assert (type(user["born_on"]), type(user["income"]), type(user["height"])) == (date, Decimal, int)
    with sqlite3.connect(tmp_path / "a.db") as database:
        before = dict(database.execute("SELECT id, zip FROM addresses"))
    for address in rows(found, tmp_path, "addresses"):
        kept = address["zip"].rstrip("*")
        assert before[address["id"]].startswith(kept) and isinstance(address["floor"], int)


def test_rows_of_nobody_show_nothing(tmp_path: Path) -> None:
    url = made(tmp_path / "a.db")
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("INSERT INTO addresses (id, user_id, zip, floor) VALUES (9001, NULL, '99999', 77)")
    found = masked(url, tmp_path, f"{{{OWN[:-1]}, addresses.floor], k: 5}}")
    (lost,) = [a for a in rows(found, tmp_path, "addresses") if a["id"] == 9001]
    assert (lost["zip"], lost["floor"]) == ("*", None)


def test_persons_without_an_address_are_only_like_each_other(tmp_path: Path) -> None:
    found = masked(made(tmp_path / "a.db", homeless=9), tmp_path, f"{{{OWN}, k: 4}}")
    classes = persons(found, tmp_path)
    assert min(map(len, classes.values())) >= 4


def test_suppression_does_not_hide_who_has_no_address(tmp_path: Path) -> None:
    url = made(tmp_path / "a.db", homeless=3)
    for suppression in (0, 0.1):
        with pytest.raises(ModelInfeasible, match="3 have no row in addresses, which neither.*classes of 3, where 4 are asked for"):
            masked(url, tmp_path, f"{{{OWN}, k: 4, suppression: {suppression}}}")
    rest = 'subset: {root: users, where: "id > 10003", children: {addresses: all}}'
    found = masked(url, tmp_path, f"{{{OWN}, k: 4}}", rest=rest)
    assert sum(map(len, persons(found, tmp_path).values())) == 157


def test_suppression_does_not_hide_what_persons_without_an_address_have_in_common(tmp_path: Path) -> None:
    url = made(tmp_path / "a.db", homeless=5)
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("UPDATE users SET diagnosis = 'flu' WHERE id <= 10005")
    with pytest.raises(ModelInfeasible, match="5 of 160 persons.*5 have no row in addresses.*lower the models"):
        masked(url, tmp_path, f"{{{OWN}, k: 4, l: 2, sensitive: users.diagnosis, suppression: 0.1}}")


@pytest.mark.parametrize("recoding", ["local", "global"])
def test_suppressed_persons_are_as_many_as_a_class_must_have(tmp_path: Path, recoding: str) -> None:
    asked = (
        "quasi_identifiers: [users.born_on, users.height, addresses.zip], k: 3, l: 2, c: 1, l_kind: recursive, sensitive: users.diagnosis"
    )
    hierarchies = "hierarchies: {users.born_on: date, addresses.zip: 'prefix:3,2'}"
    url = made(tmp_path / "a.db", plans=12)
    found = masked(url, tmp_path, f"{{subject: users.id, {asked}, {hierarchies}, recoding: {recoding}, suppression: 0.3}}")
    gone = [user["id"] for user in rows(found, tmp_path, "users") if user["born_on"] is None and user["height"] is None]
    assert 3 <= len(gone) <= 48 and len(gone) == found.config.provenance["certificate"]["anonymity"][0]["suppressed"]
    assert {address["zip"] for address in rows(found, tmp_path, "addresses") if address["user_id"] in gone} == {"*"}


def test_the_certificate_says_whom_the_number_of_rows_tells(tmp_path: Path) -> None:
    url = made(tmp_path / "a.db")
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.executemany("INSERT INTO addresses (user_id, zip, floor) VALUES (10001, ?, 1)", [("10010",)] * 9)
    found = masked(url, tmp_path, f"{{{OWN}, k: 5}}")
    number = Counter(address["user_id"] for address in rows(found, tmp_path, "addresses"))
    zips = {address["user_id"]: address["zip"] for address in rows(found, tmp_path, "addresses")}
    alike = Counter((u["born_on"], u["sex"], zips[u["id"]], number[u["id"]]) for u in rows(found, tmp_path, "users"))
    told = found.config.provenance["certificate"]["anonymity"][0]["told_by_number"]
    assert told == {"addresses": sum(size for size in alike.values() if size < 5)} and told["addresses"] > 0


def test_only_the_persons_of_the_subset_count(tmp_path: Path) -> None:
    rest = "subset: {root: users, where: \"sex = 'f'\", children: {addresses: all}}"
    found = masked(made(tmp_path / "a.db"), tmp_path, f"{{{OWN}, k: 5}}", rest=rest)
    classes = persons(found, tmp_path)
    assert 0 < sum(map(len, classes.values())) < 160 and min(map(len, classes.values())) >= 5


def test_without_persons_no_value_of_nobody_is_shown(tmp_path: Path) -> None:
    url = made(tmp_path / "a.db", 0)
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("INSERT INTO addresses (id, user_id, zip, floor) VALUES (1, NULL, '99999', 77)")
    found = masked(url, tmp_path, f"{{{WITH_PLAN}, k: 5, hierarchies: {{addresses.zip: 'prefix:3'}}}}")
    assert [address["zip"] for address in rows(found, tmp_path, "addresses")] == ["*"]
    assert {plan["tier"] for plan in rows(found, tmp_path, "plans")} == {"*"}


def test_a_raw_column_that_slips_through_stops_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = masking.people.recoding.RecodedColumn.apply

    def wrong(self: Any, link: Any, secret: bytes) -> Any:
        return link.cast(self.cells.type) if self.quasi.column == "height" else right(self, link, secret)

    monkeypatch.setattr(masking.people.recoding.RecodedColumn, "apply", wrong)
    with pytest.raises(ModelViolated):
        masked(made(tmp_path / "a.db"), tmp_path, "{subject: users.id, quasi_identifiers: [users.height, users.sex], k: 5}")


def test_rows_of_a_person_that_differ_stop_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = masking.people.recoding.RecodedColumn.apply

    def wrong(self: Any, link: Any, secret: bytes) -> Any:
        cells = right(self, link, secret)
        return masking.people.recoding.pa.array(["*", *cells.to_pylist()[1:]]) if self.quasi.column == "zip" else cells

    monkeypatch.setattr(masking.people.recoding.RecodedColumn, "apply", wrong)
    with pytest.raises(ModelViolated, match="addresses.zip|5-anonymity"):
        masked(made(tmp_path / "a.db"), tmp_path, f"{{{OWN}, k: 5}}")


def test_the_same_key_gives_the_same_bytes_with_any_number_of_threads(tmp_path: Path) -> None:
    url = made(tmp_path / "a.db", plans=20)
    one, other = (masked(url, tmp_path / str(n), f"{{{WITH_PLAN}, k: 5}}", jobs=n) for n in (1, 3))
    assert one.manifest_digest == other.manifest_digest


def test_a_hierarchy_is_read_from_beside_the_policy(tmp_path: Path) -> None:
    (tmp_path / "sex.csv").write_text("f;any\nm;any\n")
    found = masked(
        made(tmp_path / "a.db"), tmp_path, f"{{{OWN}, k: 9, hierarchies: {{users.sex: sex.csv}}}}", file=str(tmp_path / "p.yaml")
    )
    assert {user["sex"] for user in rows(found, tmp_path, "users")} <= {"f", "m", "any"}


def test_the_certificate_says_what_became_of_quasi_identifiers(tmp_path: Path) -> None:
    document = masked(made(tmp_path / "a.db"), tmp_path, f"{{{OWN}, k: 5}}").config.provenance["certificate"]
    (risk,), (outcome,) = document["risks"], document["anonymity"]
    assert risk["before"]["k"] == 1 and risk["after"]["k"] >= 5 and outcome["persons"] == 160
    assert {c["transformer"] for c in document["columns"] if c["column"] in ("born_on", "sex", "zip")} == {"anonymity"}
    why = {c["place"]: c["why"] for c in document["decisions"]}
    assert "anonymous" in why["users.born_on"] and "k = 5" in why["addresses.zip"]


def test_a_model_that_cannot_be_met_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelInfeasible, match="500-anonymity.*160"):
        masked(made(tmp_path / "a.db"), tmp_path, f"{{{OWN}, k: 500}}")


def test_a_cell_that_does_not_fit_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(MaskingFailed, match=r"addresses.zip.*longer than 60"):
        masked(made(tmp_path / "a.db", room=60), tmp_path, f"{{{OWN}, k: 60}}")


def test_a_person_who_keeps_a_cell_of_their_own_stops_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = masking.people.recoding.RecodedColumn.apply

    def wrong(self: Any, link: Any, secret: bytes) -> Any:
        cells = right(self, link, secret)
        if self.quasi.column != "born_on":
            return cells
        return masking.people.recoding.pa.array([date(1900, 1, 1), *cells.to_pylist()[1:]], cells.type)

    monkeypatch.setattr(masking.people.recoding.RecodedColumn, "apply", wrong)
    with pytest.raises(ModelViolated, match="5-anonymity"):
        masked(made(tmp_path / "a.db"), tmp_path, f"{{{OWN}, k: 5}}")


def test_a_label_that_does_not_cover_stops_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking.people.cells, "_set", lambda texts: texts[0])
    with pytest.raises(ModelViolated, match="does not cover"):
        masked(made(tmp_path / "a.db"), tmp_path, f"{{{OWN}, k: 5}}")


def test_the_certificate_names_references_by_which_persons_are_not_alike(tmp_path: Path) -> None:
    ddl = DDL.replace("zip VARCHAR", "payer_id INTEGER REFERENCES users(id), zip VARCHAR")
    tables = TABLES.replace("      zip:", "      payer_id: {class: direct, entity: person_id, mask: reference}\n      zip:")
    join = "join: [addresses.user_id = users.id]"
    found = masked(made(tmp_path / "a.db", ddl=ddl), tmp_path, f"{{{OWN}, k: 5, {join}}}", tables=tables)
    assert found.config.provenance["certificate"]["anonymity"][0]["other_references"] == ["addresses.payer_id"]


def test_suppressed_persons_whom_a_missing_row_tells_stop_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = masking.people.recoding.group

    def wrong(records: Any) -> Any:
        records.present["addresses"][:] = True
        return right(records)

    monkeypatch.setattr(masking.people.recoding, "group", wrong)
    with pytest.raises(ModelViolated, match="4-anonymity does not hold in"):
        masked(made(tmp_path / "a.db", homeless=3), tmp_path, f"{{{OWN}, k: 4, suppression: 0.1}}")


def test_persons_whose_texts_were_null_are_not_excused_as_suppressed() -> None:
    quasi = (QuasiColumn("users", "sex", "own"), QuasiColumn("users", "born_on", "own"))
    asked = PeopleSpec("users", "id", quasi, (DistinctDiversity(2, "diagnosis"),), ("diagnosis",), suppression=0.5)
    persons = {"id": [1, 2, 3, 4], "born_on": pa.array([None, None, 3, 3], pa.date32()), "diagnosis": ["flu", "flu", "flu", "cold"]}
    for nothing, excused in (("*", True), (None, False)):
        check = PeopleCheck(asked, bytes(32))
        check.see("users", pa.RecordBatch.from_pydict({**persons, "sex": [nothing, nothing, "f", "f"]}))
        if excused:
            check.require()
        else:
            with pytest.raises(ModelViolated, match="1 of 2 classes"):
                check.require()
