"""Run by the Python of an environment that has anjana and pycanon, which pin versions of their own; nothing of ours is imported.

    _anjana.py anonymise IN.csv HIERARCHIES.json OUT.csv K SUPPRESSED_PERCENT COLUMN,COLUMN,...
    _anjana.py check FILE.csv COLUMN,COLUMN,... [SENSITIVE]

The first writes the rows that are left, with their numbers in a column `row`; both print one JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd


def anonymise(source: str, hierarchies: str, target: str, k: str, percent: str, names: str) -> dict[str, float]:
    from anjana.anonymity import k_anonymity

    columns = names.split(",")
    data = pd.read_csv(source, sep=";", dtype=str, keep_default_na=False)
    with open(hierarchies, encoding="utf-8") as file:
        levels = {name: {i: np.array(level) for i, level in enumerate(held)} for name, held in json.load(file).items()}
    data["row"] = np.arange(len(data))
    started = time.perf_counter()
    found = k_anonymity(data, [], columns, int(k), float(percent), levels)
    seconds = time.perf_counter() - started
    found.to_csv(target, sep=";", index=False)
    return {"seconds": seconds, "rows": len(found)}


def check(path: str, names: str, sensitive: str = "") -> dict[str, float]:
    from pycanon import anonymity

    columns = names.split(",")
    data = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False)
    found: dict[str, float] = {"k": int(anonymity.k_anonymity(data, columns))}
    if sensitive:
        found["l"] = int(anonymity.l_diversity(data, columns, [sensitive]))
        found["t"] = float(anonymity.t_closeness(data, columns, [sensitive]))
    return found


if __name__ == "__main__":
    calls: dict[str, Callable[..., dict[str, float]]] = {"anonymise": anonymise, "check": check}
    print(json.dumps(calls[sys.argv[1]](*sys.argv[2:])))
