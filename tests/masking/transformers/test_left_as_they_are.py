"""Parameters by which all values, or what they hold of a person, would be left as they are."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.errors import InputError

from .columns import TYPES, context, mask, masker_for


@pytest.mark.parametrize(
    ("asked", "type"),
    [
        ({"round": 1}, "integer"),
        ({"round": "0.01"}, "numeric"),
        ({"truncate": 1}, "bigint"),
        ({"bucket": {"width": 1}}, "integer"),
        ({"bucket": {"width": "1d"}}, "date"),
        ({"truncate": "day"}, "date"),
        ({"noise": "0d"}, "timestamp"),
        ({"noise": "1h"}, "date"),
        ({"noise": {"spread": 0.001, "unit": "absolute"}}, "numeric"),
        ({"top_bottom": {"percentiles": [0, 100]}}, "integer"),
    ],
)
def test_what_would_leave_every_value_is_refused(asked: Any, type: str) -> None:
    with pytest.raises(InputError):
        masker_for(asked, context(TYPES[type]))


def test_an_ipv6_address_that_holds_an_ipv4_address_is_cut_as_that_is() -> None:
    assert mask({"prefix": {"ipv6": 48}}, ["2002:cb00:714d::1", "2001:db8:1:2::3"]) == ["203.0.113.0", "2001:db8:1::"]


def test_an_ipv6_address_that_holds_an_ipv4_address_keeps_none_of_it() -> None:
    held, other = mask({"ip": {"keep6": 48}}, ["2002:cb00:714d::1", "2001:470:1:2::3"])
    assert held.startswith("2001:db8:") and other.startswith("2001:470:1:")


def test_a_text_that_a_replacement_gives_back_is_hidden() -> None:
    assert mask({"replace": {"pattern": "(.*)", "with": r"\1"}}, ["Bob", None]) == ["***", None]
    assert mask({"replace": {"pattern": "x*", "with": ""}}, ["Bob", "xBob"]) == ["***", "Bob"]
