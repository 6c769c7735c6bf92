"""Object2Vec without its network: what it refuses, which pairs it draws, and what it says where PyTorch is missing."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import defaults, validate
from algorithms.first_party import wording
from algorithms.object2vec import batches, shape
from algorithms.object2vec.batches import Epochs
from algorithms.object2vec.hyperparameters import CHECKS, DECLARED
from algorithms.object2vec.pairs import Pairs, Sequences
from tests.algorithms.job import ROOT
from tests.algorithms.pairs import WITH_TORCH, drawn, lines, pair, prepared, train

LEAST = {"enc0_max_seq_len": "5", "enc0_vocab_size": "20"}
FACTS = json.loads((Path(__file__).parents[1] / "facts/first_party.json").read_text())


def shaped(**given: str) -> tuple[shape.Shape, list[str]]:
    values = defaults(DECLARED) | validate(DECLARED, {**LEAST, **given}, CHECKS, wording.SCHEMA)
    told: list[str] = []
    return shape.of(values, told.append), told


def pairs(*sides: tuple[list[int], list[int]]) -> Pairs:
    made = [[side[n] for side in sides] for n in (0, 1)]
    flat = [Sequences(np.concatenate(one).astype(np.int32), np.cumsum([0, *map(len, one)])) for one in made]
    return Pairs((flat[0], flat[1]), np.ones(len(sides), np.float32))


@pytest.mark.parametrize("verb", ["train", "serve"])
def test_without_pytorch_the_job_says_what_installs_it(tmp_path: Path, verb: str) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without/torch.py").write_text("raise ImportError('no torch')\n")
    job = prepared(tmp_path / "ml", LEAST, train=drawn(10, 1, classes=2))
    (job.base / "model").mkdir()
    with job.start(verb, PYTHONPATH=str(tmp_path / "without"), SAGEMAKER_MODEL_SERVER_WORKERS="1") as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" not in output
    assert "Object2Vec needs PyTorch, which is not installed: pip install 'sagelet[torch]'" in output
    if verb == "train":
        assert job.ended(1, output).failure.startswith("ClientError: Object2Vec needs PyTorch")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"enc1_network": "hcnn"}, "specified for 'enc1_max_seq_len', 'enc1_vocab_size' which are required"),
        ({"enc1_network": "hcnn", "enc1_vocab_size": "9"}, "specified for 'enc1_max_seq_len' which are required"),
        ({"token_embedding_storage_type": "row_sparse", "optimizer": "rmsprop"}, "one of adam, adagrad, sgd"),
        ({"comparator_list": "hadamard, sum"}, "is not valid for the 'comparator_list' hyperparameter"),
        ({"enc0_layers": "5"}, "is not valid for the 'enc0_layers' hyperparameter"),
        ({"enc0_network": "enc0"}, "is not valid for the 'enc0_network' hyperparameter"),
        (
            {"tied_token_embedding_weight": "True", "enc1_network": "bilstm", "enc1_max_seq_len": "5",
             "enc1_vocab_size": "21"},
            "enc0_vocab_size is 20 and enc1_vocab_size is 21",
        ),
        (
            {"tied_token_embedding_weight": "True", "enc1_network": "pooled_embedding", "enc1_max_seq_len": "5",
             "enc1_vocab_size": "20"},
            "enc0_token_embedding_dim is 300 and enc1_token_embedding_dim is 4096",
        ),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said.replace("(", r"\(")):
        shaped(**given)


def test_the_network_is_the_one_that_was_asked_for() -> None:
    found, told = shaped()
    assert found.encoders == (shape.Encoder("hcnn", 20, 300, 4, 3, 5),) and not told
    assert (found.comparators, found.compared) == (("hadamard", "concat", "abs_diff"), 4 * 4096)
    assert (found.enc_dim, found.mlp, found.activation, found.outputs) == (4096, (2, 512), "linear", 2)
    more = {"enc1_network": "bilstm", "enc1_max_seq_len": "9", "enc1_vocab_size": "30", "comparator_list": "abs_diff"}
    found, _ = shaped(**more, output_layer="mean_squared_error", num_classes="7")
    assert found.encoder(1) == shape.Encoder("bilstm", 30, 300, 1, 3, 9) and found.is_regression
    assert shape.remembered(json.loads(json.dumps(found.told()))) == found


def test_what_is_of_the_other_encoder_has_no_effect_when_there_is_one() -> None:
    """Amazon's notebook of sentences gives all of enc1's beside enc1_network=enc0."""
    more = {"enc1_max_seq_len": "82", "enc1_vocab_size": "43533", "enc1_layers": "2", "enc1_vocab_file": ""}
    assert shaped(**more, enc1_network="enc0") == shaped()


def test_a_pooled_embedding_is_as_long_as_enc_dim_and_says_so() -> None:
    [fact] = [one["text"] for one in FACTS if one["cause"] == "enc_dim and token_embedding_dim differ"]
    found, told = shaped(enc0_network="pooled_embedding", enc_dim="100")
    assert found.encoder(0).dim == 100 and told == [fact]


@WITH_TORCH
def test_the_vocabulary_is_told_in_the_images_words(tmp_path: Path) -> None:
    [fact] = [one["text"] for one in FACTS if one["cause"] == "token outside of the vocabulary"]
    job = prepared(tmp_path, {**LEAST, "enc0_vocab_size": "2"}, train=[pair(1, 2, 1)])
    assert job.train().failure == fact


def test_negatives_have_the_in1_of_another_record() -> None:
    given = pairs(([1], [10]), ([2], [20, 21]), ([3], [30]), ([4], [10]))
    source = Epochs(given, 3, np.random.default_rng(0))
    first, second = source.drawn(), source.drawn()
    assert len(first) == 16 and first.labels.tolist() == [1.0] * 4 + [0.0] * 12
    assert first.first.tolist() == [0, 1, 2, 3] * 4 and first.second[:4].tolist() == [0, 1, 2, 3]
    assert not np.array_equal(first.second, second.second), "others in each epoch"
    same = {(row, other) for one in (first, second) for row, other in zip(one.first[4:], one.second[4:], strict=True)}
    assert not same & {(0, 0), (1, 1), (2, 2), (3, 3), (0, 3), (3, 0)}
    assert len(source.drawn().take(np.arange(2))) == 2 and source.has_others


def test_batches_hold_all_and_with_a_width_those_of_like_lengths() -> None:
    draw = np.random.default_rng(1)
    sides = [([0] * int(draw.integers(1, 30)), [0] * int(draw.integers(1, 9))) for _ in range(500)]
    given, whole = pairs(*sides), batches.seen(pairs(*sides))
    for width in (0, 4):
        found = list(batches.batches(given, whole, 16, width, np.random.default_rng(2)))
        assert sorted(np.concatenate([one.first for one in found])) == list(range(500))
        assert max(map(len, found)) == 16
        spread = max(np.ptp(given.sides[0].lengths[one.first]) for one in found)
        assert spread < 4 if width else spread > 20
        assert [one.first[0] for one in found] != sorted(one.first[0] for one in found)
    assert sorted(np.concatenate([one.second for one in batches.in_order(given, 64)])) == list(range(500))


def test_sequences_are_taken_and_cut() -> None:
    one = Sequences(np.arange(9, dtype=np.int32), np.array([0, 4, 5, 9]))
    taken = one.take(np.array([2, 0, 2]))
    assert taken.tokens.tolist() == [5, 6, 7, 8, 0, 1, 2, 3, 5, 6, 7, 8] and taken.starts.tolist() == [0, 4, 8, 12]
    cut = one.at_most(2)
    assert cut.tokens.tolist() == [0, 1, 4, 5, 6] and cut.lengths.tolist() == [2, 1, 2]
    assert taken.identities().tolist() == [0, 1, 0]


@WITH_TORCH
@pytest.mark.parametrize("label", ["1e300", "-1e300", "1" + "0" * 400])
@pytest.mark.parametrize("without", ["", "orjson"])
def test_labels_beyond_single_precision_are_refused(tmp_path: Path, label: str, without: str) -> None:
    """With and without the fast reader, which an image of the user's own may lack."""
    (tmp_path / "lacking").mkdir()
    (tmp_path / "lacking/orjson.py").write_text("raise ImportError\n" if without else "from json import *\n")
    text = f'{{"in0": [1], "in1": [2], "label": {label}}}\n'
    job = prepared(tmp_path / "ml", {**LEAST, "output_layer": "mean_squared_error"}, train=text)
    ended = job.train(PYTHONPATH=str(tmp_path / "lacking"))
    assert ended.failure.startswith("ClientError: ") and "Traceback" not in ended.output
    assert "Labels are numbers that single precision holds" in ended.failure or "line 1 of file" in ended.failure


@WITH_TORCH
def test_more_pairs_than_memory_holds_are_refused(tmp_path: Path) -> None:
    job = prepared(tmp_path, {**LEAST, "negative_sampling_rate": "99999999"}, train=drawn(10, 1, classes=2))
    assert "makes 1000000000 pairs an epoch of the 10 of channel 'train'" in job.train().failure


@WITH_TORCH
class TestJobs:
    def test_a_network_that_memory_does_not_hold_is_told_in_the_images_words(self, tmp_path: Path) -> None:
        [fact] = [one["text"] for one in FACTS if one["cause"] == "out of memory"]
        values = {**LEAST, "enc0_vocab_size": "3000000", "enc0_token_embedding_dim": "1000"}
        job = prepared(tmp_path, values, train=drawn(5, 1, classes=2))
        command = ["bash", "-c", f"ulimit -v 8000000; exec {sys.executable} -m algorithms.run object2vec train"]
        environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(tmp_path), "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        assert (done.returncode, job.ended(1, "").failure) == (1, f"ClientError: {fact}"), done.stdout + done.stderr

    def test_negatives_need_records_that_differ(self, tmp_path: Path) -> None:
        job = prepared(tmp_path, {**LEAST, "negative_sampling_rate": "1"}, train=[pair(1, 2, 1), pair(2, 2, 1)])
        assert "all records of channel 'train' have the same in1" in job.train().failure

    def test_labels_of_0_beside_negatives_are_told(self, tmp_path: Path) -> None:
        values = {**LEAST, "negative_sampling_rate": "1", "enc0_network": "pooled_embedding", "enc_dim": "4",
                  "mlp_dim": "4", "epochs": "1"}  # fmt: skip
        _, ended = train(tmp_path, values, train=[pair(1, 2, 1), pair(2, 3, 0)])
        assert "1 of the 2 records of channel 'train' have the label 0" in ended.output

    def test_packed_files_folders_and_marks_are_read(self, tmp_path: Path) -> None:
        values = {**LEAST, "num_classes": "3", "enc0_network": "pooled_embedding", "enc_dim": "4", "epochs": "1"}
        job = prepared(tmp_path, values, train=b"\xef\xbb\xbf" + lines(drawn(20, 1)).replace("\n", "\r\n\r\n").encode())
        job.put("train/b/c.jsonl.gz", gzip.compress(lines(drawn(13, 2)).encode().rstrip()))
        job.put("train/_SUCCESS", "no data")
        ended = job.train()
        assert ended.code == 0, ended.output
        assert '"Number of Records Since Last Reset": {"sum": 33.0' in ended.output

    def test_a_training_that_diverges_says_what_to_do(self, tmp_path: Path) -> None:
        values = {**LEAST, "enc_dim": "8", "output_layer": "mean_squared_error", "optimizer": "sgd",
                  "learning_rate": "1.0", "enc0_network": "pooled_embedding"}  # fmt: skip
        job = prepared(tmp_path, values, train=[pair(n % 20, n % 7, 1e4 * (n % 5)) for n in range(200)])
        failure = job.train().failure
        assert failure.startswith(
            "ClientError: The training has diverged in epoch 1: a loss is no finite number. Lower"
        )

    def test_large_networks_are_told_what_makes_them_bearable(self, tmp_path: Path) -> None:
        values = {**LEAST, "enc0_vocab_size": "40000", "enc_dim": "2048", "enc0_layers": "1", "mlp_dim": "2",
                  "enc0_cnn_filter_width": "1", "mlp_layers": "0", "epochs": "1",
                  "comparator_list": "hadamard"}  # fmt: skip
        _, ended = train(tmp_path, values, train=[pair(1, 2, 1), pair(2, 3, 0)])
        assert "token_embedding_storage_type 'row_sparse' moves those of the batch's tokens" in ended.output
        assert "enc_dim 2048 is made for a GPU" in ended.output

    def test_weight_decay_pulls_the_rows_of_a_batch_alone_when_they_are_sparse(self, tmp_path: Path) -> None:
        from algorithms.object2vec import artifact

        tables = []
        for number, (decay, rate) in enumerate((("0", "0.01"), ("10", "0.01"))):
            values = {**LEAST, "enc0_network": "pooled_embedding", "enc_dim": "4", "optimizer": "sgd",
                      "token_embedding_storage_type": "row_sparse", "weight_decay": decay, "learning_rate": rate,
                      "epochs": "1", "bucket_width": "3"}  # fmt: skip
            job, ended = train(tmp_path / str(number), values, train=[pair(n % 5, n % 3, n % 2) for n in range(960)])
            tables.append(artifact.read(job.model).tables[0].numpy())
            assert "bucket_width is set to 0" in ended.output
        assert np.array_equal(tables[0][5:], tables[1][5:]), "no pair has these tokens"
        assert abs(tables[1][:5]).mean() < abs(tables[0][:5]).mean() / 5

    def test_several_hosts_are_refused(self, tmp_path: Path) -> None:
        job = prepared(tmp_path, LEAST, train=drawn(9, 1))
        job.configure("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]})
        assert "AWS/Object2Vec trains on one host, and the job has 2" in job.train().failure
