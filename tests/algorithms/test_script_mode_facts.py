"""Our script mode beside a record of what the real training toolkit did with the same jobs."""

import json
from pathlib import Path

import pytest

from algorithms.common.contract import Layout
from algorithms.script_mode import environment, parameters
from tests.algorithms.script import TELL, Script

RECORD = json.loads((Path(__file__).parents[1] / "facts/script_mode.json").read_text())
CASES = RECORD["cases"]
MACHINE = {"SM_NUM_CPUS", "SM_NUM_GPUS"}
DIFFERENT = {
    "SAGEMAKER_JOB_NAME",  # The toolkit forgets it when it reads its environment a second time.
    "SAGEMAKER_BASE_DIR", "SM_STUDIO_LOCAL_MODE",  # How the record was made.
}  # fmt: skip


def test_the_record_says_where_it_is_from():
    assert RECORD["source"].startswith("sagemaker-training 5.1.4 from PyPI")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["told"]])
def test_variables_and_arguments_are_those_of_the_toolkit(name, tmp_path, monkeypatch):
    # Given the job of the record, below a base folder of its own
    case = CASES[name]
    monkeypatch.setenv("TRAINING_JOB_NAME", "job-1")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.delenv("SAGEMAKER_PROGRAM", raising=False)
    script = Script(tmp_path)
    for config in ("hyperparameters", "resourceconfig", "inputdataconfig"):
        script.configure(config, case[config])
    # When we make what the script is told
    decoded = parameters.decode(case["hyperparameters"])
    told = environment.facts(Layout(script.base), decoded, "framework:main")
    ours = {**environment.variables(told), **environment.of_service(told, decoded)}
    ours = {name: value.replace(str(script.base), "/opt/ml") for name, value in ours.items()}
    # Then it is, name by name, what the toolkit told
    theirs = {n: v for n, v in case["told"]["environment"].items() if n not in DIFFERENT}
    assert parameters.arguments(parameters.of_user(decoded)) == case["told"]["arguments"]
    training = [json.loads(one.pop("SM_TRAINING_ENV")) for one in (ours, theirs)]
    assert set(ours) - DIFFERENT == set(theirs)
    assert {n: v for n, v in ours.items() if n not in DIFFERENT | MACHINE} == {
        n: v for n, v in theirs.items() if n not in MACHINE
    }
    for one in training:
        one.pop("num_cpus"), one.pop("num_gpus")
    assert repr(training[0]) == repr(training[1])  # NaN is not equal to itself.


@pytest.mark.parametrize("name", ["plain", "raises", "exits"])
def test_failures_and_markers_are_those_of_the_toolkit(name, tmp_path):
    # Given the script of the record
    case = CASES[name]
    script = Script(tmp_path)
    programs = {"plain": TELL, "raises": "raise ValueError('no Zeilen in \u00e4.csv')\n", "exits": "exit(137)\n"}
    script.write(programs[name])
    # When it runs
    ended = script.run({k: v for k, v in case["hyperparameters"].items() if "program" not in k})
    # Then the log, the markers and the failure file say the same
    assert (script.base / "output/success").exists() == case["success"]
    for line in case["log"]:
        assert line.partition("toolkit ")[2] in ended.output or line in ended.output
    ours, theirs = ended.failure.splitlines(), (case["failure"] or "").splitlines()
    assert [line.partition(" ")[0] for line in ours] == [
        line.partition(" ")[0] for line in theirs if not line.startswith(" ")
    ]
    for line in theirs:
        if not line.startswith(("Command", "ErrorMessage")):
            assert line.strip().strip('"') in ended.failure
