"""One client's session: greeting, log-in, and both query protocols (PostgreSQL's protocol 3.0)."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlglot import expressions as exp

from dpsql.endpoint.asking import Asking
from dpsql.endpoint.catalog import Catalog
from dpsql.endpoint.limits import Limits
from dpsql.endpoint.login import Analysts, Guessing, Login
from dpsql.endpoint.parameters import parameter_types
from dpsql.endpoint.results import Result, Shape
from dpsql.endpoint.session_settings import REPORTED
from dpsql.endpoint.sqlstates import Fault, fault_of
from dpsql.endpoint.statements import Statement, statements
from dpsql.endpoint.wire import Gone, Wire
from dpsql.endpoint.wire_types import WireType, decode, encode
from dpsql.service import Service
from schemas.errors import CompanyOSError

if TYPE_CHECKING:
    import ssl

    from pygwire.messages import PGMessage

log = logging.getLogger("dpsql.endpoint")
LONGEST_NAME = 63


class Host(Protocol):
    """What a session needs of the server."""

    service: Service
    catalog: Catalog
    analysts: Analysts
    limits: Limits
    guessing: Guessing
    secret: bytes
    tls: ssl.SSLContext | None
    certificate: bytes | None

    @property
    def stopping(self) -> bool:
        """Whether the server was told to stop."""
        ...

    def enter(self, session: Session, analyst: str) -> None:
        """Count a session in; Fault 53300 where there are too many."""
        ...

    def cancel(self, number: int, key: bytes) -> None:
        """Stop what the session of that number and key runs."""
        ...


@dataclass
class Prepared:
    """A statement that waits for its parameters; no `statement` for an empty text."""

    statement: Statement | None
    tree: exp.Expr | None
    types: tuple[WireType, ...]
    size: int
    shape: Shape | None = None


@dataclass
class Portal:
    """A statement with its parameters, perhaps answered in part."""

    prepared: Prepared
    values: Sequence[Any]
    formats: Sequence[int]
    shape: Shape | None = None
    result: Result | None = None
    sent: int = 0


class Session:
    """Serves one client until it goes; `number` and `key` are what a cancel request must show."""

    def __init__(self, wire: Wire, address: str, host: Host, number: int, key: bytes) -> None:
        self._wire, self._address, self._host = wire, address, host
        self.number, self.key = number, key
        self.asking: Asking | None = None
        self._prepared: dict[str, Prepared] = {}
        self._portals: dict[str, Portal] = {}
        self._skipping = False

    def serve(self) -> None:
        """Serve until the client goes, breaks the protocol, or is too slow. Raises nothing."""
        from pygwire.messages import ErrorResponse

        try:
            asking = self._enter()
            if asking is not None:
                self._converse(asking)
        except Gone:
            if self._host.stopping and self.asking is not None:
                self._say_last(Fault("57P01", "the server is shutting down", fatal=True))
        except Fault as fault:
            self._say_last(fault)
        except CompanyOSError as error:
            self._say_last(fault_of(error))
        except Exception as error:  # a fault of ours ends this session, and is told without its text, which could hold anything
            log.error("session from %s ended by %s", self._address, type(error).__name__)
            self._last_words(ErrorResponse(fields=Fault("XX000", "an internal error ended the session", fatal=True).fields()))
        finally:
            self._wire.close()

    def stop(self) -> None:
        """End the session, from another thread."""
        if self.asking is not None:
            self.asking.stop()
        self._wire.hang_up()

    def _say_last(self, fault: Fault) -> None:
        from pygwire.messages import ErrorResponse

        fault.fatal = True
        self._last_words(ErrorResponse(fields=fault.fields()))

    def _last_words(self, message: PGMessage) -> None:
        try:
            self._wire.send_last(message)
        except Gone:
            return

    def _enter(self) -> Asking | None:
        """Lead a client in; None where it came for a cancel request only."""
        from pygwire import messages as m

        host, wire = self._host, self._wire
        deadline = time.monotonic() + host.limits.startup
        for _ in range(3):
            message = wire.read(deadline)
            match message:
                case m.SSLRequest():
                    wire.send(m.SSLResponse(accepted=host.tls is not None and not wire.encrypted))
                    wire.flush()
                    if host.tls is not None and not wire.encrypted:
                        wire.start_tls(host.tls, deadline)
                case m.GSSEncRequest():
                    wire.send(m.GSSResponse(accepted=False))
                    wire.flush()
                case m.CancelRequest():
                    host.cancel(message.process_id, message.secret_key)
                    return None
                case m.StartupMessage():
                    return self._log_in(message, deadline)
                case _:
                    break
        raise Fault("08P01", "a session begins with a startup message", fatal=True)

    def _log_in(self, startup: Any, deadline: float) -> Asking:
        from pygwire import messages as m

        host, wire = self._host, self._wire
        if host.tls is not None and not wire.encrypted:
            raise Fault("28000", "the server is spoken to with TLS only", hint="Connect with sslmode=require.", fatal=True)
        options = dict(startup.params)
        name = options.pop("user", "")
        unknown = [o for o in options if o.startswith("_pq_.")]
        if startup.protocol_version != 0x0003_0000 or unknown:
            wire.send(m.NegotiateProtocolVersion(newest_minor=0, unrecognized=unknown))
        if options.pop("replication", "off") not in ("off", "false", "no", "0"):
            raise Fault("0A000", "replication is not served here", fatal=True)
        if not name or len(name.encode()) > LONGEST_NAME or not name.isprintable():
            raise Fault("28000", "the analyst's name is missing, too long, or not printable", fatal=True)
        self._authenticate(name, deadline)
        asking = Asking(host.service, host.catalog, name, host.limits)
        self._greeted_with(asking, options)
        host.enter(self, name)
        self.asking = asking
        log.info("analyst %s logged in from %s", ascii(name), self._address)
        wire.send(m.AuthenticationOk())
        for setting in REPORTED:
            wire.send(m.ParameterStatus(name=setting, value=asking.settings.get(setting)))
        wire.send(m.BackendKeyData(process_id=self.number, secret_key=self.key))
        self._ready(asking)
        return asking

    def _authenticate(self, name: str, deadline: float) -> None:
        from pygwire import messages as m

        host, wire = self._host, self._wire
        host.guessing.check(self._address, name)
        login = Login(host.analysts, name, host.secret, host.certificate if wire.encrypted else None)
        wire.send(m.AuthenticationSASL(mechanisms=login.mechanisms))
        wire.flush()
        try:
            first = wire.read(deadline)
            if not isinstance(first, m.SASLInitialResponse):
                raise Fault("08P01", "a log-in is expected", fatal=True)
            wire.send(m.AuthenticationSASLContinue(data=login.first(first.mechanism, first.data)))
            wire.flush()
            last = wire.read(deadline)
            if not isinstance(last, m.SASLResponse):
                raise Fault("08P01", "the second half of a log-in is expected", fatal=True)
            proof = login.last(last.data)
        except Fault:
            host.guessing.failed(self._address, name)
            raise
        if proof is None:
            host.guessing.failed(self._address, name)
            log.warning("failed log-in as %s from %s", ascii(name), self._address)
            time.sleep(host.limits.login_delay)
            raise Fault("28P01", f'password authentication failed for user "{name}"', fatal=True)
        wire.send(m.AuthenticationSASLFinal(data=proof))

    def _greeted_with(self, asking: Asking, options: dict[str, str]) -> None:
        """Take the settings that a client sends along: its own, and `-c name=value` in `options`."""
        options.pop("database", None)
        words = options.pop("options", "").replace("--", "-c ").split()
        for word in words:
            name, given, value = word.removeprefix("-c").partition("=")
            if given:
                asking.settings.set(name.replace("-", "_") if "." not in name else name, value.replace("\\ ", " "))
        for name, value in options.items():
            if not name.startswith("_pq_."):
                asking.settings.set(name, value)

    def _converse(self, asking: Asking) -> None:
        from pygwire import messages as m

        while True:
            if self._host.stopping:
                raise Gone
            message = self._wire.read(time.monotonic() + self._host.limits.idle)
            if isinstance(message, m.Terminate):
                return
            if isinstance(message, m.Sync):
                self._skipping = False
                if asking.status == "idle":
                    self._portals.clear()
                self._ready(asking)
                continue
            if isinstance(message, m.Query):
                self._skipping = False
                self._simple(asking, message.query_string)
                continue
            if self._skipping:
                continue
            try:
                self._extended(asking, message)
            except Fault as fault:
                self._fail(asking, fault)
                self._skipping = not isinstance(message, m.FunctionCall)
                if isinstance(message, m.FunctionCall):
                    self._ready(asking)

    def _simple(self, asking: Asking, text: str) -> None:
        from pygwire import messages as m

        self._portals.pop("", None)
        self._prepared.pop("", None)
        try:
            found = self._read(asking, text)
            trees = [asking.parse(s) for s in found]
            if len(found) > 1 and any(asking.is_charged(s, t) for s, t in zip(found, trees, strict=True)):
                alone = Fault("0A000", "one query at a time is answered", hint="Send each query on its own.")
                asking.refused(text, alone)
                raise alone
            if not found:
                self._wire.send(m.EmptyQueryResponse())
            for statement, tree in zip(found, trees, strict=True):
                result = asking.run(statement, tree)
                if result.shape is not None:
                    self._wire.send(_row_description(result.shape, ()))
                self._rows(result, result.shape, (), 0, result.count)
                self._done(statement, result)
        except Fault as fault:
            self._fail(asking, fault)
        self._ready(asking)

    @staticmethod
    def _read(asking: Asking, text: str) -> list[Statement]:
        try:
            return statements(text)
        except Fault as fault:
            asking.refused(text, fault)
            raise

    def _extended(self, asking: Asking, message: PGMessage) -> None:
        from pygwire import messages as m

        wire = self._wire
        match message:
            case m.Parse():
                self._parse(asking, message)
                wire.send(m.ParseComplete())
            case m.Bind():
                self._bind(message)
                wire.send(m.BindComplete())
            case m.Describe():
                self._describe(asking, message)
            case m.Execute():
                self._execute(asking, message)
            case m.Close():
                (self._prepared if message.kind == "S" else self._portals).pop(message.name, None)
                wire.send(m.CloseComplete())
            case m.Flush():
                wire.flush()
            case m.FunctionCall():
                raise Fault("0A000", "function calls are not served here", hint="Ask with SELECT.")
            case _:
                raise Fault("08P01", "this message is not expected here", fatal=True)

    def _parse(self, asking: Asking, message: Any) -> None:
        limits = self._host.limits
        if message.statement and message.statement in self._prepared:
            raise Fault("42P05", "there is a prepared statement of this name already")
        used = sum(p.size for p in self._prepared.values())
        if len(self._prepared) >= limits.prepared or used + len(message.query) > limits.prepared_bytes:
            raise Fault("53400", "there are too many prepared statements; close some")
        found = self._read(asking, message.query)
        if len(found) > 1:
            raise Fault("42601", "one statement at a time can be prepared")
        statement = found[0] if found else None
        tree = None if statement is None else asking.parse(statement)
        types = parameter_types(tree, message.param_types, self._host.service.declaration.schema)
        if len(types) > limits.parameters:
            raise Fault("54000", f"there are {len(types):,} parameters; at most {limits.parameters:,} are taken")
        self._prepared[message.statement] = Prepared(statement, tree, types, len(message.query))

    def _bind(self, message: Any) -> None:
        prepared = self._statement(message.statement)
        values, formats = message.param_values, message.param_formats
        if len(values) != len(prepared.types):
            raise Fault("08P01", f"{len(prepared.types)} parameters are needed, {len(values)} were sent")
        if len(formats) not in (0, 1, len(values)) or any(f not in (0, 1) for f in (*formats, *message.result_formats)):
            raise Fault("08P01", "the formats of a Bind message do not fit its parameters")
        each = [formats[n if len(formats) > 1 else 0] == 1 if formats else False for n in range(len(values))]
        decoded = [decode(v, t, binary) for v, t, binary in zip(values, prepared.types, each, strict=True)]
        if message.portal and message.portal in self._portals:
            raise Fault("42P03", "there is a portal of this name already")
        if len(self._portals) >= self._host.limits.prepared:
            raise Fault("53400", "there are too many portals; close some")
        self._portals[message.portal] = Portal(prepared, decoded, tuple(message.result_formats), prepared.shape)

    def _describe(self, asking: Asking, message: Any) -> None:
        from pygwire import messages as m

        if message.kind == "S":
            prepared = self._statement(message.name)
            self._wire.send(m.ParameterDescription(type_oids=[t.oid for t in prepared.types]))
            shape = None if prepared.statement is None else asking.describe(prepared.statement, prepared.tree, prepared.types, None)
            prepared.shape = shape
            formats: tuple[int, ...] = ()
        else:
            portal = self._portal(message.name)
            if portal.result is None and portal.prepared.statement is not None:
                of = portal.prepared
                portal.shape = portal.shape or asking.describe(portal.prepared.statement, of.tree, of.types, portal.values)
            shape, formats = portal.shape, tuple(portal.formats)
        self._wire.send(m.NoData() if shape is None else _row_description(shape, formats))

    def _execute(self, asking: Asking, message: Any) -> None:
        from pygwire import messages as m

        portal = self._portal(message.portal)
        statement = portal.prepared.statement
        if statement is None:
            self._wire.send(m.EmptyQueryResponse())
            return
        if portal.result is None:
            portal.result = asking.run(statement, portal.prepared.tree, portal.values)
            portal.shape = portal.shape or portal.result.shape
        result = portal.result
        end = result.count if message.max_rows <= 0 else min(result.count, portal.sent + message.max_rows)
        self._rows(result, portal.shape, portal.formats, portal.sent, end)
        portal.sent = end
        if message.max_rows > 0 and end < result.count:
            self._wire.send(m.PortalSuspended())
        else:
            self._done(statement, result)

    def _statement(self, name: str) -> Prepared:
        if name not in self._prepared:
            raise Fault("26000", "there is no prepared statement of this name")
        return self._prepared[name]

    def _portal(self, name: str) -> Portal:
        if name not in self._portals:
            raise Fault("34000", "there is no portal of this name")
        return self._portals[name]

    def _rows(self, result: Result, shape: Shape | None, formats: Sequence[int], start: int, end: int) -> None:
        from pygwire.messages import DataRow

        if shape is None:
            return
        if result.shape is None or len(shape.types) != len(result.shape.types):
            raise Fault("0A000", "the answer has other columns than were described; prepare the query anew")
        coded: list[list[bytes | None]] = []
        for n, (column, kind) in enumerate(zip(result.columns, shape.types, strict=True)):
            binary = _format(formats, n) == 1
            try:
                coded.append([encode(v, kind, binary) for v in column[start:end]])
            except Exception as error:
                raise Fault("0A000", f"the column '{shape.names[n]}' is not of the type that was described; prepare anew") from error
        for row in zip(*coded, strict=True):
            self._wire.send(DataRow(columns=list(row)))

    def _done(self, statement: Statement, result: Result) -> None:
        from pygwire import messages as m

        for notice in result.notices:
            fields = {"S": "NOTICE", "V": "NOTICE", "C": "00000", "M": notice.replace("\x00", "")}
            self._wire.send(m.NoticeResponse(fields=fields))
        for name, value in result.told:
            self._wire.send(m.ParameterStatus(name=name, value=value))
        if statement.kind == "discard":
            self._forget(statement)
        self._wire.send(m.CommandComplete(tag=result.tag))

    def _forget(self, statement: Statement) -> None:
        words = [w.upper() for w in statement.words]
        if words[-1] in ("ALL", "PLANS"):
            self._prepared.clear()
            self._portals.clear()
        elif words[0] == "DEALLOCATE":
            self._prepared.pop(statement.words[-1], None)

    def _fail(self, asking: Asking, fault: Fault) -> None:
        from pygwire.messages import ErrorResponse

        if fault.fatal:
            raise fault
        asking.failed()
        self._wire.send(ErrorResponse(fields=fault.fields()))

    def _ready(self, asking: Asking) -> None:
        from pygwire import TransactionStatus
        from pygwire.messages import ReadyForQuery

        status = {"idle": TransactionStatus.IDLE, "open": TransactionStatus.IN_TRANSACTION, "failed": TransactionStatus.ERROR_TRANSACTION}
        self._wire.send(ReadyForQuery(status=status[asking.status]))
        self._wire.flush()


def _format(formats: Sequence[int], column: int) -> int:
    """The format of a result's column: none given is text, one given is for all."""
    if not formats:
        return 0
    return formats[0] if len(formats) == 1 else formats[column] if column < len(formats) else 0


def _row_description(shape: Shape, formats: Sequence[int]) -> PGMessage:
    from pygwire.messages import FieldDescription, RowDescription

    return RowDescription(
        fields=[
            FieldDescription(name=name, type_oid=kind.oid, type_size=kind.size, type_modifier=-1, format_code=_format(formats, n))
            for n, (name, kind) in enumerate(zip(shape.names, shape.types, strict=True))
        ]
    )
