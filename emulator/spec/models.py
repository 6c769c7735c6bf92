"""Loads service models: botocore's JSON without its documentation, corrected by our overlays.

The result is kept in the user's cache folder, because stripping documentation from 3,200 shapes takes ten times as
long as reading what is left. A cache file that is missing, old or damaged is simply made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import botocore
from botocore.model import ServiceModel

from emulator.spec import overlay

DATA = Path(botocore.__file__).parent / "data"


def _discover() -> tuple[str, ...]:
    """Every SageMaker service of the installed botocore has a folder whose name begins with the word."""
    return tuple(sorted(entry.name for entry in DATA.iterdir() if entry.name.startswith("sagemaker")))


SERVICES: tuple[str, ...] = _discover()
"""botocore's names of SageMaker's control plane and data planes."""


@cache
def load(service: str) -> ServiceModel:
    """The model of a service by botocore's name for it; `LookupError` when the installed botocore has none."""
    return ServiceModel(_description(service), service)


def _description(service: str) -> dict[str, Any]:
    kept = _cache_file(service)
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(kept.read_bytes())
        if isinstance(found, dict) and found.get("shapes"):
            return found
    model: dict[str, Any] = _slim(_original(service))
    overlay.apply(model, overlay.read(service), service)
    _keep(kept, model)
    return model


def _source(service: str) -> Path:
    """The newest version of the service's model file."""
    try:
        version = max(entry.name for entry in (DATA / service).iterdir() if entry.is_dir())
    except (FileNotFoundError, ValueError):
        raise LookupError(f"The installed botocore {botocore.__version__} has no service {service!r}") from None
    for name in ("service-2.json.gz", "service-2.json"):
        if (found := DATA / service / version / name).exists():
            return found
    raise LookupError(f"No model file in {DATA / service / version}")


def _original(service: str) -> dict[str, Any]:
    from botocore.loaders import Loader

    loader = Loader(extra_search_paths=[str(DATA)], include_default_search_paths=False)
    model: dict[str, Any] = loader.load_service_model(service, "service-2")
    return model


def _slim(value: Any) -> Any:
    """A copy without documentation. A member or shape that is *named* `documentation` is a dict, and stays."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if not (k in ("documentation", "examples") and isinstance(v, str))}
        return {k: _slim(v) for k, v in kept.items()}
    return [_slim(v) for v in value] if isinstance(value, list) else value


def _cache_file(service: str) -> Path:
    """Named after all that the content depends on: botocore's version, its file, and our overlay."""
    source = _source(service)
    stat = source.stat()
    patches = overlay.path(service)
    corrections = patches.read_bytes() if patches.exists() else b""
    facts = f"1|{botocore.__version__}|{source}|{stat.st_mtime_ns}|{stat.st_size}|".encode() + corrections
    home = os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME", "/nonexistent"), ".cache")
    return Path(home) / "sagelet" / "models" / f"{service}-{hashlib.sha256(facts).hexdigest()[:16]}.json"


def _keep(target: Path, model: dict[str, Any]) -> None:
    """Written beside and renamed, so that no reader ever sees half a file. A read-only home costs only time."""
    with contextlib.suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(model, file, separators=(",", ":"))
            Path(name).replace(target)
        except OSError:
            Path(name).unlink()
            raise
