"""Clients that are killed (SIGKILL) at one line of the ledger after another: `python -m tests.dpsql.ledger.crash ADDRESS EVERY`.

Each asks one question from opening the ledger to its end. After each kill the ledger is opened again: what was told as charged
is charged, nothing that was charged before has come back, the next question is answered, and the chain is whole. Prints how many were killed, and how many of
these had their charge.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any

import dpsql.ledger
from dpsql.accounting import Limit, Spend
from dpsql.ledger import Question, open_ledger
from tests.dpsql.ledger.books import RELEASE

FOLDER = os.path.dirname(dpsql.ledger.__file__)
LIMIT = Limit(1e6, 0.0)
ONE = Spend.pure(1.0)


def ask(address: str, number: int, told: int) -> None:
    book = open_ledger(address)
    book.open_release(RELEASE, LIMIT, None)
    charge = book.reserve(RELEASE, "ada", ONE, Question("digest", "SELECT 1", ()))
    os.write(told, b"!")
    book.finish(charge, "answered", {f"part {number}": b"noise"})
    book.close()


def killed_at(line: int) -> Any:
    left = line

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(FOLDER):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def main() -> None:
    address, every = sys.argv[1], int(sys.argv[2])
    before, kills, charged, line = 0.0, 0, 0, 1
    while True:
        read, write = os.pipe()
        if not (child := os.fork()):
            os.close(read)
            sys.settrace(killed_at(line))
            ask(address, line, write)
            os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            told = pipe.read() == b"!"
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, -signal.SIGKILL), code
        book = open_ledger(address)
        book.open_release(RELEASE, LIMIT, None)
        if code == 0 or kills % 10 == 0:  # reading all anew each time would take longer than all the rest
            book.verify()
        total = book.spending(RELEASE).total.epsilon
        assert total in ((before + 1,) if told or code == 0 else (before, before + 1)), (line, before, total, told)
        charged += code != 0 and total > before
        book.finish(book.reserve(RELEASE, "bob", ONE, Question("digest", "SELECT 2", ())), "answered")
        before = book.spending(RELEASE).total.epsilon
        assert before == total + 1
        book.close()
        if code == 0:
            break
        kills += 1
        line += every
    print(kills, charged)


if __name__ == "__main__":
    main()
