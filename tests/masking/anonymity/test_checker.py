"""The checker finds every way in which a finished file is not what was asked for."""

from __future__ import annotations

import pyarrow as pa
import pytest

from masking.anonymity import (
    DistinctDiversity,
    EntropyDiversity,
    EqualCloseness,
    KAnonymity,
    OrderedCloseness,
    QuasiIdentifier,
    RecursiveDiversity,
    Specification,
    check,
)
from masking.anonymity.hierarchy import make_hierarchy
from masking.errors import ModelViolated
from schemas.plurals import counted
from tests.masking.anonymity.tables import text_table

COLOURS = make_hierarchy([("red", "warm", "*"), ("orange", "warm", "*"), ("blue", "cold", "*")])
BEFORE = text_table([("red", "1"), ("orange", "2"), ("red", "3"), ("blue", "4")], "cs")


def asked(*models, hierarchy=COLOURS, suppression=0.0):
    return Specification((QuasiIdentifier("c", hierarchy),), models or (KAnonymity(1),), suppression=suppression)


def recoded(*cells: str | None) -> pa.Table:
    return text_table(list(zip(cells, BEFORE.column("s").to_pylist(), strict=True)), "cs")


def test_a_table_that_is_right_passes():
    check(BEFORE, recoded("warm", "warm", "warm", "blue"), asked())
    check(BEFORE, recoded("*", "*", "*", "*"), asked(KAnonymity(4)))
    check(BEFORE, recoded("{red,orange}", "{orange,red}", "red", "blue"), asked())


@pytest.mark.parametrize(
    ("cells", "rows"),
    [
        (("cold", "warm", "warm", "blue"), 1),
        (("orange", "warm", "red", "blue"), 1),
        (("{orange,blue}", "{blue,red}", "red", "blue"), 2),
        (("unheard", "orange", "red", "blue"), 1),
        ((None, "orange", "red", "blue"), 1),
    ],
)
def test_a_cell_that_does_not_cover_its_value_is_found(cells, rows):
    with pytest.raises(ModelViolated, match=f"column 'c': {counted(rows, 'row')} of the finished file"):
        check(BEFORE, recoded(*cells), asked())


@pytest.mark.parametrize(
    ("value", "cell", "covers"),
    [
        ("5", "[4,6]", True),
        ("7", "[4,6]", False),
        ("4.5", "[4,6]", True),
        ("5", "(4,6)", False),
        ("x", "[4,6]", False),
        (None, "[4,6]", False),
        (None, "{a,}", True),
        ("", "{a,}", False),
        ("", '{a,""}', True),
        ("d,e", '{a,"d,e"}', True),
        ("d", '{a,"d,e"}', False),
        ("d,e", "{a,d,e}", False),
        ('"', '{a,""""}', True),
        ("a", "{ab,b}", False),
        ("a", "*", True),
        (None, "*", True),
        ("a", None, False),
    ],
)
def test_what_sets_and_ranges_cover(value, cell, covers):
    before, after = (text_table([(text, "1")], "cs") for text in (value, cell))
    if covers:
        check(before, after, asked(hierarchy=None))
    else:
        with pytest.raises(ModelViolated, match="do(es)? not cover"):
            check(before, after, asked(hierarchy=None))


def test_lost_rows_and_changed_columns_are_found():
    with pytest.raises(ModelViolated, match="3 rows, where 4 were read"):
        check(BEFORE, BEFORE.slice(1), asked())
    with pytest.raises(ModelViolated, match="column 's' is no quasi-identifier, but was changed"):
        check(BEFORE, BEFORE.set_column(1, "s", pa.array(["1", "2", "4", "3"])), asked())


@pytest.mark.parametrize(
    ("model", "broken"),
    [
        (KAnonymity(3), "1 of 2 classes"),
        (DistinctDiversity(2, "s"), "1 of 2 classes"),
        (EntropyDiversity(1.5, "s"), "1 of 2 classes"),
        (RecursiveDiversity(2, "s", 1.1), "1 of 2 classes"),
        (EqualCloseness(0.5, "s"), "1 of 2 classes"),
        (OrderedCloseness(0.4, "s"), "1 of 2 classes"),
    ],
)
def test_a_class_that_breaks_a_model_is_found(model, broken):
    after = recoded("warm", "warm", "warm", "blue")
    with pytest.raises(ModelViolated) as caught:
        check(BEFORE, after, asked(model))
    assert broken in str(caught.value)
    assert "blue" not in str(caught.value)


def test_recursive_diversity_is_counted_anew():
    table = text_table([("red", "a")] * 3 + [("red", "b")], "cs")
    check(table, table, asked(RecursiveDiversity(2, "s", 3.1)))
    with pytest.raises(ModelViolated, match="1 of 1 classes"):
        check(table, table, asked(RecursiveDiversity(2, "s", 3.0)))


def test_suppressed_rows_are_excused_within_the_limit_alone():
    after = recoded("warm", "warm", "warm", "*")
    check(BEFORE, after, asked(DistinctDiversity(2, "s"), suppression=0.25))
    for models, limit in ([DistinctDiversity(2, "s")], 0.2), ([DistinctDiversity(2, "s")], 0.0), ([KAnonymity(2)], 0.25):
        with pytest.raises(ModelViolated):
            check(BEFORE, after, asked(*models, suppression=limit))


def test_rows_of_which_something_is_left_are_not_excused_as_suppressed():
    table = text_table([("red", "1", "x"), ("blue", "1", "x"), ("red", "2", "x"), ("red", "2", "y")], "cds")
    after = table.set_column(0, "c", pa.array(["*", "*", "red", "red"]))
    columns = (QuasiIdentifier("c", COLOURS), QuasiIdentifier("d"))
    with pytest.raises(ModelViolated, match="1 of 2 classes"):
        check(table, after, Specification(columns, (DistinctDiversity(2, "s"),), suppression=0.5))


def test_rows_that_were_null_are_not_excused_as_suppressed():
    table = text_table([(None, None, "x"), (None, None, "x"), ("red", "2", "x"), ("red", "2", "y")], "cns")
    columns = (QuasiIdentifier("c"), QuasiIdentifier("n"))
    question = Specification(columns, (DistinctDiversity(2, "s"),), notation="typed", suppression=0.5)
    with pytest.raises(ModelViolated, match="1 of 2 classes"):
        check(table, table, question)
    bounds = {f"n{end}": table.column("n") for end in ("", "_low", "_high")}
    with pytest.raises(ModelViolated, match="1 of 2 classes"):
        check(table, pa.table({"c": table.column("c"), **bounds, "s": table.column("s")}), question)


def test_null_bounds_are_those_of_suppressed_rows_where_a_number_was_lost():
    question = Specification((QuasiIdentifier("n"),), (DistinctDiversity(2, "s"),), notation="typed", suppression=0.5)
    bounds = {f"n{end}": pa.array([None, None, "2", "2"]) for end in ("", "_low", "_high")}
    for first, excused in (("7", True), (None, False)):
        before = text_table([(first, "x"), (None, "x"), ("2", "x"), ("2", "y")], "ns")
        after = pa.table({**bounds, "s": before.column("s")})
        if excused:
            check(before, after, question)
        else:
            with pytest.raises(ModelViolated, match="1 of 2 classes.*another notation"):
                check(before, after, question)


def test_middles_and_bounds_are_checked_together():
    before = text_table([("3",), ("5",)], "n")
    typed = pa.table({"n": ["4", "4"], "n_low": ["3", "3"], "n_high": ["5", "5"]})
    question = Specification((QuasiIdentifier("n"),), (KAnonymity(2),), notation="typed")
    check(before, typed, question)
    with pytest.raises(ModelViolated, match="column 'n': 1 row "):
        check(before, typed.set_column(2, "n_high", pa.array(["4", "4"])), question)
    with pytest.raises(ModelViolated, match="column 'n': 2 rows"):
        check(before, typed.set_column(0, "n", pa.array(["6", "6"])), question)
    with pytest.raises(ModelViolated, match="column 'n': 2 rows"):
        check(before, typed.set_column(1, "n_low", pa.nulls(2, pa.string())).set_column(2, "n_high", pa.nulls(2, pa.string())), question)
