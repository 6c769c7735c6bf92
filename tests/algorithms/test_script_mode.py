"""Script mode: the user's program runs as in the framework images, and its end is told as they tell it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from algorithms.script_mode import child, interpreter
from tests.algorithms.job import ROOT
from tests.algorithms.script import TELL, Script


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def test_a_script_gets_arguments_variables_and_its_folder(script):
    # Given a script, hyperparameters of every kind, and a channel
    script.write()
    script.prepare({
        "sagemaker_program": '"train.py"', "sagemaker_submit_directory": json.dumps(str(script.code)),
        "epochs": "3", "n": "1", "name": '"a b"', "flag": "true", "sagemaker_region": '"eu-west-1"', "none": "null",
    }, train="text/csv")  # fmt: skip
    # When the job runs
    ended = script.train(TMPDIR=str(script.temporary), TRAINING_JOB_NAME="job-1")
    # Then the script saw them, and the job left nothing but its output
    assert (ended.code, ended.failure) == (0, "")
    assert script.told["arguments"] == [
        "--epochs", "3", "--flag", "True", "-n", "1", "--name", "a b", "--none", "",
    ]  # fmt: skip
    assert script.told["folder"] == str(script.base / "code")
    seen = script.told["environment"]
    assert seen["SM_CHANNEL_TRAIN"] == str(script.base / "input/data/train")
    assert seen["SM_HP_NAME"] == "a b" and seen["SM_HP_FLAG"] == "true"
    assert seen["SM_MODULE_NAME"] == "train" and seen["SM_USER_ENTRY_POINT"] == "train.py"
    assert seen["SAGEMAKER_JOB_NAME"] == "job-1" and seen["SAGEMAKER_REGION"] == "eu-west-1"
    assert json.loads(seen["SM_TRAINING_ENV"])["job_name"] == "job-1"
    assert (script.base / "output/success").exists()
    assert list(script.temporary.iterdir()) == []


def test_the_log_tells_the_versions_the_environment_and_the_command(script):
    script.write("print('mine')")
    ended = script.run(
        {"a": "1"}, SAGELET_IMAGE="1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    )
    lines = ended.output.splitlines()
    assert "Image sagemaker-scikit-learn:1.2-1-cpu-py3 asks for scikit-learn 1.2; this job runs with" in lines[0]
    assert " sagemaker-training-toolkit INFO     Invoking user script" in ended.output
    for line in ("Training Env:", "Environment variables:", 'SM_HPS={"a":1}', "mine"):
        assert line in lines
    following = lines[lines.index("Invoking script with the following command:") + 2]
    assert following.endswith("/python train.py -a 1")
    assert lines[-1].endswith("Reporting training SUCCESS")


def test_the_rooms_of_the_house_are_not_on_the_scripts_path(script):
    script.write(
        "import sys, os\nassert not any(os.path.exists(p + '/emulator/house.py') for p in sys.path[:3]), sys.path"
    )
    # The development environment has them on its own path; PYTHONPATH is what an image sets.
    assert script.run(PYTHONPATH=str(ROOT)).code == 0


def test_an_exception_is_told_in_the_failure_file_and_its_trace_in_the_log(script):
    script.write("def inner():\n    raise KeyError('größe 你')\nprint('begun')\ninner()\n")
    ended = script.run({"a": "1"})
    assert ended.code == 1
    head, message, command = ended.failure.split("\n", 3)[0], ended.failure.split("\n")[2], ended.failure.split("\n")[3]
    assert head == "ExecuteUserScriptError:"
    assert message == "ErrorMessage \"KeyError: 'größe 你'\""
    assert command.startswith('Command "') and command.endswith('/python train.py -a 1"')
    assert "in inner" in ended.output and "begun" in ended.output
    assert "ERROR    Reporting training FAILURE" in ended.output
    assert not (script.base / "output/success").exists()


@pytest.mark.parametrize(
    ("program", "status", "told"),
    [
        ("import sys; sys.exit(137)", 137, 'ExtraInfo "OutOfMemory'),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137, "ExitCode 137"),
        ("import sys; sys.exit(3)", 3, 'ExitCode 3\nErrorMessage ""'),
        ("import sys; sys.exit('no data in ä')", 1, 'ErrorMessage "no data in ä"'),
        ("x = ", 1, 'ErrorMessage "SyntaxError: invalid syntax"'),
        ("import nothing_of_that_name", 1, "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("import os; os.write(2, b'\\xff\\xfe broken\\n'); os._exit(4)", 4, "broken"),
        ("try:\n    1/0\nexcept Exception as e:\n    raise OSError('second') from e", 1, '"OSError: second"'),
    ],
)  # fmt: skip
def test_the_scripts_exit_status_is_the_jobs(script, program, status, told):
    script.write(program)
    ended = script.run()
    assert ended.code == status
    assert told in ended.failure


def test_a_failure_file_of_the_scripts_own_is_kept(script):
    script.write("open(__import__('os').environ['SM_OUTPUT_DIR'] + '/failure', 'w').write('mine'); exit(1)")
    assert script.run().failure == "mine"


def test_a_very_long_message_leaves_room_for_the_command(script):
    script.write("raise ValueError('x' * 200_000)")
    ended = script.run()
    assert len(ended.failure) < 5000
    assert ended.failure.endswith('/python train.py"')


def test_output_is_written_at_once_and_what_the_script_leaves_running_does_not_hold_the_job(script):
    # Given a script that leaves a child behind which keeps its outputs open
    script.write(
        "import subprocess, sys\nprint('first'); print('second', file=sys.stderr)\n"
        "p = subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL)\n"
        "open('pid', 'w').write(str(p.pid))\n"
    )
    began = time.monotonic()
    ended = script.run()
    os.kill(int((script.base / "code/pid").read_text()), signal.SIGKILL)
    assert ended.code == 0
    assert time.monotonic() - began < 20
    assert "first" in ended.output and "second" in ended.output


def test_sigterm_reaches_the_script_which_may_still_save(script):
    # Given a script that saves on SIGTERM
    script.write(
        "import signal, sys, os\n"
        "def save(*_):\n    open(os.environ['SM_MODEL_DIR'] + '/saved', 'w'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, save)\nprint('ready', flush=True)\nsignal.pause()\n"
    )
    script.prepare({"sagemaker_program": "train.py", "sagemaker_submit_directory": str(script.code)})
    with script.start("train", TMPDIR=str(script.temporary)) as process:
        for line in process.stdout:
            if line == "ready\n":
                break
        # When the job is told to stop
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    # Then it ends as the script ends
    assert process.returncode == 0, output
    assert (script.model / "saved").exists()


def test_a_script_that_sigterm_ends_leaves_no_failure(script):
    script.write("import signal\nprint('ready', flush=True)\nsignal.pause()\n")
    script.prepare({"sagemaker_program": "train.py", "sagemaker_submit_directory": str(script.code)})
    with script.start("train", TMPDIR=str(script.temporary)) as process:
        for line in process.stdout:
            if line == "ready\n":
                break
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 143
    assert script.ended(143, "").failure == ""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"sagemaker_program": ""}, "sagemaker_program is not set"),
        ({"sagemaker_program": "other.py"}, "other.py is not in the code of the job; there is: train.py"),
        ({"sagemaker_program": "../train.py"}, "'../train.py' is not taken"),
        ({"sagemaker_program": "/etc/passwd"}, "'/etc/passwd' is not taken"),
        ({"sagemaker_program": "-c"}, "'-c' is not taken"),
        ({"sagemaker_program": "a;b.sh"}, "'a;b.sh' is not taken"),
        ({"sagemaker_submit_directory": "/nowhere/sourcedir.tar.gz"}, "There is no code at /nowhere/sourcedir.tar.gz"),
        ({"sagemaker_submit_directory": "https://example.org/repo.git"}, "only s3:// and folders"),
        ({"sagemaker_submit_directory": "s3://b/k.tar.gz"}, "this job has no way to S3"),
        ({"sagemaker_mpi_enabled": "true"}, "MPI (Horovod, smdistributed.modelparallel) (sagemaker_mpi_enabled)"),
        ({"sagemaker_distributed_dataparallel_enabled": "true"}, "smdistributed.dataparallel"),
        ({"sagemaker_parameter_server_enabled": "true"}, "parameter server"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_refused_in_a_sentence(script, given, told):
    script.write()
    ended = script.run(given)
    assert ended.code == 1
    assert ended.failure.startswith("ClientError: ")
    assert told in ended.failure
    assert "Traceback" not in ended.output


def test_without_any_hyperparameter_the_script_is_missed(script):
    script.prepare({})
    ended = script.train(TMPDIR=str(script.temporary))
    assert ended.failure.startswith("ClientError: There is no script to run")


def test_a_shell_script_gets_quoted_arguments_and_the_jobs_python(script):
    script.write(
        'echo "$1=$2"\ncommand -v python3\ncommand -v pip\nexec python tell.py "$@"\n', "bin/go.sh", **{"tell.py": TELL}
    )
    ended = script.run({"sagemaker_program": "bin/go.sh", "text": "a'b $HOME; exit 9"})
    assert ended.code == 0, ended.output
    assert "--text=a'b $HOME; exit 9" in ended.output
    assert script.told["arguments"] == ["--text", "a'b $HOME; exit 9"]
    assert script.told["python"].endswith("/bin/python")
    assert f"{script.temporary}/job/bin/python3\n{script.temporary}/job/bin/pip\n" in ended.output


def test_a_shell_script_that_fails_says_its_last_line(script):
    script.write("echo 'no such data' >&2\nexit 12\n", "go.sh")
    ended = script.run({"sagemaker_program": "go.sh"})
    assert ended.code == 12
    assert 'ErrorMessage "no such data"\nCommand "/bin/sh -c ./go.sh"' in ended.failure


def test_any_other_file_is_started_as_a_program(script):
    script.write("#!/bin/sh\necho started\n", "start")
    assert "started" in script.run({"sagemaker_program": "start"}).output


def test_scripts_install_for_themselves_and_not_for_the_house(script):
    script.write("import sys, sysconfig; print('packages', sysconfig.get_path('purelib'))")
    assert f"packages {script.temporary}/job/lib/" in script.run().output


def test_a_second_job_in_the_same_folder_has_an_environment_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(interpreter.tempfile, "tempdir", str(tmp_path))
    with interpreter.own() as first, interpreter.own() as second:
        assert first.folder == tmp_path / "job" != second.folder
        code = "import sys; print(sys.prefix)"
        done = subprocess.run([second.python, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str(second.folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("stderr", "told"),
    [
        ("", ""),
        ("one\ntwo\n\n", "two"),
        ("Traceback (most recent call last):\n  File x\n    f()\nValueError: a\nb\n", "ValueError: a\nb"),
        ("[rank0]: Traceback (most recent call last):\n[rank0]:   File x\n[rank0]: OSError: c\n", "OSError: c"),
        (
            "Traceback (most recent call last):\n  File x\nKeyError: 'k'\n"
            "Traceback (most recent call last):\n  File run.py\ntorch.ChildFailedError: \n====\n",
            "KeyError: 'k'",
        ),
    ],
)  # fmt: skip
def test_the_end_of_stderr_says_what_went_wrong(stderr, told):
    assert child.told(stderr) == told


def test_the_way_to_the_script_imports_nothing_heavy():
    code = (
        "import sys; import algorithms.sklearn.train, algorithms.pytorch.train, algorithms.tensorflow.train; "
        "print([m for m in ('boto3', 'botocore', 'numpy', 'logging', 'asyncio', 'venv') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
