"""NTM: what all first-party algorithms owe; its artifact computes what it answers, planted topics are found."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import expit
from scipy.special import softmax as soft
from sklearn.decomposition import LatentDirichletAllocation

from algorithms.common import ndarray_list, recordio
from algorithms.lda.inference import Inference
from algorithms.lda.topics import Topics
from algorithms.ntm import artifact, fitting, words
from algorithms.ntm.fitting import Plan
from algorithms.ntm.network import Network, Shape, softmax
from algorithms.ntm.optimizers import Optimizer
from tests.algorithms import corpora
from tests.algorithms.job import Job
from tests.algorithms.several import Hosts
from tests.contracts.first_party_contract import JSON, RECORDIO, FirstPartyContract, csv

SMALL = corpora.planted(3, 12, 200, 40, seed=5, sparsity=0.3)
VOCABULARY = [f"word{n}" for n in range(12)]


def opened(job: Job, name: str = "model_algo-1") -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO((job.model / name).read_bytes())) as archive:
        return {member: archive.read(member) for member in archive.namelist()}


class TestNTM(FirstPartyContract):
    name = "ntm"
    values = {"feature_dim": "12", "num_topics": "3", "epochs": "6", "mini_batch_size": "50"}
    metrics = ("train:progress", "train:throughput", "train:total_loss", "test:total_loss")
    fields = ("topic_weights",)

    @classmethod
    def rows(cls):
        return SMALL.documents.copy(), np.zeros(len(SMALL.documents), np.float32)

    @classmethod
    def with_words(cls, base: Path, vocabulary: bytes, **more: str) -> Job:
        job = cls.job(base, **more)
        job.prepare({**cls.values, **more}, train=RECORDIO, validation=RECORDIO, auxiliary="text/plain")
        cls.put(job, "validation", RECORDIO)
        job.put("auxiliary/vocab.txt", vocabulary)
        return job

    def test_weights_add_up_to_one(self, server) -> None:
        for record in self.ask(server, self.rows()[0][:5]).json()["predictions"]:
            assert len(record["topic_weights"]) == 3 and sum(record["topic_weights"]) == pytest.approx(1, abs=1e-5)

    def test_the_artifact_is_a_module_that_computes_what_the_endpoint_answers(self, trained, server) -> None:
        members = opened(trained[0])
        assert set(members) == {"params", "symbol.json", "meta.json"}
        arrays = ndarray_list.read(members["params"])
        assert arrays["arg:projection_weight"].shape == (12, 3)
        assert arrays["arg:encoder_0_weight"].shape == (9, 12) and arrays["arg:encoder_1_weight"].shape == (6, 9)
        rows = self.rows()[0][:8]
        found = computed(json.loads(members["symbol.json"]), arrays, rows)
        answered = [record["topic_weights"] for record in self.ask(server, rows).json()["predictions"]]
        assert np.allclose(found["topic_weights"], answered, atol=1e-5)
        assert np.allclose(found["words"].sum(axis=1), 1, atol=1e-5)

    def test_the_log_is_that_of_the_image(self, trained) -> None:
        """Line by line as in a real job's log: https://github.com/apache/mxnet/issues/16230."""
        output = re.sub(r"(?m)^\[[^]]*\] ", "", trained[1].output)
        number = r"-?[\d.]+(e-?\d+)?"
        for line in (
            r"# Starting training for epoch 2",
            r"# Finished training epoch 2 on 200 examples from 4 batches, each of size 50\.",
            rf"Loss \(name: value\) kld: {number}",
            rf"Loss \(name: value\) recons: {number}",
            rf"Loss \(name: value\) logppx: {number}",
            rf"#quality_metric: host=algo-1, epoch=2, train total_loss <loss>={number}",
            rf"patience losses:\[{number}, {number}, {number}\] min patience loss:{number} current loss:{number} "
            rf"absolute loss difference:{number}",
            r"Timing: train: \d+\.\d\ds, val: 0\.00s, epoch: \d+\.\d\ds",
            r"wait_for_all_workers will not sync workers since the kv store is not running distributed",
            rf"Best model based on early stopping at epoch \d+\. Best loss: {number}",
            r"Topics from epoch:final \(num_topics:3\) \[tu [01]\.\d\d\]:",
            r"\[[01]\.\d\d\] \d+( \d+){11}",
        ):
            assert re.search(f"(?m)^{line}$", output), (line, output)

    def test_topics_are_shown_by_their_words(self, tmp_path: Path) -> None:
        ended = self.with_words(tmp_path, "\n".join(VOCABULARY).encode()).train()
        assert ended.code == 0, ended.output
        assert re.search(r"Topics from epoch:final \(num_topics:3\) \[wetc nan, tu 0\.33\]:", ended.output)
        assert len(re.findall(r"\[nan, 0\.33\] (word\d+ ?){12}\n", ended.output)) == 3
        assert "glove.6B.50d.txt" in ended.output, "it says what nan needs"
        assert len(re.findall(r"epoch=\d+, validation total_loss <loss>=", ended.output)) == 6

    def test_coherence_is_computed_with_embeddings_that_lie_beside_the_vocabulary(self, tmp_path: Path) -> None:
        job = self.with_words(tmp_path, "\n".join(VOCABULARY).encode())
        vectors = np.random.default_rng(0).normal(size=(11, 4)).round(3)
        lines = [f"{word} {' '.join(map(str, vector))}" for word, vector in zip(VOCABULARY, vectors, strict=False)]
        job.put("auxiliary/glove.6B.50d.txt", "\n".join(["other 1 2 3 4", *lines]))
        ended = job.train()
        assert ended.code == 0, ended.output
        assert "1 out of 12 in vocabulary do not have embeddings! Default vector used" in ended.output
        whole = np.concatenate([vectors, vectors.mean(axis=0, keepdims=True)])
        unit = whole / np.linalg.norm(whole, axis=1, keepdims=True)
        wanted = np.mean([unit[n] @ unit[m] for n in range(12) for m in range(12) if n != m])
        [shown] = re.findall(r"\[wetc (\S+), tu", ended.output)
        assert float(shown) == pytest.approx(wanted, abs=0.006), "every topic shows all of so few words"

    @pytest.mark.parametrize(
        ("vocabulary", "said"),
        [
            (b"a\nb\nc", "has 3 words, but feature_dim is 12"),
            ("\n".join(VOCABULARY).replace("w", "\xfc").encode("latin-1"), "is no text in UTF-8"),
        ],
    )
    def test_a_vocabulary_that_does_not_fit_fails_the_job(self, tmp_path: Path, vocabulary: bytes, said: str) -> None:
        assert said in self.fails(self.with_words(tmp_path, vocabulary))

    def test_a_vocabulary_by_another_name_fails_the_job(self, tmp_path: Path) -> None:
        job = self.with_words(tmp_path, b"a")
        (job.base / "input/data/auxiliary/vocab.txt").rename(job.base / "input/data/auxiliary/words.txt")
        assert "no file 'vocab.txt' (it has: words.txt)" in self.fails(job)

    def test_the_saved_model_is_that_of_the_best_epoch(self, tmp_path: Path) -> None:
        """Steps as wide as these soon go too far."""
        more = {"optimizer": "adam", "learning_rate": "0.3", "epochs": "40", "num_patience_epochs": "4"}
        job = self.with_words(tmp_path, "\n".join(VOCABULARY).encode(), **more)
        output = job.train().output
        losses = [float(loss) for loss in re.findall(r"validation total_loss <loss>=(\S+)", output)]
        assert len(losses) < 40 and "Stopping training early" in output
        found = re.search(r"Best model based on early stopping at epoch (\d+)\. Best loss: (\S+)", output)
        best = int(found.group(1))
        assert float(found.group(2)) == min(losses) == losses[best - 1] < losses[-1]
        network = artifact.read(job.model)
        assert fitting.evaluate(network, csr_matrix(self.rows()[0]), 50).total == pytest.approx(min(losses), rel=1e-5)

    def test_an_epoch_takes_the_part_that_sub_sample_says(self, tmp_path: Path) -> None:
        output = self.job(tmp_path, sub_sample="0.25", batch_norm="true", encoder_layers="[8, 5]").train().output
        assert "on 50 examples from 1 batches" in output

    def test_a_training_that_diverges_says_what_to_do(self, tmp_path: Path) -> None:
        more = {"optimizer": "sgd", "learning_rate": "1.0", "encoder_layers_activation": "relu", "epochs": "30"}
        job = Job(tmp_path, self.name)
        job.prepare({**self.values, **more}, train=RECORDIO)
        job.put("train/data.pbr", recordio.write_features(self.rows()[0] * 1000))
        assert "diverged" in self.fails(job) and "Lower learning_rate" in job.ended(0, "").failure

    def test_documents_without_words_fail_the_job(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train=RECORDIO)
        job.put("train/data.pbr", recordio.write_features(np.zeros((20, 12), np.float32)))
        assert "No document of channel 'train' has a word" in self.fails(job)

    def test_negative_counts_fail_the_job_and_are_refused(self, tmp_path: Path, server) -> None:
        rows, _ = self.rows()
        rows[3, 1] = -2
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train="text/csv;label_size=0")
        job.put("train/data.csv", csv(rows))
        assert "negative count of words in record 3" in self.fails(job)
        refused = server.post(csv(rows[3:4]), "text/csv", JSON)
        assert (refused.status, "negative" in refused.text) == (400, True)

    def test_sparse_records_give_the_same_model_as_dense_ones(self, trained, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train=RECORDIO)
        job.put("train/data.pbr", corpora.sparse_recordio(self.rows()[0]))
        assert job.train().code == 0
        assert (job.model / "model_algo-1").read_bytes() == (trained[0].model / "model_algo-1").read_bytes()

    def test_each_of_several_hosts_has_its_copy_of_the_model(self, tmp_path: Path) -> None:
        """Amazon's notebook trains with two, and takes either `model_algo-1` or `model_algo-2` from the archive."""
        hosts = Hosts(tmp_path, 2, self.values, RECORDIO, "ntm")
        for job in hosts.jobs:
            told = {"TrainingInputMode": "File", "S3DistributionType": "ShardedByS3Key", "ContentType": RECORDIO}
            job.configure("inputdataconfig", {"train": told})
        rows = self.rows()[0]
        hosts.put("train/part.pbr", recordio.write_features(rows[:120]), recordio.write_features(rows[120:]))
        first, second = hosts.train()
        assert (first.code, second.code) == (0, 0), first.output + second.output
        assert hosts.models() == [["model_algo-1", "model_algo-2"], []]
        assert opened(hosts.jobs[0], "model_algo-2") == opened(hosts.jobs[0])


def computed(graph: dict, arrays: dict, rows: np.ndarray) -> dict[str, np.ndarray]:
    """What MXNet makes of a network: each of its operators is a line here."""
    known: dict[str, np.ndarray] = {name.partition(":")[2]: value for name, value in arrays.items()} | {"data": rows}
    for node in graph["nodes"]:
        given = [known[graph["nodes"][number]["name"]] for number, _, _ in node["inputs"]]
        told = node.get("attrs", {})
        if node["op"] == "FullyConnected":
            known[node["name"]] = given[0] @ given[1].T + given[2]
        elif node["op"] == "Activation":
            known[node["name"]] = {"sigmoid": expit, "tanh": np.tanh, "relu": _relu}[told["act_type"]](given[0])
        elif node["op"] == "BatchNorm":
            scale = given[1] / np.sqrt(given[4] + float(told["eps"]))
            known[node["name"]] = (given[0] - given[3]) * scale + given[2]
        elif node["op"] == "softmax":
            known[node["name"]] = soft(given[0], axis=-1)
        else:
            assert node["op"] == "null" and (node["name"] == "data" or str(known[node["name"]].shape) in told.values())
    return known


def _relu(scores: np.ndarray) -> np.ndarray:
    return np.maximum(scores, 0)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_networks_of_every_kind_come_back_from_their_artifact(
    tmp_path: Path, activation: str, batch_norm: bool
) -> None:
    draw = np.random.default_rng(0)
    network = Network.begin(Shape(9, (7, 5), 4, activation, batch_norm), draw)
    rows = csr_matrix(draw.poisson(2, (50, 9)).astype(np.float32))
    optimizer = Optimizer("adam", 0.01)
    list(fitting.train(network, optimizer, (rows, None), Plan(3, 10), draw))
    content = artifact.write(network, {"encoder_layers_activation": activation})
    (tmp_path / "model_algo-1").write_bytes(content)
    again = artifact.read(tmp_path)
    assert again.shape == network.shape
    assert np.array_equal(again.mixtures(rows), network.mixtures(rows))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        graph, arrays = json.loads(archive.read("symbol.json")), ndarray_list.read(archive.read("params"))
    assert np.allclose(computed(graph, arrays, rows.toarray())["topic_weights"], network.mixtures(rows), atol=1e-5)


# --- topics -----------------------------------------------------------------------------------------------------------


def learned(documents: np.ndarray, topics: int, held: np.ndarray | None = None, batch_norm: bool = False):
    """With the default hyperparameters: the network and its last epoch."""
    shape = Shape(documents.shape[1], (3 * topics, 2 * topics), topics, "sigmoid", batch_norm)
    network = Network.begin(shape, np.random.default_rng(1))
    data = (csr_matrix(documents), None if held is None else csr_matrix(held))
    *_, last = fitting.train(network, Optimizer("adadelta", 0.001), data, Plan(50, 256), np.random.default_rng(1))
    return network, last


def of_words(network: Network) -> np.ndarray:
    """The words of a document that is of one topic alone (K, V)."""
    own = network.parameters
    return softmax(own["projection_weight"].T + own["projection_bias"])


def test_five_bars_are_found_as_by_scikit_learn() -> None:
    """The data of Amazon's notebook ntm_synthetic, with the default hyperparameters, which it uses."""
    corpus = corpora.bars(5, 3300, seed=0)
    train, held = corpus.part(3000), corpus.part(3000, None)
    network, last = learned(train, 5, held=held)
    ours = corpora.match(corpus.beta, of_words(network))
    oracle = LatentDirichletAllocation(5, max_iter=5, random_state=0).fit(train[:800])
    theirs = corpora.match(corpus.beta, oracle.components_ / oracle.components_.sum(axis=1, keepdims=True))
    assert ours.cosines.min() > 0.95 and ours.cosines.min() > theirs.cosines.min() - 0.05
    found = network.mixtures(held)[:, ours.order]
    agreement = [np.corrcoef(found[:, n], corpus.mixtures[3000:, n])[0, 1] for n in range(5)]
    assert min(agreement) > 0.85
    best = -Inference(Topics(corpus.alpha, corpus.beta + 1e-9)).per_word(held)
    assert last.validation.total < best + 0.12 < np.log(25)


def test_planted_topics_are_found_and_shown() -> None:
    corpus = corpora.planted(5, 200, 2000, 80, seed=13)
    network, _ = learned(corpus.documents, 5, batch_norm=True)
    found = corpora.match(corpus.beta, of_words(network))
    assert found.cosines.min() > 0.95
    shown = words.strongest(network.parameters["projection_weight"], 10)[found.order]
    known = words.strongest(corpus.beta.T, 20)
    assert np.mean([len(set(one) & set(other)) for one, other in zip(shown, known, strict=True)]) > 6


def test_uniqueness_and_coherence_are_those_of_their_definitions() -> None:
    top = np.array([[0, 1], [0, 2], [3, 4]])
    assert words.uniqueness(top) == pytest.approx([0.75, 0.75, 1.0])
    vectors = np.array([[1.0, 0], [0, 2], [3, 3], [1, 1], [-1, -1]])
    assert words.coherence(top, vectors) == pytest.approx([0, 0.5**0.5, -1])
