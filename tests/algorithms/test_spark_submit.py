"""smspark-submit: what Spark is asked for, by a Spark that only tells; once by the real one, where there is one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path
from typing import Any

import pytest

from algorithms import catalog
from algorithms.spark import configuration
from tests.algorithms.job import ROOT

SMSPARK = ROOT / "algorithms" / "spark" / "bin" / "smspark-submit"
TELLING = """#!/bin/sh
echo "asked: $*"
echo "home: $SPARK_HOME"
cat "$SPARK_CONF_DIR"/*
env | grep -E '^(A_VARIABLE|PYSPARK_PYTHON)='
exit ${SPARK_STATUS:-0}
"""


class Job:
    """/opt/ml of a processing job, and an environment with a Spark that tells what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.ml = folder / "ml"
        self.input = self.ml / "processing" / "input"
        (self.input / "conf").mkdir(parents=True)
        (self.ml / "config").mkdir()
        self.site = folder / "site"
        self._script(self.site / "pyspark" / "bin" / "spark-submit", TELLING)
        (self.site / "pyspark" / "__init__.py").touch()
        (self.site / "pyspark-4.0.1.dist-info").mkdir()
        (self.site / "pyspark-4.0.1.dist-info" / "METADATA").write_text("Name: pyspark\nVersion: 4.0.1\n")
        self.java("17.0.1")
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": str(self.site),
            "JAVA_HOME": str(folder / "java"),
            "SAGEMAKER_BASE_DIR": str(self.ml),
        }

    def java(self, version: str) -> None:
        home = self.site.parent / "java" / "bin" / "java"
        self._script(home, f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")

    def configure(self, *parts: dict[str, Any]) -> None:
        (self.input / "conf" / "configuration.json").write_text(json.dumps(parts))

    def hosts(self, here: str, *names: str) -> None:
        told = {"current_host": here, "hosts": names}
        (self.ml / "config" / "resourceconfig.json").write_text(json.dumps(told))

    def submit(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        told = {**self.environment, **environment}
        return subprocess.run([SMSPARK, *arguments], env=told, text=True, capture_output=True, timeout=120)

    def failed(self, *arguments: str, **environment: str) -> str:
        done = self.submit(*arguments, **environment)
        assert done.returncode == 1, done.stdout + done.stderr
        message = (self.ml / "output" / "message").read_text()
        assert message in done.stderr
        return message

    def _script(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_the_images_of_spark_are_known() -> None:
    found = catalog.find("173754725891.dkr.ecr.us-east-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu-py312-v1")
    assert found is not None and found.name == "spark"


def test_the_options_reach_spark(job: Job) -> None:
    jars = job.input / "jars"
    jars.mkdir()
    for name in ("b.jar", "a.jar"):
        (jars / name).touch()
    (job.input / "one.py").touch()
    options = ["--jars", str(jars), "--py-files", f"{job.input}/one.py,hdfs://x/two.py", "--class", "a.B", "--verbose"]
    done = job.submit(*options, "app.py", "--verbose", "--input", "x y")
    assert done.returncode == 0, done.stderr
    assert (
        f"asked: --master local[*] --class a.B --jars {jars}/a.jar,{jars}/b.jar --py-files {job.input}/one.py,"
        "hdfs://x/two.py --verbose app.py --verbose --input x y"
    ) in done.stdout
    assert f"home: {job.site}/pyspark" in done.stdout
    assert f"PYSPARK_PYTHON={sys.executable}" in done.stdout
    assert not (job.ml / "output" / "message").exists()


def test_the_configuration_reaches_spark(job: Job) -> None:
    exported = {"Classification": "export", "Properties": {"A_VARIABLE": "a value"}}
    job.configure(
        {"Classification": "spark-defaults", "Properties": {"spark.executor.memory": "2g", "spark.ui.enabled": True}},
        {"Classification": "spark-env", "Properties": {}, "Configurations": [exported]},
        {"Classification": "core-site", "Properties": {"fs.a": "<b>"}},
        {"Classification": "spark-log4j2", "Properties": {"rootLogger.level": "warn"}},
        {"Classification": "yarn-site", "Properties": {"yarn.a": "b"}},
    )
    told = job.submit("app.py").stdout
    assert "spark.executor.memory 2g\n" in told and "spark.ui.enabled True\n" in told
    assert "A_VARIABLE=a value" in told
    assert "<property><name>fs.a</name><value>&lt;b&gt;</value></property>" in told
    assert "rootLogger.level=warn" in told
    assert "yarn-site has no meaning on a local master" in told


def test_event_logs_are_written_where_they_are_wanted(job: Job) -> None:
    events = job.ml / "processing" / "spark-events"
    told = job.submit("--local-spark-event-logs-dir", str(events), "app.py").stdout
    assert f"spark.eventLog.dir {events.as_uri()}\n" in told and "spark.eventLog.enabled true" in told
    assert events.is_dir()


def test_a_failure_leaves_its_message(job: Job) -> None:
    message = job.failed("app.py", SPARK_STATUS="3")
    assert message.startswith("Algorithm Error: (caused by CalledProcessError): ")
    assert message.endswith("returned non-zero exit status 3.")


def test_the_first_host_computes_alone(job: Job) -> None:
    hosts = [f"algo-{number}" for number in range(1, 12)]
    job.hosts("algo-10", *hosts)
    done = job.submit("app.py")
    assert done.returncode == 0
    assert "Sagelet runs Spark on algo-1 alone; algo-10 has nothing to do" in done.stdout
    job.hosts("algo-1", *hosts)
    assert "asked: --master local[*] app.py" in job.submit("app.py").stdout


def test_an_unknown_classification_is_named(job: Job) -> None:
    job.configure({"Classification": "presto", "Properties": {}})
    assert "the Classification 'presto' is not known; there are: spark-defaults" in job.failed("app.py")


@pytest.mark.parametrize("text", ["{", '["spark-defaults"]', '{"Properties": {}}'])
def test_a_configuration_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "configuration.json").write_text(text)
    with pytest.raises(configuration.BadConfiguration):
        configuration.read(tmp_path / "configuration.json")


def test_without_pyspark_it_says_how_to_install_it(job: Job) -> None:
    if util.find_spec("pyspark") is not None:
        pytest.skip("pyspark is installed")
    shutil.rmtree(job.site / "pyspark")
    assert job.failed("app.py").endswith("pyspark is not installed: pip install 'sagelet[spark]'")


def test_without_java_it_says_how_to_install_it(job: Job) -> None:
    install = "apt install openjdk-17-jre-headless, or set JAVA_HOME"
    message = job.failed("app.py", JAVA_HOME="/nowhere")
    assert f"Spark 4.0.1 needs Java 17 or newer, and JAVA_HOME (/nowhere) has no bin/java: {install}" in message
    job.java("1.8.0_402")
    assert "is Java 8: apt install" in job.failed("app.py")


@pytest.mark.parametrize("options", [[], ["--class"], ["--nothing", "app.py"], ["--files", "/nowhere", "app.py"]])
def test_a_wrong_call_leaves_its_message(job: Job, options: list[str]) -> None:
    assert "error preparing for spark submit" in job.failed(*options)


COUNTING = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("count").getOrCreate()
frame = spark.read.csv(sys.argv[1], header=True, inferSchema=True)
frame.groupBy("g").sum("x").orderBy("g").coalesce(1).write.mode("overwrite").csv(sys.argv[2])
"""


def test_a_real_spark_counts(job: Job, tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="pip install 'sagelet[spark]'")
    if shutil.which("java") is None:
        pytest.skip("there is no Java: apt install openjdk-17-jre-headless")
    (tmp_path / "app.py").write_text(COUNTING)
    (tmp_path / "in.csv").write_text("g,x\na,1\nb,2\na,3\n")
    events, out = tmp_path / "events", tmp_path / "out"
    job.environment |= {"PYTHONPATH": "", "JAVA_HOME": "", "HOME": os.environ.get("HOME", "/tmp")}
    options = ["--local-spark-event-logs-dir", str(events)]
    done = job.submit(*options, str(tmp_path / "app.py"), f"file://{tmp_path}/in.csv", f"file://{out}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "".join(part.read_text() for part in out.glob("part-*")) == "a,4\nb,2\n"
    assert list(events.iterdir())
