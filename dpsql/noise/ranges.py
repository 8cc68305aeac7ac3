"""What may go into a sampler."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.errors import InputError

LARGEST = 2**62  # numbers must be smaller in magnitude, so that noise cannot wrap them around in 64 bits
LEAST_EPSILON, GREATEST_EPSILON = 1e-12, 1e15


def check_epsilon(epsilon: float) -> None:
    """InputError where `epsilon` is not a number that noise can be made for."""
    if not LEAST_EPSILON <= epsilon <= GREATEST_EPSILON:
        raise InputError(
            f"epsilon is {epsilon:g} for one measurement, and must be from {LEAST_EPSILON:g} to {GREATEST_EPSILON:g}: "
            "spend more on the query, or ask for less in it"
        )


def check_sensitivity(*amounts: int) -> None:
    """InputError where one of the `amounts` that a unit changes is below 0 or too large for the samplers."""
    if any(amount < 0 for amount in amounts):
        raise InputError("what a unit changes must be 0 or more")
    if any(amount >= LARGEST for amount in amounts):
        raise InputError(f"a unit may change more than {LARGEST} steps, too many to measure: declare narrower bounds or a coarser type")


def check_values(values: Iterable[int]) -> None:
    """InputError where one of the `values`, which it does not tell, is too large for the samplers."""
    if any(not -LARGEST < value < LARGEST for value in values):
        raise InputError(f"sums beyond {LARGEST} steps cannot be measured: declare narrower bounds or a coarser type")
