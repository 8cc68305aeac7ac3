"""All words of a pattern, each once: a deterministic automaton that numbers them.

Two ways through a pattern may spell one word; a deterministic automaton reads every word in one way. It is made by the
position construction (Glushkov 1961) and the subset construction (Rabin and Scott 1959), and has no cycles, since repetitions
are bounded; so the words that follow a state can be counted, and a number unfolds into a word letter by letter.

Of a pattern with more than 2**62 words, numbers tell beginnings apart, as long as there are no more than 2**62 of these; how a
word goes on from there is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from datagen.randomness import Int64, UInt64, below
from datagen.values.regex import Either, Letter, Node, Repeated, Sequence, longest
from datagen.values.texts import code_points, spell

_MOST_WORDS = 2**62
_MOST_POSITIONS = 4096
_MOST_STATES = 20_000
_MOST_STEPS = 2_000_000
_CELLS = 2**24
_END = -1
_DONE = -1

T = TypeVar("T")
State = frozenset[int]
Letters = npt.NDArray[np.unsignedinteger]


class Tangled(ValueError):
    """The automaton of a pattern would be too large."""


@dataclass(frozen=True)
class _Turn:
    """What may come next: the end for the first numbers, then the letters of each edge in turn, `share` numbers for each."""

    bounds: Int64
    letters: tuple[Letters, ...]
    targets: tuple[int, ...]
    shares: tuple[int, ...]
    drawn: bool


class Words:
    """The words of a pattern, numbered 0 to `size` - 1; the last `ending` letters of a word may be drawn."""

    def __init__(self, pattern: Node) -> None:
        automaton = _Automaton(pattern)
        self._width = longest(pattern)
        if automaton.counts[0] <= _MOST_WORDS:
            counts, depth = {(state, 0): count for state, count in enumerate(automaton.counts)}, None
        else:
            counts, depth = automaton.beginnings(_MOST_WORDS)
        self.size = counts[0, 0]
        self.ending = 0 if depth is None else self._width - depth
        self._turns = _turns(automaton, counts, depth)

    def write(self, numbers: Int64, draws: Callable[[int, Int64], UInt64]) -> pa.Array:
        """Return the word with each number; `draws(i, here)` gives a draw for letter i of the ending, at some positions."""
        step = max(_CELLS // max(self._width, 1), 1)
        starts = range(0, max(len(numbers), 1), step)
        return pa.concat_arrays([self._write(numbers[i : i + step], i, draws) for i in starts])

    def _write(self, numbers: Int64, first: int, draws: Callable[[int, Int64], UInt64]) -> pa.Array:
        letters = [found for turn in self._turns for found in turn.letters]
        written = np.empty((len(numbers), self._width), letters[0].dtype if letters else np.uint8)
        lengths = np.zeros(len(numbers), np.int64)
        going, at, rest = np.arange(len(numbers)), np.zeros(len(numbers), np.int64), numbers.copy()
        for place in range(self._width + 1):
            now = at[going]
            for which in np.flatnonzero(np.bincount(now)):
                turn, here = self._turns[which], going[now == which]
                if turn.drawn and turn.letters:
                    number = below(draws(place - self._width + self.ending, first + here), int(turn.bounds[-1]))
                else:
                    number = rest[here]
                option = np.searchsorted(turn.bounds, number, side="right") - 1
                number = number - turn.bounds[option]
                lengths[here] = place
                at[here] = _DONE
                for i, (found, target, share) in enumerate(zip(turn.letters, turn.targets, turn.shares, strict=True), 1):
                    taken = option == i
                    letter, left = np.divmod(number[taken], share)
                    written[here[taken], place] = found[letter]
                    at[here[taken]], rest[here[taken]] = target, left
            going = going[at[going] != _DONE]
        return spell(written, lengths)


def _turns(automaton: _Automaton, counts: dict[tuple[int, int], int], depth: int | None) -> list[_Turn]:
    """The turns of all states that are passed, the first one first; from `depth` on they are drawn."""
    order = _Numbering((0, 0))
    found: list[tuple[list[int], list[str], list[int], list[int], bool]] = []
    for state, at in order.met:
        drawn, stop, edges = at == depth, int(automaton.ends[state]), automaton.edges[state]
        after = at if drawn or depth is None else at + 1
        if drawn:
            # as likely to end here as at each later letter
            shares = [automaton.furthest[state]] * len(edges)
            stop *= max(sum(len(letters) for letters, _ in edges), 1)
        else:
            shares = [counts[target, after] for _, target in edges]
        bounds = accumulate((len(e[0]) * s for e, s in zip(edges, shares, strict=True)), initial=stop)
        targets = [order[target, after] for _, target in edges]
        found.append(([0, *bounds], [letters for letters, _ in edges], targets, shares, drawn))
    tables = dict(zip(names := list({name for turn in found for name in turn[1]}), code_points(names), strict=True))
    return [_Turn(np.array(b, np.int64), tuple(tables[n] for n in names), tuple(t), tuple(s), d) for b, names, t, s, d in found]


class _Numbering(Generic[T]):
    """Numbers things from 0 as they are met; `met` may be iterated while it grows."""

    def __init__(self, first: T) -> None:
        self.met = [first]
        self._numbers = {first: 0}

    def __getitem__(self, thing: T) -> int:
        if thing not in self._numbers:
            self._numbers[thing] = len(self.met)
            self.met.append(thing)
        return self._numbers[thing]


class _Automaton:
    """States 0 to n - 1, of which 0 is the first: `edges` (letters and the next state), whether a word `ends` there, how many
    words go on from there (`counts`), and how many letters the longest of these has (`furthest`)."""

    def __init__(self, pattern: Node) -> None:
        self._letters: list[str] = []
        self._after: list[State] = []
        first = self._positions(pattern, frozenset({_END}))
        states = _Numbering(first)
        self.ends: list[bool] = []
        self.edges: list[list[tuple[str, int]]] = []
        steps = 0
        for state in states.met:
            steps += sum(len(self._letters[p]) + len(self._after[p]) for p in state if p != _END)
            if len(states.met) > _MOST_STATES or steps > _MOST_STEPS:
                raise Tangled("its parts may follow each other in too many ways; let fewer parts be optional")
            self.ends.append(_END in state)
            self.edges.append([(letters, states[s]) for s, letters in self._next(state).items()])
        self.counts, self.furthest = [0] * len(self.edges), [0] * len(self.edges)
        for i in self._backwards():
            self.counts[i] = self.ends[i] + sum(len(letters) * self.counts[t] for letters, t in self.edges[i])
            self.furthest[i] = max((1 + self.furthest[t] for _, t in self.edges[i]), default=0)

    def _positions(self, node: Node, after: State) -> State:
        """Number the letters of `node`, which `after` can follow; return those that it can begin with (and `after`, if empty)."""
        match node:
            case Letter(letters):
                if len(self._letters) >= _MOST_POSITIONS:
                    raise Tangled(f"it has more than {_MOST_POSITIONS:,} letters with all repetitions written out")
                self._letters.append(letters)
                self._after.append(after)
                return frozenset({len(self._letters) - 1})
            case Sequence(parts):
                for part in reversed(parts):
                    after = self._positions(part, after)
                return after
            case Either(options):
                return frozenset().union(*(self._positions(o, after) for o in options))
            case Repeated(part, least, most):
                first = after
                for i in range(most):
                    first = self._positions(part, first) | (after if i < most - least else frozenset())
                return first

    def _next(self, state: State) -> dict[State, str]:
        """What can follow, and the letters that lead there."""
        inner = sorted(state - {_END})
        if len(inner) == 1:
            return {self._after[inner[0]]: self._letters[inner[0]]}
        reached: dict[str, set[int]] = {}
        for position in inner:
            for letter in self._letters[position]:
                reached.setdefault(letter, set()).update(self._after[position])
        found: dict[State, str] = {}
        for letter, states in reached.items():
            found[frozenset(states)] = found.get(frozenset(states), "") + letter
        return found

    def _backwards(self) -> list[int]:
        """The states, each after all that follow it."""
        order: list[int] = []
        seen = [False] * len(self.edges)
        stack = [(0, 0)]
        while stack:
            state, edge = stack.pop()
            if edge == 0:
                seen[state] = True
            targets = self.edges[state]
            while edge < len(targets) and seen[targets[edge][1]]:
                edge += 1
            if edge < len(targets):
                stack += [(state, edge + 1), (targets[edge][1], 0)]
            else:
                order.append(state)
        return order

    def beginnings(self, most: int) -> tuple[dict[tuple[int, int], int], int]:
        """Return how many beginnings of words go on from each (state, depth), and the depth at which they are cut: the largest
        that leaves no more than `most`."""
        layers = [{0: 1}]
        shorter = 0  # words that end before the last layer
        while True:
            layer: dict[int, int] = {}
            for state, count in layers[-1].items():
                for letters, target in self.edges[state]:
                    layer[target] = layer.get(target, 0) + count * len(letters)
            shorter += sum(count for state, count in layers[-1].items() if self.ends[state])
            if shorter + sum(layer.values()) > most:
                break
            layers.append(layer)
            if sum(map(len, layers)) > _MOST_STATES:
                raise Tangled("its parts may follow each other in too many ways; let fewer parts be optional")
        depth = len(layers) - 1
        counts = {(state, depth): 1 for state in layers[depth]}
        for at in range(depth - 1, -1, -1):
            for state in layers[at]:
                onward = sum(len(letters) * counts[target, at + 1] for letters, target in self.edges[state])
                counts[state, at] = self.ends[state] + onward
        return counts, depth
