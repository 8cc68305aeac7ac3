"""A black-box audit of a claim of (epsilon, delta)-DP: run a mechanism on two neighbouring inputs, many times, and see what tells them apart.

For an event S, P[S on a] <= e^epsilon P[S on b] + delta. One half of the runs chooses the event, the other half bounds both probabilities by
Clopper-Pearson intervals, so that the bound on epsilon is honest whatever was chosen (Jagielski et al. 2020, "Auditing Differentially
Private Machine Learning"; Ding et al. 2018, "Detecting Violations of Differential Privacy"). A true claim is called broken with a probability
of at most FALSE_ALARM.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from scipy.stats import beta

FALSE_ALARM = 1e-6


@dataclass(frozen=True)
class Verdict:
    """What was found: the greatest epsilon that the runs prove, and what was claimed."""

    epsilon: float
    claimed: float

    @property
    def holds(self) -> bool:
        return self.epsilon <= self.claimed


def audit(on_a: Callable[[], Hashable], on_b: Callable[[], Hashable], epsilon: float, delta: float = 0.0, runs: int = 10_000) -> Verdict:
    """Return what `runs` runs on each of two neighbouring inputs prove about a claim of (`epsilon`, `delta`).

    What the mechanism returns may be anything hashable; numbers are ordered, so that tails are events too. Repeats of one outcome matter: a
    mechanism with many outcomes should be called through a function that says less of them, which can only weaken the audit.
    """
    seen_a, seen_b = [on_a() for _ in range(runs)], [on_b() for _ in range(runs)]
    half = runs // 2
    found = 0.0
    for one, other in ((seen_a, seen_b), (seen_b, seen_a)):
        event = _event(Counter(one[:half]), Counter(other[:half]), delta, half)
        inside, outside = (sum(outcome in event for outcome in seen[half:]) for seen in (one, other))
        found = max(found, _proved(inside, outside, runs - half, delta))
    return Verdict(found, epsilon)


def _proved(inside: int, outside: int, runs: int, delta: float) -> float:
    """The epsilon that the counts prove: each of two directions has half of the false alarms, each of two intervals half of that."""
    error = FALSE_ALARM / 4
    low = float(beta.ppf(error, inside, runs - inside + 1)) if inside else 0.0
    high = float(beta.ppf(1 - error, outside + 1, runs - outside)) if outside < runs else 1.0
    return math.log((low - delta) / high) if low > delta else 0.0


class _Event:
    def __init__(self, outcomes: frozenset[Hashable], least: float, most: float) -> None:
        self._outcomes, self._least, self._most = outcomes, least, most

    def __contains__(self, outcome: object) -> bool:
        return outcome in self._outcomes or (isinstance(outcome, int | float) and (outcome <= self._most or outcome >= self._least))


def _event(one: Counter[Hashable], other: Counter[Hashable], delta: float, runs: int) -> _Event:
    """The event that proves most on the first half: a tail of the numbers, or the outcomes by their ratio, best first."""
    candidates: list[tuple[float, _Event]] = []

    def consider(inside: int, outside: int, event: Callable[[], _Event]) -> None:
        proved = _proved(inside, outside, runs, delta)
        if proved > 0 and (not candidates or proved > candidates[0][0]):
            candidates[:] = [(proved, event())]

    everything = sorted({*one, *other}, key=lambda o: (-(one[o] + 1) / (other[o] + 1), repr(o)))
    inside = outside = 0
    stride = max(1, len(everything) // 200)
    for n, outcome in enumerate(everything):
        inside, outside = inside + one[outcome], outside + other[outcome]
        if n % stride == 0:
            consider(inside, outside, lambda n=n: _Event(frozenset(everything[: n + 1]), math.inf, -math.inf))
    numbers = sorted(o for o in everything if isinstance(o, int | float))
    stride = max(1, len(numbers) // 200)
    for order, tail in ((numbers, "below"), (numbers[::-1], "above")):
        inside = outside = 0
        for n, number in enumerate(order):
            inside, outside = inside + one[number], outside + other[number]
            if n % stride == 0:
                ends = (math.inf, number) if tail == "below" else (number, -math.inf)
                consider(inside, outside, lambda ends=ends: _Event(frozenset(), *ends))
    return candidates[0][1] if candidates else _Event(frozenset(), math.inf, -math.inf)
