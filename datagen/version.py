"""The version of the generator: a step means that the same inputs give other values than before."""

GENERATOR_VERSION = 8
