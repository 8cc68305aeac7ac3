"""Databases of odd shapes: two tables of children and two of parents, nulls anywhere, rows of nobody, one person or none, self references."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from masking import MaskedSource
from masking.errors import ModelInfeasible
from masking.keys import MaskingKey
from masking.policy.reader import parse_policy
from tests.masking.memory_source import MemorySource
from tests.spread import one_in

COLUMNS = {
    "plans": {"tier": "text", "price": "integer"}, "cities": {"region": "text"},
    "users": {"sex": "text", "age": "integer", "born": "date", "ill": "text"},
    "addresses": {"zip": "text", "floor": "integer"}, "visits": {"ward": "text"},
}  # fmt: skip
REFERENCES = {
    "users": {"plan_id": "plans", "city_id": "cities", "boss_id": "users"}, "addresses": {"user_id": "users"}, "visits": {"user_id": "users"},
}  # fmt: skip
QUASI = [f"{table}.{column}" for table, columns in COLUMNS.items() for column in columns if column != "ill"]
HIERARCHIES = {"addresses.zip": {"prefix": [3, 2]}, "users.born": "date", "users.age": {"interval": [5, 10]}}
ODD = ["a,b", "{x}", '"q"', " s", "", "[1,2]", "null", "ä", "10", "07"]
Rows = Sequence[Mapping[str, Any]]


def schema() -> str:
    values = {"text": "x", "integer": 1, "date": "2020-01-01"}
    said = ["schema: s", "tables:"]
    for table, columns in COLUMNS.items():
        said += [f"  {table}:", "    rows: 1", "    columns:", "      id: {type: bigint, key: true}"]
        said += [f"      {name}: {{references: {to}.id, null: 0.1}}" for name, to in REFERENCES.get(table, {}).items()]
        said += ["      badge: {type: text, generate: {constant: x}}"] * (table == "users")
        said += [f"      {name}: {{type: {kind}, null: 0.1, generate: {{constant: {values[kind]}}}}}" for name, kind in columns.items()]
    return "\n".join(said)


def policy(item: Mapping[str, Any]) -> str:
    keep, person = {"class": "quasi", "mask": "keep"}, {"class": "direct", "entity": "person_id", "mask": "reference"}
    tables = {}
    for table, columns in COLUMNS.items():
        links = {name: person if to == "users" else {"class": "public", "mask": "keep"} for name, to in REFERENCES.get(table, {}).items()}
        tables[table] = {"columns": {"id": {"class": "public", "mask": "keep"}, **links, **dict.fromkeys(columns, keep)}}
    tables["users"]["columns"]["id"] = {"class": "direct", "entity": "person_id", "mask": {"hash": {"form": "integer"}}}
    tables["users"]["columns"]["badge"] = {"class": "public", "mask": "keep"}  # by which rows of the source are found again
    return json.dumps({"policy": "p", "tables": tables, "anonymity": [item]})


def database(draw: random.Random) -> dict[str, list[dict[str, Any]]]:
    people, plans, nulls = draw.choice([0, 1, 5, 20, 60, 150]), draw.choice([0, 1, 3, 8, 40]), draw.choice([0, 0, 0.05, 0.3])
    words = draw.choice([ODD, ["a", "b"], [f"v{i}" for i in range(30)]])
    without = set(draw.sample(range(1, people + 1), min(people, draw.choice([0, 0, 1, 6]))))

    def maybe(value: Any) -> Any:
        return None if draw.random() < nulls else value

    def value(kind: str) -> Any:
        return maybe({"text": draw.choice(words), "integer": draw.randint(1, 9), "date": date(2000, 1, draw.randint(1, 28))}[kind])

    def rows(table: str, references: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [{"id": i, **links, **{name: value(kind) for name, kind in COLUMNS[table].items()}} for i, links in enumerate(references, 1)]

    def children(missing: set[int]) -> list[dict[str, Any]]:
        owners = [p for p in range(1, people + 1) if p not in missing for _ in range(draw.choice([1, 1, 1, 2, 4]))]
        owners += [None, 9_999][: draw.choice([0, 2])]
        draw.shuffle(owners)
        return [{"user_id": owner} for owner in owners]

    links = [
        {
            "plan_id": maybe(draw.randint(1, plans)) if plans else None,
            "city_id": draw.randint(1, 3),
            "boss_id": maybe(draw.randint(1, people)),
            "badge": f"badge {number:03}",
        }
        for number in range(people)
    ]
    return {
        "plans": rows("plans", [{}] * plans), "cities": rows("cities", [{}] * 3), "users": rows("users", links),
        "addresses": rows("addresses", children(without)), "visits": rows("visits", children(set())),
    }  # fmt: skip


def records(tables: Mapping[str, Rows], quasi: Sequence[str]) -> list[tuple[list[Any], ...]]:
    """What stands in each quasi-identifier of each person, in all rows."""
    of: dict[tuple[str, Any], list[Mapping[str, Any]]] = defaultdict(list)
    for table in ("plans", "cities"):
        for row in tables[table]:
            of[table, row["id"]].append(row)
    for table in ("addresses", "visits"):
        for row in tables[table]:
            of[table, row["user_id"]].append(row)

    def seen(user: Mapping[str, Any], name: str) -> list[Any]:
        table, column = name.split(".")
        key = user["plan_id"] if table == "plans" else user["city_id"] if table == "cities" else user["id"]
        return [row[column] for row in ([user] if table == "users" else of[table, key])]

    return [tuple(seen(user, name) for name in quasi) for user in tables["users"]]


@pytest.mark.parametrize("seed", one_in(3, range(48)))
def test_whatever_the_shape_persons_are_alike_and_nobody_shows_a_value_alone(seed: int) -> None:
    draw = random.Random(seed)
    source, quasi, k = database(draw), draw.sample(QUASI, draw.randint(1, 6)), draw.choice([2, 3, 5])
    item: dict[str, Any] = {"subject": "users.id", "quasi_identifiers": quasi, "k": k, "suppression": draw.choice([0, 0, 0.1])}
    item |= {"notation": draw.choice(["labels", "sets"]), "recoding": draw.choice(["local", "local", "global"])}
    item |= {"hierarchies": {name: said for name, said in HIERARCHIES.items() if name in quasi and draw.random() < 0.5}}
    item |= draw.choice([{}, {"l": 2, "sensitive": "users.ill"}])
    masked = MaskedSource(MemorySource.of(schema(), **source), parse_policy(policy(item)), MaskingKey(bytes(range(32)), "env"), jobs=1)
    try:
        masked.prepare()
    except ModelInfeasible:
        return
    written: dict[str, Rows] = {table: masked.read(table).read_all().to_pylist() for table in COLUMNS}
    written["users"] = sorted(written["users"], key=lambda user: user["badge"])
    outcome = masked.provenance["certificate"]["anonymity"][0]
    before, after = records(source, quasi), records(written, quasi)
    assert all(len(set(cells)) <= 1 for record in after for cells in record), "a person's rows show one cell"
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for person, record in enumerate(after):
        alike[tuple((bool(cells), *cells[:1]) for cells in record)].append(person)
    few = 0
    for cells, persons in alike.items():
        assert len(persons) >= max(k, 2 if "l" in item else 0)
        few += len(persons) if "l" in item and len({source["users"][p]["ill"] for p in persons}) < 2 else 0
        for place, (there, *cell) in enumerate(cells):
            held = {value for person in persons for value in before[person][place]}
            if there and quasi[place].startswith(("users", "addresses", "visits")) and cell != [None]:
                number = type(cell[0]) is not str
                assert min(held) <= cell[0] <= max(held) if number else cell[0] not in held or len(held) == 1
    assert few <= outcome["suppressed"] <= item["suppression"] * len(before)
    known = {user["id"] for user in written["users"]}
    for table, column in (name.split(".") for name in quasi if name.startswith(("addresses", "visits"))):
        assert {row[column] for row in written[table] if row["user_id"] not in known} <= {"*", None}, "rows of nobody"
    same = [Counter(row["user_id"] for row in tables["addresses"]).most_common() for tables in (source, written)]
    assert [rows for _, rows in same[0]] == [rows for _, rows in same[1]], "references stay whole"
