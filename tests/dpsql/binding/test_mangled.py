"""Mangled SQL is refused, never crashed on, and never lets anything through that is not known."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dpsql.binding import bind
from dpsql.binding.queries import NOT_UNDERSTOOD
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import emit
from tests.dpsql.shop import shop

FOLDER = Path(__file__).parent
ACCEPTED = [q if isinstance(q, str) else q["sql"] for qs in yaml.safe_load((FOLDER / "accepted.yaml").read_text()).values() for q in qs]
REFUSED = [q[0] for qs in yaml.safe_load((FOLDER / "refused.yaml").read_text()).values() for q in qs]
SHOP = shop()
TOKENS = sorted({t for sql in ACCEPTED + REFUSED for t in re.findall(r"\w+|'[^']*'|[^\w\s]", sql)})


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A query with a few of its words taken out, doubled, swapped or replaced by others."""
    words = re.findall(r"\w+|'[^']*'|\"[^\"]*\"|[^\w\s]+|\s+", draw(st.sampled_from(ACCEPTED + REFUSED)))
    for _ in range(draw(st.integers(1, 4))):
        if not words:
            break
        at = draw(st.integers(0, len(words) - 1))
        match draw(st.sampled_from(["out", "twice", "other", "swap", "text"])):
            case "out":
                del words[at]
            case "twice":
                words.insert(at, words[at])
            case "other":
                words[at] = draw(st.sampled_from(TOKENS))
            case "swap":
                to = draw(st.integers(0, len(words) - 1))
                words[at], words[to] = words[to], words[at]
            case _:
                words[at] = draw(st.text(max_size=5))
    return "".join(words)


@settings(max_examples=600, deadline=None)
@given(sql=mangled() | st.text(max_size=80), dialect=st.sampled_from(["postgres", "duckdb"]))
def test_mangled_queries_are_bound_or_refused(sql: str, dialect: str) -> None:
    said = ""
    try:
        query = bind(sql, SHOP, dialect=dialect)
    except (QueryInvalid, QueryRefused) as error:
        said = str(error)
    assert NOT_UNDERSTOOD not in said  # else there is a form of query of which nothing says what is missing
    if said:
        return
    for release in query.releases:
        for expression in (*(k.expression for k in release.keys), *(a.argument for a in release.aggregates if a.argument is not None)):
            assert emit(expression, "duckdb")
            assert emit(expression, "postgres")
