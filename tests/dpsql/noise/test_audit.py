"""Every path of noise keeps its claim when it is run on neighbouring inputs, and broken ones are found out.

A true claim fails an audit with a probability of at most 1e-6. The fast audits run so often that the breaks are found all but
surely; the slow ones prove more of the claimed epsilon.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from fractions import Fraction

import pytest

pytest.importorskip("opendp")

from dpsql.accounting import Limit, Spend, rho_of
from dpsql.measuring import mechanism_of
from dpsql.noise import Mechanism, Sensitivity, add_noise, choose, choose_threshold, keys_above, quantile
from dpsql.planning.model import Shares
from tests.dpsql.noise.auditing import audit
from tests.spread import one_in

Run = Callable[[], Hashable]
DELTA = 1e-2  # great enough to be seen in the runs
MANY = [pytest.param(3_000, id="fast"), pytest.param(20_000, id="slow", marks=pytest.mark.slow)]


def noisy(value: int, mechanism: Mechanism) -> int:
    return add_noise([value], mechanism)[0]


def laplace(epsilon: float) -> tuple[Run, Run]:
    mechanism = mechanism_of(Sensitivity(1, 3), Shares(part=epsilon))
    assert mechanism.kind == "laplace"
    return lambda: noisy(100, mechanism), lambda: noisy(103, mechanism)


def laplace_of_many(epsilon: float) -> tuple[Run, Run]:
    mechanism = mechanism_of(Sensitivity(4, 1), Shares(part=epsilon))
    return lambda: sum(add_noise([10] * 4, mechanism)), lambda: sum(add_noise([11] * 4, mechanism))


def gaussian(epsilon: float, delta: float) -> tuple[Run, Run]:
    mechanism = mechanism_of(Sensitivity(16, 2), Shares(rho=rho_of(epsilon, delta), delta=delta))
    assert mechanism.kind == "gaussian"
    return lambda: sum(add_noise([50] * 16, mechanism)), lambda: sum(add_noise([52] * 16, mechanism))


def noisy_max(epsilon: float) -> tuple[Run, Run]:
    return lambda: choose([5, 5, 5], 1, epsilon), lambda: choose([6, 4, 4], 1, epsilon)


def monotonic_noisy_max(epsilon: float) -> tuple[Run, Run]:
    return lambda: choose([5, 5], 1, epsilon, monotonic=True), lambda: choose([6, 5], 1, epsilon, monotonic=True)


def threshold_keys(epsilon: float, delta: float) -> tuple[Run, Run]:
    def released(counts: dict[str, int]) -> Hashable:
        outcome = keys_above(counts, 2, epsilon, delta)
        return tuple(min(v, outcome.threshold + 6) for _, v in sorted(outcome.counts.items())), len(outcome.counts)

    return lambda: released({"common": 8, "rare": 1, "other": 1}), lambda: released({"common": 8})


def median(epsilon: float) -> tuple[Run, Run]:
    a = {0: 8}
    return lambda: quantile(a, 4, Fraction(1, 2), 16, epsilon), lambda: quantile({**a, 3: 16}, 4, Fraction(1, 2), 16, epsilon)


def greatest(epsilon: float) -> tuple[Run, Run]:
    # the rows in the last bin are as many as are passed over at this epsilon, or one more: then it is the greatest
    spared = math.floor(4 * math.log(2 / 0.05) / epsilon)
    return (
        lambda: quantile({0: 40, 3: spared}, 4, Fraction(1), 1, epsilon),
        lambda: quantile({0: 40, 3: spared + 1}, 4, Fraction(1), 1, epsilon),
    )


def chosen_threshold(epsilon: float) -> tuple[Run, Run]:
    """A threshold is chosen with half of epsilon, and a sum clipped to it measured with the other half."""

    def measured(contributions: list[int]) -> Hashable:
        exceeding = {2**j: sum(c > 2**j for c in contributions) for j in range(6)}
        bound = choose_threshold(exceeding, epsilon / 2, epsilon / 2)
        mechanism = mechanism_of(Sensitivity(1, bound), Shares(part=epsilon / 2))
        total = noisy(sum(min(c, bound) for c in contributions), mechanism)
        return bound, max(-3, min(3, total // bound - 2))

    return lambda: measured([1, 1]), lambda: measured([1, 1, 32])


def chosen_threshold_of_means(epsilon: float) -> tuple[Run, Run]:
    def chosen(units: int) -> int:
        return choose_threshold({2**j: units if j < 3 else 0 for j in range(6)}, epsilon, 1e6, of_means=True)

    return lambda: chosen(0), lambda: chosen(1)  # the root of one differs most from that of the number before


PURE = [laplace, laplace_of_many, noisy_max, monotonic_noisy_max, median, greatest, chosen_threshold, chosen_threshold_of_means]
APPROXIMATE = [gaussian, threshold_keys]


@pytest.mark.parametrize("runs", MANY)
@pytest.mark.parametrize("path", one_in(2, PURE))
def test_a_pure_mechanism_keeps_its_epsilon(path: Callable[[float], tuple[Run, Run]], runs: int) -> None:
    assert audit(*path(1.0), 1.0, 0.0, runs).holds


@pytest.mark.parametrize("runs", MANY)
@pytest.mark.parametrize("path", APPROXIMATE)
def test_a_mechanism_with_delta_keeps_its_epsilon_and_delta(path: Callable[[float, float], tuple[Run, Run]], runs: int) -> None:
    assert audit(*path(1.0, DELTA), 1.0, DELTA, runs).holds


@pytest.mark.parametrize("path", [laplace, noisy_max, monotonic_noisy_max])
def test_the_audit_of_a_pure_mechanism_proves_most_of_its_epsilon(path: Callable[[float], tuple[Run, Run]]) -> None:
    # else it could not see a break; the true epsilon of these inputs is near 1, and so few runs prove 0.45 to 0.75 of it, with a deviation of 0.04
    assert audit(*path(1.0), 1.0, 0.0, 5_000).epsilon > 0.25


@pytest.mark.parametrize("path", one_in(2, PURE))
def test_noise_of_far_too_small_a_scale_is_caught(path: Callable[[float], tuple[Run, Run]]) -> None:
    # a median spends on two rounds, and these inputs show little of the first
    assert not audit(*path(24.0 if path is median else 6.0), 1.0, 0.0, 2_000).holds


@pytest.mark.parametrize("path", [laplace, noisy_max, monotonic_noisy_max])
def test_noise_of_half_the_scale_is_caught(path: Callable[[float], tuple[Run, Run]]) -> None:
    assert not audit(*path(2.0), 1.0, 0.0, 5_000).holds


@pytest.mark.parametrize(("part", "runs"), [pytest.param(4, 3_000, id="fast"), pytest.param(2, 200_000, id="slow", marks=pytest.mark.slow)])
def test_gaussian_noise_of_too_small_a_scale_is_caught(part: int, runs: int) -> None:
    mechanism = mechanism_of(Sensitivity(16, 2), Shares(rho=rho_of(1.0, DELTA), delta=DELTA))
    assert mechanism.kind == "gaussian"
    broken = Mechanism(mechanism.kind, mechanism.scale / part)

    def total(value: int) -> int:
        return sum(add_noise([value] * 16, broken))

    assert not audit(lambda: total(50), lambda: total(52), 1.0, DELTA, runs).holds


def test_a_release_of_keys_without_a_threshold_is_caught() -> None:
    mechanism = Mechanism.laplace(Sensitivity(2, 1), 1.0)

    def released(counts: dict[str, int]) -> Hashable:
        return tuple(sorted(counts)), max(0, add_noise([counts["common"]], mechanism)[0])

    verdict = audit(lambda: released({"common": 8, "rare": 1}), lambda: released({"common": 8}), 1.0, DELTA, 3_000)
    assert not verdict.holds


def test_noise_that_is_drawn_once_and_used_for_two_numbers_is_caught() -> None:
    mechanism = Mechanism.laplace(Sensitivity(2, 1), 1.0)

    def difference(first: int, second: int) -> Hashable:
        noise = noisy(0, mechanism)
        return first + noise - (second + noise)

    assert not audit(lambda: difference(7, 7), lambda: difference(8, 7), 1.0, 0.0, 1_000).holds


def test_questions_up_to_a_limit_keep_it_together() -> None:
    # counts, until the limit allows no more, over one unit's difference
    limit = Limit(1.5, DELTA)
    epsilon = 0.5
    mechanism = mechanism_of(Sensitivity(1, 1), Shares(part=epsilon))
    spend = Spend.pure(epsilon)
    count, total = 0, spend
    while limit.allows(total):
        count, total = count + 1, total + spend
    assert count == 3

    def answers(value: int) -> Hashable:
        return sum(add_noise([value] * count, mechanism))

    assert audit(lambda: answers(5), lambda: answers(6), limit.epsilon, limit.delta, 3_000).holds
