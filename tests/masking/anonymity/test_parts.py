"""Rows of two parts of a table are never in one class, and each part is recoded as well as it would be alone."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.anonymity import KAnonymity, QuasiIdentifier, Specification, anonymize, check, classes_apart
from masking.anonymity.hierarchy import make_hierarchy
from masking.anonymity.models import smallest_class
from masking.errors import ModelInfeasible
from tests.masking.anonymity.tables import census, questions, text_table


def as_classes(table: pa.Table, classes: list[str], asked: Specification) -> tuple[pa.Table, Specification]:
    """The table with the class of each row as its only quasi-identifier."""
    return text_table(list(zip(classes, table.column("s").to_pylist(), strict=True)), "as"), replace(
        asked, quasi_identifiers=(QuasiIdentifier("a"),), suppression=0.0, notation="labels"
    )


@given(questions(), st.data())
def test_every_class_is_of_one_part_and_meets_the_models(question, data):
    table, asked = question
    drawn = data.draw(st.lists(st.integers(0, 3), min_size=table.num_rows, max_size=table.num_rows))
    parts = np.unique(drawn, return_inverse=True)[1].astype(np.int64)
    try:
        found = classes_apart(table, asked, parts)
    except ModelInfeasible:
        whole = as_classes(table, [str(part) for part in parts], asked)
        with pytest.raises(Exception, match="does not hold"):
            check(whole[0], *whole)
        return
    pairs = {(cls, part) for cls, part in zip(found.tolist(), parts.tolist(), strict=True) if cls >= 0}
    assert len({cls for cls, _ in pairs}) == len(pairs)
    for part, rows in Counter(parts.tolist()).items():
        gone = int(((found < 0) & (parts == part)).sum())
        assert gone == 0 or smallest_class(asked.models) <= gone <= math.floor(asked.suppression * rows + 1e-9)
    if not asked.suppression:
        classes = as_classes(table, [str(cls) for cls in found], asked)
        check(classes[0], *classes)


def loss(table: pa.Table, names: tuple[str, ...], classes: np.ndarray) -> float:
    """What the sets of a row lose, on average: their other values, as a share of the column's."""
    held: dict[tuple[int, str], set[str]] = defaultdict(set)
    for name in names:
        for cls, value in zip(classes.tolist(), table.column(name).to_pylist(), strict=True):
            held[cls, name].add(value)
    rows = Counter(classes.tolist())
    most = {name: len(table.column(name).unique()) - 1 for name in names}
    return sum(rows[cls] * (len(values) - 1) / most[name] for (cls, name), values in held.items()) / table.num_rows / len(names)


def test_many_parts_lose_no_more_than_each_alone():
    table, names, parts = census(4000), ("sex", "age", "education", "work"), np.arange(4000) % 80
    flat = {name: make_hierarchy([[value, "*"] for value in sorted(table.column(name).unique().to_pylist())]) for name in names}
    asked = Specification(tuple(QuasiIdentifier(name, flat[name]) for name in names), (KAnonymity(4),), notation="sets")
    alone = np.zeros(4000, np.int64)
    for part in range(80):
        members = parts == part
        alone[members] = anonymize(table.filter(pa.array(members)), asked).classes + 4000 * part
    assert loss(table, names, classes_apart(table, asked, parts)) <= 1.02 * loss(table, names, alone)
