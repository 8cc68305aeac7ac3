"""Reads schema files: YAML in, a checked Schema out, or every problem of the file at once."""

from __future__ import annotations

import os
from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from schemas.consistency import problems_of, warnings_of
from schemas.errors import InputError, Mark, Problem, SchemaError, nearest
from schemas.model import Schema
from schemas.schema_reader import SchemaReader
from schemas.yaml_nodes import Reading

_MAX_BYTES = 20_000_000


def read_schema(name_or_path: str | os.PathLike[str], *, warnings: list[Problem] | None = None) -> Schema:
    """Read a schema file, or the built-in schema of that name; raises SchemaError with every problem, or InputError."""
    text, file = schema_text(name_or_path)
    return parse_schema(text, file, warnings=warnings)


def parse_schema(text: str, file: str = "schema.yaml", *, warnings: list[Problem] | None = None) -> Schema:
    """Read a schema from YAML text; raises SchemaError with every problem. Doubts are added to `warnings`."""
    reading = Reading()
    root = reading.compose(text)
    if root is None:
        raise SchemaError(file, reading.problems)
    reader = SchemaReader(reading, file)
    schema = reader.read(root)
    problems = list(reading.problems)
    if schema is not None:
        problems += problems_of(schema, reader.broken)
    if problems or schema is None:
        raise SchemaError(file, dict.fromkeys(problems), schema, reader.broken)
    if warnings is not None:
        warnings += warnings_of(schema)
    return schema


def builtin_names() -> tuple[str, ...]:
    """The names of the schemas that come with the project."""
    folder = resources.files("schemas") / "builtin"
    return tuple(sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")))


def schema_text(name_or_path: str | os.PathLike[str]) -> tuple[str, str]:
    """Return the text of a schema file or built-in schema, and the name to use in messages; raises InputError."""
    name = os.fspath(name_or_path)
    if not name:
        raise InputError(f"the name of the schema is empty; it is a file, or one of {', '.join(builtin_names())}")
    try:
        return _decoded(_bytes(name), name), name
    except FileNotFoundError:
        known = builtin_names()
        hint = nearest(name, known) or _near_file(name) or f"; built in: {', '.join(known)}"
        if ":" in name:
            hint = f"; it is written like a reference to a bundle, and a schema is meant here: a file, or one of {', '.join(known)}"
        raise InputError(f"{name}: there is no such schema file, and no built-in schema of that name{hint}") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise InputError(f"{name}: the schema file cannot be read: {reason}") from None


def _near_file(name: str) -> str:
    """A hint to the schema file beside `name` that is most like it but for its suffix, which may be missing."""
    path = Path(name)
    files = {file.stem: str(path.with_name(file.name)) for file in sorted(path.parent.glob("*.y*ml"))}
    near = get_close_matches(path.stem, files, n=1)
    return f"; did you mean '{files[near[0]]}'?" if near else ""


def _bytes(name: str) -> bytes:
    path = Path(name)
    if name in builtin_names() and not path.is_file():
        return (resources.files("schemas") / "builtin" / f"{name}.yaml").read_bytes()
    with path.open("rb") as file:  # what is no file on a disk, such as a pipe, tells no size before it is read
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ValueError(f"it has more than {_MAX_BYTES // 1_000_000} MB")
    return content


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")
        at = Mark(before.count(b"\n") + 1, len(line) + 1)
        raise SchemaError(name, [Problem("this is not UTF-8 text; save the schema file as UTF-8", at)]) from None
