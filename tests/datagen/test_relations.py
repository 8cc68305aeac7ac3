"""References: who belongs to whom, within what, and never twice."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from datagen.errors import RecipeError
from schemas.errors import InputError
from tests.datagen.making import source_of

COMPANY = """tables:
  tenants:
    rows: 40
    columns:
      id:   {type: uuid, key: true}
      code: {type: varchar(12), unique: true, generate: {sequence: 100, format: "T-{n}"}}
      born: {type: timestamptz, generate: {between: [-3y, -1y]}}
  users:
    rows: {per: tenants, count: {zipf: 1.2, min: 1, max: 60}}
    columns:
      id:         {type: bigint, key: true}
      tenant_id:  {references: tenants.id}
      manager_id: {references: users.id, within: tenant_id, acyclic: true, null: 0.1}
      buddy_id:   {references: users.id, within: tenant_id}
      joined:     {type: timestamptz, generate: {after: tenants.born, within: 1y}}
  teams:
    rows: {per: tenants, count: {uniform: [2, 6]}}
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id}
  tickets:
    rows: {per: tenants, count: {poisson: 20}}
    columns:
      id:          {type: bigint, key: true}
      tenant_id:   {references: tenants.id}
      assignee_id: {references: users.id, within: tenant_id}
      parent_code: {references: tenants.code}
      rank:        {type: integer, generate: ordinal}
  messages:
    rows: {per: tickets, count: {uniform: [0, 4]}}
    columns:
      id:        {type: bigint, key: true}
      ticket_id: {references: tickets.id}
      tenant_id: {references: tenants.id, generate: {from: ticket_id.tenant_id}}
      author_id: {references: users.id, within: tenant_id}
  members:
    rows: {per: teams, count: {uniform: [0, 1]}}
    key: [team_id, user_id]
    columns:
      team_id:   {references: teams.id}
      tenant_id: {references: tenants.id, generate: {from: team_id.tenant_id}}
      user_id:   {references: users.id, within: tenant_id}
  likes:
    rows: 900
    key: [user_id, ticket_id]
    columns:
      user_id:   {references: users.id}
      ticket_id: {references: tickets.id}
  badges:
    rows: 30
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id, unique: true}
"""


@pytest.fixture(scope="module")
def tables():
    made = source_of(COMPANY)
    return {t.name: made.read(t.name).read_all().to_pylist() for t in made.schema.tables}


def by_id(rows):
    return {r["id"]: r for r in rows}


def test_children_lie_together_under_existing_parents(tables):
    order = [t["id"] for t in tables["tenants"]]
    places = [order.index(u["tenant_id"]) for u in tables["users"]]
    assert places == sorted(places)
    assert set(places) == set(range(40)), "min: 1 gives every tenant a user"


def test_the_number_of_children_keeps_its_bounds(tables):
    counts = np.bincount([[t["id"] for t in tables["tenants"]].index(x["tenant_id"]) for x in tables["teams"]], minlength=40)
    assert counts.min() >= 2 and counts.max() <= 6


def test_references_within_a_parent_stay_within_it(tables):
    users, tickets = by_id(tables["users"]), by_id(tables["tickets"])
    assert all(users[t["assignee_id"]]["tenant_id"] == t["tenant_id"] for t in tables["tickets"])
    assert all(users[u["buddy_id"]]["tenant_id"] == u["tenant_id"] for u in tables["users"])
    assert all(users[m["author_id"]]["tenant_id"] == tickets[m["ticket_id"]]["tenant_id"] == m["tenant_id"] for m in tables["messages"])


def test_managers_form_no_circle_and_share_the_tenant(tables):
    users = by_id(tables["users"])
    for user in tables["users"]:
        if user["manager_id"] is not None:
            assert user["manager_id"] < user["id"]
            assert users[user["manager_id"]]["tenant_id"] == user["tenant_id"]
    assert sum(u["manager_id"] is None for u in tables["users"]) >= 40, "the first of each tenant has none"


def test_references_to_a_unique_column_that_is_no_key_are_met(tables):
    codes = {t["code"] for t in tables["tenants"]}
    assert {t["parent_code"] for t in tables["tickets"]} <= codes


def test_a_child_is_never_older_than_its_parent(tables):
    born = {t["id"]: t["born"] for t in tables["tenants"]}
    assert all(u["joined"] >= born[u["tenant_id"]] for u in tables["users"])


def test_ordinals_count_the_children_of_each_parent(tables):
    seen: dict = {}
    for ticket in tables["tickets"]:
        seen[ticket["tenant_id"]] = seen.get(ticket["tenant_id"], 0) + 1
        assert ticket["rank"] == seen[ticket["tenant_id"]]


def test_pairs_of_many_to_many_tables_never_repeat(tables):
    for name, columns in (("likes", ("user_id", "ticket_id")), ("members", ("team_id", "user_id"))):
        pairs = [tuple(r[c] for c in columns) for r in tables[name]]
        assert len(set(pairs)) == len(pairs) > 0
    assert len(tables["likes"]) == 900


def test_one_to_one_references_never_repeat(tables):
    used = [b["tenant_id"] for b in tables["badges"]]
    assert len(set(used)) == 30


CIRCLE = """tables:
  a:
    rows: 50
    columns:
      id:  {type: bigint, key: true}
      b_id: {references: b.id}
  b:
    rows: 70
    columns:
      id:  {type: uuid, key: true}
      c_id: {references: c.id}
  c:
    rows: 30
    columns:
      id:  {type: varchar(20), key: true, generate: {pattern: "[A-Z]{4}"}}
      a_id: {references: a.id}
      own:  {references: c.id}
"""


def test_circles_of_tables_with_no_null_anywhere_are_whole():
    made = source_of(CIRCLE)
    rows = {n: made.read(n).read_all().to_pylist() for n in "abc"}
    keys = {n: {r["id"] for r in rows[n]} for n in "abc"}
    assert {r["b_id"] for r in rows["a"]} <= keys["b"]
    assert {r["c_id"] for r in rows["b"]} <= keys["c"]
    assert {r["a_id"] for r in rows["c"]} <= keys["a"] and {r["own"] for r in rows["c"]} <= keys["c"]


COMPOSITE = """tables:
  tenants:
    rows: 12
    columns:
      id: {type: bigint, key: true}
  users:
    rows: {per: tenants, count: {uniform: [1, 9]}}
    key: [tenant_id, no]
    columns:
      tenant_id: {references: tenants.id}
      no:        {type: integer, generate: ordinal}
  notes:
    rows: 400
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id}
      author:    {type: integer}
      reader:    {type: integer, null: 0.3}
    foreign_keys:
      - {columns: [tenant_id, author], references: "users(tenant_id, no)"}
      - {columns: [tenant_id, reader], references: "users(tenant_id, no)"}
"""


def test_composite_references_that_share_a_column_agree_on_it():
    made = source_of(COMPOSITE)
    users = {(u["tenant_id"], u["no"]) for u in made.read("users").read_all().to_pylist()}
    notes = made.read("notes").read_all().to_pylist()
    assert all((n["tenant_id"], n["author"]) in users for n in notes)
    assert all((n["tenant_id"], n["reader"]) in users for n in notes if n["reader"] is not None)
    assert 60 < sum(n["reader"] is None for n in notes) < 180


def test_skewed_references_favour_some_rows():
    text = """tables:
  p: {rows: 1000, columns: {id: {type: bigint, key: true}}}
  c:
    rows: 20000
    columns:
      id: {type: bigint, key: true}
      p_id: {references: p.id, skew: 1.2}
"""
    counts = np.bincount(source_of(text).read("c").read_all().column("p_id").to_numpy())
    assert np.sort(counts)[-10:].sum() > 6000
    assert counts.argmax() != 1, "the favourite is no special row"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("count: {zipf: 1.2, min: 1, max: 60}", "count: {poisson: 1}"), "some rows of tenants have no users"),
        (("rows: 900", "rows: 90000000"), "different combinations"),
        (("    rows: 30\n", "    rows: 41\n"), "must reference different rows"),
        (("generate: {from: ticket_id.tenant_id}", "generate: {from: ticket_id.nothing}"), "nothing"),
    ],
)
def test_impossible_references_are_refused_with_the_reason(change, words):
    assert change[0] in COMPANY
    with pytest.raises(Exception, match=words):
        source_of(COMPANY.replace(*change))


def test_columns_computed_from_each_other_are_refused():
    text = """tables:
  t:
    rows: 5
    columns:
      id: {type: bigint, key: true}
      a:  {type: bigint, generate: {from: b}}
      b:  {type: bigint, generate: {from: a}}
"""
    with pytest.raises(Exception, match="circle"):
        source_of(text)


def test_groups_need_not_lie_together():
    text = """tables:
  tenants: {rows: 9, columns: {id: {type: bigint, key: true}}}
  users:
    rows: 200
    columns:
      id:         {type: bigint, key: true}
      tenant_id:  {references: tenants.id}
      manager_id: {references: users.id, within: tenant_id, acyclic: true, null: 0.1}
      buddy_id:   {references: users.id, within: tenant_id}
  notes:
    rows: 500
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id}
      author_id: {references: users.id, within: tenant_id}
"""
    made = source_of(text)
    users = by_id(made.read("users").read_all().to_pylist())
    for user in users.values():
        assert users[user["buddy_id"]]["tenant_id"] == user["tenant_id"]
        if user["manager_id"] is not None:
            assert user["manager_id"] < user["id"]
            assert users[user["manager_id"]]["tenant_id"] == user["tenant_id"]
    assert sum(u["manager_id"] is None for u in users.values()) < 60
    assert all(users[n["author_id"]]["tenant_id"] == n["tenant_id"] for n in made.read("notes").read_all().to_pylist())
    assert made.read_rows("users", 50, 60).to_pylist() == list(users.values())[50:60]


@pytest.mark.parametrize("within", ["", ", within: tenant_id"])
@pytest.mark.parametrize("null", ["", ", null: 0.05"])
def test_forests_are_no_deeper_than_asked(within, null):
    def levels(depth: str) -> list[int]:
        text = f"""tables:
  tenants: {{rows: 3, columns: {{id: {{type: bigint, key: true}}}}}}
  users:
    rows: {{per: tenants, count: 300}}
    columns:
      id:      {{type: bigint, key: true}}
      tenant_id:  {{references: tenants.id}}
      manager_id: {{references: users.id, acyclic: true{depth}{within}{null}}}
"""
        made = source_of(text)
        users = made.read("users").read_all().to_pylist()
        assert made.read_rows("users", 450, 460).to_pylist() == users[450:460]
        above = {u["id"]: None if u["manager_id"] == u["id"] else u["manager_id"] for u in users}
        if within:
            tenants = {u["id"]: u["tenant_id"] for u in users}
            assert all(m is None or tenants[m] == tenants[u] for u, m in above.items())
        found = []
        for at in above:
            level = 0
            while above[at] is not None:
                assert above[at] < at
                at, level = above[at], level + 1
            found.append(level)
        return found

    free = levels("")
    assert max(free) > 6
    for depth in (1, 2, 5):
        bounded = levels(f", depth: {depth}")
        assert max(bounded) == depth
        if not null:
            # rows that lay no deeper stay where they were
            assert [b for b, f in zip(bounded, free, strict=True) if f <= depth] == [f for f in free if f <= depth]


def test_children_and_parents_are_told_from_row_numbers_alone():
    text = """tables:
  p: {rows: 5000, columns: {id: {type: bigint, key: true}}}
  c:
    rows: {per: p, count: {poisson: 2}}
    columns:
      id:   {type: bigint, key: true}
      p_id: {references: p.id}
      q_id: {references: p.id}
"""
    made = source_of(text)
    parents = [row["p_id"] - 1 for row in made.read("c").read_all().to_pylist()]
    for parent in (0, 1, 17, 4999):
        children = made.children_of("p", parent, "c")
        assert [n for n, p in enumerate(parents) if p == parent] == list(children)
        assert all(made.parent_of("c", child) == parent for child in children)
    assert sum(len(made.children_of("p", p, "c")) for p in range(5000)) == len(parents)
    with pytest.raises(InputError, match="p has rows 0 to 4,999, and no row 5,000"):
        made.children_of("p", 5000, "c")
    with pytest.raises(InputError, match="no rows per row of c; c has rows per p"):
        made.children_of("c", 0, "c")
    with pytest.raises(InputError, match="p has no rows per row of another table"):
        made.parent_of("p", 0)


def test_weighted_references_follow_a_column_of_the_parent():
    text = """tables:
  t: {rows: 20, columns: {id: {type: bigint, key: true}}}
  p:
    rows: 400
    columns:
      id:    {type: bigint, key: true}
      t_id:  {references: t.id}
      plan:  {type: text, generate: {choice: {free: 70, paid: 30}}}
      seats: {type: "numeric(6,1)", hidden: true, generate: {expression: "CASE WHEN plan = 'paid' THEN 9.5 ELSE 0.5 END"}}
  c:
    rows: 60000
    columns:
      id:   {type: bigint, key: true}
      t_id: {references: t.id}
      any:  {references: p.id, weight: seats}
      own:  {references: p.id, weight: seats, within: t_id}
"""
    made = source_of(text)
    parents = by_id(made.read("p").read_all().to_pylist())
    rows = made.read("c").read_all().to_pylist()
    weights = {p: 9.5 if row["plan"] == "paid" else 0.5 for p, row in parents.items()}
    found, total = Counter(r["any"] for r in rows), sum(weights.values())
    statistic = sum((found[p] - 60_000 * w / total) ** 2 / (60_000 * w / total) for p, w in weights.items())
    assert statistic < 399 + 6 * (2 * 399) ** 0.5
    assert all(parents[r["own"]]["t_id"] == r["t_id"] for r in rows)
    group = [p for p, row in parents.items() if row["t_id"] == 3]
    inside, share = Counter(r["own"] for r in rows if r["t_id"] == 3), sum(weights[p] for p in group)
    expected = {p: inside.total() * weights[p] / share for p in group}
    assert sum((inside[p] - e) ** 2 / e for p, e in expected.items()) < len(group) + 6 * (2 * len(group)) ** 0.5
    assert made.read_rows("c", 31_000, 31_010).to_pylist() == rows[31_000:31_010]


@pytest.mark.parametrize(
    ("weight", "null", "message"),
    [
        ("0", "", "none with a weight above 0"),
        ("-1", "", "must be 0 or above"),
        ("0", ", null: 0", None),
        ("1", ", unique: true", "c is unique"),
    ],
)
def test_weights_that_choose_no_row(weight, null, message):
    text = f"""tables:
  p: {{rows: 5, columns: {{id: {{type: bigint, key: true}}, w: {{type: integer, generate: {{constant: {weight}}}}}}}}}
  c:
    rows: 5
    columns:
      id: {{type: bigint, key: true}}
      c:  {{references: p.id, weight: w{null}}}
"""
    if message is None:
        assert source_of(text).read("c").read_all()["c"].null_count == 5
        return
    with pytest.raises(Exception, match=message):
        source_of(text).read("c").read_all()


@pytest.mark.parametrize("option", ["within: hall_id", "skew: 1.2", "weight: size"])
def test_an_option_of_a_reference_that_other_references_set_is_refused(option):
    text = f"""tables:
  halls: {{rows: 3, columns: {{id: {{type: bigint, key: true}}}}}}
  kinds:
    rows: 5
    columns:
      id:      {{type: bigint, key: true}}
      hall_id: {{references: halls.id}}
      size:    {{type: int, generate: {{uniform: [1, 9]}}}}
  parts:
    rows: {{per: kinds, count: 3}}
    key: [kind_id, nr]
    columns: {{kind_id: {{references: kinds.id}}, nr: {{type: int, generate: ordinal}}}}
  uses:
    rows: {{per: parts, count: 2}}
    foreign_keys:
      - {{columns: [kind_id, part_nr], references: "parts(kind_id, nr)"}}
      - {{columns: [kind_id], references: kinds(id), {option}}}
    columns: {{hall_id: {{references: halls.id}}, kind_id: {{type: bigint}}, part_nr: {{type: int}}}}
"""
    with pytest.raises(RecipeError, match=f"{option.partition(':')[0]}: other references set .kind_id., so there is no choice"):
        source_of(text)


@pytest.mark.parametrize(
    "count", ["{uniform: [-1, 3]}", "{histogram: {edges: [-2, 3], weights: [1]}}", "{normal: {mean: 1, sd: 2}, min: -3, max: 9}"]
)
def test_numbers_of_rows_and_items_that_can_be_below_0_are_refused(count):
    per = f"tables:\n  a: {{rows: 9, columns: {{id: {{type: int, key: true}}}}}}\n  b:\n    rows: {{per: a, count: {count}}}\n"
    per += "    columns: {a_id: {references: a.id}}\n"
    items = (
        f"tables:\n  a: {{rows: 9, columns: {{x: {{type: 'int[]', generate: {{array: {{of: {{uniform: [1, 2]}}, count: {count}}}}}}}}}}}\n"
    )
    for text in (per, items):
        with pytest.raises(RecipeError, match="can be below 0"):
            source_of(text)


def test_a_reference_that_may_be_none_leaves_the_tenant_that_it_shares():
    made = source_of("""tables:
  tenants: {rows: 20, columns: {id: {type: int, key: true}}}
  projects:
    rows: 30
    key: [tenant_id, id]
    columns: {tenant_id: {references: tenants.id}, id: {type: int, generate: sequence}}
  tasks:
    rows: 200
    foreign_keys: [{columns: [tenant_id, project_id], references: "projects(tenant_id, id)"}]
    columns:
      id:         {type: int, key: true}
      tenant_id:  {references: tenants.id}
      project_id: {type: int, null: 0.1}
  people:
    rows: 500
    key: [tenant, id]
    foreign_keys: [{columns: [tenant, boss], references: "people(tenant, id)"}]
    columns:
      tenant: {references: tenants.id}
      id:     {type: int, generate: sequence}
      boss:   {type: int, null: 0.1}
""")
    projects = {(p["tenant_id"], p["id"]) for p in made.read("projects").read_all().to_pylist()}
    tasks = made.read("tasks").read_all().to_pylist()
    assert {t["tenant_id"] for t in tasks} == set(range(1, 21))
    assert {(t["tenant_id"], t["project_id"]) in projects for t in tasks if t["project_id"]} == {True}
    assert 50 < sum(t["project_id"] is not None for t in tasks) < 200
    people = made.read("people").read_all().to_pylist()
    tenant_of = {p["id"]: p["tenant"] for p in people}
    assert {tenant_of[p["boss"]] == p["tenant"] for p in people if p["boss"]} == {True}
    assert 0 < sum(p["boss"] is None for p in people) < 150
