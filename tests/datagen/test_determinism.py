"""The determinism contract: a cell depends on its recipe, the seed, the names and the row number, and on nothing else."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import datagen
from datagen import GENERATOR_VERSION
from schemas.errors import InputError
from schemas.reader import parse_schema
from tests.datagen.making import source_of

SCHEMA = """schema: pinned
seed: 42
anchor: 2026-01-01T00:00:00Z
tables:
  p:
    rows: 300
    columns:
      id:    {type: uuid, key: true}
      v7:    {type: uuid, generate: uuid7}
      code:  {type: varchar(9), unique: true, generate: {pattern: "[A-Z]{2}-\\\\d{4}"}}
      kind:  {type: text, generate: {choice: {a: 6, b: 3, c: 1}}}
      price: {type: "numeric(10,2)", generate: {lognormal: {median: 30, sigma: 1.1}, max: 5000}}
      ratio: {type: double, null: 0.2, generate: {beta: {a: 2, b: 3}}}
      born:  {type: timestamptz, generate: {between: [-3y, now], rhythm: office, growth: 3}}
      tags:  {type: "text[]", generate: {array: {choice: [red, blue]}, count: {poisson: 2}}}
      doc:   {type: json, generate: {json: {n: {uniform: [1, 9]}, ip: internet.ipv4}}}
      card:  {type: text, generate: finance.card}
      mixed: {type: text, generate: {pattern: "(a|b{1,3}|([x\u00e4]-?){0,4})-\\\\w{0,70}"}}
      token: {type: text, unique: true, generate: {pattern: "\\\\w{3,5}(-\\\\w{16,24})+"}}
      blob:  {type: bytes, generate: {bytes: {uniform: [0, 9]}}}
  c:
    rows: {per: p, count: {zipf: 1.4, min: 1, max: 300}}
    columns:
      id:     {type: bigint, key: true}
      p_id:   {references: p.id}
      friend: {references: c.id, within: p_id, acyclic: true, null: 0.1}
      rival:  {references: c.id, within: p_id, other_than: friend, null: 0}
      status: {type: text, generate: {states: {new: {open: 1}, open: {done: 0.9}}, start: at, dwell: 9d}}
      at:     {type: timestamptz, generate: {after: p.born, within: 1y, mean: 30d}}
      words:  {type: text, generate: {words: {uniform: [1, 6]}}}
      sum:    {type: "numeric(12,2)", generate: {expression: "p_id.price * 2"}}
      note:   {type: text, generate: {grammar: {start: ["{verb} {p_id.code}", "{row} {verb}"], verb: [go, stay]}}}
"""

DIGESTS = """
import sys
from bundles.digest import TableDigester
from tests.datagen.test_determinism import SCHEMA
from tests.datagen.making import source_of
made = source_of(SCHEMA)
for table in made.schema.tables:
    digester = TableDigester(table)
    for batch in made.read(table.name):
        digester.update(batch)
    for name, digest in sorted(digester.finish().columns.items()):
        print(table.name, name, digest[-16:])
"""

GOLDEN = """
p blob 4bbb992d6f229bfe
p born e5c8fbe5826d5be9
p card d09cf15ff43a10ed
p code 7bc8c13ce3100d36
p doc 835656ba9cd190fe
p id b613e23215c04390
p kind 77653084c95d1747
p mixed aa5f4841832707fc
p price 936b8dad003586bc
p ratio 10f01b8d3c7be8dd
p tags c46719d79b9b6aad
p token 29bb6640fbade52c
p v7 e9fdd987e1958ecf
c at b5fa8b7fc566e485
c friend 796966fa476fe79d
c id b195660948483f32
c note 1f359e8d47e79fe1
c p_id 334bdd5c096be574
c rival 93a65f07891120e4
c status ad9fd9572d828526
c sum 1cd199014417ce72
c words 0ac9f326937d023f
""".strip()


def digests(**environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", DIGESTS], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}, check=True
    )  # fmt: skip
    return run.stdout.strip()


def test_golden_digests_stand_for_this_generator_version():
    assert GENERATOR_VERSION == 8
    assert digests() == GOLDEN


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "7"},
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8"},
        {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"},
        {"ARROW_USER_SIMD_LEVEL": "NONE", "OMP_NUM_THREADS": "1"},
    ],
    ids=lambda e: next(iter(e)),
)
def test_digests_do_not_depend_on_the_machine(environment):
    assert digests(**environment) == GOLDEN


def test_any_rows_alone_are_the_same_rows_of_the_whole():
    made = source_of(SCHEMA)
    for table in made.schema.tables:
        whole = made.read(table.name).read_all().to_pylist()
        count = made.row_count(table.name)
        for start, stop in ((0, count), (1, 2), (count // 3, count // 2), (count - 1, count), (5, 5)):
            assert source_of(SCHEMA).read_rows(table.name, start, stop).to_pylist() == whole[start:stop]


def test_another_seed_gives_other_values():
    one, two = source_of(SCHEMA), source_of(SCHEMA, seed=43)
    assert one.read("p").read_all().column("id").to_pylist() != two.read("p").read_all().column("id").to_pylist()


def columns(text: str, scale: float = 1.0) -> dict[tuple[str, str], list]:
    made = source_of(text, scale=scale)
    found = {}
    for table in made.schema.tables:
        rows = made.read(table.name).read_all()
        found.update({(table.name, name): rows.column(name).to_pylist() for name in rows.column_names})
    return found


def test_adding_or_dropping_columns_and_tables_changes_no_other_column():
    before = columns(SCHEMA)
    added = SCHEMA.replace("      kind:", "      extra: {type: integer, generate: {uniform: [1, 5]}}\n      kind:")
    added = added.replace("tables:\n", "tables:\n  first:\n    rows: 5\n    columns:\n      id: {type: bigint, key: true}\n")
    after = columns(added)
    assert all(after[key] == before[key] for key in before)
    fewer = columns("\n".join(line for line in SCHEMA.splitlines() if "ratio:" not in line and "words:" not in line))
    assert all(before[key] == fewer[key] for key in fewer)


def test_changing_one_weight_changes_only_its_own_column():
    before, after = columns(SCHEMA), columns(SCHEMA.replace("{a: 6, b: 3, c: 1}", "{a: 5, b: 3, c: 2}"))
    assert [key for key in before if before[key] != after[key]] == [("p", "kind")]


def test_a_larger_scale_begins_with_the_smaller_one():
    small, large = columns(SCHEMA), columns(SCHEMA, scale=3)
    unstable = {("p", "v7")}
    for key, values in small.items():
        if key not in unstable:
            assert large[key][: len(values)] == values, key
    assert len(large["p", "id"]) == 900


@pytest.mark.parametrize("as_of", [None, "2025-01-01"])
def test_a_source_that_another_process_gets_makes_the_same_rows(as_of):
    source = datagen.source(parse_schema(SCHEMA, "pinned.yaml"), seed=7, scale=0.5, as_of=as_of)
    made = source.read("c").read_all()
    sent = pickle.loads(pickle.dumps(source))
    assert type(sent) is type(source)
    assert sent.provenance == source.provenance
    assert sent.read("c").read_all() == made


def test_a_source_says_what_it_is_made_from():
    schema = parse_schema(SCHEMA, "pinned.yaml")
    assert repr(datagen.source(schema, seed=7, scale=0.5)) == "<SyntheticSource pinned: seed 7, scale 0.5, 2 tables>"
    shown = repr(datagen.source(schema, as_of="2025-01-01"))
    assert shown == "<StateSource pinned: seed 42, scale 1, as of 2025-01-01T00:00:00Z, 2 tables>"


def test_a_seed_of_numpy_is_the_number():
    schema = parse_schema(SCHEMA, "pinned.yaml")
    assert datagen.source(schema, seed=np.int64(7)).read("p").read_all() == datagen.source(schema, seed=7).read("p").read_all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": 7.5}, "a seed is a whole number, not 7.5"),
        ({"seed": "7"}, "a seed is a whole number, not '7'"),
        ({"seed": -1}, "a seed lies between"),
        ({"scale": "0.1"}, "a scale is a number, not '0.1'"),
        ({"scale": float("nan")}, "a scale is above 0"),
    ],
)
def test_seeds_and_scales_that_are_none_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        datagen.source(parse_schema(SCHEMA, "pinned.yaml"), **options)
