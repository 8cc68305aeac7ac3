"""Environments of peers that pin versions of their own: one for each set of packages, in the user's cache folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir


def environment(*packages: str) -> Path:
    """The Python that has `packages`; its environment is made where it is not there yet."""
    folder = Path(user_cache_dir("companyos")) / "benchmarks" / "-".join(packages)
    python = folder / "bin" / "python"
    if not (folder / ".complete").exists():
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--clear", str(folder)], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), *packages], check=True)
        (folder / ".complete").touch()
    return python


def ask_peer(python: Path, program: str, *arguments: str) -> dict[str, Any]:
    """Run a program of this folder with a peer's Python and return the JSON that it prints last."""
    done = subprocess.run([str(python), str(Path(__file__).with_name(program)), *arguments], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


@contextmanager
def peer(python: Path, program: str, *arguments: str) -> Iterator[Callable[[Any], dict[str, Any]]]:
    """A program of this folder that runs with a peer's Python, as a function: it answers each line of JSON by one."""
    command = [str(python), str(Path(__file__).with_name(program)), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        asked, answers = running.stdin, running.stdout

        def ask(document: Any) -> dict[str, Any]:
            asked.write(json.dumps(document) + "\n")
            asked.flush()
            found = json.loads(answers.readline())
            assert isinstance(found, dict)
            return found

        try:
            yield ask
        finally:
            asked.close()
