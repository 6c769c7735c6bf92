"""The Python of a remote function's job: over the packages of the caller's, or a sentence that says what helps."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from algorithms.common.contract import Layout
from algorithms.script_mode import callers, interpreter


@pytest.fixture
def job(tmp_path, monkeypatch):
    """The environment of a job with a channel of the SDK's scripts."""
    (tmp_path / "ml/input/data" / callers.BOOTSTRAP).mkdir(parents=True)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    monkeypatch.delenv(callers.CALLER, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def made(path: str, code: str) -> str:
    """What the first `python` of PATH prints."""
    ran = subprocess.run(["python", "-c", code], env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert not ran.returncode, ran.stderr
    return ran.stdout.strip()


def test_the_job_has_the_packages_of_the_caller_and_a_place_of_its_own(job, monkeypatch):
    venv.create(job / "caller", symlinks=True)
    packages = next((job / "caller/lib").glob("python*")) / "site-packages"
    (packages / "of_the_caller.py").write_text("WORD = 'there'")
    monkeypatch.setenv(callers.CALLER, str(job / "caller/bin/python"))
    variables = interpreter.for_command()
    assert made(variables["PATH"], "import of_the_caller; print(of_the_caller.WORD)") == "there"
    prefix = Path(made(variables["PATH"], "import sys; print(sys.prefix)"))
    assert prefix != job / "caller" and prefix.is_relative_to(job)
    assert variables["LOGNAME"] == "root"


def test_a_job_that_is_no_remote_function_keeps_the_python_of_the_server(job, monkeypatch):
    (job / "ml/input/data" / callers.BOOTSTRAP).rmdir()
    monkeypatch.setenv(callers.CALLER, "/nowhere/python")
    variables = interpreter.for_command()
    version = "import sys; print(sys.version_info[:3])"
    assert made(variables["PATH"], version) == str(sys.version_info[:3]) and "LOGNAME" not in variables


def test_who_names_no_python_is_told_what_to_do(job):
    assert callers.is_remote(Layout.from_environment())
    with pytest.raises(callers.NoCaller, match=r"sagelet run.*SAGELET_REMOTE_PYTHON=PATH"):
        interpreter.for_command()


def test_a_python_that_jobs_do_not_see_is_named(job, monkeypatch):
    monkeypatch.setenv(callers.CALLER, "/nowhere/python")
    with pytest.raises(callers.NoCaller, match=r"/nowhere/python\), which cannot be run in a job.*lies elsewhere"):
        interpreter.for_command()
