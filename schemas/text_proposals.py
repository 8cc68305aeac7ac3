"""Generators for texts, by the column's name, the forms that its checks hold it to, and its room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.model import Recipe
from schemas.text_forms import form_of
from schemas.wanted import SCALE, Proposal, Wanted

PEOPLE = frozenset((
    "user", "users", "customer", "customers", "employee", "employees", "person", "persons", "people", "contact", "contacts",
    "member", "members", "student", "students", "patient", "patients", "author", "authors", "actor", "actors", "artist",
    "artists", "staff", "owner", "owners", "driver", "drivers", "player", "players", "teacher", "teachers", "director",
    "directors", "guest", "guests",
))  # fmt: skip
COMPANIES = frozenset((
    "company", "companies", "supplier", "suppliers", "vendor", "vendors", "organisation", "organization", "organizations",
    "organisations", "tenant", "tenants", "publisher", "publishers", "brand", "brands", "shipper", "shippers", "client",
    "clients", "manufacturer", "manufacturers", "account", "accounts", "store", "stores", "agency", "agencies",
))  # fmt: skip
PRODUCTS = frozenset((
    "product", "products", "item", "items", "article", "articles", "part", "parts", "goods", "sku",
))  # fmt: skip

# what the rows of a table are, and how they are called
_NAMES = (
    (PEOPLE, "person.name"), (COMPANIES, "company.name"), (PRODUCTS, "product.name"), ({"country", "countries"}, "address.country"),
    ({"city", "cities", "town", "towns"}, "address.city"), ({"category", "categories"}, "product.category"),
    ({"department", "departments"}, "company.department"),
)  # fmt: skip

_TextRule = tuple[Callable[[Wanted], bool], str | Callable[[Wanted], Recipe], int]


def _named(*words: str) -> Callable[[Wanted], bool]:
    return lambda c: c.has(*words)


def _recipe(name: str, **arguments: Any) -> Callable[[Wanted], Recipe]:
    return lambda column: Recipe(name, arguments)


def _name_of(column: Wanted) -> Recipe:
    if column.names_rows:
        for heads, recipe in _NAMES:
            if column.head in heads:
                return Recipe(recipe, {})
    return Recipe("words", {"count": Recipe("uniform", {"range": (1, 3)})})


def _choices(*values: str) -> Callable[[Wanted], Recipe]:
    def made(column: Wanted) -> Recipe:
        length = column.type.length or 1000
        fitting = [v for v in values if len(v) <= length] or [v[:length] for v in values]
        return Recipe("choice", {"values": tuple((v, 1) for v in dict.fromkeys(fitting))})

    return made


# What a name means, the shortest column (in characters) that it makes sense in, the most particular first.
_TEXT_RULES: tuple[_TextRule, ...] = (
    (_named("email", "mail", "e_mail"), "person.email", 20),
    (lambda c: (c.has("first", "given", "forename", "firstname") or "fname" in c.words) and not c.has("date", "at"), "person.first_name", 3),
    (lambda c: c.has("middle"), _recipe("person.first_name", of="middle"), 3),
    (lambda c: (c.has("last", "surname", "family", "lastname") or "lname" in c.words) and not c.has("date", "at"), "person.last_name", 3),
    (lambda c: c.has("username", "login", "nick", "nickname", "handle") or ("user" in c.words and "name" in c.words), "person.username", 8),
    (lambda c: c.has("iban"), "finance.iban", 27),
    (lambda c: c.has("bic", "swift"), "finance.bic", 11),
    (lambda c: c.has("card", "pan") and c.has("number", "no", "card", "pan") and not c.has("type", "id"), "finance.card", 16),
    (_named("currency"), "finance.currency", 3),
    (_named("ssn"), "person.ssn", 11),
    (_named("phone", "mobile", "tel", "telephone", "fax", "cell"), "phone.number", 10),
    (lambda c: c.has("user") and c.has("agent"), "internet.user_agent", 20),
    (lambda c: c.has("ip", "ipv4") or (c.has("ip") and c.has("address")), "internet.ipv4", 12),
    (_named("mac"), "internet.mac", 17),
    (_named("url", "website", "link", "homepage", "uri", "href"), "internet.url", 20),
    (_named("domain"), "internet.domain", 12),
    (_named("host", "hostname"), "internet.hostname", 16),
    (lambda c: c.has("address") and c.has("2", "second"), _recipe("pattern", regex="Apt\\. [1-9]\\d{0,2}"), 8),
    (_named("street", "address", "addr", "line1"), "address.street", 10),
    (_named("city", "town"), "address.city", 5),
    (_named("zip", "postal", "postcode", "zipcode", "postalcode", "plz"), "address.postcode", 4),
    (lambda c: c.has("country") and (c.has("code", "iso") or (c.type.length or 99) <= 3), "address.country_code", 2),
    (_named("country", "nation"), "address.country", 5),
    (_named("state", "region", "province", "county", "district"), "address.state", 4),
    (_named("gender", "sex"), "person.gender", 1),
    (_named("salutation", "honorific", "prefix"), "person.prefix", 3),
    (_named("timezone", "tz"), "geo.timezone", 12),
    (_named("locale", "language", "lang"), "geo.locale", 5),
    (_named("company", "employer", "organisation", "organization"), "company.name", 6),
    (_named("industry", "sector"), "company.industry", 6),
    (_named("department", "dept"), "company.department", 5),
    (lambda c: c.has("job", "occupation", "profession", "position") or (c.has("title") and c.head in PEOPLE), "person.job", 6),
    (_named("password", "passwd", "hash", "digest", "checksum", "sha256", "md5"), "internet.hash", 8),
    (_named("token", "secret", "apikey"), "internet.token", 8),
    (_named("slug"), "internet.slug", 8),
    (_named("ean", "barcode", "gtin", "upc"), "product.ean", 13),
    (_named("sku"), "product.sku", 5),
    (_named("category"), "product.category", 5),
    (_named("color", "colour"), _choices("red", "blue", "green", "black", "white", "yellow", "grey"), 3),
    (_named("status"), _choices("active", "inactive", "pending", "closed"), 1),
    (_named("type", "kind", "class", "level"), _choices("standard", "basic", "extended", "special"), 1),
    (_named("version"), _recipe("pattern", regex="[1-9]\\.\\d\\.\\d"), 5),
    (_named("composer", "author", "contact", "owner", "manager", "recipient"), "person.name", 8),
    (_named("description", "notes", "note", "comment", "comments", "body", "content", "text", "message", "summary", "remarks", "bio", "review"),
     _recipe("sentences", count=Recipe("uniform", {"range": (1, 3)})), 20),
    (lambda c: c.words[-1:] == ("name",) and (c.has("full", "contact", "customer", "display", "ship") or bool(set(c.words[:-1]) & PEOPLE)), "person.name", 6),
    (lambda c: bool(set(c.words[:-1]) & COMPANIES) and c.words[-1:] == ("name",), "company.name", 6),
    (lambda c: bool(set(c.words[:-1]) & PRODUCTS) and c.words[-1:] == ("name",), "product.name", 6),
    (lambda c: c.words[-1:] == ("name",) or c.words == ("name",), _name_of, 4),
    (_named("title", "subject", "headline", "label", "caption"), _recipe("words", count=Recipe("uniform", {"range": (2, 5)})), 6),
    (lambda c: c.has("code", "number", "no", "num", "ref", "reference", "id", "abbreviation", "abbr"), lambda c: _code(c), 1),
)  # fmt: skip


def _code(column: Wanted) -> Recipe:
    length = min(column.room, 10)
    if length >= 10:
        return Recipe("pattern", {"regex": "[A-Z]{3}-\\d{6}"})
    return Recipe("pattern", {"regex": f"[A-Z0-9]{{{max(length, 1)}}}"})


def text_form(column: Wanted) -> str | None:
    """The regular expression that checks hold the column's texts to."""
    different = column.rows * SCALE * 100 if column.unique else 0
    return form_of(column.facts, column.room, different, filling=column.type.kind == "char")


def propose_text(column: Wanted) -> Proposal:
    """Return a recipe of texts."""
    facts, room = column.facts, column.room
    form = text_form(column)
    if form is not None:
        return Proposal(Recipe("pattern", {"regex": form}))
    if facts.min_length > 1 or (facts.max_length is not None and facts.max_length < (column.type.length or 10**9)):
        least = max(facts.min_length, 1)
        most = max(min(room, max(least, 12)), least)
        return Proposal(Recipe("pattern", {"regex": f"[a-z]{{{least},{most}}}" if most > least else f"[A-Z]{{{least}}}"}))
    if column.meaning is not None:
        return Proposal(Recipe(column.meaning, {}))
    if (room == 36 and column.has("id", "key")) or (room >= 36 and column.has("uuid", "guid")):
        return Proposal(Recipe("uuid4", {}))
    for applies, made, shortest in _TEXT_RULES:
        if room >= shortest and applies(column):
            recipe = Recipe(made, {}) if isinstance(made, str) else made(column)
            if recipe.name == "choice" and column.together and not column.rows:
                break  # a few invented values leave little room in a table that was empty
            return Proposal(recipe)
    if room < 8:
        return Proposal(Recipe("pattern", {"regex": f"[a-z]{{{1 if room == 1 else min(room, 3)}}}"}))
    return Proposal(Recipe("words", {"count": Recipe("uniform", {"range": (1, 3)})}))
