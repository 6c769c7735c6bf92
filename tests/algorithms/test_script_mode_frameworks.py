"""What the images of each framework add to script mode, and scripts that train with their libraries for real."""

import importlib
import json
import re
import socket
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from algorithms import catalog
from algorithms.script_mode import launchers, train
from tests.algorithms.job import Ended
from tests.algorithms.script import TELL, Script
from tests.contracts.manifest_contract import MEMBERS

GROUP = {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large"}
HOSTS = ["127.0.0.1", "localhost"]
"""Two names of this machine that are resolved everywhere."""
needs_torch = pytest.mark.skipif(util.find_spec("torch") is None, reason="pip install 'sagelet[torch]'")
FAMILIES = [
    name for name in catalog.names() if catalog.get(name).train.startswith("algorithms.") and name != "onnx_host"
]
SCRIPTED = [
    name for name in FAMILIES if "definition" not in json.loads((catalog.FOLDER / name / "manifest.json").read_text())
]
"""The others say in words of their own what they lack."""


def absent(name: str) -> list[str]:
    """What a family requires and is not installed here."""
    return [module for module in catalog.get(name).requires if not train.there(module, sys.path)]


def start(base: Path, algorithm: str, host: str, given: dict[str, str]) -> tuple[Script, subprocess.Popen]:
    """One host of a job on several; they share the code."""
    (base / host).mkdir(parents=True)
    script = Script(base / host, algorithm)
    (script.code / "train.py").write_text((base / "train.py").read_text())
    script.prepare({"sagemaker_program": "train.py", "sagemaker_submit_directory": str(script.code), **given})
    script.configure("resourceconfig", {
        "current_host": host, "hosts": HOSTS, "current_group_name": GROUP["instance_group_name"],
        "network_interface_name": "lo", "instance_groups": [{**GROUP, "hosts": HOSTS}],
    })  # fmt: skip
    return script, script.start("train", TMPDIR=str(script.temporary))


def together(base: Path, algorithm: str, program: str, given: dict[str, str]) -> list[tuple[Script, Ended]]:
    """A job on two hosts, to its end."""
    (base / "train.py").write_text(program)
    started = [start(base, algorithm, host, given) for host in HOSTS]
    ended = []
    for script, process in started:
        with process:
            output, _ = process.communicate(timeout=120)
        ended.append((script, script.ended(process.returncode, output)))
    return ended


@pytest.mark.parametrize("name", FAMILIES)
def test_manifests_are_whole(name):
    family = catalog.get(name)
    module, _, function = family.train.partition(":")
    assert callable(getattr(importlib.import_module(module), function))
    for one in family.preload if not absent(name) else ():
        importlib.import_module(one)
    assert set(json.loads((catalog.FOLDER / name / "manifest.json").read_text())) <= MEMBERS


@pytest.mark.parametrize("name", [n for n in SCRIPTED if absent(n)])
def test_a_library_that_is_not_installed_fails_the_job_at_once_with_the_sentence_that_installs_it(name, tmp_path):
    missing = absent(name)[0]
    script = Script(tmp_path, name)
    script.write()
    ended = script.run()
    assert ended.code == 1
    assert ended.failure.startswith(f"ClientError: The library {missing} is not installed where this job runs.")
    assert re.search(r"pip install 'sagelet\[\w+\]'", ended.failure)
    assert not (script.model / "told.json").exists()


def test_scikit_learn_trains(tmp_path):
    script = Script(tmp_path)
    script.write(
        "import argparse, os, joblib\nfrom sklearn.linear_model import LinearRegression\n"
        "p = argparse.ArgumentParser()\np.add_argument('--intercept')\n"
        "p.add_argument('--train', default=os.environ.get('SM_CHANNEL_TRAIN'))\na = p.parse_args()\n"
        "model = LinearRegression(fit_intercept=a.intercept == 'True').fit([[0], [1], [2]], [1, 3, 5])\n"
        "print(f'coefficient={model.coef_[0]:.3f};')\n"
        "joblib.dump(model, os.path.join(os.environ['SM_MODEL_DIR'], 'model.joblib'))\n"
    )
    ended = script.run({"intercept": "true"})
    assert ended.code == 0, ended.output
    assert "coefficient=2.000;" in ended.output
    assert (script.model / "model.joblib").exists()


@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
def test_xgboost_by_scikit_learns_interface_is_saved_and_loaded(tmp_path, kind):
    """xgboost asks scikit-learn what it is, in words that scikit-learn 1.8 has no more."""
    script = Script(tmp_path, "xgboost")
    script.write(
        f"import os, numpy as np\nfrom xgboost import XGB{kind} as Model\n"
        "x, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2\n"
        "made, path = Model(n_estimators=3).fit(x, y), os.environ['SM_MODEL_DIR'] + '/m.json'\n"
        "made.save_model(path)\nread = Model()\nread.load_model(path)\n"
        "print('same', np.array_equal(made.predict(x), read.predict(x)))\n"
    )
    script.prepare({"sagemaker_program": "train.py", "sagemaker_submit_directory": str(script.code)})
    ended = script.train(TMPDIR=str(script.temporary))
    assert not ended.code and "same True" in ended.output, ended.output


def test_xgboost_in_script_mode_reads_a_channel_as_the_images_package_does(tmp_path):
    # Given a script as AWS publishes them for this image
    script = Script(tmp_path, "xgboost")
    script.write(
        "import argparse, os\nimport xgboost as xgb\n"
        "from sagemaker_xgboost_container.data_utils import get_dmatrix\n"
        "from sagemaker_xgboost_container import distributed\n"
        "p = argparse.ArgumentParser()\np.add_argument('--num_round', type=int)\na = p.parse_args()\n"
        "data = get_dmatrix(os.environ['SM_CHANNEL_TRAIN'], 'csv')\n"
        "assert get_dmatrix(os.environ['SM_CHANNEL_TRAIN'] + '/a.csv', 'text/csv').num_row() == 3\n"
        "assert get_dmatrix(os.environ['SM_MODEL_DIR'], 'csv') is None\n"
        "def train(num_round, is_master):\n"
        "    xgb.train({'max_depth': 2}, data, num_round).save_model(os.environ['SM_MODEL_DIR'] + '/m.json')\n"
        "    print('rows', data.num_row(), 'master', is_master)\n"
        "distributed.rabit_run(exec_fun=train, args={'num_round': a.num_round}, include_in_training=data is not None,\n"
        "    hosts=['algo-1'], current_host='algo-1', update_rabit_args=True)\n"
    )
    script.prepare(
        {"sagemaker_program": "train.py", "sagemaker_submit_directory": str(script.code), "num_round": "3"}, train="csv"
    )
    script.put("train/a.csv", "1,2\n2,3\n3,4\n")
    # When it runs
    ended = script.train(TMPDIR=str(script.temporary))
    # Then it trained
    assert ended.code == 0, ended.output
    assert "rows 3 master True" in ended.output
    assert (script.model / "m.json").exists()


def test_xgboost_without_a_program_is_still_the_algorithm(tmp_path):
    script = Script(tmp_path, "xgboost")
    script.prepare({"num_round": "1"}, train="csv")
    assert "in algorithm mode" in script.train().output


def test_xgboost_trains_on_two_hosts(tmp_path, free_ports):
    ports = free_ports(2)
    program = (
        "import json, os\nimport xgboost as xgb\nfrom sagemaker_xgboost_container import distributed\n"
        "hosts, host = json.loads(os.environ['SM_HOSTS']), os.environ['SM_CURRENT_HOST']\n"
        "x = [[float(n)] for n in range(10)] if host == hosts[0] else [[float(n)] for n in range(10, 20)]\n"
        "data = xgb.DMatrix(x, label=[row[0] for row in x])\n"
        "def train(rounds, is_master):\n"
        "    model = xgb.train({'max_depth': 2, 'base_score': 0.0, 'lambda': 0.0, 'eta': 1.0}, data, rounds)\n"
        "    print('predicts', model.predict(xgb.DMatrix([[0.0], [19.0]])).tolist(), 'master', is_master)\n"
        f"ports = {ports}\n"
        "distributed.rabit_run(train, {'rounds': 4}, True, hosts, host, *ports, update_rabit_args=True)\n"
    )
    ended = together(tmp_path, "xgboost", program, {})
    told = [re.search(r"predicts (\[.*\]) master (\w+)", one.output) for _, one in ended]
    # Each saw half of the numbers, and both have the model of all.
    assert all(told), "\n".join(one.output for _, one in ended)
    assert told[0].group(1) == told[1].group(1)
    low, high = json.loads(told[0].group(1))
    assert low < 3 and high > 16
    assert [one.group(2) for one in told] == ["True", "False"]


def test_older_names_of_the_toolkit_can_be_imported(tmp_path):
    script = Script(tmp_path)
    script.write(
        "import sagemaker_containers\n"
        "from sagemaker_containers.beta.framework import content_types, encoders, env, modules, transformer, worker\n"
        "from sagemaker_training import environment\n"
        "e = environment.Environment()\n"
        "assert e.hyperparameters == {'a': 1} and e['current_host'] == 'algo-1' and dict(e)['num_gpus'] == 0\n"
        "assert sagemaker_containers.training_env().model_dir == environment.model_dir\n"
        "assert encoders.decode(encoders.encode([[1, 2]], 'text/csv'), 'text/csv').tolist() == ['1', '2']\n"
        "assert not hasattr(e, 'nothing')\nprint('imported')\n"
    )
    ended = script.run({"a": "1"})
    assert "imported" in ended.output.splitlines(), ended.output


def test_tensorflow_gets_its_model_dir_and_tf_config(monkeypatch):
    from algorithms.tensorflow import train

    monkeypatch.setenv("TRAINING_JOB_NAME", "tuned-1")
    given = {"model_dir": "s3://b/job"}
    assert train.hyperparameters(given) == given
    assert train.hyperparameters({**given, "_tuning_objective_metric": "m"})["model_dir"] == "s3://b/job/tuned-1/model"
    told = {
        "distribution_hosts": ["algo-1", "algo-2"], "current_host": "algo-2",
        "additional_framework_parameters": {"sagemaker_multi_worker_mirrored_strategy_enabled": True},
    }  # fmt: skip
    config = json.loads(train.variables(told)["TF_CONFIG"])
    assert config["cluster"] == {"worker": ["algo-1:8890", "algo-2:8890"]}
    assert config["task"] == {"index": 1, "type": "worker"}
    assert train.variables({**told, "additional_framework_parameters": {}}) == {}


@needs_torch
def test_pytorch_is_told_where_the_first_host_is(tmp_path):
    script = Script(tmp_path, "pytorch")
    script.write(TELL)
    assert script.run().code == 0
    seen = script.told["environment"]
    assert (seen["MASTER_ADDR"], seen["MASTER_PORT"]) == ("algo-1", "7777")
    assert launchers.master_port("a-job") == launchers.master_port("a-job") != launchers.master_port("another")
    assert "WORLD_SIZE" not in seen


REDUCE = (
    "import os, sys, torch\nimport torch.distributed as dist\n"
    "dist.init_process_group('gloo')\nt = torch.tensor([float(dist.get_rank() + 1)])\ndist.all_reduce(t)\n"
    # In one piece: two processes write at once.
    "os.write(1, f'sum {t.item()} of {dist.get_world_size()} {sys.argv[1:]}\\n'.encode())\n"
    "dist.destroy_process_group()\n"
)


@needs_torch
def test_torchrun_starts_several_processes_of_one_host(tmp_path):
    script = Script(tmp_path, "pytorch")
    script.write(REDUCE)
    ended = script.run({
        "sagemaker_torch_distributed_enabled": "true", "sagemaker_mpi_num_of_processes_per_host": "2", "epochs": "1",
    })  # fmt: skip
    assert ended.code == 0, ended.output
    assert ended.output.count("sum 3.0 of 2 ['--epochs', '1']") == 2


@needs_torch
def test_torchrun_joins_two_hosts(tmp_path):
    ended = together(tmp_path, "pytorch", REDUCE, {"sagemaker_pytorch_ddp_enabled": "true"})
    for _, one in ended:
        assert "sum 3.0 of 2" in one.output, one.output
        assert one.code == 0


@needs_torch
def test_an_exception_under_torchrun_is_the_scripts_own(tmp_path):
    script = Script(tmp_path, "pytorch")
    script.write("raise ValueError('mine')")
    ended = script.run({"sagemaker_torch_distributed_enabled": "true"})
    assert ended.code == 1
    assert 'ErrorMessage "ValueError: mine' in ended.failure


def test_torchrun_needs_a_script(tmp_path):
    script = Script(tmp_path, "sklearn")
    script.write("exit 0", "go.sh")
    ended = script.run({"sagemaker_program": "go.sh", "sagemaker_torch_distributed_enabled": "true"})
    assert "sagemaker_torch_distributed_enabled needs a Python script as the entry point" in ended.failure


@pytest.fixture
def free_ports():
    def find(count: int) -> list[int]:
        held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        ports = [one.getsockname()[1] for one in held]
        for one in held:
            one.close()
        return ports

    return find


def test_a_library_that_is_part_of_a_package_is_missed_when_only_other_parts_are_there(tmp_path):
    (tmp_path / "autogluon/core").mkdir(parents=True)
    (tmp_path / "autogluon/core/__init__.py").touch()
    places = [str(tmp_path)]
    assert not train.there("autogluon.tabular", places) and not train.there("nothing.at_all", places)
    (tmp_path / "autogluon/tabular").mkdir()
    (tmp_path / "autogluon/tabular/__init__.py").touch()
    assert train.there("autogluon.tabular", places)
