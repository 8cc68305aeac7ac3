"""generalise: what stands above a value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from masking.errors import MaskingFailed, TransformerUnfit
from schemas.errors import InputError
from schemas.types import SqlType

from .columns import context, mask, masker_for

CITIES = {"Graz": ["Styria", "Austria", "*"], "Linz": ["Upper Austria", "Austria", "*"], "Bonn": ["NRW", "Germany", "*"]}


@pytest.mark.parametrize(
    ("parameters", "before", "after"),
    [
        ({"level": 1}, ["Graz", "Bonn", None, "Graz"], ["Styria", "NRW", None, "Styria"]),
        ({"level": 2}, ["Graz", "Linz"], ["Austria", "Austria"]),
        ({"level": 3}, ["Graz"], ["*"]),
        ({}, ["Atlantis", "graz"], ["*", "*"]),
        ({"unknown": "null"}, ["Atlantis", "Bonn"], [None, "NRW"]),
    ],
)
def test_values_are_replaced_by_what_stands_above(parameters: dict[str, Any], before: list[Any], after: list[Any]) -> None:
    assert mask({"generalise": {"hierarchy": CITIES, **parameters}}, before) == after


def test_the_hierarchy_may_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "cities.csv"
    file.write_text('\ufeffGraz;Styria;*\n\n"Linz; Donau";Upper Austria;*\n', "utf-8")
    assert mask({"generalise": str(file)}, ["Graz", "Linz; Donau"]) == ["Styria", "Upper Austria"]


def test_an_unknown_value_may_be_an_error_that_does_not_show_it() -> None:
    with pytest.raises(MaskingFailed) as caught:
        mask({"generalise": {"hierarchy": CITIES, "unknown": "error"}}, ["Graz", "Atlantis", None, "Atlantis"])
    assert str(caught.value) == "t.c: 2 values are not in the hierarchy; add them, or say `unknown: star`"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Graz;Styria\nLinz\n", ":2: 1 cell, where the first line has 2"),
        ("Graz;Styria\nLinz;a;b\n", ":2: 3 cells, where the first line has 2"),
        ("Graz;Styria\nGraz;Other\n", ":2: the leaf stands on line 1 already"),
        ('Graz;Styria\n"Linz;a\n', ":2: a quote that begins here is never closed"),
        ("Graz\n", "has 0 above its leaves"),
        ("", "is empty"),
    ],
)
def test_a_file_that_is_no_hierarchy_is_refused_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        masker_for({"generalise": str(tmp_path / "h.csv")}, context())
    assert says in str(caught.value)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none.csv cannot be read"):
        masker_for({"generalise": str(tmp_path / "none.csv")}, context())
    (tmp_path / "h.csv").write_bytes(b"\xff\xfe;a")
    with pytest.raises(InputError, match="is in UTF-16; save it as UTF-8"):
        masker_for({"generalise": str(tmp_path / "h.csv")}, context())


@pytest.mark.parametrize(
    ("type", "parameters", "says"),
    [
        ("text", {"level": 4}, "'level' is 4, and the hierarchy has 3"),
        (SqlType("varchar", length=3), {}, "is longer than 3 characters"),
        (SqlType("enum", values=("Graz", "Styria")), {}, "is not of enum"),
        ("text", {"hierarchy": {"a": ["b"], "c": []}}, "the same number of levels"),
    ],
)
def test_a_hierarchy_that_does_not_fit_is_refused(type: Any, parameters: dict[str, Any], says: str) -> None:
    with pytest.raises(TransformerUnfit) as caught:
        masker_for({"generalise": {"hierarchy": CITIES, **parameters}}, context(type))
    assert says in str(caught.value)
