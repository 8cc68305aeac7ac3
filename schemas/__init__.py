"""The shared vocabulary of all rooms: schemas, tables, columns, references, semantic types, data classes.

Reads and checks the YAML schema language, writes it, reflects live databases into it, and turns it into DDL. Imports none
of the other rooms; everything that the rooms say to each other is said in these words and in Arrow record batches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.lazy_names import lazy_names

if TYPE_CHECKING:
    from schemas.document import from_document, to_document
    from schemas.errors import CheckFailed, CompanyOSError, InputError, Problem, Refused, SchemaError, SystemFailure
    from schemas.model import Check, Column, ForeignKey, Index, Recipe, Rows, Schema, Table, Unique
    from schemas.reader import parse_schema, read_schema
    from schemas.source import RangeSource, TableSource
    from schemas.types import SqlType
    from schemas.writer import to_yaml

__all__ = [
    "Check",
    "CheckFailed",
    "Column",
    "CompanyOSError",
    "ForeignKey",
    "Index",
    "InputError",
    "Problem",
    "RangeSource",
    "Recipe",
    "Refused",
    "Rows",
    "Schema",
    "SchemaError",
    "SqlType",
    "SystemFailure",
    "Table",
    "TableSource",
    "Unique",
    "from_document",
    "parse_schema",
    "read_schema",
    "to_document",
    "to_yaml",
]

_MODULES = {
    "document": ("from_document", "to_document"),
    "errors": ("CheckFailed", "CompanyOSError", "InputError", "Problem", "Refused", "SchemaError", "SystemFailure"),
    "model": ("Check", "Column", "ForeignKey", "Index", "Recipe", "Rows", "Schema", "Table", "Unique"),
    "reader": ("parse_schema", "read_schema"),
    "source": ("RangeSource", "TableSource"),
    "types": ("SqlType",),
    "writer": ("to_yaml",),
}
_PLACES = {name: f"schemas.{module}" for module, names in _MODULES.items() for name in names}


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _PLACES)
