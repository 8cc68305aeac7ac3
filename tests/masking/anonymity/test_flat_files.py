"""Files are anonymised whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from masking.anonymity import KAnonymity, QuasiIdentifier, Specification, anonymize_file, flat_files
from masking.errors import ModelInfeasible, ModelViolated
from masking.tabular import read_table
from schemas.errors import InputError, SystemFailure

CSV = "name;age;city\nAda;31;Bern\nBob;33;Bern\nCyd;38;Thun\nDan;;Thun\n"


def asked(k=2, columns=("age", "city"), **options):
    return Specification(tuple(map(QuasiIdentifier, columns)), (KAnonymity(k),), **options)


@pytest.fixture
def source(tmp_path) -> str:
    path = tmp_path / "people.csv"
    path.write_text(CSV)
    return str(path)


def test_a_file_keeps_its_separator_its_order_and_its_other_columns(source, tmp_path):
    target = tmp_path / "out.csv"
    summary = anonymize_file(source, str(target), asked())
    assert target.read_text() == "name;age;city\nAda;[31,33];Bern\nBob;[31,33];Bern\nCyd;*;Thun\nDan;*;Thun\n"
    assert (summary.rows, summary.classes, summary.smallest) == (4, 2, 2)


@pytest.mark.parametrize("notation", ["labels", "typed"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_sorted_rows_come_in_an_order_that_says_nothing_of_where_they_stood(tmp_path, notation, ending):
    rows = pa.table(
        {"age": pa.array([31, 38, 33, 39, 31], pa.int32()), "ill": ["b", "a", None, "c", "b"], "paid": [5.0, 4.5, 3.0, 2.5, 5.0]}
    )
    written = []
    for order in ([0, 1, 2, 3, 4], [3, 0, 4, 2, 1]):
        pq.write_table(rows.take(order), tmp_path / "in.parquet")
        anonymize_file(
            str(tmp_path / "in.parquet"), str(tmp_path / f"out.{ending}"), asked(columns=("age",), notation=notation), sort_rows=True
        )
        written.append((tmp_path / f"out.{ending}").read_bytes())
    assert written[0] == written[1]
    found = read_table(str(tmp_path / f"out.{ending}"))
    assert sorted(found.table.column("ill").to_pylist(), key=str) == sorted(rows.column("ill").to_pylist(), key=str)
    assert ending == "csv" or found.stored.schema.field("paid").type == pa.float64()


def test_commas_are_kept_as_well(tmp_path):
    (tmp_path / "in.csv").write_text(CSV.replace(";", ","))
    anonymize_file(str(tmp_path / "in.csv"), str(tmp_path / "out.csv"), asked())
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == 'Ada,"[31,33]",Bern'


def test_parquet_keeps_the_types_of_other_columns(tmp_path):
    table = pa.table({"id": pa.array([1, 2, 3, 4]), "age": pa.array([31, 33, 38, 39], pa.int32())})
    pq.write_table(table, tmp_path / "in.parquet")
    anonymize_file(str(tmp_path / "in.parquet"), str(tmp_path / "out.parquet"), asked(columns=("age",), notation="typed"))
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.schema.field("id").type == pa.int64()
    assert found.to_pydict() == {"id": [1, 2, 3, 4], "age": [32, 32, 38.5, 38.5], "age_low": [31, 31, 38, 38], "age_high": [33, 33, 39, 39]}
    assert found.schema.field("age_low").type == pa.int64()


def test_hierarchies_come_from_a_folder_and_from_functions(source, tmp_path):
    folder = tmp_path / "hierarchies"
    folder.mkdir()
    (folder / "people_hierarchy_city.csv").write_text("Bern;BE;*\nThun;BE;*\n")
    summary = anonymize_file(source, str(tmp_path / "out.csv"), asked(4), hierarchies=str(folder), functions={"age": "interval:10,20"})
    assert read_table(str(tmp_path / "out.csv")).table.column("city").to_pylist() == ["BE"] * 4
    assert summary.losses["age"] == 1.0, "only the label of all covers a null"


@pytest.mark.parametrize(
    ("hierarchy", "functions", "what"),
    [
        ("Bern;BE;*\n", {}, "column 'city': 1 of its different values are no leaves"),
        ("Bern;BE;*\nThun;*\n", {}, ":2: 2 cells, where the first line has 3"),
        ("Bern;BE;*\nThun;BE;*\n", {"cty": "prefix"}, "no quasi-identifier; did you mean 'city'"),
    ],
)
def test_hierarchies_that_do_not_fit_are_refused_without_a_value(source, tmp_path, hierarchy, functions, what):
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "city.csv").write_text(hierarchy)
    with pytest.raises(InputError) as caught:
        anonymize_file(source, str(tmp_path / "out.csv"), asked(), hierarchies=str(tmp_path / "h"), functions=functions)
    assert what in str(caught.value)
    assert "Thun" not in str(caught.value)
    assert not (tmp_path / "out.csv").exists()


def test_a_folder_without_hierarchies_is_refused(source, tmp_path):
    (tmp_path / "h").mkdir()
    with pytest.raises(InputError, match="NAME_hierarchy_COLUMN"):
        anonymize_file(source, str(tmp_path / "out.csv"), asked(), hierarchies=str(tmp_path / "h"))


def test_what_cannot_be_met_leaves_what_was_there(source, tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("before")
    with pytest.raises(ModelInfeasible, match="k = 4"):
        anonymize_file(source, str(target), asked(5))
    assert target.read_text() == "before"


def test_a_file_that_fails_its_check_is_never_put_in_its_place(source, tmp_path, monkeypatch):
    target = tmp_path / "out.csv"
    target.write_text("before")

    def forgetful(tabular, path):
        Path(path).write_text(CSV)  # a writer that lost the recoding: the check reads the finished file, not what was meant

    monkeypatch.setattr(flat_files, "write_table", forgetful)
    with pytest.raises(ModelViolated, match="2-anonymity does not hold in 4 of 4 classes"):
        anonymize_file(source, str(target), asked())
    assert target.read_text() == "before"
    assert sorted(os.listdir(tmp_path)) == ["out.csv", "people.csv"], "nothing is left beside it"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "is empty"),
        ("a;a\n1;2\n", "more than one column named 'a'"),
        ("age;city\n", "no rows"),
        ("agee;city\n1;x\n", "did you mean 'agee'"),
    ],
)
def test_files_that_cannot_be_anonymised_are_refused(tmp_path, content, what):
    (tmp_path / "in.csv").write_text(content)
    with pytest.raises(InputError) as caught:
        anonymize_file(str(tmp_path / "in.csv"), str(tmp_path / "out.csv"), asked(1))
    assert what in str(caught.value)


def test_a_folder_that_is_not_there_is_said(source, tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        anonymize_file(source, str(tmp_path / "nowhere" / "out.csv"), asked())


def test_numbers_of_any_length_have_a_middle_and_an_interval(tmp_path):
    low, high = f"{10**40}", f"{10**40 + 5}"
    (tmp_path / "in.csv").write_text(f"n\n{low}\n{high}\n")
    anonymize_file(str(tmp_path / "in.csv"), str(tmp_path / "out.csv"), asked(columns=("n",), notation="typed"))
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == f"{10**40 + 2}.5,{low},{high}"
    anonymize_file(str(tmp_path / "in.csv"), str(tmp_path / "out.csv"), asked(columns=("n",)), functions={"n": "interval:10"})
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == f'"[{low},{10**40 + 9}]"'


def test_a_device_without_room_is_said_by_its_name(source):
    with pytest.raises(SystemFailure, match="^/dev/full cannot be written: No space left on device$"):
        anonymize_file(source, "/dev/full", asked())
