"""Cells that are the same before and after: what the scan takes for chance where keys lie dense, the rows themselves can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import Survivors
from masking.known.canonical import texts_of
from masking.known.looks import PROFILE, forms_of
from masking.known.stream import I64, U64, Hasher
from masking.known.values import HashedValues
from masking.policy.model import Step, Treatment
from masking.proof.chance import threshold

# transformers that give every value another one, but for a fixed point of a permutation by chance; `keep` and the like leave parts alone
_CHANGING = frozenset(
    (
        "hash", "code", "name", "username", "email", "phone", "company", "job_title", "address", "street", "city", "postcode", "region",
        "coordinates", "iban", "card", "national_id",
    )
)  # fmt: skip
_DIGITS_ONLY = "digits_only"  # which leaves all of a value that has none
_PARTS_STAY = frozenset(("keep", _DIGITS_ONLY))
_FIRST = {"hash": "form", "coordinates": "spread"}  # of most others, the parameter that may stand without its name leaves a part alone
_UNASKED = frozenset(("keep", "null", "shuffle", "redact"))


@dataclass(frozen=True)
class Compared:
    """What one batch of a column has of cells that stayed: cells that are not null, how many stayed, their hashes and forms.

    `without_digits` are the places among the hashes of those values that have no digit.
    """

    cells: int
    unchanged: int
    hashes: U64
    forms: I64
    without_digits: I64


@dataclass
class _Tally:
    transformer: str
    judged: bool
    digits_only: bool = False
    cells: int = 0
    unchanged: int = 0
    values: HashedValues = field(default_factory=HashedValues)
    forms: set[int] = field(default_factory=set)


def is_compared(treatment: Treatment) -> bool:
    """Whether the cells of a column are compared: all are meant to be masked as a whole."""
    return treatment.mask.name not in _UNASKED and treatment.when is None and not treatment.paths


def compare(hasher: Hasher, raw: pa.Array, masked: pa.Array) -> Compared | None:
    """Compare the cells of a column with the masked ones of the same rows; None for lists, which are not compared."""
    if pa.types.is_nested(raw.type):
        return None
    before, after = (v.storage if isinstance(v, pa.ExtensionArray) else v for v in (raw, masked))
    if before.type != after.type:
        before, after = texts_of(before)[0], texts_of(after)[0]
    same = pc.equal(before, after).fill_null(False)
    count = pc.sum(same).as_py() or 0
    hashes, forms = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    if count:
        for stream in hasher.streams(texts_of(before.filter(same))[0]):
            told = stream.lengths > 0  # what has neither letters nor digits tells nothing, and stays
            hashes.append(stream.cells[told])
            forms.append(forms_of(stream, stream.begins[:-1][told], stream.begins[1:][told]))
    all_forms = np.concatenate(forms)
    return Compared(len(raw) - raw.null_count, count, np.concatenate(hashes), np.unique(all_forms), np.flatnonzero(all_forms < PROFILE))


def _told(step: Step) -> set[str]:
    """The parameters that a transformer is given and that are not switched off."""
    parameters = step.parameters
    if isinstance(parameters, Mapping):
        return {name for name, value in parameters.items() if value}
    return set() if parameters is None else {_FIRST.get(step.name, "keep")}


class Unchanged:
    """Counts of cells that stayed, by column of the output; memory is 9 bytes for each different value that stayed."""

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {}

    def add(self, place: str, treatment: Treatment, found: Compared) -> None:
        """Count a batch of the column `place` (`users.email`); `treatment` has the transformer of the key where it is a reference."""
        if place not in self._tallies:
            transformer, told = treatment.mask.name, _told(treatment.mask)
            digits_only = _DIGITS_ONLY in told
            judged = transformer in _CHANGING and (digits_only or _PARTS_STAY.isdisjoint(told))
            self._tallies[place] = _Tally(transformer, judged, digits_only)
        tally = self._tallies[place]
        tally.cells += found.cells
        tally.unchanged += found.unchanged
        tally.values.add(found.hashes[found.without_digits] if tally.digits_only else found.hashes)
        tally.forms.update(found.forms.tolist())

    def document(self) -> list[dict[str, Any]]:
        """The counts as JSON data; `limit` is None for transformers that may leave values as they are (rounding, noise, shifts)."""
        return [self._entry(place, tally) for place, tally in self._tallies.items()]

    def require(self) -> None:
        """Raise Survivors where more different values stayed than a keyed permutation has fixed points, at a false alarm of 1e-6.

        A random permutation of all values of one form (as many digits and letters) has one fixed point in the mean, whatever it is of.
        """
        entries = self.document()
        wrong = [e for e in entries if e["limit"] is not None and e["values"] > e["limit"]]
        if wrong:
            lines = [f"{e['place']}: {e['values']:,} different values ({e['unchanged']:,} of {e['cells']:,} cells)" for e in wrong]
            raise Survivors(
                "the transformers left values as they are, in their own rows; choose others, or `mask: keep`:\n  " + "\n  ".join(lines)
            )

    def _entry(self, place: str, tally: _Tally) -> dict[str, Any]:
        tally.values.settle()
        values = len(tally.values)
        # no permutation stands behind values without a digit; a few words such as `none` are let pass all the same
        forms = 1 if tally.digits_only else len(tally.forms) or 1
        limit = threshold(float(PROFILE * PROFILE * values), float(forms)) if tally.judged and values else 0
        return {
            "place": place,
            "transformer": tally.transformer,
            "cells": tally.cells,
            "unchanged": tally.unchanged,
            "values": values,
            "limit": limit if tally.judged else None,
        }
