"""`companyos schema profile`: a page that stands alone, shows no markup of the data's, and hides what must be hidden."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path

import pyarrow as pa
import pytest

import bundles
from companyos.cli import run
from companyos.page_parts import safe, share
from companyos.profile_page import page
from companyos.profile_plots import histogram
from companyos.schema_commands import page_name
from schemas.model import Column, ForeignKey, Recipe, Rows, Schema, Table
from schemas.types import SqlType
from tests.companyos.pages import Page, stands_alone

NASTY = "<img src=x onerror=alert(1)>\"'&amp;😀"
KNOWN = (
    "a article bdi body br dd div dl dt footer g h1 h2 h3 h4 head header html li link main meta nav p path rect section span style svg "
    "table tbody td text th thead title tr ul"
)


class Source:
    """Tables of plain columns; every cell is given."""

    def __init__(self, schema: Schema, rows: dict[str, dict[str, list]], kind: str = "synthetic") -> None:
        self.schema, self.kind, self.provenance, self._rows = schema, kind, {"seed": 1}, rows

    def read(self, table: str) -> pa.RecordBatchReader:
        wanted = self.schema.table(table).arrow
        return pa.RecordBatchReader.from_batches(wanted, [pa.RecordBatch.from_pydict(self._rows[table], schema=wanted)])


def company(kind: str = "synthetic") -> Source:
    """Two tables whose names, comments and values are markup, quotes and emoji; one column is personal, one is sensitive."""
    machine = Recipe("states", {"machine": {NASTY: {"done </td>": 1.0}}})
    parents = Table(f"p {NASTY}", (Column("id", SqlType("bigint")),), Rows(3), key=("id",), comment=NASTY)
    children = Table(
        "children",
        (
            Column("id", SqlType("bigint"), data_class="public"),
            Column(f"of {NASTY}", SqlType("bigint"), null=0.0),
            Column("said", SqlType("text"), comment=f"said {NASTY}"),
            Column("name", SqlType("text"), data_class="personal"),
            Column("wage", SqlType("numeric", precision=12, scale=2), data_class="sensitive"),
            Column("status", SqlType("text"), generate=machine),
        ),
        Rows(4),
        key=("id",),
        foreign_keys=(ForeignKey((f"of {NASTY}",), parents.name, ("id",)),),
    )
    rows = {
        parents.name: {"id": [1, 2, 3]},
        "children": {
            "id": [1, 2, 3, 4],
            f"of {NASTY}": [1, 1, None, 2],
            "said": [NASTY, "</script><script>alert(1)</script>", "line\nbreak\u202egnikcirt\x00", NASTY],
            "name": ["Ada Lovelace", "Ada Lovelace", "Grace Hopper", "Alan Turing"],
            "wage": pa.array([77123, 77123, 88456, 99789]).cast(pa.decimal128(19, 0)).cast(pa.decimal128(12, 2)).to_pylist(),
            "status": [NASTY, "done </td>", "done </td>", "done </td>"],
        },
    }
    return Source(Schema(f"schema {NASTY}", (parents, children), comment=NASTY), rows, kind)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def built(kind: str = "synthetic"):
    return bundles.build(company(kind), tag="shop:v1")


def called(capsys, *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_page_is_written_here_and_its_path_is_printed_last(capsys, home):
    built()
    code, out, _ = called(capsys, "schema", "profile", "shop:v1")
    assert (code, out) == (0, "shop-v1.html\n")
    assert [p.name for p in home.iterdir()] == ["shop-v1.html"]
    assert called(capsys, "schema", "profile", "shop:v1", "-o", home / "other.html")[1] == f"{home / 'other.html'}\n"
    assert (home / "other.html").read_bytes() == (home / "shop-v1.html").read_bytes()


def test_the_same_bundle_makes_the_same_bytes(capsys, home, monkeypatch):
    made = built()
    first = page(bundles.profile(made, jobs=1))
    assert page(bundles.profile(bundles.open("shop:v1"), jobs=2)) == first
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    called(capsys, "schema", "profile", "shop:v1")
    assert Path("shop-v1.html").read_text("utf-8") == first


def test_names_and_values_are_text_whatever_they_hold(home):
    html = page(bundles.profile(built()))
    seen = Page(html)
    assert {tag for tag, _ in seen.tags} <= set(KNOWN.split())
    assert NASTY not in html
    for text in (
        f"p {NASTY}",
        f"of {NASTY}",
        f"said {NASTY}",
        f"schema {NASTY}",
        NASTY,
        "done </td>",
        "</script><script>alert(1)</script>",
    ):
        assert text in seen.texts
    assert "line⏎break�gnikcirt␀" in seen.texts


def test_the_page_needs_nothing_but_itself(home):
    stands_alone(Page(page(bundles.profile(built()))))


def test_every_plot_has_a_title_that_says_what_it_shows(home):
    html = page(bundles.profile(built()))
    plots = re.findall(r'<svg class="plot".*?</svg>', html, re.DOTALL)
    titles = [re.search(r'role="img"><title>(.*?)</title>', plot)[1] for plot in plots]
    assert len(titles) >= 4
    assert "Values of id: 4 values from 1 to 4; the highest bar is 1, with 1" in titles
    assert any(t.startswith("Rows of children for each row of p &lt;img") for t in titles)
    bars = re.findall(r'<svg class="bar".*?</svg>', html, re.DOTALL)
    assert bars and all('aria-hidden="true"' in b for b in bars)


@pytest.mark.parametrize("kind", ["sanitized", "mirrored"])
def test_personal_and_sensitive_values_of_real_data_are_hidden(capsys, home, kind):
    built(kind)
    code, figures, _ = called(capsys, "schema", "profile", "shop:v1", "--json", "-o", "page.html")
    assert code == 0
    html = Path("page.html").read_text("utf-8")
    for value in ("Lovelace", "Hopper", "Turing", "77,123", "77123", "88,456", "88456", "99,789", "99789"):
        assert value not in html
        assert value not in figures
    assert html.count("hidden: personal") == html.count("hidden: sensitive") == 1
    assert f"This bundle is {kind}" in html
    columns = json.loads(figures)["tables"]["children"]["columns"]
    assert columns["name"] == {
        "type": "text", "class": "personal", "nulls": 0, "distinct": 3, "distinct_exact": True, "hidden": "personal"
    }  # fmt: skip
    assert columns["said"]["samples"]


def test_synthetic_bundles_show_all(home):
    seen = Page(page(bundles.profile(built())))
    assert {"Ada Lovelace", "77,123.00"} <= set(seen.texts)
    assert not any("hidden:" in t for t in seen.texts)


def test_json_prints_the_figures_and_writes_a_page_only_where_asked(capsys, home):
    built()
    code, out, err = called(capsys, "schema", "profile", "shop:v1", "--json")
    figures = json.loads(out)
    assert (code, err, list(home.iterdir())) == (0, "", [])
    assert (figures["reference"], figures["kind"], figures["rows"]) == ("shop:v1", "synthetic", 7)
    children = figures["tables"]["children"]
    assert children["columns"]["name"]["top"][0] == {"value": "Ada Lovelace", "rows": 2}
    (relation,) = children["relations"]
    assert (relation["parents_without_children"], relation["nulls"], relation["children_per_parent"]["max"]) == (1, 1, 2)
    (machine,) = children["states"]
    assert machine["transitions"] == [{"from": NASTY, "to": "done </td>", "chance": 1.0, "rows": 3, "rows_at_most": 3}]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nothing:v1"], 2, "nothing:v1"),
        (["Not A Reference"], 2, "Not A Reference"),
        ([], 2, "REF"),
        (["shop:v1", "-o", "nowhere/page.html"], 2, "nowhere/page.html cannot be written: No such file or directory"),
        (["shop:v1", "-o", "/proc/page.html"], 2, "/proc/page.html cannot be written"),
        (["shop:v1", "-o", "."], 2, "is a directory"),
    ],
)
def test_bad_input_gets_one_clear_error(capsys, home, arguments, code, words):
    built()
    found, out, err = called(capsys, "schema", "profile", *arguments)
    assert (found, out) == (code, "")
    assert words in err
    assert list(home.iterdir()) == []
    found, out, _ = called(capsys, "schema", "profile", *arguments, "--json")
    assert (found, json.loads(out)["exit_code"]) == (code, code)


def test_a_bundle_with_a_missing_file_fails_its_check(capsys, home):
    made = built()
    for path in made.table("children").paths():
        path.unlink()
    code, _, err = called(capsys, "schema", "profile", "shop:v1")
    assert (code, list(home.iterdir())) == (1, [])
    assert "is missing" in err


def test_nothing_is_worked_out_for_a_page_that_cannot_be_written(capsys, home, monkeypatch):
    built()
    monkeypatch.setattr(bundles, "profile", lambda *_: pytest.fail("it was worked out"))
    code, _, err = called(capsys, "schema", "profile", "shop:v1", "-o", "nowhere/page.html")
    assert (code, "cannot be written" in err) == (2, True)


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, 4), (errno.EACCES, 2)])
def test_a_page_that_cannot_be_written_whole_leaves_the_old_one(capsys, home, monkeypatch, number, code):
    built()
    Path("shop-v1.html").write_text("old")

    def fail(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    found, _, err = called(capsys, "schema", "profile", "shop:v1")
    assert found == code
    assert "shop-v1.html cannot be written" in err
    assert [(p.name, p.read_text()) for p in home.iterdir()] == [("shop-v1.html", "old")]


def test_a_page_may_go_through_a_link_or_into_a_device(capsys, home):
    built()
    Path("real.html").write_text("old")
    Path("link.html").symlink_to("real.html")
    assert called(capsys, "schema", "profile", "shop:v1", "-o", "link.html")[0] == 0
    assert Path("link.html").is_symlink()
    assert Path("real.html").read_text("utf-8").startswith("<!doctype html>")
    assert called(capsys, "schema", "profile", "shop:v1", "-o", "/dev/null")[0] == 0
    assert not Path("/dev/null").is_file()


def test_pages_are_called_after_their_bundle():
    assert page_name("shop:v1") == "shop-v1.html"
    assert page_name("team/shop:2025.1") == "team-shop-2025.1.html"
    assert page_name(f"shop@sha256:{'ab' * 32}") == "shop-abababababab.html"


def test_shares_are_never_rounded_to_none_or_all():
    assert [share(p, 10_000) for p in (0, 1, 500, 9_999, 10_000)] == ["0 %", "< 0.1 %", "5.0 %", "99.9 %", "100 %"]
    assert share(0, 0) == "0 %"
    assert safe("a<b>\"'&") == "a&lt;b&gt;&quot;&#x27;&amp;"


def test_every_bar_of_a_plot_says_its_place_and_count(home):
    profile = bundles.profile(built())
    spread = next(c for c in profile.tables[1].columns if c.name == "wage").values
    plot = histogram(spread, "Wages", "value")
    assert plot.count('class="hit"') == len(spread.bins)
    for b in spread.bins:
        assert f"<title>{b.label}: {b.rows} value{'' if b.rows == 1 else 's'}</title>" in plot
    assert {b.rows for b in spread.bins} & {1}
    plot = histogram(spread, "Wages", "row of men of war")
    assert "1 row of men of war</title>" in plot and " rows of men of war from " in plot
