"""What the scripts of JumpStart's networks share: optimizers as Keras has them, measures, early stopping."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest

from tests.algorithms.jumpstart_scripts import Scripts, scripts

torch = pytest.importorskip("torch", reason="pip install 'sagelet[vision]'")
MODEL = "tensorflow-ic-imagenet-mobilenet-v2-035-96"
VALUES = {
    "learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3, "momentum": 0.7, "rho": 0.6,
    "initial_accumulator_value": 0.2,
}  # fmt: skip


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> Scripts:
    yield from scripts(tmp_path_factory.mktemp("job"), MODEL)


def adam(w, g, s, t):
    s["m"] = 0.8 * s.get("m", 0) + 0.2 * g
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g**2
    return w - 0.1 * (s["m"] / (1 - 0.8**t)) / (np.sqrt(s["v"] / (1 - 0.9**t)) + 1e-3)


def adamw(w, g, s, t):
    return adam(w * (1 - 0.1 * 0.01), g, s, t)


def sgd(w, g, s, t):
    s["m"] = 0.7 * s.get("m", 0) - 0.1 * g
    return w + s["m"]


def nesterov(w, g, s, t):
    s["m"] = 0.7 * s.get("m", 0) - 0.1 * g
    return w + 0.7 * s["m"] - 0.1 * g


def rmsprop(w, g, s, t):
    s["v"] = 0.6 * s.get("v", 0) + 0.4 * g**2
    s["m"] = 0.7 * s.get("m", 0) + 0.1 * g / (np.sqrt(s["v"]) + 1e-3)
    return w - s["m"]


def adagrad(w, g, s, t):
    s["v"] = s.get("v", 0.2) + g**2
    return w - 0.1 * g / (np.sqrt(s["v"]) + 1e-3)


def adadelta(w, g, s, t):
    s["v"] = 0.6 * s.get("v", 0) + 0.4 * g**2
    step = np.sqrt(s.get("u", 0) + 1e-3) / np.sqrt(s["v"] + 1e-3) * g
    s["u"] = 0.6 * s.get("u", 0) + 0.4 * step**2
    return w - 0.1 * step


@pytest.mark.parametrize("formula", [adam, adamw, sgd, nesterov, rmsprop, adagrad, adadelta])
def test_optimizers_step_as_keras_formulas_say(job, formula):
    """The formulas of https://keras.io/api/optimizers/, written here; adamw lets weights decay by 0.01."""
    draw = np.random.default_rng(1)
    weight, state = draw.normal(size=(2, 3)), {}
    parameter = torch.nn.Parameter(torch.tensor(weight, dtype=torch.float64))
    made = job.module("networks.optimizers").made([parameter], {**VALUES, "optimizer": formula.__name__})
    for step in range(1, 5):
        gradient = draw.normal(size=weight.shape)
        weight = formula(weight, gradient, state, step)
        parameter.grad = torch.tensor(gradient)
        made.step()
        np.testing.assert_allclose(parameter.detach().numpy(), weight, rtol=1e-6)


def test_measures_are_those_of_scikit_learn(job):
    from sklearn import metrics

    draw, measures = np.random.default_rng(2), job.module("networks.measures").MEASURES
    labels = draw.integers(0, 2, 200)
    chances = (0.3 * labels + draw.uniform(0, 0.7, 200))[:, None]
    told = chances[:, 0] > 0.5
    wanted = {
        "accuracy": metrics.accuracy_score(labels, told),
        "precision": metrics.precision_score(labels, told),
        "recall": metrics.recall_score(labels, told),
        "auc": metrics.roc_auc_score(labels, chances[:, 0]),
        "prc": metrics.average_precision_score(labels, chances[:, 0]),
    }
    assert {name: measure(chances, labels) for name, measure in measures.items()} == pytest.approx(wanted)
    of_three = draw.dirichlet((1, 1, 1), 50)
    assert measures["accuracy"](of_three, of_three.argmax(axis=1)) == 1
    assert [measures[name](np.zeros((3, 1)), np.zeros(3)) for name in ("precision", "recall", "auc", "prc")] == [0] * 4


def test_early_stopping_puts_the_best_values_back(job):
    network = torch.nn.Linear(1, 1)
    values = {"early_stopping": "True", "early_stopping_patience": 2, "early_stopping_min_delta": 0.1}
    stopping, ended = job.module("networks.stopping").Stopping(values), []
    for number, score in enumerate([0.5, 0.55, 0.7, 0.7, 0.75, 0.9]):
        torch.nn.init.constant_(network.weight, number)
        ended.append(stopping.ends(score, network))
        if ended[-1]:
            break
    assert ended == [False, False, False, False, True] and float(network.weight.detach()) == 2
    never = job.module("networks.stopping").Stopping({**values, "early_stopping": "False"})
    assert not any(never.ends(0.0, network) for _ in range(9))


@pytest.mark.parametrize(
    ("accept", "verbose"),
    [("", False), ("*/*", False), ("application/json", False), ("Application/JSON; verbose", True)],
)
def test_what_may_be_asked_for(job, accept, verbose):
    from tests.algorithms.jumpstart_scripts import Context

    answers = job.module("networks.answers")
    text, media = answers.answer((b"x", "a/b; c=d", accept), "a/b", Context(), lambda body, wanted: sorted(wanted))
    assert (text, media) == ('["verbose"]' if verbose else "[]", "application/json")


def test_several_hosts_and_a_missing_library_are_refused_at_once(job, monkeypatch):
    start, told = job.module("networks.start"), job.module("common.model").told()
    refused = job.module("common.failing").Refused
    monkeypatch.setenv("SM_HOSTS", '["algo-1", "algo-2"]')
    with pytest.raises(refused, match="trains on one instance here; the job asks for 2"):
        start._begin("fitting")
    monkeypatch.setattr(
        start.model, "told", lambda: {**told, "requires": {"not_torch": "pip install 'sagelet[vision]'"}}
    )
    with pytest.raises(refused, match=r"not_torch is not installed where this job runs.*sagelet\[vision\]"):
        start._begin("fitting")


def test_archives_are_unpacked_by_name_where_python_has_no_filters_for_them(job, tmp_path, monkeypatch):
    packed, place = tmp_path / "channel", tmp_path / "tmp"
    packed.mkdir(), place.mkdir()
    with tarfile.open(packed / "model.tar.gz", "w:gz") as tar:
        for name in ("model.pt", "deep/facts.json", "../../outside"):
            member = tarfile.TarInfo(name)
            member.size = len(name)
            tar.addfile(member, io.BytesIO(name.encode()))
    monkeypatch.setenv("TMPDIR", str(place))
    for method in ("extract", "extractall"):  # as in Debian 12's Python 3.11.2
        monkeypatch.delattr(tarfile.TarFile, method)
    found = job.module("networks.weights")._unpacked(packed)
    assert {name: path.read_text() for name, path in found.items() if path.parent != packed} == {
        "model.pt": "model.pt", "facts.json": "deep/facts.json", "outside": "../../outside",
    }  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["channel", "tmp"]
