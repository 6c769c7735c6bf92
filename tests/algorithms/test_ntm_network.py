"""NTM's network by itself: its gradients, its losses, its optimizers, and the patience with which it is watched."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import expit
from scipy.special import softmax as soft

from algorithms.ntm import fitting
from algorithms.ntm.fitting import Patience, Plan
from algorithms.ntm.network import Network, Shape
from algorithms.ntm.optimizers import Optimizer
from tests.algorithms import corpora


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_gradients_are_those_of_the_loss(activation: str, batch_norm: bool) -> None:
    """Against differences, for every number of every parameter; one document is empty."""
    draw = np.random.default_rng(0)
    network = Network.begin(Shape(7, (5, 4), 3, activation, batch_norm), draw)
    for name, value in network.parameters.items():
        network.parameters[name] = value.astype(float) + 0.1 * draw.normal(size=value.shape)
    dense, noise = draw.poisson(2, (6, 7)).astype(float), draw.normal(size=(6, 3))
    dense[2] = 0
    for rows in (dense, csr_matrix(dense)):
        _, step = network.forward(rows, noise)
        gradients = network.backward(step)
        for name, value in network.parameters.items():
            for place in np.ndindex(value.shape):
                before, sums = value[place], []
                for change in (1e-6, -1e-6):
                    value[place] = before + change
                    sums.append(network.forward(rows, noise)[0].total.sum())
                value[place] = before
                assert gradients[name][place] == pytest.approx((sums[0] - sums[1]) / 2e-6, abs=1e-7), name


def test_losses_are_the_bound_by_word() -> None:
    draw = np.random.default_rng(1)
    network = Network.begin(Shape(6, (4,), 3), draw)
    rows, noise = draw.poisson(3, (4, 6)).astype(np.float32), draw.normal(size=(4, 3)).astype(np.float32)
    losses, _ = network.forward(rows, noise)
    own = {name: value.astype(float) for name, value in network.parameters.items()}
    hidden = expit(rows @ own["encoder_0_weight"].T + own["encoder_0_bias"])
    mean = hidden @ own["mean_weight"].T + own["mean_bias"]
    log_sigma = hidden @ own["log_sigma_weight"].T + own["log_sigma_bias"]
    mixture = soft(mean + np.exp(log_sigma) * noise, axis=1)
    chances = soft(mixture @ own["projection_weight"].T + own["projection_bias"], axis=1)
    lengths = rows.sum(axis=1)
    divergence = 0.5 * (mean**2 + np.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(axis=1)
    assert losses.recons == pytest.approx(-(rows * np.log(chances)).sum(axis=1) / lengths, rel=1e-4)
    assert losses.kld == pytest.approx(divergence / lengths, rel=1e-4)


@pytest.mark.parametrize(
    ("method", "wanted"),
    [
        ("sgd", [0.000618, 0.972132, 1.971261, 2.989017, 4.009473]),
        ("adam", [0.080411, 0.934675, 1.870503, 2.85216, 4.025759]),
        ("adagrad", [0.026491, 0.958753, 1.93939, 2.91943, 4.022747]),
        ("adadelta", [-0.000506, 0.930142, 1.872298, 2.815197, 3.776376]),
        ("rmsprop", [0.076085, 0.865424, 1.811547, 2.760246, 4.079138]),
    ],
)
def test_optimizers_take_the_steps_that_mxnet_was_seen_to_take(method: str, wanted: list[float]) -> None:
    """Of mxnet 1.9.1 with learning_rate 0.05, rescale_grad 0.5, clip_gradient 0.4, wd 0.01, six steps."""
    found = {"a_weight": np.arange(5, dtype=np.float32)}
    optimizer = Optimizer(method, 0.05, rescale=0.5, clip=0.4, decay=0.01)
    for gradient in np.sin(np.arange(30)).reshape(6, 5).astype(np.float32):
        optimizer.step(found, {"a_weight": gradient})
    assert found["a_weight"] == pytest.approx(wanted, abs=5e-6)


def test_biases_do_not_decay() -> None:
    found = {"a_weight": np.ones(2), "a_bias": np.ones(2)}
    Optimizer("sgd", 0.5, decay=0.1).step(found, {"a_weight": np.zeros(2), "a_bias": np.zeros(2)})
    assert found["a_weight"].tolist() == [0.95, 0.95] and found["a_bias"].tolist() == [1, 1]


def test_a_batch_of_many_words_is_learned_from_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = csr_matrix(corpora.planted(3, 12, 200, 40, seed=5, sparsity=0.3).documents)
    found = []
    for cells in (fitting.CELLS, 12 * 7):
        monkeypatch.setattr(fitting, "CELLS", cells)
        network = Network.begin(Shape(12, (9, 6), 3), np.random.default_rng(0))
        found.append(list(fitting.train(network, Optimizer("sgd", 0.01), (rows, rows), Plan(2, 50), _draw())))
        found.append(network.mixtures(rows))
    assert [one.train.total for one in found[2]] == pytest.approx([one.train.total for one in found[0]], rel=1e-4)
    assert found[3] == pytest.approx(found[1], abs=1e-4)


def _draw() -> np.random.Generator:
    return np.random.default_rng(3)


def test_patience_counts_epochs_that_do_not_improve() -> None:
    """The last three are those of the real log: the third is bad, and so is the fourth."""
    patience = Patience(3, 0.001)
    for loss, bad in ((0.13779, 0), (0.13672, 0), (0.136693, 1), (0.136731, 2), (0.13, 0), (0.2, 1), (0.2, 2)):
        patience.take(loss)
        assert patience.bad == bad
    assert not patience.is_over and patience.window == [0.13, 0.2, 0.2]
    patience.take(0.1299)
    assert patience.is_over, "less than a thousandth below the least of the window is no improvement"
