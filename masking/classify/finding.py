"""What is known of a column: its class, the kind of entity, how sure that is, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_QUASI = ("city", "postcode", "region", "country", "coordinates", "company", "job_title", "birth_date", "age", "gender", "nationality",
          "language", "marital_status")  # fmt: skip
_SENSITIVE = ("religion", "ethnicity", "political", "sexuality", "health", "salary", "password", "secret")


@dataclass(frozen=True)
class Finding:
    """The class and entity of a column, or of a path in a document, as proposed.

    `klass` is one of masking.classes.CLASSES, `entity` one of ENTITIES or None, `confidence` lies between 0 and 1. `evidence` are
    sentences of counts and rules, and never holds a value. `paths` are the findings in documents and arrays, such as
    `$.contact.email`, `$.tags[*]` and `$.items[*].email`, in the order of their names. `listed` says that the values may stand in
    other rows: those of a closed list, and numbers, which tell of nobody when they stand alone. `written` says how whole numbers are days
    of birth (`masking.classify.days`), where that is sure. `numbers` says that all values at a path are
    numbers. `few` says that it is harmless but for a few of its values, in which values of personal columns stand. `faint` says
    that its values are masked, and tell too little to be looked for elsewhere. `various` says that nearly every text has a form of its
    own, by which a code of the same form would be told. `unspaced` says that they are texts in whose sentences only some names are found.
    """

    klass: str
    entity: str | None
    confidence: float
    evidence: tuple[str, ...]
    paths: Mapping[str, Finding] = field(default_factory=dict)
    listed: bool = False
    written: str | None = None
    numbers: bool = False
    few: bool = False
    faint: bool = False
    various: bool = False
    unspaced: bool = False

    @property
    def personal(self) -> bool:
        """Whether it has to be masked."""
        return self.klass != "public"


def class_of(entity: str) -> str:
    """The class of columns that hold an entity."""
    if entity == "text":
        return "free_text"
    return "quasi" if entity in _QUASI else "sensitive" if entity in _SENSITIVE else "direct"


def personal(entity: str, confidence: float, *evidence: str) -> Finding:
    """The finding that a column holds an entity."""
    return Finding(class_of(entity), entity, round(confidence, 2), evidence)


def harmless(confidence: float, *evidence: str) -> Finding:
    """The finding that a column tells nothing of a person, for the reasons given, of which there must be one."""
    assert evidence
    return Finding("public", None, round(confidence, 2), evidence)


def unsure(klass: str, *evidence: str) -> Finding:
    """The finding that nothing shows a column to be harmless, so that it is masked."""
    entity = "text" if klass == "free_text" else None
    return Finding(klass, entity, 0.3, (*evidence, "nothing shows that it is harmless, so it is masked"))
