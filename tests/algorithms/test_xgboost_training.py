"""Training with XGBoost in real processes: the same models as the library makes, and clear ends for everything else."""

import json
import re
import shutil
import signal
import subprocess
import sys
import tarfile

import numpy
import pytest
import xgboost

from algorithms import catalog
from algorithms.common import recordio
from algorithms.common.faults import UserError
from algorithms.xgboost import hyperparameters, metrics, train
from algorithms.xgboost.metrics import evaluator
from tests.algorithms.job import ROOT, Job
from tests.contracts.algorithm_contract import AlgorithmContract

LOGISTIC = {"num_round": "6", "objective": "binary:logistic", "max_depth": "3"}


def table(rows=200, seed=0, classes=2):
    """Label first; the label depends on the features."""
    features = numpy.random.default_rng(seed).normal(size=(rows, 4)).round(4)
    label = numpy.digitize(features[:, 0] + 0.5 * features[:, 1], numpy.linspace(-1, 1, classes + 1)[1:-1])
    return numpy.column_stack([label, features])


def text(values):
    return "".join(",".join(map(repr, row)) + "\n" for row in values.tolist())


def matrix(values, **more):
    return xgboost.DMatrix(values[:, 1:], label=values[:, 0], **more)


def saved(job, name="xgboost-model"):
    return xgboost.Booster(model_file=str(job.model / name))


def ready(tmp_path, given, values=None, validation=None, content_type="text/csv"):
    job = Job(tmp_path, "xgboost")
    channels = {"train": content_type} | ({"validation": content_type} if validation is not None else {})
    job.prepare(given, **channels)
    if values is not None:
        job.put("train/a.csv", text(values))
    if validation is not None:
        job.put("validation/b.csv", text(validation))
    return job


class TestXGBoost(AlgorithmContract):
    name = "xgboost"
    images = ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", "sagelet/xgboost")
    declared = (*hyperparameters.DECLARED, hyperparameters.SILENT)
    minimum = LOGISTIC
    request = (b"0.1,0.2,0.3,0.4\n1,2,3,4\n", "text/csv")

    def fill(self, job):
        job.prepare(self.minimum, train="text/csv")
        job.put("train/a.csv", text(table(50)))


def leaves(config):
    """The numbers and words of the library's configuration, by name."""
    for name, value in config.items():
        if isinstance(value, dict):
            yield from leaves(value)
        elif isinstance(value, str):
            yield name, value


@pytest.mark.parametrize(
    "parameters",
    [{}, {"booster": "dart"}, {"objective": "reg:tweedie"}, {"objective": "survival:aft"}, {"num_parallel_tree": 1}],
    ids=str,
)
def test_declared_defaults_are_those_of_the_library(parameters):
    rows = xgboost.DMatrix(numpy.ones((4, 2)), numpy.ones(4))
    if parameters.get("objective") == "survival:aft":
        rows.set_float_info("label_lower_bound", numpy.ones(4))
        rows.set_float_info("label_upper_bound", numpy.ones(4))
    booster = xgboost.train(parameters, rows, 1)
    found = dict(leaves(json.loads(booster.save_config())))
    compared = {}
    for one in hyperparameters.DECLARED:
        name = {"lambda": "reg_lambda", "alpha": "reg_alpha"}.get(one.name, one.name)
        name = name if name in found else one.name
        if one.default is not None and name in found and one.name not in parameters:
            own = found[name] if isinstance(one.default, str) else float(found[name])
            compared[one.name] = (own, one.default if isinstance(one.default, str) else pytest.approx(one.default))
    assert len(compared) > 15, compared
    assert not {name: pair for name, pair in compared.items() if pair[0] != pair[1]}


def test_the_manifest_holds_the_metrics_of_the_table():
    assert [dict(metric) for metric in catalog.get("xgboost").metrics] == metrics.definitions()


def test_the_model_is_the_one_that_the_library_makes(tmp_path):
    values, held = table(), table(80, seed=1)
    ended = (job := ready(tmp_path, LOGISTIC | {"subsample": "0.7", "seed": "5"}, values, held)).train()
    assert ended.code == 0, ended.output
    parameters = {"objective": "binary:logistic", "max_depth": 3, "subsample": 0.7, "seed": 5}
    scores = {}
    evals = [(matrix(values), "train"), (matrix(held), "validation")]
    direct = xgboost.train(parameters, matrix(values), 6, evals=evals, evals_result=scores, verbose_eval=False)
    assert numpy.array_equal(saved(job).predict(matrix(held)), direct.predict(matrix(held)))
    printed = re.findall(r"^\[(\d+)\]\ttrain-logloss:(\S+)\tvalidation-logloss:(\S+)$", ended.output, re.MULTILINE)
    assert [int(number) for number, _, _ in printed] == list(range(6))
    assert [float(v) for _, _, v in printed] == pytest.approx(scores["validation"]["logloss"], abs=1e-5)
    assert "Train matrix has 200 rows and 4 columns" in ended.output
    assert "Validation matrix has 80 rows" in ended.output
    assert "Determined delimiter of CSV input is ','" in ended.output


def test_the_log_lines_match_the_regexes_of_the_manifest(tmp_path):
    ended = ready(tmp_path, LOGISTIC | {"eval_metric": "auc,error@0.3,accuracy"}, table(), table(seed=1)).train()
    lines = ended.output.replace("\t", "#011")
    for name in ("train:auc", "validation:auc", "train:accuracy", "validation:accuracy"):
        regex = next(m["Regex"] for m in catalog.get("xgboost").metrics if m["Name"] == name)
        assert len([float(v.partition("#011")[0]) for v in re.findall(regex, lines)]) == 6
    assert "#011validation-error@0.3:" in lines


def test_a_job_does_not_import_pandas_whatever_it_computes(tmp_path):
    pytest.importorskip("pandas")
    job = ready(tmp_path, LOGISTIC | {"eval_metric": "auc,accuracy", "_kfold": "2"}, table(), table(seed=1))
    code = "import sys\nfrom algorithms.xgboost.train import main\nprint('ended', main(), 'pandas' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=job._environment({}), capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "ended 0 False", done.stdout + done.stderr


def test_directories_and_several_files_are_one_table(tmp_path):
    values = table()
    job = ready(tmp_path, LOGISTIC)
    job.put("train/part/b.csv", text(values[120:]))
    job.put("train/a.csv", text(values[:120]))
    job.put("train/_SUCCESS", "done")
    assert "Train matrix has 200 rows" in job.train().output
    direct = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3}, matrix(values[[*range(120), *range(120, 200)]]), 6
    )
    assert numpy.array_equal(saved(job).predict(matrix(values)), direct.predict(matrix(values)))


def test_the_second_column_is_the_weight_when_asked(tmp_path):
    values = table()
    weights = numpy.linspace(0.1, 3, len(values)).round(3)
    job = ready(tmp_path, LOGISTIC | {"csv_weights": "1"}, numpy.insert(values, 1, weights, axis=1))
    assert job.train().code == 0
    direct = xgboost.train({"objective": "binary:logistic", "max_depth": 3}, matrix(values, weight=weights), 6)
    assert numpy.array_equal(saved(job).predict(matrix(values)), direct.predict(matrix(values)))


@pytest.mark.parametrize("content_type", ["", "text/libsvm", "text/x-libsvm; charset=utf8", "libsvm"])
def test_libsvm_is_read_as_the_library_reads_it(tmp_path, content_type):
    values = table(60)
    lines = [" ".join([f"{row[0]:g}", *(f"{i}:{v}" for i, v in enumerate(row[1:], 1) if v > -1)]) for row in values]
    job = ready(tmp_path, LOGISTIC, content_type=content_type)
    job.put("train/a.libsvm", "\n".join(lines[:40]) + "\n")
    job.put("train/b.libsvm", "\n".join(lines[40:]) + "\n")
    ended = job.train()
    assert ended.code == 0, ended.output
    whole = tmp_path / "whole.libsvm"
    whole.write_text("\n".join(lines) + "\n")
    code = (
        "import xgboost, sys; xgboost.set_config(verbosity=0); d = xgboost.DMatrix(sys.argv[1] + '?format=libsvm'); "
        "b = xgboost.train({'objective': 'binary:logistic', 'max_depth': 3, 'seed': 0}, d, 6); "
        "o = xgboost.Booster(model_file=sys.argv[2]); assert (b.predict(d) == o.predict(d)).all(); "
        "assert len(set(b.predict(d))) > 2"
    )
    command = [sys.executable, "-c", code, str(whole), str(job.model / "xgboost-model")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("content_type", ["application/x-parquet", "parquet"])
def test_parquet(tmp_path, content_type):
    import pyarrow
    import pyarrow.parquet

    values = table(60)
    job = ready(tmp_path, LOGISTIC, content_type=content_type)
    path = job.put("train/a.parquet", "")
    pyarrow.parquet.write_table(pyarrow.table({f"c{i}": values[:, i] for i in range(5)}), path)
    assert job.train().code == 0
    direct = xgboost.train({"objective": "binary:logistic", "max_depth": 3}, matrix(values), 6)
    assert numpy.array_equal(saved(job).predict(matrix(values)), direct.predict(matrix(values)))


def test_recordio_protobuf(tmp_path):
    values = table(60).astype("float32")
    job = ready(tmp_path, LOGISTIC, content_type="application/x-recordio-protobuf")
    job.put("train/matrix_0.pbr", recordio.write_features(values[:, 1:].tolist(), values[:, 0].tolist()))
    assert job.train().code == 0
    direct = xgboost.train({"objective": "binary:logistic", "max_depth": 3}, matrix(values), 6)
    assert numpy.array_equal(saved(job).predict(matrix(values)), direct.predict(matrix(values)))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"num_round": "0"}, "Hyperparameter num_round: value 0 not in range [1, +inf)"),
        ({"max_depth": "-1"}, "Hyperparameter max_depth: value -1 not in range [0, +inf)"),
        ({"eta": "1.5"}, "Hyperparameter eta: value 1.5 not in range [0.0, 1.0]"),
        ({"eta": "fast"}, "Hyperparameter eta: could not parse value 'fast'"),
        ({"objective": "multi:softmax"}, "Require input for parameter 'num_class' for multi-classification"),
        ({"num_class": "3"}, "Do not need to setup parameter 'num_class'"),
        ({"objective": "reg:squarederror", "eval_metric": "auc"}, "Metric 'auc' can only be applied for"),
        ({"eval_metric": "aft-nloglik"}, "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective."),
        ({"eval_metric": "rmse@3"}, "Hyperparameter eval_metric: value ['rmse@3'] not in range"),
        ({"eval_metric": "error@x"}, "Hyperparameter eval_metric"),
        ({"monotone_constraints": "(1,0)"}, "monotone_constraints can be used only when"),
        ({"interaction_constraints": "[[1,2]]"}, "interaction_constraints can be used only when"),
        ({"tree_method": "gpu_hist"}, "needs a GPU"),
        ({"updater": "grow_colmaker,grow_histmaker"}, "Only one tree grow plugin can be selected"),
        ({"updater": "shotgun"}, "Tree updater should be selected from these options"),
        ({"updater": "prune", "booster": "gblinear"}, "Linear updater should be one of these options"),
        ({"updater": "grow_colmaker", "process_type": "update"}, "can only be used with updater 'refresh' and 'prune'"),
        ({"sagemaker_program": "train.py"}, "script mode (your own training script) comes with the next release"),
        ({"silent": "1"}, "Extraneous hyperparameter found: silent"),
    ],
)
def test_hyperparameters_that_contradict_each_other_are_refused(given, said):
    with pytest.raises(UserError) as caught:
        hyperparameters.read(LOGISTIC | given, catalog.NEWEST)
    assert said.replace("[0.0, 1.0]", "[0, 1]") in str(caught.value)


def test_silent_is_known_to_old_images_only():
    assert hyperparameters.read(LOGISTIC | {"silent": "1"}, (0, 72))["silent"] == 1
    assert hyperparameters.read(LOGISTIC | {"silent": "1"}, (1, 0, 1))["silent"] == 1


@pytest.mark.parametrize(
    ("given", "values", "said"),
    [
        (LOGISTIC, "y,a,b\n1,2,3\n", "line 1 of file 'a.csv' looks like a header"),
        (LOGISTIC, "1,2,3\n0,2,red\n", "column 2 in line 2 of file 'a.csv' is not a number: 'red'"),
        (LOGISTIC, "yes,2,3\nno,2,1\n", "the label in line 1 of file 'a.csv' is not a number: 'yes'"),
        (LOGISTIC, "1,2,3\n0,2\n", "line 2 of file 'a.csv' has 2 columns"),
        (LOGISTIC, "7,2,3\n0,2,1\n", "base_score must be in (0,1) for logistic loss, got: 3.5"),
        (LOGISTIC | {"base_score": "0.5"}, "7,2,3\n0,2,1\n", "label must be in [0,1] for logistic regression"),
        (LOGISTIC, "1,inf,3\n0,2,1\n", "Input data contains `inf`"),
        ({"num_round": "2", "objective": "multi:softmax", "num_class": "2"}, "5,2,3\n0,2,1\n", "num_class"),
        (LOGISTIC | {"eval_metric": "f1_binary"}, "0.5,2,3\n0,2,1\n", "XGB train call failed with exception"),
    ],
)
def test_bad_data_ends_the_job_with_a_sentence(tmp_path, given, values, said):
    job = ready(tmp_path, given)
    job.put("train/a.csv", values)
    ended = job.train()
    assert ended.code == 1
    assert ended.failure.startswith("ClientError: ")
    assert said in ended.failure
    assert "Traceback" not in ended.failure
    assert not (job.model / "xgboost-model").exists()


def test_channels_and_content_types_that_do_not_go(tmp_path):
    job = ready(tmp_path, LOGISTIC, table(20))
    job.configure("inputdataconfig", {"train": {"ContentType": "text/csv"}, "test": {}})
    assert job.train().failure == "ClientError: Extraneous channel found: test"
    job.configure("inputdataconfig", {"train": {"ContentType": "text/csv; label_size=2"}})
    assert "label_size must be equal to 1" in job.train().failure
    job.configure("inputdataconfig", {"train": {"ContentType": "image/png"}})
    assert "image/png is not an accepted ContentType: csv, libsvm," in job.train().failure
    job.configure("inputdataconfig", {"train": {}})
    assert "is not 'LIBSVM' format" in job.train().failure
    job.configure("inputdataconfig", {"train": {"ContentType": "text/csv"}, "validation": {"ContentType": "text/csv"}})
    assert "No data in validation channel path" in job.train().failure


def test_custom_metrics_are_those_of_scikit_learn(tmp_path):
    from sklearn import metrics as reference

    values, held = table(300, classes=3), table(100, seed=1, classes=3)
    wanted = "accuracy,balanced_accuracy,f1,f1_macro,precision_macro,precision_micro,recall_macro,recall_micro"
    given = {"num_round": "3", "objective": "multi:softprob", "num_class": "3", "eval_metric": wanted}
    ended = (job := ready(tmp_path, given, values, held)).train()
    assert ended.code == 0, ended.output
    foreseen = saved(job).predict(matrix(held)).argmax(axis=1)
    last = ended.output.strip().splitlines()[-1]
    assert last.startswith("[2]\ttrain-mlogloss:")
    expected = {
        "accuracy": reference.accuracy_score(held[:, 0], foreseen),
        "f1": reference.f1_score(held[:, 0], foreseen, average="macro"),
        "precision_micro": reference.precision_score(held[:, 0], foreseen, average="micro"),
        "recall_macro": reference.recall_score(held[:, 0], foreseen, average="macro"),
    }
    for name, value in expected.items():
        assert float(re.search(rf"\tvalidation-{name}:(\S+)", last).group(1)) == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize("objective", ["binary:logistic", "binary:logitraw", "binary:hinge"])
def test_classes_of_binary_objectives_are_cut_where_they_should_be(objective):
    from sklearn.metrics import accuracy_score

    values = table()
    data = matrix(values)
    foreseen = xgboost.train({"objective": objective}, data, 3).predict(data)
    cut = 0 if objective == "binary:logitraw" else 0.5
    assert len({True, False} & set(foreseen > cut)) == 2
    expected = accuracy_score(values[:, 0], foreseen > cut)
    assert evaluator(["accuracy"], objective)(foreseen, data) == [("accuracy", expected)]
    assert expected > 0.8


def test_regression_metrics(tmp_path):
    values = table(100)
    ended = ready(tmp_path, {"num_round": "2", "eval_metric": "mse,r2,rmse"}, values, table(50, seed=1)).train()
    last = ended.output.strip().splitlines()[-1]
    found = {name: float(v) for name, v in re.findall(r"train-(\w+):(\S+)", last)}
    assert list(found) == ["rmse", "mse", "r2"]
    assert found["mse"] == pytest.approx(found["rmse"] ** 2, abs=1e-4)


@pytest.mark.parametrize(
    ("wanted", "best"), [("logloss,auc", max), ("auc,logloss", min), ("error,accuracy", max), ("accuracy,error", min)]
)
def test_early_stopping_watches_the_last_metric_in_its_own_direction(tmp_path, wanted, best):
    noise = numpy.random.default_rng(3).integers(0, 2, 120)
    values, held = table(120), table(120, seed=1)
    values[:, 0] = noise
    given = LOGISTIC | {"num_round": "200", "early_stopping_rounds": "4", "eval_metric": wanted, "eta": "0.5"}
    ended = (job := ready(tmp_path, given, values, held)).train()
    assert ended.code == 0, ended.output
    last = wanted.split(",")[-1]
    scores = [float(v) for v in re.findall(rf"validation-{last}:(\S+)", ended.output)]
    kept = saved(job).num_boosted_rounds()
    assert len(scores) < 200
    assert len(scores) - kept == 4
    assert scores[kept - 1] == best(scores)


def test_the_metric_of_a_tuning_job_decides_and_is_printed(tmp_path):
    given = LOGISTIC | {"eval_metric": "auc,logloss", "_tuning_objective_metric": "validation:f1"}
    values = hyperparameters.read(given, catalog.NEWEST)
    assert train._metrics(values) == ("auc", "logloss", "f1")
    ended = ready(tmp_path, given, table(), table(seed=1)).train()
    assert "Setting up HPO optimized metric to be : f1" in ended.output
    assert "\tvalidation-f1:" in ended.output


def test_a_stop_saves_the_model_when_asked(tmp_path):
    given = {"num_round": "100000", "save_model_on_termination": "true", "max_depth": "2"}
    job = ready(tmp_path, given, table(100))
    process = job.start("train")
    for line in process.stdout:
        if line.startswith("[20]"):
            break
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    rounds = saved(job).num_boosted_rounds()
    assert f"Stopped after {rounds} rounds" in output
    assert rounds > 20
    assert [path.name for path in job.model.iterdir()] == ["xgboost-model"]


def test_a_stop_without_that_ends_at_once_without_a_model(tmp_path):
    job = ready(tmp_path, {"num_round": "100000", "max_depth": "2"}, table(100))
    process = job.start("train")
    for line in process.stdout:
        if line.startswith("[20]"):
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
    assert list(job.model.iterdir()) == []


@pytest.mark.parametrize("packed", [True, False])
def test_the_model_of_an_earlier_job_is_gone_on_from(tmp_path, packed):
    values = table()
    first = ready(tmp_path / "first", LOGISTIC, values)
    assert first.train().code == 0
    job = ready(tmp_path / "second", LOGISTIC | {"num_round": "4"}, values)
    job.prepare(LOGISTIC | {"num_round": "4"}, train="text/csv", model="application/x-sagemaker-model")
    folder = job.base / "input/data/model"
    folder.mkdir(parents=True, exist_ok=True)
    if packed:
        with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
            archive.add(first.model / "xgboost-model", "xgboost-model")
    else:
        shutil.copy(first.model / "xgboost-model", folder)
    output = job.train().output
    assert "Going on from the 6 rounds of xgboost-model in channel 'model'" in output
    parameters = {"objective": "binary:logistic", "max_depth": 3, "seed": 0}
    wanted = xgboost.train(parameters, matrix(values), 4, xgb_model=saved(first))
    assert saved(job).num_boosted_rounds() == 10
    assert numpy.array_equal(saved(job).predict(matrix(values)), wanted.predict(matrix(values)))


@pytest.mark.parametrize(
    ("files", "said"),
    [({}, "holds no model"), ({"a": b"x", "b": b"y"}, r"\['a', 'b'\]"), ({"a": b"x"}, "no model of XGBoost")],
)
def test_a_channel_without_the_one_model_is_refused(tmp_path, files, said):
    job = ready(tmp_path, LOGISTIC, table())
    job.prepare(LOGISTIC, train="text/csv", model="application/x-sagemaker-model")
    for name, content in files.items():
        job.put(f"model/{name}", content)
    ended = job.train()
    assert ended.code and re.search(said, ended.output)


def test_checkpoints_are_kept_and_resumed(tmp_path):
    values = table()
    job = ready(tmp_path, LOGISTIC | {"num_round": "8"}, values)
    job.configure("checkpointconfig", {"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/checkpoints"})
    assert job.train().code == 0
    folder = tmp_path / "checkpoints"
    assert sorted(path.name for path in folder.iterdir()) == [f"xgboost-checkpoint.{n}" for n in range(3, 8)]
    straight = saved(job).predict(matrix(values))
    for number in (6, 7):
        (folder / f"xgboost-checkpoint.{number}").unlink()
    again = job.train()
    assert "Resuming from iteration 6" in again.output
    assert re.findall(r"^\[(\d+)\]", again.output, re.MULTILINE) == ["6", "7"]
    assert saved(job).num_boosted_rounds() == 8
    assert numpy.allclose(saved(job).predict(matrix(values)), straight, atol=1e-6)


@pytest.mark.parametrize(("objective", "columns"), [("binary:logistic", 3), ("reg:squarederror", 2)])
def test_cross_validation_makes_a_model_a_fold(tmp_path, objective, columns):
    given = LOGISTIC | {"objective": objective, "_kfold": "3", "_num_cv_round": "2"}
    ended = (job := ready(tmp_path, given, table(90), table(30, seed=1))).train()
    assert ended.code == 0, ended.output
    assert sorted(path.name for path in job.model.iterdir()) == [f"xgboost-model-{n}" for n in range(6)]
    rows = numpy.loadtxt(tmp_path / "output/data/predictions.csv", delimiter=",")
    assert rows.shape == (120, columns)
    assert ((rows[:, 1] > 0.5) == rows[:, 0]).mean() > 0.7
    assert "Run 2-round of 3-fold cross validation with 120 rows" in ended.output
    assert len(re.findall(r"^\[6\]\ttrain-\w+:\S+\tvalidation-\w+:\S+$", ended.output, re.MULTILINE)) == 3


@pytest.mark.parametrize(
    "given",
    [
        {"booster": "gblinear", "updater": "coord_descent"},
        {"booster": "dart", "rate_drop": "0.1", "normalize_type": "forest"},
        {"tree_method": "hist", "monotone_constraints": "(1,0,0,-1)", "interaction_constraints": "[[1,2],[3]]"},
        {"objective": "count:poisson"},
        {"objective": "reg:linear", "sketch_eps": "0.1"},
        {"objective": "rank:pairwise", "eval_metric": "ndcg@5-,map@3"},
        {"objective": "reg:tweedie", "tweedie_variance_power": "1.4"},
    ],
)
def test_what_is_accepted_trains(tmp_path, given):
    ended = ready(tmp_path, {"num_round": "2"} | given, table(60), table(20, seed=1)).train()
    assert ended.code == 0, ended.output


def test_importing_the_library_leaves_out_what_it_does_not_need():
    code = (
        "import sys, os; from algorithms.xgboost import train, serve, library; "
        "assert not {'pandas', 'sklearn.base', 'pyarrow'} & set(sys.modules); "
        "import sklearn.metrics, xgboost; assert xgboost is library.xgboost"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
