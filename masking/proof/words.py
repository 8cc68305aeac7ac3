"""Common words: what stands in any text, and so tells of nobody."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources

from blake3 import blake3


@dataclass(frozen=True)
class Dictionary:
    """A list of words, sorted; `digest` is the BLAKE3 digest of them in their order."""

    name: str
    words: tuple[str, ...]

    @property
    def digest(self) -> str:
        return f"blake3:{blake3(json.dumps(self.words, ensure_ascii=False).encode()).hexdigest()}"


@cache
def common_words() -> Dictionary:
    """The frequent words of 40 languages that Mimesis (`datasets/*/text.json`) and Faker (`providers/lorem`) carry."""
    words: set[str] = set()
    for folder in resources.files("mimesis.datasets").iterdir():
        file = folder / "text.json"
        if file.is_file():
            words.update(json.loads(file.read_text("utf-8")).get("words", ()))
    for folder in resources.files("faker.providers.lorem").iterdir():
        if folder.is_dir() and not folder.name.startswith("_"):
            words.update(import_module(f"faker.providers.lorem.{folder.name}").Provider.word_list)
    return Dictionary("common words", tuple(sorted(word for word in words if any(c.isalpha() for c in word))))
