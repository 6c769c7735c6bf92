"""The networks of pictures: their sizes by the papers, their computation by one written out in PyTorch, changes."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from algorithms.image_classification import artifact
from algorithms.vision import augmenting, pictures, stopping, symbol
from tests.algorithms import drawn

torch = pytest.importorskip("torch", reason="pip install 'sagelet[vision]'")
from algorithms.vision.network import Network, Unknown  # noqa: E402


@pytest.mark.parametrize(
    ("layers", "millions"),
    [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)],
)
def test_small_networks_have_as_many_parameters_as_the_paper_says(layers: int, millions: float) -> None:
    """Table 6 of arxiv.org/abs/1512.03385, which counts shortcuts without parameters."""
    made = artifact.network(layers, (3, 28, 28), 10, False)
    count = sum(math.prod(shape) for name, shape in made.shapes.items() if "_sc_" not in name and "moving" not in name)
    assert count / 1e6 == pytest.approx(millions, rel=0.02, abs=0.01)


@pytest.mark.parametrize(
    ("layers", "millions"), [(18, 11.69), (34, 21.80), (50, 25.56), (101, 44.55), (152, 60.19), (200, 64.67)]
)
def test_large_networks_have_as_many_parameters_as_those_that_are_published(layers: int, millions: float) -> None:
    made = artifact.network(layers, (3, 224, 224), 1000, False)
    count = sum(math.prod(shape) for name, shape in made.shapes.items() if "moving" not in name)
    assert count / 1e6 == pytest.approx(millions, rel=0.01)


class Plain(torch.nn.Module):
    """A residual network of 18 layers with the activation first, as anybody would write it."""

    def __init__(self, classes: int, large: bool) -> None:
        super().__init__()
        self.bn_data = torch.nn.BatchNorm2d(3, eps=2e-5)
        self.large = large
        self.conv0 = torch.nn.Conv2d(3, 64, 7 if large else 3, 2 if large else 1, 3 if large else 1, bias=False)
        self.bn0 = torch.nn.BatchNorm2d(64, eps=2e-5)
        before, units = 64, {}
        for stage, width in enumerate((64, 128, 256, 512), 1):
            for unit in (1, 2):
                stride = 2 if stage > 1 and unit == 1 else 1
                units[f"stage{stage}_unit{unit}"] = self._unit(before, width, stride, unit == 1)
                before = width
        self.units = torch.nn.ModuleDict(units)
        self.bn1 = torch.nn.BatchNorm2d(512, eps=2e-5)
        self.fc1 = torch.nn.Linear(512, classes)

    def _unit(self, before: int, width: int, stride: int, changes: bool) -> torch.nn.ModuleDict:
        found = {
            "bn1": torch.nn.BatchNorm2d(before, eps=2e-5),
            "conv1": torch.nn.Conv2d(before, width, 3, stride, 1, bias=False),
            "bn2": torch.nn.BatchNorm2d(width, eps=2e-5),
            "conv2": torch.nn.Conv2d(width, width, 3, 1, 1, bias=False),
        }
        return torch.nn.ModuleDict(
            found | ({"sc": torch.nn.Conv2d(before, width, 1, stride, bias=False)} if changes else {})
        )

    def forward(self, x):
        x = self.conv0(self.bn_data(x))
        if self.large:
            x = torch.nn.functional.max_pool2d(torch.relu(self.bn0(x)), 3, 2, 1)
        for unit in self.units.values():
            act = torch.relu(unit["bn1"](x))
            out = unit["conv2"](torch.relu(unit["bn2"](unit["conv1"](act))))
            x = out + (unit["sc"](act) if "sc" in unit else x)
        return self.fc1(torch.relu(self.bn1(x)).mean(dim=(2, 3)))


@pytest.mark.parametrize("large", [False, True])
def test_the_network_computes_and_learns_as_one_that_is_written_out(large: bool) -> None:
    size = 48 if large else 24
    made = artifact.network(18, (3, size, size), 5, False)
    ours, plain = Network.begin(made, 3), Plain(5, large)
    for name, value in (ours.parameters | ours.moving).items():
        owner, _, part = name.rpartition("_moving_") if "_moving_" in name else name.rpartition("_")
        own = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var"}.get(part, part)
        stage, _, rest = owner.partition("_unit")
        module = plain.units[f"{stage}_unit{rest[0]}"][rest[2:]] if rest else getattr(plain, owner)
        with torch.no_grad():
            getattr(module, own).copy_(value)
    pixels = torch.rand(4, 3, size, size, generator=torch.Generator().manual_seed(1)) * 255
    for value in ours.learned().values():
        value.requires_grad_(True)
    for _ in range(2):
        mine, theirs = ours.scores(pixels, training=True), plain.train()(pixels)
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-3)
    mine.sum().backward()
    theirs.sum().backward()
    gradient = plain.units["stage2_unit1"]["conv1"].weight.grad
    torch.testing.assert_close(ours.parameters["stage2_unit1_conv1_weight"].grad, gradient, rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(ours.scores(pixels), plain.eval()(pixels), rtol=1e-3, atol=1e-3)
    assert "bn_data_gamma" not in ours.learned()


def test_a_network_that_was_written_is_read_as_it_was() -> None:
    made = artifact.network(20, (3, 20, 20), 4, False)
    network = Network.begin(made, 1)
    nodes, told = symbol.read(made.json({"best_epoch": 3}))
    assert told["best_epoch"] == ["int", 3]
    arrays = {name[4:]: value for name, value in network.arrays().items()}
    pixels = torch.rand(2, 3, 20, 20)
    torch.testing.assert_close(Network(nodes, arrays).chances(pixels), network.chances(pixels))
    head = json.loads(made.json({}))
    assert head["nodes"][head["heads"][0][0]]["op"] == "SoftmaxOutput"


def test_a_network_that_is_not_computed_here_is_refused_by_name() -> None:
    nodes = [("null", "data", (), {}), ("Dropout", "d", ("data",), {})]
    with pytest.raises(Unknown, match="the operator Dropout is not computed here"):
        Network(nodes, {})
    with pytest.raises(Unknown, match="there is no array 'w'"):
        Network([("null", "data", (), {}), ("null", "w", (), {})], {})
    for text in ("", "[]", '{"nodes": [{}]}'):
        with pytest.raises(ValueError, match="it is no network of MXNet's"):
            symbol.read(text)


def test_changes_keep_what_a_picture_shows() -> None:
    draw = np.random.default_rng(1)
    whole = drawn.shape(draw, 0, 40)
    for kind in augmenting.KINDS:
        for _ in range(20):
            found = augmenting.changed(whole, (32, 30), kind, draw)
            assert found.shape == (32, 30, 3) and found.dtype == np.uint8
    flipped = {augmenting.changed(whole, (40, 40), "crop", draw).tobytes() for _ in range(20)}
    assert flipped == {whole.tobytes(), whole[:, ::-1].tobytes()}
    grey = whole[:, :, :1]
    for kind in augmenting.KINDS:
        assert augmenting.changed(grey, (32, 32), kind, draw).shape == (32, 32, 1)


def test_colours_move_by_no_more_than_the_guide_says() -> None:
    import colorsys

    draw = np.random.default_rng(2)
    pixels = np.tile(np.array([[[180, 90, 60]]], np.uint8), (4, 4, 1))
    hue, _, value = colorsys.rgb_to_hsv(180 / 255, 90 / 255, 60 / 255)
    moved = []
    for _ in range(200):
        found = colorsys.rgb_to_hsv(*(augmenting.coloured(pixels, draw)[0, 0] / 255))
        moved.append(((found[0] - hue + 0.5) % 1 - 0.5, found[2] - value))
    hues, values = np.abs(np.array(moved)).max(axis=0)
    assert 0.15 < hues < 0.2 + 0.02 and 0.15 < values < 50 / 255 + 0.02


def test_a_rotated_picture_keeps_its_middle() -> None:
    draw = np.random.default_rng(3)
    pixels = np.zeros((41, 41, 3), np.uint8)
    pixels[18:23, 18:23] = 255
    for _ in range(20):
        found = augmenting.transformed(pixels, draw)
        assert found[20, 20].min() > 200 and 15 < (found[:, :, 0] > 127).sum() < 40


def test_the_shorter_side_is_scaled_and_the_middle_taken() -> None:
    pixels = drawn.shape(np.random.default_rng(1), 1, 40)[:, :30]
    scaled = pictures.shorter_side(pixels, 60)
    assert scaled.shape == (80, 60, 3)
    assert (pictures.centre(pixels, 20, 10) == pixels[10:30, 10:20]).all()


def test_rates_fall_at_their_steps_and_patience_ends() -> None:
    assert [stopping.rate(1, 0.5, [2, 3], epoch) for epoch in range(5)] == [1, 1, 0.5, 0.25, 0.25]
    stops = stopping.EarlyStopping(1, 2, 0.1)
    assert [stops.ends(n, score) for n, score in enumerate([0.5, 0.54, 0.6, 0.61, 0.62])] == [False] * 4 + [True]
