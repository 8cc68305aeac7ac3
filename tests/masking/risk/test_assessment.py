"""The whole report: what belongs together is measured together, bad input is refused, and no value is in it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.risk import Question, assess, binned
from schemas.errors import InputError
from tests.masking.risk.tables import HIERARCHY, rows, table

BEFORE = [("a", "1"), ("a", "2"), ("b", "3"), ("c", "4"), ("d", "5")]
AFTER = [("ab", "1"), ("ab", "2"), ("ab", "3"), ("c", "4"), ("*", "5")]


def report(**options):
    question = Question(("x",), ("y",), {"x": HIERARCHY}, **options)
    return assess(table("xy", AFTER), question, table("xy", BEFORE))


def test_before_and_after_stand_side_by_side():
    found = report()
    assert (found.before.classes, found.before.unique, found.before.smallest) == (4, 3, 1)
    assert (found.after.classes, found.after.unique, found.after.smallest, found.after.suppressed) == (2, 1, 1, 1)
    assert found.after.class_sizes == ((1, 1), (3, 1))
    assert found.after.prosecutor.average == pytest.approx(2 / 4)
    assert [d.distinct for d in (*found.before.sensitive, *found.after.sensitive)] == [1, 1]
    assert found.utility.granularity < found.original.granularity == 1.0
    column = found.before.columns[0]
    assert (column.distinct, column.distinction, column.unique) == (4, 4 / 5, 3 / 5)
    assert column.separation == pytest.approx(1 - 2 / 20)


def test_the_table_is_its_own_population_only_where_no_other_is_given():
    alone = report()
    assert alone.after.in_sample and alone.after.population is None
    people = table("xy", [*BEFORE, ("a", "9"), ("a", "9"), ("c", "9")])
    among = report(population=people, population_file="people.csv")
    assert not among.after.in_sample and among.after.population.population == 8
    assert among.after.journalist.highest == pytest.approx(1 / 2)  # c has two people
    assert among.after.prosecutor == alone.after.prosecutor
    assert report(population_size=500).after.population.population == 500


def test_without_the_original_the_table_is_measured_alone():
    found = assess(table("x", [["a"], ["a"], ["b"]]), Question(("x",)))
    assert (found.before, found.original, found.after.unique) == (None, None, 1)
    assert found.describe()["before"] is None


@pytest.mark.parametrize(
    ("after", "before", "options", "words"),
    [
        ([], None, {}, "t.csv has no records"),
        ([("a", "1")], BEFORE, {}, "t.csv has 1 records and the original 5"),
        (AFTER, None, {"population_size": 4}, "a population of 4 is smaller than the table, which has 5 records"),
        (AFTER, None, {"population": table("xy", BEFORE[:2])}, "a population of 2 is smaller than the table"),
    ],
)
def test_tables_that_do_not_belong_together_are_refused(after, before, options, words):
    with pytest.raises(InputError, match=words):
        assess(table("xy", after), Question(("x",), **options), before and table("xy", before), "t.csv")


def test_the_report_has_counts_and_names_and_no_value():
    secrets = [f"Secret-{i}" for i in range(6)]
    found = assess(
        table("xy", [[s, s + "-y"] for s in secrets]),
        Question(("x",), ("y",), population_size=1000),
        table("xy", [[s, s] for s in secrets]),
    )
    assert "Secret" not in json.dumps(found.describe()) and "Secret" not in repr(found)


def test_figures_are_rounded_so_that_machines_agree():
    def places(value):
        if isinstance(value, dict):
            return max((places(v) for v in value.values()), default=0)
        if isinstance(value, list):
            return max(map(places, value), default=0)
        return -Decimal(repr(value)).as_tuple().exponent if isinstance(value, float) else 0

    assert 0 < places(report(population_size=77).describe()) <= 8


@given(rows(2), st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nothing(found, random):
    question = Question(("x",), ("y",), {"x": HIERARCHY}, population_size=1000)
    first = assess(table("xy", found), question, table("xy", found)).describe()
    random.shuffle(found)
    assert assess(table("xy", found), question, table("xy", found)).describe() == first


@given(rows(2))
def test_leaving_a_column_out_never_raises_a_risk(found):
    both, one = (assess(table("xy", found), Question(names)).after for names in (("x", "y"), ("x",)))
    assert one.prosecutor.highest <= both.prosecutor.highest and one.prosecutor.average <= both.prosecutor.average
    assert one.unique <= both.unique and one.smallest >= both.smallest


@given(rows(2), st.integers(0, 2), st.integers(0, 2))
def test_generalising_whole_columns_never_raises_a_risk_or_uniqueness(found, first, second):
    to = [{row[0]: row[level] for row in HIERARCHY.rows} for level in (first, second)]
    coarse = [[to[c][v] for c, v in enumerate(row)] for row in found]
    question = Question(("x", "y"), (), {"x": HIERARCHY, "y": HIERARCHY})
    report = assess(table("xy", coarse), question, table("xy", found))
    assert report.after.unique <= report.before.unique
    if report.after.suppressed < report.after.records:
        assert report.after.prosecutor.highest <= report.before.prosecutor.highest
    assert report.utility.granularity <= 1 and report.utility.uncovered == 0


def test_sizes_are_put_into_bins_that_grow():
    bins = binned([(1, 5), (3, 2), (9, 1), (20, 1), (150, 2), (2000, 1)])
    assert [(low, high) for low, high, _, _ in bins] == [
        (1, 1), (2, 2), (3, 3), (4, 4), (5, 9), (10, 19), (20, 49), (50, 99), (100, 199), (200, 499), (500, 999), (1000, 1999), (2000, 4999)
    ]  # fmt: skip
    assert [(classes, records) for _, _, classes, records in bins if classes] == [(5, 5), (2, 6), (1, 9), (1, 20), (2, 300), (1, 2000)]
    assert binned([]) == [(1, 1, 0, 0), (2, 2, 0, 0), (3, 3, 0, 0), (4, 4, 0, 0)]
