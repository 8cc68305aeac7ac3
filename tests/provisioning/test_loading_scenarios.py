"""Ready scenarios, planted one by one and all at once: the bundle is sound, and every database takes it with its labels."""

from __future__ import annotations

from pathlib import Path

import pytest
from databases import ask

import bundles
import datagen
import provisioning
from schemas import read_schema
from schemas.ready_scenarios import ready_names

NAMES = ready_names("companyos")


def planted(store: Path, share: float, *names: str) -> bundles.Bundle:
    source = datagen.source(read_schema("companyos"), scale=0.03, scenarios=dict.fromkeys(names, share))
    return bundles.build(source, store=store, tag="planted:v1")


@pytest.mark.parametrize("name", [NAMES[0], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])])
def test_each_scenario_builds_verifies_and_loads(name: str, store: Path, tmp_path: Path) -> None:
    bundle = planted(store, 0.3, name)
    report = bundles.verify(bundle)
    assert report.ok, report.problems
    assert not report.not_checked
    said = bundle.provenance["scenarios"][name]
    assert said["subjects"] > 0
    assert said["near_misses"] > 0
    url = f"duckdb:///{tmp_path / 'one.duckdb'}"
    receipt = provisioning.load(bundle, url)
    assert receipt.content_digest == bundle.content_digest
    assert ask(url, f"SELECT count(*) FROM {name}_labels WHERE change = 'added'") == [(said["rows_added"],)]


@pytest.mark.slow
def test_all_at_once_load_into_every_database(url: str, store: Path) -> None:
    bundle = planted(store, 0.2, *NAMES)
    assert bundles.verify(bundle).ok
    assert provisioning.load(bundle, url).content_digest == bundle.content_digest
    for name, said in bundle.provenance["scenarios"].items():
        episodes = ask(url, f"SELECT role, count(*) FROM {name}_labels WHERE change = 'episode' GROUP BY role ORDER BY role")
        assert dict(episodes) == {r: n for r, n in (("near_miss", said["near_misses"]), ("positive", said["subjects"])) if n}
    joined = "SELECT count(*), min(p.amount), max(p.amount) FROM card_testing_labels l JOIN payments p ON p.id = l.payments_id WHERE l.role = 'positive' AND l.phase = 'probing'"
    rows, least, most = ask(url, joined)[0]
    assert rows >= 20
    assert 0.5 <= float(least) <= float(most) <= 2


def test_a_bundle_says_what_was_planted_and_which_recipes_did_it(store: Path) -> None:
    bundle = planted(store, 0.2, "churn_wave", "incident")
    assert set(bundle.provenance["scenarios"]) == set(bundle.schema.scenarios) == {"churn_wave", "incident"}
    labels = bundle.schema.table("churn_wave_labels")
    assert {c.data_class for c in labels.columns} == {"internal"}, "keys of the company are internal, and so is all else"
    assert "Ground truth" in (labels.comment or "")
    assert bundle.data_class == planted(store, 0, "incident").data_class
    assert "churn_wave_labels" in bundle.provenance["recipes"]
