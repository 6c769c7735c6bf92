"""`sagelet up`: becomes the server."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from sagelet import places

EXECUTORS = ("auto", "process", "docker", "stub")
PULLS = ("never", "missing", "always")


def options(parser: argparse.ArgumentParser) -> None:
    """Those of the table of settings that people change (`docs/settings.md` names all)."""
    add = parser.add_argument
    add("--host", help="address to listen on (127.0.0.1)")
    add("--port", type=int, help="port to listen on (4577); 0 takes any free one")
    add("--data-dir", type=Path, help="folder that holds everything (~/.sagelet)")
    add("--executor", choices=EXECUTORS, help="how jobs run (auto)")
    add("--pull", choices=PULLS, help="whether Docker may fetch images from their registry (never)")
    add("--ready-file", help="file that receives the URL once the server can serve")
    add("--s3-endpoint", metavar="URL", help="an external S3 instead of the built-in one")
    add("--allow-host", action="append", metavar="NAME", help="further Host name to answer to")
    add("--check-roles", action="store_true", default=None, help="roles must exist and trust SageMaker")
    add("--account-id", help="account of callers whose credentials name none (123456789012)")
    add("--region", help="region of requests that name none (us-east-1)")
    add("--max-jobs", type=int, help="jobs that run at the same time (by the cores)")
    add("--gpu", choices=("cpu", "refuse", "devices"), help="what instance types with GPUs mean (cpu)")
    add("--quotas", action="store_true", default=None, help="quotas of a new AWS account are kept")
    add("--settle-seconds", type=float, metavar="SECONDS", help="pace of statuses that move by themselves (0.2)")
    add("--strict-versions", action="store_true", default=None, help="refuse libraries of other major versions")
    add("--train-from-scratch", action="store_true", default=None, help="do without pretrained weights where asked")


def run(options: argparse.Namespace) -> int:
    """Run the server in the foreground. Every option is also a variable: SAGELET_PORT, SAGELET_DATA_DIR, ..."""
    from sagelet.server import exec_server

    given = {k: v for k, v in vars(options).items() if k not in ("run", "command") and v is not None}
    settings = {**_from_environment(), **given}
    settings["data_dir"] = str(Path(settings.get("data_dir") or places.default_data_dir()).expanduser().resolve())
    if settings.get("ready_file"):
        settings["ready_file"] = str(Path(settings["ready_file"]).resolve())
    exec_server(json.dumps(settings), places.rooms())
    return 1


def _from_environment() -> dict[str, object]:
    prefix = "SAGELET_"
    return {k[len(prefix) :].lower(): v for k, v in os.environ.items() if k.startswith(prefix) and v}
