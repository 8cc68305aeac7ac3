"""Choosing a clipping threshold that nobody declared."""

from __future__ import annotations

from collections.abc import Mapping

from dpsql.noise.selection import choose

FINENESS = 1024  # parts of a unit in a score
STEEPEST = 2**40


def choose_threshold(exceeding: Mapping[int, int], epsilon: float, epsilon_of_sum: float, groups: int = 1, patience: int = 2) -> int:
    """Return a power of two at which clipping errs about as much as the noise that it allows, `epsilon`-DP.

    `exceeding` maps each candidate to the number of units whose contribution is larger, to one group where a unit is in up to
    `groups`. One unit changes each number by at most one, all in the same direction, so report noisy max needs half the usual noise.

    A threshold t makes noise of t * `groups` / `epsilon_of_sum`, and its bias falls with t by the number of units above it: the two
    balance where groups / `epsilon_of_sum` are above (Amin, Kulesza, Munoz and Vassilvitskii 2019). So the score of the j-th power of two
    is the negated number of units above it, less j times that number. Another `patience` / `epsilon` for each j makes it
    e^patience times less likely to pick the next power beyond all contributions, while the noise of the sum only doubles, so that the
    choice's own noise costs a constant factor at most. More patience picks a smaller threshold, where clipping does little harm.
    Candidates are those of the race of R2T (Dong et al. 2022); a score of bounded sensitivity takes the place of its penalty, and the
    noise of the sum does not grow with the number of candidates.
    """
    candidates = sorted(exceeding)
    step = max(1, round(FINENESS * min(groups / epsilon_of_sum + patience / epsilon, STEEPEST)))
    scores = [-(FINENESS * exceeding[t] + step * j) for j, t in enumerate(candidates)]
    return candidates[choose(scores, FINENESS, epsilon, monotonic=True)]
