"""Fixtures for suites that call SageMaker: a real server for the session, clients of it, and a fresh state a test.

The server starts in under a second on a free port and keeps everything in a temporary folder; the whole session is
activated (`sagelet.activate`), so that code under test needs no endpoint. With pytest-xdist every worker has a server
of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sagelet.server import Server


@pytest.fixture(scope="session")
def sagelet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server: `.url`, `.env` (variables for child processes), `.data_dir`, `.pid`, `.reset()`.

    Plain `boto3.client("sagemaker")`, and the SageMaker SDK, talk to it for the whole session.
    """
    from sagelet.activation import running

    # Nobody looks at the statuses in between.
    with running(tmp_path_factory.mktemp("sagelet"), "--settle-seconds", "0") as server:
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


def _client(service: str) -> Any:
    import boto3

    return boto3.client(service)
