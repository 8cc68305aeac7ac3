"""Noise: whole numbers only, from OpenDP's proved samplers, whose randomness is the operating system's and cannot be seeded."""

from dpsql.noise.additive import Mechanism, Sensitivity, add_noise
from dpsql.noise.keys import ReleasedKeys, keys_above, least_released
from dpsql.noise.quantiles import quantile
from dpsql.noise.selection import choose
from dpsql.noise.thresholds import choose_threshold, units_to_double

__all__ = [
    "Mechanism",
    "ReleasedKeys",
    "Sensitivity",
    "add_noise",
    "choose",
    "choose_threshold",
    "keys_above",
    "least_released",
    "quantile",
    "units_to_double",
]
