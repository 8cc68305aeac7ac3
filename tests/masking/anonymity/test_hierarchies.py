"""Hierarchies: read from files, told by functions, and what is wrong with them."""

from __future__ import annotations

import pytest

from masking.anonymity.hierarchy import make_hierarchy
from masking.anonymity.hierarchy_functions import hierarchy_function
from masking.anonymity.hierarchy_reader import read_hierarchy
from masking.hierarchy_files import find_hierarchies
from schemas.errors import InputError


def labels(hierarchy, leaf):
    return [level[hierarchy.code[leaf]] for level in hierarchy.levels]


def test_leaves_of_a_label_stand_together():
    found = make_hierarchy([("a", "x", "*"), ("b", "y", "*"), ("c", "x", "*")])
    assert found.leaves == ("a", "c", "b")
    assert labels(found, "c") == ["c", "x", "*"]


def test_what_is_lost_is_the_other_leaves_of_a_label():
    found = make_hierarchy([("a", "x", "*"), ("b", "x", "*"), ("c", "x", "*"), ("d", "y", "*"), ("e", "y", "*")])
    loss = dict(zip(found.labels, found.losses.tolist(), strict=True))
    assert loss == {"*": 1.0, "x": 0.5, "y": 0.25, "a": 0.0, "b": 0.0, "c": 0.0, "d": 0.0, "e": 0.0}


def test_a_text_that_labels_two_nodes_loses_the_leaves_of_both():
    found = make_hierarchy([("a", "other", "x", "*"), ("b", "b1", "x", "*"), ("c", "other", "y", "*"), ("d", "d1", "y", "*")])
    assert {found.losses[i] for i, label in enumerate(found.labels) if label == "other"} == {1 / 3}
    assert found.labels.count("other") == 2, "they stand below different labels"


def test_a_label_that_fills_up_a_short_branch_is_one_node():
    found = make_hierarchy([("a", "a", "*"), ("b", "x", "*"), ("c", "x", "*")])
    assert found.labels.count("a") == 1


def test_a_level_of_all_is_added_where_it_lacks():
    assert make_hierarchy([("a", "x"), ("b", "y")]).levels[-1] == ("*", "*")


def test_null_becomes_a_leaf_that_only_the_label_of_all_covers():
    found = make_hierarchy([("a", "x", "any"), ("b", "x", "any")], nulls=True)
    assert labels(found, None) == [None, "any", "any"]


@pytest.mark.parametrize("separator", [";", ","])
def test_files_are_read_whatever_separates_them(tmp_path, separator):
    path = tmp_path / "h.csv"
    path.write_text("\n".join(separator.join(row) for row in (("a", "x", "*"), ("b", "x", "*"))), "utf-8-sig")
    assert read_hierarchy(path).levels == (("a", "b"), ("x", "x"), ("*", "*"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("a;x;*\nb;*\n", ":2: 2 cells, where the first line has 3"),
        ("a;x;*\nb;x;*\na;y;*\n", ":3: the leaf stands on line 1 already"),
        ("a;x;*\nb;;*\n", ":2: level 1 has no label"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_line(tmp_path, text, what):
    path = tmp_path / "h.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        read_hierarchy(path)
    assert what in str(caught.value)


def test_files_are_found_by_their_column(tmp_path):
    for name in ("adult_hierarchy_age.csv", "sex.csv", "README.csv"):
        (tmp_path / name).write_text("1;*\n")
    found = find_hierarchies(tmp_path, ["age", "sex", "zip"])
    assert {name: path.name for name, path in found.items()} == {"age": "adult_hierarchy_age.csv", "sex": "sex.csv"}
    (tmp_path / "age.csv").write_text("1;*\n")
    with pytest.raises(InputError, match="more than one hierarchy of column 'age'"):
        find_hierarchies(tmp_path, ["age"])


@pytest.mark.parametrize(
    ("function", "values", "expected"),
    [
        ("interval:5,10", ["27", "-3"], ["27", "[25,29]", "[20,29]", "*"]),
        ("interval:0.5", ["1.7"], ["1.7", "[1.5,2.0)", "*"]),
        ("date", ["2024-05-17"], ["2024-05-17", "2024-05", "2024", "*"]),
        ("date", ["2024-05-17T10:00:00"], ["2024-05-17T10:00:00", "2024-05-17", "2024-05", "2024", "*"]),
        ("prefix:3,2", ["94110"], ["94110", "941**", "94***", "*"]),
        ("prefix", ["abc"], ["abc", "ab*", "a**", "*"]),
        ("network", ["10.1.2.3"], ["10.1.2.3", "10.1.2.0/24", "10.1.0.0/16", "10.0.0.0/8", "*"]),
        ("network:20", ["10.1.18.3"], ["10.1.18.3", "10.1.16.0/20", "*"]),
        ("network", ["2001:db8:1:2::5"], ["2001:db8:1:2::5", "2001:db8:1:2::/64", "2001:db8:1::/48", "2001:db8::/32", "*"]),
    ],
)
def test_functions_tell_the_labels_of_a_value(function, values, expected):
    found = hierarchy_function(function, "c", [*values, None])
    assert labels(found, values[0]) == expected
    assert labels(found, None)[-1] == "*"


@pytest.mark.parametrize(
    ("function", "values", "what"),
    [
        ("intervall:5", ["1"], "did you mean 'interval'"),
        ("interval", ["1"], "needs the widths"),
        ("interval:5,7", ["1"], "multiple"),
        ("interval:x", ["1"], "numbers above 0"),
        ("interval:5", ["1", "secret"], "1 of its different values are no numbers"),
        ("date", ["2024-13-01"], "no ISO dates"),
        ("network", ["10.1.2"], "no IP addresses"),
        ("prefix:1.5", ["ab"], "whole"),
    ],
)
def test_functions_that_do_not_fit_are_refused_without_a_value(function, values, what):
    with pytest.raises(InputError) as caught:
        hierarchy_function(function, "c", values)
    assert what in str(caught.value)
    assert "secret" not in str(caught.value)
