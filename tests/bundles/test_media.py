"""Files of rows in bundles: carried, counted into the digest, verified, kept, and written out without harm."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from blake3 import blake3
from bundle_sources import MadeSource, column, numbers, shop
from hypothesis import given
from hypothesis import strategies as st

import bundles
from bundles.digest import FileDigest, bundle_digest, file_digest
from bundles.errors import BundleDamaged, SourceInvalid
from bundles.manifest import Manifest, MediaLayer
from bundles.media import extract, is_safe_path, still_named
from bundles.references import parse
from schemas.errors import InputError
from schemas.model import Rows, Schema, Table
from schemas.source import MediaFile

PATHS = ("people/logo/000001.svg", "people/logo/000002.svg")
FILES = tuple(MediaFile("people", "logo", path, "image/svg+xml", f"<svg>{path}</svg>".encode()) for path in PATHS)


class Drawn(MadeSource):
    """People, the first two of whom have logos."""

    def __init__(self, files: Sequence[MediaFile] = FILES, cells: Sequence[str | None] = (*PATHS, None), kind: str = "synthetic") -> None:
        table = Table("people", (column("id", "bigint"), column("logo", "text", null=0.0)), Rows(3), ("id",))
        made = {"id": lambda a, b: pa.array(numbers(a, b)), "logo": lambda a, b: pa.array(cells[a:b], pa.string())}
        super().__init__(Schema("s", (table,)), {"people": len(cells)}, {"people": made})
        self.files, self.kind = files, kind

    def media(self) -> Iterator[MediaFile]:
        yield from self.files


def forged(store, bundle, *, media=None, config_media=None, kind="synthetic"):
    """The same bundle of another kind or with other media in its manifest or config, which nobody has checked."""
    config = replace(bundle.config, kind=kind, media=bundle.config.media if config_media is None else config_media)
    with store.staging() as stage:
        layers = bundle.manifest.media if media is None else media
        summary = replace(bundle.manifest.summary, kind=kind, content_digest=config.content_digest)
        blob = stage.add(Manifest(stage.add(config.encode()), bundle.manifest.layers, summary, layers).encode())
        stage.publish()
        store.point(parse("forged:v1"), blob)
    return bundles.open("forged:v1", store)


def problems(bundle):
    return [str(p) for p in bundles.verify(bundle, jobs=1).problems]


def test_files_come_along_as_layers_of_their_own_type(store):
    bundle = bundles.build(Drawn(), store=store)
    assert tuple(bundle.media()) == FILES
    document = json.loads(store.layout.read_blob(bundle.manifest_digest))
    found = [layer for layer in document["layers"] if layer["mediaType"] == "image/svg+xml"]
    assert [layer["annotations"]["org.opencontainers.image.title"] for layer in found] == list(PATHS)
    assert problems(bundle) == []
    assert bundles.verify(bundle).checked["media"] == 2
    assert [m["path"] for m in bundle.describe()["media"]] == list(PATHS)


def test_a_bundle_without_files_says_nothing_of_them(store):
    bundle = bundles.build(shop(people=10), store=store)
    assert "media" not in json.loads(store.layout.read_blob(bundle.manifest.config.digest))
    assert "media" not in bundle.describe() and "media" not in bundles.verify(bundle).checked
    assert bundle.content_digest == bundle.config.tables_digest


def test_the_order_in_which_files_come_does_not_count_and_builds_are_equal_to_the_byte(store, tmp_path):
    first = bundles.build(Drawn(), store=store)
    second = bundles.build(Drawn(FILES[::-1]), store=tmp_path / "other")
    third = bundles.build(bundles.open("synthetic:latest", store), store=tmp_path / "third")
    assert first.manifest_digest == second.manifest_digest
    assert first.content_digest == third.content_digest


def test_every_part_of_a_file_counts_in_the_content_digest():
    tables = {"t": file_digest(b"")}
    file = FileDigest("t", "c", "image/png", file_digest(b"x"))
    others = [replace(file, **{name: "image/svg+xml"}) for name in ("table", "column", "media_type")]
    others += [replace(file, content_digest=file_digest(b"y"))]
    digests = [bundle_digest(tables), bundle_digest(tables, {}), bundle_digest(tables, {"a": file}), bundle_digest(tables, {"b": file})]
    digests += [bundle_digest(tables, {"a": other}) for other in others]
    digests.append(bundle_digest(tables, {"a": file, "b": file}))
    assert digests[0] == digests[1]
    assert len(set(digests)) == len(digests) - 1


def test_the_digest_of_a_bundle_with_files_is_the_one_that_is_defined(store):
    def plain(stage: str, *parts: bytes) -> bytes:
        return blake3(b"".join(parts), derive_key_context=f"companyos content digest 1 {stage}").digest()

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    bundle = bundles.build(Drawn(), store=store)
    files = b"".join(text(f.path) + text(f.table) + text(f.column) + text(f.media_type) + plain("file", f.data) for f in FILES)
    media = plain("media", struct.pack("<Q", 2), files)
    tables = bytes.fromhex(bundle.config.tables_digest.removeprefix("blake3:"))
    assert bundle.content_digest == f"blake3:{plain('bundle with media', tables, media).hex()}"


def test_collecting_garbage_keeps_files_as_long_as_a_tag_leads_to_them(store):
    bundle = bundles.build(Drawn(), store=store)
    store.collect_garbage()
    assert tuple(bundle.media()) == FILES
    store.remove("synthetic:latest")
    store.collect_garbage()
    with pytest.raises(BundleDamaged):
        next(bundle.media())


def test_a_file_that_is_missing_or_altered_is_named(store):
    bundle = bundles.build(Drawn(), store=store)
    first, second = (store.layout.blob_path(layer.blob.digest) for layer in bundle.manifest.media)
    first.unlink()
    second.chmod(0o600)
    second.write_bytes(b"<svg>other</svg>")
    found = problems(bundle)
    assert len(found) == 2
    assert PATHS[0] in found[0] and "missing" in found[0]
    assert PATHS[1] in found[1] and "altered" in found[1]


def test_files_that_are_not_those_of_the_config_are_found(store):
    bundle = bundles.build(Drawn(), store=store)
    assert problems(forged(store, bundle, media=bundle.manifest.media[:1]))
    swapped = [replace(layer, blob=other.blob) for layer, other in zip(bundle.manifest.media, bundle.manifest.media[::-1], strict=True)]
    found = problems(forged(store, bundle, media=swapped))
    assert len(found) == 2 and all("not what the config says" in problem for problem in found)


def test_cells_that_name_no_file_and_files_that_no_cell_names_are_found(store):
    dangling = bundles.build(Drawn(cells=(*PATHS, None, "people/logo/9.svg", "uploads/mine.png", "people/logo/x")), store=store)
    assert problems(dangling) == ["table 'people', column 'logo', row 3: the value names no file of the bundle (2 such rows)"]
    unnamed = bundles.build(Drawn(cells=(PATHS[0], None, None)), store=store)
    assert problems(unnamed) == [f"table 'people', column 'logo': no row names the file '{PATHS[1]}'"]


def test_no_value_of_a_cell_is_shown(store):
    bundle = bundles.build(Drawn(cells=(*PATHS, "people/logo/alice@example.com")), store=store)
    assert problems(bundle)
    assert "alice" not in "".join(problems(bundle))


def test_a_sanitized_bundle_carries_no_files(store):
    with pytest.raises(SourceInvalid, match="no masking has looked"):
        bundles.build(Drawn(kind="sanitized"), store=store)
    assert bundles.build(Drawn(files=(), kind="sanitized"), store=store).manifest.media == []
    relabelled = forged(store, bundles.build(Drawn(), store=store), kind="sanitized")
    assert problems(relabelled) == ["a sanitized bundle holds files, into which no masking has looked"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "../../etc/passwd"}, "not safe"),
        ({"path": "/etc/passwd"}, "not safe"),
        ({"path": "a//b"}, "not safe"),
        ({"path": "people/.ssh/x"}, "not safe"),
        ({"path": "C:\\x"}, "not safe"),
        ({"path": "a\nb"}, "not safe"),
        ({"path": PATHS[1]}, "comes twice"),
        ({"path": f"{PATHS[1]}/more"}, "name of a folder"),
        ({"table": "nobody"}, "no column of the bundle"),
        ({"column": "id"}, "no column of texts"),
        ({"media_type": "text/html"}, "of type 'text/html'"),
    ],
)
def test_a_source_with_a_bad_file_is_refused_and_nothing_is_kept(store, change, message):
    with pytest.raises(SourceInvalid, match=message):
        bundles.build(Drawn((replace(FILES[0], **change), FILES[1])), store=store)
    assert store.references() == []
    assert store.collect_garbage().blobs == 0


def test_files_are_written_out_under_their_paths(store, tmp_path):
    bundle = bundles.build(Drawn(), store=store)
    assert extract(bundle, tmp_path / "out" / "here", private=True) == 2
    for file in FILES:
        assert (tmp_path / "out" / "here" / file.path).read_bytes() == file.data
        assert (tmp_path / "out" / "here" / file.path).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "out" / "here" / "people").stat().st_mode & 0o777 == 0o700


def test_nothing_is_written_over_or_beside_other_files(store, tmp_path):
    bundle = bundles.build(Drawn(), store=store)
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(InputError, match="other files"):
        extract(bundle, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", "store"]


@pytest.mark.parametrize("path", ["../out", "/tmp/out", "a/../../out", "a/./b", "a./b", "..", "", "a/", "a\\b", "a\0b", "ü", "x" * 2000])
def test_a_bundle_of_somebody_else_writes_nothing_outside_of_the_folder(store, tmp_path, path):
    bundle = bundles.build(Drawn(), store=store)
    bad = MediaLayer(path, "people", "logo", "image/svg+xml", bundle.manifest.media[0].blob)
    crafted = forged(store, bundle, media=[bad])
    with pytest.raises(BundleDamaged, match="not safe"):
        extract(crafted, tmp_path / "target")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["store"]
    assert any("not safe" in problem for problem in problems(crafted))


def test_a_damaged_file_leaves_nothing_written(store, tmp_path):
    bundle = bundles.build(Drawn(), store=store)
    store.layout.blob_path(bundle.manifest.media[1].blob.digest).unlink()
    with pytest.raises(BundleDamaged):
        extract(bundle, tmp_path / "target")
    assert not (tmp_path / "target").exists()


@given(st.text())
def test_a_safe_path_never_leaves_its_folder(path):
    if is_safe_path(path):
        parts = path.split("/")
        assert path.isascii() and path.isprintable()
        assert not any(part in ("", ".", "..") or part.startswith(".") for part in parts)


def test_a_later_state_keeps_the_files_that_it_still_names(store):
    bundle = bundles.build(Drawn(), store=store)
    assert list(still_named(bundle, Drawn(cells=(PATHS[1], "uploads/mine.png", None)))) == [FILES[1]]
    assert list(still_named(bundle, shop(people=3))) == []


def test_a_bundle_that_expires_is_sound(store):
    bundle = bundles.build(Drawn(), store=store, expires=datetime(2030, 1, 1, tzinfo=UTC))
    assert problems(bundle) == []
