"""`sagelet doctor`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass

from sagelet import places
from sagelet.environment import SERVER


@dataclass(frozen=True)
class Finding:
    """One line of the report. `needed` findings that are not `good` make the exit status 1."""

    title: str
    good: bool
    text: str
    needed: bool = False


OPTIONAL = (
    ("Parquet channels", "pyarrow", "parquet"),
    ("ONNX host", "onnxruntime", "onnx"),
    ("Algorithms of networks", "torch", "torch"),
)
"""What extras bring: a title, the library, the extra."""


def options(parser: argparse.ArgumentParser) -> None:
    """Which port is to be tried."""
    parser.add_argument("--port", type=int, default=places.DEFAULT_PORT)


def run(options: argparse.Namespace) -> int:
    """Say what works on this machine, and what to do about the rest."""
    findings = [check() for check in (_python, _numerics, _xgboost, _namespaces, _bwrap, _docker, _proxy)]
    findings += [_optional(*row) for row in OPTIONAL]
    findings.append(_port(options.port))
    for finding in findings:
        mark = "ok  " if finding.good else ("MISS" if finding.needed else "-   ")
        print(f"{mark} {finding.title}: {finding.text}")
    return 1 if any(f.needed and not f.good for f in findings) else 0


def _python() -> Finding:
    good = (3, 10) <= sys.version_info[:2] < (3, 14)
    text = f"{sys.version.split()[0]} on {sys.platform}"
    return Finding("Python", good, text if good else f"{text}; Sagelet is tested on 3.10 to 3.13", needed=True)


def _numerics() -> Finding:
    missing = [name for name in ("numpy", "sklearn", "xgboost") if not importlib.util.find_spec(name)]
    text = f"{', '.join(missing)} missing; reinstall: pip install --force-reinstall sagelet"
    return Finding("Built-in algorithms", not missing, text if missing else "xgboost, scikit-learn", needed=True)


def _xgboost() -> Finding:
    both = [name for name in ("xgboost", "xgboost-cpu") if _installed(name)]
    if len(both) == 2:
        text = (
            "both `xgboost` and `xgboost-cpu` are installed and write the same folder; keep one: "
            "pip uninstall -y xgboost xgboost-cpu && pip install 'xgboost-cpu>=3.0.5,<3.1', "
            "or give Sagelet an environment of its own"
        )
        return Finding("XGBoost distributions", False, text)
    return Finding("XGBoost distributions", True, f"{both[0]} {_installed(both[0])}" if both else "none")


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _namespaces() -> Finding:
    tool = shutil.which("unshare")
    if not tool:
        return Finding("User namespaces", False, "cannot be tried without `unshare`; jobs use bwrap or run plainly")
    tried = subprocess.run([tool, "-Urmp", "--fork", "true"], capture_output=True, text=True, check=False)
    if tried.returncode == 0:
        return Finding("User namespaces", True, "jobs run in a sandbox that shows them a real /opt/ml")
    return Finding("User namespaces", False, f"refused ({tried.stderr.strip()}); jobs use bwrap or run plainly")


def _bwrap() -> Finding:
    tool = shutil.which("bwrap")
    text = tool or "not installed; only needed where user namespaces are refused: apt install bubblewrap"
    return Finding("bubblewrap", bool(tool), text)


def _docker() -> Finding:
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    try:
        version = _engine_version(host)
    except (OSError, ValueError) as error:
        text = f"no engine answers at {host} ({error}); only needed for images of your own: install Docker or Podman"
        return Finding("Docker engine", False, text)
    return Finding("Docker engine", True, f"{version} at {host}")


def _engine_version(host: str) -> str:
    with _connect(host) as connection:
        connection.settimeout(3)
        connection.sendall(b"GET /version HTTP/1.0\r\nHost: docker\r\n\r\n")
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["Version"])


def _connect(host: str) -> socket.socket:
    if host.startswith("unix://"):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(3)
        connection.connect(host[len("unix://") :])
        return connection
    name, _, port = host.rpartition("/")[2].partition(":")
    return socket.create_connection((name, int(port or 2375)), timeout=3)


def _optional(title: str, library: str, extra: str) -> Finding:
    good = importlib.util.find_spec(library) is not None
    return Finding(title, good, library if good else f"optional: pip install 'sagelet[{extra}]'")


def _proxy() -> Finding:
    named = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or ""
    if not named:
        return Finding("HTTPS proxy", True, 'none; for programs with addresses of AWS: eval "$(sagelet env --proxy)"')
    if named != os.environ.get(SERVER):
        return Finding(
            "HTTPS proxy", True, f"{named}, which is not Sagelet's; its own address is in NO_PROXY once activated"
        )
    try:
        until = places.ask(named, "/_sagelet/status")["proxy"]
        return Finding("HTTPS proxy", True, f"Sagelet's at {named}, with certificates until {until}")
    except (places.NoServer, KeyError, TypeError) as error:
        text = f'{error}, and nothing gets past it. Start the server, or leave: eval "$(sagelet env --off)"'
        return Finding("HTTPS proxy", False, text)


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return Finding(f"Port {port}", True, "free")
        except OSError as error:
            try:
                running = places.ask(f"http://127.0.0.1:{port}", "/_sagelet/status")
                return Finding(f"Port {port}", True, f"a Sagelet {running['version']} answers here already")
            except (places.NoServer, KeyError, TypeError):
                return Finding(f"Port {port}", False, f"taken ({error}); use another: sagelet up --port 0")
