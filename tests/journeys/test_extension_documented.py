"""The examples of docs/extension-api.md do what they say: they are run as they stand, one after the other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sagelet.server import Server

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "extension-api.md"
EXAMPLES = re.findall(r"^```bash\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("documented"), ["--executor", "stub"]) as running:
        yield running


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("\n")[0][:40])
def test_an_example_runs(server, example, tmp_path):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", example],
        cwd=tmp_path,
        env={**os.environ, **server.env, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_examples_of_every_topic():
    text = "\n".join(EXAMPLES)
    for topic in ("health", "reset", "snapshot", "requests", "faults", "clock", "proxy"):
        assert f"_sagelet/{topic}" in text
        assert f"sagelet {topic}" in text or topic in ("health", "proxy")
