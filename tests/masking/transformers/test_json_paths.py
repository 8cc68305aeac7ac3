"""JSON by path: each value by its rule, the rest by `rest`; types, order and numbers survive."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import MaskingFailed, TransformerUnfit
from masking.fitting import fitted
from masking.transformers.base import Context, Learner
from masking.transformers.constant import Constant
from masking.transformers.json_leaves import Bound
from masking.transformers.json_paths import ByPath
from masking.transformers.keep import Keep
from masking.transformers.registry import read
from schemas.types import SqlType

from .columns import TYPES, context, cuts, in_batches, mask, rows_of


def by_path(
    paths: dict[str, Any],
    documents: list[str | None],
    rest: Any = ...,
    *,
    type: str = "json",
    keys: Any = None,
    subject: list[str] | None = None,
    domains: dict[str, str] | None = None,
) -> list[str | None]:
    at = context(type, subject=subject is not None)
    bound_to = ByPath(
        {path: how if isinstance(how, Bound) else read(how, path) for path, how in paths.items()},
        None if rest is ... else read(rest, "rest"),
        None if keys is None else read(keys, "keys"),
        domains or {},
    ).bind(at)
    values = pa.array(documents, pa.string())
    rows = rows_of(values, subject)
    if isinstance(bound_to, Learner):
        bound_to.learn(values, rows)
        bound_to.finish()
    masked = bound_to.apply(values, rows)
    fitted(masked, at.column, at.table, values)
    return masked.to_pylist()


@pytest.mark.parametrize(
    ("paths", "rest", "before", "after"),
    [
        # what no path names is hidden, in its type where there is one for nothing
        ({}, ..., '{"a":"x","b":1,"c":true,"d":null,"e":["y",2],"f":{}}', '{"a":"***","b":null,"c":null,"d":null,"e":["***",null],"f":{}}'),
        ({"$.a": {"truncate": 1}}, ..., '{"a":"xyz","b":"xyz"}', '{"a":"x","b":"***"}'),
        ({"$.a": {"truncate": 1}}, "keep", '{"a":"xyz","b":"xyz"}', '{"a":"x","b":"xyz"}'),
        ({"$.a.b[*].c": {"truncate": 1}}, "keep", '{"a":{"b":[{"c":"xyz"},{"c":"uvw","d":"u"}]}}', '{"a":{"b":[{"c":"x"},{"c":"u","d":"u"}]}}'),
        ({"$..mail": {"constant": "m"}}, "keep", '{"mail":"a","x":[{"mail":"b","y":"c"}]}', '{"mail":"m","x":[{"mail":"m","y":"c"}]}'),
        ({"$.a": "null"}, "keep", '{"a":{"b":"x","c":[1]},"d":2}', '{"a":{"b":null,"c":[null]},"d":2}'),
        ({"$": {"truncate": 1}}, ..., '"abc"', '"a"'),
        ({"$[*]": {"round": 10}}, ..., "[14, 16]", "[10,20]"),
        ({'$["odd key"]': "keep"}, ..., '{"odd key": "x"}', '{"odd key":"x"}'),
        # numbers stay numbers, exactly
        ({}, "keep", '{"a": 1.10, "b": 1E2, "c": 12345678901234567890123, "d": -0.0, "e": 1e400}', '{"a":1.10,"b":1E2,"c":12345678901234567890123,"d":-0.0,"e":1e400}'),
        ({}, {"round": 0.5}, "[1.3, 2, -7.75]", "[1.5,2,-8]"),
        ({}, {"round": 10}, "[12345678901234567890123, 1e300, 14]", "[12345678901234567890120,1e+300,10]"),
        ({}, {"constant": 7}, '[1, 2.5, "x", true]', '[7,7,"7","7"]'),
        ({}, {"constant": "n"}, "[1, true]", '["n","n"]'),
        ({}, {"truncate": 2}, "[123, 1.5]", "[122,0]"),
        ({}, {"partial": {"last": 1, "hide": 1}}, '[12345, "12345", true]', '["****5","****5","***e"]'),
        # strings that hold what the transformer masks
        ({}, {"truncate": "month"}, '["2024-05-15", "2024-05-15T08:30:00Z", "2024-05-15T08:30:00+02:00", "2024-05-15 08:30", "soon", "2024-13-45"]',
         '["2024-05-01","2024-05-01T00:00:00Z","2024-05-01T00:00:00Z","2024-05-01T00:00:00",null,null]'),
        ({}, {"round": 10}, '["14", "x", 14]', '["10",null,10]'),
        # what a reader of JSON takes for the same
        ({}, "keep", '{"a":1,"a":2}', '{"a":2}'),
        ({}, "keep", '{"z":1,"a":"\\u00e9\\n\\"\\\\"}', '{"z":1,"a":"é\\n\\"\\\\"}'),
        ({}, "keep", '"\\ud83d\\ude00 \\ud83d"', '"😀 �"'),
        ({}, {"truncate": 2}, '"\\ud83dab"', '"�a"'),
        ({}, "keep", " [ ] ", "[]"),
    ],
)  # fmt: skip
def test_values_are_masked_by_their_place(paths: dict[str, Any], rest: Any, before: str, after: str) -> None:
    assert by_path(paths, [before, None, before], rest) == [after, None, after]


def test_a_transformer_for_a_json_column_masks_all_that_is_in_it() -> None:
    assert mask({"truncate": 1}, ['{"a":"xyz","b":["uvw",null]}', None], "json") == ['{"a":"x","b":["u",null]}', None]


def test_an_array_of_documents_is_masked_too() -> None:
    assert mask({"truncate": 1}, [['{"a":"xyz"}', None]], SqlType("array", item=TYPES["json"])) == [['{"a":"x"}', None]]


@pytest.mark.parametrize(
    ("paths", "keys", "before", "after"),
    [
        ({"$.by~": {"constant": "k"}}, None, '{"by":{"ann":1}}', '{"by":{"k":null}}'),
        ({}, {"constant": "k"}, '{"ann@example.org":1,"Ann Lee":2,"2024-05-15":3}', '{"k":null,"k":null,"k":null}'),
        (
            {},
            {"constant": "k"},
            '{"name":1,"first_name":2,"line2":3,"Address":4}',
            '{"name":null,"first_name":null,"line2":null,"Address":null}',
        ),
        ({"$.a": "keep"}, {"constant": "k"}, '{"a":{"ann@example.org":1}}', '{"a":{"ann@example.org":1}}'),
        ({"$.a": {"round": 10}}, {"constant": "k"}, '{"a":{"ann@example.org":14}}', '{"a":{"k":10}}'),
    ],
)
def test_names_that_are_values_are_masked(paths: dict[str, Any], keys: Any, before: str, after: str) -> None:
    assert by_path(paths, [before], keys=keys) == [after]


def test_names_that_look_like_values_get_a_keyed_hash_unasked() -> None:
    [once, again] = by_path({}, ['{"ann@example.org":1}', '{"x":{"ann@example.org":2}}'])
    [name] = json.loads(str(once))
    assert name.startswith("key-") and json.loads(str(again)) == {"x": {name: None}}


def test_values_of_one_domain_are_masked_alike_wherever_they_stand() -> None:
    hashed = {"template": "{hash:16}"}
    [document] = by_path(
        {"$.a": hashed, "$.b": hashed, "$.c": hashed}, ['{"a":"ann","b":"ann","c":"ann"}'], domains={"$.a": "email", "$.b": "email"}
    )
    found = json.loads(str(document))
    assert found["a"] == found["b"] != found["c"] and [found["a"]] == mask(hashed, ["ann"], domain="email")


def test_values_of_one_person_move_alike() -> None:
    [a, b] = by_path({"$.at": "shift"}, ['{"at":"2024-05-15"}', '{"at":"2024-05-15"}'], subject=["ann", "bob"])
    [day] = mask("shift", [19_858], "date", subject=["ann"])
    assert json.loads(str(a)) == {"at": day.isoformat()} and a != b


def test_a_limit_is_learnt_from_all_documents_whole_numbers_and_others_together() -> None:
    documents = ['{"a":[1,2.5]}', '{"a":[3,4,5]}', None, '{"b":100}']
    assert by_path({"$.a[*]": {"top_bottom": {"percentiles": [0, 60]}}}, documents) == [
        '{"a":[1,2.5]}',
        '{"a":[3,3,3]}',
        None,
        '{"b":null}',
    ]


def test_a_value_that_references_a_key_is_masked_as_the_key() -> None:
    class Plus1000:
        def apply(self, values: pa.Array, rows: Any) -> pa.Array:
            return pa.array([None if v is None else v + 1000 for v in values.to_pylist()], values.type)

    key = Bound(Plus1000(), SqlType("integer"))
    assert by_path({"$.user": key}, ['{"user":7}', '{"user":"7"}', '{"user":"ann"}', '{"user":99999999999}', '{"user":null}']) == [
        '{"user":1007}', '{"user":"1007"}', '{"user":null}', '{"user":null}', '{"user":null}',
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["siobhan", "AnnaMeyer", "meyer_anna", "bvance", "Jürgen", "votes_of_siobhan"])
def test_names_of_persons_that_no_path_speaks_of_are_masked(name: str) -> None:
    [masked] = by_path({}, [json.dumps({"users": {name: "rw"}})])
    assert name not in str(masked) and str(masked).startswith('{"users":{"key-')


DEEP = "[" * 100_000 + "]" * 100_000
BROKEN = ["{", "", "ann@example.org", '{"a":NaN}', "[1,]", '"\x00"', DEEP, "[" * 500 + "]" * 500]


@pytest.mark.parametrize("document", BROKEN, ids=lambda d: d[:20])
def test_what_is_no_document_is_an_error_in_json_and_masked_whole_in_text(document: str) -> None:
    with pytest.raises(MaskingFailed) as caught:
        by_path({}, ["{}", document, document])
    assert str(caught.value).startswith("t.c: 2 values are not JSON, or nested too deeply") and "ann@" not in str(caught.value)
    assert by_path({}, ['{"a":"x"}', document, None], type="text") == ['{"a":"***"}', "***", None]
    cut = document[:3] if len(document) > 3 else document[: len(document) // 2]  # what is short loses its latter half
    assert by_path({}, ['{"a":"xyz"}', document], {"truncate": 3}, type="text") == ['{"a":"x"}', cut]


def test_depth_up_to_the_limit_is_read() -> None:
    deep = "[" * 399 + '"x"' + "]" * 399
    assert by_path({}, [deep], "keep") == [deep]


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        ({"a.b": Keep()}, "the path 'a.b' must begin with `$`"),
        ({"$.a[0]": Keep()}, "is not understood from character 4 on"),
        ({"$.a": Keep(), '$["a"]': Keep()}, "one path stands there twice"),
        ({"$.a": Constant([1])}, "t.c$.a: 'constant' does not fit"),
    ],
)
def test_paths_that_cannot_be_are_refused(paths: dict[str, Any], says: str) -> None:
    with pytest.raises(TransformerUnfit) as caught:
        ByPath(paths).bind(context("json"))
    assert says in str(caught.value)


def test_columns_of_other_types_have_no_paths() -> None:
    with pytest.raises(TransformerUnfit, match="the column is integer"):
        ByPath({}).bind(context("integer"))


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc") | st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=50)
@given(documents)
def test_keeping_all_keeps_the_meaning(document: Any) -> None:
    [kept] = by_path({}, [json.dumps(document)], "keep")
    assert json.loads(str(kept)) == document and list_of_names(json.loads(str(kept))) == list_of_names(document)


@settings(max_examples=50)
@given(documents)
def test_nothing_that_no_path_names_survives(document: Any) -> None:
    [masked] = by_path({}, [json.dumps(document)])
    assert set(leaves(json.loads(str(masked)))) <= {"***", None}
    assert len(list(leaves(json.loads(str(masked))))) == len(list(leaves(document)))


@settings(max_examples=50)
@given(st.lists(st.none() | documents.map(json.dumps), max_size=12), cuts)
def test_batches_change_nothing(values: list[str | None], places: list[int]) -> None:
    at: Context = replace(context("json"), subject_domain="users.id")
    rule = ByPath(
        {
            "$.a": read({"template": "{hash:8}"}, "p"),
            "$..b": read("shift", "p"),
            "$.c": read({"noise": {"spread": 1, "unit": "deviations"}}, "p"),
        },
        read({"noise": 0.2}, "r"),
    )
    array = pa.array(values, pa.string())
    rows = rows_of(array, [str(i % 3) for i in range(len(values))])
    together = in_batches(rule.bind(at), array, rows, [])
    assert in_batches(rule.bind(at), array, rows, places).equals(together)
    assert together.is_null().equals(array.is_null())


def leaves(value: Any) -> Any:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def list_of_names(value: Any) -> Any:
    if isinstance(value, dict):
        return [(name, list_of_names(inner)) for name, inner in value.items()]
    return [list_of_names(inner) for inner in value] if isinstance(value, list) else None
