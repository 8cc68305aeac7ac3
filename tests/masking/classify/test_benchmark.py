"""The databases with known answers, and what the classifier makes of them."""

from __future__ import annotations

import pytest

from benchmarks.classify import PRECISION, RECALL, Score, databases, renamed, score


@pytest.mark.parametrize("group", ["development", "held_out"])
def test_every_answer_is_of_a_column_that_is_there(group: str) -> None:
    name = "forum" if group == "development" else "school"
    (database,) = databases((group,), name)
    assert database.answers
    assert all(database.schema.table(table).has(column) for table, column in database.answers)
    assert all(c.generate is None and c.semantic is None and c.data_class == "internal" for t in database.schema.tables for c in t.columns)


def test_a_school_that_was_held_out_is_classified_as_well_as_promised() -> None:
    (database,) = databases(("held_out",), "school")
    report = score(database, deep=False).report()
    assert report["precision"] >= PRECISION
    assert report["recall"] >= RECALL


def test_without_any_name_most_of_what_is_personal_is_still_found() -> None:
    (database,) = databases(("held_out",), "school")
    without = renamed(database, "numbered")
    assert {c.name[0] for t in without.schema.tables for c in t.columns} == {"c"}
    report = score(without, deep=False).report()
    assert report["recall"] >= 0.8


@pytest.mark.slow
@pytest.mark.parametrize("group", ["development", "held_out"])
def test_all_databases_together_are_classified_as_well_as_promised(group: str) -> None:
    total = Score()
    for database in databases((group,)):
        total = total.plus(score(database, deep=False))
    assert total.report()["precision"] >= PRECISION
    assert total.report()["recall"] >= RECALL
