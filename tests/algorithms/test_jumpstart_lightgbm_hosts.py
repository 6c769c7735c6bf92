"""LightGBM on several hosts, each a process with a folder and an address of the loopback of its own."""

import contextlib
import importlib
import re
import sys
import time

import numpy as np
import pytest

from tests.algorithms.jumpstart_job import Tabular, spec, text
from tests.algorithms.several import addresses, said

CLASSIFICATION, REGRESSION = "lightgbm-classification-model", "lightgbm-regression-model"
EXACT = {
    "num_threads": "1",
    "bagging_fraction": "1",
    "feature_fraction": "1",
    "num_leaves": "15",
    "num_boost_round": "30",
}
ENDS_WITHIN = 30.0


@pytest.fixture(autouse=True)
def libraries():
    pytest.importorskip("pandas")
    pytest.importorskip("lightgbm")


def table(rows: int, seed: int, labels: int = 0) -> np.ndarray:
    """Target and four features of so few values that every host's histograms have the same bins."""
    draw = np.random.default_rng(seed)
    features = draw.integers(0, 40, (rows, 4)) / 40
    score = features[:, 0] + 2 * features[:, 1] * features[:, 2]
    target = (score + draw.normal(0, 0.1, rows)).round(4)
    return np.column_stack([np.digitize(score, np.linspace(0, 3, labels + 1)[1:-1]) if labels else target, features])


class Hosts:
    """One job on several hosts."""

    def __init__(self, folder, number: int, model_id: str, given: dict, sharded: bool = False):
        block = next(addresses)
        self.names = [f"127.12.{block}.{place}" for place in range(1, number + 1)]
        self.jobs = []
        for name in self.names:
            (folder / name).mkdir(parents=True)
            job = Tabular(folder / name, model_id)
            job.ask({**EXACT, **given}, "train", "validation")
            job.configure("resourceconfig", {"current_host": name, "hosts": self.names})
            kinds = {"train": "ShardedByS3Key" if sharded else "FullyReplicated", "validation": "FullyReplicated"}
            shown = {channel: {"S3DistributionType": kind} for channel, kind in kinds.items()}
            job.configure("inputdataconfig", shown)
            self.jobs.append(job)

    def put(self, name: str, *contents: str):
        """A file for each host, or the same for all of them."""
        for place, job in enumerate(self.jobs):
            job.put(name, contents[place % len(contents)])

    @contextlib.contextmanager
    def running(self):
        processes = [job.start("train", TMPDIR=str(job.temporary)) for job in self.jobs]
        try:
            yield processes
        finally:
            for process in processes:
                process.terminate()
                process.wait(20)
                process.stdout.close()

    def train(self):
        with self.running() as processes:
            return [job.ended(*said(process)) for job, process in zip(self.jobs, processes, strict=True)]


def booster(job):
    import lightgbm

    return lightgbm.Booster(model_file=job.model / "model.txt")


def directly(rows: np.ndarray, held: np.ndarray, **more):
    """What LightGBM makes of all rows at once, without hosts."""
    import lightgbm

    told = {
        "objective": "regression", "metric": "rmse", "learning_rate": 0.1, "num_leaves": 15, "max_depth": 6,
        "min_data_in_leaf": 3, "num_threads": 1, "verbosity": -1, **more,
    }  # fmt: skip
    training = lightgbm.Dataset(rows[:, 1:], rows[:, 0])
    validation = lightgbm.Dataset(held[:, 1:], held[:, 0], reference=training)
    stop = lightgbm.early_stopping(10, verbose=False)
    return lightgbm.train(told, training, 30, valid_sets=[validation], callbacks=[stop])


@pytest.mark.parametrize(("number", "sharded"), [(2, False), (3, True)])
def test_hosts_make_the_model_of_all_rows_and_say_so_once(tmp_path, number, sharded):
    rows, held = table(1500, 0), table(400, 1)
    given = {"tree_learner": "voting"} if sharded else {}
    hosts = Hosts(tmp_path, number, REGRESSION, given, sharded)
    hosts.put("train/data.csv", *map(text, np.array_split(rows, number) if sharded else [rows]))
    hosts.put("validation/data.csv", text(held))
    ended = hosts.train()
    assert [one.code for one in ended] == [0] * number, [one.output[-2000:] for one in ended]
    assert [job.model.joinpath("model.txt").exists() for job in hosts.jobs] == [True] + [False] * (number - 1)
    [row] = [row for row in spec(REGRESSION)["metrics"] if row["Name"] == "rmse"]
    logged = [[float(value) for value in re.findall(row["Regex"], one.output)] for one in ended]
    assert len(logged[0]) >= 30 and logged[1:] == [[]] * (number - 1)
    found, wanted = (model.predict(held[:, 1:]) for model in (booster(hosts.jobs[0]), directly(rows, held)))
    errors = [np.sqrt(np.mean((each - held[:, 0]) ** 2)) for each in (found, wanted)]
    assert errors[0] < 1.01 * errors[1] and min(logged[0]) == pytest.approx(errors[0], rel=1e-4)
    assert np.abs(found - wanted).mean() < 0.1 * errors[1]
    half = directly(rows[::number], held).predict(held[:, 1:])  # One host's rows alone do worse.
    assert errors[0] < np.sqrt(np.mean((half - held[:, 0]) ** 2))


def test_labels_that_one_host_never_saw_and_early_stopping_on_all(tmp_path):
    rows, held = table(900, 2, labels=3), table(300, 3, labels=3)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    hosts = Hosts(tmp_path, 2, CLASSIFICATION, {"num_boost_round": "1000", "learning_rate": "0.5"}, sharded=True)
    hosts.put("train/data.csv", *map(text, np.array_split(rows, 2)))
    hosts.put("validation/data.csv", text(held))
    ended = hosts.train()
    assert [one.code for one in ended] == [0, 0], [one.output[-2000:] for one in ended]
    assert set(rows[450:, 0]) != set(rows[:450, 0])
    losses = [float(value) for value in re.findall(r"valid_0's multi_logloss: (\S+)", ended[0].output)]
    each = re.findall(r"^\[(\d+)\]\tvalid_0", ended[0].output, re.M)
    assert len(each) < 1000 and booster(hosts.jobs[0]).current_iteration() == len(each) - 10
    with hosts.jobs[0].served() as server:
        told = server.post(text(held[:, 1:]), "text/csv", "application/json;verbose").json()
    assert told["labels"] == [0, 1, 2] and np.mean(np.array(told["predicted_label"]) == held[:, 0]) > 0.9
    chances = np.array(told["probabilities"])[np.arange(len(held)), held[:, 0].astype(int)]
    assert -np.mean(np.log(chances)) == pytest.approx(min(losses), rel=1e-3)


GOOD, NARROW, WORDS = "1,2,3\n2,3,4\n3,4,5\n" * 9, "1,2\n2,3\n" * 9, "1,2,3\n2,red,4\n" * 9
REFUSED = [
    (NARROW, "The hosts' data differ in their number of features: 2 on {0}, 1 on {1}."),
    (WORDS, "Column 1 of data.csv holds text ('red' in row 2)"),
]


@pytest.mark.parametrize(("second", "wanted"), REFUSED, ids=["widths", "text"])
def test_what_one_host_cannot_train_with_is_the_reason_of_all(tmp_path, second, wanted):
    hosts = Hosts(tmp_path, 2, REGRESSION, {}, sharded=True)
    hosts.put("train/data.csv", GOOD, second)
    ended = hosts.train()
    assert [one.code for one in ended] == [1, 1]
    for one in ended:
        assert one.failure.startswith("ClientError: ") and wanted.format(*hosts.names) in one.failure, one.failure


@pytest.mark.parametrize("victim", [0, 1])
def test_when_a_host_dies_the_other_ends_and_says_why(tmp_path, victim):
    hosts = Hosts(tmp_path, 2, REGRESSION, {"num_boost_round": "1000000", "early_stopping_rounds": "0"})
    hosts.put("train/data.csv", text(table(200, 0)))
    with hosts.running() as processes:
        for line in processes[0].stdout:
            if line.startswith("[20]"):
                break
        else:
            raise AssertionError("the training is over")
        started = time.monotonic()
        processes[victim].terminate()  # Ends its script, which says nothing.
        ended = hosts.jobs[1 - victim].ended(*said(processes[1 - victim]))
    assert time.monotonic() - started < ENDS_WITHIN
    assert ended.code == 1
    assert ended.failure.startswith(f"AlgorithmError: Host {hosts.names[victim]} ended before the training was over")


@pytest.fixture
def team(tmp_path, monkeypatch):
    """The module of that name, in this process."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(Tabular(tmp_path, REGRESSION).code)
    yield importlib.import_module("team")
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("team", "tabular", "common"):
            del sys.modules[name]


def test_rows_are_divided_unless_each_host_has_its_own(team):
    rows = pd_frame(np.arange(14).reshape(7, 2)), np.arange(7)

    def targets(current: str, sharded: bool, names=("a", "b", "c")) -> list:
        work = team.Work({}, rows, rows, None, [], team.Crew(names, current), sharded)
        features, target = team.part(work)
        assert features.to_numpy()[:, 1].tolist() == (2 * target + 1).tolist()
        return target.tolist()

    assert [targets(name, False) for name in "abc"] == [[0, 3, 6], [1, 4], [2, 5]]
    assert targets("b", True) == targets("a", False, names=("a",)) == list(range(7))
    with pytest.raises(team.Refused, match="h has no rows: 7 are fewer than 8 instances"):
        targets("h", False, tuple("abcdefgh"))


def test_a_tree_learner_that_there_is_not_is_refused(team):
    with pytest.raises(team.Refused, match="is feature; on several instances LightGBM has data and voting here"):
        team.network(team.Crew(("a", "b"), "a"), {"tree_learner": "feature"})


def test_processes_of_one_machine_share_its_processors(team, monkeypatch):
    monkeypatch.setattr(team.os, "sched_getaffinity", lambda _: range(5), raising=False)
    assert [team._threads([team.LOOPBACK] * many) for many in (2, 3, 8)] == [2, 1, 1]
    assert team._threads(["10.0.0.1", "10.0.0.2"]) == 0


def pd_frame(values: np.ndarray):
    import pandas as pd

    return pd.DataFrame(values)
