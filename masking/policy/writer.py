"""Writes policies for people to review; `masking.policy.reader` reads the same policy back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from masking.policy.ends import end_text
from masking.policy.model import DROP, UNDECIDED, Policy, Step, TablePolicy, Treatment
from schemas.yaml_text import flow, text, visible

Notes = Mapping[tuple[str, ...], Sequence[str]]


def policy_yaml(policy: Policy, notes: Notes | None = None) -> str:
    """Return `policy` as a file; `notes` become comments: those of () at its head, of (table,) and (table, column) above these."""
    return "\n".join(_lines(policy, notes or {})) + "\n"


def _lines(policy: Policy, notes: Notes) -> Iterator[str]:
    yield from _comment(notes, (), "")
    yield f"policy: {text(policy.name)}"
    yield f"key: {text(policy.key)}"
    yield f"locale: {text(policy.locale)}"
    yield "tables:"
    for name, table in policy.tables.items():
        yield from _table(name, table, notes)
    if policy.references:
        yield "references:"
        for r in policy.references:
            start, end = end_text(r.table, r.columns, r.path), end_text(r.target_table, r.target)
            said = {"from": start, "to": end, **({"when": r.when} if r.when else {})}
            yield f"  - {flow(said)}"
    if policy.subset is not None:
        yield f"subset: {flow(policy.subset)}"
    if policy.anonymity:
        yield "anonymity:"
        for item in policy.anonymity:
            yield f"  - {flow(item)}"
    yield f"proof: {flow({'survivors': policy.proof.survivors, 'common_words': policy.proof.common_words})}"


def _comment(notes: Notes, place: tuple[str, ...], indent: str) -> Iterator[str]:
    for note in notes.get(place, ()):
        for line in note.splitlines() or [""]:
            yield f"{indent}# {visible(line)}".rstrip()


def _table(name: str, table: TablePolicy, notes: Notes) -> Iterator[str]:
    yield from _comment(notes, (name,), "  ")
    if table.drop:
        yield f"  {text(name)}: {DROP}"
        return
    yield f"  {text(name)}:"
    if table.subject:
        yield f"    subject: {flow(table.subject[0] if len(table.subject) == 1 else table.subject)}"
    yield "    columns:"
    for column, treatment in table.columns.items():
        yield from _comment(notes, (name, column), "      ")
        if treatment.klass == UNDECIDED:
            yield f"      {text(column)}: {DROP}"
            continue
        yield f"      {text(column)}:"
        yield from _treatment(treatment, "        ")


def _treatment(treatment: Treatment, indent: str) -> Iterator[str]:
    said: dict[str, Any] = {"class": treatment.klass}
    if treatment.entity:
        said["entity"] = treatment.entity
    if treatment.type:
        said["type"] = treatment.type
    if not treatment.paths:
        said["mask"] = _step(treatment.mask)
    if treatment.when is not None and treatment.otherwise is not None:
        said["when"], said["else"] = treatment.when, _step(treatment.otherwise)
    if treatment.domain:
        said["domain"] = treatment.domain
    if treatment.subject:
        said["subject"] = treatment.subject
    if treatment.confidence is not None:
        said["confidence"] = round(treatment.confidence, 3)
    for key, value in said.items():
        yield f"{indent}{key}: {flow(value)}"
    if treatment.evidence:
        yield f"{indent}evidence:"
        for line in treatment.evidence:
            yield f"{indent}  - {text(line)}"
    if treatment.paths:
        yield f"{indent}paths:"
        for path, inner in treatment.paths.items():
            yield f"{indent}  {text(path)}:"
            yield from _treatment(inner, indent + "    ")
        if treatment.rest is not None:
            yield f"{indent}rest: {flow(_step(treatment.rest))}"


def _step(step: Step) -> Any:
    return step.name if step.parameters is None else {step.name: step.parameters}
