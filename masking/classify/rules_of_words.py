"""Rules that know words: categories, names of persons and companies, places, jobs."""

from __future__ import annotations

from collections.abc import Sequence

from masking.classify import likeness, patterns
from masking.classify.dictionaries import dictionaries
from masking.classify.finding import Finding, harmless, personal, unsure
from masking.classify.numbers import WEAK
from masking.classify.passages import persons_in
from masking.classify.text_column import HALF, MOST, Column


def by_few_values(column: Column) -> Finding | None:
    """Categories: of a kind that is known to be of persons, or else public."""
    if not column.closed:
        return None
    texts, values = column.texts, [v.lower() for v in column.texts.values]
    words = dictionaries()
    said = f"{texts.distinct} different values in {texts.rows} rows"
    genders = sum(v in words.genders for v in values)
    if genders >= MOST * len(values) and 2 <= len(values) <= 12 and column.around.personal and _are_genders(values):
        return personal("gender", 0.85, said, f"{genders} of them are words for genders or forms of address")
    if column.around.personal:
        for entity, known in (("religion", words.religions), ("nationality", words.nationalities), ("country", words.countries)):
            hits = sum(v in known for v in values)
            if len(values) >= 3 and hits >= MOST * len(values):
                return personal(entity, 0.8, said, f"{hits} of them are in the dictionary for {entity}")
        if column.around.persons and len(values) >= 3 and column.share(likeness.is_country_code) >= 0.9 and not column.name.harmless:
            return personal("country", 0.7, said, "they are codes of countries")
        if column.name.strength("marital_status") >= WEAK or len(dictionaries().marital & set(values)) >= max(2, HALF * len(values)):
            return personal("marital_status", 0.85, said, "they are words for marital status")
        ill = sum(v in words.illnesses for v in values)
        if len(values) >= 3 and ill >= HALF * len(values):
            return personal("health", 0.8, said, f"{ill} of them are in the dictionary of illnesses")
        blood = sum(v in _BLOOD for v in values)
        if len(values) >= 4 and blood >= MOST * len(values):
            return personal("health", 0.9, said, "they are blood groups")
    people = max(column.share(likeness.is_person), _single_names(column)[1])
    if people >= HALF and len(values) >= 3 and column.share(likeness.is_common) < HALF:
        return None
    for entity, share, least in (("email", column.share(patterns.is_email), 0.1), ("phone", column.share(patterns.is_phone), 0.3)):
        if share >= least:
            return personal(entity, 0.7, column.counted(share, f"match the pattern of {entity}"))
    if texts.mean_words > 5 and column.around.personal and (column.name.strength("text") >= WEAK or persons_in(texts.values, None)):
        return personal("text", 0.6, said, "they are sentences, in rows that belong to persons")
    if column.around.persons and column.share(_is_handle) >= HALF:
        return personal("username", 0.7, said, column.counted(column.share(_is_handle), "begin with @, as names of users do"))
    users = column.share(likeness.is_username)
    if column.name.by and not column.name.harmless and users >= HALF and column.share(likeness.is_common) < HALF:
        return personal("username", 0.6, said, "its name asks who did it", column.counted(users, "are user names made of names of persons"))
    if column.around.persons and _may_be_names(column):
        return unsure("direct", said, "the rows are persons, and none of the values is a common word")
    people_said = column.counted(people, "are in the dictionaries of names of persons")
    return harmless(0.92, said + ": a category", people_said)


def _is_handle(text: str) -> bool:
    return text.startswith("@") and text[1:].isidentifier()


def _may_be_names(column: Column) -> bool:
    """Whether a category may be of persons whom no dictionary knows: words that are no common ones, no codes and no keys of settings.

    Of most categories the dictionaries know few words as well (cardiology, inaktiv), so the name has to ask for somebody (`seen_by`,
    `handler`), or the values are built as names are where a family name is one or two characters that are known.
    """
    name, values = column.name, column.texts.values
    if column.around.closed is not None or name.harmless or name.flag or name.modified or len(values) < 2:
        return False
    if any(column.share(test) >= HALF for _, test in patterns.HARMLESS):
        return False
    asked = name.by or max(name.strength(e) for e in ("person_name", "given_name", "family_name", "username")) >= WEAK
    if not asked and column.share(likeness.begins_with_family) < HALF:
        return False
    return column.share(_is_written_in_words) >= MOST and column.share(likeness.is_common) == 0


def _is_written_in_words(text: str) -> bool:
    """Whether a text has a word of four letters, or two of a script that writes names so, and is no code in capitals or with digits."""
    letters = [c for c in text if c.isalpha()]
    if any(c.isdigit() for c in text) or (text.isupper() and len(text) <= 5):
        return False
    return len(letters) >= 4 or (len(letters) >= 2 and not text.isascii())


_BLOOD = frozenset(
    f"{group}{sign}" for group in ("a", "b", "ab", "o", "0") for sign in ("+", "-", "", " rh+", " rh-", " positive", " negative")
)


def _are_genders(values: Sequence[str]) -> bool:
    """Whether short codes are the two that stand for genders somewhere, and not just any letters."""
    letters = {v for v in values if len(v) == 1}
    return not letters or any(
        {a, b} <= letters for a, b in (("m", "f"), ("m", "w"), ("h", "f"), ("h", "m"), ("m", "v"), ("k", "m"), ("k", "n"), ("e", "k"))
    )


def _single_names(column: Column) -> tuple[str, float]:
    """Whether values are rather given or family names, and the share of them."""
    given, family = column.share(likeness.is_given), column.share(likeness.is_family)
    if column.name.strength("given_name") > column.name.strength("family_name"):
        return "given_name", given
    if column.name.strength("family_name") > column.name.strength("given_name"):
        return "family_name", family
    return ("given_name", given) if given >= family else ("family_name", family)


def by_company(column: Column) -> Finding | None:
    share = column.share(likeness.is_company)
    if share < HALF or share < column.share(likeness.is_person):
        return None
    if {"brand", "make", "manufacturer", "product"} & set(column.name.words):
        return harmless(0.7, column.counted(share, "are names of companies"), "its name reads as that of a make")
    return personal(
        "company", 0.5 + 0.4 * share, column.counted(share, "are names of companies, by their legal forms or joined family names")
    )


def by_names_of_persons(column: Column) -> Finding | None:
    weak = max(column.name.strength(e) for e in ("person_name", "given_name", "family_name", "username")) >= WEAK
    whole = column.share(likeness.is_person)
    said = column.counted(whole, "are a given and a family name")
    if whole >= HALF or (whole >= 0.25 and (weak or column.around.persons) and column.texts.mean_words <= 5):
        return personal("person_name", 0.6 + 0.39 * whole, said)
    entity, share = _single_names(column)
    common = column.share(likeness.is_common)
    least = HALF if weak or column.around.personal else 0.7
    if share >= least and column.texts.mean_words <= 2.5 and common <= 0.6:
        if share < 0.95 and not column.around.personal and column.share(likeness.is_city) > share:
            return None
        return personal(entity, 0.5 + 0.45 * share, column.counted(share, f"are in the dictionary of {entity.replace('_', ' ')}s"))
    return None


def by_place(column: Column) -> Finding | None:
    streets = column.share(likeness.is_street)
    if (
        streets >= 0.6
        and column.share(lambda v: any(c.isdigit() for c in v)) >= HALF
        and not (column.around.things and column.name.harmless)
    ):
        whole = column.share(likeness.is_address) >= HALF
        return personal("address" if whole else "street", 0.6 + 0.35 * streets, column.counted(streets, "are streets with numbers"))
    for entity, test, least in (
        ("country", likeness.is_country, MOST),
        ("region", likeness.is_region, 0.7),
        ("city", likeness.is_city_like, 0.6),
    ):
        share = column.share(test)
        doubtful = entity == "city" and column.share(likeness.is_city) < 0.2
        if share < least or (doubtful and (column.around.personal or not column.around.things)):
            continue
        said = column.counted(share, f"are in the dictionary for {entity}, or built like one")
        if column.around.personal or not column.name.telling:
            return personal(entity, 0.5 + 0.4 * share, said)
        return harmless(0.7, said, "the rows do not belong to persons")
    return None


def by_street_form(column: Column) -> Finding | None:
    """A name and a number, in rows that are persons."""
    share = column.share(patterns.is_street_and_number)
    if share < MOST or not column.around.persons or column.closed:
        return None
    return personal("street", 0.4 + 0.3 * share, column.counted(share, "are a name and a number, as streets are"))


def by_job(column: Column) -> Finding | None:
    share = column.share(likeness.is_job)
    if share < 0.6:
        return None
    said = column.counted(share, "are in the dictionary of jobs")
    if column.around.personal or not column.name.telling:
        return personal("job_title", 0.5 + 0.4 * share, said)
    return harmless(0.7, said, "the rows do not belong to persons")


def by_user_name(column: Column) -> Finding | None:
    if column.texts.mean_words > 4 or column.share(lambda v: " " not in v) < 0.9:
        return None
    share = column.share(likeness.is_username)
    said = column.counted(share, "are user names made of names of persons")
    if share >= (0.3 if column.name.strength("username") >= WEAK or column.around.persons else HALF) and column.texts.shapes >= 4:
        return personal("username", 0.5 + 0.45 * share, said)
    weak = column.name.strength("username") >= WEAK or column.name.by
    if weak and not column.name.harmless and column.texts.shapes > 3 and column.around.personal and column.share(str.isdigit) < HALF:
        return personal("username", 0.6, said, "its name reads as that of a user")
    return None
