"""The caller's own commands as sandboxed processes: what is on their PATH, and why one could not be executed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from algorithms import catalog
from emulator.executors.process import command, plan
from emulator.executors.process.executor import ProcessExecutor
from emulator.ports import ExitReason, RunSpec, Share
from emulator.settings import Settings
from tests.executors.process_bench import Bench, opened, texts

ALONE = "include-system-site-packages = false"
SANDBOXES = ("namespaces", "bwrap", "plain")
XGBOOST = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from opened(tmp_path)


def said(bench: Bench, executor: ProcessExecutor, *words: str, code: int = 0, **members: object) -> list[str]:
    spec = bench.spec("any", verb="run", entrypoint=words, **members)
    over = bench.run(executor, spec)
    if "bwrap is not installed" in over.detail or "unshare" in over.detail:
        pytest.skip(over.detail)
    assert over.code == code, (over, spec.log.read_text())
    return texts(spec)


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_python_and_pip_are_the_interpreter_that_has_our_libraries(
    bench: Bench, sandbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A venv may hold no more than `python3`: the other names lead to it, and not to the machine's."""
    venv = bench.code.parent / "venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "python3").symlink_to(os.path.realpath(sys.executable))
    (venv.parent / "pyvenv.cfg").write_text(f"home = {Path(os.path.realpath(sys.executable)).parent}\n{ALONE}\n")
    site = venv.parent / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    (site / "pip").mkdir(parents=True)
    (site / "pip" / "__init__.py").touch()
    (site / "pip" / "__main__.py").write_text("import sys; print('pip of', sys.prefix, sys.argv[1:])")
    monkeypatch.setattr(sys, "executable", str(venv / "python3"))
    bench.sandbox = sandbox
    executor = bench.open()
    for name in ("python", "python3"):
        assert said(bench, executor, name, "-c", "import sys; print(sys.prefix)") == [str(venv.parent)]
    for name in ("pip", "pip3"):
        assert said(bench, executor, name, "list") == [f"pip of {venv.parent} ['list']"]
    assert said(bench, executor, "sh", "-c", "python -c 'import sys; print(sys.argv)' 'a b'") == ["['-c', 'a b']"]


def test_the_commands_of_the_family_come_first_on_path(bench: Bench) -> None:
    for name, text in (("smspark-submit", "submitted"), ("python3", "not the interpreter")):
        (bench.code / "bin").mkdir(exist_ok=True)
        (bench.code / "bin" / name).write_text(f"#!/bin/sh\necho {text} $@\n")
        (bench.code / "bin" / name).chmod(0o755)
    bench.bin = str(bench.code / "bin")
    executor = bench.open()
    assert said(bench, executor, "smspark-submit", "--x", "job.py") == ["submitted --x job.py"]
    assert said(bench, executor, "sh", "-c", "python3") == ["not the interpreter"]


def test_path_is_the_callers_when_he_says_one(bench: Bench) -> None:
    assert said(bench, bench.open(), "sh", "-c", "echo $PATH", environment={"PATH": "/usr/bin:/bin"}) == [
        "/usr/bin:/bin"
    ]


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_why_a_command_cannot_be_executed_is_told(bench: Bench, sandbox: str) -> None:
    bench.sandbox = sandbox
    executor = bench.open()
    said(bench, executor, "true")
    files = {"plain.sh": "echo hi\n", "foreign": "#!/no/such/shell\n", "closed.py": "#!/usr/bin/env python3\n"}
    told = {
        "plain.sh": "plain.sh is neither a program for this machine nor a script that begins with #!",
        "foreign": "foreign names an interpreter that is not here: #!/no/such/shell",
        "closed.py": "closed.py may not be executed: name its interpreter in front of it (python3, /bin/bash)",
        "folder": "folder is a folder, not a program",
        "absent": "there is no file ",
    }
    for name, sentence in told.items():
        spec = bench.spec("any", entrypoint=(f"/opt/ml/{name}",))
        ml = spec.folder / "ml"
        if name in files:
            (ml / name).write_text(files[name])
            (ml / name).chmod(0o644 if name == "closed.py" else 0o755)
        elif name == "folder":
            (ml / name).mkdir()
        over = bench.run(executor, spec)
        assert over.reason is ExitReason.NOT_STARTED, over
        assert sentence in over.detail and f"/{name}" in over.detail
    spec = bench.spec("any", entrypoint=("true", "x" * 3_000_000))
    over = bench.run(executor, spec)
    assert over.reason is ExitReason.NOT_STARTED and "longer than the system takes" in over.detail


def test_a_command_finds_signals_as_a_shell_leaves_them(bench: Bench) -> None:
    """Python ignores SIGPIPE; `yes | head` would complain."""
    assert said(bench, bench.open(), "bash", "-c", "yes | head -n 1; echo ${PIPESTATUS[0]}") == ["y", "141"]


def test_a_venv_in_tmp_or_opt_ml_runs(bench: Bench) -> None:
    executor = bench.open()
    script = (
        "set -e; for at in /tmp/v /opt/ml/code/v; do python3 -m venv --without-pip $at; "
        "printf '#!/bin/sh\\necho runs' > $at/bin/x; chmod +x $at/bin/x; $at/bin/x; "
        "$at/bin/python -c 'import sys; print(sys.prefix)'; done"
    )
    spec = bench.spec("any", entrypoint=("/bin/sh", "-c", script))
    bench.run(executor, spec)
    if executor.sandbox() == "plain":
        pytest.skip("no sandbox works here")
    assert texts(spec) == ["runs", "/tmp/v", "runs", "/opt/ml/code/v"]


def test_a_script_that_was_uploaded_runs_where_the_command_says(bench: Bench) -> None:
    for sandbox in SANDBOXES:
        bench.sandbox = sandbox
        executor = bench.open()
        spec = bench.spec("any", entrypoint=("python3", "/opt/ml/processing/input/code/x.py"), arguments=("--n", "1"))
        code = spec.folder / "ml" / "processing" / "input" / "code"
        code.mkdir(parents=True)
        (code / "x.py").write_text("import sys, neighbour; print(sys.argv[1:], neighbour.NAME)")
        (code / "neighbour.py").write_text("NAME = 'beside it'")
        over = bench.run(executor, spec)
        if over.reason is ExitReason.NOT_STARTED:
            continue
        assert texts(spec) == ["['--n', '1'] beside it"]


def test_a_command_of_the_real_catalogue_sees_the_libraries(tmp_path: Path) -> None:
    executor = ProcessExecutor(Settings(data_dir=tmp_path), catalog)
    look = "import sys, xgboost, numpy; print(sys.argv[1:], xgboost.__name__)"
    spec = RunSpec("run-1", "arn", XGBOOST, "run", tmp_path / "work" / "run-1", tmp_path / "log")
    spec = replace(spec, entrypoint=("python3", "-c", look), arguments=("a",))
    try:
        assert executor.refusal(spec) == ""
        executor.start(spec)
        over = executor.wait("run-1", 60)
        assert over is not None and over.code == 0, spec.log.read_text()
        assert texts(spec) == ["['a'] xgboost"]
    finally:
        executor.release("run-1")
        executor.close()


def test_what_cannot_be_run_is_refused_with_a_remedy(tmp_path: Path) -> None:
    executor = ProcessExecutor(Settings(data_dir=tmp_path), catalog)
    spec = RunSpec("r", "arn", XGBOOST, "run", tmp_path, tmp_path / "log")
    assert "has no command of its own" in executor.refusal(spec)
    assert "AppSpecification.ContainerEntrypoint" in executor.refusal(spec)
    neo = replace(spec, image="sagemaker-neo-pytorch")
    assert "docker" in executor.refusal(neo)
    assert "docker" in executor.refusal(replace(neo, entrypoint=("python3", "x.py")))
    executor.close()


def test_bins_are_made_only_for_names_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = tmp_path / "venv"
    beside.mkdir()
    for name in ("python", "python3", "pip"):
        (beside / name).touch()
    monkeypatch.setattr(sys, "executable", str(beside / "python"))
    assert command.make_bins(str(tmp_path / "bin"))
    assert [p.name for p in (tmp_path / "bin").iterdir()] == ["pip3"]
    (beside / "pip3").touch()
    assert not command.make_bins(str(tmp_path / "none")) and not (tmp_path / "none").exists()


def test_libraries_of_the_users_own_folder_stay_importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = RunSpec("r", "arn", "x", "run", tmp_path, tmp_path)
    assert "PYTHONUSERBASE" not in plan.environment(spec)
    monkeypatch.setattr(plan.site, "getusersitepackages", lambda: "/home/me/.local/lib/site-packages")
    monkeypatch.setattr(plan.site, "getuserbase", lambda: "/home/me/.local")
    monkeypatch.setattr(sys, "path", [*sys.path, "/home/me/.local/lib/site-packages"])
    assert plan.environment(spec)["PYTHONUSERBASE"] == "/home/me/.local"


def test_the_share_sets_the_threads_that_nobody_set(tmp_path: Path) -> None:
    spec = RunSpec("r", "arn", "x", "run", tmp_path, tmp_path)
    assert "OMP_NUM_THREADS" not in plan.environment(spec)
    assert plan.environment(replace(spec, share=Share(cpus=2.5)))["OMP_NUM_THREADS"] == "2"
    assert plan.environment(replace(spec, share=Share(cpus=0.5)))["OMP_NUM_THREADS"] == "1"
    own = replace(spec, share=Share(cpus=4), environment={"OMP_NUM_THREADS": "3"})
    assert plan.environment(own)["OMP_NUM_THREADS"] == "3"


def test_a_forked_program_computes_with_its_share(bench: Bench) -> None:
    spec = bench.spec("any", entrypoint=("sh", "-c", "echo $OMP_NUM_THREADS"), share=Share(cpus=1))
    bench.run(bench.open(), spec)
    assert texts(spec) == ["1"]
