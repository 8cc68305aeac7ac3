"""The risks of re-identification by three kinds of attackers, from the sizes of equivalence classes alone.

Definitions as in ARX (`RiskModelSampleSummary`), after K. El Emam, "Guide to the De-Identification of Personal Health Information",
2013, and F. K. Dankar and K. El Emam, "A method for evaluating marketer re-identification risk", PAIS 2010: suppressed records are
left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from masking.risk.equivalence import Integers


@dataclass(frozen=True)
class AttackerRisk:
    """What an attacker reaches; every figure is a share from 0 to 1, or None where no record is left to attack.

    `highest` is the chance to re-identify the record that is easiest to, `average` the share of records that are re-identified on
    average, `at_risk` the share of records whose chance is above the threshold, and `records_at_highest` how many records have
    the highest chance.
    """

    highest: float | None
    average: float | None
    at_risk: float | None
    records_at_highest: int

    def describe(self) -> dict[str, Any]:
        return {
            "highest": rounded(self.highest),
            "average": rounded(self.average),
            "records_above_threshold": rounded(self.at_risk),
            "records_at_highest": self.records_at_highest,
        }


NOBODY = AttackerRisk(None, None, None, 0)


def prosecutor_risk(sizes: Integers, threshold: float) -> AttackerRisk:
    """The risk by an attacker who knows that the person is in the table: one over the size of the person's class.

    `sizes` are those of the classes, none of them suppressed; the average is the number of classes over that of records.
    """
    if not len(sizes):
        return NOBODY
    records, smallest = int(sizes.sum()), int(sizes.min())
    at_risk = int(sizes[1.0 / sizes > threshold].sum())
    return AttackerRisk(1 / smallest, len(sizes) / records, at_risk / records, int(sizes[sizes == smallest].sum()))


def journalist_risk(sizes: Integers, in_population: Integers, threshold: float) -> AttackerRisk:
    """The risk by an attacker who wants anybody, and knows the population that the table is a sample of.

    `in_population` are the sizes of the same classes in the population, each at least that in the sample; the average is the
    larger of the number of classes over their people and the marketer risk.
    """
    if not len(sizes):
        return NOBODY
    records, smallest = int(sizes.sum()), int(in_population.min())
    at_risk = int(sizes[1.0 / in_population > threshold].sum())
    average = max(len(sizes) / int(in_population.sum()), _expected(sizes, in_population))
    return AttackerRisk(1 / smallest, average, at_risk / records, int(sizes[in_population == smallest].sum()))


def marketer_risk(sizes: Integers, in_population: Integers) -> float | None:
    """The share of records that an attacker re-identifies on average who links all of them to the population."""
    return _expected(sizes, in_population) if len(sizes) else None


def rounded(figure: float | None) -> float | None:
    """Return a figure to eight places, since the last digits of sums differ between machines."""
    return None if figure is None else round(float(figure), 8)


def _expected(sizes: Integers, in_population: Integers) -> float:
    return float(np.sum(sizes / in_population) / sizes.sum())
