"""Edits change what they name and what reads it, and `docs/stability.md` names the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.stability import EDITS, TEN_TIMES, Cells, cells, company, compare
from tests.spread import one_in

SCALE = 0.06
PAGE = Path(__file__).parents[2] / "docs" / "stability.md"


@pytest.fixture(scope="module")
def before() -> Cells:
    return cells(company(), SCALE)


@pytest.mark.parametrize("name", one_in(4, EDITS))
def test_an_edit_changes_only_what_follows_it(name, before):
    edit = EDITS[name]
    found = compare(before, cells(edit.make(company()), SCALE), edit)
    assert found["cells"] > 300_000
    assert sorted(found["columns"]) == sorted(edit.expected)
    assert all(f"`{column}`" in PAGE.read_text("utf-8") for column in edit.expected)


def test_a_larger_scale_begins_with_the_rows_of_a_smaller_one(before):
    found = compare(before, cells(company(), SCALE * 10), TEN_TIMES)
    assert sorted(found["columns"]) == sorted(TEN_TIMES.expected)


def test_changed_cells_are_counted(before):
    edit = EDITS["change one weight"]
    found = compare(before, cells(edit.make(company()), SCALE), EDITS["add a table"])
    assert found["columns"].keys() == {"refunds.reason"}
    assert found["unexplained"] == ["refunds.reason"]
