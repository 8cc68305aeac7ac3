"""Our recognizers within Presidio: its analyzer over our finder, and its anonymizer with our marks.

    analyzer().analyze("Call Ann on 030 1234567", "en")
    BatchAnalyzerEngine(analyzer(fast=True)).analyze_iterator(texts, "en", batch_size=1000)

As Presidio has it, the costly reading of texts is the NLP engine's, which sees them in batches; the recognizer then tells what was
read. Recognizers of Presidio, or of one's own, may be added to the registry beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from masking.classes import ENTITIES
from masking.text.finder import Finder
from masking.text.found import Found
from masking.text.model import MISSING
from schemas.errors import InputError

try:
    from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
    from presidio_anonymizer import AnonymizerEngine
    from presidio_anonymizer.entities import OperatorConfig
    from presidio_anonymizer.entities import RecognizerResult as ToAnonymize
except ModuleNotFoundError:
    raise InputError(MISSING) from None

if TYPE_CHECKING:
    from masking.transformers.base import KnownTexts

LANGUAGE = "en"
# what Presidio calls the entities that it knows too; the others go by our names in capitals
NAMES = {
    "person_name": "PERSON", "email": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER", "iban": "IBAN_CODE", "city": "LOCATION",
    "country": "LOCATION", "region": "LOCATION", "company": "ORGANIZATION", "date": "DATE_TIME", "nationality": "NRP",
    "bank_account": "US_BANK_NUMBER",
}  # fmt: skip


def presidio_name(entity: str) -> str:
    """What Presidio calls one of `masking.classes.ENTITIES`."""
    return NAMES.get(entity, entity.upper())


class _Read(NlpArtifacts):  # type: ignore[misc]
    """A text that has been read: what was found in it stands where other engines have their tokens."""

    def __init__(self, engine: NlpEngine, language: str, found: Sequence[Found]) -> None:
        super().__init__([], [], [], [], engine, language)
        self.found = found

    def set_keywords(self, nlp_engine: Any, lemmas: Any, tokens: Any) -> list[str]:
        return []


class FinderEngine(NlpEngine):  # type: ignore[misc]
    """An NLP engine that reads texts with a `Finder`."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder

    def load(self) -> None:
        """Nothing: the finder loads what it needs when it needs it."""

    def is_loaded(self) -> bool:
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        return _Read(self, language, self._finder.find([text])[0])

    def process_batch(
        self, texts: Iterable[Any], language: str, batch_size: int = 1, n_process: int = 1, as_tuples: bool = False, **_: Any
    ) -> Iterator[Any]:
        texts = iter(texts)
        while batch := list(islice(texts, max(batch_size, 1))):
            written = [str(item[0] if as_tuples else item) for item in batch]
            for item, text, found in zip(batch, written, self._finder.find(written)):
                read = _Read(self, language, found)
                yield (text, read, item[1]) if as_tuples else (text, read)

    def is_stopword(self, word: str, language: str) -> bool:
        return False

    def is_punct(self, word: str, language: str) -> bool:
        return not any(c.isalnum() for c in word)

    def get_supported_entities(self) -> list[str]:
        return sorted({presidio_name(e) for e in ENTITIES})

    def get_supported_languages(self) -> list[str]:
        return [LANGUAGE]


class FinderRecognizer(EntityRecognizer):  # type: ignore[misc]
    """A recognizer that tells what the engine found."""

    def __init__(self) -> None:
        super().__init__(supported_entities=sorted({presidio_name(e) for e in ENTITIES}), name="CompanyOS", supported_language=LANGUAGE)

    def load(self) -> None:
        """Nothing: the engine has what it takes."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None) -> list[RecognizerResult]:
        if not isinstance(nlp_artifacts, _Read):
            return []
        named = ((presidio_name(f.entity), f) for f in nlp_artifacts.found)
        return [RecognizerResult(name, f.start, f.end, f.score) for name, f in named if not entities or name in entities]


def analyzer(*, fast: bool = False, known: KnownTexts | None = None) -> AnalyzerEngine:
    """Return Presidio's analyzer with our engine and recognizer, for English and, by the dictionaries, names of many languages."""
    engine = FinderEngine(Finder(fast=fast, known=known))
    registry = RecognizerRegistry(recognizers=[FinderRecognizer()], supported_languages=[LANGUAGE])
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[LANGUAGE])


def anonymized(text: str, found: Iterable[Found], operators: Mapping[str, OperatorConfig] | None = None) -> str:
    """Return a text with what was found replaced by Presidio's anonymizer: `<EMAIL_ADDRESS>`, or as `operators` by Presidio's names say."""
    results = [ToAnonymize(presidio_name(f.entity), f.start, f.end, f.score) for f in found]
    return str(AnonymizerEngine().anonymize(text, results, dict(operators or {})).text)
