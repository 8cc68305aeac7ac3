"""How relations are written: counts, cases, slots, correlations and rules are read, written again, kept in documents, offered and refused."""

from __future__ import annotations

import json

import jsonschema
import pytest
import rfc8785

from schemas.document import from_document, to_document
from schemas.errors import SchemaError
from schemas.json_schema import json_schema
from schemas.model import Recipe
from schemas.reader import parse_schema
from schemas.writer import to_yaml
from schemas.yaml_nodes import Reading, plain

TEXT = """schema: s
tables:
  p:
    rows: 3
    columns:
      id:      {type: int, key: true}
      plan:    {type: text, generate: {choice: {free: 6, pro: 3}}}
      on:      {type: boolean, generate: {boolean: 0.5}}
      level:   {type: int, generate: {list: [1, 2]}}
      seats:   {type: int, generate: {uniform: [1, 9]}}
      size:    {type: double, generate: {normal: {mean: 9, sd: 1}}}
      born:    {type: timestamptz, generate: {between: [-3y, -2y]}}
    rules: [count(c) >= 0]
  c:
    rows: {per: p, count: {by: plan, cases: {free: {zipf: 1.3, min: 1, max: 20}, pro: {by: on, cases: {"true": 4, "false": {expression: "seats * 2"}}}}, else: {from: seats}}, mean: 7.5}
    columns:
      id:      {type: int, key: true}
      p_id:    {references: p.id}
      pays:    {type: text, generate: {by: p_id.plan, cases: {free: {constant: no}, pro: {choice: {card: 80, wire: 20}}}}}
      begins:  {type: timestamp, generate: {slot: {gap: {exponential: 6h, max: 9d}}, length: 90m, after: p.born, until: 1y}}
      ends:    {type: timestamp, generate: {slot_end: begins}}
      x:       {type: double, generate: {exponential: 2}}
      y:       {type: interval, generate: {by: p.level, cases: {1: {uniform: [1h, 2h]}}, else: {exponential: 1d}}}
    rules:
      in_order: begins < ends
      of_parent: ends > p.born
    correlate: {columns: [x, p_id.size], matrix: [[1, -0.25], [-0.25, 1]]}
  d:
    rows: {per: p, count: {from: seats}, total: 9}
    columns:
      p_id: {references: p.id}
      a: {type: int, generate: {uniform: [1, 9]}}
      b: {type: date, generate: {between: [-3y, -2y]}}
      c: {type: real, generate: {uniform: [1, 9]}}
      d: {type: real, generate: {uniform: [1, 9]}}
    correlate:
      - {columns: [a, b], matrix: [[1, 0.5], [0.5, 1]]}
      - {columns: [c, d], matrix: [[1, 0.1], [0.1, 1]]}
    rules: [a > 0, {small: a < 10}]
"""


def test_everything_is_read_as_it_is_written() -> None:
    schema = parse_schema(TEXT)
    rows = schema.table("c").rows
    assert (rows.mean, rows.total, schema.table("d").rows.each) == (7.5, None, Recipe("from", {"path": "seats"}))
    assert isinstance(rows.each, Recipe)
    assert rows.each.args["cases"]["pro"].args["cases"] == {"true": 4, "false": Recipe("expression", {"sql": "seats * 2"})}
    assert schema.table("c").column("y").generate.args["cases"]["1"] == Recipe("uniform", {"range": (3_600_000_000, 7_200_000_000)})
    slot = schema.table("c").column("begins").generate
    assert (slot.args["gap"].args["mean"], slot.args["length"], slot.args["until"]) == (21_600_000_000, 5_400_000_000, "1y")
    assert [c.matrix for c in schema.table("d").correlate] == [((1, 0.5), (0.5, 1)), ((1, 0.1), (0.1, 1))]
    assert [(r.name, r.sql) for r in schema.table("d").rules] == [(None, "a > 0"), ("small", "a < 10")]


def test_it_is_written_and_kept_in_documents() -> None:
    schema = parse_schema(TEXT)
    assert parse_schema(to_yaml(schema)) == schema
    assert from_document(to_document(schema)) == schema
    assert from_document(json.loads(rfc8785.dumps(to_document(schema)))) == schema
    assert [list(t.rows.each.args["cases"]) for t in [from_document(json.loads(rfc8785.dumps(to_document(schema)))).table("c")]] == [
        ["free", "pro"]
    ]


def test_editors_are_told_of_it() -> None:
    for text in (TEXT, to_yaml(parse_schema(TEXT))):
        root = Reading().compose(text)
        assert [e.message for e in jsonschema.Draft202012Validator(json_schema()).iter_errors(plain(root))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mean: 7.5", "mean: -1"),
        ("mean: 7.5", "average: 1"),
        ("count: {from: seats}", "count: {choice: [1, 2]}"),
        ("columns: [a, b], matrix", "colums: [a, b], matrix"),
        ("[[1, 0.5], [0.5, 1]]", "[[1, 5], [5, 1]]"),
        ("cases: {1: {uniform: [1h, 2h]}}", "cases: [1, 2]"),
        ("gap: {exponential: 6h, max: 9d}", "gap: {choice: [1, 2]}"),
    ],
)
def test_editors_and_the_reader_refuse_what_is_wrong(old: str, new: str) -> None:
    assert old in TEXT
    root = Reading().compose(TEXT.replace(old, new, 1))
    assert list(jsonschema.Draft202012Validator(json_schema()).iter_errors(plain(root)))
    with pytest.raises(SchemaError):
        parse_schema(TEXT.replace(old, new, 1))


FITTING = "sequence, uuid4, uuid7, choice, list, constant, states, template, pattern, words, sentences, grammar, excerpt, json, cases, from, expression, faker, mimesis"
UNIQUE = "sequence, uuid4, uuid7, choice, list, template, pattern, words, sentences, grammar, faker, mimesis"
HOURS = "cases: {1: {uniform: [1h, 2h]}}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("mean: 7.5", "mean: 7.5, total: 3", {"mean: 7.5": "`total` and `mean` both say what the counts sum to; give one of them"}),
        ("mean: 7.5", "mean: -1", {"-1}\n": "mean must lie between 0 and 1,000,000,000,000, not -1"}),
        ("cases: {free: {zipf", "cases: {fre: {zipf", {"fre: {zipf": "cases: 'plan' never has the value 'fre'; did you mean 'free'?"}),
        ("{by: plan,", "{by: plans,", {"plans,": "cases: 'plans' is no column of 'p' or of a row that it references; did you mean 'plan'?"}),
        ('{"true": 4,', '{"yes": 4,', {'"yes"': "cases: 'yes' is no value of 'on', which is boolean", "{by: on": "cases: no case for true of 'on', so `else:` is needed"}),
        ("{free: {constant: no}, pro:", "{pro:", {"{by: p_id.plan": "cases: no case for free of 'p_id.plan', so `else:` is needed"}),
        ("by: p_id.plan", "by: p_id.size", {"p_id.size, cases": "cases: 'p_id.size' is double, and only texts, enums, whole numbers and booleans tell cases apart"}),
        ("{choice: {card: 80, wire: 20}}", "{uniform: [1, 2]}", {"{uniform: [1, 2]}": f"uniform does not fit text; these do: {FITTING}"}),
        ("{choice: {card: 80", "{chioce: {card: 80", {"chioce": "unknown generator 'chioce'; did you mean 'choice'?"}),
        ("cases: {1: {uni", "cases: {one: {uni", {"one: {uni": "cases: 'one' is no value of 'p.level', which is integer"}),
        (HOURS, HOURS[:-1] + ", +1: {constant: 1h}}", {"+1": "cases: the value 1 has a case already"}),
        (f"by: p.level, {HOURS}, else: {{exponential: 1d}}", f"by: p.seats, {HOURS}", {"{by: p.seats": "cases: nobody can tell all values of 'p.seats', so `else:` is needed"}),
        ("text, generate: {by: p_id", "text, unique: true, generate: {by: p_id", {"{by: p_id": f"cases cannot promise unique values, and 'pays' is unique; these can: {UNIQUE}"}),
        ("rules: [a > 0,", "rules: [e > 0,", {"e > 0": "rule: 'e' is no column of 'd' or of a row that it references"}),
        ("count: {from: seats}", "count: {from: size2}", {"size2": "from: 'size2' is no column of 'p' or of a row that it references; did you mean 'size'?"}),
        ("mean: 7.5", "mean: 7.5, max: 3", {"max: 3}\n": "unknown key 'max' in rows; known are fixed, per, count, total, mean"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, expected: dict[str, str]) -> None:
    assert old in TEXT
    text = TEXT.replace(old, new, 1)
    wanted = []
    for there, message in expected.items():
        assert text.count(there) == 1
        before = text[: text.index(there)]
        wanted.append(f"f:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: {message}")
    with pytest.raises(SchemaError) as found:
        parse_schema(text, "f")
    assert sorted(str(found.value).splitlines()) == sorted(wanted)


def test_the_class_of_cases_is_the_strictest_among_them() -> None:
    cases = "{by: plan, cases: {free: {template: hidden}, pro: internet.token}, else: person.name}"
    schema = parse_schema(TEXT.replace("      born:", f"      who:     {{type: text, generate: {cases}}}\n      born:"))
    assert schema.table("p").column("who").data_class == "sensitive"
    assert parse_schema(to_yaml(schema)) == schema
    text = TEXT.replace("      born:", "      mail:    {type: text, generate: person.email}\n      born:")
    schema = parse_schema(text.replace("pro: {choice: {card: 80, wire: 20}}", "pro: {from: p_id.mail}"))
    assert schema.table("c").column("pays").data_class == "personal", "the class of a column that a case repeats"
    assert parse_schema(to_yaml(schema)) == schema
