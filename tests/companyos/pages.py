"""What a browser makes of a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """What a browser makes of a page: its tags, attributes and texts; every tag is closed in its order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def stands_alone(seen: Page) -> None:
    """Assert that a page needs nothing but itself: no file, no script, no network, and its links lead to its own places.

    No heading leaves out a level below the one before it.
    """
    levels = [0, *(int(tag[1]) for tag, _ in seen.tags if re.fullmatch("h[1-6]", tag))]
    assert all(level <= before + 1 for before, level in pairwise(levels))
    ids = [a["id"] for _, a in seen.tags if "id" in a]
    assert len(set(ids)) == len(ids)
    for tag, attributes in seen.tags:
        assert not {"src", "srcset", "action", "style"} & set(attributes) and not any(name.startswith("on") for name in attributes)
        target = attributes.get("href")
        assert target is None or target == "data:," or (target[0] == "#" and target[1:] in ids)
    style = next(t for t in seen.texts if "prefers-color-scheme" in t)
    assert not re.search(r"url\(|@import|@font-face", style)
    assert "@media screen and (prefers-color-scheme:dark)" in style  # paper is light
    assert any(a.get("http-equiv") == "Content-Security-Policy" and "default-src 'none'" in a["content"] for _, a in seen.tags)
    assert any(a.get("name") == "viewport" for _, a in seen.tags)
