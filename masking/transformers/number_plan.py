"""What a number plan calls national numbers: its patterns as one automaton that reads whole columns of digits.

The patterns of `phonenumbers` are regular expressions of digits, classes, groups, alternatives and bounded repetitions. Their
positions make an automaton (V. Glushkov, "The abstract theory of automata", 1961), made deterministic by sets of positions and
least by joining equal states from the ends on. Tables read four digits of a number at first, and two at a time after that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from masking.keyed import UInt64
from schemas.errors import InputError

Kinds = npt.NDArray[np.int64]
# what is read of a pattern: whether it may be empty, the positions that begin it and those that end it
_Part = tuple[bool, frozenset[int], frozenset[int]]
_Read = Callable[[], _Part]

LONGEST = 17  # the digits of the longest national numbers that there are
BEGINNING = 4
_TRIED = 50
_TOKEN = re.compile(r"\\d|\[[0-9-]+\]|\(\?:|[0-9()|?]|\{\d+(?:,\d+)?\}")
_EVERY_DIGIT = frozenset(range(10))
_EMPTY: _Part = (True, frozenset(), frozenset())
_OTHERS = ("toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan", "voicemail")


@dataclass(frozen=True)
class NumberPlan:
    """The automaton of a country's code: the kind of a number by the state in which it ends, and the tables by which it gets there."""

    kinds: npt.NDArray[np.uint8]
    after_four: npt.NDArray[np.uint16]  # the state after the first four digits
    by_two: npt.NDArray[np.uint16]  # the next state, by state and two digits
    by_one: npt.NDArray[np.uint16]
    start: int
    _beginnings: dict[tuple[int, int], UInt64] = field(default_factory=dict, repr=False)
    _usual: dict[int, npt.NDArray[np.uint8]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, mobile: Sequence[str], fixed: Sequence[str], other: Sequence[str]) -> NumberPlan:
        """Make one of patterns, one of which a number must match as a whole; raises ValueError for what is no such pattern."""
        positions = _Positions()
        wholes = [positions.either([positions.read(pattern) for pattern in patterns]) for patterns in (mobile, fixed, other)]
        states = _States(positions, wholes)
        start = states.start()
        by_one = np.array([steps for _, steps in states.found], np.uint16)
        by_two = by_one[by_one].reshape(len(by_one), 100)
        kinds = [1 * m + 2 * f or 4 * o for (m, f, o), _ in states.found]
        return cls(np.array(kinds, np.uint8), by_two[by_two[start]].ravel(), by_two, by_one, start)

    def kinds_of(self, numbers: UInt64, length: int) -> Kinds:
        """What the plan calls numbers of `length` digits, zeros before them included.

        0 is not valid, 1 mobile, 2 fixed, 3 either of these, 4 another valid number.
        """
        if length > LONGEST:
            return np.zeros(len(numbers), np.int64)
        left = length - BEGINNING
        if left < 0:
            left, states = length, np.full(len(numbers), self.start, np.uint16)
        else:
            first, numbers = _parted(numbers, 10**left)
            states = self.after_four.take(first.view(np.int64))
        while left:
            some, table = (2, self.by_two) if left > 1 else (1, self.by_one)
            left -= some
            digits, numbers = _parted(numbers, 10**left)
            states = table.ravel().take(states * np.int64(10**some) + digits.view(np.int64))
        return self.kinds.take(states).astype(np.int64)

    def beginnings(self, kind: int, length: int) -> UInt64:
        """The first four digits with which some numbers of a kind and length begin, by trying continuations of each; sorted.

        Those with which numbers begin that are of no kind, or of none that is `usual`, are all that there are.
        """
        if (kind, length) not in self._beginnings and not kind:
            self._beginnings[kind, length] = self._beginnings_of_others(length)
        elif (kind, length) not in self._beginnings:
            behind = max(length - BEGINNING, 0)
            # digits over the whole range of what may follow, at even distances
            steps = np.arange(_TRIED, dtype=np.uint64) * np.uint64(max(10**behind // _TRIED, 1)) % np.uint64(10**behind)
            first = np.arange(10**BEGINNING, dtype=np.uint64)
            numbers = (first[:, None] * np.uint64(10**behind) + np.unique(steps)[None, :]).ravel()
            tried = self.kinds_of(numbers, length).reshape(len(first), -1)
            for each in (1, 2, 3, 4):
                self._beginnings[each, length] = first[(tried == each).any(axis=1)]
        return self._beginnings[kind, length]

    def _beginnings_of_others(self, length: int) -> UInt64:
        found = np.zeros(10**BEGINNING, np.bool_)
        for kind in np.unique(self.kinds).tolist():
            reached = self.kinds == kind
            for _ in range(length - BEGINNING):
                reached = reached[self.by_one].any(axis=1)
            some = reached[self.after_four]
            if kind:
                some[self.beginnings(kind, length)] = False
            found |= some
        return np.flatnonzero(found).astype(np.uint64)

    def usual(self, kinds: Kinds, numbers: UInt64, length: int) -> Kinds:
        """The `kinds` of numbers, but 0 for those that begin as few of their kind do, or are too short or too long to tell."""
        if not BEGINNING <= length <= LONGEST:
            return np.zeros(len(kinds), np.int64)
        first = (numbers // np.uint64(10 ** (length - BEGINNING))).view(np.int64)
        usual = (self._kinds_that_begin(length).take(first) >> kinds.astype(np.uint8)) & np.uint8(1)
        return np.where(usual, kinds, 0)

    def _kinds_that_begin(self, length: int) -> npt.NDArray[np.uint8]:
        """By their first four digits, a bit for each kind that some numbers of a length are of."""
        if length not in self._usual:
            bits = np.zeros(10**BEGINNING, np.uint8)
            for kind in np.unique(self.kinds[self.kinds > 0]).tolist():
                bits[self.beginnings(kind, length).view(np.int64)] |= np.uint8(1 << kind)
            self._usual[length] = bits
        return self._usual[length]


@dataclass(frozen=True)
class PlannedNumbers:
    """The numbers of one kind and length under a plan: by their first four digits, and any digits behind them.

    Kind 0 are those that are of no kind, or of none that is usual; of these there are some only from `BEGINNING` digits on.
    """

    plan: NumberPlan
    kind: int
    length: int

    @property
    def size(self) -> int:
        """How many there are, some that are not valid among them."""
        return len(self.plan.beginnings(self.kind, self.length)) * int(self._behind)

    @property
    def _behind(self) -> np.uint64:
        return np.uint64(10 ** max(self.length - BEGINNING, 0))

    def ranked(self, numbers: UInt64) -> UInt64:
        """The places of numbers among them."""
        first, rest = _parted(numbers, int(self._behind))
        beginnings = self.plan.beginnings(self.kind, self.length)
        ranks = np.zeros(10**BEGINNING, np.uint64)
        ranks[beginnings.view(np.int64)] = np.arange(len(beginnings), dtype=np.uint64)
        places: UInt64 = ranks.take(first.view(np.int64)) * self._behind + rest
        return places

    def at(self, places: UInt64) -> UInt64:
        """The numbers at some places."""
        first, rest = _parted(places, int(self._behind))
        numbers: UInt64 = self.plan.beginnings(self.kind, self.length).take(first.view(np.int64)) * self._behind + rest
        return numbers


class _Positions:
    """The positions of patterns: which digits may stand at each, and which positions may follow it."""

    def __init__(self) -> None:
        self.digits: list[frozenset[int]] = []
        self.following: list[set[int]] = []

    def read(self, pattern: str) -> _Part:
        tokens = _TOKEN.findall(pattern)
        if "".join(tokens) != pattern:
            raise ValueError("a pattern of a number plan has signs that no pattern of digits has")
        read, rest = self._alternatives(tokens, 0)
        if rest < len(tokens):
            raise ValueError("a pattern of a number plan has a bracket too many")
        return read()

    def either(self, parts: Sequence[_Part]) -> _Part:
        empty, first, last = zip(*parts) if parts else ((), (), ())
        return any(empty), frozenset().union(*first), frozenset().union(*last)

    def _alternatives(self, tokens: Sequence[str], at: int) -> tuple[_Read, int]:
        """What makes the positions of the alternatives from a token on (each time anew, for repetitions), and where they end."""
        options: list[list[_Read]] = [[]]
        while at < len(tokens) and tokens[at] != ")":
            token = tokens[at]
            at += 1
            if token == "|":
                options.append([])
            elif token in ("(", "(?:"):
                read, at = self._alternatives(tokens, at)
                if at == len(tokens):
                    raise ValueError("a pattern of a number plan has a bracket that is not closed")
                options[-1].append(read)
                at += 1
            elif token == "?" or token[0] == "{":
                least, _, most = ("0,1" if token == "?" else token[1:-1]).partition(",")
                options[-1].append(self._repeated(options[-1].pop(), int(least), int(most or least)))
            else:
                options[-1].append(self._digit(_digits(token)))
        return (lambda: self.either([self._sequence([read() for read in option]) for option in options])), at

    def _digit(self, digits: frozenset[int]) -> _Read:
        def read() -> _Part:
            self.digits.append(digits)
            self.following.append(set())
            here = frozenset((len(self.digits) - 1,))
            return False, here, here

        return read

    def _repeated(self, read: _Read, least: int, most: int) -> _Read:
        def optional() -> _Part:
            return True, *read()[1:]

        return lambda: self._sequence([read() for _ in range(least)] + [optional() for _ in range(most - least)])

    def _sequence(self, parts: Sequence[_Part]) -> _Part:
        empty, first, last = _EMPTY
        for next_empty, next_first, next_last in parts:
            for position in last:
                self.following[position] |= next_first
            first = first | next_first if empty else first
            last = last | next_last if next_empty else next_last
            empty = empty and next_empty
        return empty, first, last


class _States:
    """The states that the positions make: of each, which of the wholes end there, and the state that follows by each digit."""

    def __init__(self, positions: _Positions, wholes: Sequence[_Part]) -> None:
        self._positions, self._wholes = positions, wholes
        nothing = (False,) * len(wholes)
        self.found: list[tuple[tuple[bool, ...], tuple[int, ...]]] = [(nothing, (0,) * 10)]  # from the first no number is valid
        self._numbers = {self.found[0]: 0}
        self._visited: dict[tuple[frozenset[int], tuple[bool, ...]], int] = {}

    def start(self) -> int:
        return self._state(frozenset().union(*(first for _, first, _ in self._wholes)), tuple(empty for empty, _, _ in self._wholes))

    def _state(self, candidates: frozenset[int], accepted: tuple[bool, ...]) -> int:
        """The state in which any of `candidates` may come next; those from which the same numbers are valid are one."""
        key = (candidates, accepted)
        if key not in self._visited:
            steps = []
            for digit in range(10):
                read = [p for p in candidates if digit in self._positions.digits[p]]
                ends = tuple(not last.isdisjoint(read) for _, _, last in self._wholes)
                steps.append(self._state(frozenset().union(*(self._positions.following[p] for p in read)), ends) if read else 0)
            state = (accepted, tuple(steps))
            if state not in self._numbers:
                self._numbers[state] = len(self.found)
                self.found.append(state)
            self._visited[key] = self._numbers[state]
        return self._visited[key]


def mobile_numbers(country: str) -> int:
    """Return how many numbers of the usual length a country's plan has for mobile telephones; 0 for a country without a plan."""
    found = phonenumbers_library().PhoneMetadata.metadata_for_region(country, None)
    if found is None or found.mobile is None or not found.mobile.example_number:
        return 0
    plan, length = number_plan(found.country_code), len(found.mobile.example_number)
    return sum(PlannedNumbers(plan, kind, length).size for kind in (1, 3))


@cache
def number_plan(code: int) -> NumberPlan:
    """The plan of a country's code, of all its regions together."""
    phonenumbers = phonenumbers_library()
    metadata, regions = phonenumbers.PhoneMetadata, phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    plans = [metadata.metadata_for_nongeo_region(code) if r == "001" else metadata.metadata_for_region(r) for r in regions]

    def patterns(kinds: Sequence[str]) -> list[str]:
        found = [getattr(plan, kind).national_number_pattern for plan in plans if plan for kind in kinds if getattr(plan, kind)]
        return [pattern for pattern in found if pattern]

    return NumberPlan.of(patterns(("mobile",)), patterns(("fixed_line",)), patterns(_OTHERS))


def phonenumbers_library() -> Any:
    """The package that knows the number plans; raises InputError where it is not installed."""
    try:
        import phonenumbers
    except ImportError:
        raise InputError("telephone numbers need phonenumbers; it comes with `pip install 'companyos-data[pii]'`") from None
    return phonenumbers


def _digits(token: str) -> frozenset[int]:
    if token == "\\d":
        return _EVERY_DIGIT
    said = re.findall(r"(\d)(?:-(\d))?", token)
    return frozenset(digit for first, last in said for digit in range(int(first), int(last or first) + 1))


def _parted(numbers: UInt64, unit: int) -> tuple[UInt64, UInt64]:
    """Quotients and remainders; `np.divmod` divides number by number, which takes several times as long."""
    whole = numbers // np.uint64(unit)
    return whole, numbers - whole * np.uint64(unit)
