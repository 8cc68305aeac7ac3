"""A build takes no time for what it does not need, and leaves other processes alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

BUILD = """
import sys
from pathlib import Path
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


def test_a_build_that_fails_says_why_and_nothing_else(tmp_path):
    schema = tmp_path / "s.yaml"
    schema.write_text("""schema: s
tables: {t: {rows: 9, columns: {id: {type: bigint, key: true}, x: {type: integer, check: x > 5, generate: {uniform: [1, 9]}}}}}
""")
    command = [str(Path(sys.executable).with_name("companyos")), "bundle", "build", str(schema), "--store", str(tmp_path / "store")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stderr
    said = [line for line in run.stderr.splitlines() if not re.fullmatch(r"\w+ t: \d+( of \d+)?", line)]  # progress, where it takes long
    assert said == ["error: table 't': check (x > 5) does not hold for 6 rows, first for row 1"]
