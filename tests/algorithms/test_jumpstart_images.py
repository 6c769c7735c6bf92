"""Image Classification - TensorFlow by PyTorch: it learns shapes that no pixel tells, and keeps AWS's contract."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.algorithms import drawn
from tests.algorithms.jumpstart_job import Network, spec
from tests.algorithms.jumpstart_scripts import Scripts, scripts

torch = pytest.importorskip("torch", reason="pip install 'sagelet[vision]'")
MODEL = "tensorflow-ic-imagenet-mobilenet-v2-035-96"
WHOLE = "tensorflow-ic-imagenet-mobilenet-v2-100-96"
IMAGE = "application/x-image"
VERBOSE = "application/json;verbose"
KINDS = ("square", "cross")


def pictures(count: int, seed: int) -> tuple[list[np.ndarray], list[str]]:
    """Squares and crosses, in turn."""
    draw = np.random.default_rng(seed)
    names = [KINDS[number % 2] for number in range(count)]
    return [drawn.shape(draw, drawn.SHAPES.index(name), 40) for name in names], names


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> tuple[Network, str]:
    """A finished job that began from scratch, and its log."""
    job = Network(tmp_path_factory.mktemp("job"), MODEL)
    for number, (pixels, name) in enumerate(zip(*pictures(160, 1), strict=True)):
        job.put(f"training/{name}/{number}.png", drawn.encoded(pixels))
    for number, (pixels, name) in enumerate(zip(*pictures(40, 2), strict=True)):
        job.put(f"validation/{name}/{number}.jpg", drawn.encoded(pixels, "JPEG"))
    given = {
        "epochs": "6", "batch_size": "8", "learning_rate": "0.003", "early_stopping": "True",
        "early_stopping_patience": "4",
    }  # fmt: skip
    ended = job.fit(given, "training", "validation")
    assert ended.code == 0, ended.output
    return job, ended.output


@pytest.fixture
def prepared(tmp_path) -> Scripts:
    """The scripts with eight pictures of two classes."""
    yield from scripts(tmp_path, MODEL)


def some(job: Scripts, names: tuple[str, ...] = KINDS) -> None:
    for number, pixels in enumerate(pictures(8, 3)[0]):
        job.put(f"training/{names[number % len(names)]}/{number}.png", drawn.encoded(pixels))


QUICK = {"epochs": "1", "batch_size": "8"}


def linear(training: tuple[list[np.ndarray], list[str]], test: tuple[list[np.ndarray], list[str]]) -> float:
    """The accuracy of a linear model of the same pixels."""
    from sklearn.linear_model import LogisticRegression

    x, v = (np.stack(pixels).reshape(len(pixels), -1) / 255 for pixels, _ in (training, test))
    return float(LogisticRegression(max_iter=2000).fit(x, training[1]).score(v, test[1]))


def test_it_learns_shapes_that_a_linear_model_of_pixels_does_not(done):
    job, _ = done
    pixels, names = pictures(60, 99)
    with job.served() as server:
        told = [server.post(drawn.encoded(one), IMAGE, VERBOSE).json() for one in pixels]
    right = np.mean([one["predicted_label"] == name for one, name in zip(told, names, strict=True)])
    assert right > 0.9 and right > linear(pictures(160, 1), (pixels, names)) + 0.1, right  # 0.98 and 0.8.
    for one in told:
        assert one["labels"] == ["cross", "square"] and sum(one["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert one["predicted_label"] == one["labels"][int(np.argmax(one["probabilities"]))]


def test_the_log_says_what_computes_and_has_the_metrics_of_both_kinds(done):
    _, log = done
    assert "Stand-in: PyTorch for TensorFlow. The network is MobileNetV2 of width 0.35 for pictures of 96x96" in log
    assert "Training begins from scratch, as was allowed" in log
    [metric] = spec(MODEL)["metrics"]
    told, guide = (list(map(float, re.findall(regex, log))) for regex in (metric["Regex"], r"val_accuracy=([0-9\.]+)"))
    assert metric["Name"] == "val_accuracy" and told == guide and 5 <= len(told) <= 6 and max(told) > 0.85


def test_requests_are_answered_or_refused_by_their_types(done):
    job, _ = done
    picture = drawn.encoded(pictures(1, 7)[0][0], "JPEG")
    with job.served() as server:
        plain, none_named = server.post(picture, IMAGE, "application/json"), server.post(picture, IMAGE)
        refused = [
            server.post(picture, "image/gif"), server.post(picture, IMAGE, "text/csv"), server.post(b"", IMAGE),
            server.post(b"\x89PNG", IMAGE), server.post(drawn.encoded_claim(100_000, 100_000), IMAGE),
        ]  # fmt: skip
    assert plain.content_type == "application/json" and plain.json() == none_named.json()
    assert list(plain.json()) == ["probabilities"]
    assert [answer.status for answer in refused] == [415, 406, 400, 400, 400]
    assert refused[0].text == "The content type image/gif is not supported: send application/x-image."
    assert "The body is no picture: it is no picture that Pillow knows." in refused[3].text


def test_pytorch_opens_the_artifact_and_finds_what_torchvision_would(done):
    job, _ = done
    values = torch.load(job.model / "model.pt", weights_only=True)
    assert json.loads((job.model / "class_label_to_prediction_index.json").read_text()) == {"cross": 0, "square": 1}
    assert len(values) == 314 and values["features.18.0.weight"].shape == (1280, 112, 1, 1)
    assert values["classifier.1.weight"].shape == (2, 1280)


def test_the_network_computes_what_torchvision_s_does(tmp_path):
    """Numbers of torchvision 0.29.1: mobilenet_v2(num_classes=3), with the same values and the same pixels."""
    for job in scripts(tmp_path, WHOLE):
        network = job.module("networks.mobilenet").MobileNet(1.0, 3, 0.2).eval()
        values = {}
        for number, (name, value) in enumerate(network.state_dict().items()):
            wave = torch.sin(torch.arange(value.numel(), dtype=torch.float32) * 0.37 + number).reshape(value.shape)
            gamma = value.ndim == 1 and name.endswith("weight")
            values[name] = wave.abs() + 0.5 if name.endswith("running_var") else wave * 0.2 + gamma
            if not value.is_floating_point():
                values[name] = value
        network.load_state_dict(values)
        pixels = torch.sin(torch.arange(3 * 64 * 64, dtype=torch.float32) * 0.11).reshape(1, 3, 64, 64)
        with torch.inference_mode():
            assert network(pixels)[0].tolist() == pytest.approx([13.923087, 19.372356, -41.920482], rel=1e-5)


def test_training_goes_on_from_an_earlier_model(done, prepared, capsys):
    trained, _ = done
    some(prepared)
    for path in trained.model.iterdir():
        if path.is_file():
            (prepared.model / path.name).write_bytes(path.read_bytes())
    prepared.becomes_channel()
    prepared.allow_scratch(False)
    for number, (pixels, name) in enumerate(zip(*pictures(40, 5), strict=True)):
        prepared.put(f"validation/{name}/{number}.png", drawn.encoded(pixels))
    prepared.fit(**QUICK, train_only_on_top_layer="True", learning_rate="0.0001")
    before, after = (torch.load(folder / "model.pt") for folder in (trained.model, prepared.model))
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("features."))
    assert not torch.equal(before["classifier.1.weight"], after["classifier.1.weight"])
    log = capsys.readouterr().out
    assert f"Training goes on from an earlier model of {MODEL}." in log and "from scratch" not in log
    [accuracy] = re.findall(r"val_accuracy=([0-9.]+)", log)
    assert float(accuracy) > 0.8  # One epoch from scratch is no better than chance.


def test_other_classes_are_taken_when_the_last_layer_is_made_anew(done, prepared):
    trained, _ = done
    some(prepared, ("ant", "bee"))
    for path in trained.model.iterdir():
        if path.is_file():
            (prepared.model / path.name).write_bytes(path.read_bytes())
    prepared.becomes_channel()
    assert "knows the classes cross, square, and the data have ant, bee" in prepared.refuses(**QUICK)
    prepared.fit(**QUICK, reinitialize_top_layer="True")
    assert prepared.facts()["labels"] == ["ant", "bee"]


def test_a_file_of_torchvision_s_is_what_pretrained_weights_are(tmp_path):
    for job in scripts(tmp_path, WHOLE):
        some(job)
        pretrained = job.module("networks.mobilenet").MobileNet(1.0, 1000, 0.2).state_dict()
        torch.save(pretrained, job.has("model") / "mobilenet_v2-b0353104.pth")
        job.allow_scratch(False)
        job.fit(**QUICK, train_only_on_top_layer="True")
        values = torch.load(job.model / "model.pt")
        kept = [name for name in values if name.startswith("features")]
        assert all(torch.equal(values[name], pretrained[name]) for name in kept)
        assert values["classifier.1.weight"].shape == (2, 1280)
        assert "(1000, 1280), and (2, 1280) is needed" in job.refuses(**QUICK, reinitialize_top_layer="False")


def test_without_weights_a_job_fails_unless_scratch_is_allowed(prepared):
    some(prepared)
    prepared.allow_scratch(False)
    said = prepared.refuses(**QUICK)
    assert "fine-tuned from pretrained weights, and there are none here" in said
    assert "SAGELET_TRAIN_FROM_SCRATCH=true" in said and "--train-from-scratch" in said
    prepared.put("model/README.txt", "This is the artifact that JumpStart demands as channel `model`.")
    assert prepared.refuses(**QUICK) == said
    prepared.put("model/1/saved_model.pb", b"\x08\x01")
    assert "holds a SavedModel of TensorFlow's" in prepared.refuses(**QUICK)
    prepared.allow_scratch(True)
    assert "holds a SavedModel of TensorFlow's" in prepared.refuses(**QUICK)


@pytest.mark.parametrize(
    ("files", "given", "said"),
    [
        ({}, {}, "The channel training has 0 folders; it has to have one for each class"),
        ({"training/a/1.png": b""}, {}, "The channel training has 1 folders"),
        ({"training/a/1.png": None, "training/b/2.txt": b"x"}, {}, "The folder b of the channel training has no pict"),
        ({"training/a/1.png": None, "training/b/2.png": b"", "training/b/3.png": b"no"}, {}, "cannot be read: it is"),
        ({"training/a/1.png": None, "training/b/2.png": None}, {}, "No class has two pictures"),
        (
            {"training/a/1.png": None, "training/b/2.png": None, "validation/c/3.png": None},
            {},
            "The validation data have the class c, which the training data have not.",
        ),
        (None, {"train_only_on_top_layer": "True"}, "teaches the last layer of a network that has learned before"),
        (None, {"image_resize_interpolation": "gaussian"}, "image_resize_interpolation=gaussian is not computed here"),
        (None, {"eval_metric": "auc"}, "eval_metric=auc is for binary_mode=True"),
        (None, {"learning_rate": "2"}, "learning_rate is '2'; it has to be a number at least 0.0 and at most 1.0."),
        (None, {"optimizer": "adamw"}, "optimizer is 'adamw'; it has to be one of adam, sgd, nesterov, rmsprop"),
        (None, {"epochs": "0"}, "epochs is '0'; it has to be an integer at least 1."),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused(prepared, files, given, said):
    picture = drawn.encoded(pictures(1, 4)[0][0])
    for name, content in (files or {}).items():
        prepared.put(name, picture if content is None else content)
    if files is None:
        some(prepared)
    assert said in prepared.refuses(**{**QUICK, **given})


def test_a_training_that_diverges_is_told(tmp_path):
    for job in scripts(tmp_path, WHOLE):
        some(job)
        values = job.module("networks.mobilenet").MobileNet(1.0, 2, 0.2).state_dict()
        torch.save({name: value * float("inf") for name, value in values.items()}, job.has("model") / "a.pth")
        assert "The training has diverged: its loss is no finite number. Lower learning_rate" in job.refuses(**QUICK)


def test_three_classes_are_not_binary(prepared):
    some(prepared, ("a", "b", "c"))
    assert "binary_mode=True is for two classes; the channel training has 3." in prepared.refuses(binary_mode="True")


def test_binary_mode_has_one_chance_and_further_measures(prepared, capsys):
    some(prepared)
    prepared.fit(**QUICK, binary_mode="True", eval_metric="auc", image_resize_interpolation="lanczos3")
    assert re.search(r"val_accuracy: [0-9.]+ - val_auc: [0-9.]+ - ", capsys.readouterr().out)
    status, text = prepared.ask(drawn.encoded(pictures(1, 4)[0][0]), IMAGE, VERBOSE)
    told = json.loads(text)
    assert status == 200 and len(told["probabilities"]) == 1
    assert told["predicted_label"] == told["labels"][int(told["probabilities"][0] > 0.5)]


@pytest.mark.parametrize("optimizer", ["sgd", "nesterov", "rmsprop", "adagrad", "adadelta"])
def test_every_optimizer_trains(prepared, optimizer, capsys):
    some(prepared)
    prepared.fit(epochs="2", batch_size="8", optimizer=optimizer, augmentation="True", learning_rate="0.01")
    losses = list(map(float, re.findall(r" - loss: ([0-9.]+)", capsys.readouterr().out)))
    assert len(losses) == 2 and losses[0] != losses[1]


def test_augmentation_moves_pictures_and_changes_no_colour(prepared):
    folders, draw = prepared.module("folders"), torch.Generator().manual_seed(1)
    pixels = torch.arange(3 * 8 * 8, dtype=torch.float32).reshape(1, 3, 8, 8).repeat(64, 1, 1, 1)
    still = {"augmentation_random_flip": "None", "augmentation_random_rotation": 0.0, "augmentation_random_zoom": 0.0}
    assert torch.allclose(folders.changed(pixels, still, draw), pixels, atol=1e-4)
    flipped = folders.changed(pixels, {**still, "augmentation_random_flip": "vertical"}, draw)
    upside_down = [torch.allclose(one, pixels[0].flip(1), atol=1e-4) for one in flipped]
    same = [torch.allclose(one, pixels[0], atol=1e-4) for one in flipped]
    assert 16 < sum(upside_down) < 48 and sum(upside_down) + sum(same) == 64
    both = folders.changed(pixels, {**still, "augmentation_random_flip": "horizontal_and_vertical"}, draw)
    assert any(torch.allclose(one, pixels[0].flip(2), atol=1e-4) for one in both)
    grey = torch.full((4, 3, 8, 8), 0.3)
    turned = {"augmentation_random_flip": "None", "augmentation_random_rotation": 0.2, "augmentation_random_zoom": 0.5}
    assert torch.allclose(folders.changed(grey, turned, draw), grey, atol=1e-5)
    assert not torch.allclose(folders.changed(pixels, turned, draw), pixels, atol=1)


def test_the_specification_is_that_of_pictures_that_may_be_trained_on(tmp_path: Path):
    told = spec("tensorflow-ic-imagenet-mobilenet-v2-100-224-classification-4")
    assert told["predictor_specs"]["default_content_type"] == IMAGE and told["incremental_training_supported"]
    images = [told[f"{scope}_instance_type_variants"]["variants"]["m5"]["properties"]["image_uri"]
              for scope in ("training", "hosting")]  # fmt: skip
    assert images == [
        f"763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-{scope}:2.0.0-cpu-py310"
        for scope in ("training", "inference")
    ]
