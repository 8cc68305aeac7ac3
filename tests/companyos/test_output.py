"""What is printed for people: tables that fit their terminal."""

import io
import re

import pytest

from companyos.output import print_table, scale_text


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_where_a_table_is_too_wide_digests_give_way_and_words_do_not(monkeypatch):
    monkeypatch.setattr("sys.stdout", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    headings = ["reference", "kind", "tables", "rows", "size", "content", "manifest"]
    print_table(
        headings, [["synthetic:latest", "synthetic", "25", "1,025,794", "31.3 MB", "5746f63ac722", "08f491ced836"]], numbers=(2, 3, 4)
    )
    _, line, row = terminal.getvalue().splitlines()
    assert (len(line), len(row)) == (80, 80)
    assert all(word in row for word in ("synthetic:latest", " synthetic ", "1,025,794", "31.3 MB", "…"))


def test_where_a_terminal_is_too_narrow_for_a_table_each_row_is_a_block_that_says_all(monkeypatch):
    monkeypatch.setattr("sys.stdout", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    headings = ["reference", "tables", "rows", "size", "content", "note", "what it plants"]
    rows = [
        ["synthetic:latest", "25", "1,025,794", "31.3 MB", "5746f63ac722", "", "late, duplicated and out-of-order events"],
        ["synthetic:" + "v" * 30, "1", "2", "3 B", "08f491ced836", "kept", " " * 12],
    ]
    print_table(headings, rows, numbers=(1, 2, 3))
    assert [line.rstrip() for line in re.sub(r"\x1b\[\d*m", "", terminal.getvalue()).splitlines()] == [
        "reference       synthetic:latest",
        "tables          25",
        "rows            1,025,794",
        "size            31.3 MB",
        "content         5746f63ac722",
        "what it plants  late, duplicated and",
        "                out-of-order events",
        "",
        "reference       synthetic:vvvvvvvvvvvvvv",
        "                vvvvvvvvvvvvvvvv",
        "tables          1",
        "rows            2",
        "size            3 B",
        "content         08f491ced836",
        "note            kept",
        "what it plants",
    ]


def test_what_reads_through_a_pipe_gets_a_table_of_whatever_width(monkeypatch):
    monkeypatch.setattr("sys.stdout", pipe := io.StringIO())
    monkeypatch.setenv("COLUMNS", "20")
    print_table(["table", "rows"], [["a" * 100, "1"], ["b" * 139, "2"]])
    assert len(pipe.getvalue().splitlines()) == 4


@pytest.mark.parametrize("width", ["80", "12"])
def test_a_cell_and_a_heading_are_shown_and_neither_obeyed_nor_styled(monkeypatch, width):
    monkeypatch.setattr("sys.stdout", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setenv("TERM", "dumb")
    print_table(["[/x]", "[bold]n"], [["a\x1b[2Jb\nc", "1"]])
    shown = terminal.getvalue()
    assert "\x1b" not in shown
    assert "[/x]" in shown
    assert "[bold]n" in shown
    assert "\\u000ac" in shown.replace("\n", "").replace(" ", "")


def test_a_scale_is_shown_as_it_is_given():
    assert [scale_text(s) for s in ("1", "10", "1/50", "1/3", "of another making")] == [
        "1", "10", "0.02", "0.333333333333333", "of another making",
    ]  # fmt: skip
