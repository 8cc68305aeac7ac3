"""Rules that show texts to be harmless: prose without persons, codes, names of things."""

from __future__ import annotations

import re

from masking.classify import likeness, patterns
from masking.classify.days import days_in
from masking.classify.finding import Finding, harmless, personal, unsure
from masking.classify.numbers import SURE, classify_moments
from masking.classify.passages import contacts_in, persons_in
from masking.classify.text_column import HALF, Column, is_code, is_composed, is_of_common_words, names_things


def by_route(column: Column) -> Finding | None:
    """Dotted and dashed names that are put together from few words, as keys of messages and settings are."""
    share = column.share(patterns.is_route)
    if (
        share < 0.9
        or column.around.persons
        or column.around.companies
        or not (is_composed(column) or column.share(likeness.is_common) >= 0.8)
    ):
        return None
    return harmless(
        0.75, column.counted(share, "are dotted or dashed names"), f"{len(column.texts.vocabulary)} different words make them up"
    )


LONGEST_CODE = 80
_LONG_NUMBER = re.compile(r"\d{6,}")


def by_prose(column: Column) -> Finding | None:
    """Sentences: those that belong to persons are free text; others are public when no person is found in them."""
    texts = column.texts
    unspaced = texts.unspaced >= HALF and not is_composed(column)
    if texts.mean_words < 4 and texts.most_words < 9 and not unspaced:
        return None
    if names_things(column) and texts.mean_words < 8:
        return None
    said = f"{texts.distinct} different texts of up to {texts.most_words} words"
    looked = len(texts.values)
    # texts that are put together from few words have no room for persons, and the finder no sentence to judge by
    hits = persons_in(texts.values, None if is_composed(column) else column.find)
    if hits:
        return personal("text", 0.9, said, f"persons, addresses or numbers are found in {hits} of {looked} texts")
    if column.around.personal and not is_composed(column):
        return personal("text", 0.6, said, "the rows belong to persons")
    if column.name.strength("text") >= SURE and not column.closed:
        return personal("text", 0.6, said, "its name reads as text")
    if is_of_common_words(column) or is_composed(column):
        return harmless(0.7, said, f"no person, address or number is found in {looked} of them", "the rows do not belong to persons")
    return unsure("free_text", said)


def by_code(column: Column) -> Finding | None:
    """Codes of one form: identifiers, and as harmless as what they identify."""
    texts = column.texts
    # a file name or a route has letters alone
    for what, test in (("hosts", patterns.is_host), ("paths or files", patterns.is_path), ("dotted or dashed names", patterns.is_route)):
        share = column.share(test)
        if share >= 0.9 and column.share(likeness.is_username) < 0.3:
            if what == "hosts" and column.around.companies:
                return personal("url", 0.7, column.counted(share, "are hosts"), "the rows are companies")
            return harmless(0.75, column.counted(share, f"are {what}"))
    coded = column.share(lambda v: is_code(v) and v.count(" ") <= 2)
    short = column.share(lambda v: v.isupper() and len(v) <= 5)
    if short >= 0.95 and texts.shapes <= 4 and not column.around.persons:
        return harmless(
            0.65, f"{texts.distinct} different codes of up to {texts.longest} capitals in {texts.rows} rows", "the rows are not persons"
        )
    if coded < 0.9 or texts.mean_words > 4 or texts.longest > LONGEST_CODE:
        return None
    regular = texts.shapes <= max(6, 0.1 * len(texts.values)) or column.share(lambda v: v == v.upper() or v == v.lower()) >= 0.95
    said = f"{texts.distinct} different codes of {texts.shapes} forms in {texts.rows} rows"
    if column.name.person and (column.name.identifier or not column.name.harmless):
        return personal("person_id", 0.8, said, "its name reads as the number of a person")
    if column.around.persons and texts.repeats < 1.2 and texts.distinct >= 2:
        return personal("person_id", 0.6, said, "each row is a person, and has a code of its own")
    if column.around.personal and _hold_births(column):
        return personal("person_id", 0.7, said, "days that are spread as births are stand in them, and the rows belong to persons")
    if regular:
        return harmless(0.75, said, "the rows are not persons, and the codes have no check digits of persons' numbers")
    return None


def _hold_births(column: Column) -> bool:
    """Whether the first long number of nearly each code begins with a day, and these are spread as births are: `AM19630504-1`."""
    numbers = [found.group() for value in column.texts.values if (found := _LONG_NUMBER.search(value))]
    if len(numbers) < 0.95 * len(column.texts.values):
        return False
    written = (days for size in (8, 6) for _, days in days_in([number[:size] for number in numbers], column.today, counted=False))
    return any(classify_moments(column.name, "date", days, column.around, column.today).personal for days in written)


def by_phrases(column: Column) -> Finding | None:
    """Names of things: short phrases, in rows that are no persons, which names of persons are not."""
    texts = column.texts
    if column.around.persons and not is_composed(column):
        return None
    people = max(column.share(likeness.is_person), column.share(likeness.is_written_like_person) if texts.distinct >= 20 else 0.0)
    common = column.share(likeness.is_common)
    said = column.counted(people, "are or look like names of persons")
    if people > 0.35 and common < HALF:
        return None
    contacts = contacts_in(texts.values)
    named = persons_in(texts.values, None) if column.around.personal and not names_things(column) else 0
    if contacts >= (0.02 * len(texts.values) if names_things(column) else 1) or named >= 0.05 * len(texts.values) > 0:
        return personal(
            "text", 0.7, said, f"persons, addresses or numbers are found in {max(contacts, named)} of {len(texts.values)} texts"
        )
    of_things = column.around.things and (not column.around.linked or column.name.telling)
    about = "the table's name is of things" if of_things else "its name is of nothing personal" if column.name.harmless else None
    if common >= 0.6:
        return harmless(0.7, said, column.counted(common, "are made of common words"))
    if is_composed(column):
        return harmless(0.7, said, f"{len(texts.vocabulary)} different words make up {len(texts.values)} values")
    if about and people <= (0.35 if names_things(column) else 0.2):
        return harmless(0.6, said, about)
    if people <= 0.2 and column.name.telling and not column.around.personal and common >= 0.3:
        return harmless(0.55, said, "the rows do not belong to persons")
    # names that no dictionary knows are still written like names: every word with a capital
    if (
        texts.mean_words >= 1.5
        and len(texts.values) >= 10
        and not column.around.personal
        and not column.around.companies
        and people <= 0.15
    ):
        return harmless(0.5, said, "the rows do not belong to persons")
    return None
