"""`companyos mask anonymize`, as people and machines call it."""

from __future__ import annotations

import json

import pytest

from companyos.cli import run

CSV = "age,city,illness\n31,Bern,flu\n33,Bern,cold\n38,Thun,flu\n39,Thun,cold\n"


@pytest.fixture
def people(tmp_path) -> str:
    path = tmp_path / "people.csv"
    path.write_text(CSV)
    return str(path)


def anonymize(people, *options: str) -> int:
    return run(["mask", "anonymize", people, "--quasi-identifiers", "age,city", "-o", f"{people}.out.csv", *options])


@pytest.mark.parametrize(
    ("options", "illnesses"), [((), ["flu", "cold", "flu", "cold"]), (("--sort-rows",), ["cold", "flu", "cold", "flu"])]
)
def test_people_get_a_table(people, capsys, options, illnesses):
    assert anonymize(people, "--k", "2", *options) == 0
    printed = capsys.readouterr().out
    assert "granularity" in printed
    assert "smallest class" in printed
    with open(f"{people}.out.csv") as file:
        assert [line.rstrip("\n").rpartition(",")[2] for line in file.readlines()[1:]] == illnesses


def test_machines_get_json(people, capsys):
    options = ("--l", "2", "--l-kind", "entropy", "--t", "0.1", "--weights", "age=2", "--hierarchy", "age=interval:10")
    assert anonymize(people, "--k", "2", "--sensitive", "illness", "--json", *options) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["classes"], found["smallest_class"], found["suppressed"]) == (4, 2, 2, 0)
    assert found["reached"]["entropy l of illness"] == 2
    assert found["reached"]["t of illness"] == 0


def test_a_folder_is_no_file_to_write(people, capsys, tmp_path):
    assert anonymize(people, "--k", "2", "-o", str(tmp_path)) == 2
    assert "is a directory" in capsys.readouterr().err


def test_global_recoding_says_its_levels(people, capsys):
    assert anonymize(people, "--k", "2", "--recoding", "global", "--hierarchy", "age=interval:10", "--json") == 0
    assert json.loads(capsys.readouterr().out)["levels"] == {"age": 1, "city": 0}


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ((), "say what the file is to be"),
        (("--l", "2"), "need --sensitive"),
        (("--l", "2", "--sensitive", "illness", "--l-kind", "recursive"), "--c together"),
        (("--k", "2", "--weights", "age"), "not of the form A=X,B=Y"),
        (("--k", "2", "--weights", "age=x"), "a number above 0"),
        (("--k", "2", "--weights", "agee=2"), "did you mean 'age'"),
        (("--k", "2", "--hierarchy", "age=intervall:5"), "did you mean 'interval'"),
        (("--k", "5"), "the nearest that can is k = 4"),
        (("--k", "2", "--sensitive", "illnes"), "did you mean 'illness'"),
        (("--k", "2", "--suppression", "1"), "suppression limit"),
    ],
)
def test_bad_input_is_one_clear_error(people, capsys, options, what):
    assert anonymize(people, *options) == 2
    printed = capsys.readouterr().err
    assert what in printed
    assert "Traceback" not in printed
