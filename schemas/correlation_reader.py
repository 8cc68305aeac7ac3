"""Correlations as the schema language writes them: `{columns: [a, b], matrix: [[1, 0.7], [0.7, 1]]}`, or a list of such."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from schemas import grammar
from schemas.model import Correlation
from schemas.yaml_nodes import Node, Reading, mark_of

_MOST = 64


def read_correlations(reading: Reading, node: Node) -> tuple[Correlation, ...]:
    """Return the correlations of a table; those whose shape is wrong are problems and left out."""
    return tuple(_read(reading, node))


def _read(reading: Reading, node: Node) -> Iterator[Correlation]:
    for item in [node] if isinstance(node, yaml.MappingNode) else reading.items(node, "correlate"):
        parts = reading.mapping(item, "a correlation", grammar.names(grammar.CORRELATION))
        if not {"columns", "matrix"} <= set(parts):
            if isinstance(item, yaml.MappingNode) and len(parts) == len(item.value):
                reading.say(item, "a correlation needs `columns:` and `matrix:`")
            continue
        before = len(reading.problems)
        columns = reading.names(parts["columns"][1], "the columns of a correlation") or ()
        for place, name in enumerate(columns):
            if name in columns[:place]:
                reading.say(parts["columns"][1].value[place], f"correlate: '{name[:60]}' stands twice")
        if len(reading.problems) == before and not 2 <= len(columns) <= _MOST:
            reading.say(parts["columns"][1], f"correlate needs 2 to {_MOST} columns, not {len(columns)}")
        if len(reading.problems) > before:
            continue
        matrix = _matrix(reading, parts["matrix"][1], columns)
        if matrix is not None:
            yield Correlation(columns, matrix, mark_of(item))


def _matrix(reading: Reading, node: Node, columns: tuple[str, ...]) -> tuple[tuple[float, ...], ...] | None:
    before, size = len(reading.problems), len(columns)
    rows = list(reading.items(node, "matrix"))
    values: list[list[float]] = []
    for row in rows:
        numbers = [(item, reading.number(item, "a correlation")) for item in reading.items(row, "a row of the matrix")]
        for item, value in numbers:
            if value is not None and not -1 <= value <= 1:
                reading.say(item, f"a correlation must lie between -1 and 1, not {value}")
        if len(numbers) != size and isinstance(row, yaml.SequenceNode):
            reading.say(row, f"the matrix needs {size} numbers in each row, one for each column, not {len(numbers)}")
        values.append([float(value or 0) for _, value in numbers])
    if isinstance(node, yaml.SequenceNode) and len(rows) != size:
        reading.say(node, f"the matrix needs {size} rows, one for each column, not {len(rows)}")
    if len(reading.problems) > before:
        return None
    for i, row in enumerate(rows):
        if values[i][i] != 1:
            reading.say(row.value[i], f"a column has the correlation 1 with itself, and here '{columns[i]}' has {values[i][i]:g}")
        for j in range(i):
            if values[i][j] != values[j][i]:
                pair = f"'{columns[i]}' with '{columns[j]}' is {values[i][j]:g}, and the other way round {values[j][i]:g}"
                reading.say(row.value[j], f"the matrix is not symmetric: {pair}")
    return tuple(tuple(row) for row in values) if len(reading.problems) == before else None
