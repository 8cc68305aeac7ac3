"""What columns of texts are: one rule after another, from what values say by themselves to what only nothing speaks against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from masking.classify import likeness, patterns
from masking.classify.checksums import Checked, checked
from masking.classify.context import Surroundings
from masking.classify.dictionaries import dictionaries
from masking.classify.finding import Finding, harmless, personal, unsure
from masking.classify.fitting import fits, is_closed
from masking.classify.names import NameReading
from masking.classify.numbers import SURE, WEAK, Numbers, classify_moments, classify_numbers, years_of_texts
from masking.classify.passages import Find, contacts_in, persons_in
from masking.classify.profile import Texts

MOST = 0.8
HALF = 0.5


@dataclass(frozen=True)
class Column:
    """A column of texts, or the texts at a path: its name, its values, and what stands around it."""

    name: NameReading
    texts: Texts
    around: Surroundings
    find: Find | None
    today: int

    @cached_property
    def closed(self) -> bool:
        """Whether it is a category: by a constraint, or since few values stand again and again."""
        return self.around.closed is not None or is_closed(self.texts)

    @cached_property
    def checks(self) -> Sequence[Checked]:
        return checked(self.texts.values)

    def share(self, test: Callable[[str], bool]) -> float:
        """The share of the different values that pass a test."""
        return self.texts.share(map(test, self.texts.values))

    def counted(self, share: float, what: str) -> str:
        total = len(self.texts.values)
        return f"{round(share * total)} of {total} different values {what}"


Rule = Callable[[Column], Finding | None]


def classify_texts(column: Column) -> Finding:
    """Ask the rules in their order; the first that knows decides."""
    for rule in RULES:
        found = rule(column)
        if found is not None:
            return found
    return unsure("free_text", f"{column.texts.distinct} different texts in {column.texts.rows} rows")


def without_values(column: Column) -> Finding | None:
    if column.texts.values:
        return None
    for entity, strength in column.name.entities:
        if strength >= SURE and not column.name.flag:
            return personal(entity, 0.6, f"its name reads as {entity}; there are no values")
    return unsure("free_text", "there are no values")


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
    if technical and not column.around.persons:
        return harmless(0.85, said, "its name reads as the digest of a thing")
    return personal("secret", 0.6, said)


def by_sure_form(column: Column) -> Finding | None:
    """Telephone numbers with their country, and full names, nearly all of them: whatever the name says."""
    international = column.share(lambda v: v[:1] in "+(" and patterns.is_phone(v))
    if international >= 0.9:
        return personal("phone", 0.97, column.counted(international, "are written like telephone numbers with a plus or parentheses"))
    whole = column.share(likeness.is_person)
    if whole >= 0.9 and column.texts.mean_words <= 4 and whole > column.share(likeness.is_company) and len(column.texts.values) >= 10:
        return personal("person_name", 0.97, column.counted(whole, "are a given and a family name"))
    return None


def by_name(column: Column) -> Finding | None:
    if column.name.flag:
        return None
    for entity, strength in column.name.entities:
        if strength >= SURE and fits(entity, column.texts):
            if entity == "text" and not _is_prose(column):
                continue
            if entity in _NEED_PERSONS and not column.around.personal and not _speaks_for(entity, column):
                continue
            if entity == "company" and column.around.things and column.closed:
                continue
            if entity == "person_name" and _is_company(column):
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


# harmless in rows of things: where a depot is, what a country is called, in which language a film is
_NEED_PERSONS = ("city", "region", "country", "language", "company", "job_title", "postcode", "nationality", "gender", "age",
    "coordinates", "health", "religion", "political", "salary", "signature")  # fmt: skip


def _speaks_for(entity: str, column: Column) -> bool:
    """Whether the values, or a name that nothing else can mean, make up for rows that are no persons'."""
    if entity == "company":
        return column.around.companies or _is_company(column)
    if entity in ("health", "religion", "political", "salary", "nationality"):
        return column.name.strength(entity) >= SURE and not column.around.things
    return False


def _is_company(column: Column) -> bool:
    share = column.share(likeness.is_company)
    return share >= HALF and share >= column.share(likeness.is_person)


def _is_prose(column: Column) -> bool:
    return column.texts.most_words >= 2 and not (column.closed and column.texts.distinct <= 20 and column.texts.most_words <= 5)


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
    if name.strength("language") >= WEAK and around.persons:
        return personal("language", 0.6, "its name reads as language", "the rows are persons")
    return None


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
    people_said = column.counted(people, "are in the dictionaries of names of persons")
    return harmless(0.92, said + ": a category", people_said)


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
        if share < least or (entity == "city" and column.share(likeness.is_city) < 0.2):
            continue
        said = column.counted(share, f"are in the dictionary for {entity}, or built like one")
        if column.around.personal or not column.name.telling:
            return personal(entity, 0.5 + 0.4 * share, said)
        return harmless(0.7, said, "the rows do not belong to persons")
    return None


def by_postcode(column: Column) -> Finding | None:
    share = column.share(patterns.is_postcode)
    named = column.name.strength("postcode") >= WEAK
    if share < MOST or not (named or (column.around.persons and column.name.identifier is False and not column.name.harmless)):
        return None
    if not named and column.texts.repeats < 1.02:
        return None
    return personal("postcode", 0.4 + 0.5 * share, column.counted(share, "have the form of postal codes"))


def by_street_form(column: Column) -> Finding | None:
    """A name and a number, in rows that are persons."""
    share = column.share(patterns.is_street_and_number)
    if share < MOST or not column.around.persons or column.closed:
        return None
    return personal("street", 0.4 + 0.3 * share, column.counted(share, "are a name and a number, as streets are"))


def by_phone(column: Column) -> Finding | None:
    share = column.share(patterns.is_phone)
    if share < 0.6 or (column.name.harmless and column.share(lambda v: v.startswith("+")) < 0.3):
        return None
    return personal("phone", 0.55 + 0.4 * share, column.counted(share, "are written like telephone numbers"))


def by_social_security_form(column: Column) -> Finding | None:
    """Numbers such as 123-45-6789, which have no check digit."""
    share = column.share(lambda v: len(v) == 11 and v[3] == v[6] == "-" and v.replace("-", "").isdigit())
    return personal("national_id", 0.85, column.counted(share, "have the form of social security numbers")) if share >= MOST else None


def by_job(column: Column) -> Finding | None:
    share = column.share(likeness.is_job)
    if share < 0.6:
        return None
    said = column.counted(share, "are in the dictionary of jobs")
    if column.around.personal or not column.name.telling:
        return personal("job_title", 0.5 + 0.4 * share, said)
    return harmless(0.7, said, "the rows do not belong to persons")


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
    whole = all(v.isdigit() for v in values)
    found = Numbers(column.texts.rows, column.texts.distinct, min(numbers), max(numbers), whole, 0, tuple(values) if whole else ())
    return classify_numbers(column.name, "numeric", found, column.around)


def by_harmless_pattern(column: Column) -> Finding | None:
    for what, test in patterns.HARMLESS:
        share = column.share(test)
        if share >= 0.9:
            return harmless(0.9, column.counted(share, f"are {what}"))
    return None


def by_route(column: Column) -> Finding | None:
    """Dotted and dashed names that are put together from few words, as keys of messages and settings are."""
    share = column.share(patterns.is_route)
    if (
        share < 0.9
        or column.around.persons
        or column.around.companies
        or not (_is_composed(column) or column.share(likeness.is_common) >= 0.8)
    ):
        return None
    return harmless(
        0.75, column.counted(share, "are dotted or dashed names"), f"{len(column.texts.vocabulary)} different words make them up"
    )


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


def by_weak_name(column: Column) -> Finding | None:
    """Names that say little by themselves, where the rows are persons or belong to some."""
    around, name = column.around, column.name
    if name.flag or name.modified:
        return None
    for entity, strength in name.entities:
        if not WEAK <= strength < SURE or not fits(entity, column.texts):
            continue
        said = f"its name may read as {entity}"
        if entity in ("person_name", "given_name", "family_name") and around.persons and column.share(_is_code) < 0.3:
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


def _is_code(text: str) -> bool:
    return any(c.isdigit() for c in text)


def by_name_of_companies(column: Column) -> Finding | None:
    """`name` in a table of companies."""
    if not column.around.companies or column.closed or set(column.name.words) - {"name", "title", "nom", "nombre", "naam", "nome", "label"}:
        return None
    if not column.name.strength("person_name") and "title" not in column.name.words:
        return None
    return personal("company", 0.7, "it names the rows, which are companies")


def by_prose(column: Column) -> Finding | None:
    """Sentences: those that belong to persons are free text; others are public when no person is found in them."""
    texts = column.texts
    if texts.mean_words < 4 and texts.most_words < 9:
        return None
    if _names_things(column) and texts.mean_words < 8:
        return None
    said = f"{texts.distinct} different texts of up to {texts.most_words} words"
    looked = len(texts.values)
    hits = persons_in(texts.values, column.find)
    if hits:
        return personal("text", 0.9, said, f"persons, addresses or numbers are found in {hits} of {looked} texts")
    if column.around.personal and not _is_composed(column):
        return personal("text", 0.6, said, "the rows belong to persons")
    if column.name.strength("text") >= SURE and not column.closed:
        return personal("text", 0.6, said, "its name reads as text")
    if likeness_of_language(column) or _is_composed(column):
        return harmless(0.7, said, f"no person, address or number is found in {looked} of them", "the rows do not belong to persons")
    return unsure("free_text", said)


def _names_things(column: Column) -> bool:
    """Whether it is the name or title of things, which may be called after persons."""
    return (
        column.around.things
        and not column.around.persons
        and bool({"name", "title", "label", "titel", "titre", "titulo", "titolo", "naam", "nom", "nombre", "nome"} & set(column.name.words))
    )


def likeness_of_language(column: Column) -> bool:
    """Whether most texts are made of words that are known to be common, so that names in them would have been seen."""
    return column.share(likeness.is_common) >= HALF


def _is_composed(column: Column) -> bool:
    """Whether the texts are put together from few words, so that they are no free text."""
    texts = column.texts
    return len(texts.values) >= 20 and len(texts.vocabulary) <= 0.4 * len(texts.values)


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
    coded = column.share(lambda v: _is_code(v) and v.count(" ") <= 2)
    short = column.share(lambda v: v.isupper() and len(v) <= 5)
    if short >= 0.95 and texts.shapes <= 4 and not column.around.persons:
        return harmless(
            0.65, f"{texts.distinct} different codes of up to {texts.longest} capitals in {texts.rows} rows", "the rows are not persons"
        )
    if coded < 0.9 or texts.mean_words > 4:
        return None
    regular = texts.shapes <= max(6, 0.1 * len(texts.values)) or column.share(lambda v: v == v.upper() or v == v.lower()) >= 0.95
    said = f"{texts.distinct} different codes of {texts.shapes} forms in {texts.rows} rows"
    if column.name.person and (column.name.identifier or not column.name.harmless):
        return personal("person_id", 0.8, said, "its name reads as the number of a person")
    if column.around.persons and texts.repeats < 1.2 and texts.distinct >= 2:
        return personal("person_id", 0.6, said, "each row is a person, and has a code of its own")
    if regular:
        return harmless(0.75, said, "the rows are not persons, and the codes have no check digits of persons' numbers")
    return None


def by_phrases(column: Column) -> Finding | None:
    """Names of things: short phrases, in rows that are no persons, which names of persons are not."""
    texts = column.texts
    if column.around.persons and not _is_composed(column):
        return None
    people = max(column.share(likeness.is_person), column.share(likeness.is_written_like_person) if texts.distinct >= 20 else 0.0)
    common = column.share(likeness.is_common)
    said = column.counted(people, "are or look like names of persons")
    if people > 0.35 and common < HALF:
        return None
    contacts = contacts_in(texts.values)
    named = persons_in(texts.values, None) if column.around.personal and not _names_things(column) else 0
    if contacts >= (0.02 * len(texts.values) if _names_things(column) else 1) or named >= 0.05 * len(texts.values) > 0:
        return personal(
            "text", 0.7, said, f"persons, addresses or numbers are found in {max(contacts, named)} of {len(texts.values)} texts"
        )
    about = "the table's name is of things" if column.around.things else "its name is of nothing personal" if column.name.harmless else None
    if common >= 0.6:
        return harmless(0.7, said, column.counted(common, "are made of common words"))
    if _is_composed(column):
        return harmless(0.7, said, f"{len(texts.vocabulary)} different words make up {len(texts.values)} values")
    if about and people <= (0.35 if _names_things(column) else 0.2):
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


RULES: tuple[Rule, ...] = (
    without_values,
    by_pattern,
    by_address_of_page,
    by_check_digit,
    by_random_identifier,
    by_digest,
    by_social_security_form,
    by_sure_form,
    by_name,
    by_title_of_persons,
    by_few_values,
    by_phone,
    by_postcode,
    by_moment,
    by_number,
    by_harmless_pattern,
    by_company,
    by_names_of_persons,
    by_place,
    by_street_form,
    by_job,
    by_randomness,
    by_route,
    by_user_name,
    by_name_of_companies,
    by_weak_name,
    by_number_of_person,
    by_prose,
    by_code,
    by_phrases,
)
