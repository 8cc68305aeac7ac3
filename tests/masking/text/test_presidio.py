"""Our finder within Presidio's analyzer, its batches and its anonymizer."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator

import pytest

from benchmarks._pii_texts import texts as made_texts
from masking.text import Finder

TEXTS = [text["full_text"] for text in made_texts(40, seed=3)]


@pytest.fixture(scope="module")
def presidio() -> Iterator[object]:
    pytest.importorskip("presidio_analyzer")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import masking.text.presidio as module

        yield module


@pytest.mark.slow
def test_the_batch_analyzer_tells_what_the_finder_finds(presidio) -> None:
    from presidio_analyzer import BatchAnalyzerEngine

    results = BatchAnalyzerEngine(presidio.analyzer(fast=True)).analyze_iterator(TEXTS, "en", batch_size=16)
    ours = [{(presidio.presidio_name(f.entity), f.start, f.end) for f in found} for found in Finder(fast=True).find(TEXTS)]
    assert [{(r.entity_type, r.start, r.end) for r in result} for result in results] == ours
    assert sum(map(len, ours)) > 40


def test_one_text_and_the_entities_asked_for(presidio) -> None:
    text = "Mail ann@example.org from 10.0.0.1"
    analyzer = presidio.analyzer(fast=True)
    assert {r.entity_type for r in analyzer.analyze(text, "en")} == {"EMAIL_ADDRESS", "IP_ADDRESS"}
    assert [r.entity_type for r in analyzer.analyze(text, "en", entities=["IP_ADDRESS"])] == ["IP_ADDRESS"]


def test_recognizers_of_presidio_work_beside_ours(presidio) -> None:
    from presidio_analyzer import Pattern, PatternRecognizer

    analyzer = presidio.analyzer(fast=True)
    analyzer.registry.add_recognizer(PatternRecognizer("TICKET", patterns=[Pattern("ticket", r"T-\d{3}", 0.9)]))
    assert {r.entity_type for r in analyzer.analyze("T-123 by ann@example.org", "en")} == {"TICKET", "EMAIL_ADDRESS"}


def test_the_anonymizer_replaces_by_marks_or_operators(presidio) -> None:
    from presidio_anonymizer.entities import OperatorConfig

    text = "Mail ann@example.org now"
    found = Finder(fast=True).find([text])[0]
    assert presidio.anonymized(text, found) == "Mail <EMAIL_ADDRESS> now"
    assert presidio.anonymized(text, found, {"EMAIL_ADDRESS": OperatorConfig("replace", {"new_value": "x"})}) == "Mail x now"


def test_finding_does_not_bring_presidio_with_it() -> None:
    code = "import sys; from masking.text import find; find(['ann@example.org'], fast=True); print('presidio_analyzer' in sys.modules, 'spacy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
