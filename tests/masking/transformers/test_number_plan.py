"""Number plans as automata: they say of every number what the patterns say."""

from __future__ import annotations

import re

import numpy as np
import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.transformers.number_plan import LONGEST, NumberPlan, PlannedNumbers, number_plan

CODES = (1, 7, 39, 44, 49, 52, 81, 86, 358, 598, 800, 882, 995)
KINDS = (("mobile",), ("fixed_line",), ("toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan", "voicemail"))


def patterns(code: int) -> list[list[str]]:
    metadata = phonenumbers.PhoneMetadata
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    plans = [metadata.metadata_for_nongeo_region(code) if r == "001" else metadata.metadata_for_region(r) for r in regions]
    found = [[getattr(plan, kind) for plan in plans for kind in kinds] for kinds in KINDS]
    return [[d.national_number_pattern for d in descriptions if d is not None and d.national_number_pattern] for descriptions in found]


def said(texts: list[str], code: int) -> list[int]:
    mobile, fixed, other = (re.compile("|".join(f"(?:{p})" for p in found) or "(?!)") for found in patterns(code))
    return [bool(mobile.fullmatch(t)) + 2 * bool(fixed.fullmatch(t)) or 4 * bool(other.fullmatch(t)) for t in texts]


def walked(plan: NumberPlan, draws: np.random.Generator) -> str:
    """Digits on a random way on which a valid number may still come; with luck, one that ends there."""
    state, text = plan.start, ""
    while len(text) < LONGEST and (going_on := np.flatnonzero(plan.by_one[state])).size and not (plan.kinds[state] and draws.integers(3)):
        digit = int(draws.choice(going_on))
        state, text = int(plan.by_one[state, digit]), f"{text}{digit}"
    return text


@pytest.mark.parametrize("code", CODES)
def test_numbers_are_what_the_patterns_call_them(code: int) -> None:
    plan, draws = number_plan(code), np.random.default_rng(code)
    texts = [walked(plan, draws) for _ in range(300)]
    texts += (
        [text[:-1] + str((int(text[-1]) + 1) % 10) for text in texts if text] + [text[:-1] for text in texts] + [f"{t}5" for t in texts]
    )
    texts += [f"{draws.integers(10**length):0{length}d}" for length in range(1, LONGEST + 1) for _ in range(30)]
    found = [int(plan.kinds_of(np.array([int(text or 0)], np.uint64), len(text))[0]) if len(text) <= LONGEST else 0 for text in texts]
    assert found == said(texts, code)
    assert sum(kind > 0 for kind in found) > 200


def test_no_plan_has_longer_numbers() -> None:
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        plan = number_plan(code)
        reached = {plan.start}
        for _ in range(LONGEST + 1):
            reached = {int(state) for before in reached for state in plan.by_one[before]} - {0}
        assert not reached


@given(st.lists(st.integers(0, 9999), min_size=1, max_size=20))
def test_brackets_alternatives_and_repetitions_are_read(numbers: list[int]) -> None:
    pattern = r"1(?:2[3-57]|(?:4|5\d)?)\d{0,1}|[08]{2}\d"
    plan = NumberPlan.of([pattern], [], [])
    texts = [str(number) for number in numbers]
    found = [int(plan.kinds_of(np.array([int(text)], np.uint64), len(text))[0]) for text in texts]
    assert found == [int(re.fullmatch(pattern, text) is not None) for text in texts]


@pytest.mark.parametrize("pattern", ["1+", "(1", "1)", "a", "1{2", "[1"])
def test_what_is_no_pattern_of_digits_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern of a number plan"):
        NumberPlan.of([pattern], [], [])


@pytest.mark.parametrize("code", [1, 44, 49, 7, 800])
@pytest.mark.parametrize("length", [4, 7, 10, 11])
def test_every_number_of_no_usual_kind_begins_as_one(code: int, length: int) -> None:
    plan = number_plan(code)
    numbers = np.random.default_rng(code + length).integers(0, 10**length, 200_000).astype(np.uint64)
    others = numbers[plan.usual(plan.kinds_of(numbers, length), numbers, length) == 0]
    assert len(others)
    planned = PlannedNumbers(plan, 0, length)
    assert np.array_equal(planned.at(planned.ranked(others)), others)
    assert planned.size <= 10**length
