"""Single values of `environments.yaml`: lengths of time, sizes, days, networks, owners, expressions."""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from typing import Literal, cast
from urllib.parse import urlsplit

import yaml

from schemas import environments_grammar as grammar
from schemas.cel import problem_in
from schemas.environments import ChangeWindow, Egress
from schemas.errors import Mark, Problem, nearest
from schemas.grammar import names
from schemas.sizes import parse_size
from schemas.times import DAY, MICROSECOND, SECOND, format_duration, parse_duration, resolve_time_of_day
from schemas.yaml_nodes import Node, Parts, Reading, mark_of

RESERVED_RULES = (
    "approval", "bundle-expiry", "change-window", "collectors", "data-class", "egress", "extension", "owner-group", "production", "quota",
    "seed", "template-approved", "ttl", "webhook",
)  # fmt: skip
_LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {name: i for named in (grammar.DAYS, _LONG_DAYS) for i, name in enumerate(named)}
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_SEED = re.compile(rf"{_PART}(?:/{_PART})*(?:/\*)?:(?:\*|[a-zA-Z0-9_][a-zA-Z0-9._-]{{0,127}})")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RULE = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
ENVIRONMENT_NAME = "[A-Za-z0-9._-]+"  # letters that look alike would hide what is production
_OWNER = re.compile(r"(?:\*@)?[^\s*@]+(?:@[^\s*@]+)?")
_HOST = re.compile(r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


class EnvironmentValues:
    """Reads values; problems are noted in `reading`."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def is_null(self, node: Node) -> bool:
        """Whether a value is `null`."""
        return isinstance(node, yaml.ScalarNode) and not node.style and node.value in ("null", "~")

    def duration(
        self, parts: Parts, key: str, default: timedelta, *, least: timedelta = timedelta(0), most: timedelta = timedelta(days=366)
    ) -> timedelta:
        """Return the length of time under `key`, or `default` where there is none or it is wrong."""
        if key not in parts:
            return default
        text = self.reading.text(parts[key][1], key)
        if text is None:
            return default
        try:
            found = parse_duration(text)
        except ValueError as error:
            self.reading.say(parts[key][1], f"{key}: {error}")
            return default
        if least // MICROSECOND <= found <= most // MICROSECOND:
            return timedelta(microseconds=found)
        bounds = f"{format_duration(least // MICROSECOND)} to {format_duration(most // MICROSECOND)}"
        self.reading.say(parts[key][1], f"{key} must be from {bounds}, not '{text}'")
        return default

    def size(self, node: Node, what: str) -> int | None:
        """Return the bytes of a size above 0."""
        text = self.reading.text(node, what)
        try:
            size = None if text is None else parse_size(text)
        except ValueError as error:
            self.reading.say(node, f"{what}: {error}")
            return None
        if size == 0:
            self.reading.say(node, f"{what} must be above 0")
        return size or None

    def words(self, parts: Parts, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return the list of words under `key`, each once."""
        if key not in parts:
            return default
        return self.groups(parts[key][1], key) or ()

    def groups(self, node: Node, what: str) -> tuple[str, ...] | None:
        """Return a list of words, which may be empty, each once."""
        if isinstance(node, yaml.SequenceNode) and not node.value:
            return ()
        found = self.reading.names(node, what)
        return None if found is None else tuple(dict.fromkeys(found))

    def is_name(self, key: str, node: Node) -> bool:
        """Whether a name is one for what stands under `key`."""
        text = node.value
        if key == "owners" and not _OWNER.fullmatch(text):
            self.reading.say(node, f"an owner is an address, or `*@domain` for all others of a domain, not '{text[:60]}'")
        elif key == "environments" and not re.fullmatch(ENVIRONMENT_NAME, text):
            self.reading.say(
                node, f"the name of an environment has letters from a to z, digits, dots, hyphens and underscores, not '{text[:60]}'"
            )
        elif key == "rules" and not _RULE.fullmatch(text):
            self.reading.say(node, f"the name of a rule has lower-case letters, digits and hyphens, such as no-weekends, not '{text[:60]}'")
        elif key == "rules" and text in RESERVED_RULES:
            self.reading.say(node, f"'{text}' is the name of a rule that holds already; give yours another")
        else:
            return True
        return False

    def variable(self, node: Node, what: str) -> str | None:
        """Return the name of an environment variable. What else stands there may be a secret, and is not repeated."""
        text = self.reading.text(node, what)
        if text is not None and not _VARIABLE.fullmatch(text):
            self.reading.say(node, f"{what} must be the name of an environment variable; secrets have no place in this file")
            return None
        return text

    def seeds(self, node: Node, what: str) -> tuple[str, ...]:
        """Return patterns of references: `name:version`, `name:*`, `name/*:*`."""
        found = self.reading.names(node, f"seeds of {what}") or ()
        for seed in found:
            if not _SEED.fullmatch(seed):
                self.reading.say(node, f"seeds of {what} are like `synthetic:v1`, or `synthetic:*` for any version, not '{seed[:60]}'")
        return found

    def egress(self, node: Node, what: str) -> Egress:
        """Return `deny`, `allow`, or a mapping with exceptions."""
        reading, ways = self.reading, ("deny", "allow")
        if isinstance(node, yaml.ScalarNode):
            word = reading.word(node, f"egress of {what}", ways) or "deny"
            return Egress(cast(Literal["deny", "allow"], word))
        parts = reading.mapping(node, f"egress of {what}", names(grammar.EGRESS))
        default = (reading.word(parts["default"][1], f"egress of {what}", ways) if "default" in parts else None) or "deny"
        exceptions = self.words(parts, "exceptions", ())
        for exception in exceptions:
            if not _is_exception(exception):
                reading.say(
                    parts["exceptions"][1],
                    f"exceptions of egress are like `mail.company.com:587` or `10.1.0.0/16:443`, not '{exception[:60]}'",
                )
        return Egress(cast(Literal["deny", "allow"], default), exceptions)

    def change_window(self, node: Node, what: str) -> ChangeWindow | None:
        """Return when an environment may be changed."""
        reading = self.reading
        parts = reading.mapping(node, f"change_window of {what}", names(grammar.CHANGE_WINDOW))
        if missing := [key.name for key in grammar.CHANGE_WINDOW if key.required and key.name not in parts]:
            if isinstance(node, yaml.MappingNode):
                reading.say(node, f"change_window of {what} needs {' and '.join(f'`{name}:`' for name in missing)}")
            return None
        days = self._days(parts["days"][1], what)
        begins, ends = (self._minute(parts[key][1], f"{key} of change_window of {what}") for key in ("from", "to"))
        zone = self._zone(parts["zone"][1], what) if "zone" in parts else "UTC"
        if begins is not None and begins == ends:
            reading.say(parts["to"][1], f"change_window of {what} closes as it opens; whole days are from 00:00 to 24:00")
        if not days or begins is None or ends is None or zone is None:
            return None
        return ChangeWindow(days, begins, ends, zone)

    def _days(self, node: Node, what: str) -> tuple[int, ...]:
        found: set[int] = set()
        for word in self.reading.names(node, f"days of change_window of {what}") or ():
            ends = [part.strip().casefold() for part in word.split("-")]
            if len(ends) > 2 or any(end not in _DAYS for end in ends):
                hint = nearest(word.casefold(), _DAYS) or f"; write {', '.join(grammar.DAYS)}, or a range such as mon-fri"
                self.reading.say(node, f"unknown day '{word[:60]}'{hint}")
                continue
            first, last = _DAYS[ends[0]], _DAYS[ends[-1]]
            found |= {(first + i) % 7 for i in range((last - first) % 7 + 1)}
        return tuple(sorted(found))

    def _minute(self, node: Node, what: str) -> int | None:
        text = self.reading.text(node, what)
        try:
            moment = None if text is None else resolve_time_of_day(text)
        except ValueError as error:
            self.reading.say(node, f"{what}: {error}")
            return None
        return None if moment is None else (1440 if moment == DAY - 1 else moment // (60 * SECOND))

    def _zone(self, node: Node, what: str) -> str | None:
        from zoneinfo import ZoneInfo, available_timezones

        text = self.reading.text(node, f"zone of change_window of {what}")
        try:
            return text and ZoneInfo(text).key
        except (KeyError, ValueError, OSError):  # none, a path, a folder of zones such as `Europe`
            hint = nearest(text or "", available_timezones()) or "; write it like Europe/Berlin"
            self.reading.say(node, f"unknown time zone '{(text or '')[:60]}'{hint}")
            return None

    def webhook_url(self, node: Node) -> str | None:
        """Return a URL by which nobody can pretend to be the service. What is wrong with it may be a secret, and is not repeated."""
        text = self.reading.text(node, "url of webhook")
        if text is None:
            return None
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            self.reading.say(node, "url of webhook is no URL")
            return None
        if parts.username is not None or parts.password is not None:
            self.reading.say(node, "url of webhook must hold no name or password; `token_from:` names the variable that holds its token")
        elif not host or parts.scheme not in ("http", "https") or any(c.isspace() for c in text) or parts.fragment:
            self.reading.say(node, "url of webhook must be like https://policy.company.com/sandboxes")
        elif parts.scheme == "http" and not _is_here(host):
            self.reading.say(node, "url of webhook must be https, since over http anybody on the way can answer; http is for this machine")
        else:
            return text
        return None

    def expression(self, node: Node, what: str) -> str | None:
        """Return a CEL expression; where it cannot be read, or names what there is not, that is a problem at its place."""
        text = self.reading.text(node, what)
        wrong = None if text is None else problem_in(text)
        if wrong is None:
            return text
        self.reading.problems.append(Problem(f"{what}: {wrong.message}", _place_within(node, wrong.line, wrong.column)))
        return None


def _place_within(node: Node, line: int | None, column: int | None) -> Mark:
    """A place in the text of a scalar that stands on one line; elsewhere the scalar's own place."""
    begin = mark_of(node)
    if not isinstance(node, yaml.ScalarNode) or line != 1 or column is None or node.start_mark.line != node.end_mark.line:
        return begin
    return Mark(begin.line, begin.column + column - 1 + (node.style in ("'", '"')))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_exception(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) < 65536:
        return False
    try:
        ipaddress.ip_network(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return _HOST.fullmatch(host) is not None
    return True
