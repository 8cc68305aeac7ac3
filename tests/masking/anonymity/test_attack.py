"""The attack that k-anonymity is made against: link the anonymised table with the original by all quasi-identifiers."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict

import numpy as np
import pytest

from masking.anonymity import KAnonymity, QuasiIdentifier, Specification, anonymize, anonymize_file
from masking.anonymity.flat_files import with_hierarchies
from masking.anonymity.hierarchy_functions import hierarchy_function
from masking.tabular import read_table
from tests.masking.anonymity.tables import ADULT, SHARED, census

needs_adult = pytest.mark.skipif(not ADULT.is_dir(), reason="the Adult data is not here")


def covers(cell: str, value: str, labels) -> bool:
    if cell in ("*", value):
        return True
    if cell.startswith("{"):
        return value in cell[1:-1].split(",")
    if value in labels.get(cell, ()):
        return True
    return cell.startswith("[") and int(cell[1:-1].split(",")[0]) <= int(value) <= int(cell[1:-1].split(",")[1])


def linked(before, after, asked) -> float:
    """The share of people whom an attacker names rightly, who knows their quasi-identifiers and picks evenly among the rows that fit."""
    fits = []
    for quasi in asked.quasi_identifiers:
        labels = defaultdict(set)
        for level in quasi.hierarchy.levels if quasi.hierarchy else ():
            for leaf, label in zip(quasi.hierarchy.leaves, level, strict=True):
                labels[label].add(leaf)
        values, cells = (table.column(quasi.name).dictionary_encode().combine_chunks() for table in (before, after))
        pairs = [[covers(cell, value, labels) for cell in cells.dictionary.to_pylist()] for value in values.dictionary.to_pylist()]
        fits.append((np.array(pairs), np.asarray(values.indices), np.asarray(cells.indices)))
    people, times = np.unique(np.stack([values for _, values, _ in fits]), axis=1, return_counts=True)
    classes, rows = np.unique(np.stack([cells for _, _, cells in fits]), axis=1, return_counts=True)
    found = 0.0
    for first in range(0, people.shape[1], 500):
        some = slice(first, first + 500)
        fit = np.ones((len(times[some]), len(rows)), bool)
        for (pairs, _, _), values, cells in zip(fits, people, classes, strict=True):
            fit &= pairs[values[some]][:, cells]
        found += float((times[some] / (fit @ rows)).sum())
    return found / before.num_rows


@pytest.mark.parametrize("k", [2, 5, 20])
@pytest.mark.parametrize("notation", ["labels", "sets"])
def test_linking_names_at_most_one_in_k(k, notation):
    table = census(1500)
    age = QuasiIdentifier("age", hierarchy_function("interval:5,10,20", "age", table.column("age").to_pylist()))
    asked = Specification((age, *map(QuasiIdentifier, ("sex", "region", "education", "work"))), (KAnonymity(k),), notation=notation)
    after = anonymize(table, asked).table
    assert linked(table, after, asked) <= 1 / k
    assert linked(table, table, asked) > 1 / 2, "the attack works where nothing was done"


@needs_adult
@pytest.mark.parametrize(
    ("k", "notation", "goal"),
    [
        (5, "labels", 0.91),
        pytest.param(10, "labels", 0.86, marks=pytest.mark.slow),
        pytest.param(5, "sets", 0.987, marks=pytest.mark.slow),
    ],
)
def test_adult_keeps_more_than_the_goal_and_cannot_be_linked(tmp_path, k, notation, goal):
    read = read_table(str(ADULT / "adult.csv"))
    asked = Specification(tuple(map(QuasiIdentifier, read.table.column_names)), (KAnonymity(k),), notation=notation)
    out = tmp_path / "out.csv"
    anonymize_file(str(ADULT / "adult.csv"), str(out), asked, hierarchies=str(ADULT))
    scored = subprocess.run(
        [sys.executable, str(SHARED / "tools" / "granularity.py"), str(ADULT / "adult.csv"), str(out), str(ADULT)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    figures = dict(line.split() for line in scored.stdout.splitlines())
    assert float(figures["granularity"]) >= goal
    assert int(figures["k"]) >= k
    assert (figures["rows_suppressed"], figures["rows_wrong"]) == ("0.0000", "0")
    after = read_table(str(out)).table
    assert linked(read.table, after, with_hierarchies(read.table, asked, str(ADULT), {})) <= 1 / k
