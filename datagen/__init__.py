"""Deterministic generators: from a schema, a seed and a scale to tables.

Every cell is a pure function of names and a row number (`randomness`, `permutation`), so any rows of any table can be made
alone, in any order, by any number of threads. `plan` compiles a schema to kernels and links and finds what cannot be done;
`source` makes rows. New generators register themselves in a module listed in `generators`.
"""

from datagen.errors import GenerationFailed, RecipeError
from datagen.source import SyntheticSource, source
from datagen.version import GENERATOR_VERSION

__all__ = ["GENERATOR_VERSION", "GenerationFailed", "RecipeError", "SyntheticSource", "source"]
