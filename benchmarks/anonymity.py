"""k-anonymity beside anjana: what is kept of the data, and the time; what we wrote is counted again by pycanon.

`python -m benchmarks anonymity` takes `../shared/data/adult` where it is, else people of a census made here. anjana and pycanon pin
old versions of what we use, so they live in an environment of their own in the user's cache folder, which is made the first time.
It prints one JSON line: for each question granularity (1 nothing lost, 0 all; rows that the peer drops lose all) and seconds of
both, their ratios, and k, l and t of our output as pycanon counts them. It ends with 1 where that is not what was asked for.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._environments import ask_peer, environment
from masking.anonymity import DistinctDiversity, EqualCloseness, KAnonymity, Model, QuasiIdentifier, Specification, anonymize
from masking.anonymity.flat_files import anonymize_file, with_hierarchies
from masking.tabular import read_table

ADULT = Path(__file__).parents[2] / "shared" / "data" / "adult"
PEERS = ("anjana==1.2.3", "pycanon==1.3.5")
SENSITIVE = "salary-class"
ROWS = 30_000


@dataclass(frozen=True)
class Question:
    """What is asked: models of ours, and the k and the percentage of suppressed rows of the peer's (None: it has no such thing)."""

    models: tuple[Model, ...]
    k: int
    notation: str = "labels"
    recoding: str = "local"
    percent: int | None = 0

    @property
    def title(self) -> str:
        suppressed = f", {self.percent} % suppressed" if self.percent else ""
        return f"{', '.join(m.title for m in self.models)}, {self.recoding}, {self.notation}{suppressed}"


QUESTIONS = (
    Question((KAnonymity(5),), 5),
    Question((KAnonymity(10),), 10),
    Question((KAnonymity(5),), 5, percent=5),
    Question((KAnonymity(5),), 5, recoding="global", percent=5),
    Question((KAnonymity(5),), 5, "sets", percent=None),
    Question((KAnonymity(5), DistinctDiversity(2, SENSITIVE), EqualCloseness(0.3, SENSITIVE)), 5, percent=None),
)


def census(folder: Path, rows: int) -> Path:
    """Write people like those of the Adult data, and the hierarchies of their columns."""
    chance = random.Random(5)
    columns: dict[str, list[list[str]]] = {
        "sex": [["Male", "*"], ["Female", "*"]],
        "age": [[str(a), f"{a // 5 * 5}-{a // 5 * 5 + 4}", f"{a // 10 * 10}s", "*"] for a in range(17, 91)],
        "education": [[f"E{i}", f"School {i // 4}", "*"] for i in range(16)],
        "native-country": [[f"C{i}", f"Continent {i // 8}", "*"] for i in range(40)],
        "occupation": [[f"O{i}", f"Sector {i // 5}", "*"] for i in range(14)],
        SENSITIVE: [["<=50K", "*"], [">50K", "*"]],
    }
    for name, hierarchy in columns.items():
        (folder / f"people_hierarchy_{name}.csv").write_text("\n".join(map(";".join, hierarchy)) + "\n")
    drawn = [
        chance.choices([row[0] for row in held], [1 / (1 + abs(i - len(held) // 3)) for i in range(len(held))], k=rows)
        for held in columns.values()
    ]
    with open(folder / "people.csv", "w", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*drawn, strict=True))
    return folder / "people.csv"


def granularity(rows: int, names: Sequence[str], cells: Sequence[Sequence[str]], hierarchies: dict[str, list[list[str]]]) -> float:
    """1 less the mean loss of the cells; `cells` are those of each of `names`, and rows that are missing lose all."""
    lost = 0.0
    for name, column in zip(names, cells, strict=True):
        covered = defaultdict(set)
        for level in hierarchies[name]:
            for leaf, label in zip(hierarchies[name][0], level, strict=True):
                covered[label].add(leaf)
        most = len(hierarchies[name][0]) - 1
        known = {cell: (len(covered[cell]) - 1) / most for cell in set(column)}
        lost += sum(known[cell] for cell in column) + rows - len(column)
    return 1 - lost / (rows * len(names))


def compare(question: Question, source: Path, python: Path, folder: Path, repeat: int) -> dict[str, Any]:
    """Ours and the peer's in turn, and what pycanon counts in ours."""
    read = read_table(str(source))
    sensitive = sorted({model.sensitive for model in question.models if model.sensitive})
    names = [name for name in read.table.column_names if name not in sensitive]
    asked = Specification(
        tuple(map(QuasiIdentifier, names)),
        question.models,
        question.recoding,  # type: ignore[arg-type]
        question.notation,  # type: ignore[arg-type]
        (question.percent or 0) / 100,
    )
    given = with_hierarchies(read.table, asked, str(source.parent), {})
    levels = {quasi.name: [list(level) for level in quasi.hierarchy.levels] for quasi in given.quasi_identifiers if quasi.hierarchy}
    (folder / "levels.json").write_text(json.dumps(levels))
    ours, theirs, kept = [], [], 0.0
    for _ in range(repeat):
        started = time.perf_counter()
        anonymize(read.table, given)
        ours.append(time.perf_counter() - started)
        if question.percent is not None:
            arguments = (str(source), str(folder / "levels.json"), str(folder / "peer.csv"), str(question.k), str(question.percent))
            theirs.append(ask_peer(python, "_anjana.py", "anonymise", *arguments, ",".join(names))["seconds"])
            after = read_table(str(folder / "peer.csv")).table
            kept = granularity(read.table.num_rows, names, [after.column(n).to_pylist() for n in names], levels)  # type: ignore[arg-type]
    summary = anonymize_file(str(source), str(folder / "ours.csv"), asked, hierarchies=str(source.parent))
    counted = ask_peer(python, "_anjana.py", "check", str(folder / "ours.csv"), ",".join(names), *sensitive)
    holds = counted["k"] >= question.k
    for model in question.models:
        if isinstance(model, DistinctDiversity):
            holds &= counted["l"] >= model.l
        if isinstance(model, EqualCloseness):
            holds &= counted["t"] <= model.t + 1e-7
    found: dict[str, Any] = {"question": question.title, "granularity": round(summary.granularity, 4), "seconds": round(median(ours), 3)}
    if theirs:
        found["anjana"] = {"granularity": round(kept, 4), "seconds": round(median(theirs), 3)}
        found["ratio"] = {"utility": round(summary.granularity / max(kept, 1e-4), 2), "time": round(median(theirs) / median(ours), 2)}
    return {**found, "suppressed": summary.suppressed, "pycanon": counted, "holds": holds}


def main(arguments: list[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks anonymity", description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--rows", type=int, default=ROWS, help="of the census that is made where the Adult data is not here")
    options = parser.parse_args(arguments)
    python = environment(*PEERS)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        source = ADULT / "adult.csv" if ADULT.is_dir() else census(folder, options.rows)
        found = [compare(question, source, python, folder, options.repeat) for question in QUESTIONS]
    print(json.dumps({"data": source.name, "questions": found}))
    sys.exit(0 if all(one["holds"] for one in found) else 1)
