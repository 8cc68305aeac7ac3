"""What is left of a table: figures by hand, the plain definitions, and that generalising never adds."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.risk import Hierarchy, Utility, read_hierarchies
from masking.risk.equivalence import equivalence_classes
from masking.risk.utility import utility
from masking.tabular import Tabular, read_table, write_table
from schemas.errors import InputError
from tests.masking.risk.tables import HIERARCHY, cells_over, rows, table

SHARED = Path(__file__).parents[4] / "shared"
SCORER, ADULT = SHARED / "tools" / "granularity.py", SHARED / "data" / "adult"
LEVELS = [{row[0]: row[level] for row in HIERARCHY.rows} for level in range(3)]


def measured(after: pa.Table, before: pa.Table | None, hierarchies: dict[str, Hierarchy]) -> Utility:
    names = after.column_names
    first = None if before is None else equivalence_classes(before, names)
    return utility(equivalence_classes(after, names), first, hierarchies, "t.csv")


def one(cells: list[str], values: list[str], hierarchy: Hierarchy | None = HIERARCHY) -> Utility:
    known = {} if hierarchy is None else {"x": hierarchy}
    return measured(table("x", [[c] for c in cells]), table("x", [[v] for v in values]), known)


def test_granularity_is_the_share_of_other_values_that_a_cell_excludes():
    found = one(["a", "ab", "{a,c,d}", "*"], ["a", "b", "c", "d"])
    assert found.granularity == pytest.approx(1 - (0 + 1 / 3 + 2 / 3 + 1) / 4)
    (column,) = found.columns
    assert (column.values, column.generalised, column.suppressed, found.suppressed) == (4, 0.75, 0.25, 0.25)


def test_without_a_hierarchy_the_domain_is_that_of_the_original():
    assert one(["{a,b}", "{a,b}", "c"], ["a", "b", "c"], None).granularity == pytest.approx(1 - (1 / 2 + 1 / 2 + 0) / 3)
    assert one(["[1,5]", "[1,5]", "9"], ["1", "5", "9"], None).granularity == pytest.approx(1 - 1 / 3)


def test_what_cannot_be_known_is_not_made_up():
    found = measured(table("x", [["ab"], ["c"]]), None, {})
    assert (found.granularity, found.entropy, found.discernibility_quality, found.uncovered) == (None, None, None, None)
    assert (found.discernibility, found.average_class_size) == (2, 1.0)
    without_original = measured(table("x", [["ab"], ["c"]]), None, {"x": HIERARCHY})
    assert without_original.granularity == pytest.approx(1 - 1 / 6) and without_original.entropy is None
    unexplained = one(["ab", "c"], ["a", "c"], None)
    assert (unexplained.granularity, unexplained.entropy, unexplained.uncovered) == (None, None, None)

    half = measured(table("xy", [["ab", "ab"]]), None, {"x": HIERARCHY})
    assert [c.granularity is None for c in half.columns] == [False, True] and half.granularity is None


def test_non_uniform_entropy_by_hand():
    found = one(["{a,b}", "{a,b}", "{a,b}", "c"], ["a", "a", "b", "c"])
    lost, most = 2 * math.log2(3 / 2) + math.log2(3), 2 * math.log2(2) + 2 * math.log2(4)
    assert found.entropy == pytest.approx(1 - lost / most)
    assert found.entropy_by_level is None


def test_non_uniform_entropy_by_level_by_hand():
    # at the first level nothing is lost; at 'ab' one bit for the a and the b that reach it, since c has 'cd' alone; at '*' nothing,
    # since only one record goes there
    found = one(["a", "ab", "ab", "*"], ["a", "a", "b", "c"])
    assert found.entropy_by_level == pytest.approx(1 - 2 / 6)


def test_discernibility_and_average_class_size_by_hand():
    found = one(["ab", "ab", "c", "c", "*"], ["a", "b", "c", "c", "d"])
    assert found.discernibility == 4 + 4 + 1 * 5
    assert found.discernibility_quality == pytest.approx(1 - (13 - 7) / (25 - 7))
    assert found.average_class_size == pytest.approx(5 / 3)
    assert found.class_size_quality == pytest.approx(1 - (5 / 3 - 5 / 4) / (5 - 5 / 4))


def test_cells_that_exclude_the_true_value_are_counted_and_count_as_lost():
    wrong, lost = one(["c", "a", "b"], ["a", "a", "b"]), one(["*", "a", "b"], ["a", "a", "b"])
    assert (wrong.uncovered, lost.uncovered) == (1, 0)
    assert wrong.entropy == pytest.approx(lost.entropy) and wrong.entropy_by_level is None


def test_columns_that_never_vary_lose_nothing():
    single = Hierarchy("x.csv", [["a", "*"]])
    found = one(["*", "a"], ["a", "a"], single)
    assert (found.granularity, found.entropy, found.entropy_by_level) == (1.0, 1.0, 1.0)


def test_null_stands_for_itself():
    found = one(["", "{,a}", "b"], ["", "a", "b"])
    assert found.columns[0].values == 5
    assert found.granularity == pytest.approx(1 - (1 / 4) / 3) and found.uncovered == 0


@pytest.mark.parametrize(
    ("cells", "values", "words"),
    [
        (["a", "Secret", "Secret"], ["a", "b", "c"], "t.csv: column 'x': 1 different cells, the first in record 2, are no value"),
        (["a", "b"], ["a", "Secret"], "column 'x': 1 different values of the original have no row in x.csv"),
    ],
)
def test_cells_that_no_hierarchy_explains_are_refused_without_their_text(cells, values, words):
    with pytest.raises(InputError, match=words) as caught:
        one(cells, values)
    assert "Secret" not in str(caught.value)


@st.composite
def generalised(draw) -> tuple[list[tuple[str, ...]], list[list[str]], list[list[str]]]:
    """Rows, what they are generalised to, and the same generalised further in some cells."""
    before = draw(rows(2))
    levels = [[draw(st.integers(0, 2)) for _ in row] for row in before]
    further = [[draw(st.integers(level, 2)) for level in row] for row in levels]
    after, coarser = ([[LEVELS[n][v] for v, n in zip(*both)] for both in zip(before, chosen)] for chosen in (levels, further))
    return before, after, coarser


@given(generalised())
def test_generalising_never_raises_granularity_entropy_or_uniqueness_of_columns(found):
    before, after, coarser = (table("xy", part) for part in found)
    known = {"x": HIERARCHY, "y": HIERARCHY}
    first, then = measured(after, before, known), measured(coarser, before, known)
    assert first.uncovered == then.uncovered == 0
    assert then.granularity <= first.granularity + 1e-12 and then.entropy <= first.entropy + 1e-12
    assert 0 <= then.granularity <= 1 and 0 <= then.entropy <= 1 and 0 <= then.entropy_by_level <= 1
    whole = measured(before, before, known)
    assert (whole.granularity, whole.entropy, whole.entropy_by_level, whole.discernibility_quality) == (1, 1, 1, 1)


@given(rows(1), st.data())
def test_the_measures_are_those_of_the_definitions(before, data):
    cells = [data.draw(st.sampled_from(cells_over(v))) for (v,) in before]
    values = [v for (v,) in before]
    covers = {label: {r[0] for r in HIERARCHY.rows if label in r} for r in HIERARCHY.rows for label in r}
    meant = [set(c[1:-1].split(",")) if c.startswith("{") else covers[c] for c in cells]
    counts = Counter(values)
    lost = sum(math.log2(sum(counts[w] for w in m) / counts[v]) for v, m in zip(values, meant))
    most = sum(math.log2(len(values) / counts[v]) for v in values)
    found = one(cells, values)
    assert found.granularity == pytest.approx(1 - sum(len(m) - 1 for m in meant) / 3 / len(cells))
    assert found.entropy == pytest.approx(1 - lost / most if most else 1.0)
    assert found.discernibility == sum(n * (len(cells) if c == "*" else n) for c, n in Counter(cells).items())


@given(rows(1), st.data())
def test_entropy_by_level_is_summed_over_the_records_that_reach_each_level(before, data):
    values = [v for (v,) in before]
    levels = [data.draw(st.integers(0, 2)) for _ in values]
    lost, finer = 0.0, 0
    for level in sorted(set(levels)):
        here = [v for v, n in zip(values, levels) if n >= level]
        inner, outer = Counter(LEVELS[finer][v] for v in here), Counter(LEVELS[level][v] for v in here)
        lost += 0.0 if finer == level else sum(math.log2(outer[LEVELS[level][v]] / inner[LEVELS[finer][v]]) for v in here)
        finer = level
    most = sum(math.log2(len(values) / Counter(values)[v]) for v in values)
    found = one([LEVELS[n][v] for v, n in zip(values, levels)], values)
    assert found.entropy_by_level == pytest.approx(1 - lost / most if most else 1.0)


@given(generalised(), st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nothing(found, random):
    before, after, _ = found
    order = list(range(len(before)))
    random.shuffle(order)
    known = {"x": HIERARCHY, "y": HIERARCHY}
    kept = measured(table("xy", after), table("xy", before), known)
    mixed = measured(table("xy", [after[i] for i in order]), table("xy", [before[i] for i in order]), known)
    assert mixed.describe() == kept.describe()


@pytest.mark.skipif(not SCORER.exists() or not ADULT.exists(), reason="the shared data are not here")
def test_granularity_agrees_with_the_independent_scorer(tmp_path):
    original = read_table(str(ADULT / "adult.csv"))
    names = original.table.column_names
    known = read_hierarchies(str(ADULT), names)
    coarse = {}
    for i, name in enumerate(names):
        to = {row[0]: row[i % len(row)] for row in known[name].rows}
        if name == "age":  # ranges and sets too
            to = {v: f"[{int(v) // 7 * 7},{int(v) // 7 * 7 + 6}]" for v in to}
        elif i % 4 == 3:
            to = {v: "{" + ",".join(dict.fromkeys([v, known[name].rows[0][0]])) + "}" for v in to}
        cells = [to[v] for v in original.table.column(name).to_pylist()]
        coarse[name] = ["*" if row % 97 == 0 else cell for row, cell in enumerate(cells)]
    after = pa.table(coarse, schema=original.table.schema)
    write_table(Tabular(after, ";", "csv"), str(tmp_path / "out.csv"))
    command = [sys.executable, SCORER, ADULT / "adult.csv", tmp_path / "out.csv", ADULT]
    said = dict(line.split() for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())
    found = measured(after, original.table, known)
    assert f"{found.granularity:.4f}" == said["granularity"]
    assert f"{found.suppressed:.4f}" == said["rows_suppressed"] and found.uncovered == int(said["rows_wrong"]) == 0
    sizes = equivalence_classes(after, names).sizes
    assert (len(sizes), sizes.min()) == (int(said["groups"]), int(said["k"]))
