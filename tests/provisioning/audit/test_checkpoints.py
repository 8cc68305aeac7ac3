"""Checkpoints say truly how far the ledger had come, and only who holds the key can make one."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from provisioning.audit import (
    anchor_of,
    checkpoint,
    make_key,
    private_key_of,
    public_keys_of,
    read_checkpoints,
    read_private_key,
    read_public_key,
    verify,
    write_checkpoint,
)
from provisioning.control.database import Control
from provisioning.errors import AuditBroken, ControlFailure, KeyInvalid
from schemas.errors import InputError
from schemas.hash_chain import Mark
from tests.provisioning.audit.ledgers import attack, found, write


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_key(tmp_path / "key")
    return tmp_path / "key"


def public(key: Path) -> Path:
    return key.with_name(key.name + ".pub")


def test_a_checkpoint_is_signed_once_for_each_end_of_the_chain(control: Control, key: Path) -> None:
    write(control, 3)
    first = checkpoint(control, read_private_key(key))
    assert first.number == 3 and first.hash == verify(control).last.hash
    assert checkpoint(control, read_private_key(key)) == first
    write(control, 1, 4)
    assert checkpoint(control, read_private_key(key)).number == 4
    assert verify(control, [read_public_key(public(key))]).checkpoints == 2


def test_an_empty_ledger_can_be_signed(control: Control, key: Path) -> None:
    assert checkpoint(control, read_private_key(key)).number == 0
    assert verify(control, [read_public_key(public(key))]).problems == []


def test_more_than_a_hundred_rows_without_a_signature_are_a_problem(control: Control, address: str, key: Path) -> None:
    """As where the chain was made anew and the checkpoints deleted; without a key nobody asks."""
    keys = [read_public_key(public(key))]
    write(control, 100)
    report = verify(control, keys)
    assert (report.problems, report.unsigned) == ([], 100)
    assert "no signature covers any of the 100 events" in report.warnings[0] and report.to_json()["warnings"] == report.warnings
    write(control, 1, 101)
    assert found(verify(control, keys)) == [(1, "signature")]
    assert "no checkpoint signs the 101 rows up to 101" in str(verify(control, keys).problems)
    assert (verify(control).problems, verify(control).unsigned, verify(control).warnings) == ([], None, [])
    checkpoint(control, read_private_key(key))
    write(control, 100, 102)
    report = verify(control, keys)
    assert (report.problems, report.signed, report.unsigned, report.warnings) == ([], 101, 100, [])
    kept = checkpoint(control, read_private_key(key))
    write(control, 1, 202)
    attack(address, "DELETE FROM audit_checkpoints WHERE number > 101")
    assert found(verify(control, keys)) == [(102, "signature")]
    assert found(verify(control, keys, kept=[kept])) == [], "one that was kept elsewhere signs as well"


def test_a_key_takes_anothers_place_and_all_that_either_signed_holds(control: Control, key: Path, tmp_path: Path) -> None:
    make_key(tmp_path / "next")
    write(control, 3)
    checkpoint(control, read_private_key(key))
    checkpoint(control, read_private_key(tmp_path / "next"))
    write(control, 3, 4)
    checkpoint(control, read_private_key(tmp_path / "next"))
    both = [read_public_key(public(key)), read_public_key(public(tmp_path / "next"))]
    report = verify(control, both)
    assert (report.checkpoints, report.signed, report.problems) == (3, 6, [])
    assert found(verify(control, both[1:])) == [(3, "signature")]
    assert "none of the given public keys signed it: give all, those of before as well" in str(verify(control, both[1:]).problems)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_checkpoints SET at = '2026-01-31T10:00:00.000000Z'",
        "UPDATE audit_checkpoints SET number = 2, hash = (SELECT hash FROM audit_events WHERE number = 2)",
        "UPDATE audit_checkpoints SET signature = 'AAAA'",
        "UPDATE audit_checkpoints SET signature = '~'",
    ],
)
def test_a_checkpoint_that_was_forged_is_not_believed(control: Control, address: str, key: Path, change: str) -> None:
    write(control, 3)
    checkpoint(control, read_private_key(key))
    attack(address, change)
    report = verify(control, [read_public_key(public(key))])
    assert [kind for _, kind in found(report)] == ["signature"]
    assert "its signature is false" in str(report.problems)
    write(control, 1, 4)
    with pytest.raises(AuditBroken, match="signature of the checkpoint at row . of the audit ledger is false. Nothing was signed"):
        checkpoint(control, read_private_key(key))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE audit_events SET why = 'x' WHERE number = 6", "broken at row 6"),
        ("DELETE FROM audit_events WHERE number = 7", "broken at row 7"),
        ("DELETE FROM audit_events WHERE number > 2", "row 4 of the audit ledger is missing, which its newest checkpoint knows"),
        ("UPDATE audit_events SET hash = previous WHERE number = 4", "row 4 of the audit ledger is another one than its newest checkpoint"),
    ],
)
def test_a_broken_chain_is_not_signed(control: Control, address: str, key: Path, change: str, told: str) -> None:
    write(control, 4)
    checkpoint(control, read_private_key(key))
    write(control, 4, 5)
    attack(address, change)
    with pytest.raises(AuditBroken, match=told):
        checkpoint(control, read_private_key(key))
    assert verify(control).checkpoints == 1


def test_a_chain_that_the_anchor_does_not_know_is_not_signed(control: Control, address: str, key: Path) -> None:
    write(control, 4)
    checkpoint(control, read_private_key(key), anchor=anchor_of(control))
    attack(address, "DELETE FROM audit_events WHERE number > 2", "DELETE FROM audit_checkpoints")
    with pytest.raises(AuditBroken, match="row 4 of the audit ledger is missing, which the anchor knows"):
        checkpoint(control, read_private_key(key), anchor=anchor_of(control))


def test_checkpoints_are_kept_elsewhere_line_by_line(control: Control, key: Path, tmp_path: Path) -> None:
    kept, made = tmp_path / "kept.jsonl", []
    for n in (1, 2):
        write(control, 1, n)
        made.append(checkpoint(control, read_private_key(key)))
        write_checkpoint(kept, made[-1])
    assert read_checkpoints(kept) == made
    forged = replace(made[0], hash=made[1].hash)
    report = verify(control, [read_public_key(public(key))], kept=[made[1], forged])
    assert found(report) == [(1, "signature")]


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "nothing", '{"format": "companyos-audit-checkpoint-v1"}', "\x00", "[" * 100_000],
)
def test_a_file_that_holds_no_checkpoints_is_told_as_such(tmp_path: Path, text: str) -> None:
    (tmp_path / "kept").write_text(text)
    with pytest.raises(InputError, match="no checkpoint"):
        read_checkpoints(tmp_path / "kept")


def test_a_checkpoint_whose_values_are_of_other_types_is_refused(control: Control, key: Path, tmp_path: Path) -> None:
    said = checkpoint(control, read_private_key(key)).to_json()
    for change in ({"number": "1"}, {"number": True}, {"hash": 1}, {"signature": None}, {"more": 1}, {"format": "another"}):
        (tmp_path / "kept").write_text(json.dumps(said | change))
        with pytest.raises(InputError, match="kept:1 is no checkpoint"):
            read_checkpoints(tmp_path / "kept")


def test_a_key_is_for_its_owner_alone_and_is_never_overwritten(key: Path) -> None:
    before = key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyInvalid, match="is there already"):
        make_key(key)
    key.rename(key.with_name("other"))
    with pytest.raises(KeyInvalid, match=r"key.pub' is there already"):
        make_key(key)
    assert not key.exists() and key.with_name("other").read_bytes() == before


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o660, 0o644, 0o601])
def test_a_private_key_that_others_may_read_or_write_is_refused(key: Path, mode: int) -> None:
    key.chmod(mode)
    with pytest.raises(KeyInvalid, match=f"open to others \\(mode 0{mode:o}\\)"):
        read_private_key(key)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_key_of_roots_may_be_read_by_a_group_and_no_other_may(key: Path) -> None:
    key.chmod(0o640)
    read_private_key(key)
    os.chown(key, 12345, 12345)
    with pytest.raises(KeyInvalid, match="open to others"):
        read_private_key(key)


def test_keys_of_other_kinds_are_refused(key: Path, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat

    def kept(contents: bytes) -> Path:
        (tmp_path / "other").write_bytes(contents)
        (tmp_path / "other").chmod(0o600)
        return tmp_path / "other"

    curve = ec.generate_private_key(ec.SECP256R1())
    sealed = read_private_key(key).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    for contents, told in (
        (curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), "is no Ed25519 key"),
        (sealed, "has a passphrase"),
        (b"", "holds no private key in PEM"),
        (public(key).read_bytes(), "holds no private key in PEM"),
    ):
        with pytest.raises(KeyInvalid, match=told):
            read_private_key(kept(contents))
    for contents, told in (
        (curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "is no Ed25519 key"),
        (key.read_bytes(), "is a private key; give the public one"),
        (b"x", "holds no public key in PEM"),
    ):
        with pytest.raises(KeyInvalid, match=told):
            read_public_key(kept(contents))
    with pytest.raises(KeyInvalid, match="cannot be read: No such file"):
        read_public_key(tmp_path / "none")


def test_the_keys_are_those_of_the_environment_where_none_are_given(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert public_keys_of() == []
    with pytest.raises(KeyInvalid, match=r"no key was given to sign with: --key FILE or \$COMPANYOS_AUDIT_KEY"):
        private_key_of()
    monkeypatch.setenv("COMPANYOS_AUDIT_KEY", str(key))
    raw = read_public_key(public(key)).public_bytes_raw()
    assert [one.public_bytes_raw() for one in public_keys_of()] == [raw]
    assert private_key_of().public_key().public_bytes_raw() == raw


def test_an_anchor_that_is_damaged_or_cannot_be_written_is_told(control: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "anchor").write_text("{")
    with pytest.raises(ControlFailure, match="the audit ledger's anchor .*anchor is damaged; remove it if that is no surprise"):
        verify(control, anchor=anchor_of(control, tmp_path / "anchor"))
    monkeypatch.setenv("COMPANYOS_AUDIT_ANCHOR", str(tmp_path / "anchor" / "below"))
    with pytest.raises(ControlFailure, match="cannot be made: .*; keep it in a file that can be written: .*--anchor FILE"):
        anchor_of(control)
    with pytest.raises(ControlFailure, match="cannot be written: .*; keep it in a file that can be written: .*--anchor FILE"):
        anchor_of(control, tmp_path).move(Mark(1, ""))
