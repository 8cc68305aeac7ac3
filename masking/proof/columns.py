"""What becomes of every column, as the certificate says it, and which of them are personal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from masking.known.index import KnownPlace
from masking.policy.model import DROP, KEEP, Policy, Step, Treatment
from schemas.errors import InputError
from schemas.model import Schema

ANONYMITY = "anonymity"
_SHUFFLE = "shuffle"
_REDACT = "redact"
REST = "$"
_MEMBERS = "~"
_FREE_TEXT = "free_text"


@dataclass(frozen=True)
class Examined:
    """A column of the source, or a path into one, and what the proof does with it.

    `kept` says why its values stand in the output on purpose, None where they must not. `sought` is false where there is nothing to
    look for: public columns, free texts of which only the personal parts are masked, and names of members of documents that seem
    to be nobody's. Where only some rows are kept, `when` tells them from the others: those for which it holds, or all others.
    """

    table: str
    column: str
    path: str | None
    column_class: str
    entity: str | None
    kept: str | None
    sought: bool
    when: str | None = None
    kept_where_it_holds: bool = False

    @property
    def name(self) -> str:
        """The column as messages call it: `users.email`, `users.settings$.contact.email`."""
        return f"{self.table}.{self.column}{self.path or ''}"

    @property
    def place(self) -> KnownPlace:
        """Where the values that must not stand in the output are known; not sought, where all are kept."""
        return KnownPlace(self.name, self.entity, self.column_class, sought=self.kept is None or self.when is not None)

    @property
    def kept_place(self) -> KnownPlace:
        """Where the values of the rows that are kept are known."""
        return KnownPlace(f"{self.name} where kept", self.entity, self.column_class, sought=False)


def column_entries(policy: Policy) -> list[dict[str, Any]]:
    """What the certificate says of the columns of a policy, in its order; paths follow their column."""
    entries = []
    anonymous = _anonymous(policy)
    for table, rules in policy.tables.items():
        for column, treatment in rules.columns.items():
            masked = Step(DROP) if rules.drop else anonymous.get(f"{table}.{column}", treatment.mask)
            entries.append(_entry(table, column, None, treatment, masked))
            entries += [_entry(table, column, path, inner, inner.mask) for path, inner in treatment.paths.items()]
            if treatment.rest is not None:
                entries.append(_entry(table, column, REST, treatment, treatment.rest))
    return entries


def examined(entries: Iterable[Mapping[str, Any]]) -> list[Examined]:
    """Read the columns of a certificate; raises InputError where they are none."""
    try:
        listed = list(entries)
        parted = {(entry["table"], entry["column"]) for entry in listed if entry["path"] == REST}
        return [_examined(entry, entry["path"] is None and (entry["table"], entry["column"]) in parted) for entry in listed]
    except (KeyError, TypeError, AttributeError):
        raise InputError("the certificate of the bundle does not say what became of its columns; name the policy by --policy") from None


def kinds_of_output(columns: Iterable[Examined]) -> dict[str, frozenset[str]]:
    """The kinds of entities by column of the output (`users.email`), paths of a JSON column together."""
    found: dict[str, set[str]] = {}
    for column in columns:
        kinds = found.setdefault(f"{column.table}.{column.column}", set())
        if column.entity is not None:
            kinds.add(column.entity)
    return {name: frozenset(kinds) for name, kinds in found.items()}


def public_output(columns: Iterable[Examined]) -> Iterator[str]:
    """The columns of the output that the policy calls public, whole."""
    for column in columns:
        if column.path is None and column.column_class == "public":
            yield f"{column.table}.{column.column}"


def key_columns(schema: Schema) -> frozenset[str]:
    """The columns that are a key by themselves, or refer to one, as `orders.id`."""
    columns = ((table, c.name) for table in schema.tables for c in table.columns)
    return frozenset(f"{t.name}.{name}" for t, name in columns if t.is_unique(name) or t.foreign_key_of(name) is not None)


def _anonymous(policy: Policy) -> dict[str, Step]:
    """The columns that are made anonymous together, as persons, and what is asked for them."""
    found = {}
    for item in policy.anonymity:
        names = item.get("quasi_identifiers", ())
        asked = {key: item[key] for key in ("subject", "k", "l", "l_kind", "c", "t", "t_kind") if key in item}
        found.update({name: Step(ANONYMITY, asked) for name in ([names] if isinstance(names, str) else names) if isinstance(name, str)})
    return found


def _entry(table: str, column: str, path: str | None, treatment: Treatment, mask: Step) -> dict[str, Any]:
    return {
        "table": table,
        "column": column,
        "path": path,
        "class": treatment.klass,
        "entity": treatment.entity,
        "transformer": mask.name,
        "parameters": _named(mask.parameters),
        "when": treatment.when,
        "else": None if treatment.otherwise is None else treatment.otherwise.name,
        "confidence": treatment.confidence,
        "evidence": list(treatment.evidence),
    }


def _named(parameters: Any) -> Mapping[str, Any]:
    """The parameters of a transformer; the first one may stand there without its name."""
    return {} if parameters is None else parameters if isinstance(parameters, Mapping) else {"value": parameters}


def _examined(entry: Mapping[str, Any], parted: bool) -> Examined:
    transformer, otherwise, column_class = str(entry["transformer"]), entry["else"], str(entry["class"])
    kept = when = None
    if column_class != "public":
        if entry["when"] is not None and (transformer == KEEP) != (otherwise == KEEP):
            when = str(entry["when"])
            kept = f"kept in the rows where the condition {'holds' if transformer == KEEP else 'does not hold'}"
        elif transformer == KEEP:
            kept = "the policy keeps it"
        elif transformer == ANONYMITY:
            asked = ", ".join(f"{key} = {value}" for key, value in _named(entry["parameters"]).items() if key in ("k", "l", "c", "t"))
            kept = f"made anonymous with others ({asked}): what stays, stands for enough persons"
        elif _SHUFFLE in (transformer, otherwise):
            kept = "shuffled: the values stay, in other rows"
    names = str(entry["path"] or "").endswith(_MEMBERS)
    text = column_class == _FREE_TEXT and (transformer in (_REDACT, KEEP, ANONYMITY) or names)
    return Examined(
        str(entry["table"]),
        str(entry["column"]),
        entry["path"],
        column_class,
        entry["entity"],
        kept,
        column_class != "public" and not text and not parted,
        when,
        transformer == KEEP,
    )
