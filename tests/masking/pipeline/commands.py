"""The commands as people call them, and where raw values may have been left."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

import bundles
from companyos.cli import run


class Masking:
    """`companyos mask` over one database: its policy, its store, and a folder of temporary files of its own."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._capfd = folder, capfd
        self.policy, self.store, self.temporary = folder / "policy.yaml", folder / "store", folder / "temporary"
        self.temporary.mkdir(exist_ok=True)
        self.said: list[str] = []
        monkeypatch.setenv("TMPDIR", str(self.temporary))
        monkeypatch.setattr(tempfile, "tempdir", str(self.temporary))

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        """The exit code of a command, and what it printed on both ways."""
        self._capfd.readouterr()
        code = run([str(a) for a in arguments])
        out, err = self._capfd.readouterr()
        self.said += [out, err]
        assert "Traceback" not in err, err
        return code, out, err

    def plan(self, url: str, *options: object) -> None:
        code, _, err = self("mask", "plan", url, "-o", self.policy, *options)
        assert code == 0, err

    def run(self, url: str, *options: object) -> tuple[int, str, str]:
        return self("mask", "run", url, "--policy", self.policy, "--store", self.store, "--key", "env:MASKING_KEY", *options)

    def made(self, url: str, *options: object) -> bundles.Bundle:
        """The bundle that a run makes."""
        code, out, err = self.run(url, "--json", *options)
        assert code == 0, out + err
        return bundles.open(json.loads(out)["reference"], self.store)

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the policy as a person would."""
        document = yaml.safe_load(self.policy.read_text())
        change(document)
        self.policy.write_text(yaml.safe_dump(document, sort_keys=False))

    def write(self, tables: dict[str, Any], **others: Any) -> None:
        """Write a policy by hand."""
        self.policy.write_text(yaml.safe_dump({"policy": "by-hand", "tables": tables, **others}, sort_keys=False))

    def assert_nothing_is_left(self) -> None:
        """No bundle is to be had, and no temporary file stays."""
        references = bundles.Store(self.store).references() if self.store.exists() else []
        assert not list(references)
        assert not list(self.temporary.rglob("*"))

    def places_of(self, values: Iterable[str]) -> list[str]:
        """Where one of the values can be read: in what was printed, in a file, or in a Parquet file when it is unpacked."""
        wanted = [value.encode() for value in values]
        texts = [(f"printed {number}", text.encode()) for number, text in enumerate(self.said)]
        texts += [
            (str(path), data)
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.name.startswith("source")
            for data in readable(path)
        ]
        return [place for place, text in texts if any(value in text for value in wanted)]


def readable(path: Path) -> list[bytes]:
    data = path.read_bytes()
    if data[:4] != b"PAR1" or data[-4:] != b"PAR1":
        return [data]
    rows = pq.read_table(io.BytesIO(data)).to_pylist()
    return [data, json.dumps(rows, default=str, ensure_ascii=False).encode(), str(rows).encode()]
