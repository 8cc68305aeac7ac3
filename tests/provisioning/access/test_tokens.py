"""API tokens."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard import ALICE, Clock

from provisioning.access.tokens import are_there_any, holder, issue, revoke, tokens
from provisioning.audit import log
from provisioning.control.database import Control
from schemas.errors import InputError

DAY = timedelta(days=1)


def test_a_token_opens_what_it_was_made_for(control: Control) -> None:
    token, secret = issue(control, ALICE, ["write", "read", "read"], DAY, actor="ops")
    assert secret.startswith("cos_")
    assert len(secret) == 47
    assert holder(control, secret) == token
    assert (token.owner, token.scopes) == (ALICE, ("read", "write"))
    assert tokens(control) == [token]


def test_no_two_tokens_are_alike(control: Control) -> None:
    assert len({issue(control, ALICE, ["read"], DAY, actor="ops")[1] for _ in range(20)}) == 20


def test_nothing_that_is_kept_opens_anything(control: Control, tmp_path: Path) -> None:
    token, secret = issue(control, ALICE, ["read"], DAY, actor="ops", why="ci")
    revoke(control, token.id, actor="ops")
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes()
            assert secret[4:].encode() not in file.read_bytes()
    assert secret not in str(token.to_json())


def test_a_token_ends(control: Control, clock: Clock) -> None:
    token, secret = issue(control, ALICE, ["read"], DAY, actor="ops")
    clock.move(hours=23.99)
    assert holder(control, secret) is not None
    assert are_there_any(control)
    clock.move(hours=0.01)
    assert holder(control, secret) is None
    assert not are_there_any(control)
    assert token.state(clock.now) == "expired"


def test_a_revoked_token_opens_nothing_any_more(control: Control, clock: Clock) -> None:
    token, secret = issue(control, ALICE, ["read"], DAY, actor="ops")
    revoked = revoke(control, token.id, actor="ops", why="lost")
    assert revoked.state(clock.now) == "revoked"
    assert holder(control, secret) is None
    clock.move(hours=1)
    assert revoke(control, token.id, actor="ops") == revoked
    assert [(e.action, e.why) for e in log(control).events] == [("token revoked", "lost"), ("token created", "")]


@pytest.mark.parametrize("valid", [timedelta(0), -DAY, timedelta(days=367)])
def test_a_token_is_valid_for_a_time(control: Control, valid: timedelta) -> None:
    with pytest.raises(InputError, match="some time up to 366 days"):
        issue(control, ALICE, ["read"], valid, actor="ops")
    assert tokens(control) == []


def test_scopes_are_those_that_there_are(control: Control) -> None:
    with pytest.raises(InputError, match="did you mean 'admin'"):
        issue(control, ALICE, ["adnin"], DAY, actor="ops")
    with pytest.raises(InputError, match="needs a scope"):
        issue(control, ALICE, [], DAY, actor="ops")


def test_what_was_given_in_place_of_an_id_is_not_repeated_where_it_opens_something(control: Control) -> None:
    _, secret = issue(control, ALICE, ["read"], DAY, actor="ops")
    with pytest.raises(InputError, match="there is no token") as error:
        revoke(control, secret, actor="ops")
    assert secret not in str(error.value)


@given(text=st.text() | st.from_regex(r"\Acos_[A-Za-z0-9_-]{43}\Z"))
def test_nothing_else_is_a_token(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    control = _control(tmp_path_factory)
    assert holder(control, text) is None


_opened: list[Control] = []


def _control(folders: pytest.TempPathFactory) -> Control:
    from provisioning.control.database import open_control

    if not _opened:
        _opened.append(open_control(folders.mktemp("tokens") / "control.db"))
        issue(_opened[0], ALICE, ["read"], DAY, actor="ops")
    return _opened[0]
