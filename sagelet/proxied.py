"""The variables of a program that asks AWS by its own names, and is answered by the server as its proxy."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sagelet import places
from sagelet.environment import LOCAL

AWS = ("amazonaws.com", "amazonaws.com.cn", "api.aws", "api.amazonwebservices.com.cn")
"""The domains that the server answers for."""

SYSTEM = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where Debian, Fedora, SUSE and macOS keep the public authorities."""

BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Variables that name the authorities which a program trusts."""


@dataclass(frozen=True)
class Proxy:
    """A proxy, and the files of whom its clients must trust: the proxy alone, or public authorities as well."""

    url: str
    alone: Path
    bundle: Path


def proxy(url: str, before: Mapping[str, str] = os.environ) -> Proxy:
    """The server at `url` as a proxy; its files are written. `places.NoServer` when it does not answer."""
    told = places.ask(url, "/_sagelet/proxy", "POST")
    certificate, folder = told["certificate"], Path(told["folder"])
    if _text(folder / "ca.pem") != certificate:  # the server has other files than this machine: it is in a container
        folder = places.default_data_dir() / "proxy" / "".join(c if c.isalnum() else "-" for c in url)
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "ca.pem", certificate)
    found = Proxy(url, folder / "ca.pem", folder / "bundle.pem")
    _write(found.bundle, "".join(dict.fromkeys([certificate, *_public(before, found)])))
    return found


def variables(found: Proxy, before: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What a program needs beside region and credentials. Hosts in NO_PROXY stay reachable, but not those of AWS."""
    passed = [name for name in ("no_proxy", "NO_PROXY") if name in before] or ["NO_PROXY"]
    return {
        **dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), found.url),
        **{name: ",".join([*LOCAL, *_elsewhere(before.get(name, ""))]) for name in passed},
        # AWS's own SDKs trust nobody else: one that went past the proxy would not get through to AWS either.
        "AWS_CA_BUNDLE": str(found.alone),
        **dict.fromkeys(BUNDLES, str(found.bundle)),
    }


def _public(before: Mapping[str, str], found: Proxy) -> list[str]:
    """The authorities that were trusted before: those that variables named, else the system's."""
    own = (str(found.alone), str(found.bundle))
    named = [before[name] for name in BUNDLES if before.get(name) and before[name] not in own]
    default = ssl.get_default_verify_paths().cafile
    system = next((path for path in (default, *SYSTEM) if path and path not in own and Path(path).is_file()), None)
    texts = [_text(Path(path)) for path in named or filter(None, [system])]
    return [text if text.endswith("\n") else f"{text}\n" for text in texts if text]


def _elsewhere(no_proxy: str) -> list[str]:
    """What a program may reach past the proxy: nothing of AWS, whatever companies have written there."""
    parts = [part.strip() for part in no_proxy.split(",")]
    return [part for part in parts if part and part not in LOCAL and not _means_aws(part)]


def _means_aws(part: str) -> bool:
    name = part.lower().partition(":")[0].lstrip("*.")
    return not name or any(f".{domain}".endswith(f".{name}") or f".{name}".endswith(f".{domain}") for domain in AWS)


def _write(file: Path, text: str) -> None:
    """Programs that run may be reading it."""
    if _text(file) != text:
        half = file.with_suffix(f".{os.getpid()}")
        half.write_text(text)
        half.replace(file)


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
