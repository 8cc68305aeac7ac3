"""Work in a process of its own, whose death is an error of that work alone.

The driver of PostgreSQL aborts the process where a server is lost (https://github.com/apache/arrow-adbc/issues/3878), which a service, that
has others to serve, cannot take part in. Work and answer go through pipes, and no secret through arguments.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from subprocess import PIPE, Popen, TimeoutExpired
from threading import Thread
from traceback import format_exc
from typing import IO, Any, Protocol, TypeVar

from bundles import Progress
from bundles.progress import OnProgress
from provisioning.errors import TargetFailure
from provisioning.interrupts import ENDING
from schemas.absent import do_without

T = TypeVar("T")
PATIENCE = 10.0  # seconds for work that is broken off to undo what it did


class Run(Protocol):
    """How work on a sandbox's data is run; `work` takes `on_progress` where that is given, and what it returns is returned."""

    def __call__(self, work: Callable[..., T], on_progress: OnProgress | None = None) -> T: ...


def here(work: Callable[..., T], on_progress: OnProgress | None = None) -> T:
    """Run work in this process."""
    return work() if on_progress is None else work(on_progress=on_progress)


def apart(work: Callable[..., T], on_progress: OnProgress | None = None) -> T:
    """Run work that can be pickled, as its answer and errors, in a process of its own, which ends with this one.

    Raises what the work raises (a RuntimeError in place of what no pickle holds), and TargetFailure where the process dies. Where
    `on_progress` raises the work is interrupted.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-P", "-m", "provisioning.apart"]
    with Popen(command, stdin=PIPE, stdout=PIPE, env=environment, start_new_session=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            _send(process.stdin, (work, on_progress is not None))
            while isinstance(said := _heard(process), Progress):
                assert on_progress is not None
                on_progress(said)
        finally:
            _end(process)
    answer, error = said
    if error is not None:
        raise error
    return answer  # type: ignore[no-any-return]


def _send(pipe: IO[bytes], what: object) -> None:
    data = pickle.dumps(what)
    with suppress(BrokenPipeError):  # that the other is gone is heard when it is listened to
        pipe.write(data)
        pipe.flush()


def _heard(process: Popen[bytes]) -> Any:
    assert process.stdout is not None
    try:
        return pickle.load(process.stdout)
    except (EOFError, pickle.UnpicklingError):
        code = process.wait()
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    raise TargetFailure(f"the process that works on the data has ended ({how}): the server was lost, or somebody ended it; try again")


def _end(process: Popen[bytes]) -> None:
    """Interrupt work that is not done, and wait until it has undone what it did."""
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with suppress(BrokenPipeError):
            pipe.close()
    try:
        process.wait(PATIENCE)
    except BaseException as error:
        process.kill()
        if not isinstance(error, TimeoutExpired):
            raise


def _main() -> None:
    """Do what comes in, and send progress, then the answer and None, or None and the error."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed goes to the log
    do_without("pandas", "polars")  # which pyarrow and the driver import where they can, for as long as all the rest takes
    for number in ENDING:  # whoever ends the service and all its processes lets the work go on for as long as the service does
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_IGN)
    work, tells = pickle.load(sys.stdin.buffer)
    Thread(target=_end_with_the_other, daemon=True).start()
    said: tuple[Any, BaseException | None]
    try:
        said = here(work, (lambda progress: _send(pipe, progress)) if tells else None), None
    except BaseException as error:
        sent = _that_can_be_sent(error)
        sent.add_note(format_exc())
        said = None, sent
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _send(pipe, said)
    os._exit(0)


def _that_can_be_sent(error: BaseException) -> BaseException:
    """`error`, or what stands for it where a pickle loses it, as those of drivers are that ask for more than a message."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"the work apart failed with {type(error).__module__}.{type(error).__qualname__}")
    return error


def _end_with_the_other() -> None:
    os.read(0, 1)  # nothing more comes but the end
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(PATIENCE)
    os._exit(1)


if __name__ == "__main__":
    _main()
