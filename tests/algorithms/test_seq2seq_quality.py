"""Seq2Seq learns what was planted: a dictionary, an order, where to look, and how far chance goes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algorithms.common import recordio
from algorithms.common.hyperparameters import defaults
from algorithms.seq2seq.bleu import bleu
from algorithms.seq2seq.hyperparameters import DECLARED
from algorithms.seq2seq.sequences import Pairs
from tests.algorithms import toy
from tests.algorithms.job import Ended, Job

torch = pytest.importorskip("torch", reason="pip install 'sagelet[torch]'")
from tests.algorithms.test_seq2seq import CHANNELS, JSON, asked  # noqa: E402 (it skips itself without PyTorch)

SIZES = {"num_embed_source": "32", "num_embed_target": "32", "rnn_num_hidden": "64", "cnn_num_hidden": "64"}
VALUES = {**SIZES, "batch_size": "32", "learning_rate": "0.003"}


def train(base: Path, data: tuple[bytes, bytes], **values: str) -> tuple[Job, Ended]:
    job = Job(base, "seq2seq")
    job.prepare({**VALUES, **values}, **CHANNELS)
    for name, content in zip(("train/train.rec", "validation/val.rec"), data, strict=True):
        job.put(name, content)
    for name, content in toy.vocabularies().items():
        job.put(f"vocab/{name}", content)
    ended = job.train()
    assert ended.code == 0, ended.output
    return job, ended


def said(ended: Ended, metric: str) -> list[float]:
    """What the log says of a metric of the validation, checkpoint by checkpoint; the best one's comes once more."""
    return [float(line.rpartition("=")[2]) for line in ended.output.splitlines() if f" validation {metric} <" in line]


def memory(sentences: toy.Sentences, known: toy.Sentences, becomes: Any) -> toy.Sentences:
    """A translator's: what has become of the sentence that has most words in the same places."""

    def alike(one: list[int], other: list[int]) -> float:
        return sum(a == b for a, b in zip(one, other, strict=False)) - abs(len(one) - len(other)) / 2

    return [becomes(max(known, key=lambda other: alike(one, other))) for one in sentences]


def test_a_language_that_turns_its_sentences_round_is_learned(tmp_path: Path) -> None:
    """BLEU of sentences never seen: above 0.95, with at least nine of ten right to the last word. A memory of the
    training sentences, and a dictionary that keeps the order, are below 0.2 (both 0.02)."""
    known, held, new = toy.sources(1500, 1), toy.sources(150, 2), toy.sources(150, 3)
    data = toy.records(known, toy.turned), toy.records(held, toy.turned)
    job, ended = train(tmp_path, data, max_num_epochs="8", checkpoint_frequency_num_batches="188",
                       bleu_sample_size="60", optimized_metric="bleu")  # fmt: skip
    with job.serve() as server:
        told = server.post(json.dumps({"instances": asked(new)}), JSON).json()["predictions"]
    found, wanted = [one["target"].split() for one in told], [toy.text("b", toy.turned(one)).split() for one in new]
    score = bleu(found, wanted)
    assert score > 0.95, score
    assert np.mean([one == other for one, other in zip(found, wanted, strict=True)]) > 0.9
    right = [toy.turned(one) for one in new]
    assert bleu(memory(new, known, toy.turned), right) < 0.2
    assert bleu([toy.translated(one) for one in new], right) < 0.2
    *checkpoints, last = said(ended, "bleu")
    assert last == max(checkpoints) > 0.95, "the model is that of the best checkpoint"
    assert f"Best validation bleu: {last:.6f}" in ended.output


def test_attention_goes_along_the_words_that_are_translated(tmp_path: Path) -> None:
    """Of a mapping word by word: nineteen of twenty words look most at the word that they stand for."""
    data = toy.records(toy.sources(1000, 1), toy.translated), toy.records(toy.sources(50, 2), toy.translated)
    job, _ = train(tmp_path, data, max_num_epochs="8")
    instances = [one | {"configuration": {"attention_matrix": "true"}} for one in asked(toy.sources(60, 3))]
    with job.serve() as server:
        told = server.post(json.dumps({"instances": instances}), JSON).json()["predictions"]
    looked = [(row, int(np.argmax(weights))) for one in told for row, weights in enumerate(one["matrix"])]
    assert np.mean([row == column for row, column in looked]) > 0.95


def noisy(sentence: list[int], draw: np.random.Generator) -> list[int]:
    """Of each word the one that it stands for, or in three of ten cases a second one."""
    return [4 + (word - 4 + toy.WORDS // 2 * int(draw.random() < 0.3)) % toy.WORDS for word in sentence]


def test_perplexity_comes_near_that_of_who_knows_the_chances(tmp_path: Path) -> None:
    draw, parts, surprise, words = np.random.default_rng(5), [], 0.0, 0
    for sentences in (toy.sources(2500, 1, 5), toy.sources(400, 2, 5)):
        targets = [noisy(one, draw) for one in sentences]
        rows = zip(sentences, targets, strict=True)
        parts.append(recordio.write_sequences({"source": one, "target": other} for one, other in rows))
    for one, other in zip(sentences, targets, strict=True):
        surprise -= sum(math.log(0.7 if a == b else 0.3) for a, b in zip(one, other, strict=True))
        words += len(one) + 1  # The end is certain once the length is known.
    _, ended = train(tmp_path, (parts[0], parts[1]), max_num_epochs="6", checkpoint_frequency_num_batches="79",
                     encoder_type="cnn", decoder_type="cnn")  # fmt: skip
    oracle = math.exp(surprise / words)
    assert oracle * 0.99 < said(ended, "perplexity")[-1] < oracle * 1.1


@pytest.mark.parametrize(
    ("becomes", "values"),
    [
        (toy.turned, {"rnn_cell_type": "gru", "rnn_attention_type": "bilinear"}),
        (toy.turned, {"num_layers_encoder": 2, "num_layers_decoder": 2, "rnn_residual_connections": True}),
        (toy.translated, {"rnn_attention_type": "dot", "rnn_decoder_state_init": "avg"}),
        (toy.translated, {"encoder_type": "cnn", "decoder_type": "cnn"}),
        (toy.translated, {"encoder_type": "cnn", "rnn_decoder_state_init": "zero"}),
        (toy.translated, {"decoder_type": "cnn"}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_networks_of_all_kinds_learn(becomes: Any, values: dict[str, Any]) -> None:
    from algorithms.seq2seq import beam, fitting, network

    torch.set_num_threads(1)
    torch.manual_seed(1)
    whole = defaults(DECLARED) | {name: int(text) for name, text in SIZES.items()} | values
    whole |= {"batch_size": 32, "learning_rate": 0.003, "max_num_epochs": 8}
    train, held = (
        Pairs([np.array(one) for one in side], [np.array(becomes(one)) for one in side])
        for side in (toy.sources(1000, 1, 6), toy.sources(100, 2, 6))
    )
    limits = beam.Limits(2, 3, 0, 20, 1.0)
    made = network.begun(whole, (24, 24))
    sample = fitting.Sample(held, limits, 3)
    *_, last = fitting.checkpoints(made, whole, train, limits, lambda: fitting.evaluate(made, held, limits, sample))
    assert last.validation.bleu is not None and last.validation.bleu > 0.9
    assert last.validation.accuracy > 0.95


def test_a_job_that_is_stopped_leaves_the_best_model_so_far(tmp_path: Path) -> None:
    job = Job(tmp_path, "seq2seq")
    job.prepare({**VALUES, "checkpoint_frequency_num_batches": "5"}, **CHANNELS)
    job.put("train/train.rec", toy.records(toy.sources(400, 1), toy.translated))
    job.put("validation/val.rec", toy.records(toy.sources(40, 2), toy.translated))
    for name, content in toy.vocabularies().items():
        job.put(f"vocab/{name}", content)
    with job.start("train") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Saved the parameters of checkpoint 2" in line:
                break
        process.terminate()
        process.communicate(timeout=60)
    with job.serve() as server:
        assert server.post(json.dumps({"instances": asked([[4, 5]])}), JSON).status == 200
