"""LDA: what all first-party algorithms owe; topics that were planted are found, and mixtures are those of an oracle."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits
from sklearn.decomposition import LatentDirichletAllocation

from algorithms.common import ndarray_list
from algorithms.lda import decomposition, topics
from algorithms.lda.decomposition import Patience
from algorithms.lda.inference import Inference
from algorithms.lda.moments import Moments, Whitening
from algorithms.lda.topics import TooFewDirections, Topics, Wanted
from tests.algorithms import corpora
from tests.algorithms.job import Job
from tests.contracts.first_party_contract import JSON, RECORDIO, FirstPartyContract, csv

PATIENCE = Patience(10, 1000, 1e-8)
SMALL = corpora.planted(3, 12, 200, 40, seed=5, sparsity=0.3)


def learn(documents, count: int, alpha0: float = 1.0) -> Topics:
    wanted = Wanted(count, alpha0, PATIENCE)
    return topics.learn(documents, wanted, np.random.default_rng(1), lambda said: None)


class TestLDA(FirstPartyContract):
    name = "lda"
    values = {"feature_dim": "12", "num_topics": "3", "mini_batch_size": "200"}
    metrics = ("train:progress", "train:throughput", "test:pwll")
    fields = ("topic_mixture",)

    @classmethod
    def rows(cls):
        return SMALL.documents.copy(), np.zeros(len(SMALL.documents), np.float32)

    def test_the_artifact_is_the_list_of_alpha_and_beta(self, trained) -> None:
        alpha, beta = ndarray_list.read((trained[0].model / "model_algo-1").read_bytes())
        assert (alpha.shape, beta.shape, beta.dtype) == ((3,), (3, 12), np.float32)
        assert alpha.sum() == pytest.approx(1.0, rel=1e-5) and np.allclose(beta.sum(axis=1), 1, atol=1e-5)

    def test_mixtures_add_up_to_one(self, server) -> None:
        for record in self.ask(server, self.rows()[0][:5]).json()["predictions"]:
            assert len(record["topic_mixture"]) == 3 and sum(record["topic_mixture"]) == pytest.approx(1, abs=1e-5)

    def test_an_empty_document_is_answered_with_the_prior(self, server, trained) -> None:
        alpha, _ = ndarray_list.read((trained[0].model / "model_algo-1").read_bytes())
        [record] = self.ask(server, np.zeros((1, 12))).json()["predictions"]
        assert record["topic_mixture"] == pytest.approx((alpha / alpha.sum()).tolist(), abs=1e-5)

    def test_sparse_records_give_the_same_model_as_dense_ones(self, trained, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train=RECORDIO)
        job.put("train/data.pbr", corpora.sparse_recordio(self.rows()[0]))
        assert job.train().code == 0
        assert (job.model / "model_algo-1").read_bytes() == (trained[0].model / "model_algo-1").read_bytes()

    def test_topics_of_the_users_own_are_served(self, tmp_path: Path) -> None:
        """The developer guide's recipe: load alpha and beta, keep some topics, save them, serve them."""
        job = Job(tmp_path, self.name)
        job.model.mkdir(parents=True)
        kept = [np.array([0.1, 0.1], np.float32), np.array([[1, 0, 0], [0, 0.5, 0.5]], np.float32)]
        (job.model / "model_algo-1").write_bytes(ndarray_list.write(kept))
        with job.serve() as server:
            [record] = server.post("30,5,5", "text/csv", JSON).json()["predictions"]
            assert record["topic_mixture"] == pytest.approx([30.1 / 40.2, 10.1 / 40.2], abs=1e-3)
            refused = server.post("1,-1,0", "text/csv")
            assert (refused.status, "negative" in refused.text) == (400, True)

    def test_another_mini_batch_size_than_the_documents_is_told(self, tmp_path: Path) -> None:
        ended = self.job(tmp_path, mini_batch_size="100").train()
        assert ended.code == 0
        assert "WARNING" in ended.output and "there are 200 documents: all are used" in ended.output

    def test_negative_counts_fail_the_job(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train="text/csv;label_size=0")
        rows, _ = self.rows()
        rows[7, 3] = -1
        job.put("train/data.csv", csv(rows))
        assert "'train' has a negative count of words in record 7" in self.fails(job)

    def test_more_topics_than_the_documents_tell_apart_fail_the_job(self, tmp_path: Path) -> None:
        failure = self.fails(self.job(tmp_path, num_topics="40"))
        assert "num_topics 40" in failure and "Ask for fewer topics" in failure

    def test_several_hosts_are_refused(self, tmp_path: Path) -> None:
        job = self.job(tmp_path)
        job.configure("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]})
        assert "trains on one host" in self.fails(job)


# --- topics -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 3, 6])
def test_ten_bars_are_found_within_two_percent_as_amazon_shows(seed: int) -> None:
    """Amazon's notebook LDA-Science trains on these documents and says: the error is approximately 2 %.

    Ten bars are hard: the sum of the rows is that of the columns, so that they span nine dimensions only.
    """
    corpus = corpora.bars(10, 5400, seed)
    found = corpora.match(corpus.beta, learn(corpus.documents, 10).beta)
    assert found.distances.mean() / 2 < 0.02 and found.distances.max() / 2 < 0.04
    assert found.cosines.min() > 0.999


def test_topics_and_fit_are_near_those_of_scikit_learn() -> None:
    """Which climbs the likelihood itself: moments see less in the same documents, never much less."""
    corpus = corpora.planted(6, 200, 1000, 80, seed=3)
    known, held = corpus.beta, corpus.part(800, None)
    ours = learn(corpus.part(800), 6)
    oracle = LatentDirichletAllocation(6, random_state=0).fit(corpus.part(800))
    words = oracle.components_ / oracle.components_.sum(axis=1, keepdims=True)
    mine, theirs = corpora.match(known, ours.beta), corpora.match(known, words)
    assert mine.cosines.min() > 0.99
    assert mine.distances.mean() <= 1.5 * theirs.distances.mean()
    fit = Inference(Topics(np.full(6, 1 / 6), words)).per_word(held)
    best = Inference(Topics(corpus.alpha, known + 1e-9)).per_word(held)
    assert fit - 0.01 < Inference(ours).per_word(held) <= best < Inference(ours).per_word(held) + 0.05


def test_priors_tell_frequent_topics_from_rare_ones() -> None:
    alpha = np.array([0.4, 0.2, 0.1, 0.1, 0.1, 0.1])
    beta = np.random.default_rng(9).dirichlet(np.full(300, 0.05), 6)
    corpus = corpora.draw(alpha, beta, 3000, 80, seed=10)
    model = learn(corpus.documents, 6)
    found = corpora.match(beta, model.beta)
    assert found.cosines.min() > 0.98
    assert model.alpha[found.order] == pytest.approx(alpha, abs=0.03)


def test_images_of_digits_are_described_as_well_as_by_scikit_learn() -> None:
    """No topics are known here: a document is an image, its words are its pixels, counted by their ink."""
    images = np.random.default_rng(0).permutation(load_digits().data)
    ours = learn(images[:700], 10)
    oracle = LatentDirichletAllocation(10, max_iter=3, random_state=0).fit(images[:700])
    words = oracle.components_ / oracle.components_.sum(axis=1, keepdims=True)
    theirs = Inference(Topics(np.full(10, 0.1), words)).per_word(images[700:1100])
    assert Inference(ours).per_word(images[700:1100]) >= theirs - 0.05


def test_one_topic_is_the_corpus() -> None:
    documents = corpora.planted(1, 20, 300, 30, seed=2).documents
    model = learn(documents, 1)
    words = (documents / documents.sum(axis=1, keepdims=True)).mean(axis=0)
    assert model.alpha == pytest.approx([1.0]) and np.abs(model.beta[0] - words).sum() < 0.05


def test_documents_without_variety_are_refused() -> None:
    with pytest.raises(TooFewDirections, match="no document has three words"):
        learn(np.eye(5), 2)
    with pytest.raises(TooFewDirections, match="no more than"):
        learn(np.tile([3.0, 2, 4], (50, 1)), 3)


# --- the steps --------------------------------------------------------------------------------------------------------


def test_moments_are_averages_over_pairs_and_triples_of_different_words() -> None:
    documents = [[0, 1, 1, 3], [2, 2, 0], [3, 1, 0, 0, 2], [1, 1, 1]]
    counts = np.array([np.bincount(words, minlength=4) for words in documents], float)
    alpha0, unit = 0.7, np.eye(4)
    one, two, three = (
        sum(
            sum(_outer(unit[list(chosen)]) for chosen in itertools.permutations(words, size))
            / len(list(itertools.permutations(words, size)))
            for words in documents
        )
        / len(documents)
        for size in (1, 2, 3)
    )
    second = two - alpha0 / (alpha0 + 1) * np.multiply.outer(one, one)
    mixed = np.multiply.outer(two, one)
    third = three - alpha0 / (alpha0 + 2) * (mixed + mixed.transpose(0, 2, 1) + mixed.transpose(2, 1, 0))
    third += 2 * alpha0**2 / ((alpha0 + 1) * (alpha0 + 2)) * _outer([one, one, one])
    moments = Moments(csr_matrix(counts), alpha0)
    assert moments.first == pytest.approx(one)
    assert moments.second(unit) == pytest.approx(second)
    into = np.random.default_rng(0).normal(size=(4, 3))
    assert moments.third(into) == pytest.approx(np.einsum("abc,ai,bj,ck->ijk", third, into, into, into))


def _outer(vectors):
    found = vectors[0]
    for vector in vectors[1:]:
        found = np.multiply.outer(found, vector)
    return found


def test_large_vocabularies_are_whitened_as_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = Moments(corpora.planted(4, 60, 500, 50, seed=1).documents, 1.0)
    small = moments.whitening(4, np.random.default_rng(0))
    monkeypatch.setattr("algorithms.lda.moments.SMALL", 10)
    large = moments.whitening(4, np.random.default_rng(0))

    def shown(one: Whitening):
        return one.into @ one.back.T

    assert shown(large) == pytest.approx(shown(small), abs=1e-6)


@pytest.mark.parametrize(("width", "count"), [(6, 6), (5, 6)])
def test_a_sum_of_cubes_is_taken_apart_into_them(width: int, count: int) -> None:
    """Also when there are more of them than dimensions."""
    draw = np.random.default_rng(4)
    vectors = np.linalg.qr(draw.normal(size=(count, count)))[0][:width]
    vectors /= np.linalg.norm(vectors, axis=0)
    weights = draw.uniform(1, 3, count)
    tensor = np.einsum("r,ir,jr,kr->ijk", weights, vectors, vectors, vectors)
    found = decomposition.decompose(tensor, count, PATIENCE, draw, lambda said: None)
    assert found.error < 1e-3
    order = np.abs(vectors.T @ found.vectors).argmax(axis=1)
    assert sorted(order) == list(range(count))
    assert found.vectors[:, order] == pytest.approx(vectors, abs=2e-2)
    assert found.weights[order] == pytest.approx(weights, rel=5e-2)


def test_projection_on_the_simplex_is_the_nearest_point_of_it() -> None:
    draw = np.random.default_rng(0)
    for point in draw.normal(size=(20, 4)):
        found = topics.on_simplex(point)
        assert found.min() >= 0 and found.sum() == pytest.approx(1)
        others = draw.dirichlet(np.ones(4), 2000)
        assert np.linalg.norm(found - point) <= np.linalg.norm(others - point, axis=1).min() + 1e-9


# --- mixtures ---------------------------------------------------------------------------------------------------------


def test_mixtures_are_those_of_scikit_learn_with_the_same_topics() -> None:
    corpus = corpora.planted(5, 100, 300, 60, seed=8)
    oracle = LatentDirichletAllocation(5, doc_topic_prior=0.2, max_doc_update_iter=1000, mean_change_tol=1e-6)
    oracle.partial_fit(corpus.documents[:2])
    oracle.components_ = (corpus.beta + 1e-6) * 1e9  # So much evidence that its doubt about topics is none.
    oracle._init_latent_vars = lambda *more: None
    oracle.exp_dirichlet_component_ = corpus.beta + 1e-6
    ours = Inference(Topics(np.full(5, 0.2), corpus.beta + 1e-6)).mixtures(corpus.documents)
    assert np.abs(ours - oracle.transform(corpus.documents)).max() < 2e-3


def test_mixtures_are_near_those_that_the_documents_were_drawn_from() -> None:
    corpus = corpora.planted(5, 100, 300, 200, seed=8)
    found = Inference(Topics(corpus.alpha, corpus.beta + 1e-9)).mixtures(corpus.documents)
    assert np.abs(found - corpus.mixtures).sum(axis=1).mean() < 0.12


def test_the_likelihood_by_word_is_a_tight_bound_of_what_sampling_gives() -> None:
    corpus = corpora.planted(4, 50, 40, 12, seed=6, sparsity=0.2)
    model = Topics(corpus.alpha, corpus.beta + 1e-9)
    words = np.random.default_rng(0).dirichlet(model.alpha, 20000) @ model.beta
    for document in corpus.documents:
        logarithms = np.log(words) @ document
        sampled = (logarithms.max() + np.log(np.exp(logarithms - logarithms.max()).mean())) / document.sum()
        bound = Inference(model).per_word(document[None])
        assert sampled - 0.25 < bound < sampled + 0.02
