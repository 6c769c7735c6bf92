"""Packages of the user's: requirements.txt and modules go into the job's own environment, or are missed by name."""

import os
import sys
import zipfile
from pathlib import Path

import pytest

from tests.algorithms.script import TELL, Script

OFFLINE = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def wheel(folder: Path, name: str, version: str, text: str, requires: str = "") -> None:
    """A wheel of one module."""
    folder.mkdir(exist_ok=True)
    facts = f"{name}-{version}.dist-info"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as packed:
        packed.writestr(f"{name}.py", text)
        packed.writestr(f"{facts}/METADATA", about + (f"Requires-Dist: {requires}\n" if requires else ""))
        packed.writestr(
            f"{facts}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        packed.writestr(f"{facts}/RECORD", "")


def test_requirements_are_installed_for_the_job_alone(script, tmp_path):
    # Given a wheel that needs numpy, which is installed beside Sagelet
    wheel(tmp_path / "wheels", "tinydancer", "1.0", "import numpy\nWORD = 'danced'\n", "numpy")
    program = "import tinydancer, numpy; print(tinydancer.WORD, tinydancer.__file__, numpy.__file__)"
    script.write(program, **{"requirements.txt": "tinydancer==1.0\n"})
    # When a job asks for it
    ended = script.run(PIP_FIND_LINKS=str(tmp_path / "wheels"), **OFFLINE)
    # Then the script has it, numpy was not installed again, and nothing is left
    assert ended.code == 0, ended.output
    assert f"danced {script.temporary}/job/lib/" in ended.output
    assert "Requirement already satisfied: numpy" in ended.output
    assert "Installing dependencies from requirements.txt" in ended.output
    assert list(script.temporary.iterdir()) == []


def test_a_newer_version_of_what_is_installed_hides_it_for_the_job(script, tmp_path):
    # Given another version of a library that Sagelet itself uses
    wheel(tmp_path / "wheels", "jmespath", "99.0", "WORD = 'mine'\n")
    script.write("import jmespath; print(jmespath.WORD)", **{"requirements.txt": "jmespath==99.0\n"})
    ended = script.run(PIP_FIND_LINKS=str(tmp_path / "wheels"), **OFFLINE)
    # Then the job has its own, and Sagelet still has its own
    assert ended.code == 0, ended.output
    import jmespath

    assert "mine" in ended.output.splitlines() and not hasattr(jmespath, "WORD")


@pytest.mark.parametrize("wanted", ["nosuchpackage-of-mine==1.2", "numpy==0.0.1"])
def test_a_package_that_no_index_has_is_named_with_the_remedy(script, wanted):
    script.write(**{"requirements.txt": f"{wanted}\n"})
    ended = script.run(**OFFLINE)
    assert ended.code == 1
    assert ended.failure.startswith("InstallRequirementsError:\nExitCode 1\nErrorMessage")
    assert f"{wanted} of requirements.txt is not installed here" in ended.failure
    assert "PIP_INDEX_URL" in ended.failure and f"pip install '{wanted}'" in ended.failure
    assert ended.failure.endswith('/python -m pip install -r requirements.txt"')
    assert not (script.model / "told.json").exists()


def test_an_index_that_is_not_reachable_is_given_up_soon(script):
    script.write(**{"requirements.txt": "nosuchpackage-of-mine\n"})
    ended = script.run(PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_RETRIES="0")
    assert "nosuchpackage-of-mine of requirements.txt is not installed here" in ended.failure


def test_a_broken_requirements_file_is_quoted(script):
    script.write(**{"requirements.txt": "=== what\n"})
    ended = script.run(**OFFLINE)
    assert ended.failure.startswith("InstallRequirementsError:")
    assert "Invalid requirement" in ended.failure


def test_pips_cache_is_where_the_environment_says(script, tmp_path):
    wheel(tmp_path / "wheels", "tinydancer", "1.0", "")
    script.write("import tinydancer", **{"requirements.txt": "tinydancer\n"})
    script.write("import os, sys; print('cache', os.environ['PIP_CACHE_DIR'])")
    ended = script.run(PIP_FIND_LINKS=str(tmp_path / "wheels"), PIP_CACHE_DIR=str(tmp_path / "cache"), **OFFLINE)
    assert ended.code == 0, ended.output
    assert f"cache {tmp_path}/cache" in ended.output


def test_requirements_beside_a_shell_script_are_its_own_business(script):
    script.write("exec pip --version\n", "go.sh", **{"requirements.txt": "nosuchpackage-of-mine\n"})
    ended = script.run({"sagemaker_program": "go.sh"}, **OFFLINE)
    assert ended.code == 0, ended.output
    assert "pip " in ended.output and "Installing" not in ended.output


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="setuptools comes with an environment up to Python 3.11 only")
def test_a_module_with_setup_py_is_installed_and_run(script):
    indented = TELL.strip().replace("\n", "\n    ")
    script.write(
        "from setuptools import setup\nsetup(name='trainer-of-mine', version='1', py_modules=['trainer'])\n",
        "setup.py", **{"trainer.py": f"if __name__ == '__main__':\n    {indented}\n"},
    )  # fmt: skip
    ended = script.run({"sagemaker_program": "trainer", "x": "1"}, **OFFLINE)
    assert ended.code == 0, ended.output
    assert script.told["arguments"] == ["-x", "1"]
    assert "Installing module." in ended.output and "/python -m trainer -x 1" in ended.output


def test_a_module_that_cannot_be_built_is_told(script):
    script.write("raise RuntimeError('no build')", "setup.py", **{"trainer.py": ""})
    ended = script.run({"sagemaker_program": "trainer"}, **OFFLINE)
    assert ended.code == 1
    assert ended.failure.startswith("InstallModuleError:")


def test_a_pyproject_module_needs_its_build_system(script):
    script.write(
        '[build-system]\nrequires = ["nosuchbackend"]\nbuild-backend = "nosuchbackend"\n'
        '[project]\nname = "t"\nversion = "1"\n',
        "pyproject.toml",
    )
    ended = script.run({"sagemaker_program": "trainer"}, **OFFLINE)
    assert "nosuchbackend of what the module needs to be built or run is not installed here" in ended.failure
