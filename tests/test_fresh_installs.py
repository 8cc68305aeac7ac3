"""Installations from nothing: a clone, the bare install, other Pythons and other versions of NumPy and pyarrow."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("installs")]


def run(*command: object, cwd: Path | None = None, **environment: str) -> str:
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL")}
    found = subprocess.run([str(c) for c in command], cwd=cwd, env={**clean, **environment}, capture_output=True, text=True, check=False)
    assert found.returncode == 0, f"{command}\n{found.stdout[-4000:]}\n{found.stderr[-4000:]}"
    return found.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """What git has, in an empty folder."""
    folder = tmp_path_factory.mktemp("clone") / "companyos"
    run("git", "clone", "--quiet", ROOT, folder)
    return folder


def installed(folder: Path, clone: Path, python: str, lock: str) -> Path:
    """A virtual environment with a lock and the project, and no extras; returns its folder of programs."""
    run(python, "-m", "venv", folder)
    (folder / "lock.txt").write_text(lock)
    source = folder / "source"
    shutil.copytree(clone, source, ignore=shutil.ignore_patterns(".venv", ".git", ".demo", "build", "*.egg-info"))
    run(folder / "bin" / "pip", "install", "--quiet", "-r", folder / "lock.txt", "setuptools>=77")
    run(folder / "bin" / "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", source)
    return folder / "bin"


def another_python(version: str) -> str | None:
    """A working interpreter of a version: on the path, or one that pyenv has."""
    managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for found in (shutil.which(f"python{version}"), *sorted(managed.glob(f"{version}.*/bin/python3"))):
        if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0:
            return str(found)
    return None


def built(programs: Path, home: Path, *options: str) -> dict:
    out = run(programs / "companyos", "bundle", "build", "companyos", "--scale", "0.2", "--json", *options, COMPANYOS_HOME=str(home))
    return json.loads(out)


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> dict:
    return built(Path(sys.executable).parent, tmp_path_factory.mktemp("here"))


def test_make_demo_works_in_a_fresh_clone_and_works_again(clone):
    for _ in range(2):
        out = run("make", "demo", f"PYTHON={sys.executable}", cwd=clone)
        assert "ticket_messages" in out
        assert "What to try next" in out
    assert (clone / ".demo" / "companyos.duckdb").exists()


def test_the_bare_install_builds_and_loads_and_names_the_extra_it_lacks(clone, tmp_path, here):
    programs = installed(tmp_path / "bare", clone, sys.executable, LOCK.read_text())
    home = tmp_path / "home"
    assert built(programs, home, "--tag", "a:v1")["manifest_digest"] == here["manifest_digest"]
    for target in ("duckdb", "sqlite"):
        run(programs / "companyos", "load", "a:v1", f"{target}:///{tmp_path}/a.{target}", COMPANYOS_HOME=str(home))
    for command in (["load", "a:v1", "postgresql://127.0.0.1/x"], ["schema", "reflect", "postgresql://127.0.0.1/x"]):
        found = subprocess.run(
            [programs / "companyos", *command], env={**os.environ, "COMPANYOS_HOME": str(home)}, capture_output=True, text=True, check=False
        )
        assert found.returncode in (2, 4)
        assert "companyos-data[postgres]" in found.stderr
        assert "Traceback" not in found.stderr


USERS_PROGRAM = """
import bundles
import companyos
import datagen
import provisioning

bundle = bundles.open("a:v1")
rows: int = bundle.table("users").rows
reveal_type(datagen.source("shop.yaml", seed=7))
reveal_type(provisioning.load(bundle, "sqlite:///a.sqlite"))
reveal_type(companyos.open_private("a:v1").ask("SELECT 1").errors_95)
bundles.opne("a:v1")
bundle.tabel("users")
companyos.open_private("a:v1", budget=9)
"""


def test_the_types_of_an_installed_wheel_reach_the_type_checker_of_its_users(clone, tmp_path):
    source, wheels, programs = tmp_path / "source", tmp_path / "wheels", tmp_path / "env" / "bin"
    shutil.copytree(clone, source, ignore=shutil.ignore_patterns(".venv", ".git", ".demo"))
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", wheels, source)
    run(sys.executable, "-m", "venv", programs.parent)
    run(programs / "pip", "install", "--quiet", "--no-deps", next(wheels.glob("*.whl")))
    program = tmp_path / "program.py"
    program.write_text(USERS_PROGRAM)
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", programs / "python", program],
        cwd=tmp_path, env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert 'Revealed type is "datagen.synthetic.SyntheticSource"' in found.stdout
    assert 'Revealed type is "provisioning.receipt.Receipt"' in found.stdout
    assert 'Module has no attribute "opne"' in found.stdout
    assert '"Bundle" has no attribute "tabel"' in found.stdout
    assert 'Revealed type is "dict[str, list[float | None]]"' in found.stdout
    assert 'Unexpected keyword argument "budget" for "open_private"' in found.stdout
    assert found.stdout.count(": error: ") == 3


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_another_python_under_the_same_lock_makes_the_same_bytes(clone, tmp_path, here, version):
    python = another_python(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    programs = installed(tmp_path / "other", clone, python, LOCK.read_text())
    assert built(programs, tmp_path / "home", "--jobs", "1")["manifest_digest"] == here["manifest_digest"]


def test_the_oldest_numpy_and_pyarrow_we_allow_make_the_same_content(clone, tmp_path, here):
    project = (ROOT / "pyproject.toml").read_text()
    lock = LOCK.read_text()
    for package in ("numpy", "pyarrow"):
        oldest = re.search(rf'"{package}>=([0-9.]+)"', project)
        assert oldest
        lock = re.sub(rf"^{package}==.*$", f"{package}=={oldest[1]}.0", lock, flags=re.MULTILINE)
    lock = "\n".join(dict.fromkeys(lock.splitlines()))
    programs = installed(tmp_path / "old", clone, sys.executable, lock)
    assert "pyarrow" in run(programs / "pip", "list")
    assert built(programs, tmp_path / "home")["content_digest"] == here["content_digest"]
