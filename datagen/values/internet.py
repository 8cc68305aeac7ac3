"""Internet: addresses, domains, URLs, tokens; all in the ranges that are reserved for documentation."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from datagen.arrays import to_units
from datagen.browsers import browsers, user_agents
from datagen.compiling import Context, generator
from datagen.keys import fixed_width_text
from datagen.pools import Pool
from datagen.randomness import Int64, Stream, UInt64, below
from datagen.rows import Kernel, Rows
from datagen.times import moments_of
from datagen.values.choices import of_values
from datagen.values.lorem import WORDS
from datagen.values.people import RESERVED_DOMAINS
from datagen.values.texts import decimal, fit, fit_before, join, pick, require_room, widest_serial
from schemas.model import Recipe
from schemas.recipes import argument
from schemas.types import INTEGERS

_MAILBOXES = ("info", "contact", "sales", "support", "hello", "office", "team", "billing", "admin", "press")
_PATHS = ("", "/", "/about", "/pricing", "/docs", "/blog/", "/account", "/orders/", "/help", "/p/")
_HOSTS = ("web", "app", "db", "cache", "api", "worker", "edge", "mail", "ci", "log")
_ALPHABET = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz01", np.uint8)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*")
_SPELLED = 12
_MOST_NUMBERS = 2**62 - 1
_NETWORKS = ("192.0.2.", "198.51.100.", "203.0.113.")


def _numbered(ctx: Context, words: tuple[str, ...], between: str = "") -> Kernel:
    """Words by chance; in unique columns followed by a number."""
    values, own = pa.array(words, pa.string()), ctx.stream("word")
    if not ctx.unique:
        return lambda rows: pick(values, below(rows.draws(own), len(words)))
    serial = ctx.serial()
    return lambda rows: join(pick(values, below(rows.draws(own), len(words))), between, decimal(serial(rows)))


@generator("internet.email")
def email(recipe: Recipe, ctx: Context) -> Kernel:
    """A mailbox of no person."""
    given = argument(recipe, "domains")
    for domain in given or ():
        if not _DOMAIN.fullmatch(str(domain)):
            ctx.fail(f"'{str(domain)[:60]}' is no domain; write it like mail.example.com", recipe.at)
    domains = pa.array([f"@{d}" for d in (RESERVED_DOMAINS if given is None else given)], pa.string())
    boxes, own = _numbered(ctx, _MAILBOXES), ctx.stream("domain")
    if ctx.unique:
        require_room(ctx, 7 + widest_serial(ctx) + max(len(d) for d in domains.to_pylist()), "addresses")
    else:
        domains = pa.array(_that_fit(domains.to_pylist(), ctx, "e-mail address"), pa.string())
    return lambda rows: fit_before(boxes(rows), pick(domains, below(rows.draws(own), len(domains))), ctx.type)


def _that_fit(ends: list[str], ctx: Context, what: str) -> list[str]:
    """The ends that leave room for a letter: half a reserved domain may be somebody's."""
    able = [e for e in ends if ctx.type.length is None or len(e) < ctx.type.length]
    if not able:
        ctx.fail(f"no {what} fits {ctx.type}")
    return able


@generator("internet.domain")
def domain(recipe: Recipe, ctx: Context) -> Kernel:
    """A domain below .example (RFC 2606)."""
    if ctx.unique:
        require_room(ctx, 20 + widest_serial(ctx), "domains")
    _that_fit([".example"], ctx, "domain")
    words = _numbered(ctx, WORDS)
    return lambda rows: fit_before(words(rows), ".example", ctx.type)


@generator("internet.hostname")
def hostname(recipe: Recipe, ctx: Context) -> Kernel:
    """A numbered machine below example.net."""
    index = ctx.serial() if ctx.unique else _drawn(ctx, "number", 100)
    if ctx.unique:
        require_room(ctx, 19 + widest_serial(ctx), "host names")
    _that_fit([".example.net"], ctx, "host name")
    words, own = pa.array(_HOSTS, pa.string()), ctx.stream("word")
    return lambda rows: fit_before(
        join(pick(words, below(rows.draws(own), len(words))), "-", decimal(index(rows))), ".example.net", ctx.type
    )


def _drawn(ctx: Context, purpose: str, size: int) -> Callable[[Rows], Int64]:
    own = ctx.stream(purpose)
    return lambda rows: below(rows.draws(own), size)


@generator("internet.url")
def url(recipe: Recipe, ctx: Context) -> Kernel:
    """A page below .example."""
    short = [p for p in _PATHS if ctx.type.length is None or len(p) + 18 <= ctx.type.length] or [""]
    words, paths, own = _numbered(ctx, WORDS), pa.array(short, pa.string()), ctx.stream("path")
    if ctx.unique:
        require_room(ctx, 40 + widest_serial(ctx), "URLs")
    _that_fit(["https://.example"], ctx, "URL")
    return lambda rows: fit_before(
        join("https://", words(rows)), join(".example", pick(paths, below(rows.draws(own), len(paths)))), ctx.type
    )


@generator("internet.slug")
def slug(recipe: Recipe, ctx: Context) -> Kernel:
    """Two words joined by a hyphen; a number follows in unique columns."""
    first, second = _drawn(ctx, "first", len(WORDS)), _numbered(ctx, WORDS, "-")
    if ctx.unique:
        require_room(ctx, 28 + widest_serial(ctx), "slugs")
    words = pa.array(WORDS, pa.string())
    return lambda rows: fit(join(pick(words, first(rows)), "-", second(rows)), ctx.type)


@generator("internet.ipv4")
def ipv4(recipe: Recipe, ctx: Context) -> Kernel:
    """One of the 762 host addresses of the three networks of RFC 5737."""
    every = [f"{n}{host}" for n in _NETWORKS for host in range(1, 255)]
    addresses = pa.array([a for a in every if ctx.type.length is None or len(a) <= ctx.type.length], pa.string())
    if not len(addresses):
        ctx.fail(f"no address fits {ctx.type}")
    index = _drawn(ctx, "address", len(addresses))
    return of_values(addresses, index)


@generator("internet.ipv6")
def ipv6(recipe: Recipe, ctx: Context) -> Kernel:
    """An address in 2001:db8::/32 (RFC 3849), written in full groups."""
    require_room(ctx, 39, "addresses")
    index, upper = ctx.index(2**48, "addresses"), ctx.stream("upper")

    def kernel(rows: Rows) -> pa.Array:
        low = index(rows).astype(np.uint64)
        high = rows.draws(upper)
        groups = [
            0x2001,
            0x0DB8,
            *(high >> np.uint64(48 - 16 * i) & np.uint64(0xFFFF) for i in range(3)),
            *(low >> np.uint64(32 - 16 * i) & np.uint64(0xFFFF) for i in range(3)),
        ]
        text = np.empty((len(rows), 39), np.uint8)
        text[:, 4::5] = ord(":")
        for i, group in enumerate(groups):
            for j in range(4):
                text[:, 5 * i + j] = _HEX[(np.asarray(group, np.uint64) >> np.uint64(12 - 4 * j) & np.uint64(15)).astype(np.int64)]
        return fixed_width_text(text)

    return kernel


@generator("internet.mac")
def mac(recipe: Recipe, ctx: Context) -> Kernel:
    """A MAC address with the bit for local administration set (IEEE 802)."""
    require_room(ctx, 17, "MAC addresses")
    index = ctx.index(2**40, "MAC addresses")

    def kernel(rows: Rows) -> pa.Array:
        value = index(rows)
        text = np.empty((len(rows), 17), np.uint8)
        text[:, 2::3] = ord(":")
        text[:, :2] = np.frombuffer(b"02", np.uint8)
        for octet in range(5):
            text[:, 3 * octet + 3] = _HEX[value >> (36 - 8 * octet) & 15]
            text[:, 3 * octet + 4] = _HEX[value >> (32 - 8 * octet) & 15]
        return fixed_width_text(text)

    return kernel


@generator("internet.user_agent")
def user_agent(recipe: Recipe, ctx: Context) -> Kernel:
    """The user agent of a browser: of today, or of the time `at`; drawn for each row, or for each number in `of`."""
    drawn = _drawn_for(recipe, ctx)
    if argument(recipe, "at") is None:
        pool = user_agents()
        ctx.note_pool("user_agent", "en_US", pool)
        own = drawn(ctx.stream())
        return of_values(fit(pa.array(pool.texts, pa.string()), ctx.type), lambda rows: pool.index(own(rows)))
    ever = browsers()
    ctx.note_pool("user_agent", "en_US", Pool(ever.texts))
    times = moments_of(ctx, str(argument(recipe, "at")), recipe)
    own, anchor = drawn(ctx.stream()), ctx.schema.anchor

    def places(rows: Rows) -> Int64:
        at, absent = times(rows)
        return ever.places(at if absent is None else np.where(absent, anchor, at), own(rows))

    return of_values(fit(pa.array(ever.texts, pa.string()), ctx.type), places)


def _drawn_for(recipe: Recipe, ctx: Context) -> Callable[[Stream], Callable[[Rows], UInt64]]:
    """How a stream is drawn from: by the row, or by the whole number in the column `of`, that of none being 0."""
    path = argument(recipe, "of")
    if path is None:
        return lambda stream: lambda rows: rows.draws(stream)
    values, type = ctx.path(str(path), recipe.at)
    if type.kind not in INTEGERS:
        ctx.fail(f"of needs a whole number and {path} is {type}", recipe.at)

    def numbers(rows: Rows) -> Int64:
        found, absent = to_units(type, values(rows))
        return (found if absent is None else np.where(absent, 0, found)) & _MOST_NUMBERS

    return lambda stream: lambda rows: stream.draws(numbers(rows))


def _characters(ctx: Context, length: int, alphabet: np.ndarray, bits: int) -> Kernel:
    """Random characters; in unique columns the first ones spell a number that never repeats."""
    per_draw = 64 // bits
    stride = -(-length // per_draw)
    own, mask = ctx.stream(), np.uint64(2**bits - 1)
    # as many as there are whatever the number of rows, so that a table begins with the same values at any scale
    spelled = min(length, _SPELLED) if ctx.unique else 0
    serial = ctx.index(len(_HEX) ** spelled, "values") if ctx.unique else None

    def kernel(rows: Rows) -> pa.Array:
        numbers = (rows.numbers()[:, None] * stride + np.arange(stride)).reshape(-1)
        draws = own.draws(numbers if stride > 1 else rows.index)
        shifts = np.arange(per_draw, dtype=np.uint64) * np.uint64(bits)
        digits = (draws[:, None] >> shifts & mask).reshape(len(rows), stride * per_draw)[:, :length]
        text = alphabet[digits.astype(np.int64)]
        if serial is not None:
            value = serial(rows)
            for i in range(spelled):
                text[:, i] = _HEX[value >> (4 * (spelled - 1 - i)) & 15]
        return fixed_width_text(text)

    return kernel


@generator("internet.token")
def token(recipe: Recipe, ctx: Context) -> Kernel:
    """Random letters and digits after a fixed beginning."""
    prefix, length = str(argument(recipe, "prefix")), int(argument(recipe, "length"))
    room = length if ctx.type.length is None else min(length, ctx.type.length - len(prefix))
    if not 1 <= length <= 4096:
        ctx.fail(f"a token has 1 to 4096 characters, not {length}")
    if room < 1:
        ctx.fail(f"no token after {prefix!r} fits {ctx.type}")
    characters = _characters(ctx, room, _ALPHABET, 6)
    return lambda rows: join(prefix, characters(rows)) if prefix else characters(rows)


@generator("internet.hash")
def hexadecimal(recipe: Recipe, ctx: Context) -> Kernel:
    """Random hexadecimal digits."""
    length = int(argument(recipe, "length"))
    length = length if ctx.type.length is None else min(length, ctx.type.length)
    if not 1 <= length <= 4096:
        ctx.fail(f"a hash has 1 to 4096 digits, not {length}")
    return _characters(ctx, length, _HEX, 4)
