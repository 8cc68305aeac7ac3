"""`email`: e-mail addresses."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import TransformerUnfit
from masking.transformers.base import Learner, Rows
from masking.transformers.email import EXAMPLES, Email
from masking.transformers.username import Username
from schemas.types import SqlType
from tests.masking.transformers.binding import context, masked

ADDRESS = re.compile(r"[a-z0-9.]+@[a-z0-9.\-]+\.[a-z0-9\-]{2,}")


def test_addresses_are_of_the_domains_for_examples_and_case_and_spaces_do_not_count() -> None:
    result = masked(Email(), ["Bob@Acme.com", " bob@acme.com ", "eve@acme.com", "no address", "bob@acme.org"])
    assert result[0] == result[1]
    assert len(set(result)) == 4
    assert all(ADDRESS.fullmatch(text) and text.split("@")[1] in EXAMPLES for text in result)
    assert result[0].split("@")[1] == result[2].split("@")[1]


def test_a_domain_stays_or_is_mapped_as_asked() -> None:
    values = ["bob@acme.com", "eve@other.org", "broken@", "@x", "a@b@acme.com"]
    kept = masked(Email(keep="domain", persons=1), values)
    assert [text.split("@")[1] for text in kept[:2]] == ["acme.com", "other.org"]
    assert all(ADDRESS.fullmatch(text) for text in kept)
    mapped = masked(Email(domains={"Acme.COM": "acme.test"}), values)
    assert mapped[0].endswith("@acme.test")
    assert mapped[1].split("@")[1] in EXAMPLES


@given(st.lists(st.emails(), unique_by=str.lower, min_size=1, max_size=20), st.integers(28, 80))
@settings(max_examples=40)
def test_addresses_fit_the_column_and_stay_apart_where_it_is_unique(addresses: list[str], length: int) -> None:
    values = [a for a in addresses if len(a) <= length]
    result = masked(Email(keep="domain"), values, SqlType("varchar", length=length), unique=True, distinct=10_000)
    assert len(set(result)) == len(values)
    assert all(len(text) <= length and len(text.split("@")[0]) <= 64 and "@" in text for text in result)


def test_a_hundred_thousand_unique_addresses_stay_unique() -> None:
    values = [f"user{i}@acme.com" for i in range(100_000)]
    assert len(set(masked(Email(), values, unique=True, distinct=100_000))) == 100_000
    assert len(set(masked(Username(), values, unique=True, distinct=100_000))) == 100_000


def test_case_counts_in_a_unique_column() -> None:
    assert len(set(masked(Email(), ["Bob@acme.com", "bob@acme.com"], unique=True))) == 2


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(TransformerUnfit, match="too short for an e-mail address of 26 characters, 14 of them"):
        Email().bind(context(SqlType("varchar", length=20), unique=True))
    with pytest.raises(TransformerUnfit, match="`domain` or nothing"):
        Email(keep="domian").bind(context())
    with pytest.raises(TransformerUnfit, match="no column 'sex'"):
        Email(gender="sex").bind(context())


def test_user_names_keep_an_at_sign_before_them() -> None:
    result = masked(Username(), ["@bob", "bob", "BOB"])
    assert re.fullmatch(r"@[a-z]+\d{3}", result[0])
    assert re.fullmatch(r"[a-z]+\d{3}", result[1])
    assert result[1] == result[2]


def kept_domains(columns: list[tuple[list[str], list[str] | None]], persons: int = 3) -> list[set[str]]:
    """The domains of some columns after all of them have been learned, and the subjects of each column's rows."""
    learned: dict[str, Any] = {}
    maskers = [Email(keep="domain", persons=persons).bind(context(learned=learned)) for _ in columns]
    rows = [Rows({}, len(v), None if subjects is None else pa.array(subjects)) for v, subjects in columns]
    for masker, (values, _), of in zip(maskers, columns, rows):
        assert isinstance(masker, Learner)
        masker.learn(pa.array(values), of)
        masker.finish()
    masked = [m.apply(pa.array(values), of).to_pylist() for m, (values, _), of in zip(maskers, columns, rows)]
    return [{text.split("@")[1] for text in found} - set(EXAMPLES) for found in masked]


def test_a_domain_that_few_persons_have_is_not_kept() -> None:
    values = ["a@acme.com", "b@acme.com", "C@Acme.com", "anna@anna-meyer.net", "anna@anna-meyer.net", "info@anna-meyer.net"]
    assert kept_domains([(values, None)]) == [{"acme.com"}]
    assert kept_domains([(values, None)], persons=4) == [set()]


def test_a_person_with_many_addresses_at_a_domain_is_one() -> None:
    values = [f"{name}@anna-meyer.net" for name in ("anna", "info", "shop")]
    assert kept_domains([(values, ["7", "7", "7"])]) == [set()]
    assert kept_domains([(values, ["7", "8", "9"])]) == [{"anna-meyer.net"}]
    assert kept_domains([(["anna@anna-meyer.net"] * 3, ["7", "8", "9"])]) == [set()]


def test_domains_are_counted_and_kept_over_all_columns() -> None:
    columns = [(["a@acme.com", "b@acme.com"], None), (["a@acme.com", "c@acme.com", "d@rare.org"], None)]
    assert kept_domains(columns) == [{"acme.com"}, {"acme.com"}]
