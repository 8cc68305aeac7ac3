"""Choosing a clipping threshold that nobody declared."""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt

from dpsql.noise.selection import choose

FINENESS = 1024  # parts of a unit in a score
STEEPEST = 2**40
PATIENCE = 2
APART = 16  # bounds are about so many times as wide as what the means of units lie apart
ONE_SIDED = 32  # by this part of it may units with many rows differ from the others


def choose_threshold(exceeding: Mapping[int, int], epsilon: float, epsilon_of_sum: float, *, of_means: bool = False) -> int:
    """Return a power of two at which clipping errs about as much as the noise that it allows, `epsilon`-DP.

    `exceeding` maps each candidate to the number of units whose contribution is larger, to one group where a unit is in
    several. One unit changes each number by at most one, all in the same direction, so report noisy max needs half the usual noise.

    A threshold t makes noise of t / `epsilon_of_sum` in a group, and its bias falls with t by the number of units above it: the two
    balance where 1 / `epsilon_of_sum` are above (Amin, Kulesza, Munoz and Vassilvitskii 2019). So the score of the j-th power of two
    is the negated number of units above it, less j times that number. Another PATIENCE / `epsilon` for each j makes it
    e^PATIENCE times less likely to pick the next power beyond all contributions, while the noise of the sum only doubles, so that the
    choice's own noise costs a constant factor at most.
    Candidates are those of the race of R2T (Dong et al. 2022); a score of bounded sensitivity takes the place of its penalty, and the
    noise of the sum does not grow with the number of candidates.

    With `of_means`, a unit above t is scaled down as if it had t rows. What that takes from a mean is how far the unit's own mean is from
    that of all. To either side such differences add up as their root; what they have on one side, a 32nd of each, adds up as their
    number. The greater of both, which changes by one at most as well, is held against APART times the noise.
    """
    candidates = sorted(exceeding)
    noise = (APART if of_means else 1) / epsilon_of_sum
    step = max(1, round(FINENESS * min(units_to_double(epsilon, noise), STEEPEST)))
    above = [FINENESS * exceeding[t] for t in candidates]
    if of_means:
        above = [max(isqrt(FINENESS * over), over // ONE_SIDED) for over in above]
    scores = [-(over + step * j) for j, over in enumerate(above)]
    return candidates[choose(scores, FINENESS, epsilon, monotonic=True)]


def units_to_double(epsilon: float, noise: float) -> float:
    """Return how many units have to contribute more than a threshold for twice of it to be worth its noise, which is `noise` thresholds."""
    return noise + PATIENCE / epsilon
