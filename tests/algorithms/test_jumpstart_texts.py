"""Text Classification - TensorFlow by PyTorch: it learns what the order of words says, and keeps AWS's contract."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from tests.algorithms.jumpstart_job import Network, spec
from tests.algorithms.jumpstart_scripts import Scripts, scripts

torch = pytest.importorskip("torch", reason="pip install 'sagelet[torch]'")
MODEL = "tensorflow-tc-small-bert-bert-en-uncased-L-2-H-128-A-2"
CASED = "tensorflow-tc-bert-en-cased-L-12-H-768-A-12-2"
TEXT = "application/x-text"
VERBOSE = "application/json;verbose"
NOISE = ("the", "a", "food", "room", "staff", "place", "was", "and", "very", "at", "in", "we", "they", "said")
QUICK = {"epochs": "1", "batch_size": "8"}


def texts(count: int, seed: int) -> list[tuple[int, str]]:
    """Each has one `good`, one `bad` and one `not`: the class is which of them `not` stands before."""
    draw, found = np.random.default_rng(seed), []
    for number in range(count):
        denied, said = ("bad", number % 2) if number % 2 else ("good", 0)
        pair = ["good", "bad"] if draw.random() < 0.5 else ["bad", "good"]
        first, second = (f"not {word}" if word == denied else word for word in pair)
        words, at = list(draw.choice(NOISE, 3)), int(draw.integers(0, 3))
        words.insert(int(draw.integers(at + 1, 4)), second)
        words.insert(at, first)
        found.append((said, " ".join(words)))
    return found


def csv(rows: list[tuple[int, str]]) -> str:
    return "".join(f'{label},"{text}"\n' for label, text in rows)


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> tuple[Network, str]:
    """A finished job that began from scratch, and its log."""
    job = Network(tmp_path_factory.mktemp("job"), MODEL)
    job.put("training/data.csv", csv(texts(600, 1)))
    job.put("validation/data.csv", csv(texts(100, 2)))
    ended = job.fit({"epochs": "5", "batch_size": "16"}, "training", "validation")
    assert ended.code == 0, ended.output
    return job, ended.output


@pytest.fixture
def prepared(tmp_path) -> Scripts:
    yield from scripts(tmp_path, MODEL)


def bag_of_words(training: list[tuple[int, str]], test: list[tuple[int, str]]) -> float:
    """The accuracy of a linear model that knows which words there are, not where."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(CountVectorizer(), LogisticRegression())
    (x, y), (v, w) = ([[row[1] for row in rows], [row[0] for row in rows]] for rows in (training, test))
    return float(model.fit(x, y).score(v, w))


def test_it_learns_the_order_of_words_which_a_bag_of_words_does_not_have(done):
    job, _ = done
    test = texts(60, 99)
    with job.served() as server:
        told = [server.post(text, TEXT, VERBOSE).json() for _, text in test]
    right = np.mean([one["predicted_label"] == label for one, (label, _) in zip(told, test, strict=True)])
    assert right > 0.9 and right > bag_of_words(texts(600, 1), test) + 0.3, right
    for one in told:
        assert one["labels"] == [0, 1] and sum(one["probabilities"]) == pytest.approx(1, abs=1e-5)


def test_the_log_says_what_computes_and_has_the_metrics_of_both_kinds(done):
    _, log = done
    assert "Stand-in: PyTorch for TensorFlow. The network is a BERT encoder of 2 layers of width 128, whole." in log
    assert "Training begins from scratch, as was allowed" in log
    assert "pieces was learned from the training data." in log
    [metric] = spec(MODEL)["metrics"]
    told, guide = (list(map(float, re.findall(regex, log))) for regex in (metric["Regex"], r"val_accuracy=([0-9\.]+)"))
    assert told == guide and max(told) > 0.9


def test_requests_are_answered_or_refused_by_their_types(done):
    job, _ = done
    with job.served() as server:
        plain, none_named = server.post("not bad good", TEXT, "application/json"), server.post("not bad good", TEXT)
        refused = [
            server.post("x", "application/x-image"), server.post("x", TEXT, "text/csv"), server.post("  ", TEXT),
            server.post(b"\xff\xfe", TEXT),
        ]  # fmt: skip
        strange = server.post("żółć 語 unheard-of " * 400, TEXT)
    assert list(plain.json()) == ["probabilities"] and plain.json() == none_named.json()
    assert [answer.status for answer in refused] == [415, 406, 400, 400] and strange.status == 200
    assert refused[2].text == "The body is empty; it has to be one text."


def test_the_artifact_opens_with_pytorch_and_an_editor(done):
    job, _ = done
    values = torch.load(job.model / "model.pt", weights_only=True)
    vocabulary = (job.model / "vocab.txt").read_text().splitlines()
    assert vocabulary[:4] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] and {"not", "good", "bad", "##d"} <= set(vocabulary)
    assert values["words.weight"].shape == (len(vocabulary), 128) and values["classifier.1.weight"].shape == (2, 128)
    assert json.loads((job.model / "class_label_to_prediction_index.json").read_text()) == {"0": 0, "1": 1}


def test_training_goes_on_from_an_earlier_model_with_its_words(done, prepared, capsys):
    trained, _ = done
    for path in trained.model.iterdir():
        if path.is_file():
            (prepared.model / path.name).write_bytes(path.read_bytes())
    prepared.becomes_channel()
    prepared.allow_scratch(False)
    prepared.put("training/data.csv", csv(texts(16, 3)))
    prepared.put("validation/data.csv", csv(texts(100, 4)))
    prepared.fit(**QUICK, train_only_on_top_layer="True", learning_rate="0.0001")
    before, after = (torch.load(folder / "model.pt") for folder in (trained.model, prepared.model))
    assert {name for name in before if not torch.equal(before[name], after[name])} == {
        "classifier.1.weight", "classifier.1.bias"
    }  # fmt: skip
    [accuracy] = re.findall(r"val_accuracy=([0-9.]+)", capsys.readouterr().out)
    assert float(accuracy) > 0.85  # One epoch from scratch is no better than chance.
    prepared.put("training/data.csv", "3,good\n4,bad\n" * 4)
    prepared.put("validation/data.csv", "3,good\n4,bad\n")
    assert "knows the classes 0, 1, and the data have 3, 4" in prepared.refuses(**QUICK)
    prepared.fit(**QUICK, reinitialize_top_layer="True")
    assert prepared.facts()["labels"] == [3, 4]


def test_without_weights_a_job_fails_unless_scratch_is_allowed(prepared):
    prepared.put("training/data.csv", csv(texts(8, 3)))
    prepared.allow_scratch(False)
    assert "fine-tuned from pretrained weights, and there are none here" in prepared.refuses()
    torch.save({}, prepared.has("model") / "pytorch_model.pt")
    assert "The channel model has no vocab.txt" in prepared.refuses()


def test_a_model_of_twelve_layers_is_a_laptop_s_size_and_says_so(tmp_path, capsys):
    for job in scripts(tmp_path, CASED):
        told = job.module("common.model").told()
        assert told["says"] == (
            "The network is a BERT encoder of 4 layers of width 256, a size that trains on a laptop: the model is "
            "named after one of 12 layers of width 768."
        )
        job.put("training/data.csv", "0,Good\n1,good\n" * 8)
        job.fit(**QUICK, optimizer="adamw", warmup_steps_fraction="0.5")
        values = torch.load(job.model / "model.pt")
        assert values["words.weight"].shape[1] == 256 and "layers.layers.3.linear1.weight" in values
        pieces = job.module("pieces").Pieces.of(job.model / "vocab.txt", False)
        assert pieces.numbers("Good") != pieces.numbers("good")


def test_rates_of_adamw_rise_and_fall(prepared):
    course = prepared.module("networks.classifying").Classifying
    values = {"learning_rate": 1.0, "optimizer": "adamw", "warmup_steps_fraction": 0.4}
    made = course(torch.nn.Linear(1, 1), values, ())
    assert [round(made._rate(step, 10), 3) for step in range(10)] == [
        0.25, 0.5, 0.75, 1.0, 1.0, 0.833, 0.667, 0.5, 0.333, 0.167
    ]  # fmt: skip
    assert course(torch.nn.Linear(1, 1), {**values, "optimizer": "adam"}, ())._rate(9, 10) == 1.0


def test_rmsprop_has_no_momentum_in_this_family(prepared):
    prepared.put("training/data.csv", "0,good\n1,bad\n" * 4)
    found = []
    for momentum in ("0.9", "0.1"):
        prepared.fit(epochs="3", optimizer="rmsprop", momentum=momentum)
        found.append(torch.load(prepared.model / "model.pt"))
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())


def test_words_are_cut_into_the_longest_known_pieces(prepared):
    pieces = prepared.module("pieces")
    vocabulary = pieces.learned(["Café cafe, playing playing play play ing"], True)
    assert vocabulary[:4] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] and "ing" not in vocabulary
    cut = pieces.Pieces(vocabulary, True)
    shown = [[vocabulary[number] for number in cut.numbers(text)][1:-1] for text in ("PLAYING café", "plays", "ω x,")]
    assert shown[0] == ["playing", "cafe"]
    assert shown[1] == ["play", "[UNK]"] or shown[1] == ["[UNK]"]
    assert shown[2] == ["[UNK]", "[UNK]", ","]
    assert [vocabulary[number] for number in cut.numbers("playa")][1:-1] == ["play", "##a"]
    assert len(cut.numbers("play " * 500)) == 128


@pytest.mark.parametrize(
    ("content", "given", "said"),
    [
        (None, {}, "The channel training has no data.csv."),
        ("", {}, "There are no rows in data.csv of the channel training."),
        ("label,text\n0,a\n", {}, "Row 1 of data.csv of the channel training has the class 'label'; classes are whole"),
        ("0,a\n1,b,c\n", {}, "Row 2 of data.csv of the channel training has 3 columns; there have to be a class and a"),
        ("0,a\n-1,b\n", {}, "has the class '-1'"),
        ("0,a\n0,b\n", {}, "has the class 0 alone; at least two are needed."),
        ("0,a\n1,b\n", {"validation_split_ratio": "1"}, "validation_split_ratio=1.0 leaves nothing of 2 rows"),
        ("0,a\n1,b\n", {"train_only_on_top_layer": "True"}, "teaches the last layer of a network that has learned"),
        ("0,a\n1,b\n", {"warmup_steps_fraction": "1.5"}, "warmup_steps_fraction is '1.5'; it has to be a number at"),
        ("0,a\n1,b\n", {"optimizer": "lamb"}, "optimizer is 'lamb'; it has to be one of adamw, adam, sgd"),
    ],
)
def test_what_cannot_be_trained_is_refused(prepared, content, given, said):
    if content is not None:
        prepared.put("training/data.csv", content)
    assert said in prepared.refuses(**given)


def test_classes_that_only_the_validation_data_have_are_refused(prepared):
    prepared.put("training/data.csv", "0,a\n1,b\n")
    prepared.put("validation/data.csv", "2,c\n")
    assert "The validation data have the class 2, which the training data have not." in prepared.refuses()
