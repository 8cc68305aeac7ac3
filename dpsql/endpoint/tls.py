"""TLS: a certificate that is given, or one that the server signs itself."""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
from pathlib import Path

from schemas.errors import InputError

YEARS = 10


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a context for TLS 1.2 and later; InputError where certificate and key cannot be read or do not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"the certificate {certificate} and its key {key} cannot be used: {error}") from error
    return context


def certificate_of(certificate: Path) -> bytes:
    """Return the first certificate of a PEM file, in DER."""
    text = certificate.read_text()
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    first = text.index(begin)
    return ssl.PEM_cert_to_DER_cert(text[first : text.index(end, first) + len(end)])


def self_signed(folder: Path, host: str) -> tuple[Path, Path]:
    """Return certificate and key in `folder`, made there at the first call (ECDSA P-256, for `host` and localhost, ten years)."""
    certificate, key = folder / "server.crt", folder / "server.key"
    if certificate.exists() and key.exists():
        return certificate, key
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
    except ImportError as error:
        raise InputError("a certificate of its own needs a library: pip install 'companyos-data[server]'") from error
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "companyos dp serve")])
    now = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    try:
        address = ipaddress.ip_address(host)
        names += [] if str(address) == "127.0.0.1" else [x509.IPAddress(address)]
    except ValueError:
        names += [] if host == "localhost" else [x509.DNSName(host)]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    folder.mkdir(parents=True, exist_ok=True)
    # the key is never readable by others, not even for a moment
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return certificate, key
