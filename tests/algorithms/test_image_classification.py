"""Image Classification: what all algorithms for pictures owe, what its network learns, and from what it learns."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from algorithms.common import ndarray_list
from algorithms.image_classification import artifact
from tests.algorithms import drawn
from tests.algorithms.in_process import from_pipe, here, resumed
from tests.algorithms.job import ROOT, Ended, Job
from tests.contracts.first_party_contract import JSONLINES
from tests.contracts.picture_contract import X_IMAGE, X_RECORDIO, PictureContract

pytest.importorskip("torch", reason="pip install 'sagelet[vision]'")
PARAMS = "image-classification-{:04d}.params"


def records(count: int, seed: int, size: int = 20) -> bytes:
    pictures, kinds = drawn.shapes(count, seed, size)
    return drawn.records([([kind], drawn.encoded(one)) for one, kind in zip(pictures, kinds, strict=True)])


class TestImageClassification(PictureContract):
    name = "image_classification"
    values: ClassVar = {
        "num_classes": "4", "num_training_samples": "32", "image_shape": "3,20,20", "num_layers": "20", "epochs": "1",
        "mini_batch_size": "16",
    }  # fmt: skip
    artifact = ("image-classification-symbol.json", PARAMS.format(1), "model-shapes.json")
    metrics = ("train:accuracy", "validation:accuracy")

    @classmethod
    def put(cls, job: Job, channel: str, form: str) -> None:
        job.put(f"{channel}/data.rec", records(32, 1))

    @classmethod
    def pictures(cls) -> list[Any]:
        return drawn.shapes(5, 9)[0]

    @classmethod
    def plain(cls, reply: Any) -> Any:
        return {"prediction": reply.json()}

    def test_answers_are_chances_of_each_class_of_pictures_of_any_size(self, server: Any) -> None:
        for size in (7, 20, 90):
            found = server.post(drawn.encoded(drawn.shapes(1, 5, size)[0][0]), X_IMAGE).json()
            assert len(found) == 4 and sum(found) == pytest.approx(1, abs=1e-5)

    def test_all_formats_give_the_same_model(self, trained: tuple[Job, Ended], tmp_path: Path) -> None:
        pictures, kinds = drawn.shapes(32, 1)
        contents = [drawn.encoded(one) for one in pictures]
        listed = Job(tmp_path / "listed", self.name)
        listed.prepare(self.values, train=X_IMAGE, train_lst=X_IMAGE)
        for number, content in enumerate(contents):
            listed.put(f"train/in/{number}.png", content)
        lines = (f"{number}\t{float(kind)}\tin/{number}.png\n" for number, kind in enumerate(kinds))
        listed.put("train_lst/train.lst", "".join(lines))
        assert here(listed).code == 0

        piped = Job(tmp_path / "piped", self.name)
        parts = [part for content, kind in zip(contents, kinds, strict=True) for part in (content, str(kind).encode())]
        assert from_pipe(piped, self.values, drawn.wrapped(parts), "application/jsonlines").code == 0
        alone = Job(tmp_path / "alone", self.name)
        alone.prepare(self.values, train=X_RECORDIO)
        alone.put("train/data.rec", records(32, 1))
        assert here(alone).code == 0
        wanted = (alone.model / PARAMS.format(1)).read_bytes()
        for job in (listed, piped):
            assert (job.model / PARAMS.format(1)).read_bytes() == wanted

    def test_values_that_are_no_numbers_fail_the_job(self, tmp_path: Path) -> None:
        for labels, said in (
            ([4], "Label value outside of the expected range in channel 'train': 4.0. Labels are whole numbers"),
            ([-1], "Label value outside of the expected range"),
            ([0.5], "Label value outside of the expected range"),
            ([float("nan")], "Label value outside of the expected range"),
            ([1, 0], "has 2 labels, and multi_label is 0"),
        ):
            job = Job(tmp_path / str(labels), self.name)
            job.prepare(self.values, train=X_RECORDIO)
            content = drawn.encoded(self.pictures()[0])
            job.put("train/a.rec", drawn.records([([0], content), (labels, content)]))
            assert said in self.fails(job)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"top_k": "5"}, "top_k is 5, more than the 4 of num_classes"),
            ({"checkpoint_frequency": "2"}, "checkpoint_frequency is 2, more than the 1 epochs"),
            ({"resize": "19"}, "resize is 19, less than the 20x20 of image_shape"),
            ({"image_shape": "3,21,20"}, "Picture 0 of channel 'train' has 20x20 pixels (height x width), fewer than"),
            ({"use_pretrained_model": "1"}, "this container has no weights that were trained on ImageNet"),
            ({"num_layers": "19"}, "The value '19' is not valid for the 'num_layers' hyperparameter"),
        ],
    )
    def test_settings_that_do_not_fit_are_refused(self, tmp_path: Path, given: dict[str, str], said: str) -> None:
        ended = self.job(tmp_path, **given).train()
        assert ended.code == 1 and ended.failure.startswith("ClientError: ") and said in ended.failure, ended.output

    def test_pictures_and_lists_that_do_not_fit_are_refused(self, tmp_path: Path) -> None:
        good = drawn.encoded(self.pictures()[0])
        for number, (list_, content, said) in enumerate(
            (
                ("0\t1\ta.png\n", b"no picture", "picture 0: it is no picture that Pillow knows"),
                ("0\t1\tb.png\n", good, "names the picture 'b.png', which channel 'train' does not have"),
                ("0\t1\t../train_lst/l.lst\n", good, "which channel 'train' does not have"),
                ("0\t1\n", good, "Line 1 of 'l.lst' of channel 'train_lst' is '0\\t1', and is to be an index"),
                ("0\tone\ta.png\n", good, "and is to be an index"),
                ("\n", good, "No data was found in channel 'train'"),
            )
        ):
            job = Job(tmp_path / str(number), self.name)
            job.prepare(self.values, train=X_IMAGE, train_lst=X_IMAGE)
            job.put("train/a.png", content)
            job.put("train_lst/l.lst", list_)
            assert said in self.fails(job)
        job = Job(tmp_path / "without", self.name)
        job.prepare(self.values, train=X_IMAGE)
        job.put("train/a.png", good)
        assert "'train_lst' is a required property" in self.fails(job)

    def test_modes_that_do_not_go_with_a_format_are_refused(self, tmp_path: Path) -> None:
        job = Job(tmp_path / "a", self.name)
        job.prepare(self.values, train=X_IMAGE)
        mode = {"TrainingInputMode": "Pipe", "S3DistributionType": "FullyReplicated"}
        job.configure("inputdataconfig", {"train": {**mode, "ContentType": X_IMAGE}})
        assert "is in Pipe mode, which takes application/x-recordio and application/jsonlines" in self.fails(job)
        job = Job(tmp_path / "b", self.name)
        job.prepare(self.values, train=JSONLINES)
        assert "is an augmented manifest, which is for Pipe mode alone" in self.fails(job)

    def test_without_the_library_the_job_says_what_installs_it(self, tmp_path: Path) -> None:
        for module in ("torch", "PIL"):
            job = self.job(tmp_path / module)
            code = (
                f"import sys; sys.modules['{module}'] = None\n"
                "from algorithms.image_classification.train import main; sys.exit(main())"
            )
            command = [sys.executable, "-c", code]
            done = subprocess.run(command, cwd=ROOT, env=job._environment({}), capture_output=True, check=False)
            assert done.returncode == 1
            assert (job.base / "output/failure").read_text().endswith("pip install 'sagelet[vision]'")


def train(folder: Path, values: dict[str, str], **channels: bytes) -> tuple[Job, Ended]:
    job = Job(folder, "image_classification")
    job.prepare(values, **dict.fromkeys(channels, X_RECORDIO))
    for name, content in channels.items():
        job.put(f"{name}/data.{'tar.gz' if name == 'model' else 'rec'}", content)
    if "model" in channels:
        told = json.loads((folder / "input/config/inputdataconfig.json").read_text())
        told["model"]["ContentType"] = "application/x-sagemaker-model"
        job.configure("inputdataconfig", told)
    return job, here(job)


def accuracies(ended: Ended, name: str = "Validation-accuracy") -> list[float]:
    return [float(value) for value in re.findall(rf"Epoch\S* {name}=(\S+)", ended.output)]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Ended]:
    """A job that has learned to tell the shapes apart."""
    values = {
        **TestImageClassification.values, "num_training_samples": "400", "epochs": "8", "mini_batch_size": "32",
        "lr_scheduler_step": "6", "top_k": "2", "checkpoint_frequency": "4",
    }  # fmt: skip
    job, ended = train(tmp_path_factory.mktemp("learned"), values, train=records(400, 1), validation=records(200, 2))
    assert ended.code == 0, ended.output
    return job, ended


def test_shapes_are_told_apart_where_pixels_alone_tell_little(learned: tuple[Job, Ended]) -> None:
    job, ended = learned
    (pictures, kinds), (held, wanted) = drawn.shapes(400, 1), drawn.shapes(200, 3)
    line = LogisticRegression(C=0.001, max_iter=2000).fit(np.reshape(pictures, (400, -1)) / 255.0, kinds)
    chance = line.score(np.reshape(held, (200, -1)) / 255.0, wanted)
    with job.serve() as server:
        answers = [server.post(drawn.encoded(one), "image/png").json() for one in held]
    right = np.mean(np.argmax(answers, axis=1) == wanted)
    assert right > 0.95 > chance + 0.2, (right, chance)
    assert max(accuracies(ended)) > 0.95
    assert min(accuracies(ended, "Validation-top_k_accuracy_2")[-2:]) >= max(accuracies(ended)[-2:]) - 0.01


def test_the_best_epoch_and_those_that_were_asked_for_are_kept(learned: tuple[Job, Ended]) -> None:
    job, ended = learned
    scores = accuracies(ended)
    best = scores.index(max(scores)) + 1
    assert {path.name for path in job.model.glob("*.params")} == {PARAMS.format(n) for n in (4, 8, best)}
    assert json.loads((job.model / "model-shapes.json").read_text()) == [{"shape": [1, 3, 20, 20], "name": "data"}]
    stored = artifact.read({path.name: path.read_bytes() for path in job.model.iterdir()}, "it")
    kept = ndarray_list.read((job.model / PARAMS.format(best)).read_bytes())
    assert all((stored.arrays[name[4:]] == value).all() for name, value in kept.items())
    assert "Storing the best model with validation accuracy: " in ended.output
    assert f'Saved checkpoint to "{job.model / PARAMS.format(8)}"' in ended.output


def packed(job: Job, into: Path) -> bytes:
    with tarfile.open(into, "w:gz") as archive:
        for path in sorted(job.model.iterdir()):
            archive.add(path, path.name)
    return into.read_bytes()


def test_training_goes_on_from_a_model(learned: tuple[Job, Ended], tmp_path: Path) -> None:
    """One epoch of few pictures, and of a small rate, is worth nothing alone."""
    values = {**TestImageClassification.values, "learning_rate": "0.0001"}
    few, held = records(32, 5), records(200, 2)
    model = packed(learned[0], tmp_path / "model.tar.gz")
    _, alone = train(tmp_path / "alone", values, train=few, validation=held)
    _, further = train(tmp_path / "further", values, train=few, validation=held, model=model)
    assert accuracies(further)[0] > 0.9 > accuracies(alone)[0] + 0.4
    del values["num_layers"]
    job, found = train(tmp_path / "found", values, train=few, validation=held, model=model)
    assert accuracies(found) == accuracies(further), "the layers are those of the model when none are asked for"
    for given, said in (({"num_layers": "32"}, "does not fit this job"), ({"num_classes": "5"}, "'fc1_weight'")):
        _, ended = train(tmp_path / said[:3], {**values, **given}, train=few, model=model)
        assert "The model of channel 'model' does not fit this job" in ended.failure and said in ended.failure
    for path in sorted(learned[0].model.iterdir()):
        content = path.read_bytes()
        if path.suffix == ".params":
            arrays = {name: value * np.float32("nan") for name, value in ndarray_list.read(content).items()}
            content = ndarray_list.write(arrays)
        (tmp_path / path.name).write_bytes(content)
    job, _ = train(tmp_path / "nan", values, train=few)
    job.prepare(values, train=X_RECORDIO, model="application/x-sagemaker-model")
    for path in tmp_path.glob("*.*"):
        if path.name != "model.tar.gz":
            job.put(f"model/{path.name}", path.read_bytes())
    assert "The training has diverged in epoch 0" in here(job).failure
    _, ended = train(tmp_path / "none", values, train=few, model=b"no archive")
    assert "'data.tar.gz' of channel 'model' cannot be unpacked" in ended.failure


def test_a_model_of_other_classes_is_a_start_when_it_counts_as_pretrained(
    learned: tuple[Job, Ended], tmp_path: Path
) -> None:
    values = {**TestImageClassification.values, "num_classes": "2", "use_pretrained_model": "1", "epochs": "3",
              "learning_rate": "0.01", "num_training_samples": "64"}  # fmt: skip

    def round_or_not(count: int, seed: int) -> bytes:
        pictures, kinds = drawn.shapes(count, seed)
        return drawn.records([([kind == 1], drawn.encoded(p)) for p, kind in zip(pictures, kinds, strict=True)])

    model = packed(learned[0], tmp_path / "model.tar.gz")
    _, ended = train(tmp_path / "job", values, train=round_or_not(64, 5), validation=round_or_not(100, 6), model=model)
    assert max(accuracies(ended)) > 0.9


def test_several_labels_are_learned_each_by_itself(tmp_path: Path) -> None:
    """Two shapes side by side: a label for each kind, three times as many of one kind as of the others."""

    def pairs(count: int, seed: int) -> list[tuple[list[float], bytes]]:
        draw = np.random.default_rng(seed)
        found = []
        for _ in range(count):
            kinds = draw.choice(4, 2, p=[0.55, 0.15, 0.15, 0.15])
            sides = [drawn.shape(draw, int(kind), 16) for kind in kinds]
            labels = [float(kind in kinds) for kind in range(4)]
            found.append((labels, drawn.encoded(np.concatenate(sides, axis=1))))
        return found

    values = {**TestImageClassification.values, "image_shape": "3,16,32", "multi_label": "1", "epochs": "8",
              "use_weighted_loss": "1", "num_training_samples": "300", "optimizer": "adam",
              "learning_rate": "0.01", "lr_scheduler_step": "6"}  # fmt: skip
    held = pairs(100, 2)
    job, ended = train(tmp_path / "records", values, train=drawn.records(pairs(300, 1)), validation=drawn.records(held))
    assert ended.code == 0, ended.output
    wanted = np.array([labels for labels, _ in held])
    usual = np.mean((wanted.mean(axis=0) > 0.5) == wanted)
    assert max(accuracies(ended)) > 0.9 > usual + 0.1, (accuracies(ended), usual)
    with job.serve() as server:
        answers = np.array([server.post(content, X_IMAGE).json() for _, content in held])
    assert np.mean((answers > 0.5) == wanted) == pytest.approx(max(accuracies(ended)), abs=1e-5)

    short = {**values, "epochs": "1", "num_training_samples": "8"}
    some = pairs(8, 3)
    models = []
    for form, told in (
        ("", lambda labels: labels),
        ("; label-format=multi-hot", lambda labels: labels),
        ("; label-format=class-id", lambda labels: [n for n, label in enumerate(labels) if label]),
    ):
        parts = [part for labels, content in some for part in (content, json.dumps(told(labels)).encode())]
        piped = Job(tmp_path / f"form{len(form)}", "image_classification")
        done = from_pipe(piped, short, drawn.wrapped(parts), X_RECORDIO + form)
        assert done.code == 0, done.output
        models.append((piped.model / PARAMS.format(1)).read_bytes())
    assert len(set(models)) == 1
    _, ended = train(tmp_path / "wrong", short, train=drawn.records([([0, 1], some[0][1])]))
    assert "it is to have one, 0 or 1, for each of the 4 classes" in ended.failure


def test_a_manifest_with_labels_of_no_kind_is_refused(tmp_path: Path) -> None:
    content = drawn.encoded(drawn.shapes(1, 1)[0][0])
    for number, (parts, said) in enumerate(
        (
            ([content], "no label follows the picture"),
            ([content, b"dog"], "the label b'dog' is no number"),
            ([content, b'{"a": 1}'], "is no number and no list of numbers"),
            ([b"short"], "the header of an image record has 24"),
        )
    ):
        job = Job(tmp_path / str(number), "image_classification")
        ended = from_pipe(job, TestImageClassification.values, drawn.wrapped(parts), X_RECORDIO)
        assert ended.code == 1 and said in ended.failure, ended.output


@pytest.mark.parametrize(
    ("optimizer", "augmentation"), [("adam", "crop"), ("rmsprop", "crop_color"), ("nag", "crop_color_transform")]
)
def test_all_optimizers_and_augmentations_train(tmp_path: Path, optimizer: str, augmentation: str) -> None:
    values = {**TestImageClassification.values, "optimizer": optimizer, "augmentation_type": augmentation,
              "learning_rate": "0.01", "image_shape": "3,16,16", "epochs": "6", "num_training_samples": "160",
              "precision_dtype": "float16"}  # fmt: skip
    _, ended = train(tmp_path, values, train=records(160, 1))
    assert ended.code == 0, ended.output
    assert accuracies(ended, "Train-accuracy")[-1] > 0.4, "more than one in four"
    assert "precision_dtype float16 is for GPUs" in ended.output


def test_early_stopping_ends_behind_the_best(tmp_path: Path) -> None:
    values = {**TestImageClassification.values, "epochs": "40", "early_stopping": "True", "learning_rate": "0",
              "num_training_samples": "9",
              "early_stopping_min_epochs": "4", "early_stopping_patience": "2"}  # fmt: skip
    _, ended = train(tmp_path, values, train=records(8, 1))
    assert len(accuracies(ended, "Train-accuracy")) == 4, "no better behind the third, but four are asked for"
    assert "num_training_samples is 9, and channel 'train' has 8 pictures" in ended.output


@pytest.mark.parametrize("given", [{"momentum": "0.9"}, {"optimizer": "adam", "checkpoint_frequency": "1"}])
def test_a_job_goes_on_from_its_checkpoint(tmp_path: Path, given: dict[str, str]) -> None:
    values = {**TestImageClassification.values, "learning_rate": "0.01", **given}
    resumed(tmp_path, "image_classification", values, TestImageClassification)


def test_another_optimizer_begins_anew_behind_a_checkpoint(tmp_path: Path) -> None:
    for number, optimizer in enumerate(("sgd", "adam")):
        job = Job(tmp_path / optimizer, "image_classification")
        values = {**TestImageClassification.values, "epochs": str(number + 1), "optimizer": optimizer}
        job.prepare(values, train=X_RECORDIO)
        job.put("train/a.rec", records(8, 1))
        job.configure("checkpointconfig", {"LocalPath": str(tmp_path / "kept")})
        ended = here(job)
        assert ended.code == 0, ended.output
    assert "The checkpoint is of the optimizer sgd: adam begins anew." in ended.output


def test_few_layers_unless_more_are_asked_for(tmp_path: Path) -> None:
    values = {name: value for name, value in TestImageClassification.values.items() if name != "num_layers"}
    _, small = train(tmp_path / "small", values, train=records(4, 1))
    assert "the network has 20 layers here instead of the 152 of the default" in small.output
    values |= {"image_shape": "3,40,40"}
    _, large = train(tmp_path / "large", values, train=records(4, 1, 40))
    assert "the network has 18 layers here" in large.output
