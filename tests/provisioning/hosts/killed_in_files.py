"""Does an operation on a file host again and again, killed before its first, second, third ... access to the disk, and each time goes on."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bundles
from bundles import Bundle
from provisioning.hosts.files import FileHost
from schemas.environments import Host, Limits

EVENTS = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.utime", "os.chmod", "sqlite3.connect", "os.link"}
NOW = datetime(2026, 3, 4, tzinfo=UTC)
LIMITS = Limits()


def killed_before(number: int, root: Path) -> None:
    """Kill this process at its access of that number to what lies below `root`; accesses that only read do not count."""
    seen = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        changes = event in EVENTS or (event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if changes and any(isinstance(a, (str, os.PathLike)) and str(root) in str(a) for a in arguments):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


class Trial:
    def __init__(self, kind: str, root: Path, first: Bundle, second: Bundle) -> None:
        self.root, self.first, self.second = root, first, second
        self.host = FileHost(Host("local", kind, folder=str(root)), control="ours", clock=lambda: NOW)
        self.place = self.host.place("sb-abcdefghij")

    def made(self) -> None:
        self.host.seed(self.place, self.first, limits=LIMITS)
        self.host.admit(self.place, None, NOW, LIMITS)

    def create(self) -> None:
        self.made()
        self.host.configure(self.place, {"a": True}, {})

    def reset(self) -> None:
        self.host.seed(self.place, self.second, limits=LIMITS, swap=True)
        self.host.swap(self.place)
        self.host.admit(self.place, None, NOW, LIMITS)
        self.host.forget_old(self.place)

    def swapped(self) -> None:
        self.host.seed(self.place, self.second, limits=LIMITS, swap=True)
        self.host.swap(self.place)
        self.host.admit(self.place, None, NOW, LIMITS)

    def take_back(self) -> None:
        self.host.swap_back(self.place)
        self.host.admit(self.place, None, NOW, LIMITS)

    def remove(self) -> None:
        self.host.remove(self.place)

    def rows(self) -> int:
        from databases import ask

        return int(ask(self.host.address(self.place, None), "SELECT count(*) FROM parents")[0][0])


def forked(work: Any) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def check(condition: bool, what: str) -> None:
    if not condition:
        raise AssertionError(what)


def after(trial: Trial, operation: str) -> None:
    """What must be possible after a kill, in a process that knows nothing of before."""
    if operation == "create":
        trial.host.remove(trial.place)
        check(trial.host.marker(trial.place) is None, "something stayed")
        trial.create()
        check(trial.rows() == 5, "not made anew")
    elif operation == "reset":
        rows = 5 if any(p.name.endswith(".old") for p in trial.root.iterdir()) else None
        trial.take_back()
        check(trial.rows() in ((5,) if rows else (5, 7)), "not as before")
        trial.reset()
        check(trial.rows() == 7, "not reset at last")
    elif operation == "take back":
        trial.take_back()
        check(trial.rows() == 5, "not taken back")
    trial.host.remove(trial.place)
    left = [p.name for p in trial.root.iterdir() if p.name != "templates"]
    check(left == [], f"left: {left}")


def main(kind: str, folder: str, store: str, first: str, second: str, operation: str) -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent))
    opened = bundles.open(f"a@{first}", store), bundles.open(f"a@{second}", store)
    before = Path(folder) / "before"

    def prepared() -> None:
        trial = Trial(kind, before, *opened)
        if operation != "create":  # then both templates are there, too
            trial.made()
            trial.swapped()
        if operation in ("reset", "remove"):
            trial.take_back()

    check(forked(prepared) == 0, "preparation")
    number = 0
    while True:
        number += 1
        root = Path(folder) / str(number)
        if before.exists():
            shutil.copytree(before, root)
        trial = Trial(kind, root, *opened)

        def broken_off(trial: Trial = trial, number: int = number) -> None:
            killed_before(number, trial.root)
            {"create": trial.create, "reset": trial.reset, "take back": trial.take_back, "remove": trial.remove}[operation]()

        code = forked(broken_off)
        check(code in (0, -signal.SIGKILL), f"step {number} failed by itself")
        if code == 0 and operation == "remove":
            check([p.name for p in root.iterdir() if p.name != "templates"] == [], "not removed")
        check(forked(lambda trial=trial: after(trial, operation)) == 0, f"after the kill at step {number}")
        shutil.rmtree(root)
        if code == 0:
            print(number - 1)
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
