"""`national_id`: the numbers by which states know people."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from masking.errors import TransformerUnfit
from masking.national_ids import NEVER_ISSUED, PLANS
from masking.transformers.national_id import NationalId
from tests.masking.transformers.binding import context, masked

JUDGES = {
    "AT": "at.vnr", "AU": "au.tfn", "BE": "be.nn", "BG": "bg.egn", "BR": "br.cpf", "CA": "ca.sin", "CH": "ch.ssn", "CZ": "cz.rc",
    "DE": "de.idnr", "DK": "dk.cpr", "EE": "ee.ik", "ES": "es.nif", "FI": "fi.hetu", "FR": "fr.nir", "GR": "gr.amka", "HR": "hr.oib",
    "IL": "il.idnr", "IN": "in_.aadhaar", "IT": "it.codicefiscale", "JP": "jp.in_", "KR": "kr.rrn", "LT": "lt.asmens", "NL": "nl.bsn",
    "NO": "no.fodselsnummer", "PL": "pl.pesel", "RO": "ro.cnp", "SE": "se.personnummer", "TH": "th.pin", "TR": "tr.tckimlik",
    "UA": "ua.rntrc", "US": "us.ssn", "ZA": "za.idnr",
}  # fmt: skip


def numbers_of(country: str, count: int) -> list[str]:
    found = []
    for plan in PLANS[country]:
        places = (int(x * (plan.size - 1)) for x in np.linspace(0.03, 0.97, count * 60))
        some = (plan.write(place) for place in places)
        found += list(dict.fromkeys(text for text in some if text is not None))[:count]
    return found


def test_every_country_with_a_plan_has_a_judge_but_one_that_python_stdnum_lacks() -> None:
    assert set(PLANS) - set(JUDGES) == {"GB"}


@pytest.mark.parametrize("country", PLANS)
def test_numbers_are_right_by_python_stdnum_before_and_after_and_stay_apart(country: str) -> None:
    values = numbers_of(country, 40)
    result = masked(NationalId(country), values, unique=True)
    assert len(set(result)) == len(set(values)) > 30
    assert not any(a == b for a, b in zip(values, result))
    assert [len(t) for t in result] == [len(t) for t in values]
    if country in JUDGES:
        judge = import_module(f"stdnum.{JUDGES[country]}")
        assert all(map(judge.is_valid, values))
        assert all(map(judge.is_valid, result))


@pytest.mark.parametrize("country", PLANS)
def test_a_place_and_its_number_are_one_to_one(country: str) -> None:
    for plan in PLANS[country]:
        for place in (plan.size * i // 200 for i in range(200)):
            text = plan.write(place)
            assert text is None or plan.rank(text) == place


def test_notation_stays_and_does_not_make_another_number() -> None:
    dashed, plain, spaced = masked(NationalId(), ["123-45-6789", "123456789", "123 45 6789"])
    assert dashed.replace("-", "") == plain == spaced.replace(" ", "")
    assert dashed[3] == dashed[6] == "-"
    assert masked(NationalId("GB"), ["ab123456c"])[0].islower()


def test_what_is_no_number_of_the_country_is_none_afterwards_and_stays_apart() -> None:
    values = ["000-12-3456", "666-12-3456", "12-345", "x", "no number", "9" * 9]
    result = masked(NationalId(), values, unique=True)
    assert len(set(result)) == len(values)
    plan = PLANS["US"][0]
    assert all(plan.rank(text.replace("-", "")) is None for text in result)


@pytest.mark.parametrize("country", NEVER_ISSUED)
def test_numbers_that_are_never_issued_are_of_no_plan_of_issued_ones(country: str) -> None:
    result = masked(NationalId(country, never_issued=True), numbers_of(country, 40))
    assert all(plan.rank(text) is None for text in result for plan in PLANS[country])
    assert all(NEVER_ISSUED[country].rank(text) is not None for text in result)


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(TransformerUnfit, match="'XX' are not known"):
        NationalId("XX").bind(context())
    with pytest.raises(TransformerUnfit, match="US, FI, GB have one"):
        NationalId("DE", never_issued=True).bind(context())
    with pytest.raises(TransformerUnfit, match="cannot be kept apart among 48995100 numbers"):
        NationalId(never_issued=True).bind(context(unique=True, distinct=10))
