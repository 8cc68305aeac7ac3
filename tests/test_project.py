"""Promises of the project itself: generated pages are current, rooms keep to their imports, the lock answers."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import bundles
import companyos
import datagen
import dpsql
import masking
import provisioning
import schemas
from companyos import reference
from datagen import generators
from datagen.compiling import COMPILERS
from schemas.recipes import BY_NAME
from tests.lock import problems

ROOT = Path(__file__).parent.parent


def test_the_page_of_commands_is_current():
    assert reference.PAGE.read_text("utf-8") == reference.page(), "run `make docs`"


def test_every_generator_of_the_catalogue_has_a_meaning_and_no_other_has():
    for name in BY_NAME:
        generators.register(name)
    assert set(COMPILERS) == set(BY_NAME)
    assert {name: compiler.__module__ for name, compiler in COMPILERS.items()} == generators.MODULES


def test_the_locks_answer_what_the_project_asks():
    assert problems() == []


def test_rooms_import_only_the_rooms_they_may():
    run = subprocess.run([str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_names_that_rooms_export_are_there_and_are_offered_for_completion():
    for room in (bundles, companyos, datagen, dpsql, masking, provisioning, schemas):
        assert room.__all__
        assert set(room.__all__) <= set(dir(room))
        for name in room.__all__:
            assert getattr(room, name) is not None


def test_type_checkers_of_users_may_read_every_package_that_is_installed():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    assert "py.typed" in setuptools["package-data"]["*"]
    for pattern in setuptools["packages"]["find"]["include"]:
        assert (ROOT / pattern.removesuffix("*") / "py.typed").exists(), pattern
