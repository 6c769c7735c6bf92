"""Semantic Segmentation: what all algorithms for pictures owe, what its networks learn, and from what they learn."""

from __future__ import annotations

import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, jaccard_score

from algorithms.common import recordio
from algorithms.common.recordio import protobuf
from tests.algorithms import drawn
from tests.algorithms.in_process import from_pipe, here, resumed
from tests.algorithms.job import Ended, Job, Server
from tests.contracts.picture_contract import X_IMAGE, PictureContract

torch = pytest.importorskip("torch", reason="pip install 'sagelet[vision]'")
PNG, JPEG = "image/png", "image/jpeg"
SMALL = {"num_classes": "3", "base_size": "32", "crop_size": "32", "use_pretrained_model": "False"}


def scenes(count: int, seed: int, size: int = 64) -> list[tuple[np.ndarray, np.ndarray]]:
    draw = np.random.default_rng(seed)
    return [drawn.scene(draw, size) for _ in range(count)]


def put(job: Job, channel: str, pairs: list[tuple[np.ndarray, np.ndarray]], media: str = PNG) -> None:
    """Pictures and masks, and the channels in the configuration of a job that has been prepared."""
    for number, (pixels, mask) in enumerate(pairs):
        job.put(f"{channel}/{number:03}.png", drawn.encoded(pixels))
        job.put(f"{channel}_annotation/{number:03}.png", drawn.encoded(mask))
    path = job.base / "input/config/inputdataconfig.json"
    told = json.loads(path.read_text())
    told.setdefault(
        channel, {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "ContentType": media}
    )
    told[f"{channel}_annotation"] = {**told[channel], "ContentType": PNG}
    job.configure("inputdataconfig", told)


def prepared(folder: Path, values: dict[str, str], **channels: list[Any]) -> Job:
    job = Job(folder, "semantic_segmentation")
    job.prepare({**SMALL, "num_training_samples": str(len(channels["train"])), **values})
    for channel, pairs in channels.items():
        put(job, channel, pairs)
    return job


def said(ended: Ended, name: str) -> list[float]:
    return [float(value) for value in re.findall(rf"{name} <\w+>=(\S+)", ended.output)]


class TestSemanticSegmentation(PictureContract):
    name = "semantic_segmentation"
    values: ClassVar = {**SMALL, "num_training_samples": "8", "epochs": "1", "mini_batch_size": "4"}
    formats = (PNG,)
    artifact = ("hyperparams.json", "model_best.params")
    metrics = ("train:loss", "train:throughput", "validation:mIOU", "validation:pixel_accuracy")
    first = accept = PNG

    @classmethod
    def put(cls, job: Job, channel: str, form: str) -> None:
        put(job, channel, scenes(8, 1, 32))

    @classmethod
    def pictures(cls) -> list[Any]:
        return [pixels for pixels, _ in scenes(4, 5)]

    def test_all_formats_give_the_same_model(self, trained: tuple[Job, Ended], tmp_path: Path) -> None:
        job = self.job(tmp_path / "files")
        assert here(job).code == 0
        wanted = (job.model / "model_best.params").read_bytes()
        parts = [drawn.encoded(one) for pair in scenes(8, 1, 32) for one in pair]
        for number, media in enumerate((JPEG, "application/jsonlines", "application/x-recordio")):
            piped = Job(tmp_path / str(number), self.name)
            ended = from_pipe(piped, {**self.values}, drawn.wrapped(parts), media)
            assert ended.code == 0, ended.output
            assert (piped.model / "model_best.params").read_bytes() == wanted

    def test_a_corrupt_record_in_the_middle_fails_the_job(self, tmp_path: Path) -> None:
        good = drawn.encoded(scenes(1, 1, 32)[0][0])
        for number, (name, content, cause) in enumerate(
            (
                ("train/003.png", good[: len(good) // 2], "picture '003.png': "),
                ("train/003.png", b"bad", "picture '003.png': it is no picture that Pillow knows"),
                ("train_annotation/003.png", b"bad", "picture '003.png': its annotation is no picture"),
                (
                    "train_annotation/003.png",
                    good,
                    "its annotation has pixels of the kind RGB, and is to have one byte",
                ),
            )
        ):
            job = self.job(tmp_path / str(number))
            job.put(name, content)
            failure = self.fails(job)
            assert "Unable to read data channel 'train'" in failure and cause in failure
        parts = [drawn.encoded(one) for one in scenes(1, 1, 32)[0]]
        job = Job(tmp_path / "odd", self.name)
        assert (
            "no annotation follows picture 1" in from_pipe(job, self.values, drawn.wrapped([*parts, good]), PNG).failure
        )

    def test_values_that_are_no_numbers_fail_the_job(self, tmp_path: Path) -> None:
        """Here: classes that there are not, and masks of another size."""
        for number, (mask, text) in enumerate(
            (
                (
                    np.full((32, 32), 3, np.uint8),
                    "Label value outside of the expected range in channel 'train_annotation': 3",
                ),
                (np.zeros((16, 32), np.uint8), "has 32x32 pixels (height x width), and its annotation has 16x32"),
            )
        ):
            job = self.job(tmp_path / str(number))
            job.put("train_annotation/003.png", drawn.encoded(mask))
            assert text in self.fails(job)

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            ({"crop_size": "30"}, "crop_size is 30, and is to be a multiple of 8"),
            ({"lr_scheduler": "step"}, "lr_scheduler is step, which needs lr_scheduler_step"),
            ({"use_pretrained_model": "True"}, "this container has no weights that were trained on ImageNet"),
            ({"num_classes": "255"}, "The value '255' is not valid for the 'num_classes' hyperparameter"),
        ],
    )
    def test_settings_that_do_not_fit_are_refused(self, tmp_path: Path, given: dict[str, str], text: str) -> None:
        assert text in self.fails(self.job(tmp_path, **given))

    def test_pictures_without_masks_are_refused_by_name(self, tmp_path: Path) -> None:
        job = self.job(tmp_path)
        (job.base / "input/data/train_annotation/003.png").unlink()
        assert "Picture '003.png' of channel 'train' has no annotation" in self.fails(job)
        told = json.loads((job.base / "input/config/inputdataconfig.json").read_text())
        job.configure("inputdataconfig", {"train": told["train"]})
        assert "'train_annotation' is a required property" in self.fails(job)

    def test_all_ways_of_answering_say_the_same(self, server: Server) -> None:
        pixels = self.pictures()[0][:40]
        content = drawn.encoded(pixels)
        mask = drawn.Image.open(io.BytesIO(server.post(content, X_IMAGE, "*/*").body))
        assert mask.mode == "P" and mask.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
        bare = server.post(content, X_IMAGE, "application/x-protobuf")
        framed = server.post(content, X_IMAGE, "application/x-recordio-protobuf")
        assert bare.content_type == "application/x-protobuf"
        features, _ = protobuf.record(bare.body)
        [(again, _)] = recordio.read(framed.body)
        shape = features["shape"][0].tolist()
        assert shape == again["shape"][0].tolist() == [1, 3, 40, 64]
        chances = features["target"][0].reshape(shape)
        assert (chances.ravel() == again["target"][0]).all()
        assert chances.sum(axis=1) == pytest.approx(np.ones((1, 40, 64)), abs=1e-5)
        assert (chances[0].argmax(axis=0) == np.array(mask)).all()


def test_a_job_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    values = {**TestSemanticSegmentation.values, "lr_scheduler": "step", "lr_scheduler_step": "9"}
    resumed(tmp_path, "semantic_segmentation", values, TestSemanticSegmentation)


def overlap(found: Any, wanted: Any) -> float:
    """By scikit-learn, of classes that either has."""
    return float(jaccard_score(np.ravel(wanted), np.ravel(found), average="macro"))


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Ended]:
    """A job that has learned to find squares and crosses."""
    values = {"base_size": "64", "crop_size": "64", "epochs": "11", "optimizer": "adam", "learning_rate": "0.01"}
    job = prepared(tmp_path_factory.mktemp("learned"), values, train=scenes(160, 1), validation=scenes(40, 2))
    ended = here(job)
    assert ended.code == 0, ended.output
    return job, ended


def test_shapes_are_found_that_brightness_alone_cannot_tell_apart(learned: tuple[Job, Ended]) -> None:
    job, ended = learned
    held = scenes(30, 3)
    wanted = np.stack([mask for _, mask in held])
    bright = np.stack([(pixels.mean(axis=2) > 125).astype(int) for pixels, _ in held])
    baseline = max(overlap(bright * kind, wanted) for kind in (1, 2))
    with job.serve() as server:
        answers = [server.post(drawn.encoded(pixels), X_IMAGE).body for pixels, _ in held]
    found = np.stack([np.array(drawn.Image.open(io.BytesIO(one))) for one in answers])
    reached = overlap(found, wanted)
    assert reached > 0.75 > baseline + 0.1, (reached, baseline)
    assert max(said(ended, "validation mIOU")) == pytest.approx(reached, abs=0.08)
    assert "backbone is not set: the network stands on a small one here" in ended.output


def packed(job: Job, into: Path) -> bytes:
    with tarfile.open(into, "w:gz") as archive:
        for path in sorted(job.model.iterdir()):
            archive.add(path, path.name)
    return into.read_bytes()


def with_model(job: Job, model: bytes) -> Job:
    job.put("model/model.tar.gz", model)
    told = json.loads((job.base / "input/config/inputdataconfig.json").read_text())
    told["model"] = {**told["train"], "ContentType": "application/x-sagemaker-model"}
    job.configure("inputdataconfig", told)
    return job


def test_training_goes_on_from_a_model(learned: tuple[Job, Ended], tmp_path: Path) -> None:
    values = {"base_size": "64", "crop_size": "64", "epochs": "1", "learning_rate": "0.0001"}
    model = packed(learned[0], tmp_path / "model.tar.gz")
    few, held = scenes(8, 4), scenes(40, 2)
    alone = here(prepared(tmp_path / "alone", values, train=few, validation=held))
    further = here(with_model(prepared(tmp_path / "further", values, train=few, validation=held), model))
    assert said(further, "validation mIOU")[0] > 0.75 > said(alone, "validation mIOU")[0] + 0.3
    other = prepared(tmp_path / "other", {**values, "algorithm": "psp"}, train=few)
    assert "The model of channel 'model' does not fit this job: of 'head." in here(with_model(other, model)).failure
    pretrained = {**values, "algorithm": "psp", "use_pretrained_model": "True", "num_classes": "5"}
    assert here(with_model(prepared(tmp_path / "start", pretrained, train=few), model)).code == 0


@pytest.mark.parametrize(
    ("algorithm", "more"),
    [
        ("psp", {"optimizer": "sgd", "lr_scheduler": "cosine", "learning_rate": "0.05"}),
        ("deeplab", {"optimizer": "nag", "lr_scheduler": "step", "lr_scheduler_step": "10", "learning_rate": "0.05"}),
        ("psp", {"optimizer": "rmsprop", "learning_rate": "0.001"}),
        ("fcn", {"optimizer": "adagrad", "learning_rate": "0.02"}),
    ],
)
def test_all_algorithms_and_optimizers_learn(tmp_path: Path, algorithm: str, more: dict[str, str]) -> None:
    values = {"algorithm": algorithm, "epochs": "14", "mini_batch_size": "12", **more}
    ended = here(prepared(tmp_path, values, train=scenes(48, 1, 32)))
    losses = said(ended, "train loss")
    assert ended.code == 0 and len(losses) == 14, ended.output
    assert min(losses[-3:]) < 0.75 * losses[0]


def test_early_stopping_ends_behind_the_best(tmp_path: Path) -> None:
    values = {"epochs": "30", "early_stopping": "True", "early_stopping_min_epochs": "3", "learning_rate": "1e-30",
              "early_stopping_patience": "2", "early_stopping_tolerance": "1"}  # fmt: skip
    ended = here(prepared(tmp_path, values, train=scenes(4, 1, 32), validation=scenes(2, 2, 32)))
    assert len(said(ended, "validation mIOU")) == 3
    assert "Early stopping behind epoch 2" in ended.output


@pytest.mark.parametrize(
    ("told", "drawn_as"), [({"scale": "80"}, lambda mask: mask * 80), ({"map": {"0": 7, "1": 0, "2": 200}}, None)]
)
def test_a_label_map_says_by_which_value_a_class_is_drawn(tmp_path: Path, told: Any, drawn_as: Any) -> None:
    pairs = scenes(4, 1, 32)
    drawn_as = drawn_as or (lambda mask: np.array([7, 0, 200], np.uint8)[mask])
    values = {"epochs": "1"}
    plain = prepared(tmp_path / "plain", values, train=pairs)
    assert here(plain).code == 0
    mapped = prepared(tmp_path / "mapped", values, train=[(pixels, drawn_as(mask)) for pixels, mask in pairs])

    def give(content: str) -> Ended:
        mapped.put("label_map/train_label_map.json", content)
        config = json.loads((mapped.base / "input/config/inputdataconfig.json").read_text())
        config["label_map"] = {**config["train"], "ContentType": "application/json"}
        mapped.configure("inputdataconfig", config)
        return here(mapped)

    assert give(json.dumps(told)).code == 0
    assert (mapped.model / "model_best.params").read_bytes() == (plain.model / "model_best.params").read_bytes()
    assert json.loads((mapped.model / "train_label_map.json").read_text()) == told
    assert "is no label map" in give("{}").failure
    assert "the label map does not name the value" in give('{"map": {"0": 99}}').failure


def test_what_is_ignored_does_not_count(tmp_path: Path) -> None:
    """Masks that say of half of each picture nothing, and one that says nothing at all."""
    pairs = [(pixels, np.where(np.arange(32) < 16, mask, 255).astype(np.uint8)) for pixels, mask in scenes(4, 1, 32)]
    pairs.append((pairs[0][0], np.full((32, 32), 255, np.uint8)))
    ended = here(prepared(tmp_path, {"epochs": "2", "mini_batch_size": "1"}, train=pairs, validation=pairs))
    assert ended.code == 0, ended.output
    assert all(0 <= value <= 1 for value in said(ended, "validation mIOU"))


def test_overlap_is_scikit_learns() -> None:
    from algorithms.semantic_segmentation.fitting import Overlap

    draw = np.random.default_rng(1)
    found, wanted = draw.integers(0, 5, (2, 3, 40, 30))
    wanted[0, :5] = 255
    ours = Overlap(6)
    for one, other in zip(found, wanted, strict=True):
        ours.add(one, other)
    counted = wanted != 255
    assert ours.mean == pytest.approx(overlap(found[counted], wanted[counted]))
    seen = confusion_matrix(wanted[counted], found[counted])
    assert ours.accuracy == pytest.approx(np.trace(seen) / seen.sum())


@pytest.mark.parametrize(("backbone", "millions"), [("resnet-50", 23.5), ("resnet-101", 42.5)])
def test_backbones_have_as_many_parameters_as_the_published_ones(backbone: str, millions: float) -> None:
    from algorithms.semantic_segmentation.network import BACKBONES, Backbone, Segmenter

    made = Backbone(BACKBONES[backbone])
    count = sum(value.numel() for value in made.parameters())
    assert count / 1e6 == pytest.approx(millions, rel=0.01)
    for algorithm in ("fcn", "psp", "deeplab"):
        network = Segmenter(algorithm, backbone, 4).eval() if backbone == "resnet-50" else None
        if network is not None:
            with torch.inference_mode():
                first, second = network(torch.zeros(1, 3, 40, 56))
            assert first.shape == second.shape == (1, 4, 40, 56)
