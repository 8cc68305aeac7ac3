"""The certificate of a sanitized bundle: what was done, with which key, and what the proof found, as JSON data.

Nothing in it depends on time or machine, and no raw value is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import rfc8785
from blake3 import blake3

from masking.keys import MaskingKey
from masking.policy.model import DROP, Policy
from masking.proof.columns import column_entries
from masking.proof.report import ScanReport
from schemas.document import to_document
from schemas.model import Rows, Schema

SHAPE = 1
_ENDED = {
    "ephemeral": "made from the operating system's randomness for this run alone, held in memory alone, and gone with the run",
    "env": "read from an environment variable; who has it can make the same pseudonyms again",
    "file": "read from a file; who has it can make the same pseudonyms again",
}
_LIBRARIES = ("faker", "mimesis", "phonenumbers", "polars-hash", "presidio-analyzer", "python-stdnum")
_EXACT = 1 << 53


def certificate(
    policy: Policy,
    source: Schema,
    output: Schema,
    key: MaskingKey,
    rows: Mapping[str, tuple[int, int]],
    scan: ScanReport,
    *,
    kind: str,
    version_of_project: str,
    prices: Sequence[Mapping[str, Any]] = (),
    risks: Sequence[Mapping[str, Any]] = (),
    anonymity: Sequence[Mapping[str, Any]] = (),
    pools: Iterable[tuple[str, int, str]] = (),
    left_out: Sequence[str] = (),
    unchanged: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the certificate as JSON data that `rfc8785` can write.

    `rows` gives for every table of the source its rows there and in the output; `kind` is the kind of database (`postgresql`);
    `pools` are names, sizes and BLAKE3 digests in hexadecimal; `left_out` says which constraints could not stay, `unchanged` how many
    cells the transformers left as they were.
    """
    entries = column_entries(policy)
    document: dict[str, Any] = plain(
        {
            "certificate": SHAPE,
            "policy": {"name": policy.name, "digest": policy_digest(policy)},
            "source": {"schema": source.name, "digest": structure_digest(source), "kind": kind},
            "output": {"digest": structure_digest(output)},
            "locale": policy.locale,
            "key": {"origin": key.origin, "commitment": key.commitment, "ended": _ENDED[key.origin]},
            "tables": [_table(table.name, policy, rows) for table in source.tables],
            "columns": entries,
            "prices": list(prices),
            "risks": list(risks),
            "decisions": [*_decisions(policy, entries, scan), *({"place": "", "what": "left out", "why": line} for line in left_out)],
            "pools": [{"pool": name, "values": size, "digest": f"blake3:{digest}"} for name, size, digest in sorted(pools)],
            "subset": policy.subset,
            "anonymity": list(anonymity),
            "scan": scan.document(),
            "unchanged": list(unchanged),
            "versions": {"companyos-data": version_of_project, **_versions()},
        }
    )
    return document


def policy_digest(policy: Policy) -> str:
    """The digest of what a policy does: comments, evidence, confidence and places in the file change nothing."""
    # what a dropped column is found to hold is the source's matter
    some = [e for e in column_entries(policy) if e["transformer"] != DROP or (e["path"] is None and not policy.tables[e["table"]].drop)]
    left = ("confidence", "evidence", "class", "entity")
    entries = [{k: v for k, v in e.items() if k not in (left if e["transformer"] == DROP else left[:2])} for e in some]
    return _digest(
        {
            "name": policy.name,
            "locale": policy.locale,
            "columns": entries,
            "dropped": sorted(name for name, table in policy.tables.items() if table.drop),
            "subjects": {name: list(table.subject) for name, table in policy.tables.items()},
            "references": [[r.table, list(r.columns), r.path, r.target_table, list(r.target), r.when] for r in policy.references],
            "subset": policy.subset,
            "anonymity": list(policy.anonymity),
            "proof": [policy.proof.survivors, policy.proof.common_words],
        }
    )


def structure_digest(schema: Schema) -> str:
    """The digest of a schema's structure: tables, columns, types, keys and constraints; row counts and recipes change nothing."""
    tables = [
        replace(table, rows=Rows(), columns=tuple(replace(c, generate=None, data_class="internal") for c in table.columns))
        for table in schema.tables
    ]
    return _digest(to_document(Schema("", tuple(tables), enums=schema.enums)))


def plain(value: Any) -> Any:
    """Return `value` as JSON data: tuples as lists, keys as text, integers that JSON cannot carry exactly as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in (sorted(value, key=str) if isinstance(value, (set, frozenset)) else value)]
    if isinstance(value, bool) or value is None or isinstance(value, (str, float)):
        return value
    if isinstance(value, int):
        return value if abs(value) < _EXACT else str(value)
    return str(value)


def _digest(document: Any) -> str:
    return f"blake3:{blake3(rfc8785.dumps(plain(document))).hexdigest()}"


def _table(name: str, policy: Policy, rows: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    rules = policy.tables.get(name)
    before, after = rows.get(name, (0, 0))
    subject = [] if rules is None else list(rules.subject)
    return {"table": name, "source_rows": before, "rows": after, "subject": subject, "dropped": rules is not None and rules.drop}


def _decisions(policy: Policy, entries: Sequence[Mapping[str, Any]], scan: ScanReport) -> Iterable[dict[str, str]]:
    """What people decided and readers should look at."""
    for name, table in policy.tables.items():
        if table.drop:
            yield {"place": name, "what": "dropped", "why": "the policy drops the table"}
    for entry in entries:
        if policy.tables[entry["table"]].drop:
            continue
        place = f"{entry['table']}.{entry['column']}{entry['path'] or ''}"
        if entry["transformer"] == "drop":
            yield {"place": place, "what": "dropped", "why": "the policy drops the column"}
        elif entry["class"] == "public" and entry["transformer"] == "keep":
            yield {"place": place, "what": "kept", "why": "class public"}
    for column in scan.columns:
        if column.kept is not None:
            yield {"place": column.place, "what": "kept", "why": f"class {column.column_class}: {column.kept}"}
    if policy.proof.survivors:
        yield {"place": "", "what": "allowed", "why": f"the policy allows {policy.proof.survivors} survivors"}


def _versions() -> dict[str, str]:
    found = {}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
