"""Tables for tests of anonymity: drawn by Hypothesis, and a population that resembles a census."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from masking.anonymity import (
    DistinctDiversity,
    EntropyDiversity,
    EqualCloseness,
    KAnonymity,
    OrderedCloseness,
    QuasiIdentifier,
    RecursiveDiversity,
    Specification,
)
from masking.anonymity.hierarchy import make_hierarchy

SHARED = Path(__file__).parents[4] / "shared"
ADULT = SHARED / "data" / "adult"

_WORDS = st.sampled_from(["a", "b", "c", "d,e", '"', "{x}", " f", "*", "", "[1,2]"])
_NUMBERS = st.one_of(st.integers(-5, 30).map(str), st.sampled_from(["1.5", "2.25", "-0.5"]))


def text_table(rows: list[tuple[str | None, ...]], names: str) -> pa.Table:
    """A table of texts with columns of one letter each."""
    return pa.table([pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)], names=list(names))


@st.composite
def hierarchies(draw, values):
    """A hierarchy over `values`, of random height and labels."""
    height = draw(st.integers(1, 3))
    paths = {}
    for value in sorted(values, key=lambda v: (v is None, v or "")):
        path, group = [], draw(st.integers(0, 3))
        for level in range(height):
            path.append(f"L{level}-{group}")
            group //= 2
        paths[value] = [value, *path, "*"]
    return make_hierarchy(list(paths.values()))


@st.composite
def questions(draw):
    """A table, and what it is to become."""
    kinds = draw(st.lists(st.sampled_from(["words", "numbers"]), min_size=1, max_size=3))
    cells = [st.none() | (_WORDS if kind == "words" else _NUMBERS) for kind in kinds]
    rows = draw(st.lists(st.tuples(*cells, st.sampled_from(["flu", "cold", "7", None])), min_size=1, max_size=40))
    names = "abc"[: len(kinds)]
    table = text_table(rows, names + "s")
    columns = []
    for name in names:
        hierarchy = draw(st.none() | hierarchies(set(table.column(name).to_pylist())))
        columns.append(QuasiIdentifier(name, hierarchy, draw(st.sampled_from([1.0, 0.25, 3.0]))))
    models = [KAnonymity(draw(st.integers(1, 6)))]
    models += draw(
        st.lists(
            st.one_of(
                st.builds(DistinctDiversity, st.integers(1, 3), st.just("s")),
                st.builds(EntropyDiversity, st.floats(1, 2.5), st.just("s")),
                st.builds(RecursiveDiversity, st.integers(1, 3), st.just("s"), st.floats(0.5, 4)),
                st.builds(EqualCloseness, st.floats(0, 1), st.just("s")),
                st.builds(OrderedCloseness, st.floats(0, 1), st.just("s")),
            ),
            max_size=2,
        )
    )
    return table, Specification(
        tuple(columns),
        tuple(models),
        draw(st.sampled_from(["local", "global"])),
        draw(st.sampled_from(["labels", "sets", "typed"])),
        draw(st.sampled_from([0.0, 0.0, 0.1, 0.4])),
    )


def census(rows: int, seed: int = 7) -> pa.Table:
    """People of a made-up census, as skewed as a real one."""
    random = np.random.default_rng(seed)
    columns = {
        "sex": random.choice(["F", "M"], rows, p=[0.33, 0.67]),
        "age": np.clip(random.gamma(9, 4.3, rows), 17, 90).astype(int).astype(str),
        "region": random.choice([f"R{i:02}" for i in range(30)], rows, p=_zipf(30)),
        "education": random.choice([f"E{i:02}" for i in range(16)], rows, p=_zipf(16)),
        "work": random.choice([f"W{i}" for i in range(8)], rows, p=_zipf(8)),
        "illness": random.choice([f"I{i}" for i in range(12)], rows, p=_zipf(12)),
    }
    return pa.table({name: pa.array(values.tolist(), pa.string()) for name, values in columns.items()})


def _zipf(number: int):
    weights = 1 / np.arange(1, number + 1) ** 1.2
    return weights / weights.sum()
