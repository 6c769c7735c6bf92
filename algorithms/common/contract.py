"""The /opt/ml contract: where things lie, what the service wrote there, and how a job says that it failed."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from algorithms.common.faults import UserError

FAILURE_LIMIT = 1024
"""Characters of the failure file that become FailureReason."""
CLIENT, ALGORITHM = "ClientError", "AlgorithmError"


@dataclass(frozen=True)
class Layout:
    """The folders of one job below its base folder (`/opt/ml`)."""

    base: Path

    @classmethod
    def from_environment(cls) -> Layout:
        """The layout that this process was started with."""
        return cls(Path(os.environ.get("SAGEMAKER_BASE_DIR") or "/opt/ml"))

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def output_data(self) -> Path:
        return self.base / "output" / "data"

    @property
    def failure(self) -> Path:
        return self.base / "output" / "failure"

    def channel(self, name: str) -> Path:
        """The folder of a File or FastFile channel."""
        return self.base / "input" / "data" / name

    def config(self, name: str) -> dict[str, Any]:
        """A file of `input/config` as JSON; empty when it is not there."""
        path = self.base / "input" / "config" / f"{name}.json"
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}

    @property
    def hyperparameters(self) -> dict[str, str]:
        return {name: _plain(value) for name, value in self.config("hyperparameters").items()}

    @property
    def channels(self) -> dict[str, Mapping[str, str]]:
        return self.config("inputdataconfig")

    @property
    def hosts(self) -> list[str]:
        return list(self.config("resourceconfig").get("hosts") or ["algo-1"])

    @property
    def current_host(self) -> str:
        return str(self.config("resourceconfig").get("current_host") or self.hosts[0])

    @property
    def checkpoints(self) -> Path | None:
        """The folder of checkpoints, when the job asked for them."""
        local = self.config("checkpointconfig").get("LocalPath")
        if not local:
            return None
        inside = Path(local)
        if inside.is_relative_to("/opt/ml"):
            return self.base / inside.relative_to("/opt/ml")
        return inside


def _plain(value: Any) -> str:
    """Some SDKs send `"10"` with the quotes of JSON: the quotes are not part of the value."""
    text = value if isinstance(value, str) else json.dumps(value)
    quoted = len(text) >= 2 and text[0] == text[-1] == '"'
    return text[1:-1] if quoted else text


def log(message: str, level: str = "INFO") -> None:
    """One line of the form that the first-party containers log: `[2024-05-10:23:09:47:INFO] message`."""
    stamp = time.strftime("%Y-%m-%d:%H:%M:%S")
    print(f"[{stamp}:{level}] {message}", flush=True)


def run_training(layout: Layout, train: Callable[[Layout], None], say: Callable[[str, str], None] = log) -> int:
    """Call `train` and turn how it ends into an exit status and a failure file; `say` writes a line of a level."""
    try:
        train(layout)
    except UserError as mistake:
        say(str(mistake), "ERROR")
        tell(layout, f"{CLIENT}: {mistake}")
        return 1
    except Exception as error:
        story = traceback.format_exc()
        print(story, file=sys.stderr, flush=True)
        tell(layout, f"{ALGORITHM}: {type(error).__name__}: {error}\n\n{story}")
        return 1
    return 0


def end_on_sigterm() -> None:
    """For process 1, which the kernel spares SIGTERM unless it handles it: also while a library does not return.

    The handler of another part of the program, installed later, has precedence.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_end_when_told, args=[reading], daemon=True).start()


def _end_when_told(reading: int) -> None:
    """Python runs handlers when the main thread is back from a library; the bytes of a wakeup come at once."""
    while number := os.read(reading, 1):
        if number[0] == signal.SIGTERM and signal.getsignal(signal.SIGTERM) is _end:
            _end(signal.SIGTERM, None)


def _end(number: int, frame: FrameType | None) -> None:
    sys.stdout.flush()
    os._exit(128 + number)


def tell(layout: Layout, text: str) -> None:
    """Write the failure file: the first characters of what becomes the job's FailureReason."""
    layout.failure.parent.mkdir(parents=True, exist_ok=True)
    layout.failure.write_text(text[:FAILURE_LIMIT], encoding="utf-8")
