"""Object Detection - TensorFlow by PyTorch: it finds shapes and tells them apart, and keeps AWS's contract."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algorithms.object_detection.precision import Precision
from tests.algorithms import drawn
from tests.algorithms.job import Server
from tests.algorithms.jumpstart_job import Network, spec
from tests.algorithms.jumpstart_scripts import Scripts, scripts

torch = pytest.importorskip("torch", reason="pip install 'sagelet[vision]'")
MODEL = "tensorflow-od1-ssd-mobilenet-v2-fpnlite-320x320-coco17-tpu-8"
LARGE = "tensorflow-od1-ssd-resnet50-v1-fpn-640x640-coco17-tpu-8"
SMALL = {"width": 0.35, "depth": 48, "side": 96}
"""The form of a network that a test has time to train."""
IMAGE, VERBOSE = "application/x-image", "application/json;verbose"
QUICK = {"epochs": "1", "batch_size": "4"}
Picture = tuple[np.ndarray, list[list[float]]]


def some(count: int, seed: int) -> list[Picture]:
    """Squares (class 0) and crosses (class 1), with their boxes."""
    draw = np.random.default_rng(seed)
    return [drawn.objects(draw) for _ in range(count)]


def annotated(pairs: list[Picture], ids: tuple[Any, Any] = (3, 7), **more: Any) -> dict[str, Any]:
    """As the guide has it; `ids` are the category_id of squares and of crosses."""
    images = [{"file_name": f"{number}.png", "height": 100, "width": 100, "id": number} for number in range(len(pairs))]
    boxes = [
        {"image_id": number, "bbox": [round(100 * value) for value in box], "category_id": ids[kind]}
        for number, (_, found) in enumerate(pairs)
        for kind, *box in found
    ]
    return {"images": images, "annotations": boxes, **more}


def put(job: Network | Scripts, channel: str, pairs: list[Picture], ids: tuple[Any, Any] = (3, 7), **more: Any) -> None:
    job.put(f"{channel}/annotations.json", json.dumps(annotated(pairs, ids, **more)))
    for number, (pixels, _) in enumerate(pairs):
        job.put(f"{channel}/images/{number}.png", drawn.encoded(pixels))


def shrink(code: Path) -> None:
    """Let the scripts have a small network."""
    path = code / "told.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "network": SMALL}))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Network, str]:
    """A finished job that began from scratch, and its log."""
    job = Network(tmp_path_factory.mktemp("job"), MODEL)
    shrink(job.code)
    put(job, "training", some(48, 1))
    put(job, "validation", some(12, 2))
    ended = job.fit({"epochs": "11", "batch_size": "8", "learning_rate": "0.006"}, "training", "validation")
    assert ended.code == 0, ended.output
    return job, ended.output


@pytest.fixture(scope="module")
def server(done: tuple[Network, str]) -> Iterator[Server]:
    with done[0].served() as running:
        yield running


@pytest.fixture
def prepared(tmp_path: Path) -> Scripts:
    """The scripts of a small network in this process."""
    for job in scripts(tmp_path, MODEL):
        shrink(tmp_path / "code")
        yield job


def test_shapes_are_found_and_told_apart(server: Server) -> None:
    """Who takes what is bright for an object knows where they are, but not what they are, nor where two meet."""
    ours, bright = Precision(0.5), Precision(0.5)
    for pixels, found in some(24, 3):
        told = server.post(drawn.encoded(pixels), IMAGE).json()
        rows = np.column_stack([told["classes"], told["scores"], np.array(told["normalized_boxes"])])
        ours.add(rows, np.array(found))
        box = drawn.bright(pixels)
        bright.add(np.array([[0, 0.5, *box], [1, 0.5, *box]]), np.array(found))
    assert ours.mean > 0.6 and ours.mean > bright.mean + 0.2, (ours.mean, bright.mean)


def test_the_log_says_what_computes_and_has_the_metrics_of_the_guide(done: tuple[Network, str]) -> None:
    _, log = done
    assert "Stand-in: PyTorch for TensorFlow. The network is an SSD on MobileNetV2 with FPNLite for pictures of" in log
    assert "Training begins from scratch, as was allowed" in log and "48 pictures of 2 classes: 3, 7." in log
    found = {row["Name"]: [float(one) for one in re.findall(row["Regex"], log)] for row in spec(MODEL)["metrics"]}
    assert list(found) == ["val_localization_loss", "val_classification_loss", "train_loss"]
    assert all(len(each) == 11 and each[-1] < each[0] / 2 for each in found.values()), found
    assert found["val_localization_loss"] == [float(one) for one in re.findall(r"Val_localization=([0-9.]+)", log)]


def test_requests_are_answered_or_refused_by_their_types(server: Server) -> None:
    picture = drawn.encoded(some(1, 7)[0][0], "JPEG")
    plain, none_named = server.post(picture, IMAGE, "application/json"), server.post(picture, IMAGE)
    few = server.post(picture, IMAGE, "application/json;verbose;n_predictions=5")
    refused = [
        server.post(picture, "image/gif"), server.post(picture, IMAGE, "text/csv"), server.post(b"", IMAGE),
        server.post(b"\x89PNG", IMAGE), server.post(drawn.encoded_claim(100_000, 100_000), IMAGE),
        server.post(picture, IMAGE, "application/json;n_predictions=0"),
    ]  # fmt: skip
    told, first = plain.json(), few.json()
    assert plain.content_type == "application/json" and told == none_named.json()
    [count] = {*map(len, told.values())}
    assert list(told) == ["normalized_boxes", "classes", "scores"] and 5 < count <= 100
    assert told["scores"] == sorted(told["scores"], reverse=True) and set(told["classes"]) <= {0, 1}
    assert all(
        0 <= left <= right <= 1 and 0 <= top <= bottom <= 1 for left, top, right, bottom in told["normalized_boxes"]
    )
    assert {name: first[name] for name in told} == {name: values[:5] for name, values in told.items()}
    assert first["labels"] == [3, 7]
    original = first["tensorflow_model_output"]
    left, top, right, bottom = first["normalized_boxes"][0]
    assert original["detection_boxes"][0] == [top, left, bottom, right] and original["num_detections"] == 5
    assert original["detection_classes"] == [kind + 1 for kind in first["classes"]]
    assert [answer.status for answer in refused] == [415, 406, 400, 400, 400, 400]
    assert refused[0].text == "The content type image/gif is not supported: send application/x-image."
    assert "The body is no picture: it is no picture that Pillow knows." in refused[3].text
    assert "n_predictions of the accept type is '0'; it has to be a whole number from 1." in refused[5].text


def test_pytorch_opens_the_artifact(done: tuple[Network, str]) -> None:
    job, _ = done
    values = torch.load(job.model / "model.pt", weights_only=True)
    assert json.loads((job.model / "class_label_to_prediction_index.json").read_text()) == {"3": 0, "7": 1}
    assert values["features.18.0.weight"].shape == (1280, 112, 1, 1) and values["kinds.1.weight"].shape[0] == 12


def continue_from(trained: Network, job: Scripts) -> None:
    """The artifact becomes the channel `model` of a job that may not begin from scratch."""
    for path in trained.model.iterdir():
        if path.is_file():
            (job.model / path.name).write_bytes(path.read_bytes())
    job.becomes_channel()
    job.allow_scratch(False)


def test_training_goes_on_from_an_earlier_model(done: tuple[Network, str], prepared: Scripts, capsys: Any) -> None:
    trained, log = done
    put(prepared, "training", some(4, 5))
    put(prepared, "validation", some(12, 2))
    continue_from(trained, prepared)
    prepared.fit(**QUICK, train_only_on_top_layer="True", learning_rate="0.00001")
    before, after = (torch.load(folder / "model.pt") for folder in (trained.model, prepared.model))
    assert {name.partition(".")[0] for name in before if not torch.equal(before[name], after[name])} == {"kinds"}
    said = capsys.readouterr().out
    assert f"Training goes on from an earlier model of {MODEL}." in said and "from scratch" not in said
    [first, *_, last] = [float(one) for one in re.findall(r"Val_localization=([0-9.]+)", log + said)]
    assert last < first / 2


def test_other_classes_are_taken_when_the_last_layer_is_made_anew(done: tuple[Network, str], prepared: Scripts) -> None:
    trained, _ = done
    put(prepared, "training", some(4, 5), ("ant", "bee"))
    continue_from(trained, prepared)
    assert "knows the classes 3, 7, and the data have ant, bee. They have" in prepared.refuses(**QUICK)
    prepared.fit(**QUICK, reinitialize_top_layer="True")
    assert prepared.facts()["labels"] == ["ant", "bee"]


def test_a_file_of_torchvision_s_is_what_the_first_layers_begin_with(prepared: Scripts) -> None:
    put(prepared, "training", some(4, 5))
    pretrained = prepared.module("networks.mobilenet").MobileNet(0.35, 10, 0.2).state_dict()
    torch.save(pretrained, prepared.has("model") / "mobilenet_v2.pth")
    prepared.allow_scratch(False)
    prepared.fit(**QUICK, learning_rate="0")
    values = torch.load(prepared.model / "model.pt")
    kept = [name for name in values if name.startswith("features") and name.endswith("weight")]
    assert len(kept) > 100 and all(torch.equal(values[name], pretrained[name]) for name in kept)
    assert "teaches the last layer of a network that has" in prepared.refuses(**QUICK, train_only_on_top_layer="True")
    assert "of laterals.0.0.weight there is none" in prepared.refuses(**QUICK, reinitialize_top_layer="False")


def test_without_weights_a_job_fails_unless_scratch_is_allowed(prepared: Scripts) -> None:
    put(prepared, "training", some(4, 5))
    prepared.allow_scratch(False)
    said = prepared.refuses(**QUICK)
    assert "fine-tuned from pretrained weights, and there are none here" in said and "torchvision's file" in said
    assert "SAGELET_TRAIN_FROM_SCRATCH=true" in said and "--train-from-scratch" in said


def test_categories_name_the_classes(prepared: Scripts, capsys: Any) -> None:
    names = [{"id": 7, "name": "cross"}, {"id": 3, "name": "square"}, {"id": 9, "name": "ring"}]
    pairs = some(5, 5)
    put(prepared, "training", [*pairs[:4], (pairs[4][0], [])], categories=names)
    prepared.fit(**QUICK)
    assert prepared.facts()["labels"] == ["cross", "square", "ring"]
    assert "1 pictures are split off at random" in capsys.readouterr().out
    status, text = prepared.ask(drawn.encoded(pairs[0][0]), IMAGE, VERBOSE)
    assert status == 200 and json.loads(text)["labels"] == ["cross", "square", "ring"]


ROW = {"image_id": 0, "bbox": [1, 2, 30, 40], "category_id": 3}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"images": []}, "it lacks a list; it needs `images`, which is not empty"),
        ({"annotations": {}}, "it lacks a list"),
        ({"annotations": []}, "has no box, so that there is nothing to learn"),
        ({"images": [{"file_name": "0.png"}]}, "images[0] is {'file_name': '0.png'}; it has to be such as"),
        ({"images": [{"file_name": "x.png", "height": 9, "width": 9, "id": 0}]}, "the folder images has no such file"),
        ({"images": [{"file_name": "0.png", "height": 0, "width": 9, "id": 0}]}, "both have to be above 0"),
        ({"images": [{"file_name": "0.png", "height": 9, "width": 9, "id": 0}] * 2}, "have the same id"),
        ({"annotations": [{**ROW, "image_id": 99}]}, "annotations[0] has the image_id 99; no entry of images has"),
        ({"annotations": [{"image_id": 0, "category_id": 1}]}, "annotations[0] is {'image_id': 0, 'category_id': 1}"),
        ({"annotations": [{**ROW, "category_id": None}]}, "it has to be such as"),
        ({"annotations": [{**ROW, "bbox": [1, 2, 3]}]}, "it has to be such as"),
        ({"annotations": [{**ROW, "bbox": [50, 50, 20, 20]}]}, "[xmin, ymin, xmax, ymax] within the 100x100 pixels"),
        ({"annotations": [{**ROW, "bbox": [0, 0, 101, 50]}]}, "annotations[0] has the bbox [0, 0, 101, 50]"),
        ({"annotations": [{**ROW, "bbox": [0, 0, float("nan"), 5]}]}, "within the 100x100 pixels"),
        ({"categories": [{"id": 3}]}, "has the category_id 7; categories have no such id"),
        ({"categories": [{"name": "a"}]}, "categories are not understood"),
    ],
)
def test_annotations_that_cannot_be_learned_from_are_refused(prepared: Scripts, change: dict, said: str) -> None:
    put(prepared, "training", some(4, 4))
    prepared.put("training/annotations.json", json.dumps({**annotated(some(4, 4)), **change}))
    assert said in prepared.refuses(**QUICK)


def test_channels_and_values_that_do_not_fit_are_refused(prepared: Scripts) -> None:
    assert "The channel training has no annotations.json. It has to hold the folder images" in prepared.refuses(**QUICK)
    prepared.put("training/annotations.json", "{")
    assert "annotations.json of the channel training is not understood: it is no JSON" in prepared.refuses(**QUICK)
    put(prepared, "training", some(1, 4))
    assert "There is one picture, so that none can be used for validation" in prepared.refuses(**QUICK)
    put(prepared, "training", some(4, 4))
    put(prepared, "validation", some(4, 4), (3, 8))
    assert "The validation data have the class 8, which the training data have not." in prepared.refuses(**QUICK)
    put(prepared, "validation", some(4, 4))
    prepared.put("validation/images/2.png", b"no")
    assert "The picture images/2.png cannot be read: it is no picture that Pillow knows." in prepared.refuses(**QUICK)
    assert "optimizer is 'adamw'; it has to be one of adam, sgd" in prepared.refuses(optimizer="adamw")
    assert "batch_size is '0'; it has to be an integer at least 1." in prepared.refuses(batch_size="0")
    assert "train_only_on_top_layer=True teaches the last" in prepared.refuses(train_only_on_top_layer="True")


def test_the_network_looks_at_the_places_of_the_model_garden_s(prepared: Scripts) -> None:
    detector = prepared.module("detector")
    assert [len(detector.starts(side)) for side in (320, 640)] == [12_804, 51_150]
    width = 32 / 320  # Of the first level: 4 places of 8 pixels.
    first = [[0.0125 - side[0] / 2, 0.0125 - side[1] / 2, 0.0125 + side[0] / 2, 0.0125 + side[1] / 2] for side in (
        (width, width), (width * 2**0.5, width / 2**0.5), (width / 2**0.5, width * 2**0.5), (width * 2**0.5,) * 2
    )]  # fmt: skip
    assert detector.starts(320)[:4] == pytest.approx(np.array(first), abs=1e-6)
    for side in (96, 100):
        network = detector.Detector({**SMALL, "side": side}, 3).eval()
        with torch.inference_mode():
            scores, moves = network(torch.zeros(1, 3, side, side))
        count = len(detector.starts(side))
        assert scores.shape == (1, count, 3) and moves.shape == (1, count, 4)
        assert scores.sigmoid().mean() == pytest.approx(0.01, rel=0.2)


def test_the_focal_loss_is_that_of_its_paper(prepared: Scripts) -> None:
    scores, kinds = torch.tensor([[[0.3, -1.0], [2.0, 0.5]]]), torch.tensor([[2, 0]])
    wanted = 0.0
    for chance, right in zip(scores.sigmoid().flatten().tolist(), (False, True, False, False), strict=True):
        is_right, weight = (chance, 0.25) if right else (1 - chance, 0.75)
        wanted -= weight * (1 - is_right) ** 2 * np.log(is_right)
    assert float(prepared.module("detecting").focal(scores, kinds)) == pytest.approx(wanted, rel=1e-5)


def test_a_larger_model_has_the_network_of_a_laptop_s_size_and_says_so() -> None:
    """All ids of the guide's list are there."""
    from algorithms.jumpstart import families, specs

    [family] = [family for family in families.every() if family.name == "tensorflow_od"]
    told = {model["model_id"]: specs.told(family, model) for model in family.models}
    assert len(told) == 13 and told[MODEL]["says"].endswith("for pictures of 320x320, whole.")
    assert told[LARGE]["says"].endswith("the model is named after one on ResNet50 V1 FPN for pictures of 640x640.")
    found = spec(LARGE)
    assert found["predictor_specs"]["default_content_type"] == IMAGE and found["incremental_training_supported"]
    assert "ml.p3.2xlarge" in found["supported_training_instance_types"]
