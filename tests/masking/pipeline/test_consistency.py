"""One key is masked in one way, wherever it stands, and one person is one person in all tables."""

from __future__ import annotations

import json
from pathlib import Path

from tests.masking.pipeline.commands import Masking
from tests.masking.pipeline.databases import asked, people_in_sqlite

PEOPLE = 60


def treated(klass: str, mask: object, **others: object) -> dict[str, object]:
    return {"class": klass, "mask": mask, **others}


def policy(masking: Masking, **others: object) -> None:
    masking.write(
        {
            "users": {
                "subject": "id",
                "columns": {
                    "id": treated("direct", {"hash": {"form": "integer"}}, entity="person_id"),
                    "full_name": treated("direct", {"name": {"subject": True}}, entity="person_name"),
                    "email": treated("direct", "email", entity="email"),
                    "phone": "drop",
                    "country": treated("public", "keep"),
                    "born_on": treated("quasi", {"shift": {"days": 20}}, entity="birth_date"),
                    "salary": treated("sensitive", {"noise": {"spread": 0.2}}, when="country = 'DE'", **{"else": {"constant": "0"}}),
                },
            },
            "orders": {
                "subject": "user_id",
                "columns": {
                    "id": treated("public", "keep"),
                    "user_id": treated("direct", "reference"),
                    "contact": treated("direct", {"name": {"subject": True}}, entity="person_name"),
                    "ordered_on": treated("quasi", {"shift": {"days": 20}}),
                },
            },
            "events": {
                "columns": {
                    "id": treated("public", "keep"),
                    "owner_type": treated("public", "keep"),
                    "owner_id": treated("direct", {"hash": {"form": "integer"}}),
                    "payload": {
                        "class": "free_text",
                        "paths": {"$.user.id": treated("direct", "reference"), "$.n": treated("public", "keep")},
                        "rest": "null",
                    },
                }
            },
            "plans": "drop",
        },
        references=[
            {"from": "events.owner_id", "to": "users.id", "when": "owner_type = 'user'"},
            {"from": "events.payload$.user.id", "to": "users.id"},
        ],
        **others,
    )


def test_keys_names_and_shifts_agree_in_all_tables(masking: Masking, tmp_path: Path):
    url = people_in_sqlite(tmp_path / "source.db")
    policy(masking)
    made = masking.made(url)
    users = made.table("users").to_arrow().to_pylist()
    orders = made.table("orders").to_arrow().to_pylist()
    events = made.table("events").to_arrow().to_pylist()
    raw_users = asked(url, "SELECT id, born_on FROM users")
    raw_orders = {id: others for id, *others in asked(url, "SELECT id, user_id, ordered_on FROM orders")}
    masked_of = {raw_orders[order["id"]][0]: order["user_id"] for order in orders}  # the numbers of orders are kept
    by_masked = {user["id"]: user for user in users}
    assert "phone" not in users[0] and "plans" not in made.tables
    assert set(masked_of) == {raw[0] for raw in raw_users} and set(masked_of.values()) == set(by_masked)
    assert all(order["user_id"] == masked_of[raw_orders[order["id"]][0]] for order in orders)
    assert all(order["contact"] == by_masked[order["user_id"]]["full_name"] for order in orders)
    # intervals between one person's dates survive, across tables
    from datetime import date

    shift = {masked_of[raw]: by_masked[masked_of[raw]]["born_on"] - date.fromisoformat(born_on) for raw, born_on in raw_users}
    assert len(set(shift.values())) > 5
    assert all(order["ordered_on"] - date.fromisoformat(raw_orders[order["id"]][1]) == shift[order["user_id"]] for order in orders)
    for event in events:
        raw_user = 1001 + event["id"] % PEOPLE
        assert json.loads(event["payload"])["user"]["id"] == masked_of[raw_user]
        assert (event["owner_id"] == masked_of[raw_user]) == (event["owner_type"] == "user")
    assert all((user["salary"] == 0) == (user["country"] == "FR") for user in users)


def test_a_subset_leaves_no_reference_dangling(masking: Masking, tmp_path: Path):
    url = people_in_sqlite(tmp_path / "source.db")
    policy(masking, subset={"root": "users", "where": "country = 'FR'", "children": {"orders": 2}})
    made = masking.made(url)
    users = {user["id"] for user in made.table("users").to_arrow().to_pylist()}
    orders = [order["user_id"] for order in made.table("orders").to_arrow().to_pylist()]
    assert len(users) == PEOPLE // 3
    assert set(orders) == users and len(orders) == 2 * len(users)
    assert {t["table"]: (t["rows"], t["source_rows"]) for t in made.provenance["certificate"]["tables"]}["users"] == (20, PEOPLE)


def test_two_databases_with_one_key_and_domain_agree(masking: Masking, tmp_path: Path):
    found = []
    for number in (1, 2):
        url = people_in_sqlite(tmp_path / f"source{number}.db", people=10 * number)
        policy(masking)
        masking.edit(lambda document: document["tables"]["users"]["columns"]["id"].update(domain="crm/persons"))
        found.append({user["id"] for user in masking.made(url).table("users").to_arrow().to_pylist()})
    assert found[0] < found[1]
