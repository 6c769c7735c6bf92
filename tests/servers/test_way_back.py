"""What a model server's program is told about the house: its URL and its role's credentials, unless it is isolated."""

from pathlib import Path

import pytest

from emulator.call import Scope
from emulator.logs import FileLogs
from emulator.servers import ModelServers, ServerSpec, WayBack

ROLE = "arn:aws:iam::210987654321:role/serving"


class Remembering:
    """An executor, and the one that chooses it: keeps what it was to start."""

    name = "remembering"

    def choose(self, spec):
        return self

    def start(self, spec):
        self.spec = spec


@pytest.mark.parametrize("network", [True, False])
def test_a_program_gets_its_role_s_credentials_only_where_it_can_use_them(tmp_path, network):
    asked = []

    def credentials(role, scope):
        asked.append((role, scope))
        return {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}

    executor = Remembering()
    way_back = WayBack(lambda: "http://127.0.0.1:1", credentials)
    servers = ModelServers(executor, None, FileLogs(tmp_path / "logs"), way_back)
    arn = "arn:aws:sagemaker:eu-west-1:210987654321:endpoint/e"
    own = {"AWS_SECRET_ACCESS_KEY": "the model's own"}
    servers.start(ServerSpec("r", arn, "i", "", Path(tmp_path / "r"), "g", "s", own, network, role=ROLE))
    told = executor.spec
    assert told.environment["AWS_REGION"] == told.environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert told.environment["AWS_SECRET_ACCESS_KEY"] == "the model's own"
    if network:
        assert asked == [(ROLE, Scope("210987654321", "eu-west-1"))]
        assert (told.endpoint, told.environment["AWS_ACCESS_KEY_ID"]) == ("http://127.0.0.1:1", "key")
    else:
        assert (asked, told.endpoint) == ([], "") and "AWS_ACCESS_KEY_ID" not in told.environment


@pytest.mark.parametrize(
    ("own", "told"),
    [({"LOCAL_PYTHON": "3.12.1"}, "/a/python"), ({"LOCAL_PYTHON": "3", "SAGELET_REMOTE_PYTHON": "x"}, "x"), ({}, None)],
    ids=["pickled", "says-its-own", "another"],
)
def test_a_pickled_model_is_told_the_python_of_the_setting_unless_it_says_its_own(tmp_path, own, told):
    executor = Remembering()
    servers = ModelServers(executor, None, FileLogs(tmp_path / "logs"), WayBack(python="/a/python"))
    arn = "arn:aws:sagemaker:eu-west-1:210987654321:endpoint/e"
    servers.start(ServerSpec("r", arn, "i", "", Path(tmp_path / "r"), "g", "s", own))
    assert executor.spec.environment.get("SAGELET_REMOTE_PYTHON") == told
