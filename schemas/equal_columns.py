"""Columns that a table's checks hold to be equal: one of them leads, and the others are taken from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from schemas.check_facts import ColumnFacts, TableFacts
from schemas.model import Column
from schemas.types import INTEGER_RANGE, INTEGERS, SqlType

_LONG = 10**9


def follow_leaders(columns: Sequence[Column], facts: TableFacts, referenced: Collection[str], unique: Collection[str]) -> dict[str, str]:
    """Return the leader of each column that must equal another, and give that leader the `facts` of all.

    References lead, then unique columns, then those that hold least. Where two would have to lead, or the database computes one,
    nothing is proposed and the check is among the unclear ones.
    """
    known = {c.name: c for c in columns}
    leaders: dict[str, str] = {}
    for group in _groups(facts.same):
        fixed = [name for name in group if name in referenced or name in unique or known[name].computed is not None]
        if len(fixed) > 1 or any(known[name].computed is not None for name in group):
            facts.unclear += [f"{a} = {b}" for a, b in facts.same if a in group]
            continue
        leader = min(group, key=lambda name: (name not in fixed, _room(known[name].type), known[name].nullable, group.index(name)))
        for name in group:
            if name != leader:
                leaders[name] = leader
                _add(facts.of(leader), facts.of(name))
    return leaders


def _groups(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The columns that are equal to each other, directly or by way of others."""
    groups: list[list[str]] = []
    for pair in pairs:
        met = [g for g in groups if set(g) & set(pair)]
        merged = list(dict.fromkeys([*(name for g in met for name in g), *pair]))
        groups = [*(g for g in groups if g not in met), merged]
    return groups


def _room(type: SqlType) -> tuple[int, int]:
    """How much a type holds, the least first: decimals and digits of numbers, the length of texts."""
    if type.kind in INTEGERS:
        return 0, INTEGER_RANGE[type.kind]
    if type.kind == "numeric":
        return 1 + type.decimals, 10 ** min((type.precision or 38) - type.decimals, 38)
    return _LONG, type.length or _LONG


def _add(leader: ColumnFacts, other: ColumnFacts) -> None:
    """Give a column the facts of another that it equals."""
    if other.values is not None:
        leader.values = other.values if leader.values is None else [v for v in leader.values if v in other.values]
    if other.low is not None and (leader.low is None or other.low >= leader.low):
        leader.low, leader.open_low = Decimal(other.low), other.open_low
    if other.high is not None and (leader.high is None or other.high <= leader.high):
        leader.high, leader.open_high = Decimal(other.high), other.open_high
    leader.low_text, leader.high_text = leader.low_text or other.low_text, leader.high_text or other.high_text
    leader.min_length = max(leader.min_length, other.min_length)
    lengths = [length for length in (leader.max_length, other.max_length) if length is not None]
    leader.max_length = min(lengths, default=None)
    leader.pattern, leader.like = leader.pattern or other.pattern, leader.like or other.like
    leader.present = leader.present or other.present
    leader.said += other.said
    leader.after += other.after
    leader.at_most += other.at_most
