"""Proposes a generator for a column from its name, type, constraints and checks, so that a reflected schema builds as it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from schemas.check_facts import ColumnFacts
from schemas.model import Recipe
from schemas.recipes import BY_NAME
from schemas.text_forms import form_of, is_formed, satisfies
from schemas.times import DAY, SECOND, format_moment, parse_moment, resolve_time_of_day
from schemas.types import FLOATS, INTEGER_RANGE, INTEGERS, TEXTS, SqlType

_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)")
SCALE = 10
_ROWS_OF_EMPTY = 10_000  # that a table without rows is to have room for

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


@dataclass(frozen=True)
class Wanted:
    """A column that needs a generator. `rows` is how many its table has; `others` are the columns made before it.

    `together` says that it is part of a unique combination of columns; `meaning` is the generator whose values its type in the
    database is for.
    """

    table: str
    name: str
    type: SqlType
    rows: int
    unique: bool
    key: bool
    facts: ColumnFacts
    others: dict[str, SqlType] = field(default_factory=dict)
    together: bool = False
    meaning: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(w.lower() for w in _SPLIT.split(self.name) if w)

    def has(self, *words: str) -> bool:
        """Whether the name contains one of the words, or ends in one written together."""
        joined = "".join(self.words)
        return any(w in self.words or (len(w) > 4 and w in joined) for w in words)

    @property
    def about(self) -> frozenset[str]:
        """The words of the table's name."""
        return frozenset(w.lower() for w in _SPLIT.split(self.table.rpartition(".")[2]) if w)


@dataclass(frozen=True)
class Proposal:
    """A recipe, and notes for the reader; `fixed` says that the table's rows cannot be multiplied."""

    recipe: Recipe
    notes: tuple[str, ...] = ()
    fixed: bool = False


def propose(column: Wanted) -> Proposal:
    """Return a recipe that satisfies what is known of a column."""
    if column.facts.values is not None:
        return _closed_list(column)
    kind = column.type.kind
    if kind in TEXTS:
        found = _text(column)
    elif kind in INTEGERS or kind in (*FLOATS, "numeric"):
        found = _number(column)
    elif kind in ("date", "timestamp", "timestamptz"):
        found = _moment(column)
    else:
        found = _other(column)
    return _made_unique(column, found) if column.unique else found


def _closed_list(column: Wanted) -> Proposal:
    allowed = [v for v in column.facts.values or () if allows(column.facts, v)]
    values = [_value(v, column.type) for v in allowed or column.facts.values or ()]
    length = column.facts.max_length if column.facts.max_length is not None else column.type.length
    if length is not None:
        values = [v for v in values if not isinstance(v, str) or len(v) <= length] or values
    if column.unique and len(values) < column.rows * SCALE:
        recipe = Recipe("choice", {"values": tuple((v, 1) for v in values)})
        return Proposal(recipe, (f"only {len(values)} different values are allowed and they are unique, so the rows do not scale",), True)
    return Proposal(Recipe("choice", {"values": tuple((v, 1) for v in values)}))


def allows(facts: ColumnFacts, value: Any) -> bool:
    """Whether the bounds and forms of `facts` allow a value of a closed list."""
    if isinstance(value, str):
        return satisfies(value, facts)
    if not isinstance(value, Decimal):
        return True
    low, high = facts.low, facts.high
    above = low is None or value > low or (value == low and not facts.open_low)
    return above and (high is None or value < high or (value == high and not facts.open_high))


def _value(value: Any, type: SqlType) -> Any:
    if isinstance(value, Decimal):
        if type.kind in INTEGERS:
            return int(value)
        return float(value) if type.kind in FLOATS else str(value)
    return value


# Text

_TextRule = tuple[Callable[[Wanted], bool], str | Callable[[Wanted], Recipe], int]


def _named(*words: str) -> Callable[[Wanted], bool]:
    return lambda c: c.has(*words)


def _recipe(name: str, **arguments: Any) -> Callable[[Wanted], Recipe]:
    return lambda column: Recipe(name, arguments)


def _name_of(column: Wanted) -> Recipe:
    if column.about & PEOPLE:
        return Recipe("person.name", {})
    if column.about & COMPANIES:
        return Recipe("company.name", {})
    if column.about & PRODUCTS:
        return Recipe("product.name", {})
    if column.about & {"country", "countries"}:
        return Recipe("address.country", {})
    if column.about & {"city", "cities", "town", "towns"}:
        return Recipe("address.city", {})
    if column.about & {"category", "categories"}:
        return Recipe("product.category", {})
    if column.about & {"department", "departments"}:
        return Recipe("company.department", {})
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
    (lambda c: c.has("job", "occupation", "profession", "position") or (c.has("title") and bool(c.about & PEOPLE)), "person.job", 6),
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
    length = min(_room(column), 10)
    if length >= 10:
        return Recipe("pattern", {"regex": "[A-Z]{3}-\\d{6}"})
    return Recipe("pattern", {"regex": f"[A-Z0-9]{{{max(length, 1)}}}"})


def _room(column: Wanted) -> int:
    lengths = [n for n in (column.type.length, column.facts.max_length) if n is not None]
    return min(lengths, default=1000)


def text_form(column: Wanted) -> str | None:
    """The regular expression that checks hold the column's texts to."""
    return form_of(column.facts, _room(column), column.rows * SCALE * 100 if column.unique else 0)


def _text(column: Wanted) -> Proposal:
    facts, room = column.facts, _room(column)
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


# Numbers

_MOST_UNITS = 4 * Decimal(10) ** 18  # generators count in 63 bits
_LARGE = ("price", "amount", "total", "cost", "fee", "salary", "balance", "revenue", "freight", "subtotal", "payment", "budget", "value")


def _number(column: Wanted) -> Proposal:
    low, high = _bounds(column)
    if column.key and column.type.kind in INTEGERS and column.facts.high is None:
        start = max(int(low), 1) if column.facts.low is not None else 1
        return Proposal(Recipe("sequence", {} if start == 1 else {"start": start}))
    if column.type.kind in (*INTEGERS, "numeric") and column.unique:
        return Proposal(Recipe("uniform", {"range": (_plain(low, column), _plain(high, column))}))
    for words, name, arguments in (
        (("latitude", "lat"), "geo.latitude", {}),
        (("longitude", "lon", "lng"), "geo.longitude", {}),
    ):
        if column.has(*words) and column.type.kind not in INTEGERS and low <= -180:
            return Proposal(Recipe(name, arguments))
    bounded = column.facts.low is not None and column.facts.high is not None
    if not bounded and column.together and column.type.kind in INTEGERS:
        span = Decimal(max(1000, column.rows))
        first = _lowest(column, low, high, Decimal(1), span)
        return Proposal(Recipe("uniform", {"range": (int(first), int(min(high, first + span)))}))
    if not bounded and column.has(*_LARGE) and high - max(low, Decimal(0)) >= 100:
        least = max(low, Decimal(0))
        median = least + (100 if high > 1000 else high / 10)
        given = {
            "median": _plain(median, column),
            "sigma": 1.0,
            "min": _plain(least, column),
            "max": _plain(min(high, median * 1000), column),
        }
        return Proposal(Recipe("lognormal", given))
    if not bounded:
        spans: tuple[tuple[tuple[str, ...], tuple[int, int]], ...] = (
            (("year",), (1990, 2026)),
            (("age",), (18, 80)),
            (("month",), (1, 12)),
            (("day",), (1, 28)),
            (("hour",), (0, 23)),
            (("rating", "stars", "score"), (1, 5)),
            (("percent", "percentage", "pct"), (0, 100)),
            (("discount", "rate", "ratio", "probability"), (0, 1)),
            (("quantity", "qty", "count", "units", "stock"), (1, 100)),
            (("milliseconds", "duration", "millis", "ms"), (1_000, 600_000)),
            (("bytes", "size"), (1_000, 20_000_000)),
        )
        for names, usual in spans:
            if column.has(*names) and low <= usual[0] and usual[1] <= high:
                return Proposal(Recipe("uniform", {"range": usual}))
        if column.type.kind in INTEGERS and column.words[:1] in (("is",), ("has",)) and low <= 0 and high >= 1:
            return Proposal(Recipe("boolean", {}))
        low = _lowest(column, low, high, Decimal(0), Decimal(1000))
        if column.facts.high is None:
            high = min(high, low + 1000)
    return Proposal(Recipe("uniform", {"range": (_plain(low, column), _plain(high, column))}))


def _lowest(column: Wanted, low: Decimal, high: Decimal, usual: Decimal, span: Decimal) -> Decimal:
    """Where numbers begin: at their own bound, else where they usually do, or `span` below a bound that lies under that."""
    if column.facts.low is not None:
        return low
    return max(low, usual if usual < high else high - max(span, abs(high)) if column.type.kind in FLOATS else high - span)


def _bounds(column: Wanted) -> tuple[Decimal, Decimal]:
    """The least and greatest value that type and checks allow, one step inside open bounds."""
    type, facts = column.type, column.facts
    said = max((abs(bound) for bound in (facts.low, facts.high) if bound is not None), default=Decimal(0))
    if type.kind in INTEGERS:
        most, step = Decimal(INTEGER_RANGE[type.kind]), Decimal(1)
    elif type.kind == "numeric":
        digits = (type.precision or 18) - type.decimals
        step = Decimal(1).scaleb(-type.decimals)
        most = min(Decimal(10) ** min(digits, 12) - step, _MOST_UNITS * step)
        most = max(most, min(10 * said, Decimal(10) ** digits - step, _MOST_UNITS * step))
    else:
        most = max(Decimal(10**6), 10 * said)
        step = max(Decimal("0.001"), Decimal(1).scaleb(said.adjusted() - (5 if type.kind == "real" else 12)))
    low, high = -most, most
    if facts.low is not None:
        low = max(low, _round(facts.low + (step if facts.open_low else 0), step, ROUND_CEILING))
    if facts.high is not None:
        high = min(high, _round(facts.high - (step if facts.open_high else 0), step, ROUND_FLOOR))
    return (low, high) if low <= high else (max(high, -most),) * 2


def _round(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (value / step).to_integral_value(rounding) * step


def _plain(value: Decimal, column: Wanted) -> int | float:
    return int(value) if column.type.kind in INTEGERS or value == value.to_integral_value() else float(value)


# Times

_LATER = ("updated", "modified", "changed", "end", "ended", "ends", "expires", "expired", "expiry", "due", "closed", "finished", "completed",
          "deleted", "cancelled", "canceled", "shipped", "required", "paid", "delivered", "return", "returned", "resolved", "until", "to",
          "last", "processed", "valid")  # fmt: skip
_FIRST, _LAST = parse_moment("0001-01-01"), parse_moment("9999-12-31")
_EARLIER = (
    "created",
    "start",
    "started",
    "starts",
    "from",
    "begin",
    "opened",
    "order",
    "ordered",
    "rental",
    "hired",
    "inserted",
    "registered",
    "issued",
)


def _moment(column: Wanted) -> Proposal:
    facts = column.facts
    strict = DAY if column.type.kind == "date" else 1_000_000
    for other, is_strict in facts.after:
        if other in column.others and column.others[other].kind in ("date", "timestamp", "timestamptz"):
            least = {"at_least": strict} if is_strict else {}
            return Proposal(Recipe("after", {"path": other, "within": 30 * DAY, **least, "until": "2y"}))
    if facts.low_text or facts.high_text:
        return Proposal(Recipe("between", {"period": _period(facts, strict)}))
    if column.has("birth", "birthday", "dob", "birthdate"):
        return Proposal(Recipe("person.birth_date", {}))
    if column.has(*_LATER) and not column.unique:
        for other, type in column.others.items():
            words = {w.lower() for w in _SPLIT.split(other)}
            if words & set(_EARLIER) and type.kind in ("date", "timestamp", "timestamptz"):
                return Proposal(Recipe("after", {"path": other, "within": 90 * DAY}))
    return Proposal(Recipe("between", {"period": ("-3y", "now")}))


def _period(facts: ColumnFacts, step: int) -> tuple[str, str]:
    """The moments that bounds leave, three years of them where one is missing."""
    try:
        low = None if facts.low_text is None else parse_moment(facts.low_text) + (step if facts.open_low else 0)
        high = None if facts.high_text is None else parse_moment(facts.high_text) - (step if facts.open_high else 0)
    except ValueError:
        return "-3y", "now"
    if low is None:
        low = (high or 0) - 3 * 365 * DAY
    high = low + 3 * 365 * DAY if high is None else high
    return _moment_of(low), _moment_of(high)


def _moment_of(microseconds: int) -> str:
    """A moment of the calendar's years, 1 to 9999."""
    return format_moment(min(max(microseconds, _FIRST), _LAST))


def _times_of_day(facts: ColumnFacts) -> tuple[str, str]:
    """The times of a day that bounds leave, those of an office where there are none."""
    if facts.low_text is None and facts.high_text is None:
        return "08:00", "18:00"
    try:
        low = resolve_time_of_day(facts.low_text or "00:00") + (SECOND if facts.open_low else 0)
        high = resolve_time_of_day(facts.high_text or "23:59:59") - (SECOND if facts.open_high else 0)
    except ValueError:
        return "08:00", "18:00"
    return _time_of_day(low), _time_of_day(high)


def _time_of_day(microseconds: int) -> str:
    return format_moment(min(max(microseconds, 0), DAY - SECOND))[11:19]


# The rest


def _other(column: Wanted) -> Proposal:
    type = column.type
    match type.kind:
        case "boolean":
            rare = column.has("deleted", "archived", "blocked", "locked", "disabled", "banned")
            common = column.has("active", "enabled", "verified", "visible", "published", "activebool")
            return Proposal(Recipe("boolean", {"share": 0.05 if rare else 0.9 if common else 0.5}))
        case "enum":
            return Proposal(Recipe("choice", {"values": tuple((v, 1) for v in type.values)}))
        case "uuid":
            return Proposal(Recipe("uuid4", {}))
        case "json":
            return Proposal(
                Recipe("json", {"fields": {"key": Recipe("words", {"count": 1}), "value": Recipe("uniform", {"range": (1, 100)})}})
            )
        case "bytes":
            most = 16 if column.facts.max_length is None else column.facts.max_length
            return Proposal(Recipe("bytes", {"length": max(min(16, most), column.facts.min_length)}))
        case "time":
            return Proposal(Recipe("between", {"period": _times_of_day(column.facts)}))
        case "interval":
            return Proposal(Recipe("exponential", {"mean": DAY, "max": 30 * DAY}))
        case "array":
            assert type.item is not None
            inner = propose(Wanted(column.table, column.name, type.item, column.rows, False, False, ColumnFacts()))
            return Proposal(Recipe("array", {"of": inner.recipe, "count": Recipe("uniform", {"range": (0, 3)})}), inner.notes)
    raise AssertionError(type)


# Unique columns

_SERIAL = frozenset((
    "person.first_name", "person.last_name", "person.name", "person.email", "person.username", "person.job", "address.street",
    "address.city", "address.postcode", "phone.number", "words", "sentences", "internet.email", "internet.domain",
    "internet.hostname", "internet.url", "internet.slug", "company.catch_phrase",
))  # fmt: skip


def _made_unique(column: Wanted, found: Proposal) -> Proposal:
    """Return a recipe whose values never repeat, also with ten times as many rows."""
    spec, rows = BY_NAME[found.recipe.name], column.rows * SCALE
    kind, room = column.type.kind, _room(column)
    if kind in TEXTS and not is_formed(column.facts):
        digits = len(str(2 * max(rows, 1)))
        roomy = spec.name == "uuid4" or room >= (40 if "." in spec.name and spec.name not in _SERIAL else digits + 26)
        if spec.unique and spec.name != "pattern" and spec.name != "choice" and roomy and column.facts.min_length <= 1:
            return found
        length = next((n for n in range(max(column.facts.min_length, 1), room + 1) if 36**n >= (rows or _ROWS_OF_EMPTY) * 100), room)
        if 36**length < column.rows:
            return Proposal(
                Recipe("pattern", {"regex": f"[A-Z0-9]{{{length}}}"}), ("too short for as many unique values as there are rows",), True
            )
        note = ("the column is short, so the rows do not scale",) if 36**length < rows else ()
        return Proposal(Recipe("pattern", {"regex": f"[A-Z0-9]{{{length}}}"}), note, bool(note))
    if kind in (*INTEGERS, "numeric"):
        return _unique_number(column, found, rows)
    bounded = column.facts.low_text is not None or column.facts.high_text is not None
    if kind in ("date", "timestamp", "timestamptz", "time") and not bounded:
        period = ("-80y", "now") if kind == "date" else ("00:00", "23:59:59") if kind == "time" else ("-3y", "now")
        fixed = kind == "date" and rows > 29_000
        return Proposal(Recipe("between", {"period": period}), ("a date has few values, so the rows do not scale",) if fixed else (), fixed)
    if kind == "interval":
        return Proposal(Recipe("uniform", {"range": (0, 30 * DAY)}))
    if kind == "boolean":
        found = Proposal(Recipe("choice", {"values": ((False, 1), (True, 1))}))
    elif spec.unique and spec.name != "choice":
        return found
    if found.recipe.name == "choice":
        few = len(found.recipe.args["values"])
        return Proposal(
            found.recipe, (f"only {few} different values are allowed and they are unique, so the rows do not scale",), few < rows
        )
    return Proposal(found.recipe, (f"unique, which no generator for {column.type} can promise: change its type or drop the constraint",))


def _unique_number(column: Wanted, found: Proposal, rows: int) -> Proposal:
    if found.recipe.name == "sequence":
        return found
    low, high = _bounds(column)
    span = max(Decimal(rows * 10), Decimal(1000))
    if column.facts.low is None:
        low = max(low, min(Decimal(1), high - span) if column.facts.high is not None else Decimal(1))
    step = Decimal(1)
    if high - low < rows and column.type.kind == "numeric":
        step = Decimal(1).scaleb(-column.type.decimals)
    wanted = min(high, low + span * step)
    fixed = (wanted - low) / step + 1 < rows
    notes = ("its range is small, so the rows do not scale",) if fixed else ()
    return Proposal(Recipe("uniform", {"range": (_plain(low, column), _plain(wanted, column))}), notes, fixed)
