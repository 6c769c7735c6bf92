"""smspark-submit: pip's spark-submit with a local master of all cores, and the options of the service's command.

Several hosts do not make a cluster here: the first one computes, the others end at once.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata, util
from pathlib import Path
from typing import Any, NoReturn

from algorithms.common.contract import Layout
from algorithms.spark import configuration

MESSAGE_LIMIT = 1024
"""Characters of the message file: the service keeps 1 KB."""
LISTS = ("jars", "py_files", "files")
NO_PYSPARK = "pyspark is not installed: pip install 'sagelet[spark]'"
NO_JAVA = "Spark {spark} needs Java {java} or newer, and {found}: apt install openjdk-17-jre-headless, or set JAVA_HOME"


class NotReady(Exception):
    """What is needed is not there; the message says what and how to get it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise NotReady(message)


def main(arguments: Sequence[str]) -> int:
    """Run an application as the arguments say; its exit status, with a message beside it when it failed."""
    layout = Layout.from_environment()
    try:
        asked = _parser().parse_args(arguments)
        hosts, here = _hosts(layout)
        if here != hosts[0]:
            print(f"smspark-submit: Sagelet runs Spark on {hosts[0]} alone; {here} has nothing to do", flush=True)
            return 0
        with tempfile.TemporaryDirectory(prefix="smspark-") as folder:
            command, environment = _prepared(asked, layout, Path(folder))
            print(f"smspark-submit: {' '.join(command)}", flush=True)
            status = _run(command, environment)
    except (NotReady, ValueError, OSError) as error:
        _tell(layout, f"Algorithm Error: (caused by {type(error).__name__}): error preparing for spark submit: {error}")
        return 1
    if status:
        text = f"Command {' '.join(command)!r} returned non-zero exit status {status}."
        _tell(
            layout, f"Algorithm Error: (caused by CalledProcessError): spark failed with a non-zero exit code: {text}"
        )
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("smspark-submit", description=__doc__, allow_abbrev=False)
    parser.add_argument("--class", dest="main_class", metavar="CLASS", help="the application's main class")
    for name in LISTS:
        parser.add_argument(f"--{name.replace('_', '-')}", help="files and folders, separated by commas")
    parser.add_argument("--local-spark-event-logs-dir", dest="events", help="where event logs are written")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("app", help="a Python file or a jar")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser


def _hosts(layout: Layout) -> tuple[list[str], str]:
    """The job's hosts, and which one this is."""
    path = layout.base / "config" / "resourceconfig.json"
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    hosts = sorted(told.get("hosts") or ["algo-1"], key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
    return hosts, str(told.get("current_host") or hosts[0])


def _prepared(asked: argparse.Namespace, layout: Layout, folder: Path) -> tuple[list[str], dict[str, str]]:
    """The command and its environment; what it needs lies in `folder`."""
    spark = _spark()
    told = configuration.read(layout.base / "processing" / "input" / "conf" / "configuration.json")
    if told.ignored:
        print(f"smspark-submit: {', '.join(told.ignored)} has no meaning on a local master", flush=True)
    environment = {**os.environ, **_variables(spark, folder), **told.variables}
    _check_java(environment)
    told.write(folder, _defaults(asked.events))
    command = [str(spark / "bin" / "spark-submit"), "--master", "local[*]"]
    if asked.main_class:
        command += ["--class", asked.main_class]
    for name in LISTS:
        if getattr(asked, name):
            command += [f"--{name.replace('_', '-')}", _resolved(getattr(asked, name), folder / name)]
    command += ["--verbose"] if asked.verbose else []
    return [*command, asked.app, *asked.arguments], environment


def _spark() -> Path:
    """The folder of pip's Spark."""
    found = util.find_spec("pyspark")
    if found is None or not found.origin:
        raise NotReady(NO_PYSPARK)
    return Path(found.origin).parent


def _variables(spark: Path, folder: Path) -> dict[str, str]:
    """Spark binds to the loopback: the name of the host need not be known to anybody."""
    python = {name: os.environ.get(name) or sys.executable for name in ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON")}
    local = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost", "HADOOP_USER_NAME": "root"}
    return {"SPARK_HOME": str(spark), "SPARK_CONF_DIR": str(folder), **python, **local}


def _defaults(events: str | None) -> dict[str, str]:
    """Properties that the job's own configuration may change."""
    defaults = {"spark.ui.enabled": "false", "spark.driver.host": "localhost"}
    if events:
        place = Path(events).absolute()
        place.mkdir(parents=True, exist_ok=True)
        defaults |= {"spark.eventLog.enabled": "true", "spark.eventLog.dir": place.as_uri()}
    return defaults


def _check_java(environment: Mapping[str, str]) -> None:
    spark = metadata.version("pyspark")
    needed = 17 if int(spark.split(".")[0]) >= 4 else 8
    home = environment.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home, "bin")) if home else environment.get("PATH"))
    if not java:
        where = f"JAVA_HOME ({home}) has no bin/java" if home else "there is none"
        raise NotReady(NO_JAVA.format(spark=spark, java=needed, found=where))
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    if version and int(version.group(1)) < needed:
        raise NotReady(NO_JAVA.format(spark=spark, java=needed, found=f"{java} is Java {version.group(1)}"))


def _resolved(listed: str, folder: Path) -> str:
    """The files of a list: a folder stands for all that is in it, an object of S3 is fetched."""
    found: list[str] = []
    for each in listed.split(","):
        path = Path(each)
        if each.startswith(("s3://", "s3a://")):
            found.append(str(_fetched(each, folder)))
        elif path.is_dir():
            found += [str(file) for file in sorted(path.iterdir()) if file.is_file()]
        elif path.exists() or ":" in each:
            found.append(each)
        else:
            raise NotReady(f"there is no file {each}")
    return ",".join(found)


def _fetched(location: str, folder: Path) -> Path:
    import boto3

    bucket, _, key = location.partition("://")[2].partition("/")
    folder.mkdir(exist_ok=True)
    target = folder / key.rpartition("/")[2]
    try:
        boto3.client("s3").download_file(bucket, key, str(target))
    except Exception as error:
        raise NotReady(f"{location} cannot be fetched: {error}") from error
    return target


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run it; a request to end is passed on."""
    with subprocess.Popen(command, env=dict(environment)) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


def _tell(layout: Layout, message: str) -> None:
    print(f"smspark-submit: {message}", file=sys.stderr, flush=True)
    (layout.base / "output").mkdir(parents=True, exist_ok=True)
    (layout.base / "output" / "message").write_text(message[:MESSAGE_LIMIT], encoding="utf-8")
