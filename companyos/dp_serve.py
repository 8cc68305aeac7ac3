"""`companyos dp serve`: the endpoint that psql, drivers, notebooks and BI tools connect to."""

from __future__ import annotations

import signal
from contextlib import closing
from pathlib import Path
from types import FrameType

import click

from companyos.listening import LOOPBACK, require_both
from companyos.options import NumberRange, json_option, store_option
from companyos.output import print_json
from companyos.private_target import anchor_option, ledger_option, open_service, schema_option, synthetic_option, target_argument
from schemas.errors import InputError
from schemas.home import data_folder

PEM = click.Path(dir_okay=False, path_type=Path)


@click.command()
@target_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=5433, show_default=True, help="The port; 0 takes a free one.")
@click.option("--tls-cert", type=PEM, metavar="FILE", help="The certificate (PEM).  [default: its own]")
@click.option("--tls-key", type=PEM, metavar="FILE", help="The key that goes with it.")
@click.option("--no-tls", is_flag=True, help="Speak in the clear; at a loopback address only.")
@click.option("--connections", type=click.IntRange(min=1), default=200, show_default=True, help="The most that are open at a time.")
@click.option("--per-analyst", type=click.IntRange(min=1), default=50, show_default=True, help="The most of one analyst.")
@click.option("--statement-timeout", type=NumberRange(min=0.1), default=300.0, show_default=True, metavar="S", help="In seconds.")
@click.option("--idle-timeout", type=NumberRange(min=0.1), default=3600.0, show_default=True, metavar="S", help="In seconds.")
@schema_option
@ledger_option
@anchor_option
@synthetic_option
@store_option
@json_option
def serve(
    target: str,
    host: str,
    port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    no_tls: bool,
    connections: int,
    per_analyst: int,
    statement_timeout: float,
    idle_timeout: float,
    schema_file: str | None,
    ledger: str | None,
    anchor: str | None,
    synthetic: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Serve private queries over TARGET to whatever speaks PostgreSQL's protocol, until Ctrl-C.

    TARGET is a bundle's reference, postgresql://... or duckdb:///FILE. Analysts log in with the name and password of `companyos dp analyst
    add`, and each query is charged to the one who asks. The ledger is verified first: nothing is served over one that was altered. Without
    --tls-cert the server signs a certificate of its own at its first start.
    """
    import logging

    from dpsql.analysts import Analysts
    from dpsql.endpoint import Limits, Server, certificate_digest, certificate_of, self_signed, server_context
    from dpsql.ledger import open_ledger

    require_both(tls_cert, tls_key)
    if no_tls and (host not in LOOPBACK or tls_cert is not None):
        raise InputError("--no-tls is for a loopback address, such as 127.0.0.1, and without a certificate")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with (
        open_service(target, schema_file=schema_file, ledger=ledger, anchor=anchor, store=store, synthetic=synthetic) as service,
        closing(open_ledger(ledger, anchor)) as book,
    ):
        entries = book.verify()  # opening a ledger reads but the end of its chain
        context = binding = None
        if not no_tls:
            certificate, key = (tls_cert, tls_key) if tls_cert and tls_key else self_signed(_folder(), host)
            context = server_context(certificate, key)
            binding = certificate_digest(certificate_of(certificate))
            if tls_cert is None:
                click.echo(
                    f"certificate of its own: {certificate} (clients check it with sslmode=verify-full sslrootcert={certificate})", err=True
                )
        name = service.declaration.schema.name
        server = Server(
            service,
            Analysts(book),
            database=name,
            host=host,
            port=port,
            limits=Limits(connections=connections, per_analyst=per_analyst, statement=statement_timeout, idle=idle_timeout),
            tls=context,
            certificate=binding,
        )

        def stop(number: int, frame: FrameType | None) -> None:
            server.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        said = {
            "host": host,
            "port": server.port,
            "database": name,
            "release": service.release,
            "tls": not no_tls,
            "entries": entries,
        }
        if as_json:
            print_json(said)
        else:
            click.echo(f"serving {name}: psql -h {host} -p {server.port} -U ANALYST {name}")
        server.serve()


def _folder() -> Path:
    """Where the server's own certificate is kept."""
    return data_folder() / "endpoint"
