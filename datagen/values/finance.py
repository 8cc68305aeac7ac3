"""Finance: card numbers, IBANs, BICs, currencies, prices; with valid check digits and no real account."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from datagen.arrays import from_floats, from_units, largest_units
from datagen.compiling import Context, generator
from datagen.keys import fixed_width_text
from datagen.numbers import to_unit, unit_factor
from datagen.randomness import Int64, UInt64, below
from datagen.rows import Kernel, Rows
from datagen.values.companies import word_list
from datagen.values.geo import country_of
from datagen.values.persona import locales_of
from datagen.values.texts import decimal_places, digits, fit, join, pick, require_room
from schemas.model import Recipe
from schemas.recipes import argument
from schemas.types import FLOATS, SqlType

# The beginnings of the numbers that card schemes and payment services publish for tests.
_TEST_PREFIXES = (424242, 411111, 400005, 401288, 555555, 510510, 222300, 601111, 353011)
_CARD_DIGITS = 16
_CURRENCIES = ("USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN", "CZK", "BRL", "INR", "CNY", "MXN")
_CENTS = (99, 95, 50, 0)
_CENT_CHANCES = np.array([110, 150, 190], np.uint64)


@generator("finance.card")
def card(recipe: Recipe, ctx: Context) -> Kernel:
    """16 digits that begin as published test numbers do and end in their Luhn digit (ISO/IEC 7812-1)."""
    require_room(ctx, _CARD_DIGITS, "card numbers")
    index = ctx.index(len(_TEST_PREFIXES) * 10**9, "card numbers")
    prefixes = np.array(_TEST_PREFIXES, np.int64)

    def kernel(rows: Rows) -> pa.Array:
        account, scheme = np.divmod(index(rows), len(prefixes))
        payload = prefixes[scheme] * 10**9 + account
        places = decimal_places(payload, _CARD_DIGITS - 1)
        doubled = places[:, ::2].astype(np.int64) * 2
        total = np.where(doubled > 9, doubled - 9, doubled).sum(axis=1) + places[:, 1::2].astype(np.int64).sum(axis=1)
        check = (10 - total % 10) % 10
        return fixed_width_text(np.column_stack([places, check.astype(np.uint8)]) + np.uint8(ord("0")))

    return kernel


@dataclass(frozen=True)
class _Iban:
    """An IBAN's country, the bank part (of no bank), how many digits the account has, and what is behind it (ISO 13616 registry).

    `closing` is a text, or `key` for the two digits by which French accounts are checked.
    """

    country: str
    bank: str
    account: int
    closing: str = ""


_IBANS = {
    code: _Iban(code, bank, account)
    for code, bank, account in (
        ("DE", "00000000", 10), ("AT", "00000", 11), ("CH", "00000", 12), ("NL", "TEST", 10), ("GB", "TEST000000", 8),
        ("IE", "TEST000000", 8), ("SE", "000", 17), ("DK", "0000", 10), ("LU", "000", 13), ("LI", "00000", 12), ("GI", "TEST", 15),
    )
}  # fmt: skip
_IBANS |= {"FR": _Iban("FR", "0000000000", 11, "key"), "BR": _Iban("BR", "0000000000000", 10, "C1")}


@generator("finance.iban")
def iban(recipe: Recipe, ctx: Context) -> Kernel:
    """An IBAN of the locale's country where its form is known here, else a German one; bank code zero or TEST."""
    locales = locales_of(recipe, ctx)
    forms = [_IBANS.get(country_of(n).code, _IBANS["DE"]) for n in locales.names]
    longest = max(len(f.bank) + f.account + 4 + (2 if f.closing else 0) for f in forms)
    if ctx.type.length is not None and ctx.type.length < longest:
        ctx.fail(f"an IBAN has up to {longest} characters and {ctx.type} has {ctx.type.length}")
    index = ctx.index(10**8, "accounts")

    def written(form: _Iban, account: Int64) -> pa.Array:
        tail = _as_number(form.country) + "00"
        rest = np.full(len(account), int(_as_number(form.bank)) % 97, np.int64)
        rest = (rest * pow(10, form.account, 97) + account % 97) % 97
        key = 97 - 3 * account % 97
        closing = digits(key, 2) if form.closing == "key" else form.closing
        closed = key if form.closing == "key" else np.int64(_as_number(form.closing) or 0)
        rest = (rest * pow(10, 2 if form.closing == "key" else len(_as_number(form.closing)), 97) + closed) % 97
        rest = (rest * pow(10, len(tail), 97) + int(tail)) % 97
        return join(form.country, digits(98 - rest, 2), form.bank, digits(account, form.account), closing)

    def kernel(rows: Rows) -> pa.Array:
        account, group = index(rows), locales.groups(rows)
        if group is None or len(set(forms)) == 1:
            return written(forms[0], account)
        result = pa.chunked_array([written(form, account[group == i]) for i, form in enumerate(forms)], pa.string())
        return result.combine_chunks().take(pa.array(np.argsort(np.argsort(group, kind="stable"), kind="stable")))

    return kernel


def _as_number(text: str) -> str:
    return "".join(str(int(c, 36)) for c in text)


@generator("finance.bic")
def bic(recipe: Recipe, ctx: Context) -> Kernel:
    """Eight letters, the bank being TEST and the location code that of test participants (second digit 0, ISO 9362)."""
    require_room(ctx, 11, "BICs")
    locales = locales_of(recipe, ctx)
    codes = pa.array([country_of(n).code for n in locales.names], pa.string())
    index = ctx.index(26**3, "BICs")
    letters = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", np.uint8)

    def kernel(rows: Rows) -> pa.Array:
        place = index(rows)
        branch = fixed_width_text(np.column_stack([letters[place // 676], letters[place // 26 % 26], letters[place % 26]]))
        return fit(join("TEST", pick(codes, locales.positions(rows)), "X0", branch), ctx.type)

    return kernel


@generator("finance.currency")
def currency(recipe: Recipe, ctx: Context) -> Kernel:
    """The code of a widely used currency."""
    return word_list(_CURRENCIES, ctx)


@generator("finance.account")
def account(recipe: Recipe, ctx: Context) -> Kernel:
    """Ten digits, the first two zero."""
    require_room(ctx, 10, "account numbers")
    index = ctx.index(10**8, "account numbers")
    return lambda rows: fit(digits(index(rows), 10), ctx.type)


@generator("finance.price")
def price(recipe: Recipe, ctx: Context) -> Kernel:
    """A price between min and max, small ones more often, mostly ending in .99, .95, .50 or .00."""
    type = ctx.type
    low, high = argument(recipe, "min"), argument(recipe, "max")
    if not 0 <= low <= high:
        ctx.fail("price needs 0 <= min <= max", recipe.at)
    amount, ending = ctx.stream(), ctx.stream("ending")
    cents = np.array(_CENTS, np.int64)
    cent = SqlType("numeric", 18, 2 if type.kind in FLOATS else min(type.decimals, 2))
    least, most = (to_unit(b, cent, r) * 10 ** (2 - cent.decimals) for b, r in ((low, "ROUND_CEILING"), (high, "ROUND_FLOOR")))
    if least > most:
        ctx.fail(f"there is no price between {low} and {high} in {type}", recipe.at)
    scale = 100 if type.kind in FLOATS else unit_factor(type)
    if type.kind not in FLOATS and to_unit(high, type, "ROUND_CEILING") > largest_units(type):
        ctx.fail(f"a price of {high} does not fit {type}", recipe.at)

    def kernel(rows: Rows) -> pa.Array:
        draws = rows.draws(amount)
        whole = least // 100 + np.minimum(
            below(draws, most // 100 - least // 100 + 1), below(_second(draws), most // 100 - least // 100 + 1)
        )
        style = rows.draws(ending)
        kind = np.searchsorted(_CENT_CHANCES, style & np.uint64(255), side="right")
        value = np.where(
            (style >> np.uint64(8) & np.uint64(255)) < 205, whole * 100 + cents[kind], whole * 100 + below(style << np.uint64(16), 100)
        )
        value = np.clip(value, least, most)
        if type.kind in FLOATS:
            return from_floats(type, value / 100.0)
        return from_units(type, value * scale // 100)

    return kernel


def _second(draws: UInt64) -> UInt64:
    return draws << np.uint64(32)
