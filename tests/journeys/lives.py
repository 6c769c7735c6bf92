"""Runs the program that lives every kind's life, with a boto3 and a server of chosen versions of botocore.

`python -m tests.journeys.lives` writes down which operations it proves, for docs/coverage.md;
`python -m tests.journeys.lives prepare` installs the versions that are tested, each into a folder of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".boto"
PROVED = Path(__file__).with_name("life_cycle.json")
LOWEST = re.findall(r'"boto3>=([0-9.]+)', (ROOT / "pyproject.toml").read_text())[0] + ".0"
VERSIONS = ("1.44", "1.43", LOWEST)
"""The newest that we know, the one before, and the oldest that pyproject.toml allows."""

SERVE = "import sys; sys.path[:0] = sys.argv[2:]; from api.serve import main; sys.exit(main(sys.argv[1:2]))"
SECONDS = 30.0


def place(version: str) -> Path | None:
    """Where boto3 of a version is: the installed one, or a folder that is made once; None when it cannot be had."""
    if botocore.__version__.startswith(f"{version}."):
        return Path(botocore.__file__).parents[1]
    folder = FOLDER / version
    if not folder.exists():
        _install(version, folder)
    return folder if folder.exists() else None


def _install(version: str, folder: Path) -> None:
    wanted = f"=={version}" if version.count(".") == 2 else f"=={version}.*"
    FOLDER.mkdir(exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=FOLDER))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    command += ["--retries", "1", "--timeout", "20", "--target", str(fresh), f"boto3{wanted}", f"botocore{wanted}"]
    if subprocess.run(command, check=False).returncode == 0:
        with contextlib.suppress(OSError):  # somebody else was faster
            fresh.rename(folder)
    shutil.rmtree(fresh, ignore_errors=True)


@contextlib.contextmanager
def server(data: Path, boto: Path) -> Iterator[str]:
    """The URL of a server whose models are those of the botocore in a folder."""
    ready = data / "ready"
    settings = {"port": 0, "data_dir": str(data), "executor": "stub", "settle_seconds": 0.05, "ready_file": str(ready)}
    command = [sys.executable, "-c", SERVE, json.dumps(settings), str(boto), str(ROOT)]
    with (data / "server.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            end = time.monotonic() + SECONDS
            while not (ready.exists() and ready.read_text()):
                assert process.poll() is None and time.monotonic() < end, (data / "server.log").read_text()
                time.sleep(0.01)
            yield ready.read_text()
        finally:
            process.terminate()
            process.wait(SECONDS)


def live(client: Path, model: Path, data: Path) -> dict[str, Any]:
    """What the program tells, with boto3 of one folder and a server with the models of another."""
    with server(data, model) as url:
        command = [sys.executable, "-m", "tests.journeys.life_cycle_program", url]
        env = {**os.environ, "PYTHONPATH": f"{client}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
        ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=250)
    assert ran.returncode == 0, ran.stderr[-3000:]
    told: dict[str, Any] = json.loads(ran.stdout)
    return {**told, "log": (data / "server.log").read_text()}


def main(arguments: list[str]) -> int:
    """Prepare the versions, or write the list; 1 when something is missing or wrong."""
    places = {version: place(version) for version in VERSIONS}
    if arguments == ["prepare"]:
        absent = [version for version, folder in places.items() if folder is None]
        print(f"boto3 {', '.join(absent)} cannot be had" if absent else f"boto3 {', '.join(places)}: there")
        return 1 if absent else 0
    newest = places[VERSIONS[0]]
    assert newest is not None, "the newest version cannot be had"
    with tempfile.TemporaryDirectory() as data:
        told = live(newest, newest, Path(data))
    PROVED.write_text(json.dumps(told["proved"], indent=1) + "\n")
    print("\n".join(f"{noun}: {problem}" for noun, problem in told["problems"].items()))
    return 1 if told["problems"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
