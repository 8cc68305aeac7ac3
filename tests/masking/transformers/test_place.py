"""`city`, `region`, `street`, `postcode`, `address`, `company`, `job_title`: what is picked from lists."""

from __future__ import annotations

import re

import pytest

from masking.errors import TransformerUnfit
from masking.pools import pool
from masking.transformers.company import Company, JobTitle
from masking.transformers.place import Address, City, Postcode, Region, Street
from schemas.types import SqlType
from tests.masking.transformers.binding import context, masked


@pytest.mark.parametrize(("transformer", "kind"), [(City(), "city"), (Region(), "region"), (JobTitle(), "job_title")])
def test_a_text_of_the_pool_takes_the_place_whatever_case_and_spaces(transformer: City, kind: str) -> None:
    own = pool(kind, "en_US").texts
    result = masked(transformer, [own[3], own[3].upper(), f" {own[3]} ", *own])
    assert result[0] == result[1] == result[2]
    assert set(result) <= set(own)
    assert not any(a == b for a, b in zip(own, result[3:]))


def test_places_keep_their_script_and_the_locale_that_is_asked_for() -> None:
    moscow, tokyo, plain = masked(City(), ["Москва", "東京都", "Paris"])
    assert moscow in pool("city", "ru_RU").texts
    assert tokyo in pool("city", "zh_CN").texts
    assert plain in pool("city", "en_US").texts
    assert masked(City(locale="de_DE"), ["Berlin"])[0] in pool("city", "de_DE").texts
    assert masked(City(), ["東京都"], locale="ja_JP")[0] in pool("city", "ja_JP").texts


def test_streets_have_a_number_where_there_was_one_where_the_locale_puts_it() -> None:
    english, german, bare = (
        masked(Street(), ["12 Main St"])[0],
        masked(Street("de_DE"), ["Hauptstraße 12"])[0],
        masked(Street(), ["Main St"])[0],
    )
    assert re.match(r"^\d+ \D", english)
    assert re.search(r"\D \d+$", german)
    assert bare in pool("street", "en_US").texts
    assert "12" not in re.findall(r"\d+", english + german)


def test_addresses_keep_their_lines_and_have_a_postcode_of_the_same_format() -> None:
    american, british, german = (
        masked(Address(), ["12 Main St, Springfield, IL 62704"])[0],
        masked(Address(), ["12 Main St\nLondon SW1A 1AA"])[0],
        masked(Address("de_DE"), ["Hauptstraße 12, 10115 Berlin"])[0],
    )
    assert re.fullmatch(r"\d+ [^,]+, [^,]+ \d{5}", american) and "62704" not in american
    assert re.fullmatch(r"\d+ [^\n]+\n.+ [A-Z]{2}\d[A-Z] \d[A-Z]{2}", british)
    assert re.fullmatch(r"[^,]+ \d+, \d{5} [^,]+", german)


def test_postcodes_keep_their_format_and_the_beginning_that_is_asked_for() -> None:
    assert re.fullmatch(r"\d{5}", masked(Postcode(), ["62704"])[0])
    kept = masked(Postcode(keep=3), [f"627{i:02d}" for i in range(100)])
    assert sorted(kept) == [f"627{i:02d}" for i in range(100)]
    assert 10_000 <= masked(Postcode(), [62704], "integer")[0] <= 99_999


def test_companies_keep_their_legal_form_and_are_no_real_ones() -> None:
    result = masked(Company(), ["Acme Inc.", "ACME Inc.", "Müller GmbH", "Foo S.p.A.", "Bar"])
    assert result[0] == result[1]
    assert [t.split()[-1] for t in result[1:4]] == ["Inc.", "GmbH", "S.p.A."]
    assert not set(result) & set(pool("organisation", "en_US").texts)
    assert not any(word in text for word, text in zip(("Acme", "ACME", "Müller", "Foo", "Bar"), result))


def test_unique_columns_without_room_for_a_suffix_are_refused_with_pool_and_need() -> None:
    narrow = SqlType("varchar", length=12)
    size = sum(len(text) <= 12 for text in pool("city", "en_US").texts)
    with pytest.raises(TransformerUnfit, match=f"has 5000 different values; `city` knows {size} pseudonyms"):
        City().bind(context(narrow, unique=True, distinct=5000))
    with pytest.raises(TransformerUnfit, match="no room for `city` and a suffix of 7 letters"):
        City().bind(context(SqlType("varchar", length=9), unique=True, distinct=90))
    with pytest.raises(TransformerUnfit, match="too short for `city`"):
        City().bind(context(SqlType("varchar", length=2)))
