"""What generalised cells stand for, in all notations; hierarchies read from files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.risk.coverage import Domain, Hierarchy, coverage, read_hierarchies
from schemas.errors import InputError
from tests.masking.risk.tables import HIERARCHY


def meant(domain: Domain, *cells: str) -> list[list[str] | None]:
    found = coverage(domain, cells)
    spans = zip(found.starts[:-1].tolist(), found.starts[1:].tolist())
    return [None if i in found.unknown else [domain.values[v] for v in found.values[a:b]] for i, (a, b) in enumerate(spans)]


def test_cells_are_values_labels_sets_ranges_or_everything():
    domain = Domain.of(HIERARCHY)
    assert meant(domain, "a", "cd", "{d, a}", "*") == [["a"], ["c", "d"], ["a", "d"], ["a", "b", "c", "d"]]
    numbers = Domain(["9", "10", "30", "-5", "2.5"])
    assert meant(numbers, "[2,10]", "[-5,-5]", "[-10, 2.5]", "{9,30}", "[31,40]") == [
        ["9", "10", "2.5"],
        ["-5"],
        ["-5", "2.5"],
        ["9", "30"],
        [],
    ]
    days = Domain(["2024-01-31", "2024-02-01", "2024-12-31", "2025-01-01"])
    assert meant(days, "[2024-02-01,2024-12-31]") == [["2024-02-01", "2024-12-31"]]


def test_what_is_none_of_them_is_said_to_be_unknown():
    assert meant(Domain.of(HIERARCHY), "e", "{a,e}", "[a,b]", "", "{}", "{a\nb}") == [None] * 6


def test_members_of_sets_are_quoted_as_in_csv():
    domain = Domain(["Doe, J", 'say "x"', "a", "", " b", "l\nm"])
    assert meant(domain, '{"Doe, J",a}', '{"say ""x""",a}', "{a,}", '{" b",a}', "{l\nm,a}", '{"",a}') == [
        ["Doe, J", "a"], ['say "x"', "a"], ["a", ""], ["a", " b"], ["a", "l\nm"], ["a", ""]
    ]  # fmt: skip


def test_a_value_that_looks_like_a_set_is_the_value():
    assert meant(Domain(["{x}", "x", "[1,2]", "1"]), "{x}", "[1,2]") == [["{x}"], ["[1,2]"]]


def test_the_empty_text_is_a_value_of_its_own():
    assert meant(Domain.of(HIERARCHY, ["a", ""]), "", "*") == [[""], ["a", "b", "c", "d", ""]]
    named = Hierarchy("x.csv", [["", "none", "*"], ["a", "some", "*"]])
    assert meant(Domain.of(named, [""]), "", "none", "*") == [[""], [""], ["", "a"]]


@given(st.lists(st.integers(-50, 50), unique=True, min_size=1), st.integers(-60, 60), st.integers(-60, 60))
def test_a_range_holds_the_numbers_between_its_ends(values, low, high):
    domain = Domain([str(v) for v in values])
    assert meant(domain, f"[{low},{high}]") == [[str(v) for v in values if low <= v <= high]]


def test_hierarchies_are_found_by_the_name_of_their_column(tmp_path):
    (tmp_path / "age.csv").write_text("1;0-1;*\n2;2-3;*\n")
    (tmp_path / "people_hierarchy_sex.csv").write_text("\ufeffm,*\r\nf,*\r\n")
    (tmp_path / "notes.txt").write_text("no hierarchy")
    found = read_hierarchies(str(tmp_path), ["age", "sex", "zip"])
    assert found["age"].rows == [["1", "0-1", "*"], ["2", "2-3", "*"]] and found["sex"].rows == [["m", "*"], ["f", "*"]]
    assert sorted(found) == ["age", "sex"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"age.csv": "1;a;*\n2;*\n"}, "age.csv:2: 2 cells, where the first line has 3"),
        ({"age.csv": "1;a;*\n\n1;b;*\n"}, "age.csv:3: the leaf stands on line 1 already"),
        ({"age.csv": ""}, "age.csv is empty"),
        ({"age.csv": '"1;a;*\n'}, "age.csv:1: a quote that begins here is never closed"),
        ({"age.csv": b"1;\xff;*\n"}, "age.csv:1: not UTF-8"),
        ({"age.csv": "1;*\n", "x_hierarchy_age.csv": "1;*\n"}, "more than one hierarchy of column 'age': age.csv, x_hierarchy_age.csv"),
        ({"ages.csv": "1;*\n"}, "has no hierarchy of the quasi-identifiers; a file is named 'age.csv'"),
    ],
)
def test_bad_hierarchies_are_said_with_their_line(tmp_path, files, words):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=words.replace("(", r"\(")):
        read_hierarchies(str(tmp_path), ["age"])


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match="none cannot be read"):
        read_hierarchies(str(tmp_path / "none"), ["age"])
