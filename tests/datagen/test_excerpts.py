"""Excerpts, words from a list, sequences that skip numbers."""

from __future__ import annotations

import pytest

from datagen.errors import GenerationFailed
from schemas.errors import InputError
from tests.datagen.making import column_of, source_of

RULES = '{start: ["{who} {does}."], who: [Foxes, "Ärzte über", 日本の猫], does: [sleep, run]}'


def excerpts(rules: str = RULES, length: str = "{uniform: [3, 20]}", size: int = 2000, **options: object) -> list[str]:
    return column_of(f"{{excerpt: {length}, rules: {rules}, size: {size}}}", "text", 5000, **options).to_pylist()


def test_excerpts_are_pieces_of_one_text_and_have_the_lengths_that_are_asked_for():
    whole = excerpts(length="2000")
    assert len(set(whole)) == 1 and len(whole[0]) == 2000
    pieces = excerpts()
    assert {len(p) for p in pieces} == set(range(3, 21))
    assert all(p in whole[0] for p in pieces)
    assert len({whole[0].index(p) for p in pieces if len(p) == 20}) > 100


def test_the_text_is_made_of_the_sentences_of_the_grammar():
    text = excerpts(length="2000")[0]
    assert {s.split(" ")[0] for s in text.split(". ")[:-1]} == {"Foxes", "Ärzte", "日本の猫"}
    assert column_of("{excerpt: 300}", "text", 3)[0].as_py().split(" ")[3].islower()


def test_columns_with_the_same_grammar_share_the_text_and_not_the_places():
    text = f"""tables:
  a: {{rows: 500, columns: {{x: {{type: text, generate: {{excerpt: 9, rules: {RULES}}}}}, y: {{type: text, generate: {{excerpt: 9, rules: {RULES}}}}}}}}}
  b: {{rows: 1, columns: {{x: {{type: text, generate: {{excerpt: 250000, rules: {RULES}}}}}}}}}
"""
    made = source_of(text)
    whole, rows = made.read("b").read_all().to_pylist()[0]["x"], made.read("a").read_all()
    assert all(value in whole for name in ("x", "y") for value in rows.column(name).to_pylist())
    assert rows.column("x") != rows.column("y")


def test_any_rows_can_be_made_alone():
    made = source_of(
        f"tables:\n  t: {{rows: 900, columns: {{x: {{type: text, generate: {{excerpt: {{uniform: [0, 30]}}, rules: {RULES}}}}}}}}}\n"
    )
    assert made.read_rows("t", 500, 510).to_pylist() == made.read("t").read_all().to_pylist()[500:510]


@pytest.mark.parametrize(
    ("generate", "type", "message"),
    [
        ("{excerpt: 50}", "varchar(40)", r"up to 50 characters and varchar\(40\) has 40"),
        ("{excerpt: 50, size: 40}", "text", "0 <= length <= size"),
        ('{excerpt: 5, rules: {start: ["{id} runs"]}}', "text", "must be a symbol of its grammar"),
        ("{excerpt: 5, size: -1}", "text", "size of excerpt must be above 0"),
        ("{words: 5, of: [a, b, c], distinct: true}", "text", "up to 5 are asked for of 3 different ones"),
        ("{words: 2, of: [a, b, a], distinct: true}", "text", "different"),
    ],
)
def test_what_cannot_be_carried_out_is_told(generate, type, message):
    with pytest.raises(InputError, match=message):
        column_of(generate, type, 10)


def test_excerpts_that_have_no_room_in_a_batch_are_told_before_they_are_copied():
    """A batch has room for 2 GiB of texts: octets, of which these characters have one or three."""
    with pytest.raises(GenerationFailed, match=r"t\.x cannot be made: 12,000 excerpts .* more than 2 GiB"):
        column_of("{excerpt: 250000}", "text", 12_000)
    with pytest.raises(GenerationFailed, match="more than 2 GiB"):
        column_of('{excerpt: 250000, rules: {start: ["日本の猫"]}}', "text", 4_000)


def test_a_grammar_of_nothing_is_told():
    with pytest.raises(GenerationFailed, match=r"t\.x: the grammar of excerpts makes empty sentences alone"):
        column_of('{excerpt: 5, rules: {start: [""]}}', "text", 10)


def test_distinct_words_come_in_every_order_and_never_twice():
    texts = column_of("{words: 3, of: [a, b, c], distinct: true}", "text", 3000).to_pylist()
    assert {tuple(sorted(t.split(" "))) for t in texts} == {("a", "b", "c")}
    # each of the six orders has a chance of 1/6: fewer than 350 of 3,000 have one in less than 1e-12
    assert all(texts.count(t) > 350 for t in set(texts)) and len(set(texts)) == 6
    lengths = column_of("{words: {uniform: [0, 4]}, of: [a, b, c, d], distinct: true}", "text", 2000).to_pylist()
    assert all(len(set(t.split())) == len(t.split()) for t in lengths) and {len(t.split()) for t in lengths} == {0, 1, 2, 3, 4}


def test_a_sequence_skips_numbers_and_references_follow_it():
    text = """tables:
  p: {rows: 40, columns: {id: {type: bigint, key: true, generate: {sequence: 5, step: 10, run: 3, skip: 2}}, n: {type: text, generate: {sequence: {run: 2, skip: 1, format: "N{n:03}"}}}}}
  c: {rows: {per: p, count: 2}, columns: {id: {type: bigint, key: true}, p_id: {references: p.id}, far: {references: p.id}}}
"""
    made = source_of(text)
    parents, children = made.read("p").read_all(), made.read("c").read_all()
    assert parents.column("id").to_pylist()[:7] == [5, 15, 25, 55, 65, 75, 105]
    assert parents.column("n").to_pylist()[:5] == ["N001", "N002", "N004", "N005", "N007"]
    assert children.column("p_id").to_pylist() == [i for i in parents.column("id").to_pylist() for _ in range(2)]
    assert set(children.column("far").to_pylist()) <= set(parents.column("id").to_pylist())
