"""`companyos serve`: sandboxes over HTTP."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from datetime import datetime, time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from companyos.listening import LOOPBACK, require_both
from companyos.options import NumberRange, json_option, store_option
from companyos.output import print_json
from companyos.sandbox_options import place_options
from schemas.errors import InputError

if TYPE_CHECKING:
    from provisioning.access.issuers import Issuer
    from provisioning.life.scheduling import Scheduler

_FAILED = 4
_LAST = 2.0  # seconds for threads that are done to end
_PEM = click.Path(dir_okay=False, exists=True, path_type=Path)

log = logging.getLogger("companyos.serve")


class _TimeOfDay(click.ParamType[time]):
    """A time of day such as 03:17."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> time:
        if isinstance(value, time):
            return value
        try:
            return datetime.strptime(str(value), "%H:%M").time()
        except ValueError:
            self.fail(f"'{value}' is no time of day such as 03:17", param, ctx)


def _oidc_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options of the issuer of tokens, each an environment variable, too."""
    for name, metavar, text in reversed(
        [
            ("issuer", "URL", "An OIDC issuer whose JWTs are taken."),
            ("audience", "NAME", "For whom its tokens must be made (claim `aud`)."),
            ("name-claim", "CLAIM", "Where they name the owner.  [default: email]"),
            ("groups-claim", "CLAIM", "Where they list groups; a path with dots reaches inside.  [default: groups]"),
            ("admin-group", "GROUP", "Who is in it administers.  [default: nobody]"),
            ("approver-group", "GROUP", "Who is in it approves.  [default: nobody]"),
        ]
    ):
        variable = f"COMPANYOS_OIDC_{name.upper().replace('-', '_')}"
        function = click.option(f"--oidc-{name}", metavar=metavar, envvar=variable, help=f"{text}  [env: {variable}]")(function)
    return function


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0 takes a free one.")
@click.option("--tls-cert", type=_PEM, metavar="FILE", help="The certificate (PEM), with those that vouch for it.")
@click.option("--tls-key", type=_PEM, metavar="FILE", help="The key that goes with it.")
@click.option("--plain-http", is_flag=True, help="Listen at other than a loopback address without TLS, since a proxy before it has it.")
@_oidc_options
@click.option("--scheduler", is_flag=True, help="Reconcile at the start, and sweep once a day.")
@click.option("--sweep-at", metavar="TIME", type=_TimeOfDay(), default="03:17", show_default=True, help="When to sweep (UTC).")
@click.option(
    "--grace", metavar="S", type=NumberRange(0), default=30.0, show_default=True, help="Seconds for what is under way at the end."
)
@click.option("--openapi", is_flag=True, help="Print the OpenAPI document, and serve nothing.")
@place_options
@store_option
@json_option
def serve(
    host: str,
    port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    plain_http: bool,
    oidc_issuer: str | None,
    oidc_audience: str | None,
    oidc_name_claim: str | None,
    oidc_groups_claim: str | None,
    oidc_admin_group: str | None,
    oidc_approver_group: str | None,
    scheduler: bool,
    sweep_at: time,
    grace: float,
    openapi: bool,
    control: str | None,
    environments: str | None,
    store: str | None,
    as_json: bool,
) -> int:
    """Serve sandboxes over HTTP until Ctrl-C or SIGTERM, to who has an API token (`companyos token create`) or a JWT of an OIDC issuer.

    The exit code is 4 where the scheduler ended by itself, or a sweep of it had errors.
    """
    _need_the_extra()
    if openapi:
        from companyos.api.application import openapi_document

        print(json.dumps(openapi_document(), ensure_ascii=False, indent=None if as_json else 2))
        return 0
    require_both(tls_cert, tls_key)
    if host not in LOOPBACK and tls_cert is None and not plain_http:
        raise InputError(f"tokens would go in the clear to {host}: give --tls-cert and --tls-key, or --plain-http where a proxy has TLS")
    claims = {"name_claim": oidc_name_claim, "groups_claim": oidc_groups_claim}
    issuer = _issuer(oidc_issuer, oidc_audience, claims, oidc_admin_group, oidc_approver_group)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in ("alembic", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
    from provisioning.apart import apart
    from provisioning.life.sandboxes import open_sandboxes

    with open_sandboxes(control, environments, store, run=apart) as sandboxes:
        import uvicorn

        from companyos.api.application import application
        from companyos.api.connections import Connection
        from companyos.api.service import Service
        from provisioning.interrupts import ENDING
        from provisioning.life.scheduling import Scheduler

        def end() -> None:
            server.should_exit = True

        nightly = Scheduler(sandboxes, sweep_at, on_death=end) if scheduler else None
        service = Service.over(sandboxes, issuer=issuer, scheduler=nightly)
        if not service.authenticator.anybody():
            raise InputError(
                "nobody could ask for anything: make a token (`companyos token create`), or name an OIDC issuer (--oidc-issuer)"
            )
        listening = _listen(host, port)
        config = uvicorn.Config(
            application(service),
            http=Connection,
            ws="none",
            log_config=None,
            access_log=False,  # ours shows no queries
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=int(grace),
            ssl_certfile=tls_cert,
            ssl_keyfile=tls_key,
        )
        server = uvicorn.Server(config)
        url = f"{'http' if tls_cert is None else 'https'}://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: end())  # uvicorn raises them again when it has ended
        print_json({"url": url, "scheduler": scheduler}) if as_json else click.echo(f"serving sandboxes at {url}")
        if nightly is not None:
            nightly.start()
        with listening:
            server.run(sockets=[listening])
        undone = service.jobs.close(grace)
        if nightly is not None and not nightly.stop(grace):
            undone += 1
        code = _code(nightly)
        if undone or _is_busy():
            log.warning("something is still under way; `companyos sandbox reconcile` puts right what it leaves")
            logging.shutdown()
            os._exit(code)  # a thread that works on would keep the process for as long as it takes
        return code


def _need_the_extra() -> None:
    for name in ("fastapi", "httpx", "jwt", "prometheus_client", "uvicorn"):
        try:
            import_module(name)
        except ImportError as error:
            raise InputError("the service needs an extra; install it with: pip install 'companyos-data[server]'") from error


def _issuer(
    url: str | None, audience: str | None, claims: dict[str, str | None], admins: str | None, approvers: str | None
) -> Issuer | None:
    from provisioning.access.issuers import Issuer, issuer_url
    from provisioning.access.keys import Keys

    if url is None:
        if audience or admins or approvers or any(claims.values()):
            raise InputError("--oidc-issuer is missing; without it the other options of OIDC say nothing")
        return None
    if not audience:
        raise InputError("--oidc-audience is missing: without it tokens that were made for other services would be taken")
    url = issuer_url(url)
    return Issuer(url, audience, Keys(url), **{n: c for n, c in claims.items() if c}, admins=admins, approvers=approvers)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise InputError(f"nobody can listen at {host}, port {port}: {error.strerror or error}") from error


def _code(scheduler: Scheduler | None) -> int:
    return _FAILED if scheduler is not None and (scheduler.died or scheduler.errors) else 0


def _is_busy() -> bool:
    """Whether a thread that keeps the process alive has not ended."""
    others = [t for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon]
    for thread in others:
        thread.join(_LAST / len(others))
    return any(thread.is_alive() for thread in others)
