"""l-diversity and t-closeness that tables reach, by hand and against the plain definitions."""

from __future__ import annotations

import math
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.risk.diversity import diversity
from masking.risk.equivalence import equivalence_classes
from tests.masking.risk.tables import table


def reached(rows: list[tuple[str, str | None]]):
    found = table(("q", "s"), rows)
    return diversity(equivalence_classes(found, ["q"]), "s", found.column("s"))


def test_a_table_by_hand():
    # class x: 2 flu, 1 hiv, 1 cold; class y: 2 flu, 2 hiv; all: 4 flu, 3 hiv, 1 cold of 8
    found = reached([("x", "flu"), ("x", "flu"), ("x", "hiv"), ("x", "cold"), ("y", "flu"), ("y", "flu"), ("y", "hiv"), ("y", "hiv")])
    assert (found.values, found.distinct) == (3, 2)
    assert found.entropy == pytest.approx(2.0)  # class y: two values alike
    assert found.recursive == pytest.approx(1.0)  # for l = 2: x 2 / (1 + 1), y 2 / 2
    assert found.equal == pytest.approx((1 / 8 + 1 / 8) / 2)
    assert found.ordered is None


def test_numbers_are_ordered_by_their_size():
    # the salaries of N. Li et al., 3 to 11 thousand; their first class has a distance of 0.375, their second of 0.167
    salaries = [("a", 3), ("a", 4), ("a", 5), ("b", 6), ("b", 11), ("b", 8), ("c", 7), ("c", 9), ("c", 10)]
    found = reached([(q, f"{s}000") for q, s in salaries])
    assert found.ordered == pytest.approx(0.375)
    one = reached([("x", "3000"), ("x", "6000"), ("y", "9000"), ("y", "1e4")])
    assert one.ordered == pytest.approx((0.25 + 0.5 + 0.25) / 3)


def test_one_value_in_a_class_is_no_diversity():
    found = reached([("x", "flu"), ("x", "flu"), ("y", "flu"), ("y", "hiv")])
    assert (found.distinct, found.entropy, found.recursive) == (1, 1.0, None)


def test_null_is_a_value_and_suppressed_records_count_for_the_table_alone():
    found = reached([("x", "1"), ("x", None), ("*", "2"), ("*", "2")])
    assert (found.values, found.distinct) == (3, 2)
    assert found.equal == pytest.approx((1 / 4 + 1 / 4 + 2 / 4) / 2)
    assert reached([("*", "1"), ("*", "2")]).distinct is None


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from(["-3", "1", "2.5", "10", "200"])), min_size=1, max_size=25))
def test_the_figures_are_those_of_the_definitions(rows):
    found = reached(rows)
    values = sorted({s for _, s in rows}, key=float)
    overall = [sum(s == v for _, s in rows) / len(rows) for v in values]
    distinct, entropies, recursive, equal, ordered = [], [], [], [], [0.0]
    classes = {q: Counter(s for c, s in rows if c == q) for q, _ in rows}
    least = min(len(c) for c in classes.values())
    for counts in classes.values():
        shares = [counts[v] / counts.total() for v in values]
        falling = sorted(counts.values(), reverse=True)
        distinct.append(len(counts))
        entropies.append(math.exp(-sum(p * math.log(p) for p in shares if p)))
        recursive.append(falling[0] / sum(falling[least - 1 :]))
        equal.append(sum(abs(p - q) for p, q in zip(shares, overall)) / 2)
        if len(values) > 1:
            ordered.append(sum(abs(sum(shares[: i + 1]) - sum(overall[: i + 1])) for i in range(len(values))) / (len(values) - 1))
    assert found.distinct == min(distinct)
    assert found.entropy == pytest.approx(min(entropies))
    assert found.recursive == (pytest.approx(max(recursive)) if least > 1 else None)
    assert found.equal == pytest.approx(max(equal), abs=1e-12)
    assert found.ordered is None if len(values) == 1 else found.ordered == pytest.approx(max(ordered), abs=1e-12)


def test_chunks_are_no_matter():
    rows = [("x", "1"), ("x", "2"), ("y", "1"), ("y", "3")]
    whole, classes = table(("q", "s"), rows), equivalence_classes(table(("q", "s"), rows), ["q"])
    pieces = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    assert diversity(classes, "s", pieces.column("s")) == diversity(classes, "s", whole.column("s"))
