"""The command `companyos`, also as `python -m companyos`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is still being imported ends it as cleanly as later."""
    try:
        from companyos.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    try:
        main()
    finally:
        exec("")  # where Ctrl-C ended an earlier exec, such as that of a dataclass, `python -m` would end by SIGINT and not with 130
