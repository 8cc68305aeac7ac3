"""The catalogue of generators: their names, parameters and the column types they fit.

This is vocabulary only; `datagen` gives each name its meaning (a test holds the two together). The reader, the published
JSON Schema and the reference page are all made from this one tuple.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas.model import Recipe
from schemas.types import FLOATS, INTEGERS, MOMENTS, TEXTS, TIMES

TEXTUAL = (*TEXTS, "enum")
NUMBERS = (*INTEGERS, "numeric", *FLOATS)
MEASURES = (*NUMBERS, "interval")
ANY = (*NUMBERS, *TEXTUAL, "boolean", *TIMES, "interval", "uuid", "json", "bytes", "array")
SINGLE = tuple(kind for kind in ANY if kind != "array")

SEASON_NAMES = ("none", "office", "retail", "travel")

PARAMETER_KINDS = {
    "number": "a number",
    "integer": "a whole number",
    "text": "text",
    "boolean": "true or false",
    "share": "a number from 0 to 1",
    "duration": "a length of time such as 90s, 15m, 8h, 3d, 2w, 6mo, 2y (mo = 30 days, y = 365 days)",
    "moment": "a date, a time stamp, `now` (the anchor) or an offset from it such as -3y",
    "limit": "a moment, or a column with a date or time stamp; where that is null, `now`",
    "measure": "a number, or for intervals a duration",
    "range": "two values: [lowest, highest]",
    "period": "two moments: [from, to]",
    "path": "a column of this row, or `reference.column` of the row it references",
    "child": "a column of a table that references this one: `table.column`",
    "table": "a table that references this one",
    "distribution": "a number, or one of the distributions (uniform, normal, lognormal, zipf, exponential, poisson, beta, histogram)",
    "span": "a length of time, or one of the continuous distributions over lengths of time",
    "recipe": "a generator",
    "recipes": "a mapping from names to generators",
    "case": "a generator; in the `count` of `rows`, a number or a distribution over whole numbers, or `from`, `expression`, `cases`",
    "cases": "a mapping from values to generators (in the `count` of `rows`, to what may stand there)",
    "weights": "a list of values, or a mapping from values to weights",
    "scalars": "a list of values",
    "numbers": "a list of numbers",
    "measures": "a list of numbers, or for intervals of durations",
    "scalar": "a value",
    "states": "a mapping from each state to the states that may follow it, with their chances",
    "dwell": "a duration, or a mapping from states to durations",
    "rhythm": "office, evening, always, or {days: [7 weights, Monday first], hours: [24 weights]}",
    "season": f"{', '.join(SEASON_NAMES)}, or a list of 12 weights, January first",
    "zone": "a time zone such as Europe/Berlin or UTC, or a column that has one",
    "grammar": "a mapping from symbols to lists of phrases with {placeholders}",
    "locale": "a locale name such as de_DE, or a mapping from locales to weights",
    "arguments": "a mapping of arguments",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a generator; `kind` is a key of `PARAMETER_KINDS`."""

    name: str
    kind: str
    doc: str
    required: bool = False
    default: object = None


@dataclass(frozen=True, slots=True)
class Generator:
    """One generator of the catalogue.

    `main` names the parameter that `{name: VALUE}` sets; the others stand beside it. Where `main` is None, the value may
    be a mapping of parameters. `unique` tells whether it can serve a unique column. `semantic` generators name a semantic
    type, and `data_class` is the class a column gets from it unless it says otherwise.
    """

    name: str
    doc: str
    fits: tuple[str, ...]
    main: str | None = None
    parameters: tuple[Parameter, ...] = ()
    unique: bool = False
    semantic: bool = False
    data_class: str = "internal"
    example: str = ""

    @property
    def room(self) -> str:
        """The topic before the dot of a semantic name, else `general`."""
        return self.name.partition(".")[0] if "." in self.name else "general"

    def parameter(self, name: str) -> Parameter | None:
        return next((p for p in self.parameters if p.name == name), None)


def _p(name: str, kind: str, doc: str, required: bool = False, default: object = None) -> Parameter:
    return Parameter(name, kind, doc, required, default)


_BOUNDS = (
    _p("min", "measure", "no value below this"),
    _p("max", "measure", "no value above this"),
    _p("step", "measure", "round down to a multiple of this"),
)
_RHYTHM = _p("rhythm", "rhythm", "the hours and weekdays at which it happens", default="always")
_ZONE = _p("zone", "zone", "the clock by which the rhythm goes; UTC where it is left out")
_SHAPE = (
    _p("yearly_growth", "number", "how many times as often it happens from one year to the next", default=1.0),
    _p("season", "season", "how often it happens in each month", default="none"),
    _RHYTHM,
    _ZONE,
)
_WAITS = (
    _p(
        "rhythm",
        "rhythm",
        "the hours and weekdays at which it happens: waits pass faster in busy ones, and in a week as they say",
        default="always",
    ),
    _ZONE,
)
_LOCALE = _p("locale", "locale", "instead of the table's or the schema's locales")
_OF = _p("of", "text", "which person of the row (columns with the same `of` are one person)", default="person")

DISTRIBUTIONS = (
    Generator("uniform", "Every value between two bounds, both included, equally likely.", MEASURES, "range",
              (_p("range", "range", "[lowest, highest]", True), _p("step", "measure", "round down to a multiple of this")), True,
              example="{uniform: [1, 100]}"),
    Generator("normal", "The normal distribution, cut (not clamped) at min and max.", MEASURES, None,
              (_p("mean", "measure", "the middle", True), _p("sd", "measure", "the standard deviation", True), *_BOUNDS),
              example="{normal: {mean: 40, sd: 12}, min: 18}"),
    Generator("lognormal", "A normal distribution of the logarithm: many small values, few large ones.", MEASURES, None,
              (_p("median", "measure", "half of the values lie below", True), _p("sigma", "number", "standard deviation of the natural logarithm", True), *_BOUNDS),
              example="{lognormal: {median: 50, sigma: 1.2}, max: 10000}"),
    Generator("exponential", "Waiting times: the chance falls by the same factor with every step.", MEASURES, "mean",
              (_p("mean", "measure", "the mean", True), *_BOUNDS), example="{exponential: 30}"),
    Generator("beta", "The beta distribution stretched over [min, max].", MEASURES, None,
              (_p("a", "number", "first shape", True), _p("b", "number", "second shape", True),
               _p("min", "measure", "the lowest value", default=0), _p("max", "measure", "the highest value", default=1),
               _p("step", "measure", "round down to a multiple of this")),
              example="{beta: {a: 2, b: 5}, min: 0, max: 100}"),
    Generator("poisson", "Counts of independent events.", MEASURES, "mean", (_p("mean", "number", "the mean", True), *_BOUNDS),
              example="{poisson: 24}"),
    Generator("zipf", "Ranks: value k has a chance proportional to k to the power of -exponent, from min to max.", MEASURES, "exponent",
              (_p("exponent", "number", "the exponent, above 0", True), _p("min", "integer", "the lowest value", default=1),
               _p("max", "integer", "the highest value", default=100_000)),
              example="{zipf: 1.3, min: 1, max: 5000}"),
    Generator("histogram", "Weights over intervals that you give; uniform inside an interval.", MEASURES, None,
              (_p("edges", "measures", "n+1 rising edges", True), _p("weights", "numbers", "n weights", True), _p("step", "measure", "round down to a multiple of this")),
              example="{histogram: {edges: [0, 10, 50, 100], weights: [5, 3, 1]}}"),
)  # fmt: skip

_GENERAL = (
    Generator("sequence", "Consecutive numbers, one a row.", (*INTEGERS, "numeric", *TEXTS), "start",
              (_p("start", "integer", "the first number", default=1), _p("step", "integer", "the difference between two rows", default=1),
               _p("run", "integer", "skip numbers after each so many rows; without it none are skipped"),
               _p("skip", "integer", "how many numbers are skipped there", default=0),
               _p("format", "text", "for text columns: a template with {n}, such as INV-{n:06}"),
               _p("gaps", "integer", "leave room for further rows: 1 of so many numbers is used, by chance, and nearby rows in no order", default=1)),
              True, example="{sequence: 1000}"),
    Generator("ordinal", "The place of a row among the children of its parent (`rows: {per: ...}`), such as a line number.", NUMBERS, "start",
              (_p("start", "integer", "the first number", default=1),), False, example="ordinal"),
    Generator("uuid4", "Random uuids (RFC 9562 version 4).", ("uuid", *TEXTS), unique=True, example="uuid4"),
    Generator("uuid7", "Time-ordered uuids (RFC 9562 version 7).", ("uuid", *TEXTS), "at",
              (_p("at", "path", "the column with the time, where that is null there is no uuid; without it the times rise by row up to the anchor"),), True, example="{uuid7: created_at}"),
    Generator("boolean", "true with the given chance.", ("boolean", *INTEGERS), "share", (_p("share", "share", "the chance of true", default=0.5),), example="{boolean: 0.8}"),
    Generator("choice", "One of the given values, by weight.", ANY, "values", (_p("values", "weights", "the values", True),), True,
              example="{choice: {free: 60, pro: 30, enterprise: 10}}"),
    Generator("list", "The given values in turn: row 1 has the first.", ANY, "values", (_p("values", "scalars", "the values", True),), True,
              example="{list: [admin, member, guest]}"),
    Generator("constant", "Always the same value; `null` for none.", ANY, "value", (_p("value", "scalar", "the value", True),), example="{constant: USD}"),
    Generator("bytes", "Random bytes.", ("bytes",), "length", (_p("length", "distribution", "how many bytes", default=16),), True, example="{bytes: 32}"),
)  # fmt: skip

_TIME = (
    Generator("between", "A time in a period.", (*TIMES,), "period",
              (_p("period", "period", "[from, to]; times of day for `time` columns", True), *_SHAPE,
               _p("growth", "number", "how many times as dense the end of the period is as its beginning", default=1.0),
               _p("step", "duration", "round down to a multiple of this")), True, example="{between: [-3y, now], rhythm: office}"),
    Generator("after", "A time after that of another column; never after `until`.", MOMENTS, "path",
              (_p("path", "path", "the earlier column", True), _p("within", "duration", "the longest wait", True),
               _p("at_least", "duration", "the shortest wait", default=0), _p("mean", "duration", "waits are exponential with this mean, not uniform"),
               _p("until", "limit", "no later than this, unless `at_least` demands it", default="now"), *_SHAPE), example="{after: tenants.created_at, within: 2y}"),
    Generator("before", "A time before that of another column.", MOMENTS, "path",
              (_p("path", "path", "the later column", True), _p("within", "duration", "the longest distance", True), _p("at_least", "duration", "the shortest distance", default=0)),
              example="{before: renewed_at, within: 30d}"),
    Generator("states", "A status that moves through a state machine, from its first state until `until` or a state with no way out, by 10,000 moves at the most.", TEXTUAL, "machine",
              (_p("machine", "states", "what may follow each state; chances that sum to less than 1 leave the rest where they are", True),
               _p("start", "path", "the time at which a row enters the first state; by default its column created_at, where there is one"),
               _p("dwell", "dwell", "mean time in a state; a day where none is given", default=86_400_000_000),
               _p("factor", "path", "a number by which the times in all states are multiplied, 0.2 where a row moves five times as fast; null is 1"),
               _p("until", "moment", "the state is that of this moment", default="now"), *_WAITS),
              example="{states: {draft: {open: 1}, open: {paid: 0.9, overdue: 0.1}, overdue: {paid: 0.7, void: 0.3}}}"),
    Generator("entered", "When the status column entered a state; null where it never did, and where that column is null. `any` is the latest change.", MOMENTS, "state",
              (_p("state", "text", "the state, or `any`", True), _p("of", "path", "the status column", True)), example="{entered: paid, of: status}"),
    Generator("slot", "When a slot begins: the rows of one parent (`rows: {per: ...}`) take up slots one after the other, in their order, and none overlaps another.",
              ("timestamp", "timestamptz"), None,
              (_p("gap", "span", "the free time before each slot", True), _p("length", "span", "how long each is; without it slots are moments in order", default=0),
               _p("after", "path", "a time of the parent, from which its first gap counts"), _p("from", "moment", "instead of `after`: the same moment for all parents"),
               _p("until", "limit", "all end by then, a moment or a time of the parent: where they would not, the gaps of that parent shrink in proportion, then the lengths"),
               _p("factor", "path", "a number of the parent by which its gaps are multiplied; null is 1"), *_WAITS),
              example="{slot: {gap: {exponential: 6h}, length: {uniform: [15m, 2h]}, after: tenants.created_at}}"),
    Generator("slot_end", "When the slot of another column ends; null where that column is.", ("timestamp", "timestamptz"), "of", (_p("of", "path", "the column made by `slot`", True),),
              example="{slot_end: starts_at}"),
)  # fmt: skip

_TEXT = (
    Generator("template", "Text with {placeholders}: columns, reference.column, generators, {row}, {row:06}.", TEXTS, "text",
              (_p("text", "text", "the template", True), _LOCALE), example='{template: "ORD-{row:08}"}', unique=True),
    Generator("pattern", "Text that matches a regular expression (literals, classes, \\d \\w, groups, |, ?, {n}, {n,m}).", TEXTS, "regex",
              (_p("regex", "text", "the regular expression", True),), True, example='{pattern: "[A-Z]{2}-\\\\d{4}"}'),
    Generator("words", "Words, of lorem ipsum unless given.", TEXTS, "count",
              (_p("count", "distribution", "how many words, at most 2,000", default=3), _p("of", "scalars", "the words to draw from"),
               _p("distinct", "boolean", "no word stands twice in a text", default=False)), True, example="{words: 5}"),
    Generator("sentences", "Lorem ipsum sentences.", TEXTS, "count", (_p("count", "distribution", "how many sentences, at most 2,000", default=2),), True, example="{sentences: {uniform: [1, 4]}}"),
    Generator("grammar", "Phrases from a grammar: `start` is expanded, {symbol} by one of its phrases, {column} and {generator} by their values.", TEXTS, "rules",
              (_p("rules", "grammar", "the symbols; one of them is `start`", True), _LOCALE),
              example='{grammar: {start: ["{verb} {noun}"], verb: [Fix, Add], noun: [login, export]}}', unique=True),
    Generator("excerpt", "A piece of one long text, made once from a grammar and cut anywhere: the columns with the same grammar share it.", TEXTS, "length",
              (_p("length", "distribution", "how many characters", True), _p("rules", "grammar", "the symbols; `start` makes a sentence; lorem ipsum sentences unless given"),
               _p("size", "integer", "how many characters the long text has", default=250_000)),
              example="{excerpt: {uniform: [10, 43]}}"),
    Generator("json", "A JSON document.", ("json", *TEXTS), "fields", (_p("fields", "recipes", "its members", True),), example="{json: {ip: internet.ipv4, tries: {uniform: [1, 5]}}}"),
    Generator("array", "An array.", ("array", "json"), "of",
              (_p("of", "recipe", "how its items are made", True), _p("count", "distribution", "how many items", default=3),
               _p("distinct", "boolean", "no item stands twice in an array; for choice, uniform and between", default=False)), example="{array: {choice: [red, blue]}, count: {uniform: [0, 4]}}"),
)  # fmt: skip

_FIRST = _p("first", "integer", "only the first so many rows have a file; the others are null")

_MEDIA = (
    Generator("media.logo", "The path of a logo, drawn for the row: a mark with the name beside it (SVG), or the mark alone (PNG).", TEXTS, "of",
              (_p("of", "path", "the column with the name", True), _p("format", "text", "svg or png", default="svg"), _FIRST), True,
              example="{media.logo: country}"),
    Generator("media.avatar", "The path of a picture of nobody (PNG or SVG).", TEXTS, None,
              (_p("format", "text", "png or svg", default="png"), _FIRST), True, example="media.avatar"),
    Generator("media.document", "The path of a document (PDF), such as an invoice.", TEXTS, "title",
              (_p("title", "text", "a template, as of the generator `template`", True), _p("letterhead", "text", "a template: who it is from", default=""),
               _p("lines", "scalars", "templates; in `label | value` the value stands at the right margin, and `\"\"` leaves a line free"), _FIRST), True,
              example='{media.document: "Invoice {row:06}", letterhead: "Example Inc.", lines: ["Due on receipt", "Total | {unit_price}"]}'),
)  # fmt: skip

_DERIVED = (
    Generator("cases", "One generator or another, by the value of a column of this row or of a row that it references.", ANY, "cases",
              (_p("cases", "cases", "what makes the value, for each value of `by`", True), _p("by", "path", "a column of texts, whole numbers or truths", True),
               _p("else", "case", "for every other value, and for none; needed unless all values have a case")),
              example="{by: country, cases: {US: {choice: {card: 80, wire: 20}}, DE: {choice: [card, debit]}}, else: {constant: card}}"),
    Generator("from", "The value of another column of this row, or of the row it references.", ANY, "path", (_p("path", "path", "the column", True),),
              example="{from: ticket_id.tenant_id}"),
    Generator("expression", "A SQL expression over the columns of the row; `anchor()` in it is the data's now.", ANY, "sql", (_p("sql", "text", "the expression", True),), example='{expression: "quantity * unit_price"}'),
    Generator("sum", "The sum of a column over the rows that reference this one.", MEASURES, "child", (_p("child", "child", "the column", True),), example="{sum: invoice_lines.amount}"),
    Generator("count", "How many rows reference this one.", NUMBERS, "table", (_p("table", "table", "the table", True),), example="{count: invoice_lines}"),
    Generator("earliest", "The least value of a column over the rows that reference this one; null where there are none. In a reference to them, of their key, it names the first of them: the lead of a team is of the team with `{references: users.id, generate: {earliest: users.id}}`.", (*NUMBERS, *MOMENTS), "child",
              (_p("child", "child", "the column", True),), example="{earliest: ticket_messages.created_at}"),
    Generator("latest", "The greatest value of a column over the rows that reference this one; null where there are none.", (*NUMBERS, *MOMENTS), "child",
              (_p("child", "child", "the column", True),), example="{latest: ticket_messages.created_at}"),
    Generator("faker", "Any Faker provider by name.", SINGLE, "provider",
              (_p("provider", "text", "the name of its method", True), _p("args", "arguments", "keyword arguments"),
               _p("pool", "integer", "how many values are harvested", default=2000), _LOCALE), True, example="{faker: catch_phrase}"),
    Generator("mimesis", "Any Mimesis provider by name.", SINGLE, "provider",
              (_p("provider", "text", "provider.method", True), _p("args", "arguments", "keyword arguments"),
               _p("pool", "integer", "how many values are harvested", default=2000), _LOCALE), True, example="{mimesis: food.fruit}"),
)  # fmt: skip


def _semantic(name: str, doc: str, *, fits: tuple[str, ...] = TEXTS, data_class: str = "internal", unique: bool = True,
              parameters: tuple[Parameter, ...] = (), main: str | None = None) -> Generator:  # fmt: skip
    return Generator(name, doc, fits, main, parameters, unique, True, data_class, name)


_PERSON = (_OF, _LOCALE)
_DOMAIN = _p("domain", "path", "a column with the domain to use, such as that of the person's company")
_DOMAINS = _p("domains", "scalars", "domains to use instead of those reserved for examples")

_SEMANTIC = (
    _semantic("person.name", "A full name, in the order of the locale.", data_class="personal", parameters=_PERSON),
    _semantic("person.first_name", "A given name that fits the person's gender and locale.", data_class="personal", parameters=_PERSON),
    _semantic("person.last_name", "A family name.", data_class="personal", parameters=_PERSON),
    _semantic("person.gender", "female or male (or f/m, F/M where the column is that short).", fits=TEXTUAL, data_class="personal", parameters=_PERSON, unique=False),
    _semantic("person.prefix", "A form of address such as Ms. or Herr.", parameters=_PERSON, unique=False),
    _semantic("person.email", "An e-mail address made of the person's name, in a domain reserved for examples.", data_class="personal", parameters=(*_PERSON, _DOMAIN, _DOMAINS)),
    _semantic("person.username", "A user name made of the person's name.", data_class="personal", parameters=_PERSON),
    _semantic("person.birth_date", "A date of birth.", fits=MOMENTS, data_class="personal", unique=False,
              parameters=(*_PERSON, _p("min_age", "integer", "youngest age at the anchor", default=18), _p("max_age", "integer", "oldest age at the anchor", default=80))),
    _semantic("person.job", "A job title.", parameters=_PERSON),
    _semantic("person.ssn", "A US social security number from the range that is never issued (9xx).", data_class="sensitive", parameters=(_OF,)),
    _semantic("company.name", "The name of a company.", parameters=(_LOCALE,)),
    _semantic("company.domain", "A domain reserved for examples that carries the name of a company.",
              parameters=(_p("of", "path", "the column with the name of the company; without it the name is any"), _LOCALE), main="of"),
    _semantic("company.catch_phrase", "A catch phrase.", parameters=(_LOCALE,)),
    _semantic("company.department", "A department of a company.", unique=False),
    _semantic("company.industry", "An industry.", unique=False,
              parameters=(_p("of", "path", "the column with the name of the company, in which its field may stand"),), main="of"),
    _semantic("address.street", "A street with a house number.", data_class="personal", parameters=_PERSON),
    _semantic("address.city", "A city.", data_class="personal", parameters=_PERSON),
    _semantic("address.state", "A state, province or region.", parameters=_PERSON, unique=False),
    _semantic("address.postcode", "A postal code in the locale's form.", data_class="personal", parameters=_PERSON),
    _semantic("address.country", "The country of the locale.", parameters=_PERSON, unique=False),
    _semantic("address.country_code", "The ISO 3166 code of the locale's country.", parameters=_PERSON, unique=False),
    _semantic("address.full", "A whole address on one line.", data_class="personal", parameters=_PERSON),
    _semantic("internet.email", "An e-mail address of no person (info@, sales@ ...).", parameters=(_DOMAINS,)),
    _semantic("internet.domain", "A domain reserved for examples."),
    _semantic("internet.url", "A URL in a domain reserved for examples."),
    _semantic("internet.hostname", "A host name in a domain reserved for examples."),
    _semantic("internet.ipv4", "An IPv4 address from the ranges reserved for documentation (RFC 5737).", data_class="personal", unique=False),
    _semantic("internet.ipv6", "An IPv6 address from the range reserved for documentation (RFC 3849).", data_class="personal"),
    _semantic("internet.mac", "A locally administered MAC address."),
    _semantic("internet.user_agent", "The user agent of a browser.", unique=False,
              parameters=(_p("at", "path", "a date or time: the version is one of then, not of today"),
                          _p("of", "path", "a column of whole numbers, such as that of the device: each has one browser, which it keeps"))),
    _semantic("internet.slug", "Words joined by hyphens."),
    _semantic("internet.token", "A random token of letters and digits.", main="length",
              parameters=(_p("length", "integer", "how many characters", default=32), _p("prefix", "text", "what it begins with", default="")), data_class="sensitive"),
    _semantic("internet.hash", "Hexadecimal digits, as of a digest.", main="length", parameters=(_p("length", "integer", "how many digits", default=64),)),
    _semantic("phone.number", "A phone number from the ranges reserved for fiction.", data_class="personal", parameters=_PERSON),
    _semantic("finance.card", "A card number in the ranges for tests, with a valid Luhn digit.", data_class="sensitive"),
    _semantic("finance.iban", "An IBAN with valid check digits and a bank that does not exist.", data_class="sensitive", parameters=(_LOCALE,)),
    _semantic("finance.bic", "A BIC of a bank that does not exist.", parameters=(_LOCALE,)),
    _semantic("finance.currency", "The ISO 4217 code of a currency.", unique=False),
    _semantic("finance.price", "A price as shops write it (mostly ending in .99, .95, .50 or .00).", fits=NUMBERS, unique=False,
              parameters=(_p("min", "number", "the lowest", default=1), _p("max", "number", "the highest", default=500))),
    _semantic("finance.account", "A bank account number.", data_class="sensitive"),
    _semantic("product.name", "The name of a product."),
    _semantic("product.sku", "A stock-keeping unit such as KX-48213."),
    _semantic("product.category", "A category of products.", unique=False),
    _semantic("product.ean", "An EAN-13 in the range for internal use, with a valid check digit."),
    _semantic("geo.latitude", "A latitude inside the locale's country.", fits=(*FLOATS, "numeric"), parameters=(_OF, _LOCALE), unique=False),
    _semantic("geo.longitude", "A longitude inside the locale's country.", fits=(*FLOATS, "numeric"), parameters=(_OF, _LOCALE), unique=False),
    _semantic("geo.timezone", "A time zone of the locale's country.", parameters=_PERSON, unique=False),
    _semantic("geo.locale", "The person's locale, such as de-DE.", parameters=_PERSON, unique=False),
)  # fmt: skip

COUNTS = (*DISTRIBUTIONS, *(g for g in _DERIVED if g.name in ("cases", "from", "expression")))

GENERATORS: tuple[Generator, ...] = (*_GENERAL, *DISTRIBUTIONS, *_TIME, *_TEXT, *_DERIVED, *_MEDIA, *_SEMANTIC)
BY_NAME: dict[str, Generator] = {g.name: g for g in GENERATORS}
FOLDS = ("sum", "earliest", "latest")  # over a column of the rows below


def is_zone_name(text: str) -> bool:
    """Whether a `zone` is the name of a time zone and no path to a column."""
    return "/" in text or text == "UTC"


def argument(recipe: Recipe, name: str) -> Any:
    """Return an argument of `recipe`, or the catalogue's default for it."""
    if name in recipe.args:
        return recipe.args[name]
    parameter = BY_NAME[recipe.name].parameter(name)
    return None if parameter is None else parameter.default


def bounds_of(recipe: Recipe) -> tuple[Any, Any]:
    """The lowest and the highest value that a distribution is given, None where it has none; a histogram ends before its highest."""
    if recipe.name == "uniform":
        low, high = argument(recipe, "range")
        return low, high
    if recipe.name == "histogram":
        edges = argument(recipe, "edges")
        return edges[0], edges[-1]
    return argument(recipe, "min"), argument(recipe, "max")
