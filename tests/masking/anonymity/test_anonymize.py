"""What is promised of every anonymised table, whatever the table and the models."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.anonymity import (
    DistinctDiversity,
    EntropyDiversity,
    EqualCloseness,
    KAnonymity,
    OrderedCloseness,
    QuasiIdentifier,
    RecursiveDiversity,
    Specification,
    anonymize,
    check,
)
from masking.anonymity.hierarchy import make_hierarchy
from masking.anonymity.hierarchy_functions import hierarchy_function
from masking.errors import ModelInfeasible, ModelViolated
from schemas.errors import InputError
from tests.masking.anonymity.tables import census, questions, text_table
from tests.spread import one_in


def ages(table: pa.Table) -> QuasiIdentifier:
    return QuasiIdentifier("age", hierarchy_function("interval:5,10,20", "age", table.column("age").to_pylist()))


def classes(table: pa.Table, names: list[str]) -> Counter:
    return Counter(zip(*(table.column(name).to_pylist() for name in names), strict=True))


@given(questions())
def test_every_table_meets_its_models_covers_its_values_and_keeps_its_rows(question):
    table, asked = question
    try:
        found = anonymize(table, asked)
    except ModelInfeasible:
        whole = text_table([("*", value) for value in table.column("s").to_pylist()], "as")
        with pytest.raises(Exception, match="does not hold"):
            check(whole, whole, replace(asked, quasi_identifiers=(QuasiIdentifier("a"),), suppression=0.0))
        return
    assert found.table.num_rows == table.num_rows
    check(table, found.table, asked)
    assert found.summary.suppressed <= asked.suppression * table.num_rows
    assert -1e-9 <= found.summary.granularity <= 1 + 1e-9
    keys = [name for name in found.table.column_names if name != "s"]
    assert min(classes(found.table, keys).values()) >= asked.models[0].k, "counted once more, by hand"


@given(questions())
def test_the_same_table_becomes_the_same_table(question):
    table, asked = question
    try:
        first = anonymize(table, asked)
    except ModelInfeasible:
        return
    again = anonymize(table, asked)
    assert first.table.equals(again.table)
    assert first.summary == again.summary


@given(questions(), st.randoms())
def test_the_order_of_rows_changes_no_class(question, random):
    table, asked = question
    order = list(range(table.num_rows))
    random.shuffle(order)
    try:
        found = anonymize(table, asked).table
    except ModelInfeasible:
        return
    assert anonymize(table.take(order), asked).table.equals(found.take(order))


@pytest.mark.parametrize("notation", one_in(3, ["labels", "sets", "typed"]))
@pytest.mark.parametrize("recoding", ["local", "global"])
@pytest.mark.parametrize(
    "models",
    [
        [KAnonymity(5)],
        [KAnonymity(300)],
        [KAnonymity(5), DistinctDiversity(3, "illness")],
        [KAnonymity(2), EntropyDiversity(3.5, "illness")],
        [KAnonymity(5), RecursiveDiversity(3, "illness", 3.0), EqualCloseness(0.4, "illness")],
        [KAnonymity(5), OrderedCloseness(0.15, "illness")],
    ],
    ids=["small-k", "large-k", "distinct", "entropy", "recursive-and-equal", "ordered"],
)
def test_a_census_meets_its_models(notation, recoding, models):
    table = census(3000)
    quasi = (ages(table), *(QuasiIdentifier(name) for name in ("sex", "region", "education", "work")))
    asked = Specification(quasi, tuple(models), recoding, notation)
    found = anonymize(table, asked)
    check(table, found.table, asked)
    assert found.table.column("illness").equals(table.column("illness"))


@pytest.mark.parametrize("recoding", ["local", "global"])
def test_a_table_of_many_columns_has_more_generalisations_than_can_be_tried(recoding):
    random = np.random.default_rng(3)
    names = [f"c{i}" for i in range(14)]
    table = pa.table({name: pa.array([str(n) for n in random.geometric(0.4, 1500)]) for name in names})
    quasi = tuple(QuasiIdentifier(name, hierarchy_function("interval:2,4,8,16", name, table.column(name).to_pylist())) for name in names)
    asked = Specification(quasi, (KAnonymity(5),), recoding)
    found = anonymize(table, asked)
    check(table, found.table, asked)
    assert found.summary.granularity > 0, "better than the top of everything, which always meets the model"


def test_local_recoding_keeps_more_than_global():
    table = census(3000)
    asked = Specification((ages(table), *map(QuasiIdentifier, ("sex", "region", "education"))), (KAnonymity(5),), "global")
    assert anonymize(table, replace(asked, recoding="local")).summary.granularity > anonymize(table, asked).summary.granularity + 0.1


@pytest.mark.parametrize("seed", [1, 2])
def test_no_row_loses_everything_where_other_classes_can_take_it_in(seed):
    table = census(1500, seed)
    functions = {"age": "interval:5,10,20", "region": "prefix:2", "education": "prefix:2"}
    told = [QuasiIdentifier(name, hierarchy_function(text, name, table.column(name).to_pylist())) for name, text in functions.items()]
    flat = [
        QuasiIdentifier(name, make_hierarchy([(v, "*") for v in sorted(set(table.column(name).to_pylist()))])) for name in ("work", "sex")
    ]
    found = anonymize(table, Specification((*told, *flat), (KAnonymity(10),))).table
    assert ("*",) * 5 not in classes(found, [*functions, "work", "sex"])


def test_a_smaller_k_never_loses_more():
    table = census(3000)
    asked = [Specification((ages(table), *map(QuasiIdentifier, ("sex", "region", "work"))), (KAnonymity(k),)) for k in (2, 5, 10, 50, 500)]
    kept = [anonymize(table, one).summary.granularity for one in asked]
    assert kept == sorted(kept, reverse=True)


def test_a_column_of_more_weight_keeps_more():
    table = census(3000)

    def loss(weight: float) -> float:
        quasi = (ages(table), QuasiIdentifier("region", weight=weight), QuasiIdentifier("education"))
        return anonymize(table, Specification(quasi, (KAnonymity(10),), notation="sets")).summary.losses["region"]

    assert loss(8.0) < loss(1.0) < loss(0.1)


@given(questions())
def test_global_recoding_without_suppression_is_the_best_there_is(question):
    table, asked = question
    asked = replace(asked, recoding="global", suppression=0.0, notation="labels")
    hierarchies = [quasi.hierarchy for quasi in asked.quasi_identifiers]
    if any(hierarchy is None for hierarchy in hierarchies):
        return
    try:
        found = anonymize(table, asked)
    except ModelInfeasible:
        return
    best = None
    values = [table.column(quasi.name).to_pylist() for quasi in asked.quasi_identifiers]
    for levels in itertools.product(*(range(hierarchy.height) for hierarchy in hierarchies)):
        columns, loss = {}, 0.0
        for quasi, held, level in zip(asked.quasi_identifiers, values, levels, strict=True):
            hierarchy = quasi.hierarchy
            at = [hierarchy.ancestors[level, hierarchy.code[value]] for value in held]
            columns[quasi.name] = pa.array([hierarchy.labels[node] for node in at], pa.string())
            loss += quasi.weight * np.mean([hierarchy.losses[node] for node in at])
        recoded = pa.table({**columns, "s": table.column("s")})
        try:
            check(table, recoded, asked)
        except ModelViolated:
            continue
        best = loss if best is None else min(best, loss)
    reached = sum(quasi.weight * found.summary.losses[quasi.name] for quasi in asked.quasi_identifiers)
    assert reached == pytest.approx(best)


@pytest.mark.parametrize("k", [2, 3, 5, 10, 30, 100])
def test_global_recoding_of_a_census_is_the_best_of_all_levels(k):
    table = census(800)
    functions = {"age": "interval:5,10,20", "region": "prefix:2,1", "education": "prefix:2,1", "work": "prefix:1"}
    quasi = tuple(QuasiIdentifier(name, hierarchy_function(text, name, table.column(name).to_pylist())) for name, text in functions.items())
    nodes, losses = [], []
    for one in quasi:
        at = np.array([one.hierarchy.code[value] for value in table.column(one.name).to_pylist()])
        nodes.append([level[at] for level in one.hierarchy.ancestors])
        losses.append([one.hierarchy.losses[level].mean() for level in nodes[-1]])
    best = min(
        sum(lost[level] for lost, level in zip(losses, levels, strict=True)) / len(quasi)
        for levels in itertools.product(*(range(len(held)) for held in nodes))
        if min(Counter(zip(*(held[level].tolist() for held, level in zip(nodes, levels, strict=True)), strict=True)).values()) >= k
    )
    assert 1 - anonymize(table, Specification(quasi, (KAnonymity(k),), "global")).summary.granularity == pytest.approx(best)


def test_global_recoding_has_one_level_a_column():
    table = census(2000)
    hierarchy = ages(table).hierarchy
    found = anonymize(table, Specification((ages(table), QuasiIdentifier("sex")), (KAnonymity(20),), "global"))
    level = found.summary.levels["age"]
    assert set(found.table.column("age").to_pylist()) <= set(hierarchy.levels[level])


@pytest.mark.parametrize("recoding", ["local", "global"])
def test_rows_that_would_cost_the_others_much_are_suppressed_where_that_is_allowed(recoding):
    rows = [("a", "flu"), ("a", "cold"), ("b", "flu"), ("b", "cold")] * 25 + [("c", "flu")] * 5
    table = text_table(rows, "as")
    asked = Specification((QuasiIdentifier("a"),), (KAnonymity(5), DistinctDiversity(2, "s")), recoding, suppression=0.05)
    found = anonymize(table, asked)
    assert found.summary.suppressed == 5
    assert found.table.column("a").to_pylist() == ["a", "a", "b", "b"] * 25 + ["*"] * 5
    kept = anonymize(table, replace(asked, suppression=0.04))
    assert kept.summary.suppressed == 0
    assert kept.summary.granularity < found.summary.granularity


@pytest.mark.parametrize("more", [(), (DistinctDiversity(1, "s"),)])
def test_those_who_are_suppressed_are_as_many_as_a_class_must_be(more):
    table = text_table([("a", "x")] * 50 + [("b", "x")] * 8 + [("c", "x")], "as")
    asked = Specification((QuasiIdentifier("a"),), (KAnonymity(5), *more), "global", suppression=0.2)
    assert Counter(anonymize(table, asked).table.column("a").to_pylist()) == {"a": 50, "*": 9}


def test_granularity_counts_what_cells_cover():
    table = text_table([("1", "u"), ("2", "u"), ("3", "v"), ("9", "v")], "nt")
    found = anonymize(table, Specification((QuasiIdentifier("n"), QuasiIdentifier("t")), (KAnonymity(2),)))
    assert found.table.column("n").to_pylist() == ["[1,2]"] * 2 + ["[3,9]"] * 2
    assert found.summary.losses == {"n": pytest.approx(1 / 3), "t": 0}, "one other of the three other numbers"
    assert found.summary.granularity == pytest.approx(5 / 6)


def test_notations():
    table = text_table([("1", "x"), ("2", "y"), ("3", "x"), ("9", "y")], "nt")
    quasi = (QuasiIdentifier("n", hierarchy_function("interval:5", "n", ["1", "2", "3", "9"])), QuasiIdentifier("t"))

    def cells(notation, models=(KAnonymity(4),)):
        return anonymize(table, Specification(quasi, models, notation=notation)).table.slice(0, 1).to_pylist()[0]

    assert cells("labels") == {"n": "*", "t": "{x,y}"}
    assert cells("sets") == {"n": "{1,2,3,9}", "t": "{x,y}"}
    assert cells("typed") == {"n": "5", "n_low": "1", "n_high": "9", "t": "{x,y}"}


def test_without_a_hierarchy_numbers_become_ranges_and_texts_sets():
    table = text_table([("1.5", "x"), ("10", "y")], "nt")
    found = anonymize(table, Specification((QuasiIdentifier("n"), QuasiIdentifier("t")), (KAnonymity(2),)))
    assert found.table.to_pylist() == [{"n": "[1.5,10]", "t": "{x,y}"}] * 2


def test_codes_with_leading_zeros_are_no_numbers():
    table = text_table([("02139",), ("02140",)], "z")
    assert anonymize(table, Specification((QuasiIdentifier("z"),), (KAnonymity(2),))).table.column("z")[0].as_py() == "{02139,02140}"


def test_whole_numbers_without_a_gap_are_written_as_a_range_in_sets():
    table = text_table([("7",), ("8",), ("9",)], "n")
    found = anonymize(table, Specification((QuasiIdentifier("n"),), (KAnonymity(3),), notation="sets"))
    assert found.table.column("n").to_pylist() == ["[7,9]"] * 3


def test_null_is_a_value_of_its_own():
    table = text_table([(None, "a"), (None, "a"), ("x", None), ("x", "b")], "nt")
    found = anonymize(table, Specification((QuasiIdentifier("n"), QuasiIdentifier("t")), (KAnonymity(2),)))
    assert found.table.to_pylist() == [{"n": None, "t": "a"}] * 2 + [{"n": "x", "t": "{b,}"}] * 2


def test_a_null_among_numbers_is_covered_by_all_alone():
    table = text_table([(None,), ("3",), ("4",)], "n")
    assert anonymize(table, Specification((QuasiIdentifier("n"),), (KAnonymity(3),))).table.column("n").to_pylist() == ["*"] * 3


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"quasi_identifiers": (QuasiIdentifier("agee"),)}, "no column 'agee'; did you mean 'age'"),
        ({"quasi_identifiers": ()}, "no quasi-identifiers"),
        ({"quasi_identifiers": (QuasiIdentifier("age"), QuasiIdentifier("age"))}, "more than once"),
        ({"quasi_identifiers": (QuasiIdentifier("age", weight=0.0),)}, "weight of 'age'"),
        ({"models": ()}, "no privacy model"),
        ({"models": (KAnonymity(21),)}, "k = 20, the rows of the table"),
        ({"models": (DistinctDiversity(2, "age"),)}, "only be one of the two"),
        ({"models": (DistinctDiversity(2, "ilness"),)}, "did you mean 'illness'"),
        ({"suppression": 1.0}, "suppression limit"),
        ({"quasi_identifiers": (QuasiIdentifier("age", make_hierarchy([("secret", "*")])),)}, "are no leaves of its hierarchy"),
    ],
)
def test_what_cannot_be_done_is_said(change, what):
    table = census(20)
    with pytest.raises(InputError) as caught:
        anonymize(table, replace(Specification((QuasiIdentifier("age"),), (KAnonymity(2),)), **change))
    assert what in str(caught.value)


def test_an_empty_table_is_refused():
    with pytest.raises(InputError, match="no rows"):
        anonymize(census(5).slice(0, 0), Specification((QuasiIdentifier("age"),), (KAnonymity(2),)))


def test_columns_of_bounds_do_not_overwrite_others():
    table = text_table([("1", "x"), ("2", "y")], "nt").rename_columns(["n", "n_low"])
    with pytest.raises(InputError, match="'n_low'"):
        anonymize(table, Specification((QuasiIdentifier("n"),), (KAnonymity(2),), notation="typed"))
