"""Two builds of the same inputs are the same bytes, whatever the machine's settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("companyos")
DISABLED = "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"


def built(home: Path, *options: str, **environment: str) -> dict:
    command = [str(PROGRAM), "bundle", "build", "companyos", "--scale", "0.1", "--json", *options]
    run = subprocess.run(
        command, env={**os.environ, "COMPANYOS_HOME": str(home), **environment}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("first")


@pytest.fixture(scope="module")
def first(home) -> dict:
    return built(home, "--jobs", "1", "--tag", "a:v1")


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (["--jobs", "2"], {}),
        pytest.param(["--jobs", "5"], {"PYTHONHASHSEED": "123"}, marks=pytest.mark.slow),
        ([], {"TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}),
        ([], {"NPY_DISABLE_CPU_FEATURES": DISABLED, "ARROW_USER_SIMD_LEVEL": "NONE"}),
    ],
    ids=["jobs", "hash seed", "locale and zone", "no vector instructions"],
)
def test_manifest_digests_are_the_same(first, tmp_path, options, environment):
    assert built(tmp_path, *options, **environment)["manifest_digest"] == first["manifest_digest"]


def test_another_chunk_size_leaves_the_content_digest(tmp_path, first):
    found = built(tmp_path, "--chunk-rows", "65536")
    assert found["content_digest"] == first["content_digest"]
    assert found["tables"]["users"]["columns"] == first["tables"]["users"]["columns"]


def test_the_built_in_company_is_sound(first, home):
    run = subprocess.run(
        [str(PROGRAM), "bundle", "verify", "a:v1", "--json"], env={**os.environ, "COMPANYOS_HOME": str(home)}, capture_output=True, text=True, check=False
    )  # fmt: skip
    report = json.loads(run.stdout)
    assert report["ok"], report["problems"]
    assert report["not_checked"] == []
    assert report["checked"]["checks"] >= 15
