import subprocess
import sys

# as Polars puts it before Python's own handler: the kernel takes a wait up again after the signal
RESTARTING = "import os, signal, threading, time; signal.siginterrupt(signal.SIGINT, False)"
SOON = "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()"
WAITING = "from concurrent.futures import Future; from schemas.heeding import result_of; result_of(Future())"
DOING = "from provisioning.interrupts import interruptible; stop = threading.Event(); interruptible(lambda: stop.wait(60), stop.set)"
TWICE = f"""
from provisioning.interrupts import interruptible
{SOON.replace("0.5", "1.5")}
interruptible(lambda: time.sleep(60), lambda: None, patient=False)
"""
ASKING = """
from pathlib import Path
from bundles.scanning import session
from schemas.model import Schema
with session(Path("."), Schema("none", ()), 1) as duckdb:
    duckdb.row("SELECT COUNT(*) FROM range(100_000_000_000_000) AS r (i) WHERE i % 7 = 3")
"""


def ended(work: str, folder: str) -> str:
    code = f"{RESTARTING}\ntry:\n" + "\n".join("    " + line for line in [SOON, *work.strip().splitlines()])
    code += "\nexcept KeyboardInterrupt:\n    print('heeded', flush=True)\n"
    found = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=50, check=False)
    return found.stdout + found.stderr


def test_a_second_signal_waits_no_longer_for_what_cannot_be_stopped(tmp_path):
    assert ended(TWICE, str(tmp_path)) == "heeded\n"


def test_a_wait_heeds_a_signal_after_which_it_would_be_taken_up_again(tmp_path):
    for work in (WAITING, DOING, ASKING):
        assert ended(work, str(tmp_path)) == "heeded\n", work
