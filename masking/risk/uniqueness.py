"""How many records are unique: in the table, which is counted, and in the population, which is estimated.

The estimators are those of ARX (`RiskModelPopulationUniqueness`), each from the sizes of the sample's classes and the sizes of
sample and population. No record that is not unique in the sample is unique in the population.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from masking.risk.equivalence import Integers
from masking.risk.reidentification import rounded

_STEPS = 300
_CLOSE = 1e-9
_SMALL_SAMPLE = 0.1

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PopulationUniqueness:
    """How many people of the population are unique in it, by each estimator; None where it does not converge.

    `chosen` names the estimator that the decision rule of Dankar et al. takes (`none` where the sample has no unique record),
    `uniques` is its estimate and `share` that over the population.
    """

    population: int
    zayatz: float
    pitman: float | None
    snb: float | None
    chosen: str
    uniques: float

    @property
    def share(self) -> float:
        return self.uniques / self.population

    def describe(self) -> dict[str, Any]:
        estimates = {"zayatz": rounded(self.zayatz), "pitman": rounded(self.pitman), "snb": rounded(self.snb)}
        uniques = rounded(self.uniques)
        return {"population": self.population, "estimator": self.chosen, "uniques": uniques, "share": rounded(self.share), **estimates}


def population_uniqueness(sizes: Integers, population: int) -> PopulationUniqueness:
    """Estimate the uniques of a population of `population` people, at least as many as the sample has, from the sample's `sizes`.

    Decision rule of F. K. Dankar, K. El Emam, A. Neisa and T. Roffey, "Estimating the re-identification risk of clinical data
    sets", BMC Medical Informatics and Decision Making 12:66, 2012: Pitman's model for samples of at most a tenth of the
    population, else the smaller of Zayatz's and SNB; Zayatz's where the model's equations have no solution.
    """
    if not (sizes == 1).any():
        return PopulationUniqueness(population, 0.0, 0.0, 0.0, "none", 0.0)
    zayatz, by_pitman, by_snb = zayatz_uniques(sizes, population), pitman_uniques(sizes, population), snb_uniques(sizes, population)
    if int(sizes.sum()) <= _SMALL_SAMPLE * population:
        chosen, uniques = ("zayatz", zayatz) if by_pitman is None else ("pitman", by_pitman)
    else:
        chosen, uniques = ("zayatz", zayatz) if by_snb is None or zayatz <= by_snb else ("snb", by_snb)
    return PopulationUniqueness(population, zayatz, by_pitman, by_snb, chosen, uniques)


def zayatz_uniques(sizes: Integers, population: int) -> float:
    """Estimate by the chance that a class of one record in the sample is one of one in the population.

    L. Zayatz, "Estimation of the number of unique population elements using a sample", Bureau of the Census, 1991: Bayes' rule,
    with the sample's distribution of sizes for the population's, and hypergeometric sampling.
    """
    sample = int(sizes.sum())
    found, classes = np.unique(sizes, return_counts=True)
    one = [_one_drawn(population, int(size), sample) for size in found]
    chance = classes[0] * one[0] / float(np.dot(classes, one))
    return float(classes[0] * chance * population / sample)


def pitman_uniques(sizes: Integers, population: int) -> float | None:
    """Estimate by Pitman's sampling formula, fitted by maximum likelihood with Newton's method; None where that finds no fit.

    N. Hoshino, "Applying Pitman's sampling formula to microdata disclosure risk assessment", Journal of Official Statistics
    17(4), 2001: with its first guess, its likelihood equations and, for large populations,
    Gamma(theta + 1) / Gamma(theta + alpha) * population ** alpha uniques.
    """
    records, classes = int(sizes.sum()), len(sizes)
    singles, pairs = int((sizes == 1).sum()), max(int((sizes == 2).sum()), 1)
    ratio = singles * (singles - 1) / pairs
    below = 2 * singles * classes + singles * ratio - records * ratio
    if below == 0 or classes < 2:
        return None
    theta = (records * classes * ratio - singles * (records - 1) * (2 * classes + ratio)) / below
    alpha = (theta * (singles - records) + (records - 1) * singles) / (records * classes)
    if not (0 < alpha < 1 and theta > -alpha):
        theta, alpha = 1.0, 0.5
    i, m = np.arange(1.0, classes), np.arange(1.0, records)
    counts = np.bincount(sizes)
    larger = counts[::-1].cumsum()[::-1][2:].astype(np.float64)  # the classes of more than j records, for j from 1
    j = np.arange(1.0, len(larger) + 1)
    for _ in range(_STEPS):
        by_class, by_record, by_size = 1 / (theta + i * alpha), 1 / (theta + m), 1 / (j - alpha)
        slope = (by_class.sum() - by_record.sum(), (i * by_class).sum() - (larger * by_size).sum())
        theta_theta = (by_record**2).sum() - (by_class**2).sum()
        theta_alpha = -(i * by_class**2).sum()
        alpha_alpha = -((i * by_class) ** 2).sum() - (larger * by_size**2).sum()
        determinant = theta_theta * alpha_alpha - theta_alpha**2
        if determinant == 0:
            return None
        step = (
            (slope[0] * alpha_alpha - slope[1] * theta_alpha) / determinant,
            (slope[1] * theta_theta - slope[0] * theta_alpha) / determinant,
        )
        # a step is cut to what keeps the model's parameters: alpha below one, theta above minus alpha
        cut = 1.0
        while not (0 < alpha - cut * step[1] < 1 and theta - cut * step[0] > -(alpha - cut * step[1])):
            cut /= 2
            if cut < _CLOSE:
                return None
        theta, alpha = theta - cut * step[0], alpha - cut * step[1]
        if abs(cut * step[0]) < _CLOSE * max(1.0, abs(theta)) and abs(cut * step[1]) < _CLOSE:
            uniques = math.exp(math.lgamma(theta + 1) - math.lgamma(theta + alpha) + alpha * math.log(population))
            return uniques if uniques <= population else None
    return None


def snb_uniques(sizes: Integers, population: int) -> float | None:
    """Estimate by the slide negative binomial model, fitted to the classes of one and of two records; None where none fits.

    G. Chen and S. Keller-McNulty, "Estimation of identification disclosure risk in microdata", Journal of Official Statistics
    14(1), 1998: a class of the population has one record and as many more as a negative binomial variable (alpha, beta) says,
    of which classes * beta ** alpha are unique. The number of classes is Shlosser's estimate (P. J. Haas and L. Stokes, "Estimating
    the number of classes in a finite population", JASA 93, 1998). The best point of a grid is refined by Newton's method.
    """
    singles, pairs = int((sizes == 1).sum()), int((sizes == 2).sum())
    fraction = int(sizes.sum()) / population
    if fraction >= 1:
        return float(singles)
    if not singles or not pairs:
        return None
    classes = _shlosser(sizes, fraction)

    def misfit(point: Floats) -> Floats:
        """How far, in logarithms, the expected classes of one and two records are from those found, at (log alpha, logit beta)."""
        alpha, beta = np.exp(point[0]), 1 / (1 + np.exp(-point[1]))
        lost = (1 - fraction) * (1 - beta)
        both = np.log(classes * fraction) + alpha * np.log(beta / (1 - lost))
        ones = both + np.log(alpha * lost / (1 - lost) + 1)
        twos = both + np.log(fraction / 2 * alpha * (1 - beta) * (2 - (1 - alpha) * lost) / (1 - lost) ** 2)
        return np.array([ones - math.log(singles), twos - math.log(pairs)])

    grid = np.stack(np.meshgrid(np.arange(-8, 8.1, 0.25), np.arange(-12, 12.1, 0.25), indexing="ij"))
    place = np.unravel_index(np.argmin((misfit(grid) ** 2).sum(axis=0)), grid.shape[1:])
    point = grid[:, place[0], place[1]]
    for _ in range(_STEPS):
        found = misfit(point)
        if float(np.abs(found).max()) < _CLOSE:
            uniques = float(classes * (1 / (1 + np.exp(-point[1]))) ** np.exp(point[0]))
            return uniques if uniques <= population else None
        nearby = 1e-6 * np.eye(2)
        slopes = np.column_stack([(misfit(point + d) - misfit(point - d)) / 2e-6 for d in nearby])
        step = _solved(slopes, found)
        if step is None:
            return None
        point = point - step * min(1.0, 0.5 / float(np.abs(step).max()))  # no further than two points of the grid
        if not (np.abs(point) < 20).all():
            return None
    return None


def _solved(slopes: Floats, found: Floats) -> Floats | None:
    determinant = slopes[0, 0] * slopes[1, 1] - slopes[0, 1] * slopes[1, 0]
    if not np.isfinite(determinant) or abs(determinant) < 1e-14:
        return None
    turned = np.array([[slopes[1, 1], -slopes[0, 1]], [-slopes[1, 0], slopes[0, 0]]])
    return np.asarray(turned @ found / determinant)


def _shlosser(sizes: Integers, fraction: float) -> float:
    found, counted = np.unique(sizes, return_counts=True)
    size, classes = found.astype(np.float64), counted.astype(np.float64)
    missed = (1 - fraction) ** size
    seen_twice = (size * fraction**2 * (1 - fraction**2) ** (size - 1) * classes).sum()
    twice = (((1 - fraction**2) ** size - missed) * classes).sum()  # (1 - f)^i ((1 + f)^i - 1), which does not overflow
    once = (size * fraction * (1 - fraction) ** (size - 1) * classes).sum()
    if twice <= 0 or once <= 0:
        return float(len(sizes))
    singles = float((sizes == 1).sum())
    return float(len(sizes) + singles * seen_twice / twice * ((missed * classes).sum() / once) ** 2)


def _one_drawn(population: int, size: int, sample: int) -> float:
    """The chance that exactly one of `size` records is in a sample drawn without replacement."""
    i = np.arange(1, size, dtype=np.float64)
    others_missed = np.prod(np.maximum(population - sample - i + 1, 0.0) / (population - i))
    return float(size * (sample / population) * others_missed)
