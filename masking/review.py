"""What people should look at when they review a policy: the price of a search for each masked column, and what is unsure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from masking.agreement import treatment_at
from masking.policy.model import REFERENCE, Policy
from masking.pricing import PERMUTING, SearchPrice, price_search
from masking.references import Place, families
from schemas.model import Schema

_UNSURE = 0.5
_HASHING = ("hash", *PERMUTING)
_HEAD = (
    "What each column seems to hold, and what is to become of it. Read every line, above all where the confidence is low.",
    "`mask: keep` lets values through as they are; docs/transformers.md tells all others. A column that is not here stops the run.",
)
_LEFT_OUT = "left out: the index of a full-text search, in which the words of the texts stand; it can be made anew"


def prices(schema: Schema, policy: Policy) -> list[SearchPrice]:
    """What a search for the values behind each hashed or permuted column costs, in the order of the policy."""
    family = families(schema, policy.references)
    origin = policy.key.partition(":")[0]
    found = []
    for name, table in policy.tables.items():
        if table.drop or not schema.has(name):
            continue
        for column, treatment in table.columns.items():
            mask = treatment.mask
            if mask.name == REFERENCE:
                home = treatment_at(policy, family.root(Place(name, column)))
                mask = mask if home is None else home.mask
            if mask.name in _HASHING and schema.table(name).has(column):
                kind = schema.table(name).column(column).type
                found.append(price_search(f"{name}.{column}", mask.name, kind, origin, treatment.entity, policy.locale))
    return found


def review_notes(policy: Policy, priced: Sequence[SearchPrice]) -> Mapping[tuple[str, ...], Sequence[str]]:
    """Comments for a proposed policy, by place: what to do with it, what a search costs, what is unsure, and what is left out."""
    notes: dict[tuple[str, ...], list[str]] = {(): list(_HEAD)}
    by_column = {price.column: price for price in priced}
    for name, table in policy.tables.items():
        if table.drop:
            notes[name,] = [_LEFT_OUT]
        for column, treatment in table.columns.items():
            said = []
            if treatment.confidence is not None and treatment.confidence < _UNSURE:
                said.append("unsure: is this personal?")
            if (price := by_column.get(f"{name}.{column}")) is not None:
                said += price.lines()
            if said:
                notes[name, column] = said
    return notes


def price_documents(priced: Sequence[SearchPrice]) -> list[dict[str, object]]:
    """The prices as the certificate has them."""
    return [
        {
            "table": price.column.rpartition(".")[0],
            "column": price.column.rpartition(".")[2],
            "domain": price.basis,
            "size": float(price.values),
            "reversible": price.reversible,
            "with_key": price.with_key,
            "without_key": price.without_key,
            "warning": price.warning,
        }
        for price in priced
    ]
