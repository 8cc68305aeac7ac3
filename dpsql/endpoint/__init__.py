"""The endpoint that speaks PostgreSQL's protocol, so that psql, drivers, notebooks and BI tools ask private queries unchanged.

A `Server` has a thread for each client; a session logs in by SCRAM, and asks the service by the simple or the extended protocol. What
clients look up in the catalogs is answered from the schema alone.
"""

from dpsql.endpoint.limits import Limits
from dpsql.endpoint.login import Analysts, Verifier, certificate_digest
from dpsql.endpoint.server import Server
from dpsql.endpoint.tls import certificate_of, self_signed, server_context

__all__ = ["Analysts", "Limits", "Server", "Verifier", "certificate_digest", "certificate_of", "self_signed", "server_context"]
