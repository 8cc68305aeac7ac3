"""A build takes no time for what it does not need, and leaves other processes alone."""

from __future__ import annotations

import subprocess
import sys

BUILD = """
import sys
sys.argv = ["companyos", "bundle", "build", "tpch", "--scale", "0.001", "--store", sys.argv[1]]
from companyos.cli import main
try:
    main()
except SystemExit as done:
    assert not done.code, done.code
print([name for name in ("pandas", "polars", "duckdb", "pytest", "faker", "mimesis") if name in sys.modules])
"""


def test_a_build_imports_nothing_that_it_does_not_use(tmp_path):
    run = subprocess.run([sys.executable, "-c", BUILD, str(tmp_path / "store")], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "[]"


def test_pandas_is_there_for_those_who_build_from_python(tmp_path):
    program = (
        "import bundles, datagen, sys\n"
        "made = bundles.build(datagen.source('tpch', scale=0.001), store=sys.argv[1])\n"
        "print(len(made.table('nation').to_pandas()))"
    )
    run = subprocess.run([sys.executable, "-c", program, str(tmp_path / "store")], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "25", run.stderr
