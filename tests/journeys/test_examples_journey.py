"""The examples run as the README says: a shell with the exports, and plain Python. Each asserts on what it found."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.executors.docker_engine import Engine
from sagelet.server import Server
from tests.executors.docker_bench import BASES, find_nothing

FOLDER = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(FOLDER.glob("*.py"))
IN_CONTAINERS = {"own_container"}
PLAIN = [path for path in SCRIPTS if path.stem not in IN_CONTAINERS]
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def shell(server: Server, **more: str) -> dict[str, str]:
    """The environment of a shell after `eval "$(sagelet env)"`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    return {**environment, **server.env, "OMP_NUM_THREADS": "1", **more}


def run(server: Server, *arguments: str, cwd: Path = FOLDER, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=shell(server, **more), cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("example", PLAIN, ids=lambda path: path.stem)
def test_an_example_runs(server, example):
    ran = run(server, str(example))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout


@pytest.mark.parametrize("example", SCRIPTS, ids=lambda path: path.stem)
def test_an_example_says_what_it_shows_asserts_and_is_plain_boto3(example):
    tree = ast.parse(example.read_text())
    assert ast.get_docstring(tree)
    assert any(isinstance(node, ast.Assert) for node in ast.walk(tree))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "boto3" in imported and not any(name.startswith("sagelet") for name in imported)


def test_the_first_program_of_the_documentation_runs(server, tmp_path):
    page = (FOLDER.parent / "docs" / "index.md").read_text()
    (tmp_path / "hello.py").write_text(page.split("```python\n")[1].split("```")[0])
    ran = run(server, str(tmp_path / "hello.py"))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("Completed s3://sagemaker-us-east-1-123456789012/output/hello-")


def test_the_table_of_examples_names_them_all():
    table = (FOLDER / "README.md").read_text()
    assert [path.name for path in (*SCRIPTS, *NOTEBOOKS) if f"]({path.name}) |" not in table] == []


def test_the_pipeline_of_ci_is_red_where_the_model_is_below_the_bar(server):
    ran = run(server, "ci_pipeline.py", "--bar", "0.9999", "--rounds", "1")
    assert ran.returncode == 1
    assert "the pipeline is red: auc 0." in ran.stderr and "is below the bar of 0.9999" in ran.stderr
    assert "registered" not in ran.stdout


def test_the_suite_of_a_project_runs_with_the_fixtures(server, tmp_path):
    # Its own server is one of processes, whatever images the engine of this machine has.
    plain = ("-q", "-p", "no:cacheprovider", "--color=no")
    ran = run(server, "-m", "pytest", *plain, cwd=FOLDER / "pytest_project", SAGELET_EXECUTOR="process")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 passed" in ran.stdout


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(server, notebook, tmp_path):
    cells = json.loads(notebook.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code), "strip its outputs"
    assert any(line.startswith("assert ") for cell in code for line in cell["source"])
    program = Path(__file__).with_name("notebook_program.py")
    ran = run(server, str(program), str(notebook), IPYTHONDIR=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"the server: {server.url}")


@pytest.mark.docker
def test_a_container_of_ones_own_is_built_trained_and_asked(tmp_path):
    engine = Engine(find_nothing)
    away = engine.away()
    base = "" if away else next((name for name in BASES if engine.image(name)), "")
    if not base:
        reason = away or f"no base image ({' or '.join(BASES)}): containers/base/make.sh makes one"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with Server(tmp_path / "data") as server:
        ran = run(server, "own_container.py", BASE_IMAGE=base, DOCKER_BUILDKIT="0")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "the endpoint answers 20.0" in ran.stdout
