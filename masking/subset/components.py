"""Strongly connected components of the graph of references: the sets of tables that reference each other in cycles.

Tarjan, "Depth-first search and linear graph algorithms" (1972), without recursion.
"""

from __future__ import annotations

from collections.abc import Iterator

from masking.subset.graph import Graph


def components(graph: Graph) -> list[tuple[str, ...]]:
    """Return the components such that every table comes before the tables that it references, those of its own apart."""
    targets = {name: sorted({r.target_table for r in graph.out_of(name)}) for name in graph.tables}
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[tuple[str, ...]] = []

    def enter(name: str) -> tuple[str, Iterator[str]]:
        number[name] = lowest[name] = len(number)
        stack.append(name)
        on_stack.add(name)
        return name, iter(targets[name])

    for root in graph.tables:
        if root in number:
            continue
        path = [enter(root)]
        while path:
            name, rest = path[-1]
            following = next(rest, None)
            if following is None:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[name])
                if lowest[name] == number[name]:
                    found.append(_popped(stack, on_stack, name))
            elif following not in number:
                path.append(enter(following))
            elif following in on_stack:
                lowest[name] = min(lowest[name], number[following])
    return found[::-1]


def is_cyclic(graph: Graph, component: tuple[str, ...]) -> bool:
    """Whether rows of a component can reference rows of it."""
    return len(component) > 1 or bool(graph.between(component[0], component[0]))


def _popped(stack: list[str], on_stack: set[str], last: str) -> tuple[str, ...]:
    taken = []
    while True:
        name = stack.pop()
        on_stack.discard(name)
        taken.append(name)
        if name == last:
            return tuple(sorted(taken))
