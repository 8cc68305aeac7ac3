"""Hierarchies that are told by a function of the value: number intervals, parts of dates, prefixes of codes, networks of IPs.

interval:5,10,20    [20,24], [20,29], [20,39]
date                2024-05-17, 2024-05, 2024
prefix:3,2          941**, 94***
network:24,16       10.1.2.0/24, 10.1.0.0/16
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from ipaddress import ip_address, ip_network
from itertools import pairwise

from masking.anonymity.hierarchy import Hierarchy, from_function
from schemas.errors import InputError, followed, nearest

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)  # of a number of any length
_NETWORKS = {4: (24, 16, 8), 6: (64, 48, 32)}


def hierarchy_function(text: str, column: str, values: Iterable[str | None]) -> Hierarchy:
    """Return the hierarchy of `values` that a text such as `interval:5,10` describes.

    Kinds: `interval` with ascending widths of which each is a multiple of the one before; `date`, for ISO dates and times;
    `prefix` with the numbers of characters kept (all shorter prefixes unless given); `network` with the bits of the networks
    (24, 16, 8, and 64, 48, 32 for IPv6, unless given). Raises InputError, which names the column and no value.
    """
    kind, _, rest = text.partition(":")
    distinct = sorted({value for value in values if value is not None})
    nulls = [None] if any(value is None for value in values) else []
    makers: dict[str, Callable[[Sequence[Decimal], Sequence[str]], Callable[[str], list[str]]]] = {
        "interval": _intervals,
        "date": _dates,
        "prefix": _prefixes,
        "network": _networks,
    }
    if kind not in makers:
        hint = followed(nearest(kind, makers), f"there are {', '.join(makers)}")
        raise InputError(f"column '{column}': no hierarchy is called '{kind}'{hint}")
    labels = makers[kind](_parameters(kind, rest, column), distinct)
    wrong = 0

    def told(value: str) -> list[str]:
        nonlocal wrong
        try:
            return labels(value)
        except ValueError:
            wrong += 1
            return []

    checked = {value: told(value) for value in distinct}
    if wrong:
        what = {"interval": "numbers", "date": "ISO dates (2024-05-17)", "prefix": "codes", "network": "IP addresses"}[kind]
        raise InputError(f"column '{column}': {wrong:,} of its different values are no {what}; give it a hierarchy that fits")
    if kind == "interval":
        distinct.sort(key=Decimal)
    return from_function([*distinct, *nulls], checked.__getitem__)


def _parameters(kind: str, text: str, column: str) -> list[Decimal]:
    try:
        found = [Decimal(part) for part in text.split(",")] if text else []
        if any(not number.is_finite() or number <= 0 for number in found):
            raise InvalidOperation
    except InvalidOperation:
        raise InputError(f"column '{column}': `{kind}:` is followed by numbers above 0, such as {kind}:5,10, not '{text}'") from None
    if kind == "date" and found:
        raise InputError(f"column '{column}': `date` takes no numbers")
    if kind in ("prefix", "network") and any(number != int(number) for number in found):
        raise InputError(f"column '{column}': the numbers of `{kind}` must be whole")
    if kind == "interval":
        if not found:
            raise InputError(f"column '{column}': `interval` needs the widths, such as interval:5,10,20")
        if any(wide <= narrow or wide % narrow for narrow, wide in pairwise(found)):
            raise InputError(f"column '{column}': each width of `interval` must be a multiple of the one before, as in interval:5,10,20")
        return found
    return sorted(set(found), reverse=True)


def _intervals(widths: Sequence[Decimal], values: Sequence[str]) -> Callable[[str], list[str]]:
    whole = all(re.fullmatch(r"[+-]?\d+", value) for value in values) and all(width == int(width) for width in widths)

    def labels(value: str) -> list[str]:
        try:
            number = Decimal(value)
            if not number.is_finite():
                raise ValueError
        except InvalidOperation:
            raise ValueError from None
        found = []
        for width in widths:
            low = _floored(number, width)
            high = _EXACT.add(low, width)
            found.append(f"[{low:f},{_EXACT.subtract(high, Decimal(1)):f}]" if whole else f"[{low:f},{high:f})")
        return found

    return labels


def _floored(number: Decimal, width: Decimal) -> Decimal:
    """The greatest multiple of `width` that is not above `number`."""
    times = _EXACT.divide_int(number, width)
    low = _EXACT.multiply(times, width)
    return low if low <= number else _EXACT.subtract(low, width)


def _dates(_: Sequence[Decimal], values: Sequence[str]) -> Callable[[str], list[str]]:
    with_time = any(len(value) > 10 for value in values)

    def labels(value: str) -> list[str]:
        datetime.fromisoformat(value)
        if not (parts := _DATE.match(value)):
            raise ValueError
        year, month, day = parts.groups()
        months = [f"{year}-{month}", year]
        return [f"{year}-{month}-{day}", *months] if with_time else months

    return labels


def _prefixes(lengths: Sequence[Decimal], values: Sequence[str]) -> Callable[[str], list[str]]:
    longest = max(map(len, values), default=1)
    kept = [int(length) for length in lengths] or list(range(longest - 1, 0, -1))
    return lambda value: [value[:length] + "*" * (len(value) - length) for length in kept]


def _networks(bits: Sequence[Decimal], values: Sequence[str]) -> Callable[[str], list[str]]:
    def labels(value: str) -> list[str]:
        address = ip_address(value)
        lengths = [int(length) for length in bits] or _NETWORKS[address.version]
        return [str(ip_network(f"{address}/{length}", strict=False)) for length in lengths]

    return labels
