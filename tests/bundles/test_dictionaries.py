"""A bundle is the same, byte for byte, whether its source hands texts over as dictionaries or as they are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bundles
import datagen
from bundles.conforming import conformed
from bundles.dictionaries import in_order_of_appearance, is_sound_dictionary
from bundles.digest import block_digests
from bundles.parquet import ChunkFile
from schemas.reader import parse_schema
from tests.datagen.test_coded import TEXT


class Plain:
    """A source without `read_encoded`."""

    def __init__(self, source: datagen.SyntheticSource) -> None:
        self._source = source
        self.schema, self.kind, self.provenance = source.schema, source.kind, source.provenance
        self.row_count, self.read_rows, self.read, self.inputs = source.row_count, source.read_rows, source.read, source.inputs


def test_dictionaries_leave_no_trace_in_the_bundle(tmp_path):
    source = datagen.source(parse_schema("schema: s\n" + TEXT, "s.yaml"))
    encoded = bundles.build(source, store=tmp_path / "a", jobs=2)
    plain = bundles.build(Plain(source), store=tmp_path / "b", jobs=1)
    assert encoded.manifest_digest == plain.manifest_digest
    assert bundles.verify(encoded).ok
    found = encoded.table("t").to_arrow()
    assert found.schema.equals(source.schema.table("t").arrow)
    assert found.column("label").to_pylist() == source.read("t").read_all().column("label").to_pylist()


@given(st.lists(st.lists(st.one_of(st.none(), st.sampled_from(["", "a", "bb", "ccc", "d"])), max_size=12), min_size=1, max_size=3))
def test_dictionaries_are_put_in_the_order_of_their_first_rows(parts):
    arrays = [pa.array(part, pa.string()) for part in parts]
    mixed = [a.dictionary_encode() if i % 2 else pa.array(p, pa.string()) for i, (a, p) in enumerate(zip(arrays, parts, strict=True))]
    found = in_order_of_appearance(mixed)
    values = [v for part in parts for v in part]
    assert found.to_pylist() == values
    assert found.dictionary.to_pylist() == list(dict.fromkeys(v for v in values if v is not None))


@pytest.mark.parametrize(
    ("values", "sound"), [(["a", "b"], True), (["a", "a"], False), (["a", None], False), ([], True)], ids=["good", "twice", "null", "empty"]
)
def test_dictionaries_that_could_mislead_are_undone(values, sound):
    array = pa.DictionaryArray.from_arrays(pa.array([0] if values else [], pa.int8()), pa.array(values, pa.string()))
    assert is_sound_dictionary(array, pa.string()) == sound


@pytest.mark.parametrize("index", [pa.int8(), pa.int32(), pa.uint64()], ids=str)
@pytest.mark.parametrize("kind", ["text", "char(9)"])
@pytest.mark.parametrize("null", [False, True], ids=["no nulls", "nulls"])
@pytest.mark.parametrize(
    "values",
    [
        ["A", "B", "C"],
        ["x"],
        ["", "é"],
        ["AIR", "RAIL ", "", "TRUCK   "],
        ["ab", "cd"],
        [f"value {i}" for i in range(100)],
        ["z" * 700, "y"],
        [],
    ],
    ids=["letters", "one", "empty", "lengths", "pairs", "many", "long", "none"],
)
def test_codes_are_digested_as_the_texts_they_stand_for(values, null, kind, index):
    nulls = null or not values
    table = parse_schema(
        f'schema: s\ntables: {{t: {{rows: 5, columns: {{x: {{type: "{kind}", null: {0.5 if nulls else 0}, generate: {{constant: a}}}}}}}}}}',
        "s.yaml",
    ).tables[0]
    rows = 70_001
    codes = np.arange(rows) * 7919 % max(len(values), 1)
    mask = (np.arange(rows) % 3 == 0) | (not values)
    indices = pa.array(codes, mask=mask if nulls else None).cast(index)
    coded = pa.DictionaryArray.from_arrays(indices, pa.array(values, pa.string()))
    for start in (0, 5):
        part = coded.slice(start, rows - start)
        texts = pa.record_batch([part.dictionary_decode()], ["x"])
        assert block_digests(table, pa.record_batch([part], ["x"])) == block_digests(table, texts)


def test_late_values_and_plain_parts_are_written_as_they_are():
    table = parse_schema(
        'schema: s\ntables: {t: {rows: 5, columns: {x: {type: "char(6)", null: 0, generate: {constant: a}}}}}', "s.yaml"
    ).tables[0]
    codes = np.repeat(np.arange(3), [65_000, 60_000, 15_000])
    texts = pa.array(np.array(["early", "later ", "z"])[codes], pa.string())
    coded = pa.DictionaryArray.from_arrays(pa.array(2 - codes), pa.array(["z", "later ", "early"]))
    sinks = [pa.BufferOutputStream() for _ in range(3)]
    plain_file, coded_file, mixed_file = files = [ChunkFile(table, sink) for sink in sinks]
    for start in range(0, len(texts), 65_536):
        part = slice(start, start + 65_536)
        plain = pa.record_batch([texts[part]], schema=table.arrow)
        given = conformed(table, pa.record_batch([coded[part]], ["x"]), start)
        assert pa.types.is_dictionary(given.column(0).type)
        assert block_digests(table, given) == block_digests(table, plain)
        plain_file.add(plain)
        coded_file.add(given)
        mixed_file.add(given if start else plain)
    for file in files:
        file.finish()
    plain_bytes, coded_bytes, mixed_bytes = (sink.getvalue() for sink in sinks)
    assert plain_bytes == coded_bytes == mixed_bytes
