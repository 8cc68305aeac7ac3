"""The price of a search for the values behind masked ones."""

from __future__ import annotations

import pytest

from masking.classes import ENTITIES
from masking.pricing import TRIES_GPU, domain_size, phone_numbers, price_search
from schemas.types import SqlType

TEXT = SqlType("text")


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_entity_has_a_price(entity: str) -> None:
    for locale in ("en_US", "de_DE", "ja_JP"):
        values, basis = domain_size(TEXT, entity, locale)
        assert values >= 2
        assert basis


def test_domains_are_of_the_size_that_is_known() -> None:
    assert 2e9 < phone_numbers("US")[0] < 1e10  # 10 digits, the first of which is none of 0 and 1
    assert 1e8 < phone_numbers("DE")[0] < 1e10
    assert 5e8 < domain_size(TEXT, "national_id", "en_US")[0] < 1e9
    assert domain_size(SqlType("smallint"))[0] == 2**15 - 1
    assert domain_size(SqlType("uuid"))[0] == 2**122


def test_a_hash_of_phone_numbers_is_found_at_once_with_the_key_and_never_without() -> None:
    price = price_search("users.phone", "hash", TEXT, "env", "phone")
    assert price.seconds_with_key == price.values / 2 / TRIES_GPU < 1
    assert price.years_without_key > 1e50
    assert price.warning is not None
    assert "users.phone" in price.warning and "ephemeral" in price.warning
    assert price.lines()[1] == f"warning: {price.warning}"


def test_a_key_that_is_gone_after_the_run_is_not_warned_of_nor_are_large_domains() -> None:
    assert price_search("t.c", "hash", TEXT, "ephemeral", "phone").warning is None
    assert price_search("t.c", "hash", SqlType("uuid"), "file").warning is None
    assert len(price_search("t.c", "hash", SqlType("uuid"), "file").lines()) == 1


def test_what_can_be_run_backwards_is_said_to_be() -> None:
    for transformer, kind in (("code", TEXT), ("phone", TEXT), ("hash", SqlType("integer"))):
        price = price_search("t.c", transformer, kind, "file")
        assert price.reversible
        assert price.warning is not None and "at once" in price.warning
        assert "read backwards" in price.lines()[0]
    assert not price_search("t.c", "hash", TEXT, "file").reversible
