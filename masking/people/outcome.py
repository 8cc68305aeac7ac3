"""What the anonymity of persons came to, for the certificate: risks before and after, and the models that were held."""

from __future__ import annotations

from typing import Any

import numpy as np

from masking.anonymity.models import smallest_class
from masking.people.recoding import Recoded
from masking.people.records import Ints
from masking.risk import Question, assess


def risks_of(recoded: Recoded) -> dict[str, Any]:
    """The risks of the persons' records before and after, as the certificate has them; None where there are no persons."""
    spec = recoded.spec
    names = [q.name for q in spec.quasi]
    said: dict[str, Any] = {"subject": f"{spec.table}.{spec.key}", "quasi_identifiers": names, "before": None, "after": None}
    if recoded.after.num_rows:
        found = assess(recoded.after, Question(tuple(names), spec.sensitive), recoded.before)
        said["after"] = found.after.describe()
        said["before"] = None if found.before is None else found.before.describe()
    return said


def outcome_of(recoded: Recoded) -> dict[str, Any]:
    """What was asked for, and how many persons, classes and suppressed persons there are.

    `told_by_number` counts, for each table that references the persons, those who are like fewer than a class must have where it is
    also known how many rows there a person has: no cell hides that number. `kept_keys` are the keys of shared rows that stay as
    they are: whoever knows these rows by their keys knows whose they are. `other_references` join the same tables by other columns:
    persons are not alike in the rows that they are joined with by these.
    """
    spec = recoded.spec
    kept = recoded.classes[recoded.classes >= 0]
    return {
        "subject": f"{spec.table}.{spec.key}",
        "quasi_identifiers": [q.name for q in spec.quasi],
        "models": [model.title for model in spec.models],
        "recoding": spec.recoding,
        "notation": spec.notation,
        "persons": len(recoded.classes),
        "classes": len(np.unique(kept)),
        "suppressed": recoded.suppressed,
        "told_by_number": {table: _told_by(recoded, number) for table, number in recoded.children.items()},
        "kept_keys": list(spec.kept_keys),
        "other_references": list(spec.other_references),
    }


def _told_by(recoded: Recoded, number: Ints) -> int:
    _, alike = np.unique(np.stack([recoded.classes, number]), axis=1, return_inverse=True)
    sizes = np.bincount(alike.ravel())
    return int(sizes[sizes < smallest_class(recoded.spec.models)].sum())
