"""Models that the SDK's ModelBuilder packs: served over the packages of the Python that pickled them."""

import os
import re
import sys
import venv
from pathlib import Path

import pytest

from algorithms.script_mode import callers
from tests.algorithms.hosted import Hosted

SCRIPT = """
import os, shutil, sys
from sagemaker import serve
import of_the_caller
def model_fn(model_dir):
    given = os.path.join(model_dir, "shared_libs")
    if os.path.exists(given):
        shutil.copytree(given, "/nowhere/lib", dirs_exist_ok=True)
    return of_the_caller.FACTOR
def input_fn(data, content_type):
    return int(data)
def predict_fn(number, factor):
    first = os.environ["LD_LIBRARY_PATH"].split(os.pathsep)[0]
    return f"{number * factor} {os.listdir(first)} {serve.WORD}"
def output_fn(answer, accept):
    return answer
"""
"""It does as the SDK's own inference.py, which copies libraries to /lib."""


@pytest.fixture
def built(tmp_path: Path) -> Hosted:
    """A model as ModelBuilder packs it, under an image whose framework it does not need."""
    hosted = Hosted(
        tmp_path, "pytorch", SCRIPT, **{"serve.pkl": "pickled", "requirements.txt": "sagemaker[x]>=2.199\n"}
    )
    (hosted.model / "shared_libs").mkdir()
    (hosted.model / "shared_libs" / "libmine.so").touch()
    return hosted


@pytest.fixture
def caller(tmp_path: Path) -> Path:
    """A Python with an SDK and a module of the caller's, without pip."""
    venv.create(tmp_path / "caller", symlinks=True)
    packages = next((tmp_path / "caller/lib").glob("python*")) / "site-packages"
    (packages / "sagemaker/serve").mkdir(parents=True)
    (packages / "sagemaker/__init__.py").touch()
    (packages / "sagemaker/serve/__init__.py").write_text("WORD = 'theirs'")
    (packages / "of_the_caller.py").write_text("FACTOR = 3")
    return tmp_path / "caller/bin/python"


def test_a_model_is_served_over_the_packages_of_the_python_that_pickled_it(built, caller):
    with built.up(**{callers.CALLER: str(caller)}) as server:
        assert server.post("14", "text/plain").text == "42 ['libmine.so'] theirs"
    again = built.up(**{callers.CALLER: str(caller), "LD_LIBRARY_PATH": "/of/mine"})
    with again as server:  # the folder of libraries was set aside already
        assert server.post("2", "text/plain").text == "6 ['libmine.so'] theirs"


def test_the_sdk_is_not_installed_over_that_of_the_caller_and_the_rest_is(built, caller):
    built.write("requirements.txt", "sagemaker[huggingface]>=2.199\nsagemaker-like-that==1.0\n")
    output = built.down(**{callers.CALLER: str(caller)})
    assert "sagemaker[huggingface]>=2.199 is not installed: sagemaker is that of the caller's Python." in output
    assert "ClientError: requirements.txt cannot be installed: there is no pip in " in output
    assert (built.model / "code/requirements.txt").read_text() == "sagemaker-like-that==1.0\n"


def test_without_a_python_that_has_the_sdk_the_remedies_are_named(built):
    offline = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    output = built.down(**offline)
    said = re.search(r"sagemaker(\[x\])?>=2.199 of requirements.txt is not installed here", output)
    assert said, output  # pip's own words of it: some versions leave out the extras
    (built.model / "code/requirements.txt").unlink()
    for python in ("", sys.executable):
        output = built.down(**{callers.CALLER: python})
        assert "ClientError: ModelBuilder's script imports the SageMaker SDK, which is not installed" in output
        assert "not seen here" not in output
        assert "sagelet run -- python" in output and "SAGELET_REMOTE_PYTHON=PATH" in output
        assert "Traceback" not in output


def test_a_python_that_is_not_there_is_named(built):
    (built.model / "code/requirements.txt").unlink()
    output = built.down(**{callers.CALLER: "/nowhere/python"})
    assert "ClientError: ModelBuilder's script imports the SageMaker SDK" in output
    assert "SAGELET_REMOTE_PYTHON is /nowhere/python, which is not seen here" in output and "Traceback" not in output


def test_a_python_that_cannot_be_run_is_named(built, tmp_path):
    python = tmp_path / "python"
    python.touch()
    output = built.down(**{callers.CALLER: str(python)})
    assert "ClientError: A model of ModelBuilder runs in the Python that it comes from" in output
    assert f"{python}), which cannot be run in a job" in output and "Traceback" not in output
