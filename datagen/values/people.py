"""People: names, gender, e-mail addresses, birth dates, jobs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from datagen.arrays import DAY, from_units
from datagen.compiling import Context, generator
from datagen.randomness import below, unit
from datagen.rows import Kernel, Rows
from datagen.values.persona import FAMILY_NAME_FIRST, Persona, persona
from datagen.values.texts import decimal, digits, fit, join, pick, require_room, widest_serial, with_serial
from schemas.model import Recipe
from schemas.recipes import argument
from schemas.types import TEXTS

RESERVED_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "post.example.org", "inbox.example.net")

_SEPARATORS = (".", ".", ".", "_", "", "-")
_YEAR = 365.2425
_PLAIN_ADDRESSES = 0.55


def text_or_serial(values: pa.Array, rows: Rows, ctx: Context, serial: Kernel | None, between: str) -> pa.Array:
    """Fit texts to the column; where it is unique, let a number follow."""
    return fit(values, ctx.type) if serial is None else with_serial(values, serial(rows), ctx, between)


def serial_if_unique(ctx: Context, what: str, shortest: int = 1) -> Kernel | None:
    """The serial numbers of a unique column, None for any other; fails where they would not fit."""
    if not ctx.unique:
        return None
    require_room(ctx, widest_serial(ctx) + shortest, what)
    return ctx.serial()


@generator("person.first_name")
def first_name(recipe: Recipe, ctx: Context) -> Kernel:
    """A given name of the person's gender and locale."""
    pool, position = persona(recipe, ctx).first_names()
    serial = serial_if_unique(ctx, "names")
    return lambda rows: text_or_serial(pick(pool.texts, position(rows)), rows, ctx, serial, " ")


@generator("person.last_name")
def last_name(recipe: Recipe, ctx: Context) -> Kernel:
    """The person's family name."""
    pool, position = persona(recipe, ctx).last_names()
    serial = serial_if_unique(ctx, "names")
    return lambda rows: text_or_serial(pick(pool.texts, position(rows)), rows, ctx, serial, " ")


@generator("person.name")
def name(recipe: Recipe, ctx: Context) -> Kernel:
    """Given and family name in the order of the locale; unique ones end in a number."""
    whole = full_name(persona(recipe, ctx))
    serial = serial_if_unique(ctx, "names", 2)
    return lambda rows: text_or_serial(whole(rows), rows, ctx, serial, " ")


def full_name(who: Persona) -> Kernel:
    """The person's whole name."""
    first_pool, first = who.first_names()
    last_pool, last = who.last_names()
    order = [FAMILY_NAME_FIRST.get(n) for n in who.locales.names]
    if all(o is None for o in order):
        return lambda rows: join(pick(first_pool.texts, first(rows)), " ", pick(last_pool.texts, last(rows)))
    both = pa.concat_arrays([first_pool.texts, last_pool.texts])
    shift = len(first_pool.texts)
    family_first = np.array([o is not None for o in order])
    spaces = pa.array([" " if o is None else o for o in order], pa.string())

    def kernel(rows: Rows) -> pa.Array:
        group = who.locales.positions(rows)
        given, family = first(rows), last(rows) + shift
        swap = family_first[group]
        return join(pick(both, np.where(swap, family, given)), pick(spaces, group), pick(both, np.where(swap, given, family)))

    return kernel


@generator("person.gender")
def gender(recipe: Recipe, ctx: Context) -> Kernel:
    """female or male, or their first letters where the column is short; the words of an enum where it has them."""
    who = persona(recipe, ctx)
    words = ("female", "male")
    if ctx.type.kind == "enum":
        by_letter = {v[:1].lower(): v for v in reversed(ctx.type.values)}
        if not {"f", "m"} <= set(by_letter):
            ctx.fail(f"{ctx.type} has no values for female and male; use choice")
        words = (by_letter["f"], by_letter["m"])
    elif ctx.type.length is not None and ctx.type.length < 6:
        words = ("F", "M")
    values = pa.array(words, pa.string())
    return lambda rows: pick(values, np.where(who.is_female(rows), 0, 1))


@generator("person.prefix")
def prefix(recipe: Recipe, ctx: Context) -> Kernel:
    """A form of address that fits the gender."""
    who = persona(recipe, ctx)
    female, male = who.pool("prefix_female"), who.pool("prefix_male")
    her, his = who.draw(female, "prefix female"), who.draw(male, "prefix male")
    both, shift = pa.concat_arrays([female.texts, male.texts]), len(female.texts)
    return lambda rows: fit(pick(both, np.where(who.is_female(rows), her(rows), his(rows) + shift)), ctx.type)


@generator("person.email")
def email(recipe: Recipe, ctx: Context) -> Kernel:
    """An address of the person's name; unique ones carry a number before the @."""
    if argument(recipe, "domain") is not None:
        return _email_at(str(argument(recipe, "domain")), recipe, ctx)
    domains = _domains(recipe, ctx)
    local = _local_part(persona(recipe, ctx), ctx, plain=_PLAIN_ADDRESSES, reserve=1 + max(map(len, domains)))
    at = pa.array([f"@{d}" for d in domains], pa.string())
    where = ctx.stream("domain")
    return lambda rows: join(local(rows), pick(at, below(rows.draws(where), len(at))))


def _email_at(path: str, recipe: Recipe, ctx: Context) -> Kernel:
    """The address of the person in the domain that a column holds."""
    if argument(recipe, "domains") is not None:
        ctx.fail("person.email needs one of domain (a column) and domains (a list), not both", recipe.at)
    source, type = ctx.path(path, recipe.at)
    if type.kind not in TEXTS:
        ctx.fail(f"person.email needs a column with a domain, and {path} is {type}", recipe.at)
    if ctx.type.length is not None and type.length is None:
        ctx.fail(f"domains of {path} may be of any length, and {ctx.type} has {ctx.type.length}; give {path} a length, or this column none")
    local = _local_part(persona(recipe, ctx), ctx, plain=_PLAIN_ADDRESSES, reserve=1 + (type.length or 0))
    return lambda rows: join(local(rows), "@", source(rows))


def _domains(recipe: Recipe, ctx: Context) -> tuple[str, ...]:
    given = argument(recipe, "domains")
    domains = RESERVED_DOMAINS if given is None else tuple(str(d) for d in given)
    if ctx.type.length is not None:
        room = ctx.type.length - 4 - (widest_serial(ctx) if ctx.unique else 0)
        domains = tuple(d for d in domains if len(d) <= room)
        if not domains:
            ctx.fail(f"no e-mail address fits {ctx.type}")
    return domains


@generator("person.username")
def username(recipe: Recipe, ctx: Context) -> Kernel:
    """A user name of the person's name; unique ones end in a number."""
    return _local_part(persona(recipe, ctx), ctx, plain=0.3, reserve=0)


def _local_part(who: Persona, ctx: Context, plain: float, reserve: int) -> Kernel:
    """Names as ASCII letters: `anna.meyer`, `a.meyer`, `anna_meyer83`; at most as long as the column less `reserve`."""
    first_pool, first = who.first_names()
    last_pool, last = who.last_names()
    initials = pa.array([s[:1] for s in first_pool.slugs.to_pylist()], pa.string())
    given = pa.concat_arrays([first_pool.slugs, initials])
    shift = len(initials)
    separators = pa.array(_SEPARATORS, pa.string())
    style, serial = ctx.stream("style"), ctx.serial() if ctx.unique else None
    length = None if ctx.type.length is None else ctx.type.length - reserve
    number_width = widest_serial(ctx) if ctx.unique else 2
    if length is not None and length < number_width + 1:
        ctx.fail(f"{ctx.rows:,} unique names do not fit {ctx.type}")
    none_or_year = pa.array(["", *(f"{y:02}" for y in range(100))], pa.string())

    def kernel(rows: Rows) -> pa.Array:
        draws = rows.draws(style)
        short = (draws & np.uint64(7)) < 2
        separator = pick(separators, below(draws << np.uint64(8), len(separators)))
        words = join(pick(given, np.where(short, first(rows) + shift, first(rows))), separator, pick(last_pool.slugs, last(rows)))
        if serial is not None:
            number = decimal(serial(rows))
        else:
            chance = unit(draws << np.uint64(20))
            year = np.floor((chance - plain) / (1.0 - plain) * 100.0).astype(np.int64)
            number = pick(none_or_year, np.where(chance < plain, 0, year + 1))
        if length is not None:
            words = pa.compute.utf8_rtrim(pa.compute.utf8_slice_codeunits(words, 0, length - number_width), "._-")
        return join(words, number)

    return kernel


@generator("person.birth_date")
def birth_date(recipe: Recipe, ctx: Context) -> Kernel:
    """A date of birth of somebody aged min_age to max_age at the anchor."""
    who = persona(recipe, ctx)
    young, old = int(argument(recipe, "min_age")), int(argument(recipe, "max_age"))
    if not 0 <= young <= old <= 130:
        ctx.fail("birth_date needs 0 <= min_age <= max_age <= 130", recipe.at)
    today = ctx.schema.anchor // DAY
    first = today - int((old + 1) * _YEAR) + 1
    last = today - int(young * _YEAR + 1)
    own, type = ctx.entity_stream(who.entity, "birth date"), ctx.type
    per = 1 if type.kind == "date" else DAY
    return lambda rows: from_units(type, (first + below(rows.draws(own), max(last - first, 0) + 1)) * per)


@generator("person.job")
def job(recipe: Recipe, ctx: Context) -> Kernel:
    """A job title."""
    who = persona(recipe, ctx)
    pool = who.pool("job")
    position, serial = who.draw(pool, "job"), serial_if_unique(ctx, "job titles")
    return lambda rows: text_or_serial(pick(pool.texts, position(rows)), rows, ctx, serial, " ")


@generator("person.ssn")
def ssn(recipe: Recipe, ctx: Context) -> Kernel:
    """9xx-xx-xxxx: the Social Security Administration issues no number that begins with 9."""
    require_room(ctx, 11, "social security numbers")
    index = ctx.index(10**8, "social security numbers")

    def kernel(rows: Rows) -> pa.Array:
        number = index(rows)
        return join("9", digits(number // 10**6, 2), "-", digits(number // 10**4, 2), "-", digits(number, 4))

    return kernel
