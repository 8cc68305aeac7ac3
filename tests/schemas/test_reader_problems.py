"""Bad schema files: each problem is told with its place, what was expected, and the nearest valid word."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import InputError, SchemaError
from schemas.reader import parse_schema, read_schema
from schemas.reference import EXAMPLE


def problems(text: str) -> list[str]:
    """What is said about a file, without its name."""
    with pytest.raises(SchemaError) as caught:
        parse_schema(text, "f")
    return [line.removeprefix("f:").removeprefix(" ") for line in str(caught.value).splitlines()]


def of_column(written: str, more: str = "") -> list[str]:
    """What is said about the column `c` of table `t`; its text begins at line 6, column 7."""
    return problems(f"schema: s\ntables:\n  t:\n    rows: 1\n    columns:\n      c: {written}\n{more}")


def of_tables(written: str) -> list[str]:
    return problems("schema: s\ntables:\n" + written)


# The file


def test_a_missing_file_names_its_path_and_the_nearest_built_in() -> None:
    with pytest.raises(InputError) as caught:
        read_schema("companyoss")
    assert str(caught.value) == "companyoss: there is no such schema file, and no built-in schema of that name; did you mean 'companyos'?"


@pytest.mark.parametrize("written", ["shopp", "shopp.yaml", "folder/../sho.yaml"])
def test_a_missing_file_names_the_nearest_file_of_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "shop.yaml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        read_schema(written)
    near = str(Path(written).with_name("shop.yaml"))
    assert str(caught.value).endswith(f"there is no such schema file, and no built-in schema of that name; did you mean '{near}'?")


def test_a_missing_file_is_not_like_another_by_its_suffix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bins.yaml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no built-in schema of that name; built in: companyos, demo, tpch$"):
        read_schema("missing.yaml")


def test_a_reference_to_a_bundle_is_told_to_be_no_schema() -> None:
    with pytest.raises(
        InputError, match="it is written like a reference to a bundle, and a schema is meant here: a file, or one of companyos, "
    ):
        read_schema("shop:v1")


@pytest.mark.parametrize(("written", "near"), [("en_USA", "en_US"), ("de-DE", "de_DE"), ("{en_USA: 1}", "en_US")])
def test_what_is_no_locale_is_told_with_the_nearest_one(written: str, near: str) -> None:
    (told,) = problems(
        f"schema: s\nlocale: {written}\ntables:\n  t:\n    rows: 1\n    columns:\n      c: {{type: int, generate: sequence}}\n"
    )
    assert told.endswith(f"; did you mean '{near}'?")


def test_a_folder_is_no_schema_file(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_schema(tmp_path)
    assert str(caught.value) == f"{tmp_path}: the schema file cannot be read: Is a directory"


def test_an_empty_name_is_told_as_one() -> None:
    with pytest.raises(InputError, match="^the name of the schema is empty; it is a file, or one of companyos, demo, tpch$"):
        read_schema("")


def test_a_path_with_nul_is_an_input_error() -> None:
    with pytest.raises(InputError):
        read_schema("a\0b")


def test_another_encoding_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("schema: s\ncomment: für\n".encode("latin-1"))
    with pytest.raises(SchemaError) as caught:
        read_schema(path)
    assert str(caught.value) == f"{path}:2:11: this is not UTF-8 text; save the schema file as UTF-8"


def test_an_enormous_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(InputError, match="more than 20 MB"):
        read_schema(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a file without an end is Unix's")
def test_what_tells_no_size_is_read_no_further_than_a_file_may_be() -> None:
    with pytest.raises(InputError, match="more than 20 MB"):
        read_schema("/dev/zero")


def test_arrays_of_arrays_are_refused_however_deep() -> None:
    assert of_column(f"{{type: 'int{'[]' * 50_000}'}}") == ["6:17: arrays of arrays are not known; use json"]


@pytest.mark.parametrize("part", [" + c > 0", " + c", " || c"])
def test_expressions_too_long_to_be_read_are_told(part: str) -> None:
    written = f"{{type: int, generate: {{uniform: [1, 5]}}, check: c > 0{part * 2_000}}}"
    message = "it is too long or too deep an expression to be read here; make it several"
    assert of_column(written) == [f"6:58: check: {message}"]


@pytest.mark.parametrize(("part", "times"), [(" AND c > 0", 2_000), (" OR c > 0", 2_000), (" + c", 260)])
def test_long_expressions_are_read(part: str, times: int) -> None:
    sql = f"c{part * times} > 0" if "+" in part else f"c > 0{part * times}"
    column = f"c: {{type: int, generate: {{uniform: [1, 5]}}, check: {sql}}}"
    assert parse_schema(f"schema: s\ntables:\n  t:\n    rows: 1\n    columns:\n      {column}\n    rules: [{sql}]\n").tables


def test_a_password_in_a_file_name_is_not_shown() -> None:
    with pytest.raises(InputError) as caught:
        read_schema("postgresql://me:secret@host/db")
    assert "secret" not in str(caught.value)


# YAML


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty; a schema file begins with `schema: <name>`"),
        ("# nothing\n", "the file is empty; a schema file begins with `schema: <name>`"),
        ("---\n", "2:1: a schema file must be a mapping, not nothing"),
        ("- a\n", "1:1: a schema file must be a mapping, not a list"),
        (
            "7,ann@example.com\n8,bob@example.com\n",
            "1:1: a schema file is a mapping that begins with `schema: <name>`, and this file is plain text",
        ),
        ("schema: s\n---\nschema: t\n", "2:1: a schema file holds one document, and here a second begins"),
        ("schema: s\ntables:\n\tt: 1\n", "3:1: this is not YAML: lines are indented by spaces, not tabs"),
        ("schema: [a\n", "2:1: this is not YAML: did not find expected ',' or ']'"),
        ("schema: 'a\n", "2:1: this is not YAML: found unexpected end of stream"),
        (
            "schema: a: b\n",
            "1:10: this is not YAML: mapping values are not allowed in this context; quote text that contains a colon and a space",
        ),
        ("schema: \x07\n", "1:9: this is not YAML: the character U+0007 is not allowed"),
        ("schema: *x\n", "1:9: this is not YAML: found undefined alias"),
        ("a: &x 1\nb: &x 2\n", "2:4: this is not YAML: an anchor of this name stands above already"),
        ("schema: &a [*a]\n", "1:9: an alias contains itself"),
        ("schema: " + "[" * 99_999, "1:68: the file is nested more than 60 deep"),
    ],
)
def test_what_is_not_yaml_is_told_with_its_place(text: str, message: str) -> None:
    assert problems(text)[0] == message


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    (message,) = problems("\n".join(lines) + "\n")
    assert "aliases make more than 500,000 values of this file" in message


def test_many_values_are_refused() -> None:
    (message,) = problems("schema: [" + "1," * 600_000 + "1]\n")
    assert "the file has more than 500,000 values" in message


def test_tags_and_nul_and_keys_that_are_no_words_are_told() -> None:
    found = problems('schema: !!python/object:os.system s\ncomment: "a\\0b"\n? [a]\n: b\ncomment: x\n')
    assert (
        found[0]
        == "1:1: a schema file needs `tables:`, for example `tables: {users: {rows: 10, columns: {id: {type: bigint, key: true}}}}`"
    )
    assert found[1:] == [
        "1:9: the tag tag:yaml.org,2002:python/object:os.system is not known here; leave it out",
        "2:10: text cannot hold the character U+0000",
        "3:3: a key must be a word, not a list",
        "5:1: 'comment' stands twice here; it is at line 2 already",
    ]


# Names


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ('""', "must not be empty"),
        ('" "', "must not be empty"),
        ("ü" * 32, f"has 64 bytes, and databases keep at most 63: '{'ü' * 32}'"),
        ('"a\\nb"', "must not have control characters such as line breaks"),
    ],
)
def test_names_that_databases_cannot_hold_are_refused(name: str, reason: str) -> None:
    assert of_tables(f"  t:\n    rows: 1\n    columns:\n      {name}: {{type: text, generate: words}}\n") == [
        f"6:7: the name of a column {reason}"
    ]
    assert of_tables(f"  {name}:\n    rows: 1\n    columns: {{a: {{type: text, generate: words}}}}\n") == [
        f"3:3: the name of a table {reason}"
    ]


def test_both_parts_of_a_qualified_name_are_names() -> None:
    assert of_tables("  sales.:\n    rows: 1\n    columns: {a: {type: text, generate: words}}\n") == [
        "3:3: the name of a table must not be empty"
    ]


def test_names_that_differ_only_in_case_are_refused() -> None:
    found = of_tables(
        "  t:\n    rows: 1\n    columns: {a: {type: int, key: true}, A: {type: text, generate: words}}\n  T:\n    rows: 1\n    columns: {a: {type: int, key: true}}\n"
    )
    assert found == [
        "5:42: columns 'A' and 'a' differ only in case, and some databases take them for one",
        "6:3: tables 'T' and 't' differ only in case, and some databases take them for one",
    ]


def test_the_same_name_twice_is_refused() -> None:
    found = of_tables("  t:\n    rows: 1\n    columns: {a: {type: int, key: true}, a: {type: text}}\n")
    assert found == ["5:42: 'a' stands twice here; it is at line 5 already"]


# Columns, one wrong thing each: what is written, and the one thing that is said


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("5", "6:10: column 'c' must be a mapping, not '5'"),
        ("{}", "6:7: column 'c' needs `type:`, or `references: table.column`"),
        ("{type: txt, generate: words}", "6:17: unknown type 'txt'; did you mean 'text'?"),
        ("{type: serial}", "6:17: unknown type 'serial'; here it is written integer, with `identity: true` beside it"),
        ("{type: TinyInt(1), generate: {boolean: 0.5}}", "6:17: unknown type 'TinyInt(1)'; here it is written smallint"),
        ("{type: enum, generate: words}", "6:17: unknown type 'enum'; here it is written {enum: [first, second]}"),
        ("{type: numeric(8,2), generate: finance.price}", '6:17: YAML cuts this at its comma; inside of { } it stands in quotes: "numeric(8, 2)"'),
        ("{type: int, check: greatest(c, 0, 1) > 0, generate: {uniform: [1, 5]}}", '6:29: YAML cuts this at its comma; inside of { } it stands in quotes: "greatest(c, 0, 1) > 0"'),
        ("{type: int, generate: {expression: round(8.5, 1)}}", '6:45: YAML cuts this at its comma; inside of { } it stands in quotes: "round(8.5, 1)"'),
        ("{type: {enm: [a]}}", "6:18: unknown key 'enm' in a type; did you mean 'enum'?"),
        ("{type: {enum: []}}", "6:24: an enum needs at least one value"),
        ("{type: {enum: [a, b, a]}}", "6:31: 'a' stands twice in the enum"),
        ("{type: 'int[][]'}", "6:17: arrays of arrays are not known; use json"),
        ("{type: 'numeric(39,2)', generate: finance.price}", "6:17: numeric needs a precision from 1 to 38 and a scale of at most that, not numeric(39,2)"),
        ("{type: 'numeric(5,6)', generate: finance.price}", "6:17: numeric needs a precision from 1 to 38 and a scale of at most that, not numeric(5,6)"),
        ("{type: 'varchar(0)', generate: words}", "6:17: varchar needs one length from 1 to 10,485,760, not varchar(0)"),
        ("{type: 'timestamp(3)'}", "6:17: timestamp takes nothing in brackets; times are exact to the microsecond; write timestamp, not timestamp(3)"),
        ("{type: text, nullable: true, generate: words}", "6:23: unknown key 'nullable' in column 'c'; write `null:` with the share of the values that are null, such as 0.1"),
        ("{type: text, generat: words}", "6:23: unknown key 'generat' in column 'c'; did you mean 'generate'?"),
        ("{type: int}", "6:7: column 'c' (integer) needs `generate:`, for example `generate: {uniform: [0, 1000]}`"),
        ("{type: text, key: yes, generate: words}", "6:28: key must be true or false, not 'yes'"),
        ("{type: text, null: 1.5, generate: words}", "6:29: null must lie between 0 and 1, not 1.5"),
        ("{type: text, null: some, generate: words}", "6:29: null is the share of the values that are null, such as 0.1, or 0 for none yet, not 'some'"),
        ("{type: text, null: true, generate: words}", "6:29: null is the share of the values that are null, such as 0.1, or 0 for none yet, not 'true'"),
        ("{type: text, class: privat, generate: words}", "6:30: unknown class 'privat'; known are public, internal, personal, sensitive"),
        ("{type: text, semantic: person.mail, generate: words}", "6:33: unknown semantic 'person.mail'; did you mean 'person.email'?"),
        ("{type: text, comment: , generate: words}", "6:32: comment must be text, not nothing"),
        ("{type: text, within: c, generate: words}", "6:23: within belongs beside `references:`"),
        ("{type: text, identity: true, generate: words}", "6:33: identity needs an integer column, and 'c' is text"),
        ("{type: int, identity: true, null: 0.2}", "6:44: column 'c' is numbered by the database, so it cannot have `null:`"),
        ("{type: int, identity: true, default: '5'}", "6:47: column 'c' is numbered by the database, so it takes no default"),
        ("{type: text, computed: lower(x), generate: words}", "6:53: column 'c' is computed by the database, so it takes no `generate:`"),
        ("{type: text, computed: 'NULL', default: 'NULL'}", "6:50: column 'c' is computed by the database, so it takes no default or identity"),
        ("{type: text, default: nope(, generate: words}", "6:32: default: this is not a SQL expression: something is missing at '(', character 5"),
        ("{type: text, default: \"'x'); DROP TABLE t; --\", generate: words}", "6:32: default: this is not a SQL expression: ')' is not expected at character 4"),
        ("{type: text, default: new, generate: words}", "6:32: default: a default sees no column such as new; a text stands in quotes inside of those of YAML, such as \"'new'\""),
        ("{type: timestamptz, default: anchor(), generate: {between: [-1y, now]}}", "6:39: default: anchor() is for rules and the recipes of columns; a database does not know the data's now"),
        ("{type: text, computed: 'NULL', key: true}", "6:33: column 'c' is computed by the database and cannot be part of the key"),
        ("{type: int, key: true, null: 0}", "6:39: column 'c' is part of the key of 't', so it cannot have `null:`"),
        ("{type: json, key: true, generate: {list: [1]}}", "6:7: column 'c' is json, which cannot be part of a key"),
        ("{type: text, computed: lower(d)}", "6:33: computed: there is no column 'd'"),
        ("{type: text, check: d > 1, generate: words}", "6:30: check: there is no column 'd'"),
        ("{type: text, check: c >, generate: words}", "6:30: check: this is not a SQL expression: something is missing at '>', character 3"),
        ("{type: text, check: \"c > 'x\", generate: words}", "6:30: check: this is not a SQL expression: a quote or comment is not closed"),
        ("{type: text, check: c in (select 1), generate: words}", "6:30: check: it must be an expression over the columns of one row, not a query"),
        ("{type: text, check: c > 1; drop table t, generate: words}", "6:30: check: this is not a SQL expression: 'drop' is not expected at character 11"),
    ],
)  # fmt: skip
def test_a_wrong_column_is_told_once_with_its_place(written: str, message: str) -> None:
    found = of_column(written)
    if "lower(x)" in written:
        found = [f for f in found if "computed: there" not in f]
    assert found == [message]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("primary_key: true", "6:26: unknown key 'primary_key' in column 'id'; write `key: true`"),
        ("key: yes", "6:31: key must be true or false, not 'yes'"),
        ("uniqe: true", "6:26: unknown key 'uniqe' in column 'id'; did you mean 'unique'?"),
    ],
)
def test_references_to_a_column_whose_key_is_mistyped_are_not_told_of_it_too(written: str, message: str) -> None:
    more = "  u:\n    rows: 1\n    columns:\n      t_id: {references: t.id}\n"
    assert of_tables(f"  t:\n    rows: 1\n    columns:\n      id: {{type: bigint, {written}, generate: sequence}}\n{more}") == [message]


# Recipes, one wrong thing each


@pytest.mark.parametrize(
    ("type", "written", "message"),
    [
        ("text", "5", "unknown generator '5'"),
        ("text", "[words]", "a generator must be a name or a mapping, not a list"),
        ("text", "[new, used, lost]", "a generator must be a name or a mapping, not a list; did you mean {choice: [new, used, ...]}?"),
        ("integer", "[1, 6]", "a generator must be a name or a mapping, not a list; did you mean {uniform: [1, 6]}?"),
        ("text", "name", "unknown generator 'name'; did you mean 'person.name', 'company.name' or 'product.name'?"),
        ("text", "job", "unknown generator 'job'; did you mean 'person.job'?"),
        ("integer", "{random: [1, 6]}", "unknown generator 'random'; did you mean 'uniform'?"),
        ("text", "{words: 2-5}", "count of words must be a number, or a distribution such as {uniform: [1, 5]}, not '2-5'"),
        ("text", "{}", "a generator is expected, not an empty mapping"),
        ("text", "wrods", "unknown generator 'wrods'; did you mean 'words'?"),
        ("text", "{wrods: 5}", "unknown generator 'wrods'; did you mean 'words'?"),
        ("text", "{words: 5, sentences: 2}", "one generator is expected, not words and sentences"),
        ("text", "{words: 5, cuont: 6}", "words has no parameter 'cuont'; did you mean 'count'?"),
        ("text", "{words: {cuont: 6}}", "unknown distribution 'cuont'; known are uniform, normal, lognormal, exponential, beta, poisson, zipf, histogram"),
        ("text", "{words: -1}", "count of words must be 0 or more, not -1"),
        ("text", "{words: 5, count: 6}", "count of words is given twice"),
        ("text", "{internet.slug: 5}", "internet.slug takes no parameters"),
        ("text", "template", "template needs text: the template; for example {template: \"ORD-{row:08}\"}"),
        ("boolean", "person.name", "person.name does not fit boolean; these do: boolean, choice, list, constant, cases, from, expression, faker, mimesis"),
        ("text[]", "{faker: word}", "faker does not fit text[]; these do: choice, list, constant, array, cases, from, expression"),
        ("text[]", "{mimesis: text.word}", "mimesis does not fit text[]; these do: choice, list, constant, array, cases, from, expression"),
        ("text[]", "{array: {uniform: [1, 5]}}", "uniform does not fit text; these do: sequence, uuid4, uuid7, choice, list, constant, states, template, pattern, words, sentences, grammar, excerpt, json, cases, from, expression, faker, mimesis"),
        ("integer", "{normal: 5}", "normal takes a mapping of its parameters (mean, sd, min, max, step), not '5'"),
        ("integer", "{normal: {mean: 5, sd: 0}}", "sd of normal must be above 0, not 0"),
        ("integer", "{normal: {mean: 5, sd: x}}", "sd of normal must be a number, not 'x'"),
        ("integer", "{normal: {mean: 5, sd: 1}, min: 9, max: 2}", "normal: min 9 is greater than max 2"),
        ("integer", "{beta: {a: 1, b: 1}, min: 2}", "beta: min 2 is greater than max 1"),
        ("integer", "{zipf: 0}", "exponent of zipf must be above 0, not 0"),
        ("integer", "{uniform: [5, 1]}", "range of uniform must rise; 5 is greater than 1"),
        ("integer", "{uniform: 5}", "range of uniform must be a list of two, [lowest, highest], not '5'"),
        ("integer", "{histogram: {edges: [0, 1], weights: [1, 2]}}", "histogram: 2 weights need 3 edges, not 2"),
        ("integer", "{histogram: {edges: [0, 0], weights: [1]}}", "histogram: each edge must be greater than the one before"),
        ("integer", "{histogram: {edges: [0, 1], weights: [0]}}", "histogram: weights must be 0 or more, and not all 0"),
        ("numeric(4,1)", "{uniform: [0, 99], step: 0.25}", "uniform: step 0.25 is finer than numeric(4,1) counts; use a multiple of 0.1"),
        ("integer", "{poisson: 9, step: 2.5}", "poisson: step 2.5 is finer than integer counts; use a multiple of 1"),
        ("double", "{uniform: [5, 9], step: 10}", "uniform: there is no multiple of the step 10 from 5 to 9"),
        ("integer", "{histogram: {edges: [5, 10], weights: [1], step: 10}}", "histogram: there is no multiple of the step 10 from 5 before 10"),
        ("text", "{media.avatar: {first: -1}}", "first of media.avatar must be 0 or more, not -1"),
        ("text", "{words: 5000}", "words: a text has at most 2,000 of them, not 5,000"),
        ("text", "{sentences: {uniform: [1, 2001]}}", "sentences: a text has at most 2,000 of them, not 2,001"),
        ("text", "{words: {normal: {mean: 3000, sd: 9}}}", "words: a text has at most 2,000 of them, not 3,000"),
        ("text", "{words: 2.7}", "count of words must be a whole number, not 2.7; for a mean write {poisson: 2.7}"),
        ("bytes", "{bytes: 7.9}", "length of bytes must be a whole number, not 7.9; for a mean write {poisson: 7.9}"),
        ("text", "{excerpt: 2.5}", "length of excerpt must be a whole number, not 2.5; for a mean write {poisson: 2.5}"),
        ("text[]", "{array: words, count: 1.9}", "count of array must be a whole number, not 1.9; for a mean write {poisson: 1.9}"),
        ("integer", "{sequence: {skip: 5}}", "skip of sequence is done after each run; say how many rows that is with `run:`"),
        ("bigint", "{sequence: {format: 'A{n}'}}", "format of sequence is for texts, and this is bigint"),
        ("integer", "{sequence: 1, step: 0}", "step of sequence must not be 0, or all numbers would be the same"),
        ("interval", "{uniform: [1h, 5 minutes]}", "a bound of range of uniform: '5 minutes' is no length of time; write it like 90s, 15m, 8h, 3d, 2w, 6mo or 2y"),
        ("boolean", "{boolean: 1.5}", "share of boolean must lie between 0 and 1, not 1.5"),
        ("text", "{choice: {}}", "choice must not be empty"),
        ("text", "{choice: []}", "choice must not be empty"),
        ("text", "{choice: x}", "choice must be a list of values, or a mapping from values to weights, not 'x'"),
        ("text", "{choice: {a: -1}}", "the weight of 'a' must be 0 or more, not -1"),
        ("text", "{choice: {a: 0, b: 0}}", "choice needs a weight above 0"),
        ("text", "{choice: {a: much}}", "the weight of 'a' must be a number, not 'much'"),
        ("integer", "{choice: [1, x]}", "a value of choice must be a whole number, not 'x'"),
        ("smallint", "{choice: [1, 40000]}", "a value of choice must be at most 32,767, not '40000'"),
        ("numeric(4,2)", "{choice: [1.123]}", "a value of choice must fit numeric(4,2), and 1.123 has more digits"),
        ("varchar(2)", "{choice: [abc]}", "a value of choice must have at most 2 characters, and 'abc' has 3"),
        ("date", "{choice: [tomorrow]}", "a value of choice must be of type date, not 'tomorrow'"),
        ("uuid", "{choice: [x]}", "a value of choice must be of type uuid, not 'x'"),
        ("json", "{constant: null}", "constant: 'c' is NOT NULL; give it `null: 0`, or write \"null\" in quotes to mean the text"),
        ("mood", "{choice: [hapy]}", "a value of choice must be a value of mood, not 'hapy'; did you mean 'happy'?"),
        ("mood", "{states: {happy: {sda: 1}}}", "state 'sda' is not a value of mood; did you mean 'sad'?"),
        ("text", "{states: {a: {b: 0.7, c: 0.8}}}", "the chances of what follows 'a' sum to 1.5, more than 1"),
        ("text", "{states: {a: {b: 2}}}", "the chance of 'b' after 'a' must lie between 0 and 1, not 2"),
        ("text", "{states: {}}", "machine of states must not be empty"),
        ("text", "{states: {a: {b: 1}}, dwell: {c: 1d}}", "dwell names the unknown state 'c'"),
        ("text", "{states: {a: {b: 1}}, dwell: 0s}", "dwell of states must be above 0"),
        ("text", "{states: {a: {b: 1}}, start: c}", "states needs a date or time stamp, and 'c' is text"),
        ("text", "{states: {a: {b: 1}}, factor: c}", "states needs a whole number or numeric, and 'c' is text"),
        ("timestamptz", "{between: [now, -3y]}", "between: the period ends before it begins: [now, -3y]"),
        ("timestamptz", "{between: [-3y, now], growth: 1e300}", "growth of between must be at most 1,000,000, not 1e+300"),
        ("timestamptz", "{between: [nov, now]}", "period of between: 'nov' is no moment; did you mean 'now'?"),
        ("timestamptz", "{between: [2024-02-30, now]}", "period of between: '2024-02-30' is no date or time stamp; write it like 2026-01-31 or 2026-01-31T09:00:00Z"),
        ("time", "{between: ['17:00', '25:00']}", "period of between: '25:00' is no time of day; write it like 08:30"),
        ("timestamptz", "{between: [-1d, now], rhythm: ofice}", "rhythm of between must be one of office, evening, always, or a mapping; did you mean 'office'?"),
        ("timestamptz", "{between: [-1d, now], rhythm: {days: [1]}}", "days needs 7 weights of 0 or more, not all 0"),
        ("timestamptz", "{after: k, within: 1d}", "after: 'k' is no column of 't' or of a row that it references"),
        ("timestamptz", "{after: k.x, within: -1d}", "within of after: '-1d' must not be below zero"),
        ("timestamptz", "{entered: paid, of: c}", "entered needs a column made by `states`, and 'c' is not"),
        ("text", "{grammar: {stat: [x]}}", "rules of grammar needs a symbol `start`, which is what is expanded"),
        ("text", "{grammar: {start: []}}", "the phrases of 'start' must not be empty"),
        ("text", "{from: d}", "from: 'd' is no column of 't' or of a row that it references"),
        ("text", "{expression: d + 1}", "expression: 'd' is no column of 't' or of a row that it references"),
        ("text", "{expression: (}", "expression: this is not a SQL expression: something is missing at '(', character 1"),
        ("integer", "{sum: t}", "sum: 't' is not `table.column` that references 't'"),
        ("integer", "{sum: t.c}", "sum: 't' does not reference 't', so its rows do not belong to one of these"),
        ("integer", "{count: u}", "count: 'u' is not a table that references 't'"),
        ("text", "{person.name: {locale: de-DE}}", "locale of person.name must be a locale such as de_DE, or a mapping from locales to weights, not 'de-DE'; did you mean 'de_DE'?"),
        ("text", "{faker: x, args: 5}", "args of faker must be a mapping of arguments, not '5'"),
        ("text", "{internet.token: 0}", "length of internet.token must be above 0, not 0"),
    ],
)  # fmt: skip
def test_a_wrong_recipe_is_told_once(type: str, written: str, message: str) -> None:
    found = of_column(f"{{type: {type!r}, generate: {written}}}", "types: {mood: [happy, sad]}\n")
    assert [f.partition(": ")[2] for f in found] == [message]
    assert all(f.startswith("6:") for f in found)


@pytest.mark.parametrize(
    ("written", "marked"),
    [
        ("wrods", "wrods"),
        ("{wrods: 5}", "wrods: 5"),
        ("{words: 5, cuont: 6}", "cuont: 6"),
        ("{choice: [1, [2]]}", "[2]"),
        ("{choice: {a: much}}", "much"),
        ("{from: dd}", "dd"),
        ("{states: {a: {b: 2}}}", "2}}}"),
        ("{template: x, locale: {de-DE: 1}}", "de-DE"),
        ("{normal: {mean: 1, sd: 1}}", "{normal"),
    ],
)
def test_a_problem_of_a_recipe_points_at_what_is_wrong(written: str, marked: str) -> None:
    line = f"      c: {{type: text, generate: {written}}}"
    (message,) = of_column(line.partition(": ")[2])
    assert line[int(message.split(":")[1]) - 1 :].startswith(marked)


# References and rows

PARENT = "  p:\n    rows: 1\n    columns: {id: {type: int, key: true}, name: {type: text, generate: words}}\n"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{references: q.id}", "references: there is no table of 'q.id'; write table.column; did you mean 'p.id'?"),
        ("{references: p.nam}", "references: table 'p' has no column 'nam'; did you mean 'name'?"),
        ("{references: p}", "references names a column too, such as 'p.id'"),
        ("{references: 'p(id, name)'}", "1 column cannot reference 2; name as many of 'p'"),
        ("{references: {table: pp, columns: [id]}}", "there is no table 'pp'; did you mean 'p'?"),
        ("{references: {table: p}}", "references written as a mapping needs `table:` and `columns:`"),
        ("{references: p.name}", "p(name) is neither a key nor unique, so it cannot be referenced; add it to `unique:` there"),
        ("{type: uuid, references: p.id}", "column 'c' is uuid and cannot reference 'p.id', which is integer"),
        ("{references: p.id, acyclic: true}", "acyclic is for references of a table to itself, and 'c' references 'p'"),
        ("{references: p.id, depth: 3}", "depth is for acyclic references; write acyclic: true beside it for 'c'"),
        ("{references: t.k, acyclic: true, depth: 0}", "depth must be at least 1, not '0'"),
        ("{references: p.id, weight: nmae}", "weight: table 'p' has no column 'nmae'; did you mean 'name'?"),
        ("{references: p.id, weight: name}", "weight: 'p.name' must be a whole number or numeric that is generated"),
        ("{references: p.id, weight: id, skew: 2}", "weight and skew cannot stand together"),
        ("{references: t.k, weight: k}", "weight is for references to another table, and 'c' references its own"),
        ("{references: p.id, present: k}", "present must be a mapping such as {at: created_at, from: joined_at, until: left_at}, not 'k'"),
        ("{references: p.id, present: {at: d}}", "present needs `at:` (a time of this row), and `from:` or `until:` (times of the referenced row)"),
        ("{references: p.id, present: {from: d}}", "present needs `at:` (a time of this row), and `from:` or `until:` (times of the referenced row)"),
        ("{references: p.id, within: d}", "within: table 't' has no column 'd'"),
        ("{references: p.id, within: k}", "within: 'k' must be part of another reference of 't'; references are other"),
        ("{references: p.id, within: other}", "within: 'p' has no reference to 'p', so its rows share none with those of 't'"),
        ("{references: p.id, other_than: othr}", "other_than: 'othr' is no column of 't' or of a row that it references; did you mean 'other'?"),
        ("{references: p.id, other_than: other.nmae}", "other_than: 'nmae' is no column of 'p' or of a row that it references; did you mean 'name'?"),
        ("{references: p.id, other_than: other.name}", "other_than: 'other.name' must be part of another reference to p(id)"),
        ("{references: p.id, other_than: k}", "other_than: 'k' must be part of another reference to p(id)"),
        ("{references: p.id, other_than: c}", "other_than: 'c' must be part of another reference to p(id)"),
        ("{references: t.k, other_than: other}", "other_than: 'other' must be part of another reference to t(k)"),
        ("{references: p.id, other_than: other, generate: {uniform: [1, 9]}}", "other_than: 'c' has a generator of its own, so there is no choice"),
        ("{references: p.id, other_than: [other]}", "other_than must be text, not a list"),
        ("{references: p.id, skew: 0}", "skew must be above 0 and at most 10, not 0"),
        ("{references: t.k, acyclic: true, depth: 2, generate: {uniform: [1, 9]}}", "acyclic: 'c' has a generator of its own, so there is no choice"),
        ("{references: p.id, within: c}", "within: 'c' must be part of another reference of 't'; references are other"),
    ],
)  # fmt: skip
def test_a_wrong_reference_is_told_once(written: str, message: str) -> None:
    found = of_tables(
        PARENT
        + f"  t:\n    rows: 1\n    columns:\n      k: {{type: int, key: true}}\n      other: {{references: p.id}}\n      c: {written}\n"
    )
    assert [f.partition(": ")[2] for f in found] == [message]
    assert all(f.startswith("11:") for f in found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("present: {at: name, until: left}", "at of present: 't.name' must be a date or time stamp that is generated"),
        ("present: {at: day, until: name}", "until of present: 'p.name' must be a date or time stamp that is generated"),
        ("present: {at: dya, until: left}", "at of present: table 't' has no column 'dya'; did you mean 'day'?"),
        ("present: {at: day, from: lfet}", "from of present: table 'p' has no column 'lfet'; did you mean 'left'?"),
        ("present: {at: maybe, until: left}", "at of present: 'maybe' may be null, and where it is so is 'c'; give it `null: 0`"),
        ("weight: stock, present: {at: day, until: left}", "present and weight cannot stand together"),
        ("generate: {from: nr}, present: {at: day, until: left}", "present: 'c' has a generator of its own, so there is no choice"),
        ("generate: {from: nr}, weight: stock", "weight: 'c' has a generator of its own, so there is no choice"),
        ("generate: {from: nr}, skew: 1.2", "skew: 'c' has a generator of its own, so there is no choice"),
        ("generate: {from: nr}, within: of", "within: 'c' has a generator of its own, so there is no choice"),
    ],
)
def test_a_reference_whose_options_cannot_hold_is_told(options: str, message: str) -> None:
    text = (
        "  p:\n    rows: 1\n    columns:\n      id: {type: int, key: true}\n      name: {type: text, generate: words}\n"
        "      stock: {type: int, generate: ordinal}\n      left: {type: date, null: 0.5, generate: {between: [-1y, now]}}\n"
        "      of: {references: g.id}\n  g: {rows: 1, columns: {id: {type: int, key: true}}}\n"
        "  t:\n    rows: 1\n    columns:\n      nr: {type: int, key: true}\n      name: {type: text, generate: words}\n"
        "      day: {type: date, generate: {between: [-1y, now]}}\n      maybe: {type: date, null: 0.5, generate: {between: [-1y, now]}}\n"
        "      of: {references: g.id}\n"
        f"      c: {{references: p.id, {options}}}\n"
    )
    found = of_tables(text.replace("ordinal", "{uniform: [1, 9]}"))
    assert [f.partition(": ")[2] for f in found] == [message]
    assert all(f.startswith("20:") for f in found)


@pytest.mark.parametrize(("options", "option"), [("acyclic: true, depth: 2", "depth"), ("weight: size", "weight")])
def test_options_that_cannot_stand_beside_other_than_are_told(options: str, option: str) -> None:
    own = option == "depth"
    text = (
        "  p: {rows: 1, columns: {id: {type: int, key: true}, size: {type: int, generate: {uniform: [1, 9]}}, off: {type: date, generate: {between: [-1y, now]}}}}\n"
        "  t:\n    rows: 1\n    columns:\n      id: {type: int, key: true}\n      on: {type: date, generate: {between: [-1y, now]}}\n"
        f"      a: {{references: {'t' if own else 'p'}.id, null: 0}}\n      b: {{references: {'t' if own else 'p'}.id, other_than: a, {options}, null: 0}}\n"
    )
    assert [f.partition(": ")[2] for f in of_tables(text)] == [f"{option} and other_than cannot stand together"]


def test_an_acyclic_reference_to_another_row_may_be_null() -> None:
    text = "  t: {rows: 1, columns: {id: {type: int, key: true}, a: {references: t.id}, b: {references: t.id, acyclic: true, other_than: a}}}\n"
    message = "other_than: 'b' is acyclic, and the first rows find none before them; give it `null: 0`"
    assert [f.partition(": ")[2] for f in of_tables(text)] == [message]


def test_types_that_go_in_a_circle_of_references_are_told() -> None:
    found = of_tables(
        "  a:\n    rows: 1\n    columns: {x: {references: b.x, unique: true}}\n  b:\n    rows: 1\n    columns: {x: {references: a.x, unique: true}}\n"
    )
    assert found == ["5:15: no type is given along these references: a.x -> b.x -> a.x; give one of them `type:`"]


def test_columns_that_are_computed_over_each_other_are_told() -> None:
    columns = "{x: {type: int, key: true}, a: {type: int, computed: B + 1}, b: {type: int, computed: c}, c: {type: int, computed: x + a}}"
    text = f"  t:\n    rows: 1\n    columns: {columns}\n"
    told = "columns are computed in a circle, and none of it is known first: a over b over c over a"
    assert of_tables(text) == [f"5:67: {told}"]
    parse_schema(f"schema: s\ntables:\n{text.replace('x + a', 'x + 1')}")


def test_a_text_that_can_mean_two_columns_is_told() -> None:
    text = "  a:\n    rows: 1\n    columns: {b.c: {type: int, key: true}}\n  a.b:\n    rows: 1\n    columns: {c: {type: int, key: true}}\n  t:\n    rows: 1\n    columns: {x: {references: a.b.c}}\n"
    assert of_tables(text) == [
        "11:31: 'a.b.c' can mean more than one column; write {table: a, columns: [b.c]} or {table: a.b, columns: [c]}"
    ]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "table 't' needs `rows:`, a number or {per: <table>, count: <distribution>}"),
        ("rows: many", "rows must be a whole number, not 'many'"),
        ("rows: -1", "rows must be at least 0, not '-1'"),
        ("rows: [1]", "rows must be a whole number, not a list"),
        ("rows: {fixed: 1, total: 2}", "`fixed:` stands alone, without per, count, total or mean"),
        ("rows: {per: p}", "rows must be a number, {fixed: <number>}, or {per: <table>, count: <distribution>}"),
        ("rows: {pr: p, count: 1}", "unknown key 'pr' in rows; did you mean 'per'?"),
        ("rows: {per: pp, count: 1}", "rows per 'pp': there is no such table; did you mean 'p'?"),
        ("rows: {per: t, count: 1}", "rows go in a circle, and no table of it begins: t per t"),
        ("rows: {per: p, count: {choice: [1]}}", "unknown number of rows 'choice'; known are uniform, normal, lognormal, exponential, beta, poisson, zipf, histogram, cases, from, expression"),
        ("rows: {per: p, count: {zipf: 1.3, min: 5, max: 2}}", "zipf: min 5 is greater than max 2"),
    ],
)  # fmt: skip
def test_wrong_rows_are_told_once(written: str, message: str) -> None:
    found = of_tables(PARENT + f"  t:\n    {written}\n    columns: {{p: {{references: p.id}}}}\n")
    assert [f.partition(": ")[2] for f in found] == [message]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("key: [a, d]", "10:14: key: table 't' has no column 'd'"),
        ("key: [a, a]", "10:14: key: column 'a' stands twice"),
        ("key: []", "10:10: key must not be empty"),
        ("unique: [[a, aa]]", "10:18: a unique constraint: table 't' has no column 'aa'; did you mean 'a'?"),
        ("unique: [{name: x}]", "10:14: a unique constraint needs `columns:`"),
        ("indexes: [{columns: [a], uniqe: true}]", "10:30: unknown key 'uniqe' in an index; did you mean 'unique'?"),
        ("checks: [a > 1, z > 1]", "10:21: check: there is no column 'z'"),
        ("checks: {'': a > 1}", "10:14: the name of a check must not be empty"),
        ("foreign_keys: [{columns: [a]}]", "10:20: a foreign key needs `columns:` and `references: table(column, ...)`"),
        ("foreign_keys: [{columns: [x], references: p.id}]", "10:31: a foreign key: table 't' has no column 'x'"),
        ("foreign_keys: [{columns: [a, b], references: p.id}]", "10:50: 2 columns cannot reference 1; name as many of 'p'"),
        ("{checks: 1}", None),
        ("locale: b", "10:5: locale: column 'b' is no reference, so there is no row whose locale could be followed"),
        ("locale: xx-YY", "10:13: locale must be a locale such as de_DE, or a mapping from locales to weights, not 'xx-YY'"),
        ("unique: [{columns: [a], name: n}, {columns: [b], name: N}]", "10:39: two constraints or indexes of 't' are named 'N'"),
    ],
)
def test_wrong_constraints_are_told_once(written: str, message: str | None) -> None:
    text = (
        PARENT
        + f"  t:\n    rows: 1\n    columns: {{a: {{type: int, generate: {{uniform: [1, 5]}}}}, b: {{type: uuid, generate: uuid4}}}}\n    {{}}\n    {written}\n"
    )
    if message is None:
        return
    found = of_tables(text.replace("    {}\n", "    comment: x\n"))
    line = [f for f in found if not f.startswith("9:")]
    if message.startswith("10:5: locale"):
        line = [f.replace("6:3:", "10:5:") for f in found]
    assert line == [message]


def test_unique_columns_need_a_generator_that_can_promise_it() -> None:
    (message,) = of_column("{type: int, unique: true, generate: {normal: {mean: 5, sd: 2}}}")
    assert message.startswith("6:46: normal cannot promise unique values, and 'c' is unique; these can: sequence, choice, list")


def test_a_state_that_not_every_row_enters_needs_a_nullable_column() -> None:
    columns = "s: {type: text, generate: {states: {a: {b: 1}}, start: t}}, t: {type: date, generate: {between: [-1y, now]}}, e: {type: date, generate: {entered: b, of: s}}"
    assert of_tables(f"  t:\n    rows: 1\n    columns: {{{columns}}}\n")[0].endswith("not every row enters 'b', so 'e' needs `null: 0`")


# Several at once


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = (
        EXAMPLE.replace("seed: 42", "sead: 42")
        .replace("type: uuid", "type: uid")
        .replace("company.name", "company.nam")
        .replace("{references: tenants.id}", "{references: tenant.id}", 1)
        .replace("invoice_lines.amount", "invoice_lines.amont")
        .replace("key: [invoice_id, line]", "key: [invoice_id, lin]")
    )
    assert [f.split(":")[0] for f in problems(text)] == ["2", "9", "10", "17", "27", "34"]


def test_a_broken_column_brings_no_problems_of_its_own_kind_elsewhere() -> None:
    text = EXAMPLE.replace("id:         {type: uuid, key: true}", "id:         {type: uuidd, key: true}")
    assert problems(text) == ["9:26: unknown type 'uuidd'; did you mean 'uuid'?"]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("seed: -1", "seed must be at least 0, not '-1'"),
        (f"seed: {2**63}", f"seed must be at most {2**63 - 1:,}, not '{2**63}'"),
        ("seed: 1.5", "seed must be a whole number, not '1.5'"),
        ("anchor: now", "anchor: 'now' is no date or time stamp; write it like 2026-01-31 or 2026-01-31T09:00:00Z"),
        ("locale: {en_US: 0}", "locale needs a locale with a weight above 0"),
        ("types: {text: [a]}", "'text' is a type already; give the enum another name"),
        ("types: {mood: happy}", "an enum must be a list, not 'happy'"),
        ("privacy: {unit: t.x}", "the privacy unit must be a column, as table.column, not 't.x'; did you mean 't.d'?"),
        ("privacy: {unit: t.d}", "the privacy unit 't.d' must be a key or unique, so that it tells one person from another"),
        ("scenarios: {fraud: 2}", "the share of 'fraud' must lie between 0 and 1, not 2"),
    ],
)
def test_wrong_top_level_values_are_told_once(written: str, message: str) -> None:
    found = problems(
        f"schema: s\n{written}\ntables:\n  t:\n    rows: 1\n    columns: {{c: {{type: int, key: true}}, d: {{type: text, generate: words}}}}\n"
    )
    assert [f.partition(": ")[2] for f in found] == [message]


COMPOSITE = """  p: {{rows: 5, columns: {{x: {{type: bigint}}, y: {{type: bigint, generate: sequence}}}}, key: [x, y], foreign_keys: [{{columns: [x], references: o(id)}}]}}
  o: {{rows: 5, columns: {{id: {{type: bigint, key: true}}}}}}
  a:
    rows: 5
    columns:
      id: {{type: bigint, key: true}}
      px: {{type: bigint{px}}}
      py: {{type: bigint{py}}}
    foreign_keys:
      - {{columns: [px, py], references: "p(x, y)"}}
"""


@pytest.mark.parametrize(
    ("px", "py", "message"),
    [
        (", null: 0.5", ", null: 0.1", "'px' has 0.5, 'py' has 0.1"),
        ("", ", null: 0.1", "'px' is NOT NULL, 'py' has 0.1"),
        (", null: 0", ", null: 0.1", "'px' has 0, 'py' has 0.1"),
    ],
)
def test_columns_of_one_reference_with_other_shares_of_nulls_are_told(px: str, py: str, message: str) -> None:
    (found,) = of_tables(COMPOSITE.format(px=px, py=py))
    assert found.partition(": ")[2] == f"null: the columns of a reference are null together, so they need the same share; {message}"
    assert found.startswith("9:" if px == ", null: 0.5" else "10:")


@pytest.mark.parametrize(("px", "py"), [("", ", null: 0"), (", null: 0.5", ", null: 0.5"), ("", "")])
def test_columns_of_one_reference_may_have_the_same_share_of_nulls(px: str, py: str) -> None:
    parse_schema("schema: s\ntables:\n" + COMPOSITE.format(px=px, py=py), "f")


def test_a_share_of_nulls_beside_a_column_that_another_reference_sets_is_its_own() -> None:
    text = COMPOSITE.format(px="", py=", null: 0.1").replace("rows: 5\n", "rows: {per: o, count: 2}\n")
    text = text.replace("- {columns: [px, py]", "- {columns: [px], references: o(id)}\n      - {columns: [px, py]")
    parse_schema("schema: s\ntables:\n" + text, "f")


def test_nulls_in_the_reference_to_the_parent_of_rows_are_told() -> None:
    text = "  p: {rows: 5, columns: {id: {type: bigint, key: true}}}\n  a:\n    rows: {per: p, count: 5}\n    columns:\n"
    text += "      id: {type: bigint, key: true}\n      p: {references: p.id, null: 0.5}\n"
    assert of_tables(text) == [
        "8:7: null: each row of 'a' comes per row of 'p', which 'p' names; leave it out, or give it `null: 0`",
    ]
    parse_schema("schema: s\ntables:\n" + text.replace("0.5", "0"), "f")


def test_a_part_of_a_row_per_parent_is_told() -> None:
    text = "  p: {rows: 5, columns: {id: {type: bigint, key: true}}}\n  a:\n    rows: {per: p, count: 2.9}\n    columns:\n"
    text += "      id: {type: bigint, key: true}\n      p: {references: p.id}\n"
    assert of_tables(text) == ["5:27: count must be a whole number, not 2.9; for a mean write {poisson: 2.9}"]
    parse_schema("schema: s\ntables:\n" + text.replace("2.9", "2.0"), "f")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{after: d, within: 36h, at_least: 30h}", "after: no whole day lies from 30h to 36h after 'd', and this column is a date"),
        ("{before: d, within: 23h}", "before: no whole day lies from 12h to 23h before 'd', and this column is a date"),
        ("{after: c, within: 5h}", "after: there is not always a whole day from 0s to 5h after 'c', which is a time stamp; let within be a day longer than at_least, or more"),
        ("{before: c, within: 1d, at_least: 1d}", "before: there is not always a whole day from 1d to 1d before 'c', which is a time stamp; let within be a day longer than at_least, or more"),
        ("{after: d, within: 48h, at_least: 30h}", None),
        ("{before: c, within: 36h, at_least: 12h}", None),
        ("{after: d, within: 5h}", None),
    ],
)  # fmt: skip
def test_waits_without_a_whole_day_for_a_date_are_told(written: str, message: str | None) -> None:
    text = "  t:\n    rows: 5\n    columns:\n      id: {type: bigint, key: true}\n      d: {type: date, generate: {between: [-9d, now]}}\n"
    text += "      c: {type: timestamptz, generate: {between: [-9d, now]}}\n"
    text += f"      x: {{type: date, generate: {written.replace('23h}', '23h, at_least: 12h}')}}}\n"
    if message is None:
        parse_schema("schema: s\ntables:\n" + text, "f")
        return
    (found,) = of_tables(text)
    assert found.startswith("9:") and found.partition(": ")[2] == message


def test_slots_that_would_end_before_they_begin_are_told() -> None:
    text = "  p: {rows: 5, columns: {id: {type: bigint, key: true}}}\n  a:\n    rows: {per: p, count: 2}\n    columns:\n"
    text += "      p: {references: p.id}\n      s: {type: timestamptz, generate: {slot: {gap: 1h, from: now, until: -3d}}}\n"
    assert [f.partition(": ")[2] for f in of_tables(text)] == ["slot: until must be later than from: [now, -3d]"]
    parse_schema("schema: s\ntables:\n" + text.replace("now, until: -3d", "-3d, until: now"), "f")


NULLS = """  p: {{rows: 5, columns: {{id: {{type: bigint, key: true}}, n: {{type: text, null: 0.4, generate: words}}, m: {{type: text, generate: words}}}}}}
  t:
    rows: {{per: p, count: 2}}
    columns:
      id: {{type: bigint, key: true}}
      p:  {{references: p.id}}
      q:  {{references: p.id, null: 0.3}}
      d:  {{type: timestamptz, null: 0.5, generate: {{between: [-9d, now]}}}}
      z:  {{type: timestamptz, null: 0, generate: {{between: [-9d, now]}}}}
      st: {{type: text, null: 0.2, generate: {{states: {{a: {{b: 1}}}}, start: z}}}}
      sl: {{type: timestamptz, null: 0.2, generate: {{slot: {{gap: 1h, from: -9d}}}}}}
      x:  {{type: {type}, {more}generate: {recipe}}}
"""
DOMAIN = "{person.email: {domain: p.n}}"


@pytest.mark.parametrize(
    ("type", "recipe", "source"),
    [
        ("timestamptz", "{from: d}", "'t.d' is null in a share of 0.5"),
        ("text", "{from: p.n}", "'p.n' is null in a share of 0.4"),
        ("text", "{from: q.m}", "'t.q' is null in a share of 0.3"),
        ("timestamptz", "{expression: d}", "'t.d' is null in a share of 0.5"),
        ("timestamptz", "{after: d, within: 2d}", "'t.d' is null in a share of 0.5"),
        ("timestamptz", "{before: d, within: 2d}", "'t.d' is null in a share of 0.5"),
        ("uuid", "{uuid7: d}", "'t.d' is null in a share of 0.5"),
        ("timestamptz", "{entered: any, of: st}", "'t.st' is null in a share of 0.2"),
        ("timestamptz", "{slot_end: sl}", "'t.sl' is null in a share of 0.2"),
        ("text", DOMAIN, "'p.n' is null in a share of 0.4"),
    ],
)
def test_what_is_made_from_a_column_with_nulls_must_have_a_place_for_them(type: str, recipe: str, source: str) -> None:
    (found,) = of_tables(NULLS.format(type=type, recipe=recipe, more=""))
    what = "person.email" if recipe == DOMAIN else recipe[1:].partition(":")[0]
    assert found.startswith("14:")
    assert found.partition(": ")[2] == f"{what}: {source} of its rows, and 'x' is NOT NULL; give it `null: 0`"
    for more in ("null: 0, ", "hidden: true, "):
        parse_schema("schema: s\ntables:\n" + NULLS.format(type=type, recipe=recipe, more=more), "f")


@pytest.mark.parametrize(
    ("type", "recipe"), [("timestamptz", "{from: z}"), ("text", "{from: p.m}"), ("text", "{expression: \"coalesce(p.n, 'x')\"}")]
)
def test_columns_that_may_have_nulls_and_have_none_are_taken_over(type: str, recipe: str) -> None:
    parse_schema("schema: s\ntables:\n" + NULLS.format(type=type, recipe=recipe, more=""), "f")


# What is proposed for a column without a generator


@pytest.mark.parametrize("name", ["name", "email", "n", "created_at"])
@pytest.mark.parametrize(
    "column",
    ["smallint", "bigint", "'numeric(8,2)'", "real", "text", "varchar(8)", "char(2)", "boolean", "date", "time", "timestamptz", "interval", "uuid", "json",
     "bytes", "{enum: [a, b]}", "'text[]'", "smallint, unique: true", "text, unique: true", "varchar(8), unique: true", "date, unique: true", "bytes, unique: true"],
)  # fmt: skip
def test_a_column_without_a_generator_is_told_of_one_that_does(column: str, name: str) -> None:
    text = f"schema: s\ntables:\n  users:\n    rows: 1\n    columns:\n      {name}: {{type: {column}%s}}\n"
    (told,) = problems(text % "")
    example = told.partition("for example `")[2].removesuffix("`")
    assert parse_schema(text % f", {example}").table("users").columns[0].generate is not None


def test_sqlglot_is_not_loaded_to_read_a_schema_without_sql() -> None:
    text = "schema: s\ntables:\n  t:\n    rows: 1\n    columns:\n      id: {type: bigint, key: true}\n"
    code = f"import sys; from schemas.reader import parse_schema; parse_schema({text!r}); print('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
