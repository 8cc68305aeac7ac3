"""`companyos mask risk`: figures for people and machines, a page that stands alone, and never a value of the table."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from companyos.cli import run
from companyos.page_tables import Figure, figure_table, share_bars
from companyos.risk_figures import percent
from companyos.risk_page import risk_page
from companyos.risk_plots import class_plot
from masking.risk import Question, assess
from tests.companyos.pages import Page, stands_alone

NASTY = "<script>alert(1)</script>\"'&"
ORIGINAL = "age;zip;illness\n31;10115;Flu-Secret\n32;10115;Cold\n58;10117;Flu-Secret\n59;10119;Rare-Secret\n60;20095;Cold\n"
ANONYMOUS = "age;zip;illness\n[31,32];10115;Flu-Secret\n[31,32];10115;Cold\n[58,60];101;Flu-Secret\n[58,60];101;Rare-Secret\n*;*;Cold\n"
ZIPS = "10115;101;*\n10117;101;*\n10119;101;*\n20095;200;*\n"
TAGS = (
    "a article bdi body br div footer g h1 h2 h3 h4 head header html li link main meta nav p path rect section span style svg table tbody "
    "td text th thead title tr ul"
)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    (tmp_path / "before.csv").write_text(ORIGINAL)
    (tmp_path / "after.csv").write_text(ANONYMOUS)
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "zip.csv").write_text(ZIPS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def called(capsys, *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["mask", "risk", *map(str, arguments)])
    return code, *capsys.readouterr()


BOTH = ("after.csv", "--quasi-identifiers", "age,zip", "--sensitive", "illness", "--against", "before.csv", "--hierarchies", "h")


def test_figures_of_both_sides_are_printed(capsys, here):
    code, out, err = called(capsys, *BOTH)
    assert (code, err) == (0, "")
    lines = [re.split(r"\s{2,}", line.strip()) for line in out.splitlines()]
    assert ["risk", "before", "after"] in lines and ["unique records", "5 (100 %)", "0"] in lines
    assert ["prosecutor: highest risk", "100 %", "50 %"] in lines and ["suppressed records", "0", "1 (20 %)"] in lines
    assert ["distinct l", "1", "2"] in lines
    assert next(line for line in lines if line[0] == "zip")[1:4] == ["3", "80 %", "0.5333"]
    assert "--population FILE gives the true one" in out


def test_json_has_the_figures_of_the_report(capsys, here):
    code, out, err = called(capsys, *BOTH, "--json", "--population-size", 100, "--threshold", 0.6)
    found = json.loads(out)
    assert (code, err, found["file"], found["original"], found["threshold"]) == (0, "", "after.csv", "before.csv", 0.6)
    assert (found["risk"]["k"], found["before"]["k"], found["risk"]["prosecutor"]["records_above_threshold"]) == (2, 1, 0.0)
    assert found["risk"]["sensitive"]["illness"]["l_distinct"] == 2
    assert found["utility"]["columns"]["zip"]["granularity"] == pytest.approx(1 - (0 + 0 + 2 / 3 + 2 / 3 + 1) / 5)
    assert found["before"]["population_uniqueness"]["population"] == 100


def test_parquet_is_read_alike(capsys, here):
    rows = [line.split(";") for line in ANONYMOUS.splitlines()]
    pq.write_table(pa.table({name: [row[i] for row in rows[1:]] for i, name in enumerate(rows[0])}), "after.parquet")
    figures = [json.loads(called(capsys, name, *BOTH[1:], "--json")[1]) for name in ("after.csv", "after.parquet")]
    assert {**figures[0], "file": ""} == {**figures[1], "file": ""}


def test_a_population_replaces_the_table_for_journalists(capsys, here):
    Path("people.csv").write_text("age,zip\n" + "31,10115\n32,10115\n" * 5 + "58,10117\n59,10119\n60,20095\n")
    found = json.loads(called(capsys, *BOTH, "--population", "people.csv", "--json")[1])
    assert (found["risk"]["journalist"]["highest"], found["before"]["journalist"]["highest"]) == (0.5, 1.0)
    assert found["risk"]["marketer"]["average"] == pytest.approx((2 / 10 + 2 / 2) / 4)


def test_the_page_stands_alone_and_has_no_value(capsys, here):
    code, out, _ = called(capsys, *BOTH, "--population-size", 1000, "--html", "page.html")
    html = Path("page.html").read_text("utf-8")
    assert (code, out.splitlines()[-1]) == (0, "page.html")
    stands_alone(Page(html))
    for text in (out, html, called(capsys, *BOTH, "--json")[1]):
        for value in ("Secret", "Cold", "10115", "10117", "20095", "[31", "58,60"):
            assert value not in text
    assert called(capsys, *BOTH, "--population-size", 1000, "--html", "again.html")[0] == 0
    assert Path("again.html").read_text("utf-8") == html


def test_names_are_text_whatever_they_hold(here):
    table = pa.table({NASTY: ["a", "a", NASTY], "s": ["1", "2", NASTY]})
    html = risk_page(assess(table, Question((NASTY,), ("s",)), table), NASTY, NASTY)
    seen = Page(html)
    assert {tag for tag, _ in seen.tags} <= set(TAGS.split()) and NASTY not in html
    assert seen.texts.count(NASTY) >= 4  # the title, the heading, the original, the column
    stands_alone(seen)


def test_the_page_shows_one_side_where_there_is_one(here):
    table = pa.table({"x": ["a", "b"]})
    seen = Page(risk_page(assess(table, Question(("x",))), "t.csv", None))
    assert "before" not in seen.texts and "this table" in seen.texts
    assert "2 of 2 records have a risk above 20 %: they look like too few others." in seen.texts


def test_every_bar_of_the_plot_says_its_place_and_counts():
    plot = class_plot([(1, 1, [40, 0]), (2, 4, [60, 100])], [100, 100], ["before", "after"])
    assert "<title>1 alike: 40 records before, 0 records after</title>" in plot
    assert "<title>2 to 4 alike: 60 records before, 100 records after</title>" in plot
    assert "<title>1 alike: 1 record before, 0 records after</title>" in class_plot([(1, 1, [1, 0])], [1, 1], ["before", "after"])
    assert plot.startswith("<svg") and "before, 40 % are unique; after, 0 % are unique" in plot
    assert "share of records" in plot and "records that look alike" in plot
    assert [float(x) for x in re.findall(r'width="([\d.]+)" height="8"', share_bars([1.0, 0.25]))] == [100, 25]


def test_what_is_unknown_has_no_bar_and_percents_are_not_torn_apart():
    html = figure_table([Figure("risk above 20 %", ("–",), shares=(None,)), Figure("highest risk", ("20 %",), shares=(0.2,))], ["table"])
    assert html.count("<svg") == 1 and html.count("20\u00a0%") == 2


def test_labels_of_the_plot_do_not_overlap():
    edges = [1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000]
    for many in range(4, len(edges) + 1):
        plot = class_plot([(low, low, [1]) for low in edges[:many]], [many], ["this table"])
        placed = [(float(x), len(t)) for x, t in re.findall(r'<text x="([\d.]+)" y="163" text-anchor="middle">([^<]+)</text>', plot)]
        assert len(placed) >= 4
        assert all(b - a > 6 * (n + m) / 2 for (a, n), (b, m) in pairwise(placed))


def test_shares_are_never_rounded_to_none_or_all():
    found = [percent(s) for s in (0, 0.00001, 0.0612, 0.5, 0.99999, 1, None)]
    assert found == ["0 %", "< 0.01 %", "6.12 %", "50 %", "> 99.99 %", "100 %", "–"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["after.csv"], "Missing option '--quasi-identifiers'"),
        (["none.csv", "--quasi-identifiers", "age"], "none.csv cannot be read: No such file or directory"),
        (["after.csv", "--quasi-identifiers", "agee"], "after.csv has no column 'agee'; did you mean 'age'?"),
        (["after.csv", "--quasi-identifiers", "age,age"], "column 'age' is named twice"),
        (["after.csv", "--quasi-identifiers", "age,,zip"], "column names are separated by commas"),
        (["after.csv", "--quasi-identifiers", "age", "--sensitive", "ilness"], "did you mean 'illness'?"),
        (["after.csv", "--quasi-identifiers", "age", "--hierarchies", "h"], "h has no hierarchy of the quasi-identifiers"),
        (["after.csv", "--quasi-identifiers", "age", "--hierarchies", "nowhere"], "nowhere cannot be read"),
        (["after.csv", "--quasi-identifiers", "age", "--against", "short.csv"], "has 5 records and the original 1"),
        (["after.csv", "--quasi-identifiers", "age", "--population", "short.csv"], "a population of 1 is smaller than the table"),
        (["after.csv", "--quasi-identifiers", "age", "--population-size", "3"], "a population of 3 is smaller than the table"),
        (["after.csv", "--quasi-identifiers", "age", "--threshold", "2"], "2.0 is not in the range 0<=x<=1"),
        (["after.csv", "--quasi-identifiers", "age", "--threshold", "nan"], "nan is not in the range 0<=x<=1"),
        (
            ["after.csv", "--quasi-identifiers", "zip", "--hierarchies", "bad"],
            "cells, the first in record 3, are no value, label, set or range",
        ),
        (["after.csv", "--quasi-identifiers", "age", "--html", "nowhere/page.html"], "nowhere/page.html cannot be written"),
        (["header.csv", "--quasi-identifiers", "age"], "header.csv has no records"),
    ],
)
def test_bad_input_gets_one_clear_error(capsys, here, arguments, words):
    Path("short.csv").write_text("age\n1\n")
    Path("header.csv").write_text("age\n")
    Path("bad").mkdir()
    Path("bad/zip.csv").write_text("10115;*\n")
    code, out, err = called(capsys, *arguments)
    assert (code, out) == (2, "") and words in err and "Secret" not in err
    code, out, _ = called(capsys, *arguments, "--json")
    assert (code, json.loads(out)["exit_code"]) == (2, 2)
