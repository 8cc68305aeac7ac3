"""What a policy cannot ask of persons is told with its place, before a row is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from masking.errors import PolicyInvalid
from tests.masking.people.databases import DDL, made, masked


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
        ("{quasi_identifiers: [users.sex], k: 5}", "subject must name a table and a column"),
        ("{subject: userz.id, quasi_identifiers: [users.sex], k: 5}", "there is no table 'userz'; did you mean 'users'?"),
        ("{subject: users.id, quasi_identifiers: [users.sex, users.sex], k: 5}", "quasi_identifiers names a column twice"),
        ("{subject: users.id, quasi_identifiers: {users.sex: 1}, k: 5}", "quasi_identifiers must be a list of columns"),
        ("{subject: users.id, quasi_identifiers: [addresses.floor], k: 5, join: [addresses.user_id]}", "a join must read like"),
        ("{subject: users.id, quasi_identifiers: [addresses.floor], k: 5, join: [addresses.id = users.id]}", "add it to `references:`"),
        ("{subject: plans.id, quasi_identifiers: [addresses.floor], k: 5}", "no single reference leads from addresses to plans.id"),
        ("{subject: users.id, quasi_identifiers: [users.sex], k: 5, hierarchies: {users.sez: date}}", "'users.sez' is no quasi-identifier"),
        (
            "{subject: users.id, quasi_identifiers: [users.sex], k: 5, hierarchies: {users.sex: 3}}",
            "must be a file (`zip.csv`) or a function",
        ),
        (
            "{subject: users.id, quasi_identifiers: [users.sex], k: 5, weights: {users.sex: 0}}",
            "the weight of users.sex must be a number above 0",
        ),
        ("{subject: users.id, quasi_identifiers: [users.sex], k: 5, weights: 3}", "weights must be a mapping from quasi-identifiers"),
        ("{subject: users.id, quasi_identifiers: [users.sex], k: 2.5}", "k must be a whole number, not 2.5"),
        ("{subject: users.id, quasi_identifiers: [users.sex], k: 0}", "k must be at least 1"),
        ("{subject: users.id, quasi_identifiers: [users.sex], k: five}", "k must be a number"),
        ("{subject: users.id, quasi_identifiers: [users.sex], k: 5, notation: label}", "notation must be one of labels, sets, typed"),
        ("{subject: users.id, quasi_identifiers: [users.sex], k: 5, suppression: 1}", "suppression must be a share from 0 to below 1"),
        ("{subject: users.id, quasi_identifiers: [users.sex], l: 2, l_kind: recursive, sensitive: users.diagnosis}", "needs `l` and `c`"),
        ("{subject: users.id, quasi_identifiers: [users.sex], l: 2, sensitive: users.sex}", "it can only be one of the two"),
        (
            "{subject: users.id, quasi_identifiers: [users.sex], l: 2, sensitive: addresses.floor}",
            "must stand in the subject's table users",
        ),
        ("{subject: users.id, quasi_identifiers: [users.sex], l: 2, sensitive: users.id}", "the values of users.id that are written"),
        (
            "{subject: users.id, quasi_identifiers: [plans.tier], t: 0.2, sensitive: users.diagnosis}",
            "t-closeness is not offered with columns of a table that the subject references",
        ),
        ("{subject: users.sex, quasi_identifiers: [users.height], k: 5}", "must be a key or unique"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_a_row_is_read(tmp_path: Path, item: str, message: str) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        masked(made(tmp_path / "s.db", 20), tmp_path, item)
    assert message in str(caught.value)


def test_a_column_is_recoded_for_one_kind_of_subject_alone(tmp_path: Path) -> None:
    item = "{subject: users.id, quasi_identifiers: [users.sex], k: 5}"
    with pytest.raises(PolicyInvalid, match="users.sex is a quasi-identifier of two items"):
        masked(made(tmp_path / "s.db", 20), tmp_path, f"{item}\n  - {item}")


def test_two_items_on_one_subject_are_refused_as_their_classes_do_not_hold_together(tmp_path: Path) -> None:
    items = "{subject: users.id, quasi_identifiers: [users.sex], k: 5}\n  - {subject: users.id, quasi_identifiers: [addresses.zip], k: 5}"
    with pytest.raises(PolicyInvalid, match="users is the subject of 2 items of anonymity.*name all quasi-identifiers in one"):
        masked(made(tmp_path / "s.db", 20), tmp_path, items)


def test_nobody_is_suppressed_in_a_column_that_can_hold_nothing(tmp_path: Path) -> None:
    url = made(tmp_path / "s.db", 20, ddl=DDL.replace("height INTEGER", "height INTEGER NOT NULL"))
    with pytest.raises(PolicyInvalid, match="users.height is NOT NULL and no text"):
        masked(url, tmp_path, "{subject: users.id, quasi_identifiers: [users.height], k: 5, suppression: 0.1}")


def test_what_has_no_middle_and_no_label_is_refused(tmp_path: Path) -> None:
    url = made(tmp_path / "s.db", 20, ddl=DDL.replace("height INTEGER", "height BOOLEAN"))
    with pytest.raises(PolicyInvalid, match="users.height is of type boolean, which nothing generalises"):
        masked(url, tmp_path, "{subject: users.id, quasi_identifiers: [users.height], k: 5}")
