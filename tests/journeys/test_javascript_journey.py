"""The AWS SDK for JavaScript as a program uses it: pointed at the server by AWS_ENDPOINT_URL, and by the proxy alone.

It is installed by `.ci/clients prepare`, never by the tests; Node must be there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sagelet.environment import applied, changes, changes_by_proxy
from sagelet.proxied import proxy
from tests.journeys.conftest import csv, table, training_request

SDK = Path(__file__).resolve().parents[2] / ".clients" / "js"
PROGRAM = Path(__file__).parent / "js" / "program.js"

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed"),
    pytest.mark.skipif(
        not (SDK / ".installed").exists(), reason="no AWS SDK for JavaScript: run `.ci/clients prepare`"
    ),
]


@pytest.fixture(params=["by its endpoint", "by the proxy"])
def way(request, client, monkeypatch):
    """A way to the server, and its variables."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    url = client.server.url
    changed = changes(url) if request.param == "by its endpoint" else changes_by_proxy(proxy(url))
    return request.param, applied(changed)


def node(script: Path, *words: str, variables: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["node", str(script), *words], capture_output=True, text=True, env=variables, cwd=SDK, timeout=150
    )


def test_a_program_trains_waits_deploys_and_invokes(way, client, tmp_path):
    request = training_request(client.name("js"), client.name("js-bucket"))
    source = request["InputDataConfig"][0]["DataSource"]["S3DataSource"]
    source["S3Uri"] = request["OutputDataConfig"]["S3OutputPath"].replace("/out", "/train")
    (tmp_path / "request").write_text(json.dumps(request))
    (tmp_path / "rows").write_bytes(csv(table()))
    # Modules are looked for beside the program.
    shutil.copy(PROGRAM, script := SDK / "program.mjs")
    told = node(script, str(tmp_path / "request"), str(tmp_path / "rows"), variables=way[1])
    assert told.returncode == 0, told.stderr[-3000:]
    found = json.loads(told.stdout)
    assert found["account"] == "123456789012" and found["same"]
    assert found["keys"] == ["large", "train/rows.csv"] and found["missing"] == "NotFound"
    assert (found["waited"], found["status"]) == ("SUCCESS", "Completed") and found["took"] > 0
    assert found["listed"] == [request["TrainingJobName"]]
    assert found["whole"] == found["streamed"] and abs(float(found["whole"]) - (3 * 0.1 - 2 * 0.2 + 0.09)) < 0.7
    name, message = found["fault"]
    assert name == "ValidationException" and "Could not find model" in message
    names = ["sts.us-east-1.amazonaws.com", f"{request['OutputDataConfig']['S3OutputPath'].split('/')[2]}.s3.us-east-1"]
    assert found["hosts"] == (["127.0.0.1"] if way[0] == "by its endpoint" else [names[0], f"{names[1]}.amazonaws.com"])


ELSEWHERE = """
import https from 'node:https'
https.get('https://example.com', () => console.log('reached')).on('error', (error) => console.log(error.message))
"""


def test_nodes_https_reaches_nothing_else(client, tmp_path):
    (tmp_path / "elsewhere.mjs").write_text(ELSEWHERE)
    told = node(tmp_path / "elsewhere.mjs", variables=applied(changes_by_proxy(proxy(client.server.url))))
    assert "not to example.com. Put a host that a program may reach into NO_PROXY" in told.stdout
