"""Whether a network may be trained from scratch where pretrained weights are asked for, which nothing here has.

Standard library alone: it also goes into the archives of JumpStart's scripts.
"""

from __future__ import annotations

import os

VARIABLE = "SAGELET_TRAIN_FROM_SCRATCH"
REMEDY = (
    f"allow training from scratch: {VARIABLE}=true in the job's Environment, or for all jobs of a server "
    "`sagelet up --train-from-scratch`."
)


def allowed() -> bool:
    """What the job's environment says."""
    return os.environ.get(VARIABLE, "").lower() in ("true", "1")
