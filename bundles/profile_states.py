"""What status columns tell of their state machines: where rows are, and which transitions they have made.

A row shows its state now, and the times at which it first entered those states that have a column of their own (`entered`).
Between two states that it is known to have been in, it took some way through the machine. A transition that is on every such way
was made for certain; one that is on some of them may have been made. A state whose time is null or later was not yet entered.
Source: bridges and reachability, R. Tarjan, "Depth-first search and linear graph algorithms" (1972).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bundles.profiled import MachineProfile, StateCount, Transition
from bundles.scanning import Session, scan
from schemas.model import Column, Table
from schemas.recipe_rules import states_of
from schemas.recipes import argument
from schemas.types import MOMENTS

Move = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Machine:
    """States in their order, the first one first, and the chances of the moves between them."""

    states: tuple[str, ...]
    moves: Mapping[Move, float]


@dataclass(frozen=True, slots=True)
class Ways:
    """The states and moves on every way, and on some way, of a row; `explained` is whether there is a way at all."""

    explained: bool
    certain: frozenset[str]
    possible: frozenset[str]
    sure_moves: frozenset[Move]
    moves: frozenset[Move]


def machine_of(column: Column) -> Machine | None:
    """The state machine of a status column; None for any other column."""
    if column.generate is None or column.generate.name != "states":
        return None
    given = argument(column.generate, "machine")
    moves = {(state, following): float(chance) for state, targets in given.items() for following, chance in targets.items() if chance}
    return Machine(tuple(states_of(column.generate)), moves)


def profile_machine(session: Session, table: Table, paths: Sequence[Path], column: Column, hidden: str | None) -> MachineProfile | None:
    """Return what the data tells of the state machine of `column`; None where it has none. Raises duckdb.Error."""
    machine = machine_of(column)
    if machine is None:
        return None
    if hidden is not None:
        return MachineProfile(column.name, hidden)
    entered = _entered(table, column, machine)
    names = [c.name for c in table.stored_columns]
    times = ", ".join(f"{{'t': epoch_us(c{names.index(e.name)}), 's': {machine.states.index(s)}}}" for s, e in entered.items())
    order = f"list_transform(list_sort(list_filter([{times}], lambda x: x.t IS NOT NULL)), lambda x: x.s)" if entered else "[]::INTEGER[]"
    rows = scan(table, paths, positional=True)
    groups = f"SELECT c{names.index(column.name)} AS state, {order} AS seen, count(*) AS n FROM ({rows}) GROUP BY ALL"
    (found,) = session.row(f"SELECT list(row(state, seen, n)) FROM ({groups}) WHERE state IS NOT NULL")
    patterns = [(str(state), [machine.states[i] for i in seen], int(n)) for state, seen, n in found or ()]
    return _profile(column, machine, {s: e.name for s, e in entered.items()}, patterns)


def ways(machine: Machine, known: Sequence[str], timed: Collection[str]) -> Ways:
    """Return the ways through `machine` that pass the `known` states in their order and end in the last of them.

    The states of `timed` are entered for the first time when they come up in `known`, or never.
    """
    certain, possible = {known[0]}, {known[0]}
    sure_moves: set[Move] = set()
    moves: set[Move] = set()
    open_states = {s for s in machine.states if s not in timed} | {known[0]}
    for here, there in pairwise(known):
        allowed = open_states | {there}
        found = [(a, b) for a, b in machine.moves if a in allowed and b in allowed]
        if there not in open_states:
            # entered for the first time at the end of this stretch: it is not left before
            found = [(a, b) for a, b in found if a != there]
        after, before = _reach(found, here), _reach([(b, a) for a, b in found], there)
        if there not in after:
            return Ways(False, frozenset(), frozenset(), frozenset(), frozenset())
        on_way = [m for m in found if m[0] in after and m[1] in before]
        moves.update(on_way)
        possible.update(s for m in on_way for s in m)
        certain.add(there)
        if here != there:
            sure_moves.update(m for m in on_way if there not in _reach([o for o in on_way if o != m], here))
            certain.update(s for s in possible if s != here and there not in _reach([m for m in on_way if s not in m], here))
        open_states.add(there)
    return Ways(True, frozenset(certain), frozenset(possible), frozenset(sure_moves), frozenset(moves))


def _profile(
    column: Column, machine: Machine, evidence: Mapping[str, str], patterns: Sequence[tuple[str, list[str], int]]
) -> MachineProfile:
    first = machine.states[0]
    now: dict[str, int] = {}
    certain, possible = dict.fromkeys(machine.states, 0), dict.fromkeys(machine.states, 0)
    sure_moves, moves = dict.fromkeys(machine.moves, 0), dict.fromkeys(machine.moves, 0)
    unexplained = 0
    for state, seen, rows in patterns:
        now[state] = now.get(state, 0) + rows
        known = [first, *(s for s in seen if s != first)]
        if state in machine.states and state not in seen and state in evidence and state != first:
            unexplained += rows  # it has a column for its time, which is null
            continue
        way = ways(machine, [*known, state], evidence) if state in machine.states else None
        if way is None or not way.explained:
            unexplained += rows
            continue
        for counts, found in ((certain, way.certain), (possible, way.possible)):
            for s in found:
                counts[s] += rows
        for counted, made in ((sure_moves, way.sure_moves), (moves, way.moves)):
            for m in made:
                counted[m] += rows
    strangers = sorted(set(now) - set(machine.states))
    return MachineProfile(
        column.name,
        None,
        tuple(evidence.values()),
        (
            *(StateCount(s, now.get(s, 0), certain[s], possible[s]) for s in machine.states),
            *(StateCount(s, now[s], now[s], now[s], known=False) for s in strangers),
        ),
        tuple(Transition(a, b, chance, sure_moves[a, b], moves[a, b]) for (a, b), chance in machine.moves.items()),
        unexplained,
    )


def _entered(table: Table, column: Column, machine: Machine) -> dict[str, Column]:
    """The stored columns with the time at which a state was first entered, by state, in the machine's order."""
    found: dict[str, Column] = {}
    for c in table.stored_columns:
        recipe = c.generate
        if recipe is not None and recipe.name == "entered" and argument(recipe, "of") == column.name and c.type.kind in MOMENTS:
            found.setdefault(str(argument(recipe, "state")), c)
    return {s: found[s] for s in machine.states if s in found}


def _reach(moves: Collection[Move], start: str) -> set[str]:
    """The states that `moves` lead to from `start`, which is one of them."""
    reached, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for a, b in moves:
            if a == here and b not in reached:
                reached.add(b)
                todo.append(b)
    return reached
