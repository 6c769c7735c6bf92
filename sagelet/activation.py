"""Activation from within Python: this process, and those that it starts, talk to the local server instead of AWS."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, TracebackType

from sagelet import places
from sagelet.environment import HOOK, changes
from sagelet.server import Server

_HOOK = "sagelet_hook"


class Activation:
    """What `activate` has changed. `deactivate()`, or the end of a `with` block, takes it back."""

    def __init__(self, url: str, before: Mapping[str, str | None], hooked: bool) -> None:
        self.url = url
        """The address of the server."""
        self._before = dict(before)
        self._hooked = hooked

    def deactivate(self) -> None:
        """Restore the variables and the SDKs. Idempotent."""
        _set(self._before)
        self._before = {}
        if self._hooked:
            _hook().uninstall()
            self._hooked = False

    def __enter__(self) -> Activation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.deactivate()


def activate(url: str = "", region: str = "us-east-1", account: str = "") -> Activation:
    """Point this process and its children at the server at `url` (else at AWS_ENDPOINT_URL, else at the default port).

    It is the same as `eval "$(sagelet env)"` before the program: variables for boto3 and every other AWS SDK, and what
    variables do not reach (STS in the SageMaker SDK, its telemetry, how often is looked at what is waited for).
    With `account` (twelve digits) it acts in that one. Clients that were made before keep their addresses.
    `places.NoServer` when no server answers.
    """
    url = url or places.find()
    places.ask(url, "/_sagelet/health")
    changed = changes(url, region, account=account)
    before = {name: os.environ.get(name) for name in changed}
    _set(changed)
    hook = _hook()
    return Activation(url, before, hook.install())


@contextmanager
def running(data_dir: Path | str | None = None, *options: str) -> Iterator[Server]:
    """A server of its own for a `with` block, in which this process is activated.

    Without `data_dir` it keeps everything in a folder that goes with it; `options` are those of `sagelet up`.
    """
    with Server(data_dir, options) as server, activate(server.url):
        yield server


def _set(changed: Mapping[str, str | None]) -> None:
    for name, value in changed.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _hook() -> ModuleType:
    """The hook, under the name that it has in a program that was activated from outside: there is one of it."""
    if _HOOK not in sys.modules:
        spec = importlib.util.spec_from_file_location(_HOOK, HOOK / f"{_HOOK}.py")
        assert spec is not None and spec.loader is not None
        sys.modules[_HOOK] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[_HOOK]
