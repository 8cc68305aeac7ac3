"""Deterministic generators: from a schema, a seed and a scale to tables.

Every cell is a pure function of names and a row number (`randomness`, `permutation`), so any rows of any table can be made
alone, in any order, by any number of threads. `plan` compiles a schema to kernels and links and finds what cannot be done;
`synthetic` makes rows. New generators register themselves in a module listed in `generators`. Names are looked up when they are
first used, since NumPy and pyarrow take their time to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.lazy_names import lazy_names

if TYPE_CHECKING:
    from datagen.errors import GenerationFailed, RecipeError
    from datagen.problems import in_full
    from datagen.state_source import StateSource
    from datagen.synthetic import SyntheticSource, source
    from datagen.version import GENERATOR_VERSION

_PLACES = {
    "GENERATOR_VERSION": "datagen.version",
    "GenerationFailed": "datagen.errors",
    "RecipeError": "datagen.errors",
    "StateSource": "datagen.state_source",
    "SyntheticSource": "datagen.synthetic",
    "in_full": "datagen.problems",
    "source": "datagen.synthetic",
}

__all__ = ["GENERATOR_VERSION", "GenerationFailed", "RecipeError", "StateSource", "SyntheticSource", "in_full", "source"]


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _PLACES)
