"""A job in script mode for the tests: the code of the user, archives of it, and an S3 that knows one object."""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.algorithms.job import Ended, Job

TELL = """
import json, os, sys
told = {"arguments": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd(), "python": sys.executable}
with open(os.path.join(os.environ["SM_MODEL_DIR"], "told.json"), "w") as file:
    json.dump(told, file)
"""


class Script(Job):
    """A job whose program is `train.py` in a folder of code outside /opt/ml, unless the test says otherwise."""

    def __init__(self, base: Path, algorithm: str = "sklearn") -> None:
        super().__init__(base / "ml", algorithm)
        self.code = base / "source"
        self.code.mkdir()
        self.temporary = base / "tmp"
        self.temporary.mkdir()
        self.model.mkdir(parents=True)

    def write(self, program: str = TELL, name: str = "train.py", **files: str) -> None:
        path = self.code / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(program, encoding="utf-8")
        for other, text in files.items():
            (self.code / other).write_text(text, encoding="utf-8")

    def run(self, hyperparameters: Mapping[str, str] | None = None, **environment: str) -> Ended:
        given = {"sagemaker_program": "train.py", "sagemaker_submit_directory": str(self.code)}
        self.prepare({**given, **(hyperparameters or {})})
        return self.train(TMPDIR=str(self.temporary), **environment)

    @property
    def told(self) -> dict:
        return json.loads((self.model / "told.json").read_text())


def archive(files: Mapping[str, str | bytes | tarfile.TarInfo]) -> bytes:
    """A tar.gz; a value that is a TarInfo is added as it is."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()


class Bucket:
    """Objects by path, and the headers of what was asked."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.url = ""


@contextlib.contextmanager
def bucket() -> Iterator[Bucket]:
    """An S3 of one process: GET and PUT, nothing else."""
    kept = Bucket()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kept.asked.append(("GET", self.path, dict(self.headers)))
            found = kept.objects.get(self.path)
            body = b"<Error><Code>NoSuchKey</Code><Message>No.</Message></Error>" if found is None else found
            self._answer(404 if found is None else 200, body)

        def do_PUT(self) -> None:
            kept.asked.append(("PUT", self.path, dict(self.headers)))
            kept.objects[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(200, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        working = threading.Thread(target=server.serve_forever, args=(0.01,))
        working.start()
        kept.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield kept
        finally:
            server.shutdown()
            working.join()
