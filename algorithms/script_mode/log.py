"""The lines that the training toolkit writes into the log."""

from __future__ import annotations

import time


def say(message: str, level: str = "INFO") -> None:
    """One message in the toolkit's form: `2026-01-31 12:00:00,123 sagemaker-training-toolkit INFO     message`."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    print(f"{stamp},{int(now * 1000) % 1000:03d} sagemaker-training-toolkit {level:<8} {message}", flush=True)
