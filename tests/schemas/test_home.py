"""Where what is kept between runs is, by the environment and without it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.home import cache_folder, data_folder, make_private, said_home, state_folder


def test_the_folder_of_the_environment_is_found_from_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COMPANYOS_HOME", "~/kept")
    assert said_home() == data_folder() == state_folder() == tmp_path / "kept"
    assert cache_folder() == tmp_path / "kept" / "cache"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPANYOS_HOME", "beside")
    assert data_folder() == tmp_path / "beside"


@pytest.mark.parametrize("said", ["", None])
def test_each_user_has_folders_of_their_own(said: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for kind in ("DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    monkeypatch.delenv("COMPANYOS_HOME", raising=False)
    if said is not None:
        monkeypatch.setenv("COMPANYOS_HOME", said)
    assert said_home() is None
    assert [data_folder(), state_folder(), cache_folder()] == [tmp_path / kind / "companyos" for kind in ("data", "state", "cache")]


def test_a_private_folder_is_its_accounts_alone_whatever_the_umask(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    before = os.umask(0)
    try:
        for _ in range(2):
            make_private(tmp_path / "above" / "folder")
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path, tmp_path / "above", tmp_path / "above" / "folder")]
    assert modes == [0o755, 0o700, 0o700]
