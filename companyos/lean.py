"""A process that has one thing to do, and no time to lose on what it does not need."""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import sys
from contextlib import suppress

from schemas.absent import do_without

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_KEPT, _STEP, _LARGE = 1 << 30, 1 << 24, 1 << 25
_OBJECTS = 250_000


def lean() -> None:
    """Set the process up for one piece of work on arrays: memory that is freed stays for the next block, and pandas stays away.

    Arrays of half a megabyte come and go by the ten thousand. glibc would give each back to the kernel, and have it zeroed again for
    the next; pyarrow looks for pandas when it first sees a list, and importing it takes longer than a small build; and the collector
    of cycles would look again and again at what the imports brought. OpenBLAS starts threads that wait busily for matrices, of which
    there are none; and taking all apart at the end takes as long as a tenth of a small build. Call this before numpy and pyarrow are
    imported, in a process that does nothing else.
    Whatever is not there to be set is left alone.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    do_without("pandas")
    gc.set_threshold(_OBJECTS)
    atexit.register(_leave)
    with suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in ((_M_TRIM_THRESHOLD, _KEPT), (_M_TOP_PAD, _STEP), (_M_MMAP_THRESHOLD, _LARGE)):
            mallopt(option, value)


def _leave() -> None:
    """Spare the last collections of cycles, but for DuckDB, which counts what is left of it and complains."""
    if "duckdb" not in sys.modules:
        gc.freeze()
