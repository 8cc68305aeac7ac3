"""Correlated columns: the declared rank correlations, and each column's own distribution as if it were alone.

Rank correlations of n independent pairs are held to `LIMIT` standard errors of Fisher's z (1.06 / (n - 3), Fieller, Hartley and
Pearson 1957), which is a false-alarm rate of 1e-6 for each pair; the outcome is fixed by the seed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from datagen.elementary import normal_probability
from schemas.correlation import NotPositive, factor, pearson
from schemas.errors import SchemaError
from tests.datagen.making import source_of

ALARM = 1e-6
LIMIT = stats.norm.isf(ALARM / 2)
ROWS = 40_000

MEASURED = """tables:
  people:
    rows: 40000
    columns:
      id:     {type: bigint, key: true}
      height: {type: "numeric(5,1)", generate: {normal: {mean: 172, sd: 9}}}
      weight: {type: double, generate: {lognormal: {median: 70, sigma: 0.2}, min: 35}}
      pay:    {type: integer, null: 0.2, generate: {exponential: 3000}}
      joined: {type: date, generate: {between: [-30y, now]}}
      since:  {type: timestamptz, generate: {between: [-9y, now], growth: 3}}
      rest:   {type: interval, generate: {uniform: [1h, 9h]}}
      score:  {type: real, generate: {beta: {a: 2, b: 5}}}
"""
COLUMNS = ("height", "weight", "pay", "joined", "since", "rest", "score")
PAIRS = {("height", "weight"): 0.7, ("height", "pay"): 0.2, ("weight", "pay"): -0.15, ("joined", "pay"): -0.6, ("joined", "since"): 0.95,
         ("since", "pay"): -0.55, ("rest", "score"): -0.4, ("score", "height"): 0.1}  # fmt: skip


def matrix_of(pairs: dict[tuple[str, str], float]) -> str:
    found = {**pairs, **{(b, a): rho for (a, b), rho in pairs.items()}}
    return str([[1 if a == b else found.get((a, b), 0) for b in COLUMNS] for a in COLUMNS])


CORRELATED = f"{MEASURED}    correlate: {{columns: [{', '.join(COLUMNS)}], matrix: {matrix_of(PAIRS)}}}\n"


def values(made, table: str, column: str) -> np.ndarray:
    """A column as floats, nan for null."""
    found = made.read(table).read_all().column(column).combine_chunks()
    type = str(found.type)
    whole = (
        found if type.startswith(("decimal", "double", "float", "int")) else found.cast("int32" if type.startswith("date32") else "int64")
    )
    return whole.cast("double").to_numpy(zero_copy_only=False)


def is_declared(first: np.ndarray, second: np.ndarray, rho: float) -> bool:
    both = ~(np.isnan(first) | np.isnan(second))
    found = stats.spearmanr(first[both], second[both]).statistic
    return abs(math.atanh(found) - math.atanh(rho)) < LIMIT * math.sqrt(1.06 / (both.sum() - 3))


@pytest.fixture(scope="module")
def correlated():
    return source_of(CORRELATED)


@pytest.mark.parametrize("first", COLUMNS)
def test_every_pair_has_the_declared_rank_correlation(first, correlated):
    own = values(correlated, "people", first)
    for second in COLUMNS:
        if second != first:
            rho = PAIRS.get((first, second), PAIRS.get((second, first), 0.0))
            assert is_declared(own, values(correlated, "people", second), rho), second


def test_every_column_keeps_its_distribution(correlated):
    alone = source_of(MEASURED)
    for column in COLUMNS:
        before, after = values(alone, "people", column), values(correlated, "people", column)
        assert stats.ks_2samp(before[~np.isnan(before)], after[~np.isnan(after)]).pvalue > ALARM, column
        alike = np.array_equal(before, after, equal_nan=True)
        assert alike == (column in ("height", "rest")), "what is correlated with nothing before it is as it would be alone"
        assert np.array_equal(np.isnan(before), np.isnan(after)), "nulls stay where they were"
    known = {
        "height": stats.norm(172, 9.0), "score": stats.beta(2, 5), "rest": stats.uniform(3600e6, 8 * 3600e6),
    }  # fmt: skip
    for column, expected in known.items():
        blur = stats.uniform.rvs(-0.05, 0.1, ROWS, random_state=1) if column == "height" else 0
        assert stats.kstest(values(correlated, "people", column) + blur, expected.cdf).pvalue > ALARM, column


def test_any_rows_alone_are_the_same_and_a_larger_scale_begins_with_them(correlated):
    whole = correlated.read("people").read_all()
    assert correlated.read_rows("people", 20_123, 20_130).to_pylist() == whole.slice(20_123, 7).to_pylist()
    assert source_of(CORRELATED, scale=2).read_rows("people", 0, 50).to_pylist() == whole.slice(0, 50).to_pylist()


@pytest.mark.parametrize("rho", [1, -1])
def test_complete_correlation_makes_the_same_order(rho):
    text = f"""tables:
  t:
    rows: 3000
    columns:
      id: {{type: bigint, key: true}}
      a:  {{type: double, generate: {{normal: {{mean: 0, sd: 1}}}}}}
      b:  {{type: double, generate: {{exponential: 5}}}}
    correlate: {{columns: [a, b], matrix: [[1, {rho}], [{rho}, 1]]}}
"""
    made = source_of(text)
    a, b = (values(made, "t", c) for c in "ab")
    assert (np.diff(b[np.argsort(a)]) * rho >= 0).all()


FIRMS = """tables:
  firms:
    rows: 40000
    columns:
      id:   {type: bigint, key: true}
      size: {type: integer, generate: {lognormal: {median: 500, sigma: 1.5}}}
      age:  {type: double, generate: {exponential: 12}}
    correlate: {columns: [size, age], matrix: [[1, 0.5], [0.5, 1]]}
  offices:
    rows: {per: firms, count: 1}
    columns:
      id:      {type: bigint, key: true}
      firm_id: {references: firms.id}
      head_id: {references: firms.id, null: 0.3}
      rent:    {type: "numeric(12,2)", generate: {lognormal: {median: 5000, sigma: 0.7}}}
      desks:   {type: double, generate: {normal: {mean: 40, sd: 5}}}
      floors:  {type: double, generate: {uniform: [1, 9]}}
    correlate:
      - {columns: [rent, firm_id.size, desks, firms.age], matrix: [[1, 0.6, 0.2, 0.3], [0.6, 1, 0.4, 0.5], [0.2, 0.4, 1, 0.1], [0.3, 0.5, 0.1, 1]]}
      - {columns: [floors, head_id.size], matrix: [[1, -0.8], [-0.8, 1]]}
"""


def test_columns_follow_columns_of_the_referenced_row():
    made = source_of(FIRMS)
    firms, offices = made.read("firms").read_all().to_pylist(), made.read("offices").read_all().to_pylist()
    assert made.read_rows("offices", 777, 790).to_pylist() == offices[777:790]
    size, age = ({f["id"]: f[c] for f in firms} for c in ("size", "age"))
    columns = {
        "rent": [float(o["rent"]) for o in offices], "desks": [o["desks"] for o in offices], "floors": [o["floors"] for o in offices],
        "size": [size[o["firm_id"]] for o in offices], "age": [age[o["firm_id"]] for o in offices],
    }  # fmt: skip
    arrays = {name: np.array(found, float) for name, found in columns.items()}
    for first, second, rho in (("rent", "size", 0.6), ("rent", "desks", 0.2), ("desks", "size", 0.4), ("rent", "age", 0.3),
                               ("desks", "age", 0.1), ("size", "age", 0.5)):  # fmt: skip
        assert is_declared(arrays[first], arrays[second], rho), (first, second)
    assert stats.kstest(arrays["rent"], stats.lognorm(0.7, scale=5000).cdf).pvalue > ALARM
    assert stats.kstest(arrays["desks"], stats.norm(40, 5).cdf).pvalue > ALARM
    # firms are heads of several offices, so pairs are taken once for each firm
    heads = {o["head_id"]: o["floors"] for o in offices if o["head_id"] is not None}
    assert is_declared(np.array([size[h] for h in heads], float), np.array(list(heads.values())), -0.8)
    lost = np.array([o["floors"] for o in offices if o["head_id"] is None])
    assert len(lost) > 10_000 and stats.kstest(lost, stats.uniform(1, 8).cdf).pvalue > ALARM, (
        "without a row to follow the column is as alone"
    )


def test_the_parts_are_exact_enough():
    x = np.linspace(-9, 9, 20_001)
    assert np.abs(normal_probability(x) - stats.norm.cdf(x)).max() < 1e-14
    assert max(abs(float(pearson(rho)) - 2 * math.sin(math.pi * rho / 6)) for rho in np.linspace(-1, 1, 41)) < 1e-15
    rows = factor([[pearson(v) for v in row] for row in ((1, 0.5, -0.2), (0.5, 1, 0.3), (-0.2, 0.3, 1))])
    lower = np.array([[float(x) for x in row] + [0.0] * (3 - len(row)) for row in rows])
    wanted = [[2 * math.sin(math.pi * v / 6) for v in row] for row in ((1, 0.5, -0.2), (0.5, 1, 0.3), (-0.2, 0.3, 1))]
    assert np.abs(lower @ lower.T - wanted).max() < 1e-15
    with pytest.raises(NotPositive):
        factor([[pearson(v) for v in row] for row in ((1, 1, 0), (1, 1, 1), (0, 1, 1))])


@pytest.mark.parametrize(
    ("columns", "matrix", "message"),
    [
        ("[height, weight]", "[[1, 0.5]]", "the matrix needs 2 rows, one for each column, not 1"),
        ("[height, weight]", "[[1, 0.5], [0.5]]", "the matrix needs 2 numbers in each row, one for each column, not 1"),
        ("[height, weight]", "[[1, 0.5], [0.4, 1]]", "the matrix is not symmetric: 'weight' with 'height' is 0.4, and the other way round 0.5"),
        ("[height, weight]", "[[1, 0.5], [0.5, 2]]", "a correlation must lie between -1 and 1, not 2"),
        ("[height, weight]", "[[1, 0.5], [0.5, 0.9]]", "a column has the correlation 1 with itself, and here 'weight' has 0.9"),
        ("[height, weight]", "[[1, x], [x, 1]]", "a correlation must be a number, not 'x'"),
        ("[height, weight, pay]", "[[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]", "correlate: the matrix is not positive semi-definite: no columns can have all these correlations together"),
        ("[height, weight, pay]", "[[1, 0.6, 0.6], [0.6, 1, -0.28], [0.6, -0.28, 1]]", "correlate: no normal copula has all these rank correlations together; bring them nearer to 0"),
        ("[height, wait]", "[[1, 0], [0, 1]]", "correlate: 'wait' is no column of 'people' or of a row that it references; did you mean 'weight'?"),
        ("[height, id]", "[[1, 0], [0, 1]]", "correlate: 'id' is made by sequence, which has no inverse distribution function; columns made by a distribution or `between` can be correlated"),
        ("[height, height]", "[[1, 0], [0, 1]]", "correlate: 'height' stands twice"),
        ("[height]", "[[1]]", "correlate needs 2 to 64 columns, not 1"),
    ],
)  # fmt: skip
def test_impossible_correlations_are_told_with_place_and_reason(columns, matrix, message):
    text = f"{MEASURED}    correlate: {{columns: {columns}, matrix: {matrix}}}\n"
    with pytest.raises(SchemaError) as found:
        source_of(text)
    assert message in [p.message for p in found.value.problems]
    assert all(p.at is not None and p.at.line == 16 for p in found.value.problems)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[-9y, now], growth: 3}", "[-9y, now], rhythm: office}", "'since' has a rhythm, which moves its times within the week"),
        ("{type: real, generate: {beta: {a: 2, b: 5}}}", "{type: integer, unique: true, generate: {uniform: [1, 900000]}}", "'score' is unique"),
        ("{type: real, generate: {beta: {a: 2, b: 5}}}", "{type: integer, generate: {by: id, cases: {1: {uniform: [1, 9]}}, else: {uniform: [1, 2]}}}", "'score' is made by cases"),
    ],
)  # fmt: skip
def test_columns_without_an_inverse_distribution_function_are_refused(old, new, message):
    assert old in CORRELATED
    with pytest.raises(SchemaError, match=message):
        source_of(CORRELATED.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[0.3, 0.5, 0.1, 1]]", "[0.3, 0.4, 0.1, 1]]", "is not symmetric"),
        ("0.4, 0.5], [0.2, 0.4, 1, 0.1], [0.3, 0.5,", "0.4, 0.4], [0.2, 0.4, 1, 0.1], [0.3, 0.4,", "'firm_id.size' and 'firms.age' are columns of other rows, and their correlation is 0.5, not 0.4"),
        ("[floors, head_id.size]", "[firm_id.age, head_id.size]", "none of these is a column of 'offices'"),
        ("[floors, head_id.size]", "[desks, head_id.size]", "'desks' stands in another correlation of 'offices' already"),
    ],
)  # fmt: skip
def test_correlations_with_other_rows_fit_what_those_are(old, new, message):
    assert old in FIRMS
    with pytest.raises(SchemaError, match=message):
        source_of(FIRMS.replace(old, new))


def test_a_circle_of_correlations_is_refused():
    measured = "{type: double, generate: {normal: {mean: 1, sd: 1}}}"
    matrix = "[[1, 0.5], [0.5, 1]]"
    text = f"""tables:
  a:
    rows: 9
    columns: {{id: {{type: bigint, key: true}}, b: {{references: b.id}}, x: {measured}}}
    correlate: {{columns: [x, b.y], matrix: {matrix}}}
  b:
    rows: 9
    columns: {{id: {{type: bigint, key: true}}, a: {{references: a.id}}, y: {measured}}}
    correlate: {{columns: [y, a.x], matrix: {matrix}}}
"""
    with pytest.raises(SchemaError, match="computed from each other in a circle"):
        source_of(text)
