"""However the config of a bundle was altered, with digests that fit: every command gives a result, or one clear error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bundles
from bundles.config import Config
from bundles.errors import BundleDamaged, BundleTooNew
from bundles.references import parse
from companyos.cli import run

SCHEMA = """schema: club
seed: 9007199254740993
anchor: 2026-01-01T00:00:00Z
locale: {en_US: 3, de_DE: 1}
types: {level: [low, high]}
tables:
  plans:
    rows: 2
    columns:
      id: {type: bigint, key: true}
  teams:
    rows: 3
    locale: de_DE
    columns:
      id: {type: bigint, key: true}
      name: {type: text, generate: company.name, unique: true}
      plan: {type: text, generate: {choice: {free: 60, pro: 40}}}
      created_at: {type: timestamptz, generate: {between: [-3y, -1y], rhythm: {days: [1, 1, 1, 1, 1, 0, 0]}, season: retail}}
  members:
    comment: Who is in a team
    rows: {per: teams, count: {zipf: 1.3, min: 2, max: 9}}
    lives: {from: joined_at}
    indexes: [[joined_at]]
    checks: [fee >= 0]
    rules: [joined_at >= teams.created_at]
    correlate: {columns: [fee, weight], matrix: [[1, 0.5], [0.5, 1]]}
    columns:
      id: {type: bigint, key: true}
      team_id: {references: teams.id}
      boss_id: {references: members.id, within: team_id, acyclic: true, depth: 3, null: 0.2}
      level: {type: level, generate: {choice: [low, high]}}
      status: {type: text, generate: {states: {draft: {open: 1}, open: {paid: 0.9}}, dwell: {draft: 2d}, start: joined_at}}
      fee: {type: "numeric(12,2)", generate: {uniform: [1, 100]}}
      weight: {type: double, generate: {normal: {mean: 70, sd: 9}}}
      twice: {type: "numeric(13,2)", computed: "fee * 2"}
      joined_at: {type: timestamptz, generate: {after: teams.created_at, within: 1y}}
      note: {type: text, null: 0.5, default: "'none'", class: personal, generate: {cases: {low: {constant: a}, high: words}, by: level}}
      tags: {type: "text[]", generate: {array: {choice: [a, b]}, count: 2}}
      data: {type: json, generate: {constant: {a: [1, null]}}}
privacy:
  unit: teams.id
  public: [plans]
  through: {members: team_id}
  columns: {members.fee: {bounds: [0, 100]}}
  contributions: {members: 9}
  groups: 9
  budget: {epsilon: 1e6, delta: 1e-6, analyst: {epsilon: 1e5}}
scenarios:
  spree:
    subjects: members
    share: 0
    set: {members: {columns: {fee: {uniform: [5, 9]}}, pick: 1}}
"""

OTHERS = (None, True, -1, 0.5, 2**53, "other", [], ["other"], {}, {"$number": "x"})
FORM = re.compile(
    "the config of 'x:v1' is not in the form that bundles have: .+; build or fetch the bundle again$|'x:v1' is in (bundle|schema) format "
)
NOT_READ = ("provenance",)  # the source's own account


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A store with one bundle."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "club.yaml").write_text(SCHEMA)
    assert run(["bundle", "build", str(folder / "club.yaml"), "--tag", "a:v1", "--store", str(folder / "store")]) == 0
    return bundles.open("a:v1", folder / "store")


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every part of a document."""
    yield path
    for step, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, step))


def alterations(document: Any) -> Iterator[tuple[str, Any]]:
    """Documents in which one value is another, is missing, comes twice or has another name, or one member is added."""
    for path in places(document):
        if path[:1] == NOT_READ or not path:
            continue
        for other in (*OTHERS, "twice", "missing", "renamed", "more"):
            changed = deepcopy(document)
            place = changed
            for step in path[:-1]:
                place = place[step]
            was, last = place[path[-1]], path[-1]
            if other == "missing":
                del place[last]
            elif other == "renamed" and isinstance(last, str):
                place["another"] = place.pop(last)
            elif other == "twice" and isinstance(last, int):
                place.insert(last, deepcopy(was))
            elif other == "more" and isinstance(was, dict):
                was["another"] = 1
            elif isinstance(other, str) and other in ("renamed", "twice", "more"):
                continue
            else:
                place[last] = other
            if changed != document:
                yield f"{'.'.join(map(str, path))} {other!r}", changed


def config_of(bundle) -> Any:
    return json.loads(bundle.store.layout.read_blob(bundle.manifest.config.digest))


def put(bundle, document: Any, tag: str = "x:v1") -> None:
    """Tag a bundle like another but with this config."""
    with bundle.store.staging() as stage:
        config = stage.add(json.dumps(document).encode())
        manifest = stage.add(replace(bundle.manifest, config=config).encode())
        stage.publish()
        bundle.store.point(parse(tag), manifest)


def readers(folder: Path) -> dict[str, list[str]]:
    """Commands that read bundle x:v1."""
    return {
        "show": ["bundle", "show", "x:v1"],
        "verify": ["bundle", "verify", "x:v1"],
        "changes": ["bundle", "changes", "x:v1", "--from", "-90d", "-o", str(folder / "changes.jsonl")],
        "profile": ["schema", "profile", "x:v1", "-o", str(folder / "profile.html")],
        "suggest": ["dp", "suggest", "x:v1"],
        "sqlite": ["load", "x:v1", f"sqlite:///{folder}/loaded.sqlite", "--replace"],
        "duckdb": ["load", "x:v1", f"duckdb:///{folder}/loaded.duckdb", "--replace"],
        "query": ["query", "x:v1", "SELECT count(*) FROM members", "--epsilon", "0.001", "--ledger", str(folder / "ledger.db")],
    }


def refusal(document: Any) -> str | None:
    """What is said of a config that is not read."""
    try:
        Config.decode(json.dumps(document).encode(), "x:v1")
    except (BundleDamaged, BundleTooNew) as error:
        return str(error)
    return None


def test_an_altered_config_is_read_or_refused_with_its_place(sound):
    said = [refusal(document) for _, document in alterations(config_of(sound))]
    refused = [text for text in said if text is not None]
    assert len(refused) > 4000
    assert len(said) - len(refused) < 700
    assert [text for text in refused if not FORM.match(text)] == []


@pytest.mark.parametrize("step", [270, pytest.param(11, marks=pytest.mark.slow)])
def test_what_is_read_of_an_altered_config_fails_no_command_unexpectedly(sound, tmp_path, capfd, step):
    kept = [(what, document) for what, document in alterations(config_of(sound)) if refusal(document) is None]
    for what, document in kept[step // 2 :: step]:
        put(sound, document)
        for name, command in readers(tmp_path).items():
            code = run([*command, "--store", str(sound.store.path)])
            said = capfd.readouterr().err
            assert code in (0, 1, 2, 4), (what, name)
            assert "unexpected failure" not in said, (what, name, said)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("name",), 5, "name must be a text"),
        (("tables", 2, "columns", 1, "type"), "bigint", r"tables\[2\]\.columns\[1\]\.type must be an object"),
        (("tables", 2, "columns", 8, "generate", "args", "path"), [], r"tables\[2\]\.columns\[8\]\.generate\.args\.path must be a text"),
        (("tables", 2, "key", 0), "gone", r"tables\[2\]\.key\[0\] must be the name of a column of the table"),
        (("privacy", "columns", 0, 1, "bounds", 0), "much", r"privacy\.columns\[0\]\[1\]\.bounds must be bounds of the type numeric"),
    ],
)
def test_every_command_says_what_is_wrong_with_a_schema_and_where(sound, tmp_path, capfd, path, value, expected):
    document = config_of(sound)
    place = document["schema"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    put(sound, document)
    for name, command in readers(tmp_path).items():
        assert run([*command, "--store", str(sound.store.path)]) == 1, name
        said = " ".join(capfd.readouterr().err.split())
        assert re.search(
            f"the config of 'x:v1' is not in the form that bundles have: .*{expected}.*; build or fetch the bundle again", said
        ), said
