"""Rules that follow the name of a column of texts, where its values can be what it says."""

from __future__ import annotations

from masking.classify import likeness
from masking.classify.dictionaries import dictionaries
from masking.classify.finding import Finding, personal, unsure
from masking.classify.fitting import fits
from masking.classify.numbers import SURE, WEAK
from masking.classify.text_column import HALF, Column, is_code, is_company


def without_values(column: Column) -> Finding | None:
    if column.texts.values:
        return None
    for entity, strength in column.name.entities:
        if strength >= SURE and not column.name.flag:
            return personal(entity, 0.6, f"its name reads as {entity}; there are no values")
    return unsure("free_text", "there are no values")


def by_name(column: Column) -> Finding | None:
    if column.name.flag:
        return None
    for entity, strength in column.name.entities:
        if strength >= SURE and fits(entity, column.texts, of_persons=column.around.persons):
            if entity == "text" and not _is_prose(column):
                continue
            if entity in _NEED_PERSONS and not column.around.personal and not _speaks_for(entity, column):
                continue
            if entity == "company" and column.around.things and column.closed:
                continue
            if entity == "person_name" and is_company(column):
                entity = "company"
            if entity == "address" and column.share(likeness.is_address) < 0.2:
                entity = "street"
            return personal(
                entity,
                0.65 + 0.3 * strength,
                f"its name reads as {entity}",
                f"{column.texts.distinct} different values in {column.texts.rows} rows can be that",
            )
    return None


def by_shortened_name(column: Column) -> Finding | None:
    """Initials and what a name sounds like (`S530`), which are those of persons unless the rows are things.

    Where each row has its own, they are its number, and other rules know whose. In any hexadecimal number some are found by chance.
    """
    if not column.name.shortened or column.around.things or column.around.unique or column.texts.mean_words > 2:
        return None
    said = f"{column.texts.distinct} different values in {column.texts.rows} rows, masked, but too short to be looked for elsewhere"
    return Finding("public", None, 0.7, ("its name reads as the sound or the initials of names", said), faint=True)


# harmless in rows of things: where a depot is, what a country is called, in which language a film is
_NEED_PERSONS = ("city", "region", "country", "language", "company", "job_title", "postcode", "nationality", "gender", "age",
    "coordinates", "health", "religion", "political", "salary", "signature")  # fmt: skip


def _speaks_for(entity: str, column: Column) -> bool:
    """Whether the values, or a name that nothing else can mean, make up for rows that are no persons'."""
    if entity == "company":
        return column.around.companies or is_company(column)
    if entity in ("health", "religion", "political", "salary", "nationality"):
        return column.name.strength(entity) >= SURE and not column.around.things
    return False


def _is_prose(column: Column) -> bool:
    return column.texts.most_words >= 2 and not (column.closed and column.texts.distinct <= 20 and column.texts.most_words <= 5)


# words that mean a place, where a `state` or an `area` may be anything; and what a name may say beside them
_REGIONS = frozenset(("region", "regione", "regiao", "district", "kreis", "home", "wohn"))


def by_title_of_persons(column: Column) -> Finding | None:
    """Titles, regions and languages of persons, which are categories and quasi-identifiers all the same."""
    name, around = column.name, column.around
    if name.flag or name.modified or not (around.personal or name.person):
        return None
    if name.strength("gender") >= WEAK and column.share(lambda v: v.lower() in dictionaries().genders) >= HALF:
        return personal(
            "gender",
            0.85,
            f"{column.texts.distinct} different values in {column.texts.rows} rows, most of them words for genders or forms of address",
        )
    of_person = (around.persons or name.person) and not around.things and "role" not in name.words
    words = not any(c.isdigit() for v in column.texts.values for c in v)
    if name.strength("job_title") >= WEAK and of_person and words and fits("job_title", column.texts):
        return personal("job_title", 0.7, "its name may read as job_title", "the rows are persons, or the name is of one")
    if name.strength("region") >= WEAK:
        known = column.share(lambda v: likeness.is_region(v) or (len(v) in (2, 3) and v.isupper()))
        if known >= 0.4:
            return personal("region", 0.8, column.counted(known, "are in the dictionary for region, or codes of two or three letters"))
        if around.persons and words and _REGIONS.issuperset(name.words) and fits("region", column.texts, of_persons=True):
            return personal("region", 0.7, "its name reads as region", "the rows are persons")
    if name.strength("political") >= WEAK and around.persons:
        return personal("political", 0.6, "its name may read as political", "the rows are persons")
    if name.strength("language") >= WEAK and around.persons:
        return personal("language", 0.6, "its name reads as language", "the rows are persons")
    return None


def by_weak_name(column: Column) -> Finding | None:
    """Names that say little by themselves, where the rows are persons or belong to some."""
    around, name = column.around, column.name
    if name.flag or name.modified:
        return None
    for entity, strength in name.entities:
        if not WEAK <= strength < SURE or not fits(entity, column.texts):
            continue
        said = f"its name may read as {entity}"
        if entity in ("person_name", "given_name", "family_name") and around.persons and column.share(is_code) < 0.3:
            return personal("person_name" if entity == "person_name" else entity, 0.55, said, "the rows are persons")
        if entity == "job_title" and around.persons and not around.things:
            return personal(entity, 0.6, said, "the rows are persons")
        if entity in ("region", "language", "health", "country") and (around.persons or (around.linked and entity == "region")):
            return personal(entity, 0.55, said, "the rows are persons or belong to some")
        if entity in ("vehicle", "driving_licence", "tax_id", "national_id", "bank_account", "secret", "device_id") and around.persons:
            return personal(entity, 0.55, said, "the rows are persons")
        if entity == "company" and around.companies:
            return personal(entity, 0.6, said, "the rows are companies")
        if entity == "text" and around.personal and column.texts.most_words >= 3 and not column.closed:
            return personal("text", 0.6, said, "the rows belong to persons")
    return None


def by_name_of_companies(column: Column) -> Finding | None:
    """`name` in a table of companies."""
    if not column.around.companies or column.closed or set(column.name.words) - {"name", "title", "nom", "nombre", "naam", "nome", "label"}:
        return None
    if not column.name.strength("person_name") and "title" not in column.name.words:
        return None
    return personal("company", 0.7, "it names the rows, which are companies")


def by_number_of_person(column: Column) -> Finding | None:
    """What a name calls the number of a person, of letters too."""
    if not (column.name.person and column.name.identifier) or column.texts.mean_words > 2 or column.texts.longest > 40:
        return None
    return personal(
        "person_id",
        0.8,
        f"{column.texts.distinct} different values in {column.texts.rows} rows",
        "its name reads as the number of a person",
    )
