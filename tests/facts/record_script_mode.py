"""Records what the real `sagemaker-training` toolkit does with a job: run by hand where that package is installed.

    python -m venv v && v/bin/pip install sagemaker-training && v/bin/python tests/facts/record_script_mode.py

`tests/algorithms/test_script_mode_facts.py` compares our own implementation with what this wrote.
"""

import json
import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
TELL = """import json, os, sys
told = {n: v for n, v in os.environ.items() if n.startswith(("SM_", "SAGEMAKER_")) or n == "CURRENT_HOST"}
json.dump({"environment": told, "arguments": sys.argv[1:], "folder": os.getcwd()}, open(os.environ["TOLD"], "w"))
"""
RAISE = "import sys\nprint('before')\nraise ValueError('no Zeilen in \\u00e4.csv')\n"
ONE = {
    "current_host": "algo-1",
    "current_instance_type": "ml.m5.xlarge",
    "current_group_name": "homogeneousCluster",
    "hosts": ["algo-1"],
    "instance_groups": [
        {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.xlarge", "hosts": ["algo-1"]}
    ],
    "network_interface_name": "eth0",
}
GROUPS = {
    "current_host": "algo-2",
    "current_instance_type": "ml.c5.xlarge",
    "current_group_name": "workers",
    "hosts": ["algo-1", "algo-2", "algo-3"],
    "instance_groups": [
        {"instance_group_name": "head", "instance_type": "ml.m5.xlarge", "hosts": ["algo-1"]},
        {"instance_group_name": "workers", "instance_type": "ml.c5.xlarge", "hosts": ["algo-2", "algo-3"]},
    ],
    "network_interface_name": "eth0",
}
CHANNELS = {
    "train": {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"},
    "vali-dation": {"TrainingInputMode": "FastFile", "ContentType": "text/csv", "RecordWrapperType": "None"},
}
SDK = {"sagemaker_program": '"train.py"', "sagemaker_container_log_level": "20", "sagemaker_region": '"eu-west-1"'}
CASES = {
    "plain": ({**SDK, "sagemaker_job_name": '"job-1"', "epochs": "3", "lr": "0.5", "name": '"x y"'}, ONE, TELL),
    "values": (
        {
            **SDK, "a": "1", "b": "true", "C": '["x", 2]', "d": '{"k": "v", "a": 1}', "e": "null", "f": "",
            "g": "plain text", "h-i": '"null"', "j": "1e-3", "k": "007", "l": '"5"', "m": "NaN", "n": "\u00fc \u4f60",
            "o": "'q'", "p": "--x", "_tuning_objective_metric": '"validation:rmse"', "sagemaker_mine": "7",
            "sagemaker_enable_cloudwatch_metrics": "false",
        },
        ONE, TELL,
    ),
    "groups": (
        {
            **SDK, "sagemaker_mpi_enabled": "false", "sagemaker_torch_distributed_enabled": "true",
            "sagemaker_distribution_instance_groups": '["workers"]', "sagemaker_instance_type": '"ml.c5.xlarge"',
        },
        GROUPS, TELL,
    ),
    "none": ({"sagemaker_program": "train.py"}, {"current_host": "algo-1", "hosts": ["algo-1"]}, TELL),
    "raises": ({**SDK, "a": "1"}, ONE, RAISE),
    "exits": ({**SDK}, ONE, "import sys\nsys.exit(137)\n"),
    "program": ({"sagemaker_program": '"../train.py"'}, ONE, TELL),
}  # fmt: skip


def main() -> None:
    """Run every case and write `script_mode.json`."""
    cases = {name: record(*case) for name, case in CASES.items()}
    version = metadata.version("sagemaker-training")
    source = f"sagemaker-training {version} from PyPI, run by Python {sys.version.split()[0]} with SAGEMAKER_BASE_DIR"
    text = json.dumps({"source": source, "cases": cases}, indent=1, sort_keys=True)
    (HERE / "script_mode.json").write_text(text + "\n")


def record(hyperparameters: dict[str, str], resources: dict[str, object], script: str) -> dict[str, object]:
    """One job in a folder of its own; the folder's name reads as /opt/ml in the record."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder, "ml")
        (base / "code").mkdir(parents=True)
        (base / "code/train.py").write_text(script)
        given = {"hyperparameters": hyperparameters, "resourceconfig": resources, "inputdataconfig": CHANNELS}
        (base / "input/config").mkdir(parents=True)
        (base / "output").mkdir()
        for name, value in given.items():
            (base / f"input/config/{name}.json").write_text(json.dumps(value))
        told = Path(folder, "told.json")
        environment = {
            "PATH": os.environ["PATH"], "SAGEMAKER_BASE_DIR": str(base), "TOLD": str(told),
            "SM_STUDIO_LOCAL_MODE": "true",  # Without it the toolkit waits for algo-1 to be known, for 15 minutes.
            "TRAINING_JOB_NAME": "job-1", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1",
            "SAGEMAKER_TRAINING_MODULE": "framework:main",
        }  # fmt: skip
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
        kept = {
            **given,
            "exit": done.returncode,
            "told": json.loads(told.read_text()) if told.exists() else None,
            "failure": read(base / "output/failure"),
            "success": (base / "output/success").exists(),
            "log": [line for line in done.stderr.splitlines() if "Reporting" in line or line.startswith("Invoking")],
        }
        text = json.dumps(kept).replace(str(base), "/opt/ml").replace(sys.executable, "PYTHON")
        return dict(json.loads(text))


def read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


PROGRAM = """
import sys, types
from sagemaker_training import entry_point, environment, trainer
framework = types.ModuleType("framework")
def main():  # As the containers of scikit-learn and PyTorch do.
    env = environment.Environment()
    entry_point.run(env.module_dir, env.user_entry_point, env.to_cmd_args(), env.to_env_vars(), capture_error=True)
framework.main = main
sys.modules["framework"] = framework
trainer.train()
"""

if __name__ == "__main__":
    main()
