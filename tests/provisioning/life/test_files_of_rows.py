"""Logos and documents beside a sandbox: they come with its data, change with it, come back with it, and go with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import ask
from test_crashes import killed_at
from yard import ALICE, Yard, clean

import bundles
import datagen

SCHEMA = """
schema: shop
seed: {seed}
tables:
  customers:
    rows: 4
    columns:
      id: {{type: bigint, key: true}}
      name: {{type: text, generate: company.name}}
      {logo}
"""
LOGO = "logo: {type: text, generate: {media.logo: name}}"


def build(folder: Path, tag: str, seed: int, logo: str = LOGO) -> bundles.Bundle:
    path = folder / f"{seed}.yaml"
    path.write_text(SCHEMA.format(seed=seed, logo=logo))
    return bundles.build(datagen.source(path), store=folder / "store", tag=tag)


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    build(tmp_path, "synthetic:v1", 1)
    build(tmp_path, "synthetic:v2", 2)
    build(tmp_path, "synthetic:plain", 3, logo="city: {type: text, generate: address.city}")
    made = Yard(tmp_path)
    yield made
    clean(made)


def files(yard: Yard, id: str) -> dict[str, bytes] | None:
    place = yard.sandboxes.media(id)
    return None if place is None else {str(p.relative_to(place)): p.read_bytes() for p in place.rglob("*") if p.is_file()}


def of_bundle(yard: Yard, tag: str) -> dict[str, bytes]:
    return {f.path: f.data for f in bundles.open(tag, yard.folder / "store").media()}


def test_files_come_with_a_sandbox_and_go_with_it(yard: Yard) -> None:
    id = yard.create().sandbox.id
    assert files(yard, id) == of_bundle(yard, "synthetic:v1")
    yard.sandboxes.delete(id, actor="test")
    assert files(yard, id) is None
    assert yard.media.kept() == []


@pytest.mark.parametrize("seed", ["synthetic:v2", "synthetic:plain"])
def test_a_reset_changes_files_with_the_data(yard: Yard, seed: str) -> None:
    id = yard.create().sandbox.id
    yard.sandboxes.reset(id, owner=yard.sandboxes.who(ALICE), seed=seed, actor="test")
    assert files(yard, id) == (of_bundle(yard, seed) or None)


@pytest.mark.parametrize(
    ("first", "step"),
    [
        ("synthetic:v1", "files put"),
        ("synthetic:plain", "files put"),
        ("synthetic:v1", "reset"),
        *(
            pytest.param(first, step, marks=pytest.mark.slow)
            for first in ("synthetic:v1", "synthetic:plain")
            for step in ("seeded", "swapped", "admitted", "reset", "old forgotten")
        ),
    ],
)
def test_a_reset_that_is_killed_leaves_the_files_that_belong_to_the_data(yard: Yard, first: str, step: str) -> None:
    id = yard.create(seed=first).sandbox.id
    killed_at(yard, "reset", step, id)
    yard.sandboxes.reconcile(actor="test")
    assert files(yard, id) == (of_bundle(yard, yard.sandboxes.show(id).seed) or None)
    assert (yard.sandboxes.show(id).seed == "synthetic:v2") == (step in ("reset", "old forgotten"))
    assert [p.name for p in (yard.folder / "media").glob("*")] in ([id], [])


def test_a_snapshot_carries_the_files_that_its_rows_still_name(yard: Yard) -> None:
    created = yard.create()
    snapshot = yard.sandboxes.snapshot(created.sandbox.id, tag="snapshot:same", actor="test")
    assert snapshot.content_digest == bundles.open("synthetic:v1", yard.folder / "store").content_digest
    assert created.address is not None
    ask(created.address, "DELETE FROM customers WHERE id = 2")
    ask(created.address, "UPDATE customers SET logo = 'uploads/own.png' WHERE id = 3")
    changed = yard.sandboxes.snapshot(created.sandbox.id, tag="snapshot:changed", actor="test")
    assert [f.path for f in changed.media()] == [f"customers/logo/00000{i}.svg" for i in (1, 4)]
    assert bundles.verify(changed).ok
    restored = yard.create("bob@company.com", seed="snapshot:same").sandbox.id
    assert files(yard, restored) == of_bundle(yard, "synthetic:v1")


def test_a_create_that_is_killed_leaves_no_files(yard: Yard) -> None:
    killed_at(yard, "create", "files put")
    yard.sandboxes.reconcile(actor="test")
    assert yard.media.kept() == []


def test_files_without_a_record_are_found(yard: Yard) -> None:
    stays = yard.create().sandbox.id
    yard.media.put("sb-aaaaaaaaaa", bundles.open("synthetic:v1", yard.folder / "store"))
    assert yard.sandboxes.reconcile(actor="test", dry_run=True).orphans == ["files of sb-aaaaaaaaaa"]
    assert yard.media.kept() == sorted(["sb-aaaaaaaaaa", stays])
    assert yard.sandboxes.reconcile(actor="test").orphans == ["files of sb-aaaaaaaaaa"]
    assert yard.media.kept() == [stays]
