"""What tables are about: persons, what belongs to persons, companies, or things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from masking.classify.finding import Finding
from masking.classify.names import NameReading, lexicon
from schemas.model import Schema, Table

Place = tuple[str, str]

# how much a column says that each row is a person
_PERSONAL = {
    "given_name": 1.0, "family_name": 1.0, "person_name": 1.0, "birth_date": 1.0, "gender": 0.7, "national_id": 1.0, "email": 1.0,
    "username": 1.0, "password": 1.0, "phone": 0.7, "street": 0.4, "address": 0.4, "passport": 1.0, "marital_status": 0.7, "age": 0.5,
    "photo": 0.5, "job_title": 0.4, "driving_licence": 1.0, "salary": 0.5, "religion": 0.5, "nationality": 0.5, "iban": 0.4,
    "credit_card": 0.4, "tax_id": 0.4, "ethnicity": 0.5, "person_id": 0.5,
}  # fmt: skip
# what shows that the rows belong to persons, whoever they are
_LINKING = frozenset((
    "given_name", "family_name", "person_name", "birth_date", "national_id", "email", "username", "phone", "street", "address",
    "passport", "person_id", "iban", "credit_card", "bank_account", "driving_licence", "ip_address", "device_id",
))  # fmt: skip
# columns of persons who are not what the row is: the receiver of a parcel, whom to call
_OTHERS = frozenset((
    "ship", "shipping", "bill", "billing", "delivery", "recipient", "sender", "receiver", "emergency", "contact", "author", "by",
    "caller", "called", "to", "from", "adjuster", "signatory", "composer", "autor", "auteur", "empfaenger", "ontvanger", "destinatario",
    "intestatario", "referred", "payee",
))  # fmt: skip
ENOUGH = 2.0


@dataclass(frozen=True)
class TableReading:
    """What the rows of a table are. `word` is what its name says by itself."""

    persons: bool
    linked: bool
    medical: bool
    things: bool
    companies: bool


def name_of(table: Table) -> NameReading:
    """Read the name of a table, without the database schema that it may be in."""
    return lexicon().read(table.name.rpartition(".")[2])


def read_tables(schema: Schema, found: Mapping[Place, Finding]) -> dict[str, TableReading]:
    """Decide what each table is about, by its name and by what has been found in its columns so far."""
    names = {t.name: name_of(t) for t in schema.tables}
    persons = {t.name for t in schema.tables if _is_about_persons(t, names[t.name], found)}
    linked = {t.name for t in schema.tables if _belongs_to_persons(t, persons, found)}
    # what hangs on rows that belong to persons belongs to them too: the lines of an order, the vital signs of a visit
    changed = True
    while changed:
        more = {
            t.name
            for t in schema.tables
            if t.name not in linked
            and t.name not in persons
            and any(k.table in linked and k.table != t.name for k in t.foreign_keys)
            and not _is_list_of_things(t)
        }
        linked, changed = linked | more, bool(more)
    return {
        t.name: TableReading(
            t.name in persons,
            t.name in linked,
            _is_medical(t, names[t.name], found),
            _means_things(names[t.name]),
            names[t.name].company and t.name not in persons,
        )
        for t in schema.tables
    }


def _is_list_of_things(table: Table) -> bool:
    return not table.foreign_keys


def _means_things(name: NameReading) -> bool:
    return name.thing and not (name.person and not _last_is_thing(name))


def _last_is_thing(name: NameReading) -> bool:
    return bool(name.words) and name.words[-1] in lexicon().roles["things"]


def _is_about_persons(table: Table, name: NameReading, found: Mapping[Place, Finding]) -> bool:
    score, seen = 0.0, set[str]()
    for column in table.stored_columns:
        finding = found[table.name, column.name]
        key = table.foreign_key_of(column.name)
        if finding.entity not in _PERSONAL or key is not None or finding.confidence < 0.5:
            continue
        other = _OTHERS & set(lexicon().words(column.name))
        worth = _PERSONAL[finding.entity] * (0.5 if other or finding.entity in seen else 1.0)
        seen.add(finding.entity)
        score += worth
    if not score:
        # names alone: `users` with nothing in them but what hangs on them
        sure = set(name.words) & (lexicon().roles["persons"] - lexicon().roles["perhaps"])
        return bool(sure) and not _last_is_thing(name) and not name.company
    strangers = [k for k in table.foreign_keys if k.table != table.name]
    if name.person and not _last_is_thing(name):
        score += 1.5
    elif _means_things(name):
        score -= 1.5
    elif name.company:
        score -= 0.7
    return score - (0.5 if strangers else 0.0) >= ENOUGH


def _belongs_to_persons(table: Table, persons: set[str], found: Mapping[Place, Finding]) -> bool:
    if table.name in persons or any(k.table in persons for k in table.foreign_keys):
        return True
    return any(f.entity in _LINKING and f.confidence >= 0.6 for c in table.stored_columns if (f := found[table.name, c.name]).personal)


def _is_medical(table: Table, name: NameReading, found: Mapping[Place, Finding]) -> bool:
    if any(found[table.name, c.name].entity == "health" and found[table.name, c.name].confidence >= 0.6 for c in table.stored_columns):
        return True
    words = {
        "patient",
        "patients",
        "patienten",
        "pacientes",
        "pazienti",
        "vitals",
        "medical",
        "health",
        "clinic",
        "encounter",
        "encounters",
        "diagnosis",
        "observation",
        "observations",
        "pat",
    }
    return bool(words & set(name.words)) or name.strength("health") > 0.5
