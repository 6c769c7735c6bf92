"""Points the AWS SDKs of this interpreter at Sagelet where variables alone do not, as their modules are imported.

What it changes, module by module, is in `PATCHES`. The SDKs' files stay as they are, and `uninstall` takes everything
back. It stands alone: it also runs in interpreters that have no Sagelet, so that it imports the standard library only.
"""

from __future__ import annotations

import functools
import importlib.machinery
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

ENDPOINT = "AWS_ENDPOINT_URL"
"""The variable that names the server."""

SERVER = "SAGELET_SERVER"
"""The one that does where the server is a proxy: there addresses stay those of AWS."""

CALLER = "SAGELET_REMOTE_PYTHON"
"""Tells a remote function's job, or the server of a pickled model, which Python it was called from."""

PICKLED_BY = "LOCAL_PYTHON"
"""The SDK sets it in the environment of a model that it pickles."""

BRIEF = 0.2
"""Seconds between two looks at something that is waited for."""

AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")

Undo = tuple[Any, str, Any]
"""An object, the name of one of its attributes, and what that was."""

_undo: list[Undo] = []


def install() -> bool:
    """Patch what is imported, and what will be; False where nothing is done: the second time, or without a server."""
    if _FINDER in sys.meta_path or not (os.environ.get(ENDPOINT) or os.environ.get(SERVER)):
        return False
    sys.meta_path.insert(0, _FINDER)
    for name, module in list(sys.modules.items()):
        if concerned(name) and isinstance(module, ModuleType):
            patch(module)
    return True


def uninstall() -> None:
    """Take everything back."""
    if _FINDER in sys.meta_path:
        sys.meta_path.remove(_FINDER)
    while _undo:
        owner, name, old = _undo.pop()
        setattr(owner, name, old)


def concerned(name: str) -> bool:
    """Whether anything is changed in a module of this name."""
    return name in PATCHES or name.startswith("sagemaker.")


def patch(module: ModuleType) -> None:
    """Change what is to be changed in a module that was just imported."""
    name = module.__name__
    if name in PATCHES:
        PATCHES[name](module)
    if name.startswith("sagemaker.") and getattr(module, "time", None) is time:
        _put(module, "time", _Clock(goes_on=name in TAILING))


def _put(owner: Any, name: str, new: Any) -> None:
    """Another version of an SDK may not have it: that must not keep a program from importing it."""
    if hasattr(owner, name):
        _undo.append((owner, name, getattr(owner, name)))
        setattr(owner, name, new)


class _Finder:
    """Finds nothing itself: has the others find a module, and patches it once it was run."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """See importlib."""
        if not concerned(name):
            return None
        for finder in [each for each in sys.meta_path if each is not self]:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                loader: Any = spec.loader
                if hasattr(loader, "exec_module"):
                    loader.exec_module = functools.partial(_run, loader.exec_module)
                return spec
        return None


def _run(exec_module: Callable[[ModuleType], None], module: ModuleType) -> None:
    exec_module(module)
    if _FINDER in sys.meta_path:
        patch(module)


_FINDER = _Finder()


# --- what is changed ----------------------------------------------------------------------------------------------


def _clients(session: ModuleType) -> None:
    """Clients that are given an address of AWS, as both SDKs do with STS, talk to the server."""
    original = session.Session.create_client

    @functools.wraps(original)
    def create_client(self: Any, *args: Any, **kwargs: Any) -> Any:
        if os.environ.get(ENDPOINT) and of_aws(kwargs.get("endpoint_url")):
            kwargs["endpoint_url"] = os.environ[ENDPOINT]
        return original(self, *args, **kwargs)

    _put(session.Session, "create_client", create_client)


def of_aws(url: str | None) -> bool:
    """Whether an address is one of AWS."""
    return bool(url) and (urlsplit(str(url)).hostname or "").endswith(AWS)


def _waiters(waiter: ModuleType) -> None:
    """botocore's waiters look every moment, for as long as they would; what a caller asks for (WaiterConfig) holds."""
    original = waiter.SingleWaiterConfig.__init__

    @functools.wraps(original)
    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if self.delay > BRIEF:
            self.max_attempts = math.ceil(self.max_attempts * self.delay / BRIEF)
            self.delay = BRIEF

    _put(waiter.SingleWaiterConfig, "__init__", begin)


def _telemetry(module: ModuleType) -> None:
    """The SDKs tell AWS of each call, by a plain request that no setting of an endpoint reaches."""
    _put(module, "_requests_helper", lambda *args, **kwargs: None)


def _remote_functions(job: ModuleType) -> None:
    """The job of `@remote` is told which Python it was called from: it runs over the packages of that one.

    The SDK is among them, so that it need not be installed into each job.
    """
    settings = getattr(job, "_JobSettings", None)
    if settings is None:
        return
    original = settings.__init__

    @functools.wraps(original)
    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.environment_variables = {CALLER: sys.executable, **(self.environment_variables or {})}

    _put(settings, "__init__", begin)
    _put(job, "_ensure_sagemaker_dependency", lambda path: path)


def _built_models(server: ModuleType) -> None:
    """The server of a model that ModelBuilder pickles is told which Python that was: its script imports the SDK."""
    for owner in list(vars(server).values()):
        for method in UPLOADS if isinstance(owner, type) and owner.__module__ == server.__name__ else ():
            if hasattr(owner, method):
                _put(owner, method, _telling(getattr(owner, method)))


def _telling(upload: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(upload)
    def told(*args: Any, **kwargs: Any) -> Any:
        path, variables = upload(*args, **kwargs)
        return path, {CALLER: sys.executable, **variables} if PICKLED_BY in (variables or {}) else variables

    return told


def _captured(manager: ModuleType) -> None:
    """ModelBuilder looks for what a model imports in a process without any environment, which then has no region."""
    _put(manager, "subprocess", _Subprocess())


class _Subprocess:
    """Module `subprocess` with programs that have the environment of this one, and what they are given beside it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """See subprocess."""
        kwargs["env"] = {**os.environ, **(kwargs.get("env") or {})}
        return subprocess.run(*args, **kwargs)


class _Clock:
    """Module `time` as the SageMaker SDK sees it: who sleeps between two looks, sleeps briefly.

    Where `goes_on`, its clock goes on by what was not slept: loops that tail a log look at the job every 30 seconds.
    """

    def __init__(self, goes_on: bool) -> None:
        self._goes_on = goes_on
        self._skipped = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        """Sleep, but not longer than a moment."""
        time.sleep(min(seconds, BRIEF))
        if self._goes_on:
            self._skipped += max(0.0, seconds - BRIEF)

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._skipped


TAILING = (
    "sagemaker.session",
    "sagemaker.core.helper.session_helper",
    "sagemaker.core.processing",
    "sagemaker.core.remote_function.job",
    "sagemaker.core.transformer",
)

UPLOADS = ("_upload_torchserve_artifacts", "_upload_server_artifacts")
"""Methods of the model servers that run a script of the SDK's: they answer (address, environment) of what they packed.
"""

SERVERS = ("torchserve", "multi_model_server")

REMOTE = ("sagemaker.remote_function", "sagemaker.core.remote_function")

PATCHES: dict[str, Callable[[ModuleType], None]] = {
    "botocore.session": _clients,
    "botocore.waiter": _waiters,
    "sagemaker.telemetry.telemetry_logging": _telemetry,
    "sagemaker.core.telemetry.telemetry_logging": _telemetry,
    "sagemaker.serve.utils.telemetry_logger": _telemetry,
    "sagemaker.serve.detector.dependency_manager": _captured,
    **{f"{package}.job": _remote_functions for package in REMOTE},
    **{f"sagemaker.serve.model_server.{server}.server": _built_models for server in SERVERS},
}
