"""The AWS CLI as people type it: version 1 from PyPI (`.ci/clients prepare`), else what is installed.

SAGELET_AWS_CLI names others. Each command is a process of its own, with nothing but the activation's variables.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from sagelet.environment import applied, changes, changes_by_proxy
from sagelet.proxied import proxy
from tests.journeys.conftest import ROLE, csv, table, training_request, variant

FROM_PYPI = Path(__file__).resolve().parents[2] / ".clients" / "awscli" / "bin" / "aws"


def installed() -> list[str]:
    """The CLIs of this machine."""
    named = os.environ.get("SAGELET_AWS_CLI")
    if named:
        return named.split(os.pathsep)
    found = str(FROM_PYPI) if FROM_PYPI.exists() else shutil.which("aws")
    return [found] if found else []


CLIS = installed()
NONE = "no AWS CLI: run `.ci/clients prepare`, or name one in SAGELET_AWS_CLI"

pytestmark = pytest.mark.skipif(not CLIS, reason=NONE)


class Shell:
    """A shell of somebody who types `aws ...`."""

    def __init__(self, cli: str, folder: Path) -> None:
        self.cli = cli
        self.folder = folder
        self.variables = dict(os.environ)
        told = self.run("--version")
        self.version = tuple(int(part) for part in told.split()[0].partition("/")[2].split("."))

    @property
    def second(self) -> bool:
        return self.version >= (2,)

    def activate(self, url: str, by_proxy: bool = False) -> None:
        """Versions before AWS_ENDPOINT_URL (1.29.0 and 2.13.0) have the proxy only."""
        by_proxy = by_proxy or self.version < ((2, 13) if self.second else (1, 29))
        changed = changes_by_proxy(proxy(url)) if by_proxy else changes(url)
        alone = {"AWS_CONFIG_FILE": str(self.folder / "none"), "AWS_PAGER": "", "COLUMNS": "120"}
        self.variables = {**applied(changed), **alone}

    def run(self, line: str, *more: str, status: int = 0) -> str:
        """What `aws LINE` prints; of a command that is to fail, what it says."""
        command = [self.cli, *line.split(), *more]
        told = subprocess.run(command, capture_output=True, text=True, env=self.variables, cwd=self.folder, timeout=120)
        assert told.returncode == status, f"{line}: {told.returncode}\n{told.stdout}{told.stderr}"
        return told.stdout if not status else told.stderr

    def refused(self, line: str) -> str:
        """What it says of a command that the service refuses."""
        return self.run(line, status=254 if self.second else 255)

    def json(self, line: str, *more: str):
        return json.loads(self.run(f"{line} --output json", *more))


@pytest.fixture
def shell(cli, monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    if cli == shutil.which("aws") and subprocess.run([cli, "--version"], capture_output=True).returncode:
        pytest.skip(f"{cli} does not start here")  # of pyenv: it may stand for another Python's
    return Shell(cli, tmp_path)


one = pytest.mark.parametrize("cli", CLIS[:1] or [NONE], ids=["first"])
each = pytest.mark.parametrize("cli", CLIS or [NONE], ids=range(len(CLIS or [NONE])))


@one
def test_objects_are_copied_kept_in_step_listed_and_removed(shell, client):
    shell.activate(client.server.url)
    bucket = client.name("cli")
    tree = shell.folder / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "one").write_text("1")
    (tree / "deep" / "two").write_text("22")
    (large := shell.folder / "large").write_bytes(os.urandom(20 << 20))
    assert shell.run(f"s3 mb s3://{bucket}") == f"make_bucket: {bucket}\n"
    shell.run(f"s3 cp large s3://{bucket}/large --no-progress")
    shell.run(f"s3 sync tree s3://{bucket}/tree --no-progress")
    assert shell.run(f"s3 sync tree s3://{bucket}/tree") == "", "all is there already"
    listed = shell.run(f"s3 ls s3://{bucket} --recursive --summarize")
    assert "tree/deep/two" in listed and "Total Objects: 3" in listed
    shell.run(f"s3 cp s3://{bucket}/large back --no-progress")
    assert (shell.folder / "back").read_bytes() == large.read_bytes()
    url = shell.run(f"s3 presign s3://{bucket}/tree/one --expires-in 60").strip()
    assert subprocess.run(["curl", "-sSf", url], capture_output=True, text=True, env=shell.variables).stdout == "1"
    shell.run(f"s3 rm s3://{bucket}/tree --recursive")
    assert shell.run(f"s3 ls s3://{bucket}/").split()[2:] == [str(20 << 20), "large"]
    shell.run(f"s3 rb s3://{bucket} --force")
    assert "NoSuchBucket" in shell.refused(f"s3 ls s3://{bucket}")


@one
def test_a_job_is_trained_awaited_and_served(shell, client):
    shell.activate(client.server.url)
    bucket, name = client.bucket(), client.name("cli-job")
    (shell.folder / "rows.csv").write_bytes(csv(table()))
    shell.run(f"s3 cp rows.csv s3://{bucket}/train/rows.csv")
    (shell.folder / "job.json").write_text(json.dumps(training_request(name, bucket)))
    assert shell.run("sts get-caller-identity --query Account --output text") == "123456789012\n"
    made = shell.json("sagemaker create-training-job --cli-input-json file://job.json")
    assert made["TrainingJobArn"].endswith(f":training-job/{name}")
    began = time.monotonic()
    shell.run(f"sagemaker wait training-job-completed-or-stopped --training-job-name {name}")
    assert shell.second or time.monotonic() - began < 60, "botocore's own waiter sleeps 120 s"
    job = shell.json(f"sagemaker describe-training-job --training-job-name {name}")
    assert job["TrainingJobStatus"] == "Completed"
    listed = shell.run(
        f"sagemaker list-training-jobs --name-contains {name} --output table",
        *("--query", "TrainingJobSummaries[].[TrainingJobName,TrainingJobStatus]"),
    )
    assert name in listed and "Completed" in listed
    assert "[0]" in logs(shell, name)
    primary = f"Image={job['AlgorithmSpecification']['TrainingImage']}"
    primary += f",ModelDataUrl={job['ModelArtifacts']['S3ModelArtifacts']}"
    shell.run(f"sagemaker create-model --model-name {name} --execution-role-arn {ROLE} --primary-container {primary}")
    variants = json.dumps([variant("all", name)])
    shell.run(f"sagemaker create-endpoint-config --endpoint-config-name {name} --production-variants", variants)
    shell.run(f"sagemaker create-endpoint --endpoint-name {name} --endpoint-config-name {name}")
    client.in_service(name)
    shell.run(f"sagemaker wait endpoint-in-service --endpoint-name {name}")
    (shell.folder / "row.csv").write_text("0.1,0.2,0.3")
    body = "fileb://row.csv" if shell.second else "file://row.csv"
    invoke = f"sagemaker-runtime invoke-endpoint --endpoint-name {name} --content-type text/csv --body {body}"
    assert "text/csv" in shell.run(f"{invoke} answer")
    assert (shell.folder / "answer").read_text() == client.invoke(name, b"0.1,0.2,0.3")
    missing = shell.refused("sagemaker describe-model --model-name nobody")
    assert "ValidationException" in missing and "Could not find model" in missing


@each
def test_it_asks_by_awss_own_names_through_the_proxy(shell, client, training_data):
    shell.activate(client.server.url, by_proxy=True)
    assert "AWS_ENDPOINT_URL" not in shell.variables
    job = client.train(training_data)["TrainingJobName"]
    (shell.folder / "word").write_text("hello")
    shell.run(f"s3 cp word s3://{training_data}/word")
    url = shell.run(f"s3 presign s3://{training_data}/word").strip()
    assert url.startswith(f"https://{training_data}.s3")
    assert subprocess.run(["curl", "-sSf", url], capture_output=True, text=True, env=shell.variables).stdout == "hello"
    assert "[0]" in logs(shell, job)
    shell.run(f"sagemaker wait training-job-completed-or-stopped --training-job-name {job}")
    told = shell.json(f"sagemaker describe-training-job --training-job-name {job} --query TrainingJobStatus")
    assert told == "Completed"


def logs(shell: Shell, job: str) -> str:
    """What the job wrote; version 1 has no `logs tail`."""
    group = "/aws/sagemaker/TrainingJobs"
    if shell.second:
        return shell.run(f"logs tail {group} --log-stream-name-prefix {job}/ --since 1h")
    return shell.run(f"logs filter-log-events --log-group-name {group} --log-stream-name-prefix {job}/ --output text")
