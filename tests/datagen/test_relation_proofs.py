"""Every way in which rows are related or drawn at random, against the chances that it declares.

Each proof returns the p-value of a chi-squared, binomial or Kolmogorov-Smirnov test of values that are independent under the declared
chances; it must be above 1e-6, which is the false-alarm rate of each (the seed fixes the outcome). Where a proof has several parts,
they share that rate (Bonferroni). `PROOFS` must name everything that draws: a test holds it against the language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from datagen import SyntheticSource
from datagen.links import rotate
from datagen.permutation import permute
from schemas import grammar
from schemas.recipes import GENERATORS
from tests.datagen.making import source_of
from tests.spread import one_in

ALARM = 1e-6
PROOFS: dict[str, Callable[[], float]] = {}


def proves(*names: str) -> Callable[[Callable[[], float]], Callable[[], float]]:
    """Enter the decorated proof under the keys and generators of the language that it is about."""

    def enter(proof: Callable[[], float]) -> Callable[[], float]:
        PROOFS.update({f"{name}: {proof.__name__}": proof for name in names})
        return proof

    return enter


def read(made: SyntheticSource, table: str) -> list[dict]:
    return made.read(table).read_all().to_pylist()


def fits(seen: Mapping | Counter, wanted: Mapping[object, float]) -> float:
    """The p-value of counts by key under chances by key; rare keys are taken together, and none may be unexpected."""
    wanted = {key: chance for key, chance in wanted.items() if chance}
    assert set(seen) <= set(wanted), set(seen) - set(wanted)
    total, chances = sum(seen.values()), sum(wanted.values())
    expected = {key: total * chance / chances for key, chance in wanted.items()}
    often = [key for key, count in expected.items() if count >= 10]
    found, should = [seen.get(key, 0) for key in often], [expected[key] for key in often]
    if len(often) < len(expected):
        found, should = [*found, total - sum(found)], [*should, total - sum(should)]
    return float(stats.chisquare(found, should).pvalue) if min(should) > 1e-9 else 0.0


def shared(pvalues: Iterable[float]) -> float:
    """The p-value of several tests together."""
    listed = list(pvalues)
    return min(listed) * len(listed)


def alike(values: Iterable, keys: Sequence) -> float:
    return fits(Counter(values), dict.fromkeys(keys, 1.0))


COMPANY = """tables:
  t: {rows: 40, columns: {id: {type: bigint, key: true}}}
  p:
    rows: {per: t, count: 25}
    columns:
      id:   {type: bigint, key: true}
      t_id: {references: t.id}
      w:    {type: integer, generate: {list: [0, 1, 2, 5, 10]}}
      from: {type: date, generate: {between: [-3y, now]}}
      to:   {type: date, null: 0.5, generate: {after: from, within: 1y}}
  c:
    rows: 40000
    columns:
      id:     {type: bigint, key: true}
      t_id:   {references: t.id}
      any:    {references: p.id}
      inside: {references: p.id, within: t_id}
      often:  {references: p.id, skew: 1.2}
      mine:   {references: p.id, within: t_id, skew: 0.8}
      heavy:  {references: p.id, weight: w}
      maybe:  {references: p.id, null: 0.3}
      on:     {type: date, generate: {between: [-2y, now]}}
      there:  {references: p.id, within: t_id, null: 0, present: {at: on, from: from, until: to}}
      beside: {references: p.id, within: t_id, other_than: inside}
      rarely: {references: p.id, skew: 1.2, other_than: inside}
      boss:   {references: c.id, acyclic: true, null: 0}
      near:   {references: c.id, acyclic: true, depth: 1, null: 0.5}
  pairs:
    rows: 20000
    key: [a, b]
    columns: {a: {references: p.id}, b: {references: p.id}}
  follows:
    rows: 20000
    key: [a, b]
    columns: {a: {references: p.id}, b: {references: p.id, other_than: a}}
  ties:
    rows: 20000
    key: [a, b]
    columns: {a: {references: p.id}, b: {references: p.id, greater_than: a}, c: {references: t.id}, d: {references: t.id, greater_than: c}}
  friends:
    rows: {per: p, count: 6}
    key: [p_id, other]
    columns: {p_id: {references: p.id}, t_id: {references: t.id, generate: {from: p_id.t_id}}, other: {references: p.id, within: t_id}}
  once:
    rows: 600
    columns: {id: {type: bigint, key: true}, p_id: {references: p.id, unique: true}}
"""


@cache
def company_of() -> SyntheticSource:
    return source_of(COMPANY)


def column(name: str, table: str = "c") -> np.ndarray:
    found = company_of().read(table).read_all().column(name)
    return found.to_numpy()


def link_of(name: str):
    link = company_of().plan.tables["c"].links[(name,)]
    return getattr(link, "link", link)


def power_law(exponent: float, size: int) -> np.ndarray:
    """The chances of ranks 0 to size - 1 of a continuous power law on [1, size + 1)."""
    edges = np.arange(1, size + 2, dtype=float)
    mass = np.log(edges) if exponent == 1 else edges ** (1 - exponent) / (1 - exponent)
    return np.diff(mass) / (mass[-1] - mass[0])


@proves("references")
def every_row_is_referenced_alike() -> float:
    return alike(column("any").tolist(), range(1, 1001))


@proves("within")
def every_row_of_the_group_is_referenced_alike() -> float:
    place = (column("inside") - 1) - (column("t_id") - 1) * 25
    return shared([alike(place.tolist(), range(25)), alike(column("inside").tolist(), range(1, 1001))])


@proves("skew")
def ranks_follow_the_power_law() -> float:
    rank_of = np.empty(1000, np.int64)
    rank_of[permute(link_of("often").stream, np.arange(1000), 1000)] = np.arange(1000)
    ranks = rank_of[column("often") - 1]
    return fits(Counter(ranks.tolist()), dict(enumerate(power_law(1.2, 1000))))


@proves("skew", "within")
def ranks_within_the_group_follow_the_power_law() -> float:
    stream, ranks = link_of("mine").stream, Counter()
    for group in range(40):
        places = rotate(stream, np.full(25, group), np.arange(25), np.full(25, 25))
        rank_of = dict(zip((places + group * 25 + 1).tolist(), range(25), strict=True))
        ranks.update(rank_of[p] for p in column("mine")[column("t_id") == group + 1].tolist())
    return fits(ranks, dict(enumerate(power_law(0.8, 25))))


@proves("other_than", "within")
def every_other_row_of_the_group_is_referenced_alike() -> float:
    place, taken = ((column(name) - 1) % 25 for name in ("beside", "inside"))
    assert (column("beside") - 1 - place == (column("t_id") - 1) * 25).all()
    pairs = [(a, b) for a in range(25) for b in range(25) if a != b]
    return shared([alike(zip(taken.tolist(), place.tolist(), strict=True), pairs), alike(((place - taken) % 25).tolist(), range(1, 25))])


@proves("other_than", "skew")
def ranks_but_the_one_that_is_taken_follow_the_power_law() -> float:
    place_of = permute(link_of("rarely").stream, np.arange(1000), 1000)
    rank_of = np.empty(1000, np.int64)
    rank_of[place_of] = np.arange(1000)
    chances = power_law(1.2, 1000)
    # what is taken is spread evenly over all rows, and its chance goes to the next rank
    expected = chances * 0.999 + np.roll(chances, 1) * 0.001
    return fits(Counter(rank_of[column("rarely") - 1].tolist()), dict(enumerate(expected)))


@proves("other_than", "key")
def members_of_pairs_of_different_rows_are_uncorrelated() -> float:
    pairs = read(company_of(), "follows")
    a, b = (np.array([p[c] for p in pairs]) for c in "ab")
    fifths = Counter(zip(((a - 1) // 200).tolist(), ((b - 1) // 200).tolist(), strict=True))
    rooms = {(i, j): 200.0 * (199 if i == j else 200) for i in range(5) for j in range(5)}
    return shared([fits(fifths, rooms), alike(b.tolist(), range(1, 1001)), alike((((b - a) % 1000 - 1) // 27).tolist(), range(37))])


@proves("greater_than")
def every_pair_of_two_rows_is_named_alike() -> float:
    ties = read(company_of(), "ties")
    groups = [t["id"] for t in read(company_of(), "t")]
    drawn = alike([(t["c"], t["d"]) for t in ties], [(c, d) for c in groups for d in groups if c < d])
    fifths = Counter(((t["a"] - 1) // 200, (t["b"] - 1) // 200) for t in ties)
    rooms = {(i, j): 200.0 * (200 if i < j else 199 / 2) for i in range(5) for j in range(i, 5)}
    return shared([drawn, fits(fifths, rooms)])


@proves("weight")
def references_follow_the_weights() -> float:
    weights = {p["id"]: float(p["w"]) for p in read(company_of(), "p") if p["w"]}
    return fits(Counter(column("heavy").tolist()), weights)


@proves("present")
def every_row_that_is_there_is_referenced_alike() -> float:
    at, group = column("on"), column("t_id")
    people = read(company_of(), "p")
    place = []  # of the chosen row among those that are there, as a share
    rng = np.random.default_rng(1)
    for chosen, on, t in zip(column("there").tolist()[:8000], at[:8000].tolist(), group[:8000].tolist(), strict=True):
        there = [p["id"] for p in people[25 * t - 25 : 25 * t] if p["from"] <= on and (p["to"] is None or p["to"] >= on)]
        if not there:
            assert np.isnan(chosen)
            continue
        place.append((there.index(chosen) + rng.uniform()) / len(there))
    return float(stats.kstest(place, "uniform").pvalue)


@proves("null")
def the_share_of_nulls_is_as_given() -> float:
    absent = company_of().read("c").read_all().column("maybe").null_count
    return float(stats.binomtest(absent, 40_000, 0.3).pvalue)


@proves("acyclic")
def every_earlier_row_is_as_likely_above() -> float:
    boss, own = column("boss")[1:], column("id")[1:]
    assert (boss < own).all()
    within = stats.uniform.rvs(size=len(boss), random_state=3)
    return float(stats.kstest((boss - 1 + within) / (own - 1), "uniform").pvalue)


@proves("depth")
def rows_that_lie_too_deep_hang_on_roots_without_preference() -> float:
    # half of the rows are roots; with a depth of 1 every other row's root is the first root of its line
    near = company_of().read("c").read_all().column("near")
    above = {i + 1: n for i, n in enumerate(near.to_pylist())}
    assert all(n is None or above[int(n)] is None for n in above.values())
    return float(stats.binomtest(near.null_count, 40_000, 0.5).pvalue)


@proves("key")
def members_of_pairs_are_uncorrelated() -> float:
    pairs = read(company_of(), "pairs")
    a, b = (np.array([p[c] for p in pairs]) for c in "ab")
    quarters = Counter(zip(((a - 1) // 250).tolist(), ((b - 1) // 250).tolist(), strict=True))
    return shared([fits(quarters, {(i, j): 1.0 for i in range(4) for j in range(4)}), alike(a.tolist(), range(1, 1001))])


@proves("key", "within")
def members_of_pairs_within_a_group_have_no_preference() -> float:
    friends = read(company_of(), "friends")
    return alike([(f["other"] - 1) % 25 for f in friends], range(25))


@proves("unique")
def rows_that_are_referenced_once_are_spread_over_all() -> float:
    once = column("p_id", "once")
    assert len(set(once.tolist())) == 600
    return shared([alike(((once - 1) // 100).tolist(), range(10)), float(stats.spearmanr(np.arange(600), once).pvalue)])


# Counts


def children(count: str, parents: int = 20_000, columns: str = "") -> list[tuple[dict, int]]:
    made = source_of(f"""tables:
  p: {{rows: {parents}, columns: {{id: {{type: bigint, key: true}}, k: {{type: text, generate: {{choice: {{a: 3, b: 1}}}}}}, n: {{type: integer, generate: {{uniform: [0, 9]}}}}}}}}
  c:
    rows: {{per: p, count: {count}}}
    columns: {{id: {{type: bigint, key: true}}, p_id: {{references: p.id}}}}
""")
    seen = Counter(made.read("c").read_all().column("p_id").to_pylist())
    return [(p, seen[p["id"]]) for p in read(made, "p")]


def pmf(expected, values: Iterable[int]) -> dict[object, float]:
    return {v: float(expected.pmf(v)) for v in values}


@proves("per", "count")
def counts_are_drawn_from_the_declared_distribution() -> float:
    tests = (
        ("{poisson: 2.5}", pmf(stats.poisson(2.5), range(40))),
        ("{zipf: 1.4, max: 30}", pmf(stats.zipfian(1.4, 30), range(1, 31))),
        ("{uniform: [2, 5]}", dict.fromkeys(range(2, 6), 1.0)),
        ("{poisson: 3, min: 1, max: 6}", pmf(stats.poisson(3), range(1, 7))),
    )
    return shared(fits(Counter(n for _, n in children(count)), wanted) for count, wanted in tests)


@proves("count", "cases")
def counts_of_a_case_are_drawn_from_its_distribution() -> float:
    found = children("{by: k, cases: {a: {zipf: 1.4, max: 30}, b: {poisson: 4}}}")
    wanted = {"a": pmf(stats.zipfian(1.4, 30), range(1, 31)), "b": pmf(stats.poisson(4), range(40))}
    return shared(fits(Counter(n for p, n in found if p["k"] == kind), chances) for kind, chances in wanted.items())


@proves("mean", "total")
def a_fixed_mean_keeps_the_shape() -> float:
    # the mean is what the counts have on average, so that they hardly change; and nobody is preferred for what is rounded
    same = [n for _, n in children("{uniform: [10, 19]}, mean: 14.5")]
    half = [n for _, n in children("{uniform: [0, 19]}, mean: 7.25")]
    parts = [sum(half[i : i + 4000]) / 4000 for i in range(0, 20_000, 4000)]
    spread = np.std(half) / np.sqrt(4000)
    return shared([
        fits(Counter(same), dict.fromkeys(range(10, 20), 1.0)), *(float(2 * stats.norm.sf(abs(t - 7.25) / spread)) for t in parts),
    ])  # fmt: skip


# Generators


def drawn(columns: str, rows: int = 20_000) -> list[dict]:
    return read(source_of(f"tables:\n  t:\n    rows: {rows}\n    columns:\n      id: {{type: bigint, key: true}}\n{columns}"), "t")


@proves("choice")
def choices_follow_their_weights() -> float:
    rows = drawn(
        "      x: {type: text, generate: {choice: {a: 6, b: 3, c: 0.9, d: 0.1}}}\n      y: {type: integer, generate: {choice: [5, 6, 7]}}\n"
    )
    return shared([fits(Counter(r["x"] for r in rows), {"a": 6, "b": 3, "c": 0.9, "d": 0.1}), alike([r["y"] for r in rows], (5, 6, 7))])


@proves("boolean")
def truths_have_their_share() -> float:
    return float(stats.binomtest(sum(r["x"] for r in drawn("      x: {type: boolean, generate: {boolean: 0.8}}\n")), 20_000, 0.8).pvalue)


@proves("bytes")
def bytes_and_their_lengths_are_alike() -> float:
    rows = drawn("      x: {type: bytes, generate: {bytes: {uniform: [1, 4]}}}\n")
    return shared([alike([b for r in rows for b in r["x"]], range(256)), alike([len(r["x"]) for r in rows], (1, 2, 3, 4))])


@proves("array")
def items_and_their_numbers_are_drawn() -> float:
    rows = drawn('      x: {type: "text[]", generate: {array: {choice: {a: 3, b: 1}}, count: {poisson: 2}}}\n')
    items = Counter(item for r in rows for item in r["x"])
    return shared([fits(items, {"a": 3, "b": 1}), fits(Counter(len(r["x"]) for r in rows), pmf(stats.poisson(2), range(30)))])


@proves("json")
def members_of_documents_are_drawn() -> float:
    rows = drawn("      x: {type: json, generate: {json: {k: {uniform: [1, 4]}}}}\n")
    return alike([r["x"] for r in rows], [f'{{"k":{k}}}' for k in range(1, 5)])


@proves("cases")
def values_of_a_case_follow_its_weights() -> float:
    text = "      k: {type: text, generate: {choice: [a, b]}}\n"
    rows = drawn(text + "      x: {type: text, generate: {by: k, cases: {a: {choice: {u: 9, v: 1}}}, else: {choice: {v: 7, w: 3}}}}\n")
    return shared([
        fits(Counter(r["x"] for r in rows if r["k"] == "a"), {"u": 9, "v": 1}),
        fits(Counter(r["x"] for r in rows if r["k"] == "b"), {"v": 7, "w": 3}),
        fits(Counter(r["k"] for r in rows), {"a": 1, "b": 1}),
    ])  # fmt: skip


@proves("between")
def moments_between_two_are_alike_or_grow() -> float:
    rows = drawn("      x: {type: timestamp, generate: {between: [2020-01-01, 2020-12-31]}}\n      y: {type: date, generate: {between: [2020-01-01, 2020-01-10]}}\n"
                 "      z: {type: timestamp, generate: {between: [2020-01-01, 2020-12-31], growth: 3}}\n      w: {type: time, generate: {between: ['06:00', '18:00']}}\n")  # fmt: skip
    first = np.datetime64("2020-01-01")
    share = {c: np.array([(np.datetime64(r[c]) - first) / np.timedelta64(365, "D") for r in rows]) for c in "xz"}
    hours = [(r["w"].hour * 3600 + r["w"].minute * 60 + r["w"].second - 21_600) / 43_200 for r in rows]
    return shared([
        float(stats.kstest(share["x"], "uniform").pvalue), float(stats.kstest(share["z"], lambda t: (t + t * t) / 2).pvalue),
        alike([r["y"].day for r in rows], range(1, 11)), float(stats.kstest(hours, "uniform").pvalue),
    ])  # fmt: skip


@proves("between", "after")
def a_rhythm_gives_hours_and_days_their_weights() -> float:
    rhythm = "{days: [1, 2, 3, 4, 0, 0, 5], hours: [0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]}"
    rows = drawn(f"      x: {{type: timestamp, generate: {{between: [2020-01-06, 2024-01-01], rhythm: {rhythm}}}}}\n")
    return shared([
        fits(Counter(r["x"].weekday() for r in rows), dict(zip(range(7), (1, 2, 3, 4, 0, 0, 5), strict=True))),
        fits(Counter(r["x"].hour for r in rows), {6: 1, 7: 2, 8: 3, 12: 4, 23: 1}),
    ])  # fmt: skip


@proves("after", "before")
def waits_are_uniform_or_exponential() -> float:
    rows = drawn("      a: {type: timestamp, generate: {between: [-9y, -8y]}}\n      b: {type: timestamp, generate: {after: a, at_least: 1d, within: 31d}}\n"
                 "      c: {type: timestamp, generate: {after: a, within: 300d, mean: 2d}}\n      d: {type: timestamp, generate: {before: a, at_least: 2d, within: 12d}}\n")  # fmt: skip
    wait = {c: np.array([abs((r[c] - r["a"]).total_seconds()) for r in rows]) / 86_400 for c in "bcd"}
    return shared([
        float(stats.kstest(wait["b"], stats.uniform(1, 30).cdf).pvalue),
        float(stats.kstest(wait["c"] + 0.5 / 86_400, stats.expon(scale=2).cdf).pvalue),
        float(stats.kstest(wait["d"], stats.uniform(2, 10).cdf).pvalue),
    ])  # fmt: skip


@proves("states", "entered")
def states_follow_their_chances_and_last_as_long_as_they_say() -> float:
    rows = drawn("      at: {type: timestamp, generate: {between: [-99y, -98y]}}\n"
                 "      x: {type: text, generate: {states: {a: {b: 0.3, c: 0.6}, b: {d: 0.5}}, start: at, dwell: {a: 3d, b: 8h}}}\n"
                 "      b: {type: timestamp, null: 0, generate: {entered: b, of: x}}\n      c: {type: timestamp, null: 0, generate: {entered: c, of: x}}\n")  # fmt: skip
    waits = np.array([((r["b"] or r["c"]) - r["at"]).total_seconds() for r in rows if r["b"] or r["c"]])
    return shared([
        fits(Counter(r["x"] for r in rows), {"a": 0.1, "b": 0.15, "c": 0.6, "d": 0.15}),
        float(stats.kstest(waits + 0.5, stats.expon(scale=3 * 86_400).cdf).pvalue),
    ])  # fmt: skip


@proves("slot", "slot_end")
def gaps_and_lengths_of_slots_are_drawn() -> float:
    rows = read(source_of("""tables:
  p: {rows: 100, columns: {id: {type: bigint, key: true}}}
  c:
    rows: {per: p, count: 100}
    columns:
      p_id: {references: p.id}
      n:    {type: integer, generate: ordinal}
      from: {type: timestamp, generate: {slot: {gap: {exponential: 2h}, length: {uniform: [10m, 50m]}, from: 2020-01-01}}}
      to:   {type: timestamp, generate: {slot_end: from}}
    key: [p_id, n]
"""), "c")  # fmt: skip
    gaps = [(b["from"] - a["to"]).total_seconds() for a, b in pairwise(rows) if a["p_id"] == b["p_id"]]
    lengths = [(r["to"] - r["from"]).total_seconds() for r in rows]
    return shared([
        float(stats.kstest(np.array(gaps) + 0.5, stats.expon(scale=7200).cdf).pvalue),
        float(stats.kstest(np.array(lengths) + 0.5, stats.uniform(600, 2401).cdf).pvalue),
    ])  # fmt: skip


@proves("excerpt")
def lengths_of_excerpts_are_drawn() -> float:
    texts = drawn("      x: {type: text, generate: {excerpt: {uniform: [3, 20]}}}\n")
    return float(stats.chisquare(np.bincount([len(r["x"]) for r in texts], minlength=21)[3:]).pvalue)


@proves("correlate")
def correlated_columns_have_the_declared_rank_correlation() -> float:
    rows = drawn("      x: {type: double, generate: {normal: {mean: 0, sd: 1}}}\n      y: {type: double, generate: {exponential: 9}}\n"
                 "    correlate: {columns: [x, y], matrix: [[1, -0.65], [-0.65, 1]]}\n")  # fmt: skip
    found = stats.spearmanr([r["x"] for r in rows], [r["y"] for r in rows]).statistic
    # Fisher's z has the variance 1.06 / (n - 3) (Fieller, Hartley and Pearson 1957)
    distance = (np.arctanh(found) - np.arctanh(-0.65)) / np.sqrt(1.06 / (len(rows) - 3))
    return float(2 * stats.norm.sf(abs(distance)))


@pytest.mark.parametrize("name", one_in(2, PROOFS))
def test_what_is_drawn_has_the_declared_chances(name):
    assert PROOFS[name]() > ALARM


def test_everything_that_draws_has_a_proof():
    proved = {name.partition(":")[0] for name in PROOFS}
    assert {key.name for key in grammar.REFERENCE_OPTIONS} <= proved
    assert {key.name for key in grammar.ROWS} - {"fixed"} <= proved
    # what makes the same of the same, or words whose chances nobody declares, is proved elsewhere or exactly
    exact = {"sequence", "ordinal", "uuid4", "uuid7", "list", "constant", "from", "expression", "sum", "count", "earliest", "latest"}
    words = {"template", "pattern", "words", "sentences", "grammar", "faker", "mimesis"}
    exact |= {"media.logo", "media.avatar", "media.document"}  # files are drawn of what the row says, and of no chance
    distributions = {"uniform", "normal", "lognormal", "exponential", "beta", "poisson", "zipf", "histogram"}  # test_distribution_proofs
    assert {g.name for g in GENERATORS if not g.semantic} - exact - words - distributions <= proved
