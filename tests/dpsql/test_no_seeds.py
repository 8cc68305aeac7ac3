"""The noise of private answers is from OpenDP and the operating system: nothing in the room can draw or seed anything else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOM = Path(__file__).resolve().parents[2] / "dpsql"
SEEDED = {"random", "numpy.random", "scipy", "diffprivlib", "datagen"}


def wrong(source: str) -> Iterator[str]:
    """Yield each place of `source` that imports, reaches or seeds a generator that can be foreseen."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module or ""]
        elif (isinstance(node, ast.Attribute) and node.attr in ("random", "default_rng", "RandomState", "Philox")) or (
            isinstance(node, ast.keyword) and node.arg == "seed"
        ):
            names = ["random"]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            names = ["random"] if called in ("seed", "setseed", "set_seed") else []
        if any(name == s or name.startswith(s + ".") for name in names for s in SEEDED):
            yield f"line {getattr(node, 'lineno', getattr(getattr(node, 'value', None), 'lineno', '?'))}"


@pytest.mark.parametrize("file", sorted(ROOM.rglob("*.py")), ids=lambda f: str(f.relative_to(ROOM)))
def test_no_randomness_that_can_be_foreseen(file: Path) -> None:
    assert list(wrong(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    ["import random", "from random import choice", "import numpy as np\nnp.random.normal()", "from numpy import random",
     "from numpy.random import default_rng", "import scipy.stats", "f(seed=3)", "x.seed(3)", "from datagen import Stream"],
)  # fmt: skip
def test_a_breach_is_seen(source: str) -> None:
    assert list(wrong(source))
