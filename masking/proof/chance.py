"""What chance explains: how many values may meet without anything having leaked."""

from __future__ import annotations

import math

FALSE_ALARM = 1e-6
NEGLIGIBLE = 0.001  # where chance brings less than that, one value counts


def threshold(draws: float, expected: float, false_alarm: float = FALSE_ALARM) -> int:
    """The number of meetings that chance passes with probability of at most `false_alarm`; 0 where `expected` is negligible.

    Of `draws` values `expected` meet in the mean. The bound is that of Chernoff, which holds for draws with and without
    replacement (Hoeffding, "Probability inequalities for sums of bounded random variables", 1963, theorems 1 and 4).
    """
    if expected < NEGLIGIBLE or draws <= 0:
        return 0
    if expected >= draws:
        return math.ceil(draws)
    low, high = math.floor(expected), math.ceil(draws)
    while low < high:  # the least t such that t + 1 is too rare
        middle = (low + high) // 2
        if _exponent(draws, expected, middle + 1) >= -math.log(false_alarm):
            high = middle
        else:
            low = middle + 1
    return low


def _exponent(draws: float, expected: float, met: float) -> float:
    """draws * KL(met / draws || expected / draws): minus the logarithm of Chernoff's bound."""
    if met > draws:
        return math.inf
    rest = (draws - met) * math.log((draws - met) / (draws - expected)) if met < draws else 0.0
    return met * math.log(met / expected) + rest
