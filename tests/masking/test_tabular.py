"""Flat files as tables of texts: nothing is guessed of a cell, and what cannot be read is said with its line and without its values."""

from __future__ import annotations

import datetime as dt
import errno
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.tabular import Tabular, read_table, write_table
from schemas.errors import InputError, SystemFailure

CELLS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_cells_stay_the_texts_that_they_are(tmp_path):
    read = read_table(written(tmp_path, "id,born,n\n007,2024-01-01,1e5\n 8 ,NaN,NULL\n"))
    assert read.table.to_pydict() == {"id": ["007", " 8 "], "born": ["2024-01-01", "NaN"], "n": ["1e5", "NULL"]}
    assert (read.kind, read.separator, set(read.table.schema.types)) == ("csv", ",", {pa.string()})


@pytest.mark.parametrize(
    ("content", "separator"),
    [
        ("a;b\n1,5;2\n", ";"),
        ("a,b\n1;2,5\n", ","),
        ('a;"b,c,d"\n1;2\n', ";"),
        ("a,b;c\n1,2;3\n4,5\n", ","),
        ("a\n1\n", ","),
    ],
)
def test_the_separator_is_told_from_the_rows(tmp_path, content, separator):
    assert read_table(written(tmp_path, content)).separator == separator


def test_the_separator_is_told_where_the_sample_ends_within_quotes(tmp_path):
    rows = "".join(f'{i};"x,\n,{"y" * 200}"\n' for i in range(2000))
    read = read_table(written(tmp_path, "a;b\n" + rows))
    assert (read.separator, read.table.num_rows) == (";", 2000)


def test_empty_cells_are_null_and_quoted_ones_are_empty_texts(tmp_path):
    read = read_table(written(tmp_path, 'a,b\n,x\n"",y\n'))
    assert read.table.column("a").to_pylist() == [None, ""]
    single = read_table(written(tmp_path, 'a\n1\n\n""\n'))
    assert single.table.column("a").to_pylist() == ["1", None, ""]


def test_boms_line_ends_and_a_missing_last_line_feed_are_no_matter(tmp_path):
    for content in ("a,b\n1,2\n", "\ufeffa,b\r\n1,2\r\n", "a,b\n1,2", "a,b\n\n1,2\n\n"):
        assert read_table(written(tmp_path, content)).table.to_pydict() == {"a": ["1"], "b": ["2"]}
    assert read_table(written(tmp_path, "a,b")).table.to_pydict() == {"a": [], "b": []}


def test_rows_longer_than_a_block_are_read(tmp_path):
    long = "x" * 6_000_000
    read = read_table(written(tmp_path, f'a,b\n1,{long}\n"2\n",y\n'))
    assert read.table.column("a").to_pylist() == ["1", "2\n"] and read.table.column("b")[0].as_py() == long


def test_columns_come_in_the_order_wanted(tmp_path):
    read = read_table(written(tmp_path, "a,b,c\n1,2,3\n"), ["c", "a"])
    assert read.table.to_pydict() == {"c": ["3"], "a": ["1"]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n", "is empty"),
        (b"\na,b\n1,2\n", "t.csv:1: no column names"),
        (b"a,,c\n1,2,3\n", "t.csv:1: column 2 has no name"),
        (b"a,b,a,b\n1,2,3,4\n", "more than one column named 'a', 'b'"),
        (b"a,b\n1,2\nsecret,5,6\n", "t.csv:3: 3 cells, where the first line has 2"),
        (b'a,b\n1,"2\n\n"\nsecret\n', "t.csv:5: 1 cell, where the first line has 2"),
        (b"a,b\n1,2\nsecret,\xe9\n", "t.csv:3: not UTF-8"),
        (b'a,b\n1,2\n3,"secret\n4,5\n', "t.csv:3: a quote that begins here is never closed"),
        (b'a,b\n1,2\n3,"secret\n4,5\n6', "t.csv:3: a quote that begins here is never closed"),
        ("a,b\n1,2\n".encode("utf-16"), "is in UTF-16"),
        (b"age,zip\n1,2\n", "no column 'agee'; did you mean 'age'?"),
        (b"u,v\n1,2\n", "no column 'agee'; it has u, v"),
        (b"PAR1 but nothing more", "not a sound Parquet file"),
    ],
)
def test_bad_files_get_one_error_with_the_line_and_no_value(tmp_path, content, words):
    with pytest.raises(InputError, match=words.replace("?", r"\?")) as caught:
        read_table(written(tmp_path, content), ["agee"] if "agee" in words else None)
    assert "secret" not in str(caught.value)


def test_files_that_cannot_be_opened_are_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv cannot be read: No such file"):
        read_table(str(tmp_path / "none.csv"))
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_table(str(tmp_path))


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8), st.sampled_from(",;"))
def test_what_is_written_is_read_again(tmp_path_factory, rows, separator):
    columns = {f'x"{separator}': [r[0] for r in rows], "y": [r[1] for r in rows]}
    table = pa.table(columns, schema=pa.schema([(name, pa.string()) for name in columns]))
    path = str(tmp_path_factory.mktemp("t") / "t.csv")
    write_table(Tabular(table, separator, "csv"), path)
    read = read_table(path)
    assert read.separator == separator or not rows
    assert read.table.to_pydict() == columns


def test_only_what_must_be_quoted_is(tmp_path):
    table = pa.table({"a": ["x", "p;q", 'r"s', "", None, "l\nm"], "b c": ["1,5", "2", "3", "4", "5", "6"]})
    write_table(Tabular(table, ";", "csv"), str(tmp_path / "t.csv"))
    assert (tmp_path / "t.csv").read_bytes() == b'a;b c\nx;1,5\n"p;q";2\n"r""s";3\n"";4\n;5\n"l\nm";6\n'


def test_columns_of_parquet_that_nobody_touched_keep_their_type(tmp_path):
    stored = pa.table(
        {
            "age": pa.array([31, None, 40], pa.int8()),
            "paid": pa.array([1.5, 2.25, None]),
            "on": pa.array([dt.date(2024, 1, 2)] * 3),
            "name": pa.array(["a", "b", None]).dictionary_encode(),
        }
    )
    pq.write_table(stored, tmp_path / "in.parquet")
    read = read_table(str(tmp_path / "in.parquet"))
    assert read.table.to_pydict()["age"] == ["31", None, "40"] and read.table.to_pydict()["on"][0] == "2024-01-02"
    aged = read.table.set_column(0, "age", pa.array(["[30,39]", None, "[40,49]"]))
    write_table(Tabular(aged, read.separator, read.kind, read.stored), str(tmp_path / "out.parquet"))
    again = pq.read_table(tmp_path / "out.parquet")
    assert again.schema.field("age").type == pa.string() and again.column("age").to_pylist() == ["[30,39]", None, "[40,49]"]
    assert again.drop_columns("age").equals(stored.drop_columns("age"))


def test_nested_columns_are_refused_where_they_are_wanted(tmp_path):
    pq.write_table(pa.table({"a": [1], "m": pa.array([{"x": 1}])}), tmp_path / "t.parquet")
    assert read_table(str(tmp_path / "t.parquet"), ["a"]).table.to_pydict() == {"a": ["1"]}
    with pytest.raises(InputError, match="column 'm' holds struct"):
        read_table(str(tmp_path / "t.parquet"))


def test_the_ending_of_the_name_says_what_is_written(tmp_path):
    table = pa.table({"a": ["1"]})
    write_table(Tabular(table, ";", "csv"), str(tmp_path / "t.parquet"))
    assert read_table(str(tmp_path / "t.parquet")).kind == "parquet"


@pytest.mark.parametrize(("number", "failure"), [(errno.ENOSPC, SystemFailure), (errno.EACCES, InputError)])
def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(tmp_path, monkeypatch, number, failure):
    path = written(tmp_path, "old")

    def fail(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(failure, match=r"t\.csv cannot be written"):
        write_table(Tabular(pa.table({"a": ["1"]}), ",", "csv"), path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("t.csv", "old")]
