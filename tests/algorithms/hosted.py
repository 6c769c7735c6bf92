"""A model in script mode for the tests: a model folder with the user's code, served by a real process."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.algorithms.job import Job, Server


class Hosted(Job):
    """`/opt/ml` with a model; `code` are files of its folder `code`."""

    def __init__(self, base: Path, algorithm: str, script: str = "", **code: str) -> None:
        super().__init__(base / "ml", algorithm)
        self.temporary = base / "tmp"
        self.temporary.mkdir()
        self.model.mkdir(parents=True)
        for name, text in ({"inference.py": script} | code if script else code).items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.model / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @contextlib.contextmanager
    def up(self, **environment: str) -> Iterator[Server]:
        with self.serve(TMPDIR=str(self.temporary), **environment) as server:
            yield server

    def down(self, **environment: str) -> str:
        """The log of a server that cannot come up."""
        where = {"SAGEMAKER_BIND_TO_SOCKET": str(self.base / "s"), "TMPDIR": str(self.temporary)}
        with self.start("serve", **where, **environment) as process:
            try:
                output, _ = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert process.returncode == 1, output
        return output
