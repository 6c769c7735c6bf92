"""What the hook changes in an interpreter that is activated, and takes back: each in an interpreter of its own."""

import os
import subprocess
import sys
from pathlib import Path

from sagelet.environment import HOOK

URL = "http://127.0.0.1:9"

STS = """
import boto3
def where(service, **more):
    return boto3.Session("a", "b", region_name="us-east-1").client(service, **more).meta.endpoint_url
sts = {"endpoint_url": "https://sts.us-east-1.amazonaws.com"}
"""


def said(script: str, tmp_path: Path, hooked: bool = True, named: str = "AWS_ENDPOINT_URL", **files: str) -> str:
    """What an interpreter prints whose working folder, which is on its path behind the hook, has these modules."""
    for name, text in files.items():
        file = tmp_path / (name.replace("__", "/") + ".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    path = os.pathsep.join([*([str(HOOK)] if hooked else []), str(tmp_path)])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {**kept, "PYTHONPATH": path, named: URL}
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60)
    assert not told.returncode, told.stderr
    return told.stdout.strip()


def test_an_address_of_aws_that_a_program_gives_is_the_servers(tmp_path):
    script = STS + "print(where('sts', **sts), where('s3', endpoint_url='http://minio:9000'))"
    assert said(script, tmp_path) == f"{URL} http://minio:9000"
    assert said(script, tmp_path, hooked=False).startswith("https://sts.us-east-1.amazonaws.com")


def test_waiters_look_every_moment_for_as_long_as_they_would(tmp_path):
    script = STS + (
        "import botocore.waiter as w\n"
        "c = w.SingleWaiterConfig({'operation': 'X', 'delay': 120, 'maxAttempts': 180, 'acceptors': []})\n"
        "print(c.delay, round(c.delay * c.max_attempts))\n"
        "c = w.SingleWaiterConfig({'operation': 'X', 'delay': 0, 'maxAttempts': 3, 'acceptors': []})\n"
        "print(c.delay, c.max_attempts)"
    )
    assert said(script, tmp_path) == "0.2 21600\n0 3"


def test_by_the_proxy_addresses_stay_awss_and_waiters_are_quick(tmp_path):
    script = STS + (
        "import botocore.waiter as w\n"
        "c = w.SingleWaiterConfig({'operation': 'X', 'delay': 120, 'maxAttempts': 180, 'acceptors': []})\n"
        "print(where('sts', **sts), c.delay)"
    )
    assert said(script, tmp_path, named="SAGELET_SERVER") == "https://sts.us-east-1.amazonaws.com 0.2"


SDK = {
    "sagemaker____init__": "",
    "sagemaker__session": "import time\ndef look():\n    time.sleep(30)\n    return time.time()",
    "sagemaker__other": "import time\ndef look():\n    time.sleep(30)\n    return time.time()",
    "sagemaker__telemetry____init__": "",
    "sagemaker__telemetry__telemetry_logging": "def _requests_helper(url, timeout):\n    raise OSError(url)",
}


def test_the_sdk_sleeps_briefly_and_the_user_as_long_as_he_likes(tmp_path):
    script = (
        "import time\nfrom sagemaker import session, other\n"
        "began = time.time()\nfirst, second = session.look(), other.look()\n"
        "print(round(first - began), second - began < 5, time.time() - began < 5, time.sleep.__module__)"
    )
    assert said(script, tmp_path, **SDK) == "30 True True time"


def test_nothing_is_told_to_aws(tmp_path):
    script = "from sagemaker.telemetry import telemetry_logging as t\nprint(t._requests_helper('https://x', 2))"
    assert said(script, tmp_path, **SDK) == "None"


def test_a_version_of_the_sdk_that_is_built_otherwise_is_imported_as_it_is(tmp_path):
    other = {**SDK, "sagemaker__telemetry__telemetry_logging": "def send():\n    return 7"}
    assert said("from sagemaker.telemetry import telemetry_logging as t\nprint(t.send())", tmp_path, **other) == "7"


def test_everything_is_taken_back(tmp_path):
    script = STS + (
        "import sys, time, sagelet_hook\nfrom sagemaker import session\n"
        "assert session.time is not time\nsagelet_hook.uninstall()\n"
        "print(where('sts', **sts), session.time is time)\n"
        "import sagemaker.other\nprint(sagemaker.other.time is time)"
    )
    assert said(script, tmp_path, **SDK) == "https://sts.us-east-1.amazonaws.com True\nTrue"


def test_a_users_own_sitecustomize_runs_too(tmp_path):
    script = "import sitecustomize, builtins; print(builtins.mine, sitecustomize.__file__)"
    own = {"sitecustomize": "import builtins\nbuiltins.mine = 7"}
    assert said(script, tmp_path, **own) == f"7 {tmp_path / 'sitecustomize.py'}"


def test_an_interpreter_without_a_server_is_left_alone(tmp_path):
    script = "import os, sys, sagelet_hook; print([f for f in sys.meta_path if type(f).__name__ == '_Finder'])"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={**kept, "PYTHONPATH": str(HOOK)}
    )
    assert told.stdout.strip() == "[]", told.stderr


REMOTE = {
    "sagemaker____init__": "",
    "sagemaker__remote_function____init__": "",
    "sagemaker__remote_function__job": """
class _JobSettings:
    def __init__(self, *, environment_variables=None):
        self.environment_variables = environment_variables or {}

def _ensure_sagemaker_dependency(path):
    return "one that installs the SDK"
""",
}


def test_a_remote_function_is_told_the_python_that_it_is_called_from(tmp_path):
    script = (
        "import sys\n"
        "from sagemaker.remote_function import job\n"
        "told = [job._JobSettings(environment_variables=one).environment_variables for one in ({'a': 'b'},"
        " {'SAGELET_REMOTE_PYTHON': 'mine'})]\n"
        "print(told == [{'a': 'b', 'SAGELET_REMOTE_PYTHON': sys.executable}, {'SAGELET_REMOTE_PYTHON': 'mine'}],"
        " job._ensure_sagemaker_dependency(None))"
    )
    assert said(script, tmp_path, **REMOTE) == "True None"
    assert said(script, tmp_path, hooked=False, **REMOTE) == "False one that installs the SDK"


SERVERS = {
    "sagemaker____init__": "",
    "sagemaker__serve____init__": "",
    "sagemaker__serve__detector____init__": "",
    "sagemaker__serve__model_server____init__": "",
    "sagemaker__serve__model_server__torchserve____init__": "",
    "sagemaker__serve__model_server__torchserve__server": """
class SageMakerTorchServe:
    def _upload_torchserve_artifacts(self, path, pickled):
        return path, {"LOCAL_PYTHON": "3"} if pickled else {"A": "b"}
""",
    "sagemaker__serve__detector__dependency_manager": """
import subprocess, sys
def capture_dependencies():
    ask = "import os; print(os.environ.get('AWS_ENDPOINT_URL'), os.environ['A'])"
    return subprocess.run([sys.executable, "-c", ask], env={"A": "b"}, stdout=subprocess.PIPE, check=True).stdout
""",
}


def test_the_server_of_a_model_is_told_the_python_that_pickled_it(tmp_path):
    script = (
        "import sys\n"
        "from sagemaker.serve.model_server.torchserve.server import SageMakerTorchServe as Server\n"
        "print(Server()._upload_torchserve_artifacts('p', True) == "
        "('p', {'LOCAL_PYTHON': '3', 'SAGELET_REMOTE_PYTHON': sys.executable}),"
        " Server()._upload_torchserve_artifacts('p', False))"
    )
    assert said(script, tmp_path, **SERVERS) == "True ('p', {'A': 'b'})"
    assert said(script, tmp_path, hooked=False, **SERVERS) == "False ('p', {'A': 'b'})"


def test_what_looks_for_a_model_s_imports_knows_the_region_and_the_server(tmp_path):
    script = "from sagemaker.serve.detector import dependency_manager as d\nprint(d.capture_dependencies().decode())"
    assert said(script, tmp_path, **SERVERS) == f"{URL} b"
    assert said(script, tmp_path, hooked=False, **SERVERS) == "None b"
