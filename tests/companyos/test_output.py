"""What is printed for people: tables that fit their terminal."""

import io

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


def test_a_scale_is_shown_as_it_is_given():
    assert [scale_text(s) for s in ("1", "10", "1/50", "1/3", "of another making")] == [
        "1", "10", "0.02", "0.333333333333333", "of another making",
    ]  # fmt: skip
