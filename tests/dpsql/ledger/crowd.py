"""Many clients of one budget, as processes of their own with threads: `python -m tests.dpsql.ledger.crowd ADDRESS PROCESSES THREADS TIMES`.

Prints how many reservations were accepted and how many refused.
"""

from __future__ import annotations

import os
import sys
from threading import Thread

from dpsql.accounting import Limit, Spend
from dpsql.errors import BudgetSpent
from dpsql.ledger import Question, open_ledger
from tests.dpsql.ledger.books import RELEASE

LIMIT = Limit(1.0, 0.0)
SMALL = Spend.pure(0.01)


def work(address: str, process: int, threads: int, times: int) -> bytes:
    book = open_ledger(address)
    book.open_release(RELEASE, LIMIT, None)
    outcomes = bytearray()

    def client(number: int) -> None:
        for turn in range(times):
            try:
                book.reserve(RELEASE, f"analyst {process} {number}", SMALL, Question("digest", f"SELECT {turn}", ()))
                outcomes.append(ord("+"))
            except BudgetSpent:
                outcomes.append(ord("-"))

    clients = [Thread(target=client, args=(n,)) for n in range(threads)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    book.close()
    return bytes(outcomes)


def main() -> None:
    address, processes, threads, times = sys.argv[1], *map(int, sys.argv[2:])
    read, write = os.pipe()
    children = []
    for process in range(processes):
        if not (child := os.fork()):
            os.write(write, work(address, process, threads, times))
            os._exit(0)
        children.append(child)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        outcomes = pipe.read()
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [0] * processes, codes
    print(outcomes.count(b"+"), outcomes.count(b"-"))


if __name__ == "__main__":
    main()
