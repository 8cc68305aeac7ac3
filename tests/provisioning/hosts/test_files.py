"""Sandboxes as files: made from templates, let in, shut, put in another's place, removed; and nothing that is not ours is touched."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from databases import ask, contents, file_of
from loading_sources import build, complete, shop, shop_rows, simple, simple_rows

from bundles import Bundle
from provisioning.errors import NoSuchSandbox, NotASandbox, ReadBackDiffers, TargetFailure
from provisioning.hosts.base import Place
from provisioning.hosts.files import FileHost
from provisioning.hosts.opening import open_host
from schemas.environments import Host, Limits

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LIMITS = Limits()
ID = "sb-abcdefghij"
OTHER = "sb-zyxwvutsrq"


@pytest.fixture(params=["duckdb", pytest.param("sqlite", marks=pytest.mark.slow)])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "sandboxes"


@pytest.fixture
def host(kind: str, root: Path) -> FileHost:
    return opened(kind, root)


def opened(kind: str, root: Path, control: str = "ours") -> FileHost:
    host = open_host(Host("local", kind, folder=str(root)), control=control, clock=lambda: NOW)
    assert isinstance(host, FileHost)
    return host


@pytest.fixture
def bundle(store: Path) -> Bundle:
    return build(simple(), simple_rows(), store)


@pytest.fixture
def other_bundle(store: Path) -> Bundle:
    return build(simple(7), simple_rows(7, mark="other"), store)


def made(host: FileHost, bundle: Bundle, id: str = ID) -> Place:
    place = host.place(id)
    host.seed(place, bundle, limits=LIMITS)
    host.admit(place, None, NOW + timedelta(hours=1), LIMITS)
    return place


def reader(url: str, *, transaction: bool = False) -> subprocess.Popen[str]:
    """Another process that has the sandbox open, until it is sent a line."""
    path = str(file_of(url))
    if url.startswith("duckdb"):
        opening = f"import duckdb; c = duckdb.connect({path!r})"
    else:
        opening = (
            f"import sqlite3; c = sqlite3.connect({path!r}, isolation_level=None); c.execute('SELECT count(*) FROM parents').fetchall()"
        )
        if transaction:
            opening += "; c.execute('BEGIN EXCLUSIVE')"
    script = f"{opening}\nprint('open', flush=True)\ninput()\nprint(c.execute('SELECT count(*) FROM parents').fetchone()[0], flush=True)"
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def ended(process: subprocess.Popen[str]) -> str:
    return process.communicate("\n", timeout=60)[0].strip()


def folders(root: Path) -> list[str]:
    return sorted(p.name for p in root.iterdir() if p.name != "templates")


def test_a_sandbox_holds_the_bundle_and_belongs_to_one_account(host: FileHost, kind: str, store: Path) -> None:
    bundle = build(shop(), complete(shop_rows()), store)
    place = host.place(ID)
    seeded = host.seed(place, bundle, limits=LIMITS)
    assert seeded.content_digest == bundle.content_digest
    assert dict(seeded.tables) == {name: table.rows for name, table in bundle.tables.items()}
    assert (seeded.digest_of, seeded.shifted_weeks) == ("template", 0)
    assert seeded.strategy in ("reflink", "copy")
    assert "loaded into a template" in seeded.why
    host.admit(place, None, NOW, LIMITS)
    path = file_of(host.address(place, None))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == path.parent.parent.stat().st_mode & 0o777 == 0o700
    assert host.bytes(place) >= path.stat().st_size // 2
    marker = host.marker(place)
    assert marker is not None
    assert (marker.sandbox, marker.control, marker.bundle_digest, marker.made_at) == (ID, "ours", bundle.manifest_digest, NOW)
    held = contents(host.address(place, None))
    assert len(held) == len(bundle.tables) + 1  # the marker


def test_the_second_sandbox_of_a_bundle_is_a_copy_and_the_first_stays_as_it_is(host: FileHost, bundle: Bundle) -> None:
    first = made(host, bundle)
    ask(host.address(first, None), "DELETE FROM children")
    seeded = host.seed(host.place(OTHER), bundle, limits=LIMITS)
    assert "loaded" not in seeded.why
    assert dict(seeded.tables) == {"parents": 5, "children": 5}
    assert ask(host.address(first, None), "SELECT count(*) FROM children") == [(0,)]


def test_times_are_moved_in_a_template_of_its_own(host: FileHost, bundle: Bundle) -> None:
    plain = host.seed(host.place(ID), bundle, limits=LIMITS)
    moved = host.seed(host.place(OTHER), bundle, limits=LIMITS, as_of="now")
    assert moved.shifted_weeks > 0
    assert moved.content_digest != plain.content_digest
    assert sorted(f.name.partition("_w")[2] for f in host.found() if f.what == "template") == ["", str(moved.shifted_weeks)]


def test_nobody_gets_in_before_admission_nor_after_shutting(host: FileHost, bundle: Bundle) -> None:
    place = host.place(ID)
    host.seed(place, bundle, limits=LIMITS)
    with pytest.raises(TargetFailure, match="can be connected to"):
        host.address(place, None)
    host.admit(place, None, NOW, LIMITS)
    url = host.address(place, None)
    host.shut(place)
    host.shut(place)
    with pytest.raises((duckdb.IOException, sqlite3.OperationalError)):
        ask(url, "SELECT 1")
    assert host.marker(place) is not None
    assert ask(host.admin_address(place), "SELECT count(*) FROM parents") == [(5,)]
    host.admit(place, None, NOW, LIMITS)
    assert host.address(place, None) == url


def test_flags_and_settings_lie_where_the_application_finds_them(host: FileHost, kind: str, bundle: Bundle) -> None:
    place = made(host, bundle)
    separator = "." if kind == "duckdb" else "_"
    for flags in ({"onboarding": True, "billing": False}, {"billing": True}):
        host.configure(place, flags, {"webhooks": "stub", "requests_a_minute": 60})
        asked = ask(host.address(place, None), f"SELECT name, enabled FROM companyos_sandbox{separator}feature_flags")
        assert dict(asked) == flags
        settings = dict(ask(host.address(place, None), f"SELECT name, value FROM companyos_sandbox{separator}settings"))
        assert settings == {"webhooks": '"stub"', "requests_a_minute": "60"}


def test_a_swap_gives_new_data_at_a_new_address_and_can_be_taken_back(host: FileHost, bundle: Bundle, other_bundle: Bundle) -> None:
    place = made(host, bundle)
    before = host.address(place, None)
    ask(before, "UPDATE parents SET name = 'changed' WHERE id = 1")
    held = contents(before)
    host.seed(place, other_bundle, limits=LIMITS, swap=True)
    assert contents(before) == held
    for _ in range(2):  # whoever goes on after a crash does it again
        host.swap(place)
    host.admit(place, None, NOW, LIMITS)
    after = host.address(place, None)
    assert after != before
    assert ask(after, "SELECT count(*) FROM parents") == [(7,)]
    for _ in range(2):
        host.swap_back(place)
    host.admit(place, None, NOW, LIMITS)
    assert host.address(place, None) == before
    assert contents(before) == held
    assert len(folders(host._root)) == 1


def test_an_old_database_is_forgotten_for_good(host: FileHost, bundle: Bundle, other_bundle: Bundle) -> None:
    place = made(host, bundle)
    host.seed(place, other_bundle, limits=LIMITS, swap=True)
    host.swap(place)
    for _ in range(2):
        host.forget_old(place)
    host.swap_back(place)
    host.admit(place, None, NOW, LIMITS)
    assert ask(host.address(place, None), "SELECT count(*) FROM parents") == [(7,)]
    assert len(folders(host._root)) == 1


def test_what_another_process_has_open_is_reset_without_harm_to_either(host: FileHost, bundle: Bundle, other_bundle: Bundle) -> None:
    place = made(host, bundle)
    process = reader(host.address(place, None))
    host.seed(place, other_bundle, limits=LIMITS, swap=True)
    host.swap(place)
    host.configure(place, {"a": True}, {})
    host.admit(place, None, NOW, LIMITS)
    host.forget_old(place)
    assert ended(process) == "5"
    assert ask(host.address(place, None), "SELECT count(*) FROM parents") == [(7,)]


def test_removal_takes_all_of_a_sandbox_even_while_it_is_open(host: FileHost, root: Path, bundle: Bundle, other_bundle: Bundle) -> None:
    place = made(host, bundle)
    made(host, bundle, OTHER)
    host.seed(place, other_bundle, limits=LIMITS, swap=True)
    process = reader(host.address(place, None), transaction=True)
    host.remove(place)
    assert ended(process) == "5"
    assert host.marker(place) is None
    assert host.activity(place) is None
    assert host.bytes(place) == 0
    assert [f.sandbox for f in host.found() if f.what == "database"] == [OTHER]
    host.remove(place)
    assert len(folders(root)) == 1


def test_journals_go_with_their_database(host: FileHost, kind: str, bundle: Bundle, other_bundle: Bundle) -> None:
    place = made(host, bundle)
    path = file_of(host.address(place, None))
    open_ = f"import duckdb; c = duckdb.connect({str(path)!r})"
    if kind == "sqlite":
        open_ = f"import sqlite3; c = sqlite3.connect({str(path)!r}, isolation_level=None); c.execute('PRAGMA journal_mode = WAL')"
    script = f"{open_}; c.execute(\"UPDATE parents SET name = 'late' WHERE id = 2\"); import os; os._exit(1)"
    subprocess.run([sys.executable, "-c", script], check=False)
    assert len(list(path.parent.glob("sandbox.*wal"))) == 1
    host.seed(place, other_bundle, limits=LIMITS, swap=True)
    host.swap(place)
    host.swap_back(place)
    assert ask(host.admin_address(place), "SELECT name FROM parents WHERE id = 2") == [("late",)]


def test_use_shows_in_the_activity_and_our_own_looks_do_not(host: FileHost, kind: str, bundle: Bundle) -> None:
    place = made(host, bundle)

    def seen() -> str:
        found = host.activity(place)
        assert found is not None and found.connections == 0
        return found.counter

    before = seen()
    for _ in range(2):
        assert host.marker(place) is not None
        host.found()
        assert seen() == before
    subprocess.run([sys.executable, "-c", reading(host.address(place, None))], check=True)
    after_reading = seen()
    assert after_reading != before
    assert host.marker(place) is not None
    assert seen() == after_reading
    ask(host.address(place, None), "UPDATE parents SET name = 'x' WHERE id = 1")
    assert seen() != after_reading


def reading(url: str) -> str:
    path = str(file_of(url))
    if url.startswith("duckdb"):
        return f"import duckdb; duckdb.connect({path!r}, read_only=True).execute('SELECT * FROM parents').fetchall()"
    return f"import sqlite3; sqlite3.connect({path!r}).execute('SELECT * FROM parents').fetchall()"


@pytest.mark.slow  # SQLite waits for the lock
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells who has a file open")
def test_an_open_database_is_in_use_and_still_known_as_ours(host: FileHost, bundle: Bundle) -> None:
    place = made(host, bundle)
    process = reader(host.address(place, None), transaction=True)
    found = host.activity(place)
    marker = host.marker(place)
    assert found is not None
    assert found.connections == 1
    assert marker is not None and marker.sandbox == ID
    ended(process)
    again = host.activity(place)
    assert again is not None and again.connections == 0


@pytest.mark.slow  # SQLite waits for the lock
def test_flags_of_a_locked_file_are_refused_with_one_clear_error(host: FileHost, bundle: Bundle) -> None:
    place = made(host, bundle)
    process = reader(host.address(place, None), transaction=True)
    with pytest.raises(TargetFailure, match="elsewhere; close it there"):
        host.configure(place, {"a": True}, {})
    ended(process)


@pytest.mark.parametrize("step", ["seed", "swap", "swap_back", "admit", "shut", "remove", "configure", "marker"])
def test_a_real_database_in_the_place_of_a_sandbox_is_never_touched(
    host: FileHost, kind: str, root: Path, bundle: Bundle, step: str
) -> None:
    folder = root / "companyos_sb_abcdefghij.0a1b2c3d"
    folder.mkdir(parents=True)
    url = f"{kind}:///{folder / f'sandbox.{kind}'}"
    ask(url, "CREATE TABLE parents (id INTEGER)", "INSERT INTO parents VALUES (1)")
    held = contents(url)
    place = host.place(ID)
    calls = {
        "seed": lambda: host.seed(place, bundle, limits=LIMITS),
        "admit": lambda: host.admit(place, None, NOW, LIMITS),
        "configure": lambda: host.configure(place, {}, {}),
    }
    with pytest.raises(NotASandbox, match="marker|says nowhere"):
        calls.get(step, lambda: getattr(host, step)(place))()
    assert contents(url) == held
    assert [f for f in host.found() if f.what == "database"] == []


def test_a_database_put_in_place_of_ours_is_never_touched(host: FileHost, kind: str, root: Path, bundle: Bundle) -> None:
    place = made(host, bundle)
    url = host.address(place, None)
    file_of(url).unlink()
    ask(url, "CREATE TABLE parents (id INTEGER)", "INSERT INTO parents VALUES (1)")
    with pytest.raises(NotASandbox):
        host.remove(place)
    process = reader(url, transaction=True)  # now it cannot even be asked
    with pytest.raises(NotASandbox):
        host.remove(place)
    assert ended(process) == "1"


def test_a_sandbox_without_its_marker_or_of_others_is_not_touched(host: FileHost, kind: str, root: Path, bundle: Bundle) -> None:
    theirs = opened(kind, root, control="theirs")
    place = made(theirs, bundle)
    with pytest.raises(NotASandbox, match="another control database"):
        host.remove(place)
    assert [f for f in host.found() if f.what == "database"] == []
    assert [f.sandbox for f in theirs.found() if f.what == "database"] == [ID]
    marker = "companyos_sandbox.marker" if kind == "duckdb" else "companyos_sandbox_marker"
    ask(theirs.address(place, None), f"DROP TABLE {marker}")
    with pytest.raises(NotASandbox, match="no marker"):
        theirs.remove(place)


@pytest.mark.parametrize("id", ["", "sb-", "sb-ABCDEFGHIJ", "sb-abcdefghij/..", "../sb-abcdefghij", "sb-abcdefghi1"])
def test_only_ids_have_places(host: FileHost, id: str) -> None:
    with pytest.raises(NoSuchSandbox):
        host.place(id)


def test_a_sandbox_whose_file_is_gone_has_no_marker_and_can_be_removed(host: FileHost, root: Path, bundle: Bundle) -> None:
    place = made(host, bundle)
    file_of(host.address(place, None)).unlink()
    assert host.marker(place) is None
    host.remove(place)
    assert folders(root) == []


def test_makers_of_one_template_wait_and_load_it_once(kind: str, root: Path, bundle: Bundle) -> None:
    letters = "abcdef"
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        jobs = [(kind, str(root), bundle.reference, str(bundle.store.path), f"sb-{letter * 10}") for letter in letters]
        whys = pool.map(_seed_elsewhere, jobs)
    assert sum("loaded into a template" in why for why in whys) == 1
    assert len([f for f in opened(kind, root).found() if f.what == "database"]) == len(letters)


def _seed_elsewhere(job: tuple[str, str, str, str, str]) -> str:
    import bundles

    kind, root, reference, store, id = job
    host = opened(kind, Path(root))
    return host.seed(host.place(id), bundles.open(reference, store), limits=LIMITS).why


def test_threads_make_one_template_too(host: FileHost, bundle: Bundle) -> None:
    whys: list[str] = []
    ids = [f"sb-{letter * 10}" for letter in "abcd"]
    threads = [threading.Thread(target=lambda id=id: whys.append(host.seed(host.place(id), bundle, limits=LIMITS).why)) for id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(whys) == 4
    assert sum("loaded into a template" in why for why in whys) == 1


def test_templates_are_told_with_their_last_use_and_dropped(host: FileHost, root: Path, bundle: Bundle) -> None:
    made(host, bundle)
    (template,) = [f for f in host.found() if f.what == "template"]
    assert (template.bundle_digest, template.last_used, template.sandbox) == (bundle.manifest_digest, NOW, None)
    for _ in range(2):
        host.drop_template(template.name)
    assert [p.name for p in (root / "templates").iterdir() if not p.name.startswith(".lock")] == []
    assert "loaded into a template" in host.seed(host.place(OTHER), bundle, limits=LIMITS).why


@pytest.mark.parametrize("damage", ["without tables", "with a row too few"])
def test_a_template_that_is_damaged_fails_one_sandbox_and_no_later_one(
    host: FileHost, kind: str, root: Path, bundle: Bundle, damage: str
) -> None:
    made(host, bundle)
    (template,) = (root / "templates").glob(f"*.{kind}")
    template.chmod(0o600)
    if damage == "without tables":
        template.unlink()
        ask(f"{kind}:///{template}", "CREATE TABLE other (x integer)")
    else:
        ask(f"{kind}:///{template}", "DELETE FROM children WHERE id = (SELECT max(id) FROM children)")
    with pytest.raises((ReadBackDiffers, TargetFailure), match="template was removed; do it again"):
        host.seed(host.place(OTHER), bundle, limits=LIMITS)
    assert "loaded into a template" in host.seed(host.place(OTHER), bundle, limits=LIMITS).why


def test_a_template_that_was_not_finished_is_made_again(host: FileHost, root: Path, bundle: Bundle) -> None:
    made(host, bundle)
    (note,) = (root / "templates").glob("*.json")
    note.unlink()
    assert "loaded into a template" in host.seed(host.place(OTHER), bundle, limits=LIMITS).why


def test_a_full_or_forbidden_disk_is_one_clear_error(kind: str, tmp_path: Path, bundle: Bundle) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    host = opened(kind, blocker / "sandboxes")
    with pytest.raises(TargetFailure):
        host.seed(host.place(ID), bundle, limits=LIMITS)


KILLED = Path(__file__).with_name("killed_in_files.py")
OPERATIONS = (pytest.param("create", marks=pytest.mark.slow), pytest.param("reset", marks=pytest.mark.slow), "take back", "remove")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.slow
def test_a_kill_at_any_step_leaves_what_can_be_gone_on_with(
    kind: str, root: Path, bundle: Bundle, other_bundle: Bundle, operation: str
) -> None:
    arguments = [kind, str(root), str(bundle.store.path), bundle.manifest_digest, other_bundle.manifest_digest, operation]
    done = subprocess.run([sys.executable, str(KILLED), *arguments], text=True, capture_output=True, env={**os.environ, "PYTHONPATH": "."})
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) >= 5  # so many kills
