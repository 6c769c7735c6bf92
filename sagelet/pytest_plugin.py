"""Fixtures and a marker for suites that call SageMaker: a real server for the session, clients, a fresh state a test.

The server starts in under a second on a free port and keeps everything in a temporary folder; the whole session is
activated (`sagelet.activate`), so that code under test needs no endpoint. The workers of pytest-xdist share one server,
and each has an account of its own there. The guide is docs/testing.md.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sagelet.server import Server

FAULT = "sagelet_fault"
SHARED = "sagelet_folder"
"""What the controller of pytest-xdist tells its workers: the folder of the server that they share."""

_OPTIONS = "sagelet_options"
_shared = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The setting of pytest's configuration file."""
    parser.addini(_OPTIONS, "options of `sagelet up` for the server of the session (--executor stub)", "args", [])


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    what = "something goes wrong on purpose while the test runs; takes what `sagelet faults add` takes"
    config.addinivalue_line("markers", f"{FAULT}(kind, **members): {what} (docs/testing.md)")


@pytest.fixture(scope="session")
def sagelet_server(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server: `.url`, `.env` (variables for child processes), `.data_dir`, `.pid`, `.account`, `.reset()`.

    Plain `boto3.client("sagemaker")`, and the SageMaker SDK, talk to it for the whole session.
    """
    from sagelet.activation import activate

    # Nobody looks at the statuses in between.
    options = ("--settle-seconds", "0", *pytestconfig.getini(_OPTIONS))
    with _made(pytestconfig, tmp_path_factory, options) as server, activate(server.url, account=server.account):
        yield server


@pytest.fixture
def sagelet_reset(sagelet_server: Server) -> Iterator[Server]:
    """The server, empty: nothing of an earlier test is in it, and nothing of this one stays. Takes milliseconds."""
    sagelet_server.reset()
    yield sagelet_server
    sagelet_server.reset()


@pytest.fixture
def sagemaker_client(sagelet_server: Server) -> Any:
    """boto3's client of the control plane."""
    return _client("sagemaker")


@pytest.fixture
def sagemaker_runtime(sagelet_server: Server) -> Any:
    """boto3's client that invokes endpoints."""
    return _client("sagemaker-runtime")


@pytest.fixture
def s3_client(sagelet_server: Server) -> Any:
    """boto3's client of S3."""
    return _client("s3")


# --- the marker -----------------------------------------------------------------------------------------------------


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test that is to meet a fault needs a server."""
    names = getattr(item, "fixturenames", None)
    if names is not None and "sagelet_server" not in names and item.get_closest_marker(FAULT):
        names.insert(0, "sagelet_server")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """The faults of a test strike while it runs, and none of its fixtures."""
    marks = list(item.iter_markers(FAULT))
    if not marks:
        yield
        return
    from sagelet.testing import fault

    with contextlib.ExitStack() as stack:
        for mark in marks:
            if len(mark.args) != 1:
                pytest.fail(f"@pytest.mark.{FAULT} takes one kind and then names: {FAULT}('throttle', times=1)", False)
            stack.enter_context(fault(*mark.args, **mark.kwargs))
        yield


# --- pytest-xdist ---------------------------------------------------------------------------------------------------


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """The controller, for each worker: which folder they share."""
    stash = node.config.stash
    if _shared not in stash:
        stash[_shared] = Path(tempfile.mkdtemp(prefix="sagelet-"))
    node.workerinput[SHARED] = str(stash[_shared])


def pytest_unconfigure(config: pytest.Config) -> None:
    """The controller: end the server that the workers shared."""
    folder = config.stash.get(_shared, None)
    if folder is not None:
        from sagelet.testing import sharing

        sharing.end(folder)


def _made(
    config: pytest.Config, folders: pytest.TempPathFactory, options: tuple[str, ...]
) -> contextlib.AbstractContextManager[Server]:
    """A server of the session's own; in a worker, the one that all share (unless it works on another machine)."""
    told = getattr(config, "workerinput", {})
    folder = Path(told.get(SHARED) or "/dev/null")
    if folder.is_dir():
        from sagelet.testing.sharing import SharedServer

        return SharedServer(folder, options, told["workerid"])
    from sagelet.server import Server

    return Server(folders.mktemp("sagelet"), options)


def _client(service: str) -> Any:
    import boto3

    return boto3.client(service)
