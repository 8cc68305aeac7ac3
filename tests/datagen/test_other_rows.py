"""References to another row than one beside them: exactly that, whatever the group, the skew or the key, and by numbers alone."""

from __future__ import annotations

from collections import Counter

import pytest

import bundles
from datagen.errors import RecipeError
from schemas.errors import SchemaError
from tests.datagen.making import source_of

TEAMS = """tables:
  teams: {rows: 30, columns: {id: {type: bigint, key: true}}}
  users:
    rows: {per: teams, count: {uniform: [1, 4]}}
    columns:
      id:      {type: bigint, key: true, generate: {sequence: {start: 100, gaps: 3}}}
      team_id: {references: teams.id}
      any_id:  {references: teams.id}
  moves:
    rows: 4000
    columns:
      id:      {type: bigint, key: true}
      team_id: {references: teams.id}
      any:     {references: users.id, null: 0.1}
      mate:    {references: users.id, within: team_id}
      often:   {references: users.id, skew: 1.4}
      far:     {references: users.id, other_than: any}
      near:    {references: users.id, within: team_id, other_than: mate, null: 0}
      stray:   {references: users.id, within: team_id, other_than: any, null: 0}
      loud:    {references: users.id, other_than: often, skew: 1.4}
      louder:  {references: users.id, within: team_id, other_than: mate, skew: 1.4, null: 0.2}
      third:   {references: users.id, other_than: loud, null: 0.5}
"""
BESIDE = {"far": "any", "near": "mate", "stray": "any", "loud": "often", "louder": "mate", "third": "loud"}


def read(made, table: str) -> list[dict]:
    return made.read(table).read_all().to_pylist()


@pytest.fixture(scope="module")
def teams():
    return source_of(TEAMS)


@pytest.mark.parametrize("column", BESIDE)
def test_the_referenced_row_is_never_that_of_the_column_beside_it(teams, column):
    moves = read(teams, "moves")
    assert sum(m[column] is not None for m in moves) > 1500
    assert not [m for m in moves if m[column] is not None and m[column] == m[BESIDE[column]]]


@pytest.mark.parametrize("column", ["near", "stray", "louder"])
def test_it_is_of_the_same_group_and_null_only_where_the_group_has_no_other(teams, column):
    members = Counter(u["team_id"] for u in read(teams, "users"))
    team_of = {u["id"]: u["team_id"] for u in read(teams, "users")}
    absent = Counter()
    for move in read(teams, "moves"):
        others = members[move["team_id"]] - (team_of.get(move[BESIDE[column]]) == move["team_id"])
        absent[others == 0, move[column] is None] += 1
        assert move[column] is None or team_of[move[column]] == move["team_id"]
    assert absent[True, False] == 0 and (absent[False, True] == 0 or column == "louder")
    assert absent[True, True] > 0


def test_any_rows_can_be_made_alone(teams):
    moves = read(teams, "moves")
    for start in (0, 7, 1999, 3990):
        assert teams.read_rows("moves", start, start + 10).to_pylist() == moves[start : start + 10]


def test_columns_without_the_option_are_made_as_before(teams):
    before = read(source_of("\n".join(line for line in TEAMS.splitlines() if "other_than" not in line)), "moves")
    assert [{k: m[k] for k in b} for m, b in zip(read(teams, "moves"), before, strict=True)] == before


@pytest.mark.parametrize(
    "users",
    [
        "{rows: {per: teams, count: 5}, columns: {id: {type: bigint, key: true}, team_id: {references: teams.id}}}",
        "{rows: 150, columns: {id: {type: bigint, key: true}, team_id: {references: teams.id}}}",
    ],
    ids=["families", "sorted"],
)
def test_groups_are_stepped_through_wherever_their_members_lie(users):
    made = source_of(f"""tables:
  teams: {{rows: 12, columns: {{id: {{type: bigint, key: true}}}}}}
  users: {users}
  moves:
    rows: 30000
    columns:
      team_id: {{references: teams.id}}
      mate:    {{references: users.id, within: team_id}}
      near:    {{references: users.id, within: team_id, other_than: mate}}
""")
    members = Counter(u["team_id"] for u in read(made, "users"))
    pairs = {(m["mate"], m["near"]) for m in read(made, "moves")}
    assert len(pairs) > 0.99 * sum(n * (n - 1) for n in members.values())
    assert not [pair for pair in pairs if pair[0] == pair[1]]


FOLLOWS = """tables:
  users: {rows: 9, columns: {id: {type: bigint, key: true}}}
  follows:
    rows: %s
    key: [follower_id, followed_id]
    columns:
      follower_id: {references: users.id}
      followed_id: {references: users.id, other_than: follower_id}
"""


@pytest.mark.parametrize("rows", ["72", "{per: users, count: 8}"])
def test_pairs_that_are_unique_can_be_all_that_there_are(rows):
    made = source_of(FOLLOWS % rows)
    pairs = [(f["follower_id"], f["followed_id"]) for f in read(made, "follows")]
    assert sorted(pairs) == [(a, b) for a in range(1, 10) for b in range(1, 10) if a != b]
    assert [(f["follower_id"], f["followed_id"]) for f in made.read_rows("follows", 20, 40).to_pylist()] == pairs[20:40]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("73", "73 different combinations are asked for and there are only 72"),
        ("{per: users, count: 9}", "a parent has up to 9 rows and there are only 8 different combinations for them"),
    ],
)
def test_one_pair_more_is_refused_before_anything_is_made(rows, message):
    with pytest.raises(RecipeError, match=message):
        source_of(FOLLOWS % rows)


def test_pairs_within_a_group_can_be_all_that_there_are():
    text = """tables:
  teams: {rows: 6, columns: {id: {type: bigint, key: true}}}
  users:
    rows: {per: teams, count: {uniform: [3, 5]}}
    columns: {id: {type: bigint, key: true}, team_id: {references: teams.id}}
  bonds:
    rows: {per: teams, count: %d}
    key: [team_id, first, second]
    columns:
      team_id: {references: teams.id}
      first:   {references: users.id, within: team_id}
      second:  {references: users.id, within: team_id, other_than: first}
  praise:
    rows: {per: users, count: 2}
    key: [by_id, of_id]
    columns:
      by_id:   {references: users.id}
      team_id: {references: teams.id, generate: {from: by_id.team_id}}
      of_id:   {references: users.id, within: team_id, other_than: by_id}
"""
    made = source_of(text % 6)
    team_of = {u["id"]: u["team_id"] for u in read(made, "users")}
    bonds = [(b["team_id"], b["first"], b["second"]) for b in read(made, "bonds")]
    assert len(set(bonds)) == len(bonds) == 36
    assert all(team_of[a] == team_of[b] == t and a != b for t, a, b in bonds)
    praise = [(p["by_id"], p["of_id"]) for p in read(made, "praise")]
    assert len(set(praise)) == len(praise)
    assert all(team_of[a] == team_of[b] and a != b for a, b in praise)
    with pytest.raises(RecipeError, match="some rows of teams have more bonds than there are different users for them"):
        source_of(text % 7)


@pytest.mark.parametrize(
    ("users", "moves", "message"),
    [
        ("{rows: 1, columns: {id: {type: bigint, key: true}}}", "{b: {references: users.id}, c: {references: users.id, other_than: b}}",
            "some rows of moves find no row of users that is another than that of b; give them at least 2 to choose from, or make c nullable (`null:`)"),
        ("{rows: {per: teams, count: {uniform: [1, 2]}}, columns: {id: {type: bigint, key: true}, team_id: {references: teams.id}}}",
            "{t: {references: teams.id}, b: {references: users.id, within: t}, c: {references: users.id, within: t, other_than: b}}",
            "some rows of moves find no row of users with the same t that is another than that of b; give them at least 2 to choose from, or make c nullable (`null:`)"),
        ("{rows: 9, columns: {id: {type: bigint, key: true}}}", "{b: {references: users.id}, c: {references: users.id, other_than: b, unique: true}}",
            "other_than is for references that may repeat, and c is unique"),
        ("{rows: 9, columns: {id: {type: bigint, key: true}}}", "{b: {references: users.id, other_than: c}, c: {references: users.id, other_than: b}}",
            "these are computed from each other in a circle: moves.b <- moves.c <- moves.b"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_before_anything_is_made(users, moves, message):
    text = (
        f"tables:\n  teams: {{rows: 30, columns: {{id: {{type: bigint, key: true}}}}}}\n  users: {users}\n"
        f"  moves: {{rows: 90, columns: {moves}}}\n"
    )
    with pytest.raises(RecipeError) as caught:
        source_of(text)
    assert [p.message for p in caught.value.problems] == [message]


def test_a_reference_cannot_make_a_key_unique_that_leaves_out_the_one_beside_it():
    text = (
        FOLLOWS.replace("key: [follower_id, followed_id]", "unique: [[followed_id, week]]")
        + "      week: {type: int, generate: {uniform: [1, 50]}}\n"
    )
    with pytest.raises(RecipeError, match="which it can only where follower_id is part of that"):
        source_of(text % 60)


def test_a_tree_that_makes_a_key_unique_leaves_no_choice():
    text = """tables:
  people:
    rows: 90
    unique: [[a, b]]
    columns: {id: {type: bigint, key: true}, a: {references: people.id}, b: {references: people.id, acyclic: true, other_than: a, null: 0}}
"""
    with pytest.raises(RecipeError, match="unique by a reference that is acyclic, which cannot be other_than"):
        source_of(text)


def test_a_column_that_is_unique_otherwise_leaves_the_choice():
    text = (
        FOLLOWS.replace("key: [follower_id, followed_id]", "unique: [[followed_id, code]]") + "      code: {type: uuid, generate: uuid4}\n"
    )
    assert not [f for f in read(source_of(text % 500), "follows") if f["follower_id"] == f["followed_id"]]


def test_an_acyclic_reference_is_to_another_row_before_this_one():
    made = source_of("""tables:
  clans: {rows: 20, columns: {id: {type: bigint, key: true}}}
  people:
    rows: 2000
    columns:
      id:      {type: bigint, key: true}
      clan_id: {references: clans.id}
      mother:  {references: people.id, acyclic: true, null: 0.1}
      father:  {references: people.id, acyclic: true, other_than: mother, null: 0}
      elder:   {references: people.id, within: clan_id, acyclic: true, other_than: mother, null: 0}
""")
    people = read(made, "people")
    clan_of = {p["id"]: p["clan_id"] for p in people}
    seen: Counter = Counter()
    for person in people:
        others = [e for e in ("father", "elder") if person[e] is not None]
        assert all(person[e] < person["id"] and person[e] != person["mother"] for e in others)
        assert person["elder"] is None or clan_of[person["elder"]] == person["clan_id"]
        assert (person["father"] is None) == (person["id"] - 1 - (person["mother"] is not None) == 0)
        before = [i for i, clan in clan_of.items() if clan == person["clan_id"] and i < person["id"] and i != person["mother"]]
        assert (person["elder"] is None) == (not before)
        seen[person["father"]] += 1
    assert len(seen) > 500
    assert made.read_rows("people", 900, 910).to_pylist() == people[900:910]


def test_references_of_two_columns_differ_by_the_row():
    made = source_of("""tables:
  banks: {rows: 8, columns: {id: {type: bigint, key: true}}}
  accounts:
    rows: {per: banks, count: {uniform: [2, 5]}}
    key: [bank_id, nr]
    columns: {bank_id: {references: banks.id}, nr: {type: int, generate: ordinal}}
  payments:
    rows: 2000
    columns: {bank_id: {references: banks.id}, source: {type: int}, sink: {type: int}}
    foreign_keys:
      - {columns: [bank_id, source], references: "accounts(bank_id, nr)"}
      - {columns: [bank_id, sink], references: "accounts(bank_id, nr)", other_than: source}
""")
    payments = read(made, "payments")
    assert not [p for p in payments if p["source"] == p["sink"]]
    assert len({(p["bank_id"], p["source"], p["sink"]) for p in payments}) > 40


def test_a_bundle_that_declares_the_check_is_verified_and_independent_of_jobs(tmp_path):
    text = FOLLOWS + '    checks: ["follower_id <> followed_id"]\n'
    one, two = (bundles.build(source_of(text % 60), store=tmp_path / str(jobs), tag="x:v1", jobs=jobs) for jobs in (1, 2))
    assert bundles.verify(one).ok
    assert one.manifest_digest == two.manifest_digest


SCENARIO = """schema: s
tables:
  users: {rows: 40, columns: {id: {type: bigint, key: true}, born: {type: timestamptz, generate: {between: [-1y, now]}}}}
  posts: {rows: 60, columns: {id: {type: uuid, key: true, generate: uuid4}, user_id: {references: users.id}}}
  follows:
    rows: %s
    columns:
      id:   {type: uuid, key: true, generate: uuid4}
      post: {references: posts.id}
      a:    {references: users.id}
      b:    {references: users.id, other_than: a}
scenarios: {s: {subjects: %s, share: 0.3, at: {between: [-1y, now]}, add: {follows: {count: 5}}}}
"""


def test_rows_that_scenarios_add_keep_it_too():
    found = read(source_of(SCENARIO % (30, "posts"), scenarios={"s": 0.3}), "follows")
    assert len(found) > 90
    assert not [f for f in found if f["a"] == f["b"]]


def test_the_row_beside_may_be_one_that_a_scenario_adds():
    made = source_of(
        """schema: s
tables:
  groups: {rows: 5, columns: {id: {type: uuid, key: true, generate: uuid4}}}
  users:
    rows: 40
    columns: {id: {type: bigint, key: true, generate: {sequence: {gaps: 8}}}, group_id: {references: groups.id}}
  posts:
    rows: {per: users, count: 2}
    columns: {id: {type: uuid, key: true, generate: uuid4}, user_id: {references: users.id}}
  likes:
    rows: {per: posts, count: 2}
    columns:
      id:       {type: uuid, key: true, generate: uuid4}
      post:     {references: posts.id}
      group_id: {references: groups.id, generate: {from: post.user_id.group_id}}
      a:        {references: users.id, generate: {from: post.user_id}}
      b:        {references: users.id, other_than: a}
      c:        {references: users.id, within: group_id, other_than: a, skew: 1.2}
scenarios:
  s:
    subjects: groups
    share: 0.7
    at: {between: [-1y, now]}
    add: {users: {count: 5}, posts: {per: new users, count: 2}, likes: {per: new posts, count: 3}}
""",
        scenarios={"s": 0.7},
    )
    group_of = {u["id"]: u["group_id"] for u in read(made, "users")}
    likes = read(made, "likes")
    assert len(likes) > 200 and len(group_of) > 50
    assert not [like for like in likes if like["a"] in (like["b"], like["c"])]
    assert all(group_of[like["c"]] == like["group_id"] for like in likes)


@pytest.mark.parametrize("rows", ["30", "{per: users, count: 2}"])
def test_rows_cannot_be_added_for_a_row_that_both_references_would_name(rows):
    with pytest.raises(SchemaError, match="its references a and b would both name that row, and are to differ"):
        source_of(SCENARIO % (rows, "users"))


def test_rows_cannot_be_added_for_a_row_that_the_one_beyond_a_reference_may_name():
    with pytest.raises(
        SchemaError, match=r"its reference by would name that row, which nothing keeps from being the one that 'run_id\.maker' leads to"
    ):
        source_of("""schema: s
tables:
  users: {rows: 20, columns: {id: {type: bigint, key: true}}}
  runs: {rows: 30, columns: {id: {type: bigint, key: true}, maker: {references: users.id}}}
  approvals:
    rows: 40
    columns:
      id:     {type: uuid, key: true, generate: uuid4}
      run_id: {references: runs.id}
      by:     {references: users.id, other_than: run_id.maker}
scenarios: {s: {subjects: users, share: 0.5, at: {between: [-1y, now]}, add: {approvals: {count: 3}}}}
""")
