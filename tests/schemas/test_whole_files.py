"""Files that are written whole, or not at all."""

from __future__ import annotations

import stat

import pytest

from schemas.whole_files import written


def test_a_file_is_whole_or_as_it_was(tmp_path):
    file = tmp_path / "report.html"
    with written(str(file), text=True) as out:
        out.write("whole\n")
    with pytest.raises(RuntimeError), written(str(file), text=True) as out:
        out.write("half")
        raise RuntimeError
    assert file.read_bytes() == b"whole\n"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_file_is_read_by_those_who_read_the_one_before_it(tmp_path, mode):
    file = tmp_path / "masked.csv"
    file.write_text("old")
    file.chmod(mode)
    with written(str(file)) as out:
        out.write(b"new")
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == mode
