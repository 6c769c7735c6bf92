"""Programs with AWS's own addresses in them, answered by the server as their proxy: boto3, requests, urllib, curl."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sagelet.environment import applied, changes_by_proxy
from sagelet.proxied import proxy
from tests.journeys.conftest import csv, table, training_request

PROGRAM = Path(__file__).with_name("proxy_program.py")


@pytest.fixture
def proxied(server, monkeypatch):
    """The environment of a program that has the server as its proxy."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    return applied(changes_by_proxy(proxy(server.url)))


def threads(pid):
    return int(
        next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "Threads" in line).split()[1]
    )


def test_a_program_without_an_endpoint_trains_deploys_and_reaches_nothing_else(client, proxied, tmp_path):
    request = training_request(client.name("by-proxy"), client.name("bucket"))
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = request["OutputDataConfig"][
        "S3OutputPath"
    ].replace("/out", "/train")
    (tmp_path / "request").write_text(json.dumps(request))
    (tmp_path / "rows").write_bytes(csv(table()))
    told = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path / "request"), str(tmp_path / "rows")],
        capture_output=True,
        text=True,
        env=proxied,
        timeout=200,
    )
    assert told.returncode == 0, told.stderr[-3000:]
    found = json.loads(told.stdout)
    assert found["sts"] == ["123456789012", "https://sts.us-east-1.amazonaws.com"]
    objects = found["s3"]
    assert objects["same"] == [True, True] and objects["words"] == ["hello", "hello"]
    assert objects["put"] == "by requests" and objects["host"].endswith(".s3.amazonaws.com/word")
    trained = found["training"]
    assert trained["status"] == "Completed" and trained["streams"] == 1 and trained["same"]
    assert abs(trained["is"] - (3 * 0.1 - 2 * 0.2 + 0.09)) < 0.7, "a model of the rows that it was given"
    assert found["at once"] == {"answers": 300, "lengths": [5]}
    assert found["cloudwatch"] == found["ecr"] == 200 and "sqs.us-east-1.amazonaws.com" in found["queue"]
    assert "NoSuchBucket" in found["telemetry"] and "'checkip' is not answered here" in found["nobody"]
    assert all("example.com. Put a host that a program may reach into NO_PROXY" in each for each in found["elsewhere"])


def test_curl_and_a_command_of_its_own_are_proxied(client, proxied, tmp_path):
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    whole = tmp_path / "whole"
    whole.write_bytes(os.urandom(1 << 20))
    bucket = client.bucket()
    url = f"https://{bucket}.s3.eu-west-1.amazonaws.com/it"
    before = threads(client.server.pid)
    command = [sys.executable, "-m", "sagelet", "run", "--proxy", "--data-dir", str(client.server.data_dir), "--"]
    subprocess.run([*command, curl, "-sSf", "-T", str(whole), url], check=True, timeout=60)
    read = subprocess.run([curl, "-sSf", url], env=proxied, capture_output=True, check=True, timeout=60)
    assert read.stdout == whole.read_bytes()
    refused = subprocess.run([curl, "-sSv", "https://example.com"], env=proxied, capture_output=True, text=True)
    assert refused.returncode == 56 and "not to example.com" in refused.stderr
    assert threads(client.server.pid) <= before
