"""The content digest follows its published definition, and nothing but the values matters to it."""

from __future__ import annotations

import json
import math
import struct
from decimal import Decimal
from itertools import pairwise

import bundle_sources as sources
import numpy as np
import pyarrow as pa
import pytest
from blake3 import blake3
from bundle_sources import column
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import digest
from bundles.digest import BLOCK_ROWS, TableDigester, block_digests, bundle_digest, combine
from bundles.errors import ContentInvalid, SourceInvalid
from schemas.model import Column, Rows, Table
from schemas.types import SqlType


def table(*columns: Column) -> Table:
    return Table("t", columns, Rows(1))


def digest_of(wanted: Table, *batches: pa.RecordBatch) -> digest.TableDigest:
    digester = TableDigester(wanted)
    for batch in batches:
        digester.update(batch)
    return digester.finish()


def one(kind: str, array: pa.Array, **options: object) -> str:
    wanted = table(column("c", kind, null=0.0, **options))
    return digest_of(wanted, pa.record_batch([array], ["c"])).columns["c"]


# The definition in the docstring of bundles.digest once more, in plain Python.


def plain_hash(stage: str, message: bytes) -> bytes:
    return blake3(message, derive_key_context=f"companyos content digest 1 {stage}").digest()


def u32(n: int) -> bytes:
    return struct.pack("<I", n)


def u64(n: int) -> bytes:
    return struct.pack("<Q", n)


def text(s: str) -> bytes:
    return u64(len(s.encode())) + s.encode()


def plain_type(t: SqlType) -> str:
    if t.kind == "array":
        return plain_type(t.item) + "[]"
    return f"numeric:{t.scale}" if t.kind == "numeric" else t.kind


def plain_values(t: SqlType, values: list) -> bytes:
    out = b"\0"
    if any(v is None for v in values):
        bits = bytearray((len(values) + 7) // 8)
        for i, v in enumerate(values):
            if v is not None:
                bits[i // 8] |= 1 << (i % 8)
        out = b"\1" + bytes(bits)
    if t.kind in ("smallint", "integer", "bigint", "date", "time", "timestamp", "timestamptz", "interval"):
        return out + b"".join(struct.pack("<q", v or 0) for v in values)
    if t.kind in ("real", "double"):
        return out + b"".join(
            b"\0\0\0\0\0\0\xf8\x7f" if v is not None and math.isnan(v) else struct.pack("<d", (v or 0.0) + 0.0) for v in values
        )
    if t.kind == "numeric":
        return out + b"".join(int((v or 0) * 10**t.scale).to_bytes(16, "little", signed=True) for v in values)
    if t.kind == "boolean":
        return out + bytes(bool(v) for v in values)
    if t.kind == "uuid":
        return out + b"".join(v or bytes(16) for v in values)
    if t.kind == "array":
        items = [i for v in values if v is not None for i in v]
        return out + b"".join(u32(len(v or ())) for v in values) + u64(len(items)) + plain_values(t.item, items)
    raw = [v if isinstance(v, bytes) else (v or "").encode() for v in values]
    if t.kind == "char":
        raw = [r.rstrip(b" ") for r in raw]
    return out + b"".join(u32(len(r)) for r in raw) + b"".join(raw)


def plain_column(t: SqlType, values: list) -> str:
    message = text(plain_type(t)) + u64(len(values))
    for k in range(0, len(values), BLOCK_ROWS):
        block = values[k : k + BLOCK_ROWS]
        message += plain_hash("block", text(plain_type(t)) + u64(len(block)) + plain_values(t, block))
    return f"blake3:{plain_hash('column', message).hex()}"


def plain_table(rows: int, columns: dict[str, str]) -> str:
    message = u64(rows) + u64(len(columns))
    for name in sorted(columns, key=str.encode):
        message += text(name) + bytes.fromhex(columns[name][7:])
    return f"blake3:{plain_hash('table', message).hex()}"


EXAMPLES = {
    "smallint": [1, None, -2],
    "integer": [1, 2, -(2**31)],
    "bigint": [None, None, 2**63 - 1],
    "real": [0.5, None, math.inf],
    "double": [0.1, -0.0, math.nan],
    "text": ["a", None, "", "üñ😀"],
    "varchar": ["x", "y"],
    "char": ["a ", None, " b  "],
    "boolean": [True, None, False, True, True, False, True, False, True],
    "date": [0, None, -1],
    "time": [0, None, 86_399_999_999],
    "timestamp": [0, None, -1],
    "timestamptz": [5, None, 2**50],
    "interval": [5, None, -(10**15)],
    "enum": ["sad", None, "ok"],
    "json": ['{"a":1}', None, "[1,2.5]", '"ü"'],
    "bytes": [b"\xff\0", None, b""],
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_columns_follow_the_published_definition(kind):
    values = EXAMPLES[kind]
    wanted = SqlType(kind, values=("sad", "ok"))
    storage = {"date": pa.int32(), "time": pa.int64(), "timestamp": pa.int64(), "timestamptz": pa.int64(), "interval": pa.int64()}
    array = pa.array(values, storage[kind]).cast(wanted.arrow) if kind in storage else pa.array(values, wanted.arrow)
    assert one(kind, array, values=("sad", "ok")) == plain_column(wanted, values)


def test_numerics_uuids_and_arrays_follow_the_published_definition():
    numeric = SqlType("numeric", 12, 2)
    amounts = [Decimal("1.25"), None, Decimal("-9999999999.99")]
    assert one("numeric", pa.array(amounts, numeric.arrow), precision=12, scale=2) == plain_column(numeric, amounts)
    raw = [bytes(range(16)), None]
    uuids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array(raw, pa.binary(16)))
    assert one("uuid", uuids) == plain_column(SqlType("uuid"), raw)
    words = [["a", None], None, [], ["ü"]]
    array = SqlType("array", item=SqlType("text"))
    assert one("array", pa.array(words, array.arrow), item=array.item) == plain_column(array, words)
    nested = [[[1], None], [], [[]]]
    deep = SqlType("array", item=SqlType("array", item=SqlType("bigint")))
    assert one("array", pa.array(nested, deep.arrow), item=deep.item) == plain_column(deep, nested)


def test_blocks_tables_and_bundles_follow_the_published_definition():
    values = list(range(2 * BLOCK_ROWS + 3))
    wanted = table(column("b", "bigint"), column("ä", "bigint"))
    found = digest_of(wanted, pa.record_batch([pa.array(values), pa.array(values[::-1])], ["b", "ä"]))
    columns = {"b": plain_column(SqlType("bigint"), values), "ä": plain_column(SqlType("bigint"), values[::-1])}
    assert found.columns == columns
    assert found.content_digest == plain_table(len(values), columns)
    message = u64(2) + text("t") + bytes.fromhex(found.content_digest[7:]) + text("u") + bytes.fromhex(columns["b"][7:])
    assert bundle_digest({"u": columns["b"], "t": found.content_digest}) == f"blake3:{plain_hash('bundle', message).hex()}"


def test_golden_digests_stand():
    shop = sources.shop(people=70_000, shops=10)
    found = {}
    for t in shop.schema.tables:
        found[t.name] = digest_of(t, *shop.read(t.name)).content_digest
    assert found == GOLDEN
    assert bundle_digest(found) == "blake3:061487077b1fd433d45de28f139b15cf6584a9d17102dad15a5c9a1c868f4f8c"


GOLDEN = {
    "shops": "blake3:c85c28212beda1725ce52119b7f589f15ee07ec7844313c1bd3f9be0c39ee808",
    "people": "blake3:0d1dcc13ca7685d526d63b9d4b667c4cb3af21a26438dc5fddaf49235d1066e3",
    "empty": "blake3:d795574ed0d2d745508e8deafcf72cd688d139f4f69216370c42d2d71f19f7d4",
}


def variants(array: pa.Array, draw) -> pa.Array:
    """The same values in another shape: sliced out of more, in dictionary form, or with 64-bit offsets."""
    if draw(st.booleans()):
        before = draw(st.integers(0, 9))
        array = pa.concat_arrays([array.slice(0, before), array, array]).slice(min(before, len(array)), len(array))
    if not isinstance(array, pa.ExtensionArray) and not pa.types.is_nested(array.type) and draw(st.booleans()):
        array = array.dictionary_encode()
    elif pa.types.is_string(array.type) and draw(st.booleans()):
        array = array.cast(draw(st.sampled_from([pa.large_string(), pa.string_view()])))
    elif pa.types.is_list(array.type) and draw(st.booleans()):
        array = array.cast(pa.large_list(array.type.value_type))
    return array


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_only_values_count_not_batches_slices_dictionaries_or_offsets(data):
    shop = sources.shop(people=200)
    wanted = shop.schema.table("people")
    whole = shop.read_rows("people", 0, 200)
    expected = digest_of(wanted, whole)
    cuts = sorted({0, 200, *data.draw(st.lists(st.integers(0, 200), max_size=5))})
    digester = TableDigester(wanted)
    order = data.draw(st.permutations(whole.schema.names))
    for start, stop in pairwise(cuts):
        batch = whole.slice(start, stop - start)
        digester.update(pa.record_batch([variants(batch.column(name), data.draw) for name in order], list(order)))
    assert digester.finish() == expected


def test_blocks_do_not_depend_on_the_size_of_batches():
    shop = sources.shop(people=150_000)
    wanted = shop.schema.table("people")
    batch = shop.read_rows("people", 0, 150_000)
    whole = combine(wanted, 150_000, block_digests(wanted, batch))
    for step in (1000, BLOCK_ROWS, 100_000):
        assert digest_of(wanted, *(batch.slice(i, step) for i in range(0, 150_000, step))) == whole, step


@given(st.lists(st.one_of(st.none(), st.floats()), max_size=20))
def test_garbage_below_nulls_does_not_count(values):
    clean = pa.array(values, pa.float64())
    mask = np.array([v is None for v in values], np.bool_)
    dirty = np.array([7.0 if v is None else v for v in values], np.float64)
    if len(values):
        bitmap = pa.py_buffer(np.packbits(~mask, bitorder="little").tobytes())
        garbage = pa.Array.from_buffers(pa.float64(), len(values), [bitmap, pa.py_buffer(dirty.tobytes())])
        assert one("double", garbage) == one("double", clean)


def test_garbage_texts_below_nulls_do_not_count():
    bitmap = pa.py_buffer(bytes([0b101]))
    offsets = pa.py_buffer(np.array([0, 1, 4, 5], np.int32).tobytes())
    dirty = pa.Array.from_buffers(pa.string(), 3, [bitmap, offsets, pa.py_buffer(b"aXXXb")])
    assert dirty.to_pylist() == ["a", None, "b"]
    assert one("text", dirty) == one("text", pa.array(["a", None, "b"]))


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=30), st.data())
def test_a_changed_value_changes_the_digest(values, data):
    place = data.draw(st.integers(0, len(values) - 1))
    other = list(values)
    other[place] += data.draw(st.integers(1, 5))
    assert one("bigint", pa.array(other)) != one("bigint", pa.array(values))


def test_null_zero_empty_and_row_order_are_told_apart():
    assert one("bigint", pa.array([0])) != one("bigint", pa.array([None], pa.int64()))
    assert one("text", pa.array([""])) != one("text", pa.array([None], pa.string()))
    assert one("text", pa.array(["a", "bc"])) != one("text", pa.array(["ab", "c"]))
    assert one("bigint", pa.array([1, 2])) != one("bigint", pa.array([2, 1]))
    assert one("array", pa.array([[], None], pa.list_(pa.int64())), item=SqlType("bigint")) != one(
        "array", pa.array([None, []], pa.list_(pa.int64())), item=SqlType("bigint")
    )


def test_equal_floats_have_equal_digests():
    nans = np.array([0x7FF8000000000001, 0xFFF8000000000000], np.uint64).view(np.float64)
    assert one("double", pa.array(nans)) == one("double", pa.array([math.nan, math.nan]))
    assert one("double", pa.array([-0.0])) == one("double", pa.array([0.0]))


def test_char_does_not_know_trailing_spaces_and_text_does():
    assert one("char", pa.array(["a  "]), length=3) == one("char", pa.array(["a"]), length=3)
    assert one("text", pa.array(["a  "])) != one("text", pa.array(["a"]))


@given(st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(st.characters(codec="utf-8"))),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=3), inner, max_size=3)),
    max_leaves=8,
))  # fmt: skip
def test_json_is_compared_by_meaning(value):
    written = pa.array([json.dumps(value, indent=2), json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))])
    assert one("json", written.slice(0, 1)) == one("json", written.slice(1, 1))


def test_json_numbers_keep_their_value_in_any_spelling():
    assert one("json", pa.array(["[1e2, 0.10, -0.0]"])) == one("json", pa.array(["[100,0.1,0]"]))
    assert one("json", pa.array(["[12345678901234567890]"])) != one("json", pa.array(["[12345678901234567891]"]))


@pytest.mark.parametrize("bad", ["{", "1,2", "NaN", '{"a":1}}', "", '"\\ud800"', "[" * 100_000])
def test_text_that_is_not_json_is_named_by_its_row(bad):
    with pytest.raises(ContentInvalid, match=r"table 't', column 'c', row 2: the value is not JSON"):
        one("json", pa.array(["1", None, bad, "{"]))


def test_json_in_arrays_is_named_by_its_row():
    with pytest.raises(ContentInvalid, match="row 3"):
        one("array", pa.array([["1", "2"], [], None, ["3", "{"]]), item=SqlType("json"))


def test_a_missing_column_or_another_type_is_named():
    wanted = table(column("c", "bigint"))
    with pytest.raises(SourceInvalid, match="without its column 'c'"):
        digest_of(wanted, pa.record_batch([pa.array([1])], ["d"]))
    with pytest.raises(SourceInvalid, match="table 't', column 'c' comes as string, which does not fit bigint"):
        digest_of(wanted, pa.record_batch([pa.array(["x"])], ["c"]))


def test_an_added_column_changes_no_other_column():
    few, more = table(column("a", "bigint")), table(column("new", "text"), column("a", "bigint"))
    numbers = pa.array([1, 2])
    before = digest_of(few, pa.record_batch([numbers], ["a"]))
    after = digest_of(more, pa.record_batch([pa.array(["x", "y"]), numbers], ["new", "a"]))
    assert after.columns["a"] == before.columns["a"]
    assert after.content_digest != before.content_digest


def test_the_order_of_columns_and_tables_does_not_count():
    batch = pa.record_batch([pa.array([1]), pa.array(["x"])], ["a", "b"])
    ab, ba = table(column("a", "bigint"), column("b", "text")), table(column("b", "text"), column("a", "bigint"))
    assert digest_of(ab, batch).content_digest == digest_of(ba, batch).content_digest
    d = digest_of(ab, batch).content_digest
    assert bundle_digest({"x": d, "y": GOLDEN["empty"]}) == bundle_digest({"y": GOLDEN["empty"], "x": d})
