"""Rules for texts that have a form of their own: patterns, check digits, dates, numbers, secrets."""

from __future__ import annotations

from datetime import datetime

from masking.classify import likeness, patterns
from masking.classify.finding import Finding, harmless, personal
from masking.classify.numbers import SURE, WEAK, Numbers, classify_moments, classify_numbers, usual_of, years_of_texts
from masking.classify.text_column import MOST, Column


def by_pattern(column: Column) -> Finding | None:
    for entity, what, test in patterns.PERSONAL:
        share = column.share(test)
        if share >= MOST or (share >= 0.3 and column.texts.mean_words <= 6 and entity in ("email", "ip_address", "password")):
            return personal(entity, 0.6 + 0.39 * share, column.counted(share, f"match the pattern of {what}"))
    return None


def by_address_of_page(column: Column) -> Finding | None:
    share = column.share(patterns.is_url)
    if share < MOST:
        return None
    said = column.counted(share, "are web addresses")
    if column.name.strength("photo") and column.around.personal:
        return personal("photo", 0.9, said, "its name reads as photo")
    # the page of a person or a company names it; the picture of a product names nobody
    if column.around.persons or column.around.companies or column.name.strength("photo") >= SURE or _PROFILES & set(column.name.words):
        return personal("url", 0.8, said, "the rows are persons or companies, or the name reads as their page")
    if not column.around.persons:
        named = column.share(lambda v: likeness.is_username(v.rstrip("/").rpartition("/")[2].partition(".")[0].partition("?")[0]))
        if named < (0.3 if column.around.things or not column.around.linked else 0.02):
            return harmless(0.75, said, column.counted(named, "end like the name of a person"))
    return personal("url", 0.6, said)


_PROFILES = frozenset(("linkedin", "facebook", "profile", "social", "portfolio", "personal", "xing", "instagram", "twitter"))


def by_check_digit(column: Column) -> Finding | None:
    for found in column.checks:
        if found.entity == "thing":
            if max(column.name.strength(e) for e in ("national_id", "tax_id", "person_id")) >= SURE:
                continue
            return harmless(0.9, found.evidence)
        others = [c.entity for c in column.checks if c.entity != "thing"]
        said = next((e for e, s in column.name.entities if s >= WEAK and e in others), None)
        return personal(said or found.entity, 0.95 if said else 0.9, found.evidence)
    return None


def by_random_identifier(column: Column) -> Finding | None:
    share = column.share(patterns.is_uuid)
    if share < MOST:
        return None
    said = column.counted(share, "are universally unique identifiers")
    for entity in ("person_id", "device_id", "secret", "password"):
        if column.name.strength(entity) >= SURE:
            return personal(entity, 0.9, said, f"its name reads as {entity}")
    if column.name.digest_of_person:
        return personal("secret", 0.9, said, "its name reads as the digest of what tells of a person")
    if column.name.person or (column.around.persons and column.texts.repeats < 1.2):
        return personal("person_id", 0.8, said, "its name reads as the number of a person, or each row is a person")
    return harmless(0.7, said, "the rows are not persons, and the name is of none")


def by_digest(column: Column) -> Finding | None:
    share = column.share(patterns.is_hash)
    if share < MOST:
        return None
    said = column.counted(share, "are hexadecimal digests")
    for entity in ("password", "secret", "device_id"):
        if column.name.strength(entity) >= WEAK:
            return personal(entity, 0.95, said, f"its name reads as {entity}")
    technical = {"checksum", "digest", "etag", "sha256", "md5", "sha", "commit", "revision", "build"} & set(column.name.words)
    if technical and not column.around.persons and not column.name.digest_of_person:
        return harmless(0.85, said, "its name reads as the digest of a thing")
    return personal("secret", 0.6, said)


def by_sure_form(column: Column) -> Finding | None:
    """Telephone numbers with their country, and full names, nearly all of them: whatever the name says."""
    international = column.share(lambda v: (v[:1] in "+(" and patterns.is_phone(v)) or patterns.is_dialled(v))
    if international >= 0.9:
        return personal(
            "phone", 0.97, column.counted(international, "are written like telephone numbers with their country or parentheses")
        )
    whole = column.share(likeness.is_person)
    if whole >= 0.9 and column.texts.mean_words <= 4 and whole > column.share(likeness.is_company) and len(column.texts.values) >= 10:
        return personal("person_name", 0.97, column.counted(whole, "are a given and a family name"))
    return None


def by_postcode(column: Column) -> Finding | None:
    share = column.share(patterns.is_postcode)
    named = column.name.strength("postcode") >= WEAK
    if share < MOST or not (named or (column.around.persons and column.name.identifier is False and not column.name.harmless)):
        return None
    if not named and column.texts.repeats < 1.02:
        return None
    return personal("postcode", 0.4 + 0.5 * share, column.counted(share, "have the form of postal codes"))


def by_phone(column: Column) -> Finding | None:
    share = column.share(patterns.is_phone)
    if share < 0.6 or (column.name.harmless and column.share(lambda v: v.startswith("+")) < 0.3):
        return None
    return personal("phone", 0.55 + 0.4 * share, column.counted(share, "are written like telephone numbers"))


def by_social_security_form(column: Column) -> Finding | None:
    """Numbers such as 123-45-6789, which have no check digit."""
    share = column.share(lambda v: len(v) == 11 and v[3] == v[6] == "-" and v.replace("-", "").isdigit())
    return personal("national_id", 0.85, column.counted(share, "have the form of social security numbers")) if share >= MOST else None


def by_moment(column: Column) -> Finding | None:
    dates = [d for v in column.texts.values if (d := patterns.date_in(v)) is not None]
    if len(dates) < MOST * len(column.texts.values):
        return None
    moments = years_of_texts([datetime(d.year, d.month, d.day) for d in dates])
    return classify_moments(column.name, "date", moments, column.around, column.today)


def by_number(column: Column) -> Finding | None:
    """Numbers that are written as texts: as columns of numbers are decided, where they are short."""
    values = column.texts.values
    if column.share(patterns.is_number) < 0.95 or column.texts.longest > 14:
        return None
    numbers = [
        float(n) for v in values if (n := v.replace(" ", "").replace("'", "").replace(",", ".")).replace(".", "", 1).lstrip("+-").isdigit()
    ]
    if not numbers:
        return None
    whole = all(v.removeprefix("-").isdigit() for v in values)
    texts = tuple(values) if whole else ()
    found = Numbers(column.texts.rows, column.texts.distinct, min(numbers), max(numbers), usual_of(numbers), whole, 0, texts)
    return classify_numbers(column.name, "numeric", found, column.around, column.today)


def by_harmless_pattern(column: Column) -> Finding | None:
    for what, test in patterns.HARMLESS:
        share = column.share(test)
        if share >= 0.9:
            return harmless(0.9, column.counted(share, f"are {what}"))
    return None


def by_randomness(column: Column) -> Finding | None:
    if column.closed or column.share(lambda v: " " in v) > 0.1:
        return None
    share = column.share(lambda v: patterns.is_random(v, 3))
    either = column.share(lambda v: patterns.is_random(v, 2))
    long = column.share(lambda v: len(v) >= 24 and patterns.is_random(v, 2))
    various = column.texts.shapes >= 0.7 * len(column.texts.values)
    if various and (share >= 0.7 or (share >= 0.3 and either >= 0.9) or long >= 0.9):
        return personal(
            "secret", 0.5 + 0.4 * max(share, long), column.counted(either, "look drawn at random from letters of both cases and digits")
        )
    return None
