"""Builds and verifications with more threads than a machine can have, and with less disk than they need."""

from __future__ import annotations

import subprocess
import sys

import pytest

import bundles
from bundles.errors import ReferenceInvalid
from tests.bundles.bundle_sources import narrow
from tests.datagen.making import source_of

CHECKED = "tables: {t: {rows: 9, columns: {id: {type: bigint, key: true}, x: {type: integer, check: x > 0, generate: {uniform: [1, 9]}}}}}"

VERIFY = """
import resource, signal, sys
import bundles, bundles.scanning
bundles.scanning.MEMORY = "40MB"
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    bundles.verify(bundles.open("synthetic:latest", sys.argv[1]))
except bundles.errors.StoreFailure as error:
    print(error)
"""


def test_a_number_of_threads_beyond_all_reason_builds_the_same_bundle(tmp_path):
    many = bundles.build(source_of(CHECKED), store=tmp_path, jobs=1_000_000)
    assert many.manifest_digest == bundles.build(source_of(CHECKED), store=tmp_path, jobs=1).manifest_digest


def test_a_key_that_the_disk_is_too_small_to_check_is_not_reported_as_sound(tmp_path):
    rows = "tables: {t: {rows: 1500000, columns: {id: {type: uuid, key: true}}}}"
    bundles.build(source_of(rows), store=tmp_path)
    done = subprocess.run([sys.executable, "-c", VERIFY, str(tmp_path)], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.startswith("constraints cannot be checked: 40MB of memory")


def test_an_empty_tag_is_refused(tmp_path):
    with pytest.raises(ReferenceInvalid):
        bundles.build(narrow(3), store=tmp_path, tag="")
