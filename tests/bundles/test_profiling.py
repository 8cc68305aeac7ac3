"""A profile's figures are those that plain Python counts from the rows; what may not be shown is not in them."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from bundle_sources import MadeSource, column, shop
from hypothesis import given, settings
from hypothesis import strategies as st

import bundles
from bundles import profile_columns
from bundles.errors import BundleDamaged
from bundles.histograms import cuts
from bundles.measures import BINS, Clock, Dates, Decimals, Durations, Floats, Measure, Moments, duration_text
from bundles.profile_states import Machine, profile_machine, ways
from schemas.model import Recipe, Rows, Schema, Table
from schemas.types import SqlType


def profiled(source, folder, **options):
    return bundles.profile(bundles.build(source, store=folder / "store", tag="shop:v1"), **options)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return bundles.build(shop(), store=tmp_path_factory.mktemp("store") / "store", tag="shop:v1")


@pytest.fixture(scope="module")
def found(built):
    return bundles.profile(built)


def of(profile, table, name):
    return next(c for t in profile.tables if t.name == table for c in t.columns if c.name == name)


def values(bundle, table, name):
    return [v for v in bundle.table(table).to_arrow()[name].to_pylist() if v is not None]


def test_nulls_and_distinct_values_are_those_of_the_rows(built, found):
    for table in found.tables:
        rows = built.table(table.name).to_arrow()
        assert table.rows == rows.num_rows
        for c in table.columns:
            whole = rows[c.name].to_pylist()
            present = [json.dumps(v, default=str) for v in whole if v is not None]
            assert (c.name, c.rows, c.nulls) == (c.name, len(whole), len(whole) - len(present))
            assert (c.name, c.distinct, c.exact) == (c.name, len(set(present)), True)


@pytest.mark.parametrize("name", ["nr", "boss", "wage", "score", "ratio", "small"])
def test_spreads_of_numbers_are_those_of_the_rows(built, found, name):
    numbers = sorted(values(built, "people", name))
    spread = of(found, "people", name).values
    assert [float(v.plain) for v in (spread.low, spread.median, spread.high)] == [
        float(n) for n in (numbers[0], numbers[math.ceil(len(numbers) / 2) - 1], numbers[-1])
    ]
    mean = float(sum(map(Fraction, numbers)) / len(numbers))
    assert spread.mean.plain == pytest.approx(mean, rel=1e-7 if name == "ratio" else 1e-12)
    counted = [
        sum((float(b.start.plain) <= n < float(b.end.plain)) or (b.tail == "high" and n >= float(b.start.plain)) for n in numbers)
        for b in spread.bins
    ]
    assert [b.rows for b in spread.bins] == counted
    assert sum(counted) == len(numbers)


def test_spreads_of_times_are_those_of_the_rows(built, found):
    made = sorted(values(built, "people", "made_at"))
    spread = of(found, "people", "made_at").values
    assert spread.low.plain == "1970-01-01T00:00:00Z"
    assert spread.high.plain == f"1970-01-01T00:16:{made[-1].second:02}.{made[-1].microsecond:06}Z"
    starts = [datetime.fromisoformat(b.start.plain).astimezone(UTC) for b in spread.bins]
    ends = [datetime.fromisoformat(b.end.plain).astimezone(UTC) for b in spread.bins]
    assert starts[1:] == ends[:-1]
    assert [b.rows for b in spread.bins] == [sum(a <= m < b for m in made) for a, b in zip(starts, ends)]
    worked = of(found, "people", "worked").values
    assert (worked.low.plain, worked.high.plain) == ("0s", "16m 39s")
    assert of(found, "shops", "opened").values.high.plain == "1970-01-10"
    assert of(found, "people", "wakes").values.high.plain == "00:00:00.000999"


def test_lengths_of_texts_bytes_and_arrays_are_those_of_the_rows(built, found):
    for name, length in (("email", len), ("notes", len), ("photo", len), ("tags", len), ("friends", len)):
        lengths = Counter(length(v) for v in values(built, "people", name))
        spread = of(found, "people", name).lengths
        assert (name, spread.low.plain, spread.high.plain) == (name, min(lengths), max(lengths))
        assert (name, {b.start.plain: b.rows for b in spread.bins if b.rows}) == (name, dict(lengths))


def test_the_most_frequent_values_and_items_are_those_of_the_rows(built, found):
    assert [(t.text, t.rows) for t in of(found, "shops", "mood").top] == [("sad", 4), ("happy", 3), ("ok", 3)]
    assert [(t.text, t.rows) for t in of(found, "people", "active").top] == [("false", 500), ("true", 500)]
    items = Counter(item for tags in values(built, "people", "tags") for item in tags)
    tags = of(found, "people", "tags")
    assert {t.text: t.rows for t in tags.top} == items
    assert tags.counted == sum(items.values())
    assert of(found, "people", "email").top == ()


def test_equally_frequent_values_stand_in_their_order_and_long_ones_are_cut(tmp_path):
    words = ["b", "", "a", "c" * 500, "😀<b>"] * 3 + [f"w{i:02}" for i in range(20)]
    profile = profiled(one_column(words), tmp_path)
    top = of(profile, "t", "c").top
    assert [t.text for t in top] == ["", "a", "b", "c" * 119 + "…", "😀<b>", "w00", "w01", "w02", "w03", "w04"]
    assert [t.rows for t in top] == [3] * 5 + [1] * 5


def test_samples_are_different_values_of_the_column(built, found):
    for c in found.tables[1].columns:
        if c.name in ("email", "nr", "small", "photo"):
            known = {v.hex() if isinstance(v, bytes) else str(v) for v in values(built, "people", c.name)}
            assert len(set(c.samples)) == len(c.samples) == min(5, len(known))
            assert set(c.samples) <= {k if c.name == "email" else f"{int(k):,}" if c.name in ("nr", "small") else k for k in known}


def test_tables_without_rows_have_figures_too(found):
    empty = found.tables[2]
    assert (empty.rows, [(c.nulls, c.distinct, c.values, c.samples) for c in empty.columns]) == (0, [(0, 0, None, ())] * 2)


def test_children_are_counted_for_every_parent(built, found):
    people = built.table("people").to_arrow().to_pylist()
    to_shops, to_boss = found.tables[1].relations
    per_shop = Counter(p["shop_id"] for p in people)
    assert (to_shops.parents, to_shops.childless, to_shops.nulls, to_shops.orphans) == (10, 0, 0, 0)
    assert (to_shops.per_parent.low.plain, to_shops.per_parent.high.plain) == (min(per_shop.values()), max(per_shop.values()))
    bosses = Counter((p["shop_id"], p["boss"]) for p in people if p["boss"] is not None)
    counts = [bosses[p["shop_id"], p["nr"]] for p in people]
    assert (to_boss.parents, to_boss.childless) == (1000, counts.count(0))
    assert to_boss.nulls == sum(p["boss"] is None for p in people) > 0
    assert to_boss.per_parent.mean.plain == pytest.approx(sum(counts) / 1000)
    assert {b.start.plain: b.rows for b in to_boss.per_parent.bins} == dict(Counter(counts))


def test_parents_without_children_and_children_without_parents_are_counted(tmp_path):
    def parents_of(a, b):
        return pa.array([None if i % 10 == 0 else i % 3 + (100 if i == 7 else 0) for i in range(a, b)], pa.int32())

    source = shop(people=200).changed("people", "boss", parents_of)
    relation = profiled(source, tmp_path).tables[1].relations[1]
    assert (relation.nulls, relation.orphans) == (20, 1)
    assert sum(b.rows * b.start.plain for b in relation.per_parent.bins if not b.tail) + 20 + 1 <= 200
    assert relation.childless == 200 - 3 * 10 + sum(
        not any(i % 10 == s and i % 3 == n for i in range(200) if i % 10 and i != 7) for s in range(10) for n in range(3)
    )


def test_figures_do_not_depend_on_jobs_or_on_how_rows_are_split_into_files(tmp_path):
    source = shop(people=140_000)
    once = bundles.build(source, store=tmp_path / "a", tag="shop:v1")
    split = bundles.build(source, store=tmp_path / "b", tag="shop:v1", chunk_rows=65_536)
    first = bundles.profile(once, jobs=1).describe()
    assert bundles.profile(once, jobs=3).describe() == first
    again = bundles.profile(split).describe()
    for one, other in ((t, again["tables"][n]) for n, t in first["tables"].items()):
        assert {**one, "bytes": 0} == {**other, "bytes": 0}


def test_floats_that_are_no_numbers_are_counted_apart(tmp_path):
    numbers = [1.5, math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, -2.5]
    profile = profiled(one_column(numbers, "double", pa.float64()), tmp_path)
    found = of(profile, "t", "c")
    assert (found.not_finite, sum(b.rows for b in found.values.bins)) == (3, 5)
    assert (found.values.low.plain, found.values.high.plain, found.values.mean.plain) == (-2.5, 1.5, -0.2)
    assert json.loads(json.dumps(found.describe(), allow_nan=False))["not_finite"] == 3


@pytest.mark.parametrize(
    ("kind", "type", "extremes"),
    [
        ("bigint", pa.int64(), [-(2**63), 2**63 - 1]),
        ("double", pa.float64(), [-1.7976931348623157e308, 1.7976931348623157e308]),
        ("numeric", pa.decimal128(38, 9), ["-" + "9" * 29 + "." + "9" * 9, "9" * 29 + "." + "9" * 9]),
        ("timestamptz", pa.timestamp("us", "UTC"), [-62_135_596_800_000_000, 253_402_300_799_999_999]),
        ("date", pa.date32(), [-719_162, 2_932_896]),
        ("interval", pa.duration("us"), [-(2**62), 2**62]),
    ],
)
def test_the_largest_values_of_a_type_have_a_histogram(tmp_path, kind, type, extremes):
    given = [Decimal(e) if isinstance(e, str) else e for e in extremes]
    array = (
        pa.array(given, type)
        if kind in ("bigint", "double", "numeric")
        else pa.array(given, pa.int32() if kind == "date" else pa.int64()).cast(type)
    )
    spread = of(profiled(one_column(array.to_pylist() if kind == "numeric" else array, kind, type), tmp_path), "t", "c").values
    assert spread.bins[0].rows == spread.bins[-1].rows == 1
    assert sum(b.rows for b in spread.bins) == 2


def test_what_large_tables_say_is_estimated_and_marked(tmp_path, monkeypatch):
    monkeypatch.setattr(profile_columns, "EXACT_ROWS", 500)
    monkeypatch.setattr(profile_columns, "FEW", 50)
    profile = profiled(shop(), tmp_path)
    email, nr, active = (of(profile, "people", name) for name in ("email", "nr", "active"))
    assert not email.exact
    assert email.distinct == pytest.approx(1000, rel=0.2)
    assert email.top == ()
    assert (nr.values.median, sum(b.rows for b in nr.values.bins)) == (None, 1000)
    assert [t.rows for t in active.top] == [500, 500]
    assert of(profile, "shops", "name").exact


@pytest.mark.parametrize("kind", ["sanitized", "mirrored"])
def test_personal_and_sensitive_values_of_real_data_are_not_in_the_figures(tmp_path, kind):
    source = shop()
    source.kind = kind
    profile = profiled(source, tmp_path)
    for name, data_class in (("email", "personal"), ("wage", "sensitive")):
        c = of(profile, "people", name)
        assert (c.hidden, c.nulls, c.distinct) == (data_class, 0, 1000)
        assert (c.values, c.lengths, c.top, c.samples) == (None, None, (), ())
        assert set(c.describe()) == {"type", "class", "nulls", "distinct", "distinct_exact", "hidden"}
    assert of(profile, "people", "small").values is not None
    said = json.dumps(profile.describe())
    assert "example.com" not in said
    assert "999.00" not in said


def test_synthetic_values_are_shown_whatever_their_class(found):
    assert of(found, "people", "email").samples
    assert of(found, "people", "wage").values.high.plain == "999.00"


def test_missing_and_damaged_files_are_named_and_no_value_is(tmp_path):
    bundle = bundles.build(shop(), store=tmp_path / "store", tag="shop:v1")
    (path,) = bundle.table("people").paths()
    path.chmod(0o644)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(BundleDamaged, match=rf"{path.name} with rows of table 'people' has 1,000 bytes and should have {size:,}; .*verify"):
        bundles.profile(bundle)
    path.write_bytes(bytes(size))
    with pytest.raises(BundleDamaged, match=r"table 'people' of shop:v1 cannot be read .*verify"):
        bundles.profile(bundle)
    path.unlink()
    with pytest.raises(BundleDamaged, match=f"blob sha256:{path.name} with rows of table 'people' is missing"):
        bundles.profile(bundle)


# histograms


MEASURES = (Measure(), Decimals(12, 2), Floats(15), Durations(), Clock(), Moments(zoned=True), Dates())


@given(st.sampled_from(MEASURES), st.data())
@settings(max_examples=300)
def test_every_value_falls_into_one_bar_and_bars_begin_at_rising_places(measure, data):
    number = (
        st.floats(-1e300, 1e300)
        if not measure.whole
        else st.integers(0, 86_399_999_999)
        if isinstance(measure, Clock)
        else st.integers(-700_000, 2_900_000)
        if isinstance(measure, Dates)
        else st.integers(-(2**53), 2**53)
    )
    positions = sorted(data.draw(st.lists(number, min_size=1, max_size=30)))
    bulk = data.draw(st.none() | st.tuples(st.sampled_from(positions), st.sampled_from(positions)).map(lambda p: tuple(sorted(p))))
    cut = cuts(measure, positions[0], positions[-1], bulk)
    assert all(a < b for a, b in pairwise(cut.edges))
    assert len(cut.edges) <= BINS + 1
    limits = cut.limits(measure)
    assert all(a < b for a, b in pairwise(limits))
    assert limits[-1] == positions[-1]
    bars = cut.bins(measure, [0] * len(limits))
    assert len({b.label for b in bars}) == len(bars) or not measure.whole
    assert cut.low_tail or cut.edges[0] <= positions[0]
    assert cut.high_tail or cut.edges[-1] > positions[-1]


def test_bars_begin_at_round_places():
    assert Measure().edges(1, 5) == [1, 2, 3, 4, 5, 6]
    assert Measure().edges(3, 97) == list(range(0, 101, 5))
    assert Decimals(12, 2).label(1000, 2000) == "10.00 to below 20.00"
    assert Floats(15).edges(0.0, 1.0)[:3] == [0.0, 0.05, 0.1]
    months = Moments(zoned=True)
    year = [int(np.datetime64(t, "us").astype(np.int64)) for t in ("2024-01-15", "2025-06-20")]
    assert [months.value(e).text for e in months.edges(*year)][:3] == ["2024-01-01", "2024-02-01", "2024-03-01"]
    assert Clock().edges(0, 86_399_999_999)[1] == 3_600_000_000
    assert Dates().label(0, 7) == "1970-01-01 to 1970-01-07"
    assert [duration_text(d) for d in (0, 1500, 1_050_000, -90_000_000)] == ["0s", "1.5ms", "1.05s", "-1m 30s"]
    assert duration_text(200_000_000_001) == "2d 7h 33m 20.000001s"
    assert duration_text(200_000_000_001, units=2) == "2d 7h"


def test_a_long_tail_becomes_one_open_bar():
    cut = cuts(Measure(), 0, 100_000, (0, 40))
    assert (cut.high_tail, cut.low_tail, cut.edges[-1]) == (True, False, 42)
    assert cut.bins(Measure(), [1] * len(cut.limits(Measure())))[-1].label == "42 and more"
    assert not cuts(Measure(), 0, 70, (0, 40)).high_tail


# state machines


def machine_source(chances, rows, entered):
    """Rows whose status walks a machine, with a column for the time of each state in `entered`."""
    recipe = Recipe("states", {"machine": chances, "start": "began"})
    timed = [column(f"{s}_at", "timestamptz", null=0.0, generate=Recipe("entered", {"state": s, "of": "status"})) for s in entered]
    table = Table("t", (column("began", "timestamptz"), column("status", "text", null=0.0, generate=recipe), *timed), Rows(len(rows)))

    def times(at):
        return lambda a, b: pa.array([at(r) for r in rows[a:b]], pa.timestamp("us", "UTC"))

    makes = {"began": times(lambda r: 0), "status": lambda a, b: pa.array([r[0] for r in rows[a:b]], pa.string())}
    makes |= {f"{s}_at": times(lambda r, s=s: r[1].get(s)) for s in entered}
    return MadeSource(Schema("machines", (table,)), {"t": len(rows)}, {"t": makes})


CHANCES = {"new": {"open": 0.9, "spam": 0.1}, "open": {"solved": 0.5, "waiting": 0.5}, "waiting": {"open": 1.0}, "solved": {"closed": 1.0}}


def walk(chooser):
    """A random walk through CHANCES: the last state, when states were first entered, and the moves."""
    state, at, entered, moves = "new", 0, {"new": 0}, []
    for _ in range(chooser.randrange(7)):
        following = CHANCES.get(state)
        if not following:
            break
        target = chooser.choice(list(following))
        moves.append((state, target))
        state, at = target, at + 1000
        entered.setdefault(state, at)
    return state, entered, moves


@pytest.mark.parametrize("entered", [(), ("solved",), ("open", "waiting"), ("open", "spam", "waiting", "solved", "closed")])
def test_what_is_certain_is_true_of_walks_and_what_is_true_is_possible(tmp_path, entered):
    chooser = random.Random(11)
    rows = [walk(chooser) for _ in range(400)]
    (machine,) = profiled(machine_source(CHANCES, rows, entered), tmp_path).tables[0].machines
    assert machine.unexplained == 0
    assert set(machine.evidence) == {f"{s}_at" for s in entered}
    for state in machine.states:
        assert state.now == sum(r[0] == state.name for r in rows)
        assert state.certain <= sum(state.name in r[1] for r in rows) <= state.possible
        if state.name in entered:
            assert state.certain == state.possible
    for transition in machine.transitions:
        made = sum((transition.source, transition.target) in r[2] for r in rows)
        assert transition.certain <= made <= transition.possible
        assert transition.chance == CHANCES[transition.source][transition.target]
    certain = {(t.source, t.target): t.certain for t in machine.transitions if t.certain == t.possible}
    assert certain["new", "spam"] == sum(r[0] == "spam" for r in rows) > 0
    assert certain["solved", "closed"] == sum(r[0] == "closed" for r in rows) > 0


def test_every_transition_of_a_machine_without_loops_is_known_where_times_are():
    machine = Machine(("a", "b", "c", "d"), {("a", "b"): 0.5, ("a", "c"): 0.5, ("b", "d"): 1.0, ("c", "d"): 1.0})
    unknown = ways(machine, ["a", "d"], ())
    assert (unknown.sure_moves, unknown.certain, len(unknown.moves)) == (frozenset(), {"a", "d"}, 4)
    known = ways(machine, ["a", "c", "d"], ("b", "c"))
    assert known.sure_moves == known.moves == {("a", "c"), ("c", "d")}
    assert known.possible == known.certain == {"a", "c", "d"}
    assert ways(machine, ["a", "d"], ("b",)).sure_moves == {("a", "c"), ("c", "d")}
    assert not ways(machine, ["a", "d"], ("b", "c")).explained


def test_ways_are_those_that_trying_all_walks_finds():
    chooser = random.Random(5)
    for _ in range(150):
        states = tuple("abcd"[: chooser.randint(2, 4)])
        moves = {(a, b): 1.0 for a in states for b in states if a != b and chooser.random() < 0.45}
        timed = [s for s in states[1:] if chooser.random() < 0.4]
        visited = chooser.sample(timed, chooser.randint(0, len(timed)))
        last = chooser.choice([*visited, *(s for s in states if s not in timed)])
        found = ways(Machine(states, moves), [states[0], *visited, last], timed)
        walks = [w for w in all_walks(states[0], moves, 10) if w[-1] == last and first_visits(w, timed) == visited]
        assert found.explained == bool(walks)
        if walks:
            steps = [set(pairwise(w)) for w in walks]
            assert found.moves == set().union(*steps)
            assert found.sure_moves == set.intersection(*steps)
            assert found.possible == set().union(*map(set, walks))
            assert found.certain == set.intersection(*map(set, walks))


def all_walks(start, moves, longest):
    found, tips = [(start,)], [(start,)]
    while tips and longest and len(found) < 60_000:
        tips = [(*w, b) for w in tips for a, b in moves if a == w[-1]]
        found += tips
        longest -= 1
    return found


def first_visits(walk, timed):
    return [s for s in dict.fromkeys(walk) if s in timed]


def test_states_and_times_that_no_way_explains_are_counted(tmp_path):
    rows = [("new", {}), ("solved", {}), ("solved", {"open": 5, "solved": 9}), ("burnt", {}), (None, {}), ("spam", {"open": 5})]
    (machine,) = profiled(machine_source(CHANCES, rows, ("open", "solved")), tmp_path).tables[0].machines
    assert machine.unexplained == 3
    strange = [s for s in machine.states if not s.known]
    assert [(s.name, s.now) for s in strange] == [("burnt", 1)]
    counts = {s.name: s.now for s in machine.states}
    assert counts["solved"] == 2


def test_times_of_states_may_be_dates(tmp_path):
    source = machine_source(CHANCES, [("solved", {"open": 5, "solved": 9})] * 3, ("open", "solved"))
    table = source.schema.tables[0]
    dates = replace(table, columns=tuple(replace(c, type=SqlType("date")) if c.name.endswith("_at") else c for c in table.columns))
    days = {f"{s}_at": (lambda a, b, d=d: pa.array([d] * (b - a), pa.int32()).cast(pa.date32())) for s, d in (("open", 3), ("solved", 3))}
    makes = {**source._columns["t"], **days}
    (machine,) = profiled(MadeSource(Schema("machines", (dates,)), {"t": 3}, {"t": makes}), tmp_path).tables[0].machines
    assert {(t.source, t.target): t.certain for t in machine.transitions if t.certain} == {("new", "open"): 3, ("open", "solved"): 3}


def test_a_status_that_may_not_be_shown_has_no_states(tmp_path):
    source = machine_source(CHANCES, [("new", {})] * 3, ())
    table = source.schema.tables[0]
    personal = replace(table, columns=tuple(replace(c, data_class="personal") for c in table.columns))
    hidden = MadeSource(Schema("machines", (personal,)), {"t": 3}, source._columns)
    hidden.kind = "sanitized"
    (machine,) = profiled(hidden, tmp_path).tables[0].machines
    assert machine.describe() == {"column": "status", "hidden": "personal"}
    assert profile_machine(None, table, [], table.column("began"), None) is None


def one_column(given, kind="text", type=None):
    """One table `t` with a key and one nullable column `c` of the given values."""
    array = given if isinstance(given, pa.Array) else pa.array(given, type or pa.string())
    table = Table("t", (column("id", "bigint"), column("c", kind, null=0.0)), Rows(len(array)), key=("id",))
    makes = {"id": lambda a, b: pa.array(np.arange(a, b)), "c": lambda a, b: array[a:b]}
    return MadeSource(Schema("one", (table,)), {"t": len(array)}, {"t": makes})
