"""The order of tables, parents first, and the foreign keys that run in cycles of tables."""

from __future__ import annotations

from schemas.model import ForeignKey, Schema, Table


def components(schema: Schema) -> list[tuple[str, ...]]:
    """Return the strongly connected components of the tables, parents before children, in a stable order.

    Tables of one component refer to each other in a cycle; most components are one table. Tarjan 1972, without recursion.
    """
    parents = {t.name: _parents(schema, t) for t in schema.tables}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[tuple[str, ...]] = []
    position = {t.name: i for i, t in enumerate(schema.tables)}
    for root in parents:
        if root in index:
            continue
        work = [(root, iter(parents[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            table, remaining = work[-1]
            for parent in remaining:
                if parent not in index:
                    index[parent] = low[parent] = len(index)
                    stack.append(parent)
                    on_stack.add(parent)
                    work.append((parent, iter(parents[parent])))
                    break
                if parent in on_stack:
                    low[table] = min(low[table], index[parent])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[table])
                if low[table] == index[table]:
                    cut = stack.index(table)
                    members, stack[cut:] = stack[cut:], []
                    on_stack.difference_update(members)
                    found.append(tuple(sorted(members, key=position.__getitem__)))
    return found


def fill_order(schema: Schema) -> tuple[str, ...]:
    """Return the tables in an order in which as few foreign keys as possible point to a later table.

    Inside a cycle the table with the fewest references to tables not yet placed comes next (first in the file on a tie).
    """
    order: list[str] = []
    for members in components(schema):
        waiting = list(members)
        while waiting:
            ahead = {name: len(_parents(schema, schema.table(name)) & set(waiting)) for name in waiting}
            chosen = min(waiting, key=ahead.__getitem__)
            order.append(chosen)
            waiting.remove(chosen)
    return tuple(order)


def in_cycle(schema: Schema) -> set[tuple[str, ForeignKey]]:
    """Return the foreign keys, with their tables, that are part of a cycle of two or more tables."""
    found = set()
    for members in components(schema):
        for name in members:
            found |= {(name, key) for key in schema.table(name).foreign_keys if key.table in members and key.table != name}
    return found


def _parents(schema: Schema, table: Table) -> set[str]:
    return {key.table for key in table.foreign_keys if key.table != table.name and schema.has(key.table)}
