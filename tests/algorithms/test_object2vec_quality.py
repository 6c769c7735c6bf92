"""Object2Vec learns what was planted, in as good as the planter's own words; and its knobs do what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tests.algorithms.job import Ended
from tests.algorithms.pairs import JSONLINES, WITH_TORCH, drawn, lines, ordered, pair, prepared, rated, train

pytestmark = WITH_TORCH


def said(ended: Ended, name: str) -> list[float]:
    return [float(value) for value in re.findall(rf"{name} <(?:loss|score)>=(\S+)", ended.output)]


class TestOfOrder:
    """Which of two tokens comes first."""

    values: ClassVar = {
        "enc0_max_seq_len": "10", "enc0_vocab_size": "12", "enc0_token_embedding_dim": "12",
        "enc1_network": "pooled_embedding", "enc1_max_seq_len": "1", "enc1_vocab_size": "2", "enc_dim": "16",
        "mlp_dim": "32", "mlp_activation": "relu", "mlp_layers": "1", "learning_rate": "0.01", "epochs": "6",
    }  # fmt: skip

    def accuracy(self, folder: Path, **more: str) -> float:
        _, ended = train(folder, {**self.values, **more}, train=ordered(1500, 1), test=ordered(400, 2))
        [found] = said(ended, "test accuracy")
        return found

    @pytest.mark.parametrize(
        ("network", "more"),
        [
            ("hcnn", {}),
            ("bilstm", {}),
            ("hcnn", {"token_embedding_storage_type": "row_sparse"}),
            ("bilstm", {"bucket_width": "2"}),
        ],
    )
    def test_networks_of_sequences_tell_it(self, tmp_path: Path, network: str, more: dict[str, str]) -> None:
        assert self.accuracy(tmp_path, enc0_network=network, **more) > 0.97, "who knows the rule is always right"

    def test_a_mean_of_tokens_cannot(self, tmp_path: Path) -> None:
        """Else the other test would show nothing."""
        assert self.accuracy(tmp_path, enc0_network="pooled_embedding") < 0.6


class TestOfRatings:
    """Of users by objects: hidden traits, and noise that nobody can foresee."""

    values: ClassVar = {
        "enc0_max_seq_len": "1", "enc0_vocab_size": "50", "enc0_network": "pooled_embedding",
        "enc1_max_seq_len": "1", "enc1_vocab_size": "60", "enc1_network": "pooled_embedding",
        "enc_dim": "32", "mlp_dim": "64", "mlp_layers": "1", "mlp_activation": "tanh",
        "learning_rate": "0.005", "mini_batch_size": "64", "epochs": "15",
    }  # fmt: skip

    def test_a_regression_comes_near_the_noise(self, tmp_path: Path) -> None:
        user, thing, _, marks = rated(8000, 1)
        user_2, thing_2, exact, marks_2 = rated(1500, 2)
        records = [pair(*one) for one in zip(user, thing, marks.tolist(), strict=True)]
        held = [pair(*one) for one in zip(user_2, thing_2, marks_2.tolist(), strict=True)]
        more = {"output_layer": "mean_squared_error"}
        _, ended = train(tmp_path, {**self.values, **more}, train=records[:7000], validation=records[7000:], test=held)
        [found] = said(ended, "test mean_squared_error")
        oracle, mean = np.mean((marks_2 - exact) ** 2), np.var(marks_2)
        assert found < mean / 5, "the mean alone misses by five times as much"
        assert found < 1.7 * oracle, "who knows the traits misses by the noise"
        assert min(said(ended, "validation mean_squared_error")) == pytest.approx(found, rel=0.25)

    @pytest.mark.parametrize("optimizer", ["adadelta", "adagrad", "adam", "sgd", "rmsprop"])
    def test_a_classification_comes_near_who_knows_the_traits(self, tmp_path: Path, optimizer: str) -> None:
        user, thing, _, marks = rated(8000, 1)
        records = [pair(*one) for one in zip(user, thing, (marks > 0).astype(int).tolist(), strict=True)]
        user, thing, exact, marks = rated(1500, 2)
        held = [pair(*one) for one in zip(user, thing, (marks > 0).astype(int).tolist(), strict=True)]
        rate = {"adagrad": "0.05", "sgd": "0.5"}.get(optimizer, "0.005")
        more = {"optimizer": optimizer, "learning_rate": rate, "epochs": "20", "early_stopping_patience": "5"}
        _, ended = train(tmp_path, {**self.values, **more}, train=records[:7000], validation=records[7000:], test=held)
        [found] = said(ended, "test accuracy")
        oracle, chance = np.mean((exact > 0) == (marks > 0)), max(np.mean(marks > 0), np.mean(marks <= 0))
        assert chance < 0.6 and found > oracle - 0.05, (found, oracle)


def related(count: int, seed: int) -> list[dict]:
    """Two sets of tokens of one of six groups of twenty: only what goes together is told."""
    draw = np.random.default_rng(seed)
    groups = 20 * draw.integers(0, 6, count)
    return [pair(group + draw.integers(0, 20, 2), group + draw.integers(0, 20, 3), 1) for group in groups]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"enc1_network": "pooled_embedding", "enc1_vocab_size": "120", "enc1_max_seq_len": "3",
         "tied_token_embedding_weight": "True", "token_embedding_storage_type": "row_sparse"},
    ],
    ids=["one encoder", "one table"],
)  # fmt: skip
def test_what_goes_together_is_near_each_other(tmp_path: Path, more: dict[str, str]) -> None:
    values = {
        "enc0_max_seq_len": "3", "enc0_vocab_size": "120", "enc0_network": "pooled_embedding", "enc_dim": "16",
        "mlp_dim": "16", "mlp_layers": "1", "comparator_list": "hadamard", "negative_sampling_rate": "2",
        "learning_rate": "0.01", "epochs": "4",
    }  # fmt: skip
    job, ended = train(tmp_path, {**values, **more}, train=related(2500, 1))
    assert '"Number of Records Since Last Reset": {"sum": 7500.0' in ended.output, "two beside each"
    with job.serve(SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        reply = server.post(lines({"in0": [token]} for token in range(120)), JSONLINES, JSONLINES)
        scores = server.post(lines(related(200, 3)), JSONLINES, JSONLINES)
    rows = np.array([json.loads(line)["embeddings"] for line in reply.text.splitlines()])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    near, group = rows @ rows.T, np.arange(120) // 20
    np.fill_diagonal(near, -2)
    same = group[:, None] == group
    assert np.mean(group[near.argmax(axis=1)] == group) > 0.95, "the nearest is of the own group: by chance 0.16"
    assert near[same & (near > -2)].mean() > near[~same].mean() + 0.5
    assert np.mean([json.loads(line)["scores"][1] > 0.5 for line in scores.text.splitlines()]) > 0.9


def test_the_best_epoch_is_kept_and_patience_ends_the_training(tmp_path: Path) -> None:
    """Labels of no meaning: what is learned of 60 records is wrong for others, the longer the worse."""
    draw = np.random.default_rng(0)
    records = [{**one, "label": int(draw.integers(0, 3))} for one in drawn(160, 1)]
    values = {
        "enc0_max_seq_len": "10", "enc0_vocab_size": "20", "enc_dim": "16", "enc0_token_embedding_dim": "8",
        "mlp_dim": "16", "num_classes": "3", "learning_rate": "0.03", "epochs": "40", "early_stopping_patience": "2",
    }  # fmt: skip
    held = records[60:]
    _, ended = train(tmp_path, values, train=records[:60], validation=held, test=held)
    losses = said(ended, "validation cross_entropy")
    assert 2 < len(losses) < 40 and "Early stopping in epoch" in ended.output
    assert said(ended, "test cross_entropy") == [pytest.approx(min(losses), rel=1e-5)]
    assert min(losses) < losses[-1]


class TestPretrained:
    values: ClassVar = {
        "enc0_max_seq_len": "10", "enc0_vocab_size": "20", "enc0_token_embedding_dim": "3", "enc_dim": "8",
        "mlp_dim": "8", "num_classes": "3", "epochs": "1", "learning_rate": "0.01",
        "enc0_pretrained_embedding_file": "glove-3d.txt", "enc0_vocab_file": "vocab.json",
    }  # fmt: skip
    files: ClassVar = {
        "glove-3d.txt": "3 3\nthe 1 2 3\nother 9 9 9\n. . . 4 5 6\ncat -1 -2 -3.5\n",
        "vocab.json": json.dumps({"the": 7, ". . .": 0, "dog": 2, "cat": 19}),
    }

    @pytest.mark.parametrize("frozen", ["True", "false", ""])
    def test_embeddings_are_those_of_the_file_and_stay_so_if_frozen(self, tmp_path: Path, frozen: str) -> None:
        more = {"enc0_freeze_pretrained_embedding": frozen} if frozen else {}
        job, ended = train(tmp_path, {**self.values, **more}, self.files, train=drawn(200, 1))
        assert "3 of the 4 words of enc0_vocab_file have an embedding in 'glove-3d.txt'" in ended.output
        from algorithms.object2vec import artifact

        table = artifact.read(job.model).tables[0].numpy()
        wanted = np.array([[4, 5, 6], [1, 2, 3], [-1, -2, -3.5]], np.float32)
        stayed = np.array_equal(table[[0, 7, 19]], wanted)
        assert stayed == (frozen != "false")
        assert np.allclose(table[[0, 7, 19]], wanted, atol=0.2) and abs(table[2]).max() < 0.4

    @pytest.mark.parametrize(
        ("more", "files", "said"),
        [
            ({"enc0_vocab_file": ""}, {}, "enc0_pretrained_embedding_file is given without enc0_vocab_file"),
            ({"enc0_vocab_file": "v.json"}, {}, "'v.json', which is not in channel 'auxiliary' (it has: glove-3d.txt"),
            ({"enc0_vocab_file": "../x"}, {}, "is not valid for the 'enc0_vocab_file' hyperparameter"),
            ({"enc0_vocab_file": ".."}, {}, "'..', which is not in channel 'auxiliary'"),
            ({"enc0_token_embedding_dim": "4"}, {}, "line 2 has 3 numbers, but tokens have a dimension of 4"),
            ({"enc0_token_embedding_dim": "2"}, {}, "line 2 has 3 numbers, but tokens have a dimension of 2"),
            ({}, {"vocab.json": "the\ncat"}, "The vocabulary 'vocab.json' is no JSON"),
            ({}, {"vocab.json": '["the"]'}, "is no JSON object of words and their numbers"),
            ({}, {"vocab.json": '{"the": 20}'}, "gives 'the' the number 20, which is no token of 0 to 19"),
            ({}, {"vocab.json": '{"the": "1"}'}, "gives 'the' the number 1, which is no token"),
            ({}, {"vocab.json": '{"mouse": 1}'}, "has an embedding of none of the words of the vocabulary"),
            ({}, {"glove-3d.txt": "the 1 2 x\n"}, "The embeddings of 'glove-3d.txt' cannot be read"),
            ({}, {"glove-3d.txt": "the 1 2 inf\n"}, "a number of 'the' is not finite"),
            ({}, {"glove-3d.txt": "the 1 2 3\ncat 1 2\n"}, "line 2 has 2 numbers"),
        ],
    )
    def test_files_that_do_not_fit_fail_the_job(self, tmp_path: Path, more, files, said: str) -> None:
        ended = prepared(tmp_path, {**self.values, **more}, {**self.files, **files}, train=drawn(20, 1)).train()
        assert ended.failure.startswith("ClientError: ") and said in ended.failure, ended.output

    def test_without_the_channel_it_says_where_the_file_is_to_be(self, tmp_path: Path) -> None:
        ended = prepared(tmp_path, self.values, train=drawn(20, 1)).train()
        assert "the job has no channel 'auxiliary' for it to lie in" in ended.failure

    def test_one_table_takes_one_file(self, tmp_path: Path) -> None:
        more = {
            "enc1_network": "bilstm", "enc1_max_seq_len": "9", "enc1_vocab_size": "20", "enc1_token_embedding_dim": "3",
            "tied_token_embedding_weight": "1", "enc1_pretrained_embedding_file": "b", "enc1_vocab_file": "vocab.json",
        }  # fmt: skip
        both = prepared(tmp_path / "a", {**self.values, **more}, {**self.files, "b": "the 1 2 3"}, train=drawn(20, 1))
        assert "makes one table of tokens" in both.train().failure
        only = {**self.values, **more, "enc0_pretrained_embedding_file": ""}
        job, _ = train(tmp_path / "b", only, {**self.files, "b": "the 1 2 3"}, train=drawn(60, 1))
        from algorithms.object2vec import artifact

        assert artifact.read(job.model).tables[0][7].tolist() == [1, 2, 3], "frozen, as enc1's is"
