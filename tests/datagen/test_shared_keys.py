"""Keys that several tables share, and references of several columns: whatever builds, verifies."""

from __future__ import annotations

import pytest

import bundles
from schemas.errors import SchemaError
from tests.datagen.making import source_of

PARTIES = """tables:
  parties:
    rows: 300
    columns: {id: {type: TYPE, key: true}, kind: {type: text, generate: {choice: {person: 70, firm: 30}}}}
  persons:
    rows: {per: parties, count: {by: kind, cases: {person: 1}, else: 0}}
    columns: {id: {references: parties.id, key: true}, name: {type: text, generate: person.name}}
  firms:
    rows: {per: parties, count: {by: kind, cases: {firm: 1, person: 0}}}
    columns: {party_id: {references: parties.id, key: true}, kind: {type: text, generate: {from: party_id.kind}}}
  listed_firms:
    rows: {per: firms, count: {uniform: [0, 1]}}
    columns: {firm_id: {references: firms.party_id, key: true}, kind: {type: text, generate: {from: firm_id.party_id.kind}}}
  jobs:
    rows: 500
    columns: {id: {type: bigint, key: true}, firm_id: {references: firms.party_id}, person_id: {references: persons.id}}
  heads:
    rows: {per: firms, count: 1}
    columns: {firm_id: {references: firms.party_id, key: true}, person_id: {references: persons.id, unique: true}}
  visits:
    rows: 90
    columns: {party_id: {references: parties.id, key: true}, at: {type: date, generate: {between: [-1y, now]}}}
"""

ORDERS = """tables:
  orders: {rows: 80, columns: {id: {type: bigint, key: true}, region: {type: text, generate: {choice: [n, s]}}}}
  lines:
    rows: {per: orders, count: {uniform: [1, 5]}}
    key: [order_id, line]
    columns: {order_id: {references: orders.id}, line: {type: int, generate: ordinal}, amount: {type: int, generate: {uniform: [1, 9]}}}
"""
COMPOSITE = {
    "children of a row with a composite key": """
  parts:
    rows: {per: lines, count: {from: amount}}
    key: [order_id, line, part]
    columns: {order_id: {}, line: {}, part: {type: int, generate: ordinal}, region: {type: text, generate: {from: lines.order_id.region}}}
    foreign_keys: [{columns: [order_id, line], references: "lines(order_id, line)"}]
  deep:
    rows: 200
    columns: {id: {type: bigint, key: true}, o: {}, l: {}, p: {}}
    foreign_keys: [{columns: [o, l, p], references: "parts(order_id, line, part)"}]
""",
    "one row for one row": """
  details:
    rows: {per: lines, count: 1}
    key: [order_id, line]
    columns: {order_id: {}, line: {}, note: {type: text, generate: words}}
    foreign_keys: [{columns: [order_id, line], references: "lines(order_id, line)"}]
""",
    "a part of the key that is a reference of its own too": """
  details:
    rows: {per: lines, count: {uniform: [0, 1]}}
    key: [order_id, line]
    columns: {order_id: {references: orders.id}, line: {}, note: {type: text, generate: words}}
    foreign_keys: [{columns: [order_id, line], references: "lines(order_id, line)"}]
""",
    "some rows, each at most once": """
  returns:
    rows: 90
    key: [o, l]
    columns: {o: {}, l: {}, reason: {type: text, generate: words}}
    foreign_keys: [{columns: [o, l], references: "lines(order_id, line)"}]
""",
    "different pairs of rows": """
  pairs:
    rows: 300
    key: [o, l, p_o, p_l]
    columns: {o: {}, l: {}, p_o: {}, p_l: {}}
    foreign_keys: [{columns: [o, l], references: "lines(order_id, line)"}, {columns: [p_o, p_l], references: "lines(order_id, line)"}]
""",
    "columns in another order, null, weighted and skewed": """
  notes:
    rows: 300
    columns: {id: {type: int, key: true}, l: {null: 0.3}, o: {null: 0.3}, wl: {}, wo: {}, sl: {}, so: {}}
    foreign_keys:
      - {columns: [l, o], references: "lines(line, order_id)"}
      - {columns: [wl, wo], references: "lines(line, order_id)", weight: amount}
      - {columns: [so, sl], references: "lines(order_id, line)", skew: 1.1}
""",
    "a subtype within a tenant": """
  users:
    rows: {per: orders, count: {uniform: [1, 4]}}
    key: [order_id, no]
    columns: {order_id: {references: orders.id}, no: {type: int, generate: ordinal}}
  admins:
    rows: {per: users, count: {uniform: [0, 1]}}
    key: [order_id, no]
    columns: {order_id: {references: orders.id}, no: {}, since: {type: date, generate: {between: [-1y, now]}}}
    foreign_keys: [{columns: [order_id, no], references: "users(order_id, no)"}]
  audits:
    rows: {per: orders, count: 4}
    columns: {id: {type: bigint, key: true}, order_id: {references: orders.id}, admin: {null: 0}}
    foreign_keys: [{columns: [order_id, admin], references: "admins(order_id, no)"}]
""",
}


def whole(text: str, folder: str) -> dict[str, list[dict]]:
    """All rows of a bundle that verifies, any of which is the same alone."""
    made = source_of(text)
    report = bundles.verify(bundles.build(made, store=folder))
    assert (report.problems, report.not_checked) == ((), ())
    found = {t.name: made.read(t.name).read_all().to_pylist() for t in made.schema.tables}
    for name, rows in found.items():
        middle = len(rows) // 2
        assert made.read_rows(name, middle, min(middle + 9, len(rows))).to_pylist() == rows[middle : middle + 9]
    return found


@pytest.mark.parametrize("type", ["bigint", "uuid", "text, generate: {pattern: '[a-z]{9}'}"])
def test_subtypes_share_the_key_of_their_parent(type, tmp_path):
    found = whole(PARTIES.replace("TYPE", type), tmp_path / "store")
    kinds = {p["id"]: p["kind"] for p in found["parties"]}
    assert {p["id"] for p in found["persons"]} == {key for key, kind in kinds.items() if kind == "person"}
    assert {f["party_id"] for f in found["firms"]} == {key for key, kind in kinds.items() if kind == "firm"}
    assert all(f["kind"] == "firm" for f in [*found["firms"], *found["listed_firms"]])
    assert len(found["heads"]) == len(found["firms"]) > len(found["listed_firms"]) > 0


@pytest.mark.parametrize("name", COMPOSITE)
def test_composite_keys_can_be_referenced(name, tmp_path):
    found = whole(ORDERS + COMPOSITE[name], tmp_path / "store")
    assert all(found.values())


def test_a_parent_has_no_two_rows_of_a_table_that_shares_its_key():
    text = PARTIES.replace("TYPE", "bigint").replace("cases: {person: 1}, else: 0", "cases: {person: 2}, else: 0")
    with pytest.raises(SchemaError) as found:
        source_of(text)
    assert [p.message for p in found.value.problems] == [
        "id is unique and names the row of parties, and some of those have 2 rows of persons; count at most 1 of them, or add a column to the key"
    ]
    assert found.value.problems[0].at is not None
