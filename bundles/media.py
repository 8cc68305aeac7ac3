"""The files of rows in a bundle: logos, pictures, documents.

A file has a path, by which a cell names it; one layer of the manifest; and a content digest in the config. Paths come from others, so
that they are held to a narrow form wherever they are used as names on a disk.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from bundles.digest import FileDigest, file_digest
from bundles.errors import BundleDamaged, SourceInvalid
from bundles.manifest import MEDIA_TYPES, MediaLayer
from schemas.errors import InputError, SystemFailure
from schemas.source import MediaFile, MediaSource, TableSource
from schemas.types import TEXTS

if TYPE_CHECKING:
    from bundles.opened import Bundle
    from bundles.report import Findings
    from bundles.stage import Stage
    from schemas.model import Schema

LONGEST_PATH = 1024
_LONGEST_PART = 255
_PART = re.compile(r"[A-Za-z0-9_%-][A-Za-z0-9_%.-]*")


def is_safe_path(path: str) -> bool:
    """Whether `path` leads to a file inside of any folder that it is put under, whatever stands there.

    Its parts are of ASCII letters, digits, `_`, `-`, `%` and `.`, do not begin with a point, nor end with one.
    """
    parts = path.split("/")
    return len(path) <= LONGEST_PATH and all(
        len(part) <= _LONGEST_PART and _PART.fullmatch(part) is not None and not part.endswith(".") for part in parts
    )


def add_media(source: TableSource, stage: Stage) -> tuple[Mapping[str, FileDigest], list[MediaLayer]]:
    """Write the files that `source` has, and return their digests and layers, both in the order of paths.

    Raises SourceInvalid for a path that is unsafe or there twice, a column that is none of text, a media type that bundles do not hold,
    and for any file of a sanitized source: masking looks into no file.
    """
    if not isinstance(source, MediaSource):
        return {}, []
    digests: dict[str, FileDigest] = {}
    layers: dict[str, MediaLayer] = {}
    for file in source.media():
        if source.kind == "sanitized":
            raise SourceInvalid(f"the sanitized source comes with the file '{file.path[:100]}', into which no masking has looked")
        wrong = _wrong(source.schema, file.path, file.table, file.column, file.media_type)
        if wrong or file.path in digests:
            raise SourceInvalid(f"the file '{file.path[:100]}' {wrong or 'comes twice'}")
        digests[file.path] = FileDigest(file.table, file.column, file.media_type, file_digest(file.data))
        layers[file.path] = MediaLayer(file.path, file.table, file.column, file.media_type, stage.add(file.data))
    order = sorted(digests)
    clash = next((str(above) for path in order for above in PurePosixPath(path).parents if str(above) in digests), None)
    if clash is not None:
        raise SourceInvalid(f"the file '{clash}' has the name of a folder of other files")
    return {path: digests[path] for path in order}, [layers[path] for path in order]


def _wrong(schema: Schema, path: str, table: str, column: str, media_type: str) -> str | None:
    """What is wrong with a file, if anything."""
    if not is_safe_path(path):
        return "has a path that is not safe to write to: parts of letters, digits, `_`, `-`, `%` and `.`, separated by `/`"
    if not schema.has(table) or column not in {c.name for c in schema.table(table).stored_columns}:
        return f"belongs to '{table}.{column}', which is no column of the bundle"
    if schema.table(table).column(column).type.kind not in TEXTS:
        return f"belongs to '{table}.{column}', which is no column of texts"
    return None if media_type in MEDIA_TYPES else f"is of type '{media_type}'; bundles hold {', '.join(MEDIA_TYPES)}"


def check_media(bundle: Bundle, broken: Collection[str], found: Findings) -> None:
    """Hold the files against the config, and against the cells that name them; tables in `broken` are not read."""
    config, schema = bundle.config, bundle.schema
    layers = {layer.path: layer for layer in bundle.manifest.media}
    if len(layers) != len(bundle.manifest.media) or list(layers) != list(config.media):
        found.wrong("media", "the files of the manifest are not those of the config")
    if layers and bundle.kind == "sanitized":
        found.wrong("media", "a sanitized bundle holds files, into which no masking has looked")
    for path, layer in layers.items():
        found.count("media")
        wrong = _wrong(schema, path, layer.table, layer.column, layer.media_type)
        if wrong:
            found.wrong("media", f"the file '{path[:100]}' {wrong}")
            continue
        try:
            data = bundle.store.layout.read_blob(layer.blob.digest)
        except BundleDamaged:
            continue  # told with the blobs
        said = config.media.get(path)
        if said is not None and said != FileDigest(layer.table, layer.column, layer.media_type, file_digest(data)):
            found.wrong("media", f"the file '{path}' is not what the config says", layer.table, layer.column)
    columns = dict.fromkeys((layer.table, layer.column) for layer in layers.values())
    for table, column in columns:
        if schema.has(table) and schema.table(table).has(column) and table not in broken:
            own = {path for path, layer in layers.items() if (layer.table, layer.column) == (table, column)}
            _check_cells(bundle, table, column, own, found)


def still_named(bundle: Bundle, source: TableSource) -> Iterator[MediaFile]:
    """Return the files of `bundle` that cells of their columns in `source`, a later state of the same tables, still name."""
    columns: dict[tuple[str, str], list[MediaLayer]] = {}
    for layer in bundle.manifest.media:
        columns.setdefault((layer.table, layer.column), []).append(layer)
    for (table, column), layers in columns.items():
        if _wrong(source.schema, layers[0].path, table, column, layers[0].media_type):
            continue  # the column is gone, or holds something else than texts
        named: set[str] = set()
        for batch in source.read(table):
            named |= set(pc.unique(batch.column(column)).to_pylist())
        yield from (bundle.read_media(layer) for layer in layers if layer.path in named)


def _check_cells(bundle: Bundle, table: str, column: str, paths: set[str], found: Findings) -> None:
    """Hold the cells of a column against its files; a cell that points to another folder is no business of ours."""
    unnamed, row, first, dangling = set(paths), 0, None, 0
    folders = {path.rpartition("/")[0] for path in paths}
    for batch in bundle.read(table):
        cells = batch.column(column)
        unnamed -= set(pc.unique(cells).to_pylist())
        for i, cell in enumerate(cells.to_pylist()):
            if cell is not None and cell not in paths and cell.rpartition("/")[0] in folders:
                dangling += 1
                first = row + i if first is None else first
        row += batch.num_rows
    if dangling:
        found.wrong("media", "the value names no file of the bundle", table, column, first, dangling)
    if unnamed:
        found.wrong("media", f"no row names the file '{min(unnamed)}'{_more(len(unnamed))}", table, column)


def _more(number: int) -> str:
    return f" (nor {number - 1:,} others)" if number > 1 else ""


def extract(bundle: Bundle, folder: Path, *, private: bool = False) -> int:
    """Write the files of `bundle` under `folder`, which must be new or empty, and return how many there are.

    Nothing is written where any path is unsafe. With `private` nobody but this account may read them (0700, 0600). Raises InputError
    (the folder holds something), BundleDamaged (a path that is unsafe; a file that is missing or altered), SystemFailure.
    """
    for layer in bundle.manifest.media:
        if not is_safe_path(layer.path):
            raise BundleDamaged(f"{bundle.reference} holds a file with the path '{layer.path[:100]}', which is not safe to write to")
    folders, files = (0o700, 0o600) if private else (0o777, 0o666)
    try:
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True, mode=folders)
        if any(folder.iterdir()):
            raise InputError(f"{folder} holds other files; name a new or an empty folder")
        try:
            for file in bundle.media():
                _write(folder, file.path.split("/"), file.data, folders, files)
        except BaseException:
            for child in folder.iterdir():  # only what was written here
                shutil.rmtree(child) if child.is_dir() else child.unlink()
            if made:
                folder.rmdir()
            raise
    except OSError as error:
        raise SystemFailure(f"the files cannot be written to {folder}: {error.strerror or error}") from error
    return len(bundle.manifest.media)


def _write(folder: Path, parts: list[str], data: bytes, folders: int, files: int) -> None:
    place = folder
    for part in parts[:-1]:
        place /= part
        place.mkdir(exist_ok=True, mode=folders)
    descriptor = os.open(place / parts[-1], os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, files)
    with open(descriptor, "wb") as file:
        file.write(data)
