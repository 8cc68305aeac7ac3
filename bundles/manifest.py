"""The manifest of a bundle: one OCI image manifest whose layers are the Parquet files of its tables, and the files of their rows.

A layer's annotations say which rows of which table it holds, or which column names the file; the manifest's own say what kind of
data it is, so that a store can be listed without reading configs. Nothing in it depends on the tag, time or machine.

Source: OCI Image Specification 1.1, "Image Manifest" and "Guidelines for Artifact Usage".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bundles.canonical import dump_document
from bundles.errors import BundleDamaged
from bundles.layout import MANIFEST_TYPE, Blob
from bundles.references import DIGEST

ARTIFACT_TYPE = "application/vnd.companyos.bundle.v1"
CONFIG_TYPE = "application/vnd.companyos.bundle.config.v1+json"
PARQUET_TYPE = "application/vnd.apache.parquet"
_TITLE = "org.opencontainers.image.title"
_OWN = "io.companyos.bundle."
_TABLE, _FIRST_ROW, _ROWS, _COLUMN = f"{_OWN}table", f"{_OWN}first-row", f"{_OWN}rows", f"{_OWN}column"
MEDIA_TYPES = ("image/svg+xml", "image/png", "application/pdf")


@dataclass(frozen=True, slots=True)
class Layer:
    """One Parquet file: `rows` rows of `table` from row number `first_row` on."""

    table: str
    first_row: int
    rows: int
    blob: Blob


@dataclass(frozen=True, slots=True)
class MediaLayer:
    """A file that the cell of `column` with its `path` names."""

    path: str
    table: str
    column: str
    media_type: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class Summary:
    """What a manifest says of its bundle as a whole; `expires` is when it is to be used no more (ISO 8601, UTC), None for never."""

    kind: str
    data_class: str
    content_digest: str
    tables: int
    rows: int
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A config blob, layers in the order of tables and rows, the summary, and the files of rows in the order of their paths."""

    config: Blob
    layers: Sequence[Layer]
    summary: Summary
    media: Sequence[MediaLayer] = ()

    @property
    def size(self) -> int:
        """The size of all layers."""
        return sum(layer.blob.size for layer in self.layers) + sum(layer.blob.size for layer in self.media)

    def encode(self) -> bytes:
        """Return the manifest's blob."""
        summary = self.summary
        return dump_document(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "artifactType": ARTIFACT_TYPE,
                "config": {"mediaType": CONFIG_TYPE, "digest": self.config.digest, "size": self.config.size},
                "layers": [*map(_layer, self.layers), *map(_media_layer, self.media)],
                "annotations": {
                    f"{_OWN}kind": summary.kind,
                    f"{_OWN}data-class": summary.data_class,
                    f"{_OWN}content-digest": summary.content_digest,
                    f"{_OWN}tables": str(summary.tables),
                    f"{_OWN}rows": str(summary.rows),
                    **({} if summary.expires is None else {f"{_OWN}expires": summary.expires}),
                },
            }
        )

    @classmethod
    def decode(cls, data: bytes, name: str) -> Manifest:
        """Read a manifest's blob; BundleDamaged, with the bundle's `name`, where it is no manifest of a bundle."""
        try:
            document = json.loads(data)
            notes = document["annotations"]
            summary = Summary(
                str(notes[f"{_OWN}kind"]),
                str(notes[f"{_OWN}data-class"]),
                str(notes[f"{_OWN}content-digest"]),
                int(notes[f"{_OWN}tables"]),
                int(notes[f"{_OWN}rows"]),
                _moment(notes.get(f"{_OWN}expires")),
            )
            layers = [_to_layer(d) for d in document["layers"] if d["mediaType"] == PARQUET_TYPE]
            media = [_to_media_layer(d) for d in document["layers"] if d["mediaType"] in MEDIA_TYPES]
            return cls(_to_blob(document["config"]), layers, summary, media)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BundleDamaged(f"'{name}' is no bundle: its manifest is not in the form that bundles have") from None


def _moment(text: str | None) -> str | None:
    if text is not None and datetime.fromisoformat(text).tzinfo is None:
        raise ValueError(f"{text!r} is a moment of no time zone")
    return text


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "mediaType": PARQUET_TYPE,
        "digest": layer.blob.digest,
        "size": layer.blob.size,
        "annotations": {
            _TITLE: f"{quote(layer.table, safe='')}.{layer.first_row:012d}.parquet",
            _TABLE: layer.table,
            _FIRST_ROW: str(layer.first_row),
            _ROWS: str(layer.rows),
        },
    }


def _to_layer(document: Mapping[str, Any]) -> Layer:
    notes = document["annotations"]
    return Layer(str(notes[_TABLE]), int(notes[_FIRST_ROW]), int(notes[_ROWS]), _to_blob(document))


def _media_layer(layer: MediaLayer) -> dict[str, Any]:
    return {
        "mediaType": layer.media_type,
        "digest": layer.blob.digest,
        "size": layer.blob.size,
        "annotations": {_TITLE: layer.path, _TABLE: layer.table, _COLUMN: layer.column},
    }


def _to_media_layer(document: Mapping[str, Any]) -> MediaLayer:
    notes = document["annotations"]
    return MediaLayer(str(notes[_TITLE]), str(notes[_TABLE]), str(notes[_COLUMN]), document["mediaType"], _to_blob(document))


def _to_blob(document: Mapping[str, Any]) -> Blob:
    digest, size = document["digest"], document["size"]
    if not DIGEST.fullmatch(digest):
        raise ValueError(f"{digest!r} is no digest")
    return Blob(digest, int(size))
