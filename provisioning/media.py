"""The files of rows beside sandboxes: a folder for each, which only the account that made it reads.

A database has no place for them, and an application that is shown wants its logos and documents: it takes the path in a cell and
looks under the folder. As with passwords, what a reset replaces is set aside until the reset is known to be good.
"""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from bundles import Bundle
from bundles.media import extract
from provisioning.errors import TargetFailure
from schemas.home import make_private

_ASIDE = ".aside"


class MediaFolders:
    """A folder (0700) with one folder for each sandbox whose bundle has files. Every step may be done again after a crash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, sandbox: str, bundle: Bundle) -> Path | None:
        """Put the files of `bundle` in the place of those that are there; return the folder, None where the bundle has none.

        Raises BundleDamaged, TargetFailure; the old files are there until all new ones are.
        """
        place = self._folder / sandbox
        if not bundle.manifest.media:
            self._drop(place)
            return None
        self._sweep(sandbox)
        fresh = self._folder / f".{sandbox}.{secrets.token_hex(4)}"
        try:
            make_private(self._folder)
            extract(bundle, fresh, private=True)
            if place.exists():
                place.rename(self._folder / f".{sandbox}.{secrets.token_hex(4)}")
            fresh.rename(place)
        except OSError as error:
            raise TargetFailure(f"the files of {sandbox} cannot be kept in '{self._folder}': {error.strerror or error}") from error
        finally:
            self._sweep(sandbox)
        return place

    def place(self, sandbox: str) -> Path | None:
        """Return the folder of a sandbox; None where it has no files."""
        place = self._folder / sandbox
        return place if place.is_dir() else None

    def remove(self, sandbox: str) -> None:
        """Remove the files of a sandbox, those set aside, and what a killed process left beside them."""
        self._drop(self._folder / sandbox)
        self.forget_aside(sandbox)
        self._sweep(sandbox)

    def set_aside(self, sandbox: str) -> None:
        """Keep the present files to come back to, or that there are none, unless that is kept already; none are in place then."""
        aside, present = self._folder / f"{sandbox}{_ASIDE}", self._folder / sandbox
        if aside.exists():
            return
        try:
            if present.exists():
                present.rename(aside)
            else:
                make_private(aside)
        except OSError as error:
            raise TargetFailure(f"the files of {sandbox} cannot be kept in '{self._folder}': {error.strerror or error}") from error

    def bring_back(self, sandbox: str) -> Path | None:
        """Put back what was set aside, files or none, and return where they are."""
        aside = self._folder / f"{sandbox}{_ASIDE}"
        if aside.exists():
            self._drop(self._folder / sandbox)
            if any(aside.iterdir()):
                aside.rename(self._folder / sandbox)
            else:
                aside.rmdir()
        return self.place(sandbox)

    def forget_aside(self, sandbox: str) -> None:
        """Remove the files that were set aside."""
        self._drop(self._folder / f"{sandbox}{_ASIDE}")

    def kept(self) -> list[str]:
        """Return the ids of the sandboxes that have files here."""
        with suppress(OSError):
            return sorted({p.name.removesuffix(_ASIDE) for p in self._folder.iterdir() if not p.name.startswith(".")})
        return []

    def _sweep(self, sandbox: str) -> None:
        for left in self._folder.glob(f".{sandbox}.*"):
            self._drop(left)

    def _drop(self, place: Path) -> None:
        try:
            shutil.rmtree(place)
        except FileNotFoundError:
            return
        except OSError as error:
            raise TargetFailure(f"the files in '{place}' cannot be removed: {error.strerror or error}") from error
