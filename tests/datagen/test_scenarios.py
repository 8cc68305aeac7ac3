"""Scenarios: what they touch, what they leave alone, and that their labels tell the truth."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

import bundles
import datagen
from bundles.digest import TableDigester
from datagen import RecipeError
from schemas.errors import InputError
from schemas.reader import parse_schema
from tests.datagen.scenario_shop import BURST, LOGINS, SHOP, TABLES, frame, shop

KEYS = {"tenants": ["id"], "users": ["id"], "shops": ["id"], "orders": ["id"], "lines": ["order_id", "line"], "visits": ["id"]}


@pytest.fixture(scope="module")
def planted():
    return shop()


@pytest.fixture(scope="module")
def bare():
    return shop(burst=0, logins=0)


def labels(source, scenario: str, table: str, **wanted: str) -> pl.DataFrame:
    """The labels of rows of one table, with the table's own key columns."""
    found = frame(source, f"{scenario}_labels").drop("id")
    names = {f"{table}_{c}": c for c in KEYS[table]}
    found = found.filter(pl.col(next(iter(names))).is_not_null()).rename(names)
    return found.filter(*(pl.col(name) == value for name, value in wanted.items()))


def test_without_its_scenarios_every_untouched_row_is_the_same(planted, bare):
    touched_tenants = set()
    for scenario, table in (("burst", "users"), ("logins", "tenants")):
        subjects = frame(planted, f"{scenario}_labels")["subject_id"].unique()
        rows = frame(planted, table).filter(pl.col("id").is_in(subjects.implode()))
        touched_tenants |= set(rows["id" if table == "tenants" else "tenant_id"])
    owner = {"tenants": "id", "users": "tenant_id", "orders": "tenant_id"}
    compared = 0
    for table, key in KEYS.items():
        added = pl.concat(
            [labels(planted, s, table, change="added").select(key) for s in planted.scenarios if has(planted, s, table)] or [pl.DataFrame()]
        )
        after, before = frame(planted, table), frame(bare, table)
        kept = after.join(added, on=key, how="anti", maintain_order="left") if len(added) else after
        assert len(after) == len(before) + len(added)
        assert kept.select(key).equals(before.select(key)), "the rows without scenarios stand in their order"
        same = kept.with_columns(same=same_rows(kept, before))["same"]
        if table in owner:
            same = same | kept[owner[table]].is_in(list(touched_tenants))
            assert kept.filter(same_rows(kept, before)).height > len(kept) // 5
        if table == "lines":
            assert kept.equals(before)
        assert same.all(), table
        compared += len(before)
    assert compared == sum(bare.row_count(t) for t in KEYS)


def has(source, scenario: str, table: str) -> bool:
    return f"{table}_{KEYS[table][0]}" in frame(source, f"{scenario}_labels").columns


def same_rows(one: pl.DataFrame, other: pl.DataFrame) -> pl.Series:
    return pl.Series([a == b for a, b in zip(one.rows(), other.rows(), strict=True)])


def test_only_cells_that_are_set_or_read_one_that_is_change(planted, bare):
    set_orders = pl.concat([labels(planted, s, "orders", change="set").select("id") for s in ("burst", "logins")])
    after, before = frame(planted, "orders"), frame(bare, "orders")
    kept = after.join(before.select("id"), on="id", how="semi", maintain_order="left")
    differs = kept.filter(~same_rows(kept, before))
    assert set(differs["id"]) == set(set_orders["id"])
    for column in kept.columns:
        if column != "status":
            assert kept[column].equals(before[column]), column
    users, untouched = frame(planted, "users"), frame(bare, "users")
    locked = labels(planted, "logins", "users", change="set")
    assert set(users.filter(users["status"] != untouched["status"])["id"]) == set(locked["id"])


def test_sums_counts_and_places_see_added_rows(planted):
    orders, lines, tenants, users = (frame(planted, t) for t in ("orders", "lines", "tenants", "users"))
    by_order = lines.group_by("order_id").agg(pl.col("amount").sum())
    assert orders.join(by_order, left_on="id", right_on="order_id").select((pl.col("total") == pl.col("amount")).all()).item()
    assert len(by_order) == len(orders)
    by_tenant = orders.group_by("tenant_id").agg(pl.col("total").sum().alias("sum"), pl.len().alias("len"), pl.col("at").max().alias("max"))
    joined = tenants.join(by_tenant, left_on="id", right_on="tenant_id", how="left").with_columns(
        pl.col("sum").fill_null(0), pl.col("len").fill_null(0)
    )
    assert joined.select((pl.col("spent") == pl.col("sum")).all()).item()
    assert joined["n"].to_list() == joined["len"].to_list()
    assert joined["last_at"].to_list() == joined["max"].to_list()
    counted = users.join(orders.group_by("user_id").len(), left_on="id", right_on="user_id", how="left").with_columns(
        pl.col("len").fill_null(0)
    )
    assert counted["orders"].to_list() == counted["len"].to_list()
    for frame_, parent, place in ((orders, "tenant_id", "place"), (lines, "order_id", "line")):
        places = frame_.group_by(parent, maintain_order=True).agg(pl.col(place))[place].to_list()
        assert all(found == list(range(1, len(found) + 1)) for found in places)


def test_unique_columns_stay_unique_and_references_lead_somewhere(planted):
    orders = frame(planted, "orders")
    for column in ("id", "number", "token", "serial", "ref"):
        assert orders[column].n_unique() == len(orders)
    assert frame(planted, "visits")["id"].n_unique() == planted.row_count("visits")
    own = frame(planted, "users").select("id", owner="tenant_id")
    assert orders.join(own, left_on="user_id", right_on="id").select((pl.col("owner") == pl.col("tenant_id")).all()).item()


def test_labels_say_what_happened_and_near_misses_differ_in_the_rhythm_alone(planted):
    orders = frame(planted, "orders")
    spread = {}
    for role in ("positive", "near_miss"):
        rows = labels(planted, "burst", "orders", change="added", role=role).join(orders, on="id")
        assert (rows["status"] == "stolen").all()
        assert (rows["user_id"] == rows["subject_id"]).all()
        episodes = rows.group_by("episode").agg(pl.len(), (pl.col("at") - pl.col("happened_at")).max().dt.total_minutes().alias("last"))
        assert set(episodes["len"]) <= {3, 4, 5, 6}
        assert len(set(episodes["len"])) > 1
        spread[role] = episodes["last"]
        assert len(labels(planted, "burst", "lines", change="added", role=role)) == 2 * len(rows)
    assert spread["positive"].max() <= 10
    assert spread["near_miss"].min() >= 3 * 5 * 24 * 60
    assert set(orders.filter(pl.col("status") == "stolen")["id"]) == set(labels(planted, "burst", "orders", change="added")["id"])
    taken = labels(planted, "burst", "orders", change="set").join(orders, on="id")
    assert taken["phase"].unique().to_list() == ["taken"]
    assert taken["status"].str.contains(r"^lost-paid-\d+$").all()


def test_every_episode_that_is_labelled_has_rows_and_the_stated_size_is_theirs(planted):
    for name, said in planted.scenarios.items():
        found = frame(planted, f"{name}_labels")
        heads = found.filter(pl.col("change") == "episode")
        assert heads["episode"].n_unique() == len(heads) == said["subjects"] + said["near_misses"]
        assert set(heads["episode"]) == set(found.filter(pl.col("change") != "episode")["episode"])
        assert (heads["role"] == "positive").sum() == said["subjects"]
        assert (found["change"] == "set").sum() == said["rows_set"]
        assert (found["change"] == "added").sum() == said["rows_added"]


def test_another_scenario_moves_neither_subjects_nor_added_rows(planted):
    alone = shop(logins=0)
    assert frame(alone, "burst_labels").equals(frame(planted, "burst_labels"))
    added = labels(planted, "burst", "orders", change="added").select("id")
    together, apart = (frame(s, "orders").join(added, on="id", how="semi") for s in (planted, alone))
    assert together.equals(apart)
    visits, others = (labels(s, "logins", "visits", change="added").join(frame(s, "visits"), on="id") for s in (planted, shop(burst=0)))
    kept = others.filter(pl.col("subject_id").is_in(visits["subject_id"].implode()))
    assert 100 < len(kept) < len(others)
    assert visits.select("user_id", "at", "phase").sort("user_id", "at").equals(kept.select("user_id", "at", "phase").sort("user_id", "at"))


def test_an_episode_that_clashes_with_one_of_an_earlier_scenario_is_left_out_as_a_whole(planted):
    burst, logins, alone = labels(planted, "burst", "orders", change="set"), *(frame(s, "logins_labels") for s in (planted, shop(burst=0)))
    burst_users = set(frame(planted, "burst_labels")["subject_id"])
    dropped = set(alone["subject_id"]) - set(logins["subject_id"])
    clashing = alone.filter(pl.col("orders_id").is_in(burst["id"].implode()) | pl.col("users_id").is_in(list(burst_users)))
    assert dropped == set(clashing["subject_id"])
    assert set(logins["subject_id"]) < set(alone["subject_id"])
    orders = frame(planted, "orders")
    assert orders.filter(pl.col("id").is_in(logins["orders_id"].drop_nulls().implode()))["status"].unique().to_list() == ["held"]
    assert orders.filter(pl.col("id").is_in(burst["id"].implode()))["status"].str.starts_with("lost").all()


def test_pick_takes_the_same_few_rows_and_new_means_what_was_added(planted):
    users = labels(planted, "logins", "users", change="set")
    assert users.group_by("episode").len()["len"].max() == 2
    visits = labels(planted, "logins", "visits", change="added").join(frame(planted, "visits"), on="id")
    one = visits.filter(pl.col("phase") == "one").group_by("episode").agg(pl.col("user_id").n_unique(), pl.len())
    assert one["user_id"].unique().to_list() == [1]
    assert set(one["len"]) == set(range(2, 10))
    each = visits.filter(pl.col("phase") == "each")
    owners = frame(planted, "users").select(user_id="id", tenant="tenant_id")
    assert each["user_id"].n_unique() == len(each)
    subjects = set(frame(planted, "logins_labels")["subject_id"])
    assert set(each["user_id"]) == set(owners.filter(pl.col("tenant").is_in(list(subjects)))["user_id"])


MANY = """schema: many
seed: 5
tables:
  t:
    rows: 300000
    columns:
      id: {type: bigint, key: true}
      x:  {type: integer, generate: {uniform: [0, 9]}}
scenarios:
  mark: {subjects: t, share: 0.02, near_miss: 0.01, set: {t: {columns: {x: {constant: 77}}}}, near: {set: {t: {columns: {x: {constant: 78}}}}}}
"""


def count_is_likely(count: int, rows: int, share: float) -> bool:
    """Whether a count is within 5 standard deviations of a binomial's mean: false alarms 6e-7."""
    return abs(count - rows * share) <= 5 * math.sqrt(rows * share * (1 - share))


@pytest.mark.parametrize("share", [0.001, 0.02, 0.5])
def test_shares_are_those_that_are_asked_for(share):
    made = shop(MANY, mark=share)
    said = made.scenarios["mark"]
    assert said["near_miss"] == pytest.approx(min(share / 2, 1 - share))
    assert count_is_likely(said["subjects"], 300_000, share)
    assert count_is_likely(said["near_misses"], 300_000, said["near_miss"])
    x = np.asarray(made.read("t").read_all().column("x"))
    assert ((x == 77).sum(), (x == 78).sum()) == (said["subjects"], said["near_misses"])


def test_a_larger_share_keeps_the_subjects_of_a_smaller_one():
    def subjects(share: float, role: str) -> set:
        found = frame(shop(MANY, mark=share), "mark_labels")
        return set(found.filter(pl.col("role") == role)["subject_id"])

    for role in ("positive", "near_miss"):
        small, middle, large = (subjects(share, role) for share in (0.01, 0.02, 0.2))
        assert small < middle < large
    assert shop(MANY, mark=1).scenarios["mark"]["subjects"] == 300_000
    assert shop(MANY, mark=0).scenarios == {}
    assert not shop(MANY, mark=0).schema.has("mark_labels")


def test_any_rows_alone_are_the_same_rows_of_the_whole(planted):
    for table in planted.schema.tables:
        whole = planted.read(table.name).read_all().to_pylist()
        count = planted.row_count(table.name)
        assert len(whole) == count
        for start, stop in ((0, count), (0, 1), (count // 3, count // 2), (count - 1, count), (7, 7), (5, 6)):
            assert planted.read_rows(table.name, start, stop).to_pylist() == whole[start:stop]


def test_children_and_parents_are_found_by_the_places_where_they_stand(planted):
    for table, parent, key in (("orders", "tenants", "tenant_id"), ("lines", "orders", "order_id"), ("visits", "users", "user_id")):
        children, parents = frame(planted, table)[key].to_list(), frame(planted, parent)["id"].to_list()
        place = {value: row for row, value in enumerate(parents)}
        assert [planted.parent_of(table, row) for row in range(len(children))] == [place[value] for value in children]
        for row in range(0, len(parents), 7):
            found = planted.children_of(parent, row, table)
            assert [children[child] for child in found] == [parents[row]] * children.count(parents[row])


def test_threads_and_chunks_do_not_change_a_bundle(tmp_path):
    digests = {bundles.build(shop(), store=tmp_path, tag=f"x:v{jobs}", jobs=jobs).manifest_digest for jobs in (1, 3)}
    assert len(digests) == 1
    bundle = bundles.open("x:v1", tmp_path)
    assert bundles.verify(bundle).ok
    assert bundle.provenance["scenarios"] == shop().scenarios
    assert set(bundle.schema.scenarios) == {"burst", "logins"}


def test_a_bundle_without_scenarios_says_nothing_of_them(bare):
    assert "scenarios" not in bare.provenance
    assert [t.name for t in bare.schema.tables] == list(KEYS)


GOLDEN = {
    "orders": "d55c12daa6f05a73",
    "visits": "1eb719b18d4031ea",
    "burst_labels": "29a3c52140e07020",
    "logins_labels": "e04f3be23fa3866d",
}


def test_golden_digests_of_scenarios_stand_for_this_generator_version(planted):
    for table, golden in GOLDEN.items():
        digester = TableDigester(planted.schema.table(table))
        for batch in planted.read(table):
            digester.update(batch)
        assert digester.finish().content_digest[-16:] == golden, table


def refusal(text: str, **scenarios: float | None) -> str:
    with pytest.raises(InputError) as caught:
        datagen.source(parse_schema(text, "shop.yaml"), scenarios=scenarios)
    return str(caught.value)


def test_scenarios_that_there_are_not_and_shares_that_there_cannot_be_are_refused():
    assert "there is no scenario 'brust' for schema 'shop'; did you mean 'burst'?" in refusal(SHOP, brust=None)
    assert "the share of scenario 'burst' must lie between 0 and 1, not 1.5" in refusal(SHOP, burst=1.5)
    assert "the share of scenario 'burst' must lie between 0 and 1, not nan" in refusal(SHOP, burst=math.nan)
    assert "scenario 'burst' has no share of its own; say how much: burst=0.01" in refusal(
        SHOP.replace("    share: 0.08\n", ""), burst=None
    )
    assert refusal(TABLES + "scenarios: {fraud: 0.1}\n").startswith("shop.yaml:53:13: there is no scenario 'fraud' for schema 'shop'")


def test_what_only_the_plan_can_tell_is_refused_before_a_row_is_made():
    lonely = BURST.replace("      lines: {per: new orders, count: 2, columns: {amount: {constant: 0.5}}}\n    near", "    near")
    found = refusal(TABLES + "scenarios:" + lonely)
    assert "each row of 'orders' has at least 1 of 'lines', and the added ones have none; add some with `per: new orders`" in found
    assert found.startswith("shop.yaml:")
    circle = LOGINS.replace("{status: {constant: locked}}", "{status: {from: note}}")
    with pytest.raises(RecipeError, match="computed from each other in a circle"):
        datagen.source(parse_schema(TABLES + "scenarios:" + circle))
    own = LOGINS.replace("{status: {constant: locked}}", '{status: {template: "{status}!"}}')
    assert "'status' of 'users' cannot be made from itself; was.status is its value without scenarios" in refusal(
        TABLES + "scenarios:" + own
    )
    negative = LOGINS.replace("{uniform: [2, 9]}", "{normal: {mean: 0, sd: 5}}")
    assert "let it begin at 0" in refusal(TABLES + "scenarios:" + negative)
    crowded = BURST.replace("{uniform: [3, 6]}", "{uniform: [100, 200]}")
    assert "for which gaps of 8 leave no room; lower the shares, or raise the gaps" in refusal(TABLES + "scenarios:" + crowded, burst=1)
    narrow = TABLES.replace("generate: {internet.token: 20}", "generate: {pattern: '[a-z]{2}\\\\d'}").replace("rows: 300", "rows: 100")
    wide = BURST.replace("{uniform: [3, 6]}", "{uniform: [300, 600]}")
    assert "unique" in refusal(narrow + "scenarios:" + wide, burst=1)


def test_a_share_that_is_left_out_leaves_a_scenario_to_be_asked_for():
    text = SHOP.replace("    share: 0.08\n", "")
    assert list(shop(text).scenarios) == ["logins"]
    assert set(shop(text, burst=0.05).scenarios) == {"burst", "logins"}


LEDGER = """schema: ledger
seed: 3
tables:
  agents:
    rows: 60
    columns:
      id:     {type: int, key: true, generate: {sequence: {gaps: 8}}}
      weight: {type: int, generate: {uniform: [1, 50]}}
      team:   {type: int, generate: {uniform: [1, 5]}}
  people:
    rows: 400
    columns:
      id:       {type: int, key: true}
      agent_id: {references: agents.id}
      buddy_id: {references: people.id, within: agent_id, null: 0}
  calls:
    rows: 3000
    columns:
      id:        {type: int, key: true, generate: {sequence: {gaps: 8}}}
      agent_id:  {references: agents.id, weight: weight}
      person_id: {references: people.id, within: agent_id, null: 0}
      team:      {type: int, generate: {from: agent_id.team}}
scenarios:
  busy:
    subjects: agents
    share: 0.5
    set: {agents: {columns: {weight: {constant: 5000}, team: {constant: 9}}}}
    add: {calls: {count: 3}}
  calm:
    subjects: people
    share: 0.2
    add: {calls: {count: {uniform: [1, 2]}}, agents: {count: 1, columns: {team: {constant: 7}}}}
"""


@pytest.mark.parametrize("calm", [None, 0])
def test_references_of_own_rows_stay_whatever_becomes_of_the_weights_that_chose_them(calm):
    made, bare = shop(LEDGER, calm=calm), shop(LEDGER, busy=0, calm=0)
    calls, before = frame(made, "calls"), frame(bare, "calls")
    kept = calls.join(before.select("id"), on="id", how="semi", maintain_order="left")
    for column in ("id", "agent_id", "person_id"):
        assert kept[column].equals(before[column]), column
    agents = frame(made, "agents")
    busy = frame(made, "busy_labels").filter(pl.col("change") == "set")["agents_id"]
    assert set(agents.filter(pl.col("team") == 9)["id"]) == set(busy)
    assert kept.filter(kept["team"] != before["team"])["agent_id"].is_in(busy.implode()).all()
    assert (kept.filter(pl.col("agent_id").is_in(busy.implode()))["team"] == 9).all()
    assert frame(made, "people").equals(frame(bare, "people"))


def test_two_scenarios_may_add_to_one_table_and_neither_is_in_the_way_of_the_other():
    both, busy, calm = shop(LEDGER), shop(LEDGER, calm=0), shop(LEDGER, busy=0)
    calls = frame(both, "calls")
    assert (
        calls["id"].n_unique()
        == len(calls)
        == 3000 + sum(both.scenarios[n]["rows_added"] for n in both.scenarios) - both.row_count("agents") + 60
    )
    of = {
        name: frame(source, f"{name}_labels").filter(pl.col("calls_id").is_not_null())["calls_id"]
        for name, source in (("busy", busy), ("calm", calm))
    }
    assert not set(of["busy"]) & set(of["calm"])
    for name, alone in (("busy", busy), ("calm", calm)):
        assert frame(both, f"{name}_labels").equals(frame(alone, f"{name}_labels"))
        mine, own = (frame(s, "calls").filter(pl.col("id").is_in(of[name].implode())).sort("id").drop("team") for s in (both, alone))
        assert mine.equals(own)
        assert len(mine) == len(of[name])
    added = frame(both, "agents").filter(pl.col("team") == 7)
    assert len(added) == both.row_count("agents") - 60
    assert added["weight"].n_unique() > 10, "further rows draw values of their own"


def test_a_scenario_that_sets_only_what_is_hidden_is_labelled_and_counted():
    text = """tables:
  cards:
    rows: 400
    columns:
      id:     {type: bigint, key: true}
      secret: {hidden: true, type: integer, generate: {uniform: [0, 9]}}
  uses:
    rows: {per: cards, count: 2}
    columns: {id: {type: bigint, key: true}, card_id: {references: cards.id}, digit: {type: integer, generate: {from: card_id.secret}}}
scenarios:
  swap:
    subjects: cards
    share: 0.1
    set: {cards: {columns: {secret: {constant: 77}}}}
"""
    source = datagen.source(parse_schema("schema: s\nseed: 3\n" + text, "cards.yaml"))
    labels, uses = frame(source, "swap_labels"), frame(source, "uses")
    swapped = set(uses.filter(pl.col("digit") == 77)["card_id"])
    assert 20 < len(swapped) < 80
    assert set(labels["subject_id"]) == swapped
    said = source.scenarios["swap"]
    assert said["subjects"] == said["rows_set"] == len(swapped)


def test_children_that_rows_may_be_without_need_not_be_added_where_every_row_happens_to_have_some():
    text = """schema: shop
tables:
  users: {rows: 5, columns: {id: {type: uuid, key: true}}}
  orders:
    rows: {per: users, count: 1}
    columns: {id: {type: uuid, key: true}, user_id: {references: users.id}}
  lines:
    rows: {per: orders, count: {uniform: [0, 50]}}
    columns: {id: {type: uuid, key: true}, order_id: {references: orders.id}}
scenarios: {burst: {subjects: users, share: 1, add: {orders: {count: 2}}}}
"""
    source = datagen.source(parse_schema(text, "shop.yaml"))
    assert source.row_count("orders") == 15
    orders = set(source.read("lines").read_all().column("order_id").to_pylist())
    assert len(orders) == 5, "each that was there before has lines"
