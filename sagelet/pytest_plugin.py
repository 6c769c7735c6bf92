"""The pytest fixture `sagelet_server`: a real server for a whole test session, on a free port and a fresh folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sagelet.server import Server


@pytest.fixture(scope="session")
def sagelet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server: `.url`, `.env` (variables for child processes), `.data_dir`, `.pid`.

    The variables are set for the whole session, so that plain `boto3.client("sagemaker")` talks to the server.
    """
    from sagelet.server import Server

    # Nobody looks at the statuses in between, and waiters sleep half a minute when they meet one.
    at_once = ("--settle-seconds", "0")
    with Server(tmp_path_factory.mktemp("sagelet"), at_once) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.env.items():
            patch.setenv(name, value)
        yield server
