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
from schemas.json_shapes import TEXT, anything, mapping, members, number, one_of
from schemas.model import DATA_CLASSES, Schema

FORMAT = 1
TableInputs = Mapping[str, str]
KINDS = ("synthetic", "sanitized", "mirrored")

_TABLE = members({"rows": number(0, whole=True), "content_digest": TEXT, "columns": mapping(TEXT)}, inputs=mapping(TEXT))
_FILE = members({"table": TEXT, "column": TEXT, "type": TEXT, "content_digest": TEXT})
_CONFIG = members(
    {
        "format": number(whole=True), "kind": one_of(KINDS), "data_class": one_of(DATA_CLASSES), "schema": mapping(anything),
        "provenance": mapping(anything), "chunk_rows": number(1, whole=True), "content_digest": TEXT, "tables": mapping(_TABLE),
    },
    media=mapping(_FILE),
)  # fmt: skip


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
            mapping(anything)(document)
            _require_format("bundle", document.get("format"), FORMAT, name)
            _CONFIG(document)
            _require_format("schema", document["schema"].get("format"), SCHEMA_FORMAT, name)
            schema = from_document(document["schema"])
            tables = {table: TableDigest(t["rows"], t["content_digest"], t["columns"]) for table, t in document["tables"].items()}
            inputs = {table: dict(t["inputs"]) for table, t in document["tables"].items() if "inputs" in t}
            files = document.get("media", {})
            media = {path: FileDigest(f["table"], f["column"], f["type"], f["content_digest"]) for path, f in files.items()}
            config = cls(document["kind"], schema, document["provenance"], document["chunk_rows"], tables, inputs, media)
            _agree(document, config)
        except BundleTooNew:
            raise
        except (InputError, ValueError, RecursionError) as error:
            wrong = f"the config of '{name}' is not in the form that bundles have: {error}"
            raise BundleDamaged(f"{wrong}; build or fetch the bundle again") from None
        return config


def _file(file: FileDigest) -> dict[str, str]:
    return {"table": file.table, "column": file.column, "type": file.media_type, "content_digest": file.content_digest}


def _require_format(what: str, given: Any, read: int, name: str) -> None:
    if isinstance(given, int) and given != read:
        raise BundleTooNew(
            f"'{name}' is in {what} format {given!r}, and this version reads format {read}; install a newer version of companyos-data"
        )


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
    if document["content_digest"] != config.content_digest:
        raise ValueError("its content digest is not that of its tables")
    if document["data_class"] != config.data_class:
        raise ValueError("its data class is not what its schema says")
