"""Whatever stands in the place of a file of a store, commands say what is damaged, end, and answer for the other bundles."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bundles
from companyos.cli import run

ROOT = Path(__file__).parents[2]
SCHEMA = """schema: club
seed: 7
anchor: 2026-01-01T00:00:00Z
tables:
  members:
    rows: 40
    columns:
      id:        {type: bigint, key: true}
      name:      {type: text, generate: person.name}
      joined_on: {type: date, generate: {between: [-3y, now]}}
privacy: {unit: members.id, budget: {epsilon: 100, delta: 1e-6}}
"""


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A store of two bundles that share no blob."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "club.yaml").write_text(SCHEMA)
    for seed, tag in (("1", "a:v1"), ("2", "b:v1")):
        assert run(["bundle", "build", str(folder / "club.yaml"), "--seed", seed, "--tag", tag, "--store", str(folder / "store")]) == 0
    return folder / "store"


def readers(folder: Path) -> dict[str, list[str]]:
    """Commands that read bundle a:v1, and write, if at all, into `folder`."""
    return {
        "list": ["bundle", "list"],
        "show": ["bundle", "show", "a:v1"],
        "verify": ["bundle", "verify", "a:v1"],
        "media": ["bundle", "media", "a:v1"],
        "changes": ["bundle", "changes", "a:v1", "--from", "-90d", "-o", str(folder / "changes.jsonl")],
        "profile": ["schema", "profile", "a:v1", "-o", str(folder / "profile.html")],
        "duckdb": ["load", "a:v1", f"duckdb:///{folder}/loaded.duckdb"],
        "sqlite": ["load", "a:v1", f"sqlite:///{folder}/loaded.sqlite"],
        "query": ["query", "a:v1", "SELECT count(*) FROM members", "--epsilon", "0.1", "--ledger", str(folder / "ledger.db")],
    }


WRITERS = (["bundle", "gc", "--dry-run"], ["bundle", "gc"], ["bundle", "tag", "a:v1", "a:v2"], ["bundle", "rm", "a:v1"], ["bundle", "gc"])


def altered(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def lost(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def place_of(part: str, store: Path) -> Path:
    bundle = bundles.open("a:v1", store)
    blobs = {"manifest": bundle.manifest_digest, "config": bundle.manifest.config.digest, "layer": bundle.manifest.layers[0].blob.digest}
    return bundle.store.layout.blob_path(blobs[part]) if part in blobs else store / part


@pytest.mark.parametrize(
    "damage",
    [altered, lost, pipe, *(pytest.param(d, marks=pytest.mark.slow) for d in (cut, folder, link_to_nowhere))],
    ids=lambda d: d.__name__,
)
@pytest.mark.parametrize("part", ["index.json", "manifest", "config", "layer"])
def test_a_damaged_file_is_named_and_other_bundles_are_as_they_were(sound, tmp_path, capfd, part, damage):
    store = tmp_path / "store"
    shutil.copytree(sound, store)
    damage(place_of(part, store))
    reads = readers(tmp_path)
    failed = set()
    for name, command in [*reads.items(), *((" ".join(w), w) for w in WRITERS)]:
        code = run([*command, "--store", str(store)])
        said = capfd.readouterr().err
        assert code in ((0, 1, 2) if part == "index.json" and damage is altered else (0, 1)), (name, said)
        assert code == 0 or str(store) in said or "a:v1" in said or "sha256:" in said, (name, said)
        failed |= {name} if code else set()
    if part in ("manifest", "config"):
        assert failed >= {*reads} - {"list"}
    elif part == "layer":
        assert failed >= {"verify", "profile", "duckdb", "sqlite", "query"} - ({"profile"} if damage is altered else set())
    elif damage is not altered:
        assert failed >= {*reads}
    if part != "index.json":
        assert run(["bundle", "verify", "b:v1", "--store", str(store)]) == 0


@pytest.mark.parametrize("damage", [altered, lost, pipe], ids=lambda d: d.__name__)
def test_nothing_depends_on_the_marker_of_a_layout(sound, tmp_path, damage):
    store = tmp_path / "store"
    shutil.copytree(sound, store)
    damage(store / "oci-layout")
    for command in (*readers(tmp_path).values(), *WRITERS):
        assert run([*command, "--store", str(store)]) == 0


def test_an_altered_index_that_still_names_a_bundle_loses_nothing_of_it(sound, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(sound, store)
    index = store / "index.json"
    index.write_text(index.read_text().replace("image.manifest.v1", "image.manifesu.v1"))
    assert run(["bundle", "gc", "--store", str(store)]) == 0
    assert run(["bundle", "verify", "a:v1", "--store", str(store)]) == 0


@pytest.mark.parametrize("name", ["a name", "\ud800", 7, ["a"], None])
def test_what_others_call_their_own_in_the_index_is_nothing_to_us(sound, tmp_path, name):
    store = tmp_path / "store"
    shutil.copytree(sound, store)
    index = json.loads((store / "index.json").read_text())
    index["manifests"][1]["annotations"]["org.opencontainers.image.ref.name"] = name
    (store / "index.json").write_text(json.dumps(index))
    for command in (["bundle", "tag", "a:v1", "a:v2"], ["bundle", "list"], ["bundle", "gc"], ["bundle", "verify", "a:v2"]):
        assert run([*command, "--store", str(store)]) == 0
    assert len(json.loads((store / "index.json").read_text())["manifests"]) == 3


def without_power(path: Path) -> None:
    """Let permissions hold for this process and what it starts even where it is root's: CAP_DAC_OVERRIDE is dropped."""
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)


READ_ONLY = """
import json, sys
from companyos.cli import run
print(json.dumps({name: run([*command, "--store", sys.argv[1]]) for name, command in json.loads(sys.argv[2]).items()}))
"""


def run_without_power(store, commands):
    return subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(store), json.dumps(commands)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: without_power(store),
    )


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
def test_a_store_that_cannot_be_written_to_is_read_and_says_so_to_who_writes(sound, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(sound, store)
    places = [store, *store.rglob("*")]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    reads = readers(tmp_path)
    commands = {**reads, "build": ["bundle", "build", "demo", "--tag", "c:v1"], **{w[1]: w for w in WRITERS}}
    done = run_without_power(store, commands)
    for place in places:
        place.chmod(0o755 if place.is_dir() else 0o644)
    assert json.loads(done.stdout.splitlines()[-1]) == {name: 0 if name in reads else 4 for name in commands}, done.stderr
    assert done.stderr.count(f"cannot use the bundle store '{store}': {store}/.") == len(commands) - len(reads)
    assert sorted(store.rglob("*")) == sorted(places[1:])


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root makes files of another user")
def test_what_a_killed_build_of_another_user_left_is_named_and_all_else_is_collected(sound, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(sound, store)
    assert run(["bundle", "rm", "a:v1", "--store", str(store)]) == 0
    blobs = len(list((store / "blobs" / "sha256").iterdir()))
    theirs, own = store / "tmp" / "build-1", store / "tmp" / "build-2"
    for place in (theirs, own):
        place.mkdir(0o700)
        (place / "new.1").write_bytes(b"rows")
    os.chown(theirs / "new.1", 12345, 12345)
    os.chown(theirs, 12345, 12345)
    done = run_without_power(store, {"gc": ["bundle", "gc"]})
    assert json.loads(done.stdout.splitlines()[-1]) == {"gc": 4}
    assert f"'{theirs}' may not be removed by you: have its owner" in done.stderr
    assert "gc removed 4 blobs beside it" in done.stderr
    assert [*(store / "tmp").iterdir()] == [theirs]
    assert len(list((store / "blobs" / "sha256").iterdir())) == blobs - 3
    assert run(["bundle", "verify", "b:v1", "--store", str(store)]) == 0
