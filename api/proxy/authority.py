"""The certificate authority of a data folder, and the certificates that it makes for names of AWS.

Made when it is first needed. It is good for a year, for names of AWS and for TLS servers alone: whoever got hold of its
key could harm nobody else with it.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from api.identify import AWS
from api.proxy import FOLDER

CERTIFICATE = "ca.pem"
KEY = "ca.key"

LIFE = timedelta(days=365)
RENEWAL = timedelta(days=30)
"""How long before its end an authority is replaced when the server starts."""

SKEW = timedelta(days=1)
"""Clients' clocks may be behind ours."""

KEPT = 512
"""Names whose certificates are kept ready."""

_NOTHING_ELSE = [
    x509.IPAddress(ipaddress.ip_network("0.0.0.0/0")),
    x509.IPAddress(ipaddress.ip_network("::/0")),
]
"""A constraint of names says nothing of addresses."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """The authority in a data folder. Thread safe; nothing is read or made before the first question."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = Path(data_dir) / FOLDER
        self._lock = threading.Lock()
        self._pair: Pair | None = None
        self._leaf = ec.generate_private_key(ec.SECP256R1())
        self._contexts: OrderedDict[str, ssl.SSLContext] = OrderedDict()

    def certificate(self) -> str:
        """The authority's certificate, as PEM: what clients must trust."""
        with self._lock:
            return self._ready().certificate.public_bytes(Encoding.PEM).decode()

    def until(self) -> str:
        """The day on which the certificates end."""
        with self._lock:
            return f"{self._ready().certificate.not_valid_after_utc:%Y-%m-%d}"

    def context(self, name: str) -> ssl.SSLContext:
        """TLS as the server of this name."""
        with self._lock:
            found = self._contexts.pop(name, None) or self._context(name)
            self._contexts[name] = found
            if len(self._contexts) > KEPT:
                self._contexts.popitem(last=False)
            return found

    def _context(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        chain = signed(self._ready(), self._leaf, name).public_bytes(Encoding.PEM) + _private(self._leaf)
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:  # the ssl module reads certificates from files only
            file.write(chain)
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _ready(self) -> Pair:
        if self._pair is None:
            self._pair = _kept(self.folder) or _made(self.folder)
        return self._pair


def signed(authority: Pair, key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    """A certificate for one name. It has no subject: names may be longer than a subject can be."""
    issuer = authority.certificate
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(issuer.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def made() -> Pair:
    """A new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Sagelet on this machine, {now:%Y-%m-%d %H:%M:%S}")])
    names = x509.NameConstraints([x509.DNSName(domain) for domain in AWS], _NOTHING_ELSE)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(names, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_SIGNING, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Pair(certificate, key)


_SIGNING = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=False,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


def _kept(folder: Path) -> Pair | None:
    """The authority of before; None where there is none, or one that is garbled or will end soon."""
    try:
        key = load_pem_private_key((folder / KEY).read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    lasts = certificate.not_valid_after_utc - datetime.now(timezone.utc) > RENEWAL
    return Pair(certificate, key) if lasts else None


def _made(folder: Path) -> Pair:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pair = made()
    _write(folder / KEY, _private(pair.key), 0o600)
    _write(folder / CERTIFICATE, pair.certificate.public_bytes(Encoding.PEM), 0o644)
    return pair


def _write(target: Path, data: bytes, mode: int) -> None:
    handle, half = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, mode)
        file.write(data)
    Path(half).replace(target)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
