"""The settings of a session: those that say how private queries are answered, and those that clients expect a server to have."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from dpsql.endpoint.sqlstates import Fault
from dpsql.planning.model import Settings
from schemas.errors import nearest

SERVER_VERSION = "16.0"  # older clients know it, and newer ones ask it as they ask their own
REPORTED = {  # what a client is told when it connects, and again when it changes
    "server_version": SERVER_VERSION,
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "application_name": "",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "integer_datetimes": "on",
    "standard_conforming_strings": "on",
    "default_transaction_read_only": "on",
    "in_hot_standby": "off",
    "is_superuser": "off",
    "session_authorization": "",
    "search_path": '"$user", public',
}
OTHERS = {
    "bytea_output": "hex",
    "default_transaction_isolation": "repeatable read",
    "extra_float_digits": "1",
    "idle_in_transaction_session_timeout": "0",
    "jit": "off",
    "lc_collate": "C",
    "lc_ctype": "C",
    "lock_timeout": "0",
    "max_identifier_length": "63",
    "server_version_num": "160000",
    "statement_timeout": "0",
    "transaction_deferrable": "off",
    "transaction_isolation": "repeatable read",
    "transaction_read_only": "on",
    "xmlbinary": "base64",
}
FIXED = ("server_version", "server_encoding", "server_version_num", "integer_datetimes", "is_superuser", "session_authorization",
         "in_hot_standby", "lc_collate", "lc_ctype", "max_identifier_length")  # fmt: skip
PRIVATE = {
    "dp.epsilon": "what a query may spend; default: a tenth of the budget",
    "dp.delta": "the delta it may spend; default: a hundredth of the budget's",
    "dp.rel_error": "spend the least that should bring the 95 % error below this share, such as 2%",
    "dp.max_groups": "in how many groups one unit of privacy counts at most",
    "dp.min_units": "leave out groups with fewer units than this",
    "dp.errors": "on: a column with the 95 % error stands after each noisy one",
    "dp.synthetic": "off: no made-up answers when the budget is gone",
    "dp.budget": "what is left (SHOW only)",
}
_NAMES = {name.lower(): name for name in (*REPORTED, *OTHERS, *PRIVATE)}
_WORDS_ON, _WORDS_OFF = ("on", "true", "yes", "1"), ("off", "false", "no", "0")


@dataclass
class SessionSettings:
    """The settings of one session; names are written in any case."""

    user: str = ""
    _values: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._values = {**REPORTED, **OTHERS, "session_authorization": self.user}
        self._first = dict(self._values)

    def name(self, written: str) -> str:
        """Return the setting's name as it is told, Fault 42704 where there is none."""
        found = _NAMES.get(written.lower())
        if found is None:
            raise Fault("42704", f"there is no setting '{written[:60]}'{nearest(written.lower(), _NAMES)}")
        return found

    def get(self, written: str) -> str:
        """Return a setting's value, empty where it was not set."""
        return self._values.get(self.name(written), "")

    def set(self, written: str, value: str) -> tuple[str, str] | None:
        """Set a value and return (name, value) where the client is to be told of it.

        Unknown settings of the client's own are taken without effect, as are those that would need a database behind them; `dp.`
        settings are checked. Raises Fault: 42704, 22023, 55P02 for one that is fixed.
        """
        if written.lower().startswith("dp."):
            name = self.name(written)
            if name == "dp.budget":
                raise Fault("55P02", "dp.budget can only be shown")
            _checked(name, value)
            self._values[name] = value
            return None
        name = _NAMES.get(written.lower(), written.lower())
        if name in FIXED and value != self._first.get(name):
            raise Fault("55P02", f"'{name}' cannot be changed")
        if name == "client_encoding" and "".join(c for c in value.upper() if c.isalnum()) not in ("UTF8", "UNICODE"):
            raise Fault("22023", f"the client's encoding can only be UTF8, not '{value[:40]}'")
        if name == "TimeZone" and value.upper() not in ("UTC", "GMT", "ETC/UTC", "Z", "0"):
            return None  # answers are in UTC whatever a client would like, and it is not told otherwise
        if name in _NAMES.values():
            self._values[name] = "UTF8" if name == "client_encoding" else value[:1000]
            return (name, self._values[name]) if name in REPORTED else None
        return None

    def reset(self, written: str | None = None) -> None:
        """Set one setting, or all of them, back."""
        if written is None:
            self._values = dict(self._first)
            return
        name = _NAMES.get(written.lower(), "")
        if name in self._first:
            self._values[name] = self._first[name]
        else:
            self._values.pop(name, None)

    def copy(self) -> SessionSettings:
        """Return the settings as they are now."""
        made = SessionSettings(self.user)
        made._values = dict(self._values)
        return made

    def put_back(self, name: str, before: SessionSettings) -> None:
        """Give the setting `name` the value that it had `before`."""
        if name in before._values:
            self._values[name] = before._values[name]
        else:
            self._values.pop(name, None)

    def rows(self) -> list[tuple[str, str, str]]:
        """Return all settings with their meaning, for SHOW ALL."""
        return [(n, self._values.get(n, ""), PRIVATE.get(n, "")) for n in sorted(_NAMES.values(), key=str.lower) if n != "dp.budget"]

    @property
    def with_errors(self) -> bool:
        """Whether a column with the 95 % error stands after each noisy one."""
        return self._values.get("dp.errors", "off").lower() in _WORDS_ON

    def private(self) -> Settings:
        """Return what is set for private queries."""
        found: dict[str, Any] = {n: _checked(n, self._values[n]) for n in PRIVATE if self._values.get(n)}
        return Settings(**{n.removeprefix("dp."): v for n, v in found.items()})


def _checked(name: str, text: str) -> float | int | bool | None:
    """The value that `text` means for a `dp.` setting; empty or `default` sets it back."""
    text = text.strip()
    if text.lower() in ("", "default"):
        return {"dp.errors": False, "dp.synthetic": True}.get(name)
    try:
        if name in ("dp.errors", "dp.synthetic"):
            if text.lower() not in (*_WORDS_ON, *_WORDS_OFF):
                raise ValueError
            return text.lower() in _WORDS_ON
        if name in ("dp.max_groups", "dp.min_units"):
            whole = int(text)
            if whole < 1:
                raise ValueError
            return whole
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        if not math.isfinite(share) or share < 0 or (share == 0 and name != "dp.delta"):
            raise ValueError
        return share
    except ValueError:
        wanted = {"dp.errors": "on or off", "dp.synthetic": "on or off", "dp.rel_error": "a share such as 2%"}
        needed = wanted.get(name, "a whole number from 1" if name in ("dp.max_groups", "dp.min_units") else "a number above 0")
        raise Fault("22023", f"{name} is {needed}, not '{text[:40]}'") from None
