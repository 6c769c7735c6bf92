"""XGBoost across several hosts, each a process with a base folder of its own and an own address of the loopback."""

import contextlib
import functools
import re
import signal
import subprocess
import sys
import time

import numpy
import pytest
import xgboost

from tests.algorithms.job import ROOT
from tests.algorithms.several import Hosts, said

LOGISTIC = {"num_round": "8", "objective": "binary:logistic", "max_depth": "3", "nthread": "1"}
CLOSE = 0.02
"""Mean difference of probabilities. Histograms are cut from sketches of parts instead of from the whole: a split may
lie at a neighbouring value, which moves rows between two leaves. Another `max_bin` moves them as far (0.015 in
the mean here). With few distinct values the cuts, and so the trees, agree."""
ENDS_WITHIN = 30.0


def table(rows=600, seed=0, levels=None):
    """Label first; with `levels`, features have so few values that every sketch keeps all of them."""
    draw = numpy.random.default_rng(seed)
    features = draw.normal(size=(rows, 4)) if levels is None else draw.integers(0, levels, size=(rows, 4)) / levels
    label = (features[:, 0] + features[:, 1] * features[:, 2] > numpy.median(features[:, 0])).astype(float)
    return numpy.column_stack([label, features.round(6)])


def matrix(values, **more):
    return xgboost.DMatrix(values[:, 1:], label=values[:, 0], **more)


def booster(hosts, number=0):
    return xgboost.Booster(model_file=str(hosts.jobs[number].model / "xgboost-model"))


def start_as_process_1(job, verb):
    """What a container's first process believes of itself; the kernel spares it SIGTERM unless it handles it."""
    code = "import os, sys; os.getpid = lambda: 1; from algorithms.xgboost import train; sys.exit(train.main())"
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=job._environment({}), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def until_round(process, number):
    for line in process.stdout:
        if line.startswith(f"[{number}]"):
            return
    raise AssertionError("the training is over")


def alone(values, rounds=8, **more):
    return xgboost.train({"objective": "binary:logistic", "max_depth": 3, "seed": 0} | more, matrix(values), rounds)


@pytest.mark.parametrize("number", [2, 3])
def test_shards_make_the_model_of_the_whole(tmp_path, number):
    values, held = table(levels=40), table(150, seed=1, levels=40)
    hosts = Hosts(tmp_path, number, LOGISTIC, validation="text/csv")
    hosts.put("train/a.csv", *numpy.array_split(values, number))
    hosts.put("validation/b.csv", *numpy.array_split(held, number))
    ended = hosts.train()
    assert [one.code for one in ended] == [0] * number, ended
    expected = alone(values)
    assert numpy.allclose(booster(hosts).predict(matrix(held)), expected.predict(matrix(held)), atol=1e-5)
    assert hosts.models() == [["xgboost-model"]] + [[]] * (number - 1)
    lines = [re.findall(r"^\[\d+\]\t.*$", one.output, re.MULTILINE) for one in ended]
    assert [len(of) for of in lines] == [8] + [0] * (number - 1)
    said_last = float(re.search(r"validation-logloss:(\S+)", lines[0][-1]).group(1))
    score = expected.eval(matrix(held)).partition("logloss:")[2]
    assert said_last == pytest.approx(float(score), abs=1e-4)
    assert "Train matrix has 300 rows" in ended[1].output or number == 3
    assert f"Distributed node training with {number} hosts" in ended[0].output


def test_shards_of_continuous_features_make_nearly_the_model_of_the_whole(tmp_path):
    values = table(4000)
    values[:, 0] = values[:, 1] + 0.5 * values[:, 2] > 0
    hosts = Hosts(tmp_path, 2, LOGISTIC)
    hosts.put("train/a.csv", values[:1500], values[1500:])
    assert [one.code for one in hosts.train()] == [0, 0]
    ours, theirs = booster(hosts).predict(matrix(values)), alone(values).predict(matrix(values))
    assert numpy.abs(ours - theirs).mean() < CLOSE
    assert ((ours > 0.5) == (theirs > 0.5)).mean() > 0.98


def test_replicated_data_count_once_a_host(tmp_path):
    values = table(levels=30)
    hosts = Hosts(tmp_path, 2, LOGISTIC)
    hosts.put("train/a.csv", values, values)
    assert [one.code for one in hosts.train()] == [0, 0]
    twice = numpy.concatenate([values, values])
    assert numpy.allclose(booster(hosts).predict(matrix(values)), alone(twice).predict(matrix(values)), atol=1e-5)


def test_metrics_and_early_stopping_are_those_of_all_rows(tmp_path):
    values, held = table(levels=20), table(200, seed=1, levels=20)
    values[:, 0] = numpy.random.default_rng(3).integers(0, 2, len(values))
    given = LOGISTIC | {"num_round": "100", "eval_metric": "logloss,f1", "early_stopping_rounds": "5", "eta": "0.5"}
    hosts = Hosts(tmp_path, 2, given, validation="text/csv")
    hosts.put("train/a.csv", values[:100], values[100:])
    hosts.put("validation/b.csv", held[:150], held[150:])
    ended = hosts.train()
    assert [one.code for one in ended] == [0, 0], ended
    scores = [float(f1) for f1 in re.findall(r"validation-f1:(\S+)", ended[0].output)]
    model = booster(hosts)
    assert len(scores) < 100
    assert model.num_boosted_rounds() == len(scores) - 5
    from sklearn.metrics import f1_score

    best = f1_score(held[:, 0], model.predict(matrix(held)) > 0.5, average="macro")
    assert max(scores) == pytest.approx(best, abs=1e-5)


def test_sparse_data_whose_last_columns_differ(tmp_path):
    hosts = Hosts(tmp_path, 2, LOGISTIC, content_type="text/libsvm")
    hosts.put("train/a", "1 0:1 5:2\n0 1:3\n" * 40, "1 0:1\n0 1:2\n" * 40)
    assert [one.code for one in hosts.train()] == [0, 0]
    assert booster(hosts).num_features() == 6


def test_a_host_without_data_ends_well_and_takes_no_part(tmp_path):
    values = table(levels=30)
    for number, without in enumerate([0, 2]):
        hosts = Hosts(tmp_path / str(number), 3, LOGISTIC)
        hosts.put("train/a.csv", *(None if n == without else part for n, part in enumerate([values] * 3)))
        ended = hosts.train()
        assert [one.code for one in ended] == [0, 0, 0], ended
        assert "does not have training data and will not be used" in ended[without].output
        leader = 1 if without == 0 else 0
        assert [len(names) for names in hosts.models()] == [int(n == leader) for n in range(3)]
        assert "[7]\ttrain-logloss" in ended[leader].output


def test_a_host_alone_with_data_trains_alone_and_no_data_at_all_is_an_error(tmp_path):
    values = table(levels=30)
    hosts = Hosts(tmp_path, 2, LOGISTIC)
    hosts.put("train/a.csv", None, values)
    assert [one.code for one in hosts.train()] == [0, 0]
    assert numpy.allclose(booster(hosts, 1).predict(matrix(values)), alone(values).predict(matrix(values)), atol=1e-6)
    hosts = Hosts(tmp_path / "none", 2, LOGISTIC)
    assert {one.failure for one in hosts.train()} <= {
        "ClientError: No hosts received training data.",
        *(f"ClientError: Host {name}: No hosts received training data." for name in hosts.names),
    }


def test_bad_data_on_one_host_is_the_reason_of_all(tmp_path):
    hosts = Hosts(tmp_path, 3, LOGISTIC)
    hosts.put("train/a.csv", table(50), table(50), "1,2,3\n0,2,red\n")
    started = time.monotonic()
    ended = hosts.train()
    assert time.monotonic() - started < ENDS_WITHIN
    reason = "Failed to load csv data: column 2 in line 2 of file 'a.csv' is not a number: 'red'"
    assert [one.code for one in ended] == [1, 1, 1]
    assert ended[2].failure.startswith(f"ClientError: {reason}")
    for one in ended[:2]:
        assert one.failure.startswith(f"ClientError: Host {hosts.names[2]}: {reason}")


def test_data_of_different_shape_and_bad_labels_are_told(tmp_path):
    hosts = Hosts(tmp_path, 2, LOGISTIC)
    hosts.put("train/a.csv", table(50), table(50)[:, :4])
    ended = hosts.train()
    assert all(f"differ in their number of features: 4 on {hosts.names[0]}, 3 on" in one.failure for one in ended)
    hosts = Hosts(tmp_path / "labels", 2, LOGISTIC | {"base_score": "0.5"})
    hosts.put("train/a.csv", table(50), "7,1,2,3,4\n0,1,2,3,4\n")
    ended = hosts.train()
    assert [one.code for one in ended] == [1, 1]
    assert all("label must be in [0,1] for logistic regression" in one.failure for one in ended), ended


@pytest.mark.parametrize("victim", [0, 1])
def test_when_a_host_is_killed_the_other_ends_with_an_error(tmp_path, victim):
    hosts = Hosts(tmp_path, 2, LOGISTIC | {"num_round": "100000"})
    hosts.put("train/a.csv", table(100), table(100))
    with hosts.running() as processes:
        until_round(processes[0], 20)
        started = time.monotonic()
        processes[victim].kill()
        ended = hosts.jobs[1 - victim].ended(*said(processes[1 - victim]))
    assert time.monotonic() - started < ENDS_WITHIN
    assert ended.code == 1
    assert ended.failure.startswith(f"AlgorithmError: Host {hosts.names[victim]} ended before the training was over")


@pytest.mark.parametrize("as_process_1", [False, True])
def test_sigterm_ends_a_host_that_waits_for_another_inside_the_library(tmp_path, as_process_1):
    hosts = Hosts(tmp_path, 2, LOGISTIC | {"num_round": "100000"})
    hosts.put("train/a.csv", table(100), table(100))
    if as_process_1:
        hosts.jobs[0].start = functools.partial(start_as_process_1, hosts.jobs[0])
    with hosts.running() as processes:
        until_round(processes[0], 20)
        processes[1].send_signal(signal.SIGSTOP)
        time.sleep(0.3)
        started = time.monotonic()
        processes[0].send_signal(signal.SIGTERM)
        said(processes[0])
        assert time.monotonic() - started < ENDS_WITHIN
        assert processes[0].returncode == (128 + signal.SIGTERM if as_process_1 else -signal.SIGTERM)
        processes[1].send_signal(signal.SIGCONT)


def test_a_stop_saves_the_model_once_and_ends_all_after_the_same_round(tmp_path):
    hosts = Hosts(tmp_path, 2, LOGISTIC | {"num_round": "100000", "save_model_on_termination": "true"})
    hosts.put("train/a.csv", table(100), table(100))
    with hosts.running() as processes:
        until_round(processes[0], 20)
        for process in processes:
            process.send_signal(signal.SIGTERM)
        outputs = [said(process) for process in processes]
    assert [code for code, _ in outputs] == [0, 0], outputs
    rounds = booster(hosts).num_boosted_rounds()
    assert all(f"Stopped after {rounds} rounds" in output for _, output in outputs)
    assert hosts.models() == [["xgboost-model"], []]


def test_the_leader_writes_checkpoints_and_all_go_on_from_them(tmp_path):
    values = table(levels=30)
    hosts = Hosts(tmp_path, 2, LOGISTIC)
    hosts.put("train/a.csv", values[:300], values[300:])
    for job in hosts.jobs:
        job.configure("checkpointconfig", {"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/checkpoints"})
    assert [one.code for one in hosts.train()] == [0, 0]
    folder = hosts.jobs[0].base / "checkpoints"
    assert sorted(path.name for path in folder.iterdir()) == [f"xgboost-checkpoint.{n}" for n in range(3, 8)]
    assert not list(hosts.jobs[1].base.glob("checkpoints/*"))
    straight = booster(hosts).predict(matrix(values))
    for number in (5, 6, 7):
        (folder / f"xgboost-checkpoint.{number}").unlink()
    again = hosts.train()
    assert re.findall(r"^\[(\d+)\]", again[0].output, re.MULTILINE) == ["5", "6", "7"]
    assert "Resuming from iteration 5" in again[1].output
    assert numpy.allclose(booster(hosts).predict(matrix(values)), straight, atol=1e-5)


def test_cross_validation_divides_the_rows_of_each_host(tmp_path):
    values = table(180, levels=30)
    hosts = Hosts(tmp_path, 2, LOGISTIC | {"_kfold": "3"})
    hosts.put("train/a.csv", values[:100], values[100:])
    ended = hosts.train()
    assert [one.code for one in ended] == [0, 0], ended
    assert hosts.models() == [[f"xgboost-model-{n}" for n in range(3)], []]
    rows = numpy.loadtxt(hosts.jobs[0].base / "output/data/predictions.csv", delimiter=",")
    assert numpy.array_equal(rows[:, 0], values[:, 0])
    assert not list(hosts.jobs[1].base.glob("output/data/*"))


def test_several_jobs_train_at_once_on_one_machine(tmp_path):
    several = [Hosts(tmp_path / str(n), 2, LOGISTIC) for n in range(3)]
    with contextlib.ExitStack() as stack:
        for hosts in several:
            hosts.put("train/a.csv", table(100), table(100, seed=1))
        running = [stack.enter_context(hosts.running()) for hosts in several]
        assert all(said(process)[0] == 0 for processes in running for process in processes)
