"""Loads every generator, so that each name of the catalogue has its meaning."""

from __future__ import annotations

import importlib

_MODULES = (
    "datagen.keys", "datagen.numbers", "datagen.times", "datagen.states", "datagen.slots", "datagen.derived", "datagen.cases",
    "datagen.values.choices", "datagen.values.people", "datagen.values.companies", "datagen.values.addresses", "datagen.values.internet",
    "datagen.values.phones", "datagen.values.finance", "datagen.values.products", "datagen.values.geo", "datagen.values.lorem",
    "datagen.values.template", "datagen.values.pattern", "datagen.values.grammar", "datagen.values.excerpts",
    "datagen.values.documents", "datagen.values.providers", "datagen.media.columns",
)  # fmt: skip


def register_all() -> None:
    """Import every module that registers generators."""
    for module in _MODULES:
        importlib.import_module(module)
