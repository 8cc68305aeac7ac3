"""The history behind a synthetic bundle, made again from what its config says."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from datagen.synthetic import SyntheticSource, moment_of
from datagen.version import GENERATOR_VERSION
from schemas.errors import InputError
from schemas.model import Schema
from schemas.times import format_moment, parse_moment


def remade(kind: str, schema: Schema, provenance: Mapping[str, Any], name: str) -> SyntheticSource:
    """Return the whole history of the data that a bundle called `name` holds, all of it or a state.

    Raises InputError where it cannot be made again: another kind of bundle, another generator version, other pools of values.
    """
    if kind != "synthetic":
        raise InputError(f"'{name}' is {kind}, and only synthetic bundles have a history: their data is made from a schema")
    missing = [key for key in ("seed", "scale", "generator_version", "value_pools") if key not in provenance]
    if missing:
        raise InputError(f"'{name}' does not say with which {missing[0].replace('_', ' ')} it was made, so it cannot be made again")
    if provenance["generator_version"] != GENERATOR_VERSION:
        raise InputError(
            f"'{name}' was made by generator version {provenance['generator_version']}, and this is version {GENERATOR_VERSION}, "
            "which makes other values; build it again"
        )
    if provenance.get("scenarios"):
        raise InputError(f"'{name}' has scenarios ({', '.join(provenance['scenarios'])}), and only data without them is seen over time")
    unplanted = dict.fromkeys(schema.scenarios, 0.0)  # those with a share of their own, of which a build was told to plant none
    source = SyntheticSource(schema, seed=int(provenance["seed"]), scale=Fraction(provenance["scale"]), scenarios=unplanted)
    if source.provenance["value_pools"] != provenance["value_pools"]:
        raise InputError(
            f"'{name}' was made with other pools of values than are installed here (names, places and the like come from Faker and "
            "Mimesis); build it again"
        )
    return source


def moment_in(schema: Schema, provenance: Mapping[str, Any], text: str, name: str) -> int:
    """Return the microseconds since 1970 of a moment of the history that a bundle called `name` tells; InputError where it is none."""
    moment = moment_of(schema, text)
    if "as_of" in provenance and moment > parse_moment(provenance["as_of"]):
        raise InputError(f"'{name}' is a state as of {provenance['as_of']}, and knows nothing of {format_moment(moment)}")
    return moment
