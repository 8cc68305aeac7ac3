"""Recipes and numbers of rows that follow the value of a column."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from scipy import stats

from datagen import RecipeError
from schemas.errors import SchemaError
from tests.datagen.making import HEAD, source_of

ALARM = 1e-6

ACCOUNTS = """tables:
  plans:
    rows: {fixed: 3}
    columns:
      code:  {type: text, key: true, generate: {list: [free, pro, enterprise]}}
      price: {type: integer, generate: {list: [0, 10, 90]}}
  tenants:
    rows: 3000
    columns:
      id:      {type: bigint, key: true}
      plan:    {references: plans.code}
      seats:   {type: integer, generate: {uniform: [0, 6]}}
      country: {type: text, null: 0.1, generate: {choice: {US: 5, DE: 3, JP: 2}}}
      owner:   {references: users.id, null: 0.5}
  users:
    rows: {per: tenants, count: COUNT}
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id}
      pays:      {type: text, generate: {by: tenants.country, cases: {US: {choice: {card: 80, wire: 20}}, DE: {choice: {sepa: 60, card: 40}}}, else: {constant: cash}}}
      limit:     {type: integer, null: 0.2, generate: {by: tenants.plan, cases: {free: {constant: 0}, pro: {uniform: [1, 9]}, enterprise: {from: tenants.seats}}}}
"""


def made_with(count: str, **options: object):
    return source_of(ACCOUNTS.replace("COUNT", count), **options)


def rows_of(made, table):
    return made.read(table).read_all().to_pylist()


def counted(made) -> list[tuple[dict, int]]:
    """Every tenant and how many users it has."""
    counts = Counter(user["tenant_id"] for user in rows_of(made, "users"))
    return [(tenant, counts[tenant["id"]]) for tenant in rows_of(made, "tenants")]


def test_a_case_makes_the_values_of_its_rows_and_no_others():
    made = made_with("{uniform: [1, 9]}")
    tenants = {t["id"]: t for t in rows_of(made, "tenants")}
    users = rows_of(made, "users")
    seen = Counter((tenants[u["tenant_id"]]["country"], u["pays"]) for u in users)
    assert set(seen) == {("US", "card"), ("US", "wire"), ("DE", "sepa"), ("DE", "card"), ("JP", "cash"), (None, "cash")}
    assert (
        stats.chisquare(
            [seen["US", "card"], seen["US", "wire"]], [s * (seen["US", "card"] + seen["US", "wire"]) for s in (0.8, 0.2)]
        ).pvalue
        > ALARM
    )
    assert (
        stats.chisquare(
            [seen["DE", "sepa"], seen["DE", "card"]], [s * (seen["DE", "sepa"] + seen["DE", "card"]) for s in (0.6, 0.4)]
        ).pvalue
        > ALARM
    )
    for user in users:
        tenant = tenants[user["tenant_id"]]
        allowed = {"free": [0], "pro": range(1, 10), "enterprise": [tenant["seats"]]}[tenant["plan"]]
        assert user["limit"] is None or user["limit"] in allowed
    assert stats.binomtest(sum(u["limit"] is None for u in users), len(users), 0.2).pvalue > ALARM
    assert made.read_rows("users", 5000, 5020).to_pylist() == users[5000:5020]


def test_another_case_leaves_the_rows_of_the_first_as_they_were():
    before, after = (
        rows_of(made_with("3"), "users"),
        rows_of(source_of(ACCOUNTS.replace("COUNT", "3").replace("sepa: 60", "sepa: 5")), "users"),
    )
    changed = {(b["pays"], a["pays"]) for b, a in zip(before, after, strict=True) if a != b}
    assert changed == {("sepa", "card")}


@pytest.mark.parametrize(
    ("type", "recipe", "cases"),
    [
        ("integer", "{uniform: [1, 3]}", "{1: {constant: a}, 2: {constant: b}, 3: {constant: c}}, else: {constant: d}"),
        ("boolean", "{boolean: 0.5}", "{'true': {constant: a}, 'false': {constant: b}}"),
        ("{enum: [x, y]}", "{choice: [x, y]}", "{x: {constant: a}, y: {constant: b}}"),
        ("text", "{states: {x: {y: 0.5}}}", "{x: {constant: a}, y: {constant: b}}"),
    ],
)
def test_cases_may_be_of_any_type_that_has_few_values(type, recipe, cases):
    text = f"tables:\n  t:\n    rows: 500\n    columns:\n      id: {{type: bigint, key: true}}\n      k: {{type: {type}, generate: {recipe}}}\n"
    text += f"      v: {{type: text, generate: {{by: k, cases: {cases}}}}}\n"
    pairs = {(r["k"], r["v"]) for r in rows_of(source_of(text), "t")}
    assert len(pairs) == len({k for k, _ in pairs}) == len({v for _, v in pairs}) > 1


def test_counts_follow_a_column_of_the_parent_or_of_a_row_that_it_references():
    found = counted(made_with("{by: plan, cases: {free: {zipf: 1.3, min: 1, max: 20}, pro: 30}, else: {from: seats}}"))
    for tenant, count in found:
        if tenant["plan"] == "free":
            assert 1 <= count <= 20
        else:
            assert count == (30 if tenant["plan"] == "pro" else tenant["seats"])
    free = Counter(count for tenant, count in found if tenant["plan"] == "free")
    wanted = stats.zipfian(1.3, 20).pmf(range(1, 21)) * free.total()
    big = wanted >= 5
    seen = [free[i + 1] for i in range(20) if big[i]]
    assert stats.chisquare([*seen, free.total() - sum(seen)], [*wanted[big], free.total() - wanted[big].sum()]).pvalue > ALARM
    assert all(count == tenant["seats"] * 2 + 1 for tenant, count in counted(made_with('{expression: "seats * 2 + 1"}')))
    prices = {"free": 0, "pro": 10, "enterprise": 90}
    assert all(count == prices[tenant["plan"]] for tenant, count in counted(made_with("{from: plan.price}")))


def test_a_larger_scale_begins_with_the_smaller_one_where_counts_follow_columns():
    count = "{by: plan, cases: {free: {zipf: 1.3, max: 20}, pro: {uniform: [0, 9]}}, else: {from: seats}}"
    small, large = (rows_of(made_with(count, scale=scale), "users") for scale in (0.1, 0.3))
    kept = [{k: v for k, v in user.items() if k != "owner"} for user in small]
    assert large[: len(kept)] == kept and len(large) > 2.5 * len(kept)


@pytest.mark.parametrize(
    ("count", "total"),
    [
        ("{zipf: 1.3, max: 60}, mean: 4.25", 12_750),
        ("{uniform: [0, 9]}, mean: 8.9996", 26_999),
        ("{poisson: 3}, total: 7001", 7001),
        ("{from: seats}, mean: 7", 21_000),
        ("{by: plan, cases: {free: 2, pro: {uniform: [0, 50]}}, else: {from: seats}}, mean: 9", 27_000),
    ],
)
def test_means_and_totals_are_exact_and_bounds_are_kept(count, total):
    found = counted(made_with(count))
    assert sum(c for _, c in found) == total
    for tenant, c in found:
        if "zipf" in count:
            assert 1 <= c <= 60
        elif "uniform: [0, 9]" in count:
            assert 0 <= c <= 9
        elif "cases" in count:
            assert tenant["plan"] != "free" or c == 2
            assert tenant["plan"] != "pro" or c <= 50
        if "seats" in count and tenant["seats"] == 0 and tenant["plan"] == "enterprise":
            assert c == 0


def test_a_total_is_shared_out_in_proportion():
    for tenant, count in counted(made_with("{from: seats}, mean: 30")):
        assert abs(count - tenant["seats"] * 10) <= tenant["seats"] + 1


@pytest.mark.parametrize(
    ("count", "words"),
    [
        ("{uniform: [1, 3]}, mean: 3.5", "3,000 parents with 1 to 3 rows each cannot have 10,500 rows in all"),
        ("{by: plan, cases: {free: 1, pro: 1, enterprise: 2}}, total: 100000", "rows together cannot have 100,000 rows in all"),
        ('{expression: "seats * 0"}, total: 5', "3,000 parents with 0 to 0 rows each cannot have 5 rows in all"),
        ('{expression: "seats - 3"}', "seats - 3 is below 0 in a row of tenants"),
        ("{from: owner}", "the number of rows of users depends on itself: the rows of users <- tenants.owner"),
        ('{expression: "owner * 2"}', "the number of rows of users depends on itself: the rows of users <- tenants.owner"),
    ],
)
def test_counts_that_cannot_be_met_are_refused_at_their_place(count, words):
    with pytest.raises(SchemaError) as found:
        made_with(count)
    assert len(found.value.problems) == 1
    assert words in found.value.problems[0].message
    whole = HEAD + ACCOUNTS
    assert found.value.problems[0].at.line == whole[: whole.index("rows: {per: tenants")].count("\n") + 1


def test_a_count_of_the_counted_rows_is_a_circle_that_is_named():
    text = ACCOUNTS.replace("COUNT", "{from: seats}").replace("{uniform: [0, 6]}", "{count: users}")
    with pytest.raises(
        SchemaError, match="the number of rows of users depends on itself: the rows of users <- tenants.seats <- the rows of users"
    ):
        source_of(text)


def test_tables_are_counted_one_after_the_other_along_their_columns():
    text = """tables:
  a: {rows: 20, columns: {id: {type: bigint, key: true}, n: {type: integer, generate: {uniform: [1, 4]}}}}
  d:
    rows: {per: c, count: {from: n}}
    columns: {id: {type: bigint, key: true}, c_id: {references: c.id}}
  c:
    rows: {per: a, count: {from: lines}}
    columns: {id: {type: bigint, key: true}, a_id: {references: a.id}, n: {type: integer, generate: {from: a.n}}}
  b:
    rows: {per: a, count: {from: n}}
    columns: {id: {type: bigint, key: true}, a_id: {references: a.id}}
"""
    with pytest.raises(SchemaError, match="'lines' is no column of 'a'"):
        source_of(text)
    made = source_of(
        text.replace(
            "n: {type: integer, generate: {uniform: [1, 4]}}",
            "n: {type: integer, generate: {uniform: [1, 4]}}, lines: {type: integer, generate: {count: b}}",
        )
    )
    sizes = [r["n"] for r in rows_of(made, "a")]
    assert [made.row_count(t) for t in "bcd"] == [sum(sizes), sum(sizes), sum(n * n for n in sizes)]


def test_cases_stand_wherever_a_recipe_may():
    text = """tables:
  t:
    rows: 300
    columns:
      id:   {type: bigint, key: true}
      kind: {type: text, generate: {choice: [a, b]}}
      doc:  {type: json, generate: {json: {n: {by: kind, cases: {a: {uniform: [1, 5]}, b: {constant: none}}}, l: {array: {by: kind, cases: {a: {constant: 7}}, else: words}, count: 1}}}}
      list: {type: "text[]", generate: {array: {by: kind, cases: {a: {constant: x}, b: {choice: [y, z]}}}, count: 2}}
      deep: {type: integer, generate: {by: kind, cases: {a: {by: id, cases: {1: {constant: 1}, 2: {constant: 2}}, else: {constant: 0}}, b: {from: id}}}}
"""
    made = source_of(text)
    assert made.has_canonical_json("t", "doc") is False
    for row in rows_of(made, "t"):
        doc, a = json.loads(row["doc"]), row["kind"] == "a"
        assert doc["n"] in range(1, 6) if a else doc["n"] == "none"
        assert doc["l"] == [7] if a else isinstance(doc["l"][0], str)
        assert set(row["list"]) <= ({"x"} if a else {"y", "z"})
        assert row["deep"] == ((row["id"] if row["id"] < 3 else 0) if a else row["id"])


def test_more_rows_than_a_table_can_have_are_refused_before_any_is_made():
    text = "tables:\n  p: {rows: 3, columns: {id: {type: bigint, key: true}}}\n" \
           '  c: {rows: {per: p, count: {expression: "id * 1000000000000"}}, columns: {p_id: {references: p.id}}}\n'  # fmt: skip
    with pytest.raises(RecipeError, match="6,000,000,000,000 rows are more than the 1,000,000,000,000 that a table can have"):
        source_of(text)


def test_a_total_without_parents_is_refused_with_that_reason():
    text = "tables:\n  p: {{rows: 0, columns: {{id: {{type: bigint, key: true}}}}}}\n  c:\n    rows: {{per: p, count: {{poisson: 3}}, total: {}}}\n"
    text += "    columns: {{p: {{references: p.id}}}}\n"
    with pytest.raises(SchemaError, match="p has no rows, so there can be no 20 rows of c for them"):
        source_of(text.format(20))
    assert source_of(text.format(0)).row_count("c") == 0
