"""How a script says what was wrong: as the job's FailureReason, without a traceback, where it is the user's mistake."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

CLIENT = "ClientError"


class Refused(Exception):
    """A mistake of the user's, told in a sentence or two."""


def run(work: Callable[[], None]) -> None:
    """Do the work; a refusal becomes the reason why the job failed."""
    try:
        work()
    except Refused as mistake:
        tell(f"{CLIENT}: {mistake}")
        sys.exit(1)


def tell(text: str) -> None:
    """Why the job fails, to the log and to the service."""
    print(text, file=sys.stderr, flush=True)
    folder = Path(os.environ.get("SM_OUTPUT_DIR", "/opt/ml/output"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "failure").write_text(text, encoding="utf-8")


def need(libraries: Mapping[str, str]) -> None:
    """Refused, at once, when a library is not there."""
    for module, remedy in libraries.items():
        if not there(module):
            raise Refused(
                f"The library {module} is not installed where this job runs. Install it beside Sagelet: {remedy}"
            )


def there(module: str) -> bool:
    """Whether a module, or one of a package (`autogluon.tabular`), can be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # The package itself is not there.
        return False
