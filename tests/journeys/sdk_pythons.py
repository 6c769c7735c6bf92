"""Which Pythons have the SageMaker SDKs: those that a variable names, else those that `.ci/sdk prepare` has made."""

from __future__ import annotations

import os
from pathlib import Path

from tests.journeys.sdk_flows import VERSIONS

VARIABLES = {"2": "SAGELET_SDK_PYTHON", "3": "SAGELET_SDK3_PYTHON"}
PREPARED = Path(__file__).resolve().parents[2] / ".sdk"


def python(sdk: str) -> str:
    """The Python that has this generation of the SDK; empty where there is none."""
    named = os.environ.get(VARIABLES[sdk], "")
    prepared = (PREPARED / sdk).resolve()  # jobs do not see links to it
    return named or (str(prepared / "bin" / "python") if (prepared / ".installed").exists() else "")


def missing(sdk: str) -> str:
    """What to do about one that is not there."""
    return f"no SDK {VERSIONS[sdk]}: .ci/sdk prepare {sdk} installs it, or {VARIABLES[sdk]} names its Python"
