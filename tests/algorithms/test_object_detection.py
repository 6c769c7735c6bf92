"""Object Detection: what all algorithms for pictures owe, what its network finds, and its boxes by themselves."""

from __future__ import annotations

import itertools
import json
import math
import re
import tarfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from algorithms.common import ndarray_list
from algorithms.object_detection import anchors, changing
from algorithms.object_detection.precision import Precision
from algorithms.vision import boxes
from tests.algorithms import drawn
from tests.algorithms.in_process import from_pipe, here, resumed
from tests.algorithms.job import Ended, Job, Server
from tests.contracts.first_party_contract import JSON, JSONLINES
from tests.contracts.picture_contract import X_IMAGE, X_RECORDIO, PictureContract

torch = pytest.importorskip("torch", reason="pip install 'sagelet[vision]'")
Picture = tuple[np.ndarray, list[list[float]]]


def some(count: int, seed: int) -> list[Picture]:
    draw = np.random.default_rng(seed)
    return [drawn.objects(draw) for _ in range(count)]


def records(pairs: list[Picture]) -> bytes:
    return drawn.records([([2, 5, *itertools.chain(*found)], drawn.encoded(pixels)) for pixels, found in pairs])


def annotated(found: list[list[float]], size: int = 100) -> dict[str, Any]:
    """As Amazon's examples and Ground Truth write it, in pixels."""
    told = []
    for kind, *box in found:
        left, top, right, bottom = (round(value * size) for value in box)
        told.append({"class_id": kind, "left": left, "top": top, "width": right - left, "height": bottom - top})
    return {"image_size": [{"width": size, "height": size, "depth": 3}], "annotations": told}


class TestObjectDetection(PictureContract):
    name = "object_detection"
    values: ClassVar = {"num_classes": "2", "num_training_samples": "4", "epochs": "1", "mini_batch_size": "4",
                        "use_pretrained_model": "0"}  # fmt: skip
    artifact = ("hyperparams.json", "model_algo_1-0000.params")
    metrics = ("train:cross_entropy", "train:smooth_l1", "train:progress", "train:throughput", "validation:mAP")

    @classmethod
    def put(cls, job: Job, channel: str, form: str) -> None:
        job.put(f"{channel}/data.rec", records(some(4, 1)))

    @classmethod
    def pictures(cls) -> list[Any]:
        return [pixels for pixels, _ in some(4, 5)]

    def test_all_formats_give_the_same_model(self, trained: tuple[Job, Ended], tmp_path: Path) -> None:
        pairs = some(4, 1)
        alone = Job(tmp_path / "alone", self.name)
        alone.prepare(self.values, train=X_RECORDIO)
        alone.put("train/data.rec", records(pairs))
        files = Job(tmp_path / "files", self.name)
        files.prepare(self.values, train="image/jpeg", train_annotation="image/jpeg")
        for number, (pixels, found) in enumerate(pairs):
            files.put(f"train/{number}.png", drawn.encoded(pixels))
            files.put(f"train_annotation/{number}.json", json.dumps({"file": f"{number}.png", **annotated(found)}))
        piped = Job(tmp_path / "piped", self.name)
        parts = [
            part for pixels, found in pairs for part in (drawn.encoded(pixels), json.dumps(annotated(found)).encode())
        ]
        assert from_pipe(piped, self.values, drawn.wrapped(parts), "application/jsonlines").code == 0
        assert here(alone).code == here(files).code == 0
        models = [ndarray_list.read((job.model / self.artifact[1]).read_bytes()) for job in (alone, files, piped)]
        for name, value in models[0].items():
            assert models[1][name] == pytest.approx(value, abs=1e-4), name
            assert (models[1][name] == models[2][name]).all()

    def test_values_that_are_no_numbers_fail_the_job(self, tmp_path: Path) -> None:
        """Here: labels that are none."""
        content = drawn.encoded(self.pictures()[0])
        for number, (labels, said) in enumerate(
            (
                ([2, 5, 2, 0, 0, 1, 1], "Label value outside of the expected range in channel 'train': 2.0"),
                ([2, 5, 0, 0.5, 0, 0.5, 1], "Picture 1 of channel 'train' has an object from (0.5, 0) to (0.5, 1)"),
                ([2, 5, 0, 0, 0, 50, 60], "which is no box of the picture: places are to be parts"),
                ([2, 5, 0, 0, 0, float("nan"), 1], "which is no box of the picture"),
                ([1], "has the label [1.0], and it is to be the length of the header (2)"),
                ([2, 5, 0, 0, 0, 1], "and it is to be the length of the header (2)"),
                ([2, 5] + [0, 0, 0, 1, 1] * 70, "has 70 objects, for which label_width is to be at least 352"),
            )
        ):
            job = Job(tmp_path / str(number), self.name)
            job.prepare(self.values, train=X_RECORDIO)
            job.put("train/a.rec", drawn.records([([2, 5, 0, 0, 0, 1, 1], content), (labels, content)]))
            assert said in self.fails(job)

    def test_annotations_that_do_not_fit_are_refused(self, tmp_path: Path) -> None:
        for number, (told, said) in enumerate(
            (
                ("{", "'a.json' of channel 'train_annotation': "),
                ('{"annotations": []}', "the annotation is to have image_size (width, height)"),
                ('{"image_size": [{"width": 9, "height": 9}], "annotations": [{"class_id": 0}]}', "KeyError: 'left'"),
                ("", "Picture 'a.png' of channel 'train' has no annotation"),
            )
        ):
            job = Job(tmp_path / str(number), self.name)
            job.prepare(self.values, train=X_IMAGE, train_annotation=X_IMAGE)
            job.put("train/a.png", drawn.encoded(self.pictures()[0]))
            job.put(f"train_annotation/{'a' if told else 'b'}.json", told or "{}")
            assert said in self.fails(job)
        job.prepare(self.values, train=X_IMAGE)
        assert "'train_annotation' is a required property" in self.fails(job)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"use_pretrained_model": "1"}, "this container has no weights that were trained on ImageNet"),
            ({"image_shape": "299"}, "The value '299' is not valid for the 'image_shape' hyperparameter"),
            ({"freeze_layer_pattern": "("}, "The value '(' is not valid for the 'freeze_layer_pattern' hyperparameter"),
            ({"freeze_layer_pattern": ".*"}, "freeze_layer_pattern '.*' leaves nothing to train"),
        ],
    )
    def test_settings_that_do_not_fit_are_refused(self, tmp_path: Path, given: dict[str, str], said: str) -> None:
        assert said in self.fails(self.job(tmp_path, **given))

    def test_answers_in_pixels_are_those_in_parts(self, server: Server) -> None:
        content = drawn.encoded(self.pictures()[0][:, :80])
        parts = server.post(content, X_IMAGE, JSON).json()["prediction"]
        told = server.post(content, X_IMAGE, "application/json;annotation=1")
        assert told.content_type == JSON and told.json()["image_size"] == [{"width": 80, "height": 100, "depth": 3}]
        assert len(told.json()["annotations"]) == len(parts) > 0
        for one, (kind, score, left, top, right, bottom) in zip(told.json()["annotations"], parts, strict=True):
            assert (one["class_id"], one["score"]) == (kind, score)
            assert (one["left"], one["top"]) == (round(80 * left), round(100 * top))
            assert one["left"] + one["width"] == round(80 * right) and one["top"] + one["height"] == round(100 * bottom)
        lines = server.post(content, X_IMAGE, "application/jsonlines;annotation=1")
        assert lines.content_type == JSONLINES and lines.json() == told.json()
        scores = [row[1] for row in parts]
        assert scores == sorted(scores, reverse=True) and min(scores) > 0.01
        assert all(0 <= value <= 1 for row in parts for value in row[1:])


def test_a_job_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    resumed(tmp_path, "object_detection", TestObjectDetection.values, TestObjectDetection)


def precision_of(ended: Ended) -> list[float]:
    return [float(value) for value in re.findall(r"validation mAP <score>=\((\S+)\)", ended.output)]


def train(folder: Path, values: dict[str, str], **channels: bytes) -> tuple[Job, Ended]:
    job = Job(folder, "object_detection")
    job.prepare({**TestObjectDetection.values, **values}, **dict.fromkeys(channels, X_RECORDIO))
    for name, content in channels.items():
        job.put(f"{name}/data.{'tar.gz' if name == 'model' else 'rec'}", content)
    return job, here(job)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Ended]:
    """A job that has learned to find squares and crosses."""
    values = {"epochs": "11", "mini_batch_size": "12", "optimizer": "adam", "learning_rate": "0.003",
              "num_training_samples": "60", "lr_scheduler_step": "9"}  # fmt: skip
    torch.set_num_threads(1)
    job, ended = train(
        tmp_path_factory.mktemp("learned"), values, train=records(some(60, 1)), validation=records(some(12, 2))
    )
    assert ended.code == 0, ended.output
    return job, ended


def test_shapes_are_found_and_told_apart(learned: tuple[Job, Ended]) -> None:
    """Who takes what is bright for an object knows where they are, but not what they are, nor where two meet."""
    job, ended = learned
    held, ours, bright = some(24, 3), Precision(0.5), Precision(0.5)
    with job.serve() as server:
        for pixels, found in held:
            rows = np.array(server.post(drawn.encoded(pixels), X_IMAGE).json()["prediction"]).reshape(-1, 6)
            ours.add(rows, np.array(found))
            box = drawn.bright(pixels)
            bright.add(np.array([[0, 0.5, *box], [1, 0.5, *box]]), np.array(found))
    assert ours.mean > 0.7 > bright.mean + 0.2, (ours.mean, bright.mean)
    assert max(precision_of(ended)) > 0.7
    assert "base_network is not set: the network stands on a small residual one" in ended.output


def test_training_goes_on_from_a_model(learned: tuple[Job, Ended], tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        for path in sorted(learned[0].model.iterdir()):
            archive.add(path, path.name)
    model = (tmp_path / "model.tar.gz").read_bytes()
    few, held = records(some(4, 4)), records(some(12, 2))
    # Of a frozen network the moving means move a little.
    values = {"learning_rate": "0.00001", "freeze_layer_pattern": "^(stem|stages|further).*"}
    job, further = train(tmp_path / "further", values, train=few, validation=held, model=model)
    assert precision_of(further)[0] > 0.4, further.output
    before = ndarray_list.read((learned[0].model / "model_algo_1-0000.params").read_bytes())
    after = ndarray_list.read((job.model / "model_algo_1-0000.params").read_bytes())
    same = {name for name, value in before.items() if (after[name] == value).all()}
    assert "base.stem.0.weight" in same and "kinds.0.weight" not in same
    _, ended = train(tmp_path / "other", {"num_classes": "3"}, train=few, model=model)
    assert "The model of channel 'model' does not fit this job: of 'kinds.0.weight'" in ended.failure
    _, ended = train(tmp_path / "start", {"num_classes": "3", "use_pretrained_model": "1"}, train=few, model=model)
    assert ended.code == 0, ended.output


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adadelta"])
def test_all_optimizers_learn(tmp_path: Path, optimizer: str) -> None:
    rate = {"sgd": "0.005", "rmsprop": "0.0005", "adadelta": "1"}[optimizer]
    values = {"optimizer": optimizer, "learning_rate": rate, "epochs": "6"}
    _, ended = train(tmp_path, values, train=records(some(4, 1)))
    losses = [float(value) for value in re.findall(r"train cross_entropy <loss>=(\S+)", ended.output)]
    assert ended.code == 0 and min(losses[-2:]) < 0.8 * losses[0], losses


def test_early_stopping_ends_behind_the_best(tmp_path: Path) -> None:
    values = {"epochs": "30", "early_stopping": "True", "early_stopping_min_epochs": "2",
              "early_stopping_patience": "1", "learning_rate": "1e-30"}  # fmt: skip
    _, ended = train(tmp_path, values, train=records(some(2, 1)), validation=records(some(1, 2)))
    assert len(precision_of(ended)) < 30 and "Early stopping behind epoch" in ended.output


@pytest.mark.parametrize(("base", "sizes"), [("vgg-16", [38, 19, 10, 5, 3, 1]), ("resnet-50", [19, 10, 5, 3, 2, 1])])
def test_networks_look_at_as_many_places_as_those_of_mxnet(base: str, sizes: list[int]) -> None:
    from algorithms.object_detection.fitting import known
    from algorithms.object_detection.network import Detector

    network = Detector(base, 20)
    assert network.sizes(300) == [(size, size) for size in sizes]
    count = sum(size**2 * forms for size, forms in zip(sizes, (4, 6, 6, 6, 4, 4), strict=True))
    assert len(anchors.boxes(network.sizes(300))) == count
    if base == "vgg-16":
        names = {known(name) for name, _ in network.named_parameters()}
        assert {"conv1_1_weight", "conv5_3_bias", "fc7_weight", "relu4_3_scale"} <= names
        layers = [value for name, value in network.base.named_parameters() if "conv" in name]
        assert sum(value.numel() for value in layers) == 14_714_688, "the convolutions of VGG-16"


def test_boxes_that_become_objects_become_them_again() -> None:
    start = anchors.boxes([(19, 19), (10, 10), (5, 5), (3, 3), (2, 2), (1, 1)])
    objects = np.array([[1, 0.1, 0.2, 0.4, 0.6], [0, 0.5, 0.5, 0.95, 0.9], [2, 0.02, 0.9, 0.05, 0.93]])
    kinds, moves = boxes.targets(start, objects)
    for kind, *box in objects.tolist():
        mine = kinds == kind + 1
        assert mine.any(), "even the smallest object has one"
        assert boxes.decoded(start[mine], moves[mine]) == pytest.approx(np.tile(box, (mine.sum(), 1)), abs=1e-4)
    shared = boxes.overlaps(start, objects[:, 1:])
    assert ((kinds > 0) >= (shared >= 0.5).any(axis=1)).all()
    chances = np.full((len(start), 4), 0.001)
    chances[np.arange(len(start)), kinds] = 0.99
    rows = boxes.detected(start, chances, moves, 0.45)
    assert sorted(rows[:, 0]) == [0, 1, 2] and rows[:, 1] == pytest.approx([0.99] * 3)
    none, _ = boxes.targets(start, np.empty((0, 5)))
    assert not none.any() and not len(boxes.detected(start, np.eye(4)[none], moves, 0.45))


def test_the_first_boxes_are_those_that_mxnet_puts_there() -> None:
    """MultiBoxPrior: of each place the sizes of the first ratio, then the first size in the other ratios."""
    [*found] = anchors.boxes([(2, 2), (1, 1), (1, 1), (1, 1), (1, 1), (1, 1)])[:4]
    for box, (width, height) in zip(
        found, [(0.1, 0.1), (0.141, 0.141), (0.1 * math.sqrt(2), 0.1 / math.sqrt(2)), (0.1 / 2**0.5, 0.1 * 2**0.5)],
        strict=True,
    ):  # fmt: skip
        wanted = [0.25 - width / 2, 0.25 - height / 2, 0.25 + width / 2, 0.25 + height / 2]
        assert box == pytest.approx(wanted, abs=1e-6)


def test_precision_by_hand() -> None:
    objects = np.array([[0, 0, 0, 0.5, 0.5], [0, 0.5, 0.5, 1, 1], [1, 0, 0, 1, 1]])
    found = np.array([
        [0, 0.9, 0, 0, 0.5, 0.5],  # right
        [0, 0.8, 0, 0, 0.5, 0.5],  # the same again: wrong
        [0, 0.7, 0.5, 0.5, 1, 1],  # right, behind a wrong one
        [1, 0.6, 0, 0, 0.5, 0.5],  # too small: wrong
    ])  # fmt: skip
    score = Precision(0.5)
    score.add(found, objects)
    assert score.mean == pytest.approx(((0.5 * 1 + 0.5 * 2 / 3) + 0) / 2)
    perfect = Precision(0.5)
    perfect.add(np.insert(objects, 1, 0.9, axis=1), objects)
    assert perfect.mean == 1
    assert Precision(0.5).mean == 0


def test_changes_keep_boxes_on_what_they_mark() -> None:
    """A white square on black: the box of what is bright is the box of the object, wherever it is moved to."""
    draw, seen = np.random.default_rng(1), 0
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[30:60, 40:80] = 255
    objects = np.array([[0, 0.4, 0.3, 0.8, 0.6]])
    for _ in range(60):
        found, moved = changing.changed(pixels, objects, draw)
        assert found.shape == pixels.shape and len(moved) <= 1
        if len(moved):
            rows, columns = np.nonzero(found[:, :, 0] > 150)
            bright = [columns.min() / 100, rows.min() / 100, (columns.max() + 1) / 100, (rows.max() + 1) / 100]
            assert moved[0, 1:] == pytest.approx(bright, abs=0.035)
            seen += 1
    assert seen > 40
    assert (objects == [[0, 0.4, 0.3, 0.8, 0.6]]).all(), "what was given is as it was"
