"""No identifier tells which rows a scenario has added: a tree of depth 2 does hardly better than chance.

All is made from fixed seeds, so a result is the same each time. Were the seeds drawn anew, the AUC of chance would spread by about
1 / sqrt(12 * rows that are asked about): by 0.0106 for the 750 rows or more of the shop's tests, so that 0.6 lies 9 standard
deviations off, for false alarms below 1e-18. The ready scenarios have fewer rows in some tables, and are held to the same limit on the
one seed they have.
"""

from __future__ import annotations

import numpy as np
import pytest

import datagen
from datagen.additions import Additions
from schemas import read_schema
from schemas.ready_scenarios import adding_scenarios
from tests.datagen.label_leaks import area_under_curve, leak, tree_scores
from tests.datagen.scenario_shop import shop

LIMIT = 0.6


def test_the_measure_finds_what_there_is_to_find():
    generator = np.random.default_rng(5)
    labels = np.arange(4000) % 4 == 0
    noise = generator.normal(size=(4000, 3))
    assert area_under_curve(np.arange(4.0), np.array([False, False, True, True])) == 1.0
    assert area_under_curve(np.zeros(4), np.array([False, True, True, False])) == 0.5
    assert 0.4 < area_under_curve(tree_scores(noise[::2], labels[::2], noise[1::2]), labels[1::2] | (np.arange(2000) % 9 == 0)) < LIMIT
    told = noise + np.column_stack([labels * 2.0, np.zeros(4000), np.zeros(4000)])
    odd = np.arange(4000) % 3 == 0
    assert area_under_curve(tree_scores(told[odd], labels[odd], told[~odd]), labels[~odd]) > 0.8


@pytest.mark.parametrize(("scenario", "table"), [("burst", "orders"), ("burst", "lines"), ("logins", "visits")])
def test_identifiers_do_not_tell_added_rows(scenario, table):
    found, rows = leak(shop(scale=2, **{"burst": 0, "logins": 0, scenario: 0.3}), scenario, table)
    assert rows > 1500
    assert found <= LIMIT


def at_the_end(additions: Additions, stream, family, above, at_the_end) -> None:
    """Where added rows would stand were they merely put behind the others."""
    additions.presented = additions.numbers
    additions._slots = np.full(len(additions), additions.first - 1)
    additions._ranks = np.arange(len(additions))
    additions.places = additions.first + np.arange(len(additions))
    additions._windows = np.maximum(additions._slots, 0) // 256


def test_rows_that_are_put_behind_the_others_are_caught(monkeypatch):
    monkeypatch.setattr(Additions, "place", at_the_end)
    for scenario, table in (("burst", "orders"), ("logins", "visits")):
        assert leak(shop(scale=2, **{"burst": 0, "logins": 0, scenario: 0.1}), scenario, table)[0] > 0.95


def test_numbers_that_are_above_the_others_are_caught(monkeypatch):
    """As if added rows counted on where the others end."""
    monkeypatch.setattr(Additions, "shortage", lambda *_: None)
    monkeypatch.setattr(Additions, "_made_codes", lambda self, gaps: (self.first // 256 + 1) * 256 * (gaps - 1) + np.arange(len(self)))
    assert leak(shop(scale=2, burst=0.1, logins=0.1), "burst", "orders")[0] > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("scenario", sorted({n for names in adding_scenarios(read_schema("companyos")).values() for n in names}))
def test_identifiers_do_not_tell_the_rows_of_ready_scenarios(scenario):
    # 750 tenants: rows of one stand together, so that of few tenants the place of a row tells who has many people, and many befallen
    source = datagen.source("companyos", scale=5 / 6, scenarios={scenario: 0.2})
    tables = [f.table for f in source.schema.table(f"{scenario}_labels").foreign_keys[1:]]
    checked = 0
    for table in tables:
        if scenario in adding_scenarios(read_schema("companyos")).get(table, ()):
            found, rows = leak(source, scenario, table)
            assert rows > 50
            assert found <= LIMIT, table
            checked += 1
    assert checked
