"""The lines that the toolkits of the images write into the log."""

from __future__ import annotations

import time

TRAINING, SERVING = "sagemaker-training-toolkit", "sagemaker-inference-toolkit"


class _Speaker:
    name = TRAINING


def speak_as(name: str) -> None:
    """From here on this process's lines are those of another toolkit."""
    _Speaker.name = name


def say(message: str, level: str = "INFO") -> None:
    """One message in the toolkit's form: `2026-01-31 12:00:00,123 sagemaker-training-toolkit INFO     message`."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    print(f"{stamp},{int(now * 1000) % 1000:03d} {_Speaker.name} {level:<8} {message}", flush=True)
