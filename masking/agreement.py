"""Does a policy speak of just what the source has? Fail closed: what is new is let through by nobody."""

from __future__ import annotations

from dataclasses import dataclass, replace

from masking.errors import PolicyInvalid, PolicyOutdated
from masking.policy.model import DROP, REFERENCE, Policy, Treatment
from masking.references import Families, Place, families
from schemas.errors import Mark, Problem, nearest
from schemas.model import Schema, Table


@dataclass(frozen=True)
class Difference:
    """One place in which a source and a policy differ: `what` is `new`, `gone` or `type`; a table where `column` is None."""

    what: str
    table: str
    column: str | None = None
    was: str | None = None
    now: str | None = None
    at: Mark | None = None

    def __str__(self) -> str:
        place = f"table {self.table}" if self.column is None else f"column {self.table}.{self.column}"
        if self.what == "type":
            return f"{place} was {self.was} when the policy was written and is {self.now} now"
        return (
            f"{place} is in the source and not in the policy" if self.what == "new" else f"{place} is in the policy and not in the source"
        )


def differences(schema: Schema, policy: Policy) -> list[Difference]:
    """Return where a source differs from what `policy` was written for, in the order of the schema, then of the policy."""
    found: list[Difference] = []
    for table in schema.tables:
        treated = policy.tables.get(table.name)
        if treated is None:
            found.append(Difference("new", table.name))
            continue
        if treated.drop:
            continue
        for column in table.stored_columns:
            treatment = treated.columns.get(column.name)
            if treatment is None:
                found.append(Difference("new", table.name, column.name))
            elif treatment.type is not None and treatment.type != str(column.type):
                found.append(Difference("type", table.name, column.name, treatment.type, str(column.type), treatment.at))
    for name, treated in policy.tables.items():
        if not schema.has(name):
            found.append(Difference("gone", name, at=treated.at))
            continue
        known = {c.name for c in schema.table(name).stored_columns}
        found += [Difference("gone", name, c, at=t.at) for c, t in treated.columns.items() if c not in known]
    return found


def agree(schema: Schema, policy: Policy) -> Families:
    """Return the families of references under `policy`, once it is known to speak of the whole source.

    Raises PolicyOutdated where the source has what the policy does not know, PolicyInvalid for all that is wrong otherwise.
    """
    found = differences(schema, policy)
    wrong = [_gone(d, schema) for d in found if d.what == "gone"]
    wrong += _wrong_subjects(schema, policy) + _wrong_references(schema, policy)
    if wrong:
        raise PolicyInvalid(policy.file, wrong)
    if found:
        lines = "\n".join(f"{policy.file}: {difference}" for difference in found)
        raise PolicyOutdated(f"{lines}\nnothing was masked; see `companyos mask plan URL --diff {policy.file}` and decide on these")
    family = families(schema, policy.references)
    wrong = _wrong_families(policy, family)
    if wrong:
        raise PolicyInvalid(policy.file, wrong)
    return family


def _gone(difference: Difference, schema: Schema) -> Problem:
    if difference.column is None:
        return Problem(f"there is no table '{difference.table}'{nearest(difference.table, [t.name for t in schema.tables])}", difference.at)
    return _no_column(schema.table(difference.table), difference.column, difference.at)


def _no_column(table: Table, column: str, at: Mark | None) -> Problem:
    computed = table.has(column)
    why = "the database computes it, so that it is in no bundle" if computed else "there is no such column"
    hint = "" if computed else nearest(column, [c.name for c in table.stored_columns])
    return Problem(f"'{table.name}.{column}': {why}{hint}", at)


def _wrong_subjects(schema: Schema, policy: Policy) -> list[Problem]:
    wrong = []
    for name, treated in policy.tables.items():
        if not schema.has(name):
            continue
        table = schema.table(name)
        known = {c.name for c in table.stored_columns}
        wrong += [_no_column(table, c, treated.at) for c in treated.subject if c not in known]
        wrong += [_no_column(table, c, t.at) for t in treated.columns.values() for c in t.subject if c not in known]
    return wrong


def _wrong_references(schema: Schema, policy: Policy) -> list[Problem]:
    wrong = []
    for reference in policy.references:
        for name, columns in ((reference.table, reference.columns), (reference.target_table, reference.target)):
            if not schema.has(name):
                wrong.append(Problem(f"there is no table '{name}'{nearest(name, [t.name for t in schema.tables])}", reference.at))
                continue
            table = schema.table(name)
            known = {c.name for c in table.stored_columns}
            wrong += [_no_column(table, c, reference.at) for c in columns if c not in known]
    return wrong


def treatment_at(policy: Policy, place: Place) -> Treatment | None:
    """Return how `policy` treats a place; None where it drops its table, or names no such path."""
    table = policy.tables.get(place.table)
    if table is None or table.drop:
        return None
    treatment = table.columns[place.column]
    return treatment if not place.path else treatment.paths.get(place.path)


def _wrong_families(policy: Policy, family: Families) -> list[Problem]:
    wrong = _references_of_nothing(policy, family)
    for root, members in family.members.items():
        wrong += _wrong_family(policy, root, members)
    return wrong


def _references_of_nothing(policy: Policy, family: Families) -> list[Problem]:
    some_rows = {Place(r.table, c, r.path or "") for r in policy.references if r.when is not None for c in r.columns}
    wrong = []
    for table, treated in policy.tables.items():
        for column, whole in treated.columns.items():
            for path, treatment in [("", whole), *whole.paths.items()]:
                place = Place(table, column, path)
                references = family.is_member(place) and family.root(place) != place
                if treatment.mask.name == REFERENCE and not references and place not in some_rows:
                    message = f"{place} is masked as the key that it references, and references none; mask it, or add it to `references:`"
                    wrong.append(Problem(message, treatment.at))
    return wrong


def _wrong_family(policy: Policy, root: Place, members: tuple[Place, ...]) -> list[Problem]:
    wrong = []
    at_home = treatment_at(policy, root)
    home = at_home
    for place in members:
        treatment = treatment_at(policy, place)
        if treatment is None:
            table = policy.tables.get(place.table)
            if place.path and table is not None and not table.drop:
                message = f"{place} references {root}, and the policy has no such path there; add it with `mask: reference`"
                wrong.append(Problem(message, table.columns[place.column].at))
            continue
        if place == root or treatment.mask.name == DROP:
            continue
        if treatment.mask.name == REFERENCE:
            if at_home is None or at_home.mask.name == DROP:
                wrong.append(Problem(f"{place} is masked as {root}, which is dropped; give it a mask of its own", treatment.at))
            continue
        home = home if home is not None and home.mask.name != DROP else treatment
        if treatment.mask != home.mask:
            message = f"{place} and {root} hold the same key and must be masked alike; write `mask: reference` here"
            wrong.append(Problem(message, treatment.at))
        if treatment.when is not None:
            wrong.append(Problem(f"{place} holds a key that others hold too, so that it cannot be masked in some rows only", treatment.at))
    if at_home is not None and at_home.when is not None:
        wrong.append(Problem(f"{root} is referenced, so that it cannot be masked in some rows only", at_home.at))
    return wrong


def resolved(policy: Policy, family: Families) -> Policy:
    """Return `policy` with the transformer of the key in the place of every `reference`."""

    def treated(place: Place, treatment: Treatment) -> Treatment:
        paths = {path: treated(replace(place, path=path), inner) for path, inner in treatment.paths.items()}
        if treatment.mask.name != REFERENCE or not family.is_member(place):
            return replace(treatment, paths=paths)
        home = treatment_at(policy, family.root(place))
        return replace(treatment, paths=paths, mask=treatment.mask if home is None else home.mask)

    tables = {
        name: replace(table, columns={c: treated(Place(name, c), t) for c, t in table.columns.items()})
        for name, table in policy.tables.items()
    }
    return replace(policy, tables=tables)
