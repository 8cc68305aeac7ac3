"""Companies: names, domains, catch phrases, departments, industries."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import version
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datagen.compiling import Context, generator
from datagen.permutation import permute
from datagen.randomness import Int64, below
from datagen.rows import Kernel, Rows
from datagen.values.geo import country_of
from datagen.values.people import serial_if_unique, text_or_serial
from datagen.values.persona import Persona, locales_of
from datagen.values.texts import decimal, fit, fit_before, join, pick, require_room, widest_serial
from schemas.model import Recipe
from schemas.recipes import argument
from schemas.types import TEXTS

_STEMS = (
    "Acor", "Adven", "Alpen", "Altiv", "Amber", "Anchor", "Apex", "Aquil", "Arbor", "Arden", "Astra", "Atlan", "Auror", "Avalon",
    "Azur", "Balan", "Beacon", "Birch", "Blue", "Bold", "Boreal", "Bright", "Brook", "Cael", "Calder", "Cape", "Cedar", "Cinder",
    "Civic", "Clear", "Cobal", "Coral", "Crest", "Crown", "Delt", "Dover", "Drift", "Eagle", "Echo", "Eden", "Ember", "Equi",
    "Ever", "Falcon", "Fern", "Field", "Fjord", "Forge", "Fox", "Galen", "Garnet", "Glen", "Gold", "Grand", "Granit", "Green",
    "Grove", "Halcy", "Harbor", "Hazel", "Helio", "Heron", "High", "Hollow", "Horizon", "Iris", "Iron", "Ivory", "Jasper", "Juni",
    "Kestrel", "Keystone", "Kite", "Lake", "Lark", "Laurel", "Linden", "Lumen", "Lyra", "Maple", "Marin", "Meadow", "Meridian",
    "Mesa", "Metro", "Mill", "Mistral", "Mont", "Moss", "Nexa", "Nimb", "Noble", "Nord", "North", "Nova", "Oak", "Ocean", "Olive",
    "Onyx", "Opal", "Orchid", "Orion", "Osprey", "Palm", "Peak", "Pine", "Pioneer", "Polar", "Prairie", "Prism", "Quarry", "Quill",
    "Raven", "Redwood", "Ridge", "River", "Robin", "Rowan", "Sable", "Sage", "Sequoia", "Sierra", "Silver", "Slate", "Solar",
    "Spruce", "Stella", "Sterling", "Stone", "Summit", "Swift", "Tern", "Terra", "Thistle", "Tidal", "Timber", "Topaz", "Trident",
    "Umber", "Union", "Valley", "Vantage", "Vector", "Verdant", "Vertex", "Vista", "Walnut", "Wave", "West", "Willow", "Wren", "Zephyr",
)  # fmt: skip
_ENDINGS = (
    "", "a", "ia", "is", "on", "or", "us", "ix", "eo", "ara", "aris", "enta", "bridge", "bay", "bank", "craft", "crest", "dale",
    "edge", "field", "flow", "forge", "gate", "grid", "hill", "house", "land", "lane", "line", "link", "lock", "loop", "mark",
    "mere", "mind", "path", "point", "port", "rise", "shore", "side", "smith", "span", "spring", "stead", "stone", "stream", "view",
    "ward", "ware", "watch", "way", "well", "wick", "wood", "works", "worth", "yard",
)  # fmt: skip
_INDUSTRY_OF = {
    "Analytics": "Software", "Apparel": "Retail", "Automation": "Manufacturing", "Biotech": "Biotechnology",
    "Capital": "Financial services", "Care": "Health care", "Chemicals": "Manufacturing", "Cloud": "Software",
    "Components": "Manufacturing", "Consulting": "Consulting", "Controls": "Manufacturing", "Design": "Media", "Devices": "Manufacturing",
    "Digital": "Software", "Dynamics": "Aerospace", "Electric": "Energy", "Energy": "Energy", "Engineering": "Construction",
    "Events": "Hospitality", "Financial": "Financial services", "Foods": "Agriculture", "Freight": "Logistics", "Health": "Health care",
    "Holdings": "Financial services", "Hospitality": "Hospitality", "Industries": "Manufacturing", "Insurance": "Insurance",
    "Interactive": "Media", "Labs": "Biotechnology", "Learning": "Education", "Legal": "Consulting", "Logistics": "Logistics",
    "Manufacturing": "Manufacturing", "Marketing": "Media", "Materials": "Construction", "Media": "Media", "Mobility": "Automotive",
    "Motors": "Automotive", "Networks": "Telecommunications", "Optics": "Manufacturing", "Partners": "Consulting",
    "Pharma": "Biotechnology", "Power": "Energy", "Properties": "Real estate", "Recruiting": "Consulting", "Research": "Education",
    "Retail": "Retail", "Robotics": "Manufacturing", "Security": "Software", "Semiconductors": "Manufacturing", "Services": "Consulting",
    "Software": "Software", "Solutions": "Software", "Studios": "Media", "Supply": "Logistics", "Systems": "Software",
    "Technologies": "Software", "Textiles": "Retail", "Tools": "Retail", "Trading": "Financial services", "Travel": "Hospitality",
    "Ventures": "Financial services", "Water": "Energy", "Wines": "Agriculture",
}  # fmt: skip
_FIELDS = tuple(_INDUSTRY_OF)
_REACHES = ("", " International", " Worldwide", " Continental", " Pacific", " Atlantic", " Northern", " Southern")
_FORMS = {
    "US": ("Inc.", "LLC", "Corp.", "Co."), "CA": ("Inc.", "Ltd.", "Corp."), "GB": ("Ltd", "PLC", "LLP"), "IE": ("Ltd", "DAC", "PLC"),
    "AU": ("Pty Ltd", "Ltd"), "NZ": ("Ltd",), "ZA": ("(Pty) Ltd", "Ltd"), "IN": ("Pvt Ltd", "Ltd", "LLP"), "NG": ("Ltd", "PLC"),
    "DE": ("GmbH", "GmbH & Co. KG", "AG", "KG"), "AT": ("GmbH", "AG", "KG"), "CH": ("AG", "GmbH"), "FR": ("SAS", "SARL", "SA"),
    "BE": ("SRL", "BV", "NV"), "NL": ("B.V.", "N.V."), "ES": ("S.L.", "S.A."), "PT": ("Lda.", "S.A."), "IT": ("S.r.l.", "S.p.A."),
    "BR": ("Ltda.", "S.A."), "MX": ("S.A. de C.V.", "S. de R.L."), "AR": ("S.A.", "S.R.L."), "CL": ("SpA", "S.A."),
    "CO": ("S.A.S.", "S.A."), "SE": ("AB",), "NO": ("AS", "ASA"), "DK": ("ApS", "A/S"), "FI": ("Oy", "Oyj"),
    "PL": ("Sp. z o.o.", "S.A."), "CZ": ("s.r.o.", "a.s."), "HU": ("Kft.", "Zrt."), "TR": ("A.Ş.", "Ltd. Şti."), "JP": ("K.K.", "G.K."),
    "KR": ("Co., Ltd.",), "CN": ("Co., Ltd.",), "TW": ("Co., Ltd.",), "TH": ("Co., Ltd.",), "VN": ("JSC", "Co., Ltd."), "ID": ("Tbk",),
}  # fmt: skip
_ANYWHERE = ("Group", "Holding")
_DEPARTMENTS = (
    "Engineering", "Sales", "Marketing", "Customer Support", "Finance", "Human Resources", "Operations", "Product", "Legal",
    "Information Technology", "Procurement", "Research", "Quality", "Security", "Logistics", "Design",
)  # fmt: skip
_INDUSTRIES = (
    "Software", "Financial services", "Health care", "Manufacturing", "Retail", "Logistics", "Energy", "Education", "Insurance",
    "Media", "Hospitality", "Construction", "Telecommunications", "Biotechnology", "Agriculture", "Real estate", "Consulting",
    "Automotive", "Public sector", "Aerospace",
)  # fmt: skip
_TOP_LEVEL = ("example", "test")
_DOMAIN_OF = ".example"
_LONGEST_FORM_FIRST = sorted({form for some in _FORMS.values() for form in some}, key=lambda form: (-len(form), form))
_LEGAL_FORM = re.compile(f"^(株式会社|有限会社|合同会社)|[ ,]+({'|'.join(map(re.escape, _LONGEST_FORM_FIRST))})$")


def _coined(between: str) -> tuple[int, Callable[[Int64], pa.Array]]:
    """How many coined names there are (a stem with an ending, and a field), and what finds them by position."""
    stems, endings, fields = (pa.array(p, pa.string()) for p in (_STEMS, _ENDINGS, _FIELDS))

    def names(positions: Int64) -> pa.Array:
        rest, stem = np.divmod(positions, len(stems))
        field, ending = np.divmod(rest, len(endings))
        return join(pick(stems, stem), pick(endings, ending), between, pick(fields, field))

    return len(stems) * len(endings) * len(fields), names


def _company(recipe: Recipe, ctx: Context) -> Persona:
    """The company of a row: of the locale that its person has."""
    return Persona(ctx, "company", locales_of(recipe, ctx))


@generator("company.name")
def company_name(recipe: Recipe, ctx: Context) -> Kernel:
    """The locale's company names; unique ones are coined, and have a legal form of the locale's country.

    There are 564 thousand names; those of further rows have another word, which makes 4.5 million.
    """
    who = _company(recipe, ctx)
    if not ctx.unique:
        pool = who.pool("company")
        position = who.draw(pool, "company name")
        return lambda rows: fit(pick(pool.texts, position(rows)), ctx.type)
    count, names = _coined(" ")
    span, most = ctx.plan.row_span(ctx.table.name), count * len(_REACHES)
    if span > most:
        ctx.fail(f"{span:,} unique company names are asked for and there are only {most:,}; make fewer rows, or drop the unique constraint")
    forms = [_FORMS.get(country_of(n).code, _ANYWHERE) for n in who.locales.names]
    longest = sum(max(map(len, words)) for words in (_STEMS, _ENDINGS, _FIELDS, chain(*forms))) + 2
    require_room(ctx, longest + (max(map(len, _REACHES)) if span > count else 0), "company names")
    texts, reaches = pa.array([form for some in forms for form in some], pa.string()), pa.array(_REACHES, pa.string())
    sizes = np.array([len(some) for some in forms])
    offsets = np.cumsum(sizes) - sizes
    which, kind = ctx.stream("index"), ctx.stream("form")

    def kernel(rows: Rows) -> pa.Array:
        reach, place = np.divmod(rows.numbers(), count)
        country = who.locales.positions(rows)
        draws = rows.draws(kind)
        form = offsets[country] + np.minimum(below(draws, sizes[country]), below(draws << np.uint64(32), sizes[country]))
        return join(names(permute(which, place, count)), pick(reaches, reach), " ", pick(texts, form))

    return kernel


@generator("company.domain")
def company_domain(recipe: Recipe, ctx: Context) -> Kernel:
    """A domain below .example or .test (RFC 2606) that carries a coined name, or that of the company in another column."""
    if argument(recipe, "of") is not None:
        return _domain_of(str(argument(recipe, "of")), recipe, ctx)
    size, names = _coined("-")
    index = ctx.index(size * len(_TOP_LEVEL), "domains")
    if ctx.unique:
        require_room(ctx, max(map(len, _STEMS)) + max(map(len, _ENDINGS)) + max(map(len, _FIELDS)) + 9, "domains")
    elif ctx.type.length is not None and ctx.type.length < 9:
        ctx.fail(f"no domain fits {ctx.type}")
    tops = pa.array([f".{t}" for t in _TOP_LEVEL], pa.string())

    def kernel(rows: Rows) -> pa.Array:
        rest, top = np.divmod(index(rows), len(_TOP_LEVEL))
        return fit_before(pc.ascii_lower(names(rest)), pick(tops, top), ctx.type)

    return kernel


def _domain_of(path: str, recipe: Recipe, ctx: Context) -> Kernel:
    """The name of a company without its legal form, below .example; followed by a number where it could repeat and must not."""
    source, type = ctx.path(path, recipe.at)
    if type.kind not in TEXTS:
        ctx.fail(f"company.domain needs the column of a name, and {path} is {type}", recipe.at)
    ctx.plan.inputs.note(ctx.node, "anyascii", version("anyascii"))
    made = ctx.recipe_of(path)
    coined = made is not None and made.name == "company.name" and ctx.plan.references[ctx.table.name].must_be_unique(path)
    room = (ctx.type.length or 64) - len(_DOMAIN_OF) - (widest_serial(ctx) + 1 if ctx.unique else 0)
    if room < (1 if not coined else 40):
        ctx.fail(f"{ctx.rows:,} domains of company names do not fit {ctx.type}")
    serial = ctx.serial() if ctx.unique and not coined else None

    def kernel(rows: Rows) -> pa.Array:
        names = pa.array([None if name is None else _label(name)[:room].rstrip("-") for name in source(rows).to_pylist()], pa.string())
        return join(names, _DOMAIN_OF) if serial is None else join(names, "-", decimal(serial(rows)), _DOMAIN_OF)

    return kernel


def _label(name: str) -> str:
    """A company's name as the label of a domain (RFC 1035): without its legal form, in lower case, words joined by hyphens."""
    words = _LEGAL_FORM.sub("", name).strip() or name
    if not words.isascii():
        from anyascii import anyascii

        words = anyascii(words)
    return re.sub("[^a-z0-9]+", "-", words.lower()).strip("-") or "company"


@generator("company.catch_phrase")
def catch_phrase(recipe: Recipe, ctx: Context) -> Kernel:
    """A catch phrase of the locale."""
    who = _company(recipe, ctx)
    pool = who.pool("catch_phrase")
    position, serial = who.draw(pool, f"catch phrase {ctx.column}"), serial_if_unique(ctx, "catch phrases")
    return lambda rows: text_or_serial(pick(pool.texts, position(rows)), rows, ctx, serial, " ")


def word_list(words: tuple[str, ...], ctx: Context) -> Kernel:
    """One of the words, all equally likely."""
    values, own = pa.array(words, pa.string()), ctx.stream()
    return lambda rows: fit(pick(values, below(rows.draws(own), len(words))), ctx.type)


@generator("company.department")
def department(recipe: Recipe, ctx: Context) -> Kernel:
    """A department of a company."""
    return word_list(_DEPARTMENTS, ctx)


@generator("company.industry")
def industry(recipe: Recipe, ctx: Context) -> Kernel:
    """An industry; with `of`, the one that a field in the name of a company tells, where there is one."""
    drawn = word_list(_INDUSTRIES, ctx)
    if argument(recipe, "of") is None:
        return drawn
    source, type = ctx.path(str(argument(recipe, "of")), recipe.at)
    if type.kind not in TEXTS:
        ctx.fail(f"company.industry needs the column of a name, and {argument(recipe, 'of')} is {type}", recipe.at)

    def kernel(rows: Rows) -> pa.Array:
        told = [
            next((_INDUSTRY_OF[word] for word in (name or "").split() if word in _INDUSTRY_OF), None) for name in source(rows).to_pylist()
        ]
        return fit(pc.coalesce(pa.array(told, pa.string()), drawn(rows)), ctx.type)

    return kernel
