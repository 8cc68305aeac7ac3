"""What a scan is to look for: read from a bundle's certificate, or from a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from masking.agreement import agree, resolved
from masking.dropped import with_dropped
from masking.policy.model import Policy
from masking.pools import Pool, locales, pools_of
from masking.proof.columns import Examined, column_entries, examined
from masking.proof.judging import Picks
from masking.source.base import Source
from schemas.errors import InputError


@dataclass(frozen=True)
class Examination:
    """The columns and what became of them, the survivors allowed, the pools that pseudonyms came from, and which of these met values."""

    columns: Sequence[Examined]
    allowed: int
    common_words: bool
    pools: Sequence[Pool]
    picked: Picks = field(default_factory=dict)


def examination(provenance: Mapping[str, Any], source: Source, policy: Policy | None = None) -> Examination:
    """Return what to look for in a bundle of this `provenance`: as its certificate says, or as `policy` does for a `source`.

    Raises InputError where there is neither, PolicyOutdated where the policy does not fit the source.
    """
    if policy is not None:
        columns = examined(column_entries(resolved(with_dropped(source, policy), agree(source.schema, policy))))
        return Examination(columns, policy.proof.survivors, policy.proof.common_words, pools_of(policy.locales))
    certificate = provenance.get("certificate")
    if not isinstance(certificate, Mapping):
        raise InputError("the bundle is no sanitized one and has no certificate; name the policy that says what is personal by --policy")
    try:
        columns = examined(certificate["columns"])
        allowed, words = int(certificate["scan"]["allowed"]), bool(certificate["scan"]["dictionaries"])
        used = [str(entry["pool"]).partition("/")[0] for entry in certificate["pools"]]
        pools = pools_of([name for name in used or [str(certificate["locale"])] if name in locales()])
        picked = {(f["place"], f["in"], f["where"]): int(f.get("picked", 0)) for f in certificate["scan"]["found"]}
        return Examination(columns, allowed, words, pools, picked)
    except (KeyError, TypeError, ValueError):
        raise InputError("the certificate of the bundle cannot be read; name the policy that says what is personal by --policy") from None
