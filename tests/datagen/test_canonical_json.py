"""JSON that a source says is canonical, is."""

from __future__ import annotations

from bundles.canonical import canonical_values
from bundles.digest import block_digests
from tests.datagen.making import source_of

SCHEMA = """schema: documents
tables:
  things:
    rows: 2000
    columns:
      id:    {type: bigint, key: true}
      price: {type: "numeric(12,4)", generate: {lognormal: {median: 3, sigma: 3}, max: 99999999}}
      tiny:  {type: "numeric(12,9)", generate: {uniform: [0, 0.00001]}}
      long:  {type: "numeric(18,2)", generate: {uniform: [0, 9999999999999999]}}
      text:  {type: text, generate: {choice: ["a\\"b", "tab\\there", "\\x01\\x7f", "é😀", ""]}}
      at:    {type: timestamptz, generate: {between: [-3y, now]}}
      some:
        type: json
        generate:
          json:
            n: {uniform: [-9, 9]}
            é: {from: text}
            z: {from: price}
            share: {uniform: [0.01, 0.99]}
            when: {from: at}
            deep: {json: {yes: {boolean: 0.5}, list: {array: {uniform: [1, 5]}, count: {uniform: [0, 3]}}, name: person.name}}
      tags:    {type: json, null: 0.2, generate: {array: person.first_name, count: {poisson: 2}}}
      small:   {type: json, generate: {json: {tiny: {from: tiny}}}}
      large:   {type: json, generate: {json: {long: {from: long}}}}
      given:   {type: json, generate: {choice: {"1": 1, "1e2": 1}}}
      floats:  {type: json, generate: {constant: {a: 0.00000015}}}
      written: {type: text, generate: {constant: "[1, 2]"}}
      taken:   {type: json, generate: {from: written}}
      smileys: {type: json, generate: {json: {"😀": {uniform: [1, 2]}, "\\uffff": {uniform: [1, 2]}}}}
"""


def test_json_that_is_said_to_be_canonical_is():
    made = source_of(SCHEMA)
    batch = made.read_rows("things", 0, 2000)
    table = made.schema.table("things")
    said = {c.name for c in table.stored_columns if made.has_canonical_json("things", c.name)}
    assert said == {"some", "tags", "given"}
    for name in said:
        texts = [t for t in batch.column(name).to_pylist() if t is not None]
        assert canonical_values(texts) is texts
    assert block_digests(table, batch, 0, said) == block_digests(table, batch)


def test_it_is_not_said_of_what_is_not():
    made = source_of(SCHEMA)
    batch = made.read_rows("things", 0, 2000)
    for name in ("small", "smileys", "floats", "taken"):
        texts = batch.column(name).to_pylist()
        assert canonical_values(texts) is not texts
