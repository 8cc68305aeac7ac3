"""The config of a bundle: what it is, what it was made from, and what it means, as canonical JSON.

Nothing in it depends on time, machine or tag, so the same inputs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bundles.canonical import dump_document, load_document
from bundles.digest import FileDigest, TableDigest, bundle_digest
from bundles.errors import BundleDamaged, BundleTooNew
from schemas.document import FORMAT as SCHEMA_FORMAT
from schemas.document import from_document, to_document
from schemas.errors import InputError
from schemas.model import DATA_CLASSES, Schema

FORMAT = 1
TableInputs = Mapping[str, str]
KINDS = ("synthetic", "sanitized", "mirrored")


@dataclass(frozen=True)
class Config:
    """What a config says; `provenance` is the source's own account of where the data comes from.

    `inputs` says of each table what it depends on (see `bundles.reuse`), where the source could tell. `media` has the files of rows by
    their paths.
    """

    kind: str
    schema: Schema
    provenance: Mapping[str, Any]
    chunk_rows: int
    tables: Mapping[str, TableDigest]
    inputs: Mapping[str, TableInputs] = field(default_factory=dict)
    media: Mapping[str, FileDigest] = field(default_factory=dict)

    @property
    def data_class(self) -> str:
        """The highest class among the columns."""
        return data_class(self.schema)

    @property
    def content_digest(self) -> str:
        """The digest of all tables, and of the files of their rows."""
        return bundle_digest({name: table.content_digest for name, table in self.tables.items()}, self.media)

    @property
    def tables_digest(self) -> str:
        """The digest of all tables alone: what a database that was loaded has."""
        return bundle_digest({name: table.content_digest for name, table in self.tables.items()})

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(table.rows for table in self.tables.values())

    def encode(self) -> bytes:
        """Return the config's blob; InputError where the provenance is not JSON data."""
        document = {
            "format": FORMAT,
            "kind": self.kind,
            "data_class": self.data_class,
            "schema": to_document(self.schema),
            "provenance": self.provenance,
            "chunk_rows": self.chunk_rows,
            "content_digest": self.content_digest,
            "tables": {name: self._table(name) for name in self.tables},
            **({"media": {path: _file(file) for path, file in self.media.items()}} if self.media else {}),
        }
        try:
            return dump_document(document)
        except (ValueError, TypeError) as error:
            raise InputError(f"the source's provenance cannot be written as JSON: {error}") from None

    def _table(self, name: str) -> dict[str, Any]:
        table = self.tables[name]
        said = {"rows": table.rows, "content_digest": table.content_digest, "columns": dict(table.columns)}
        return {**said, "inputs": dict(self.inputs[name])} if name in self.inputs else said

    @classmethod
    def decode(cls, data: bytes, name: str) -> Config:
        """Read a config's blob; BundleTooNew or BundleDamaged, with the bundle's `name`, where that cannot be done."""
        try:
            document = load_document(data)
            for what, given, read in (("bundle", document["format"], FORMAT), ("schema", document["schema"]["format"], SCHEMA_FORMAT)):
                if given != read:
                    raise BundleTooNew(
                        f"'{name}' is in {what} format {given!r}, and this version reads format {read}; "
                        "install a newer version of companyos-data"
                    )
            tables = {table: TableDigest(t["rows"], t["content_digest"], t["columns"]) for table, t in document["tables"].items()}
            inputs = {table: dict(t["inputs"]) for table, t in document["tables"].items() if "inputs" in t}
            schema = from_document(document["schema"])
            media = {path: FileDigest(f["table"], f["column"], f["type"], f["content_digest"]) for path, f in _media(document).items()}
            config = cls(document["kind"], schema, document["provenance"], document["chunk_rows"], tables, inputs, media)
            _agree(document, config)
        except BundleTooNew:
            raise
        except (InputError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BundleDamaged(f"the config of '{name}' is not in the form that bundles have: {error}") from None
        return config


def _file(file: FileDigest) -> dict[str, str]:
    return {"table": file.table, "column": file.column, "type": file.media_type, "content_digest": file.content_digest}


def _media(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = document.get("media", {})
    return found


def data_class(schema: Schema) -> str:
    """Return the highest data class among the stored columns of `schema`."""
    ranks = [DATA_CLASSES.index(c.data_class) for t in schema.tables for c in t.stored_columns]
    return DATA_CLASSES[max(ranks, default=0)]


def _agree(document: Mapping[str, Any], config: Config) -> None:
    """Raise ValueError where a config contradicts itself."""
    if set(config.tables) != {t.name for t in config.schema.tables}:
        raise ValueError("its tables are not those of its schema")
    for table in config.schema.tables:
        if set(config.tables[table.name].columns) != {c.name for c in table.stored_columns}:
            raise ValueError(f"the columns of table '{table.name}' are not those of its schema")
    if not isinstance(config.chunk_rows, int) or config.chunk_rows < 1:
        raise ValueError(f"chunk_rows is {config.chunk_rows!r}")
    if document["content_digest"] != config.content_digest:
        raise ValueError("its content digest is not that of its tables")
    if document["data_class"] != config.data_class or config.kind not in KINDS:
        raise ValueError("its kind or data class is not what its schema says")
