"""A registry of images with one image in it, enough for an engine to pull it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def layer(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), 0o755
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def digest(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


class Registry:
    """`with Registry(layers) as registry:`; its image is `registry.image`. `slow` is how long the last layer takes."""

    def __init__(self, layers: list[bytes], slow: float = 0.0, repository: str = "team/model") -> None:
        self.slow = slow
        self.repository = repository
        self.asked: list[str] = []
        self.fill(layers)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.image = f"127.0.0.1:{self._server.server_port}/{repository}:1"

    def fill(self, layers: list[bytes]) -> None:
        """What the tag means from now on."""
        zipped = [gzip.compress(blob, mtime=0) for blob in layers]
        config = json.dumps(
            {
                "architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"]},
                "rootfs": {"type": "layers", "diff_ids": [digest(blob) for blob in layers]},
                "history": [{"created_by": "test"} for _ in layers],
            }
        ).encode()  # fmt: skip
        told: dict[str, Any] = {
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "size": len(config), "digest": digest(config)},
            "layers": [{"mediaType": LAYER, "size": len(blob), "digest": digest(blob)} for blob in zipped],
        }  # fmt: skip
        self.manifest = json.dumps(told).encode()
        self.last = digest(zipped[-1])
        self.blobs = {digest(blob): blob for blob in [config, *zipped]}

    def __enter__(self) -> Registry:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                registry.asked.append(self.path)
                name = self.path.rpartition("/")[2]
                if self.path == "/v2/":
                    self.reply(200, b"{}", "application/json")
                elif self.path.startswith(f"/v2/{registry.repository}/manifests/") and name in (
                    "1",
                    digest(registry.manifest),
                ):
                    self.reply(200, registry.manifest, MANIFEST)
                elif name in registry.blobs:
                    time.sleep(registry.slow if name == registry.last else 0)
                    self.reply(200, registry.blobs[name], "application/octet-stream")
                else:
                    self.reply(
                        404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}', "text/json"
                    )

            def reply(self, status: int, body: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Docker-Content-Digest", digest(body))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        return Handler
