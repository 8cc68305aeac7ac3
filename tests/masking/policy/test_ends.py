"""The ends of references are read as they are written, whatever tables and columns are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.policy.ends import End, end_text, read_end

NAMES = st.text(st.sampled_from("ab _$().,\"'~[]é\n"), min_size=1, max_size=8)


@given(NAMES, st.lists(NAMES, min_size=1, max_size=3), st.sampled_from([None, "$.a.b", '$["a (b)"][*]', "$"]))
def test_what_is_written_is_read_back(table: str, columns: list[str], path: str | None) -> None:
    assert read_end(end_text(table, tuple(columns), path)) == (table, tuple(columns), path)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("users.id", ("users", ("id",), None)),
        ("crm.users.id", ("crm.users", ("id",), None)),
        ("crm.users.(a, b c)", ("crm.users", ("a", "b c"), None)),
        ("events.payload$.user.id", ("events", ("payload",), "$.user.id")),
        ('"my.log"."user (id)"$.a', ("my.log", ("user (id)",), "$.a")),
        ('log.("a, b", c)', ("log", ("a, b", "c"), None)),
        ("users", ("", ("users",), None)),
        ("users.(a", None),
        ('users."a', None),
        ("", None),
    ],
)
def test_an_end_is_read_by_its_parts(text: str, end: End | None) -> None:
    assert read_end(text) == end


@pytest.mark.parametrize("names", [("users", ("id",)), ("crm.users", ("a", "b c")), ("my log", ("Größe",))])
def test_names_that_are_understood_are_not_quoted(names: tuple[str, tuple[str, ...]]) -> None:
    assert '"' not in end_text(*names)
