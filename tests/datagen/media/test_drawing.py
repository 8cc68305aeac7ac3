"""Drawings are well-formed files of the same bytes everywhere, whatever text goes into them."""

from __future__ import annotations

import re
import struct
import zlib
from hashlib import sha256
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.media import avatars, documents, logos, pdf, png
from datagen.media.shapes import Circle, Polygon, Tile

DRAWS = st.integers(0, 2**64 - 1)
RED = (255, 0, 0)


def decoded(data: bytes) -> np.ndarray:
    """The pixels of a PNG of 8 bits, with a palette or without; every checksum is held."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + body)
        chunks[name] = body
        at += 12 + length
    assert list(chunks)[-1] == b"IEND"
    width, height, depth, kind, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert depth == 8
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not lines[:, 0].any()
    if kind == 3:
        return np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[lines[:, 1:]]
    return lines[:, 1:].reshape(height, width, 3)


def objects_of(data: bytes) -> list[bytes]:
    """The objects of a PDF, each where its table of places says."""
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", data)[1])
    lines = data[start:].split(b"\n")
    assert lines[0] == b"xref"
    count = int(lines[1].split()[1])
    found = []
    for number, line in enumerate(lines[3 : 2 + count], 1):
        assert len(line) == 19
        body = data[int(line[:10]) :]
        assert body.startswith(b"%d 0 obj\n" % number)
        found.append(body[: body.index(b"endobj")])
    return found


def shown(data: bytes) -> str:
    """All text of a PDF, line by line."""
    texts = re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", data)
    plain = [re.sub(rb"\\([0-7]{3}|.)", lambda m: bytes([int(m[1], 8)]) if m[1].isdigit() else m[1], t) for t in texts]
    return "\n".join(text.decode("cp1252") for text in plain)


@pytest.mark.parametrize(
    ("made", "golden"),
    [
        (logos.as_svg(7, ("Ann & Söhne",)), "3c0559466c001907"),
        (logos.as_png(7, ("Ann & Söhne",)), "f33bbbf3d41e0154"),
        (avatars.as_png(12345678, ()), "720feafdee818549"),
        (avatars.as_svg(12345678, ()), "67c9969b29eec019"),
        (documents.as_pdf(5, ("Example (Inc.)", "Invoice 7", "Total | 9.50 €", "", "株式会社")), "2ff1a8ecb4f3695e"),
    ],
)
def test_golden_digests_of_drawings_stand(made, golden):
    assert sha256(made).hexdigest()[:16] == golden


@settings(max_examples=40)
@given(DRAWS)
def test_every_draw_makes_a_picture_of_the_said_size(draw):
    assert decoded(avatars.as_png(draw, ())).shape == (avatars.PIXELS, avatars.PIXELS, 3)
    assert decoded(logos.as_png(draw, ("x",))).shape == (logos.ICON_PIXELS, logos.ICON_PIXELS, 3)


def test_draws_make_many_different_logos_and_pictures():
    draws = [int(x) for x in np.random.Philox(1).random_raw(300)]
    assert len({logos.as_svg(draw, ("x",)) for draw in draws}) > 60
    assert len({avatars.as_svg(draw, ()) for draw in draws}) > 250


@given(DRAWS, st.text())
def test_a_logo_is_well_formed_xml_whatever_the_name(draw, name):
    root = ElementTree.fromstring(logos.as_svg(draw, (name,)))
    texts = root.findall("{http://www.w3.org/2000/svg}text")
    assert len(texts) <= 1
    if name.strip().isascii() and name.strip().isprintable() and name.strip():
        assert texts[0].text == name.strip()


def test_a_name_cannot_put_elements_into_a_logo():
    drawn = logos.as_svg(1, ('</text><script>alert("x")</script>',))
    assert [e.tag.rpartition("}")[2] for e in ElementTree.fromstring(drawn)].count("script") == 0


@pytest.mark.parametrize(
    ("shape", "inside", "outside"),
    [
        (Circle(128, 128, 100, RED), [(128, 128), (128, 40), (60, 60)], [(20, 20), (128, 20)]),
        (Tile(28, 28, 200, 200, 60, RED), [(128, 128), (32, 128), (128, 32)], [(32, 32), (20, 128), (240, 128)]),
        (Polygon(((128, 28), (228, 228), (28, 228)), RED), [(128, 120), (60, 220)], [(60, 60), (200, 60), (128, 240)]),
    ],
)
def test_a_shape_covers_its_inside_and_nothing_else(shape, inside, outside):
    pixels = png.painted([shape], 128)
    for x, y in inside:
        assert tuple(pixels[y // 2, x // 2]) == RED
    for x, y in outside:
        assert tuple(pixels[y // 2, x // 2]) == (255, 255, 255)


def test_edges_are_smooth_and_the_area_is_right():
    pixels = png.painted([Circle(128, 128, 100, (0, 0, 0))], 128)
    assert len(np.unique(pixels)) > 8
    area = (255 - pixels[:, :, 0].astype(int)).sum() / 255
    assert area == pytest.approx(np.pi * 50**2, rel=0.003)


def test_a_picture_of_more_colours_than_a_palette_holds_is_written_too():
    pixels = np.stack(np.meshgrid(np.arange(40), np.arange(40)), axis=-1).astype(np.uint8)
    pixels = np.concatenate([pixels, pixels[..., :1] * 5], axis=-1)
    assert (decoded(png.encoded(pixels)) == pixels).all()


@given(DRAWS, st.text(), st.text(), st.lists(st.text(), max_size=60))
def test_a_document_is_a_sound_pdf_whatever_is_in_it(draw, letterhead, title, lines):
    data = documents.as_pdf(draw, (letterhead, title, *lines))
    objects = objects_of(data)
    for body in objects:
        stream = re.search(rb"/Length (\d+) >>\nstream\n", body)
        if stream:
            assert body[stream.end() + int(stream[1]) :].startswith(b"\nendstream")
    shown(data)


def test_a_document_says_what_it_was_given():
    data = documents.as_pdf(0, ("Example (Inc.) \\", "Invoice 7", "Billed to | Söhne & Co", "Total | 9.50 €", "株式会社"))
    text = shown(data)
    for part in ("Example (Inc.) \\", "Invoice 7", "Billed to", "Söhne & Co", "9.50 €", "ZhuShiHuiShe"):
        assert part in text
    assert "|" not in text


def test_long_documents_go_on_on_further_pages_and_nothing_is_lost():
    lines = tuple(f"Line {i} | {i}" for i in range(100))
    data = documents.as_pdf(0, ("A", "B", *lines))
    assert b"/Count 3" in data
    assert [f"Line {i}" in shown(data).splitlines() for i in range(100)] == [True] * 100


@given(st.text(alphabet=st.characters(codec="cp1252", exclude_categories=["C"])), st.integers(20, 300))
def test_no_line_is_wider_than_it_may_be(text, width):
    for line in pdf.wrapped(text, 10, width):
        assert pdf.width_of(line, 10) <= width or len(line) == 1
    assert "".join("".join(pdf.wrapped(text, 10, width)).split()) == "".join(text.split())


def test_nothing_tells_when_a_document_was_made():
    assert b"Date" not in documents.as_pdf(0, ("A", "B"))
