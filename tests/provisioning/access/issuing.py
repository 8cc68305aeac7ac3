"""An OIDC issuer on this machine, with everything that can be wrong with one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "companyos"
_MAKERS = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}
_FORMS = {"RS256": RSAAlgorithm, "PS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


class LocalIssuer:
    """Serves a discovery document and keys; `answer` may be changed to answer anything else, `asked` counts."""

    def __init__(self) -> None:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                status, headers, body = issuer.answer(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    for part in [body] if isinstance(body, bytes) else body:
                        self.wfile.write(part)
                except OSError:
                    pass  # the client has had enough

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/realms/company"
        self.answer: Callable[[str], tuple[int, dict[str, str], Any]] = self.right
        self.asked: list[str] = []
        self.keys: dict[str, tuple[str, Any]] = {}
        self.discovery: dict[str, Any] = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def right(self, path: str) -> tuple[int, dict[str, str], bytes]:
        said = {"keys": self.published()} if path.endswith("/keys") else self.discovery
        return 200, {"Content-Type": "application/json"}, json.dumps(said).encode()

    def published(self) -> list[dict[str, Any]]:
        return [
            {**json.loads(_FORMS[algorithm].to_jwk(key.public_key())), "kid": name, "use": "sig", "alg": algorithm}
            for name, (algorithm, key) in self.keys.items()
        ]

    def add(self, name: str, algorithm: str = "ES256") -> None:
        self.keys[name] = (algorithm, _MAKERS[algorithm]())

    def token(self, key: str, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token of Alice's, with other claims where they are given; None leaves one out."""
        algorithm, private = self.keys[key]
        now = int(time.time())
        said = {"iss": self.url, "aud": AUDIENCE, "sub": "1", "email": "alice@company.com", "iat": now, "exp": now + 300, **claims}
        payload = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(payload, private, algorithm=algorithm, headers={"kid": key, **(header or {})})
