"""Factorization machines: what all first-party algorithms owe, exact gradients, and interactions no line can follow."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score

from algorithms.common import ndarray_list, recordio
from algorithms.factorization_machines import machine, network
from algorithms.first_party import packed
from tests.algorithms.job import Ended, Job
from tests.contracts.first_party_contract import JSON, JSONLINES, RECORDIO, FirstPartyContract

JOB = {"mini_batch_size": "100", "epochs": "40", "linear_lr": "0.01", "factors_lr": "0.01", "factors_init_sigma": "0.1"}


class TestFactorizationMachines(FirstPartyContract):
    name = "factorization_machines"
    values = {"feature_dim": "6", "num_factors": "2", "predictor_type": "binary_classifier", "mini_batch_size": "50"}
    labelled = True
    formats = (RECORDIO,)
    metrics = (
        "train:progress", "train:throughput", "train:binary_classification_cross_entropy",
        "test:binary_classification_accuracy", "test:binary_classification_cross_entropy", "test:binary_f_beta",
    )  # fmt: skip
    fields = ("score", "predicted_label")

    @classmethod
    def rows(cls):
        draw = np.random.default_rng(1)
        rows = draw.integers(0, 2, (120, 6)).astype(np.float32)
        return rows, (rows[:, 0] != rows[:, 1]).astype(np.float32)

    @classmethod
    def question(cls):
        return "".join(json.dumps({"features": row}) + "\n" for row in cls.rows()[0][:6].tolist()), JSONLINES

    @classmethod
    def ask(cls, server, rows, accept: str = JSON):
        """It takes no CSV."""
        reply = server.post(recordio.write_features(rows), RECORDIO, accept)
        assert reply.status == 200, reply.text
        return reply

    def test_csv_is_not_taken_to_be_asked_with(self, server) -> None:
        assert server.post("1,0,0,0,0,0", "text/csv").status == 415

    def test_csv_is_not_taken_to_train_with(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train="text/csv")
        job.put("train/a.csv", "1,0,0,0,0,0,0\n")
        assert "No iterator has been registered for ContentType ('text/csv', '1.0')" in self.fails(job)

    def test_a_constant_beginning_must_be_said(self, tmp_path: Path) -> None:
        failure = self.fails(self.job(tmp_path, factors_init_method="constant"))
        assert "factors_init_method is constant, but factors_init_value is not set" in failure

    def test_a_label_that_is_neither_0_nor_1_is_refused(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train="")
        job.put("train/a", recordio.write_features(self.rows()[0][:3], np.array([0, 1, 3], np.float32)))
        assert "Label value outside of the expected range in channel 'train': 3.0. Labels are 0 or 1." in self.fails(
            job
        )

    def test_bad_requests_are_refused_in_words(self, server) -> None:
        """As the contract's, without CSV."""
        wide = recordio.write_features(np.ones((1, 7), np.float32))
        for body, content_type, accept, status, said in (
            (wide, RECORDIO, "", 400, "7 features"),
            (b"", JSON, "", 400, "empty"),
            ('{"instances": [{"values": [1]}]}', JSON, "", 400, "unable to evaluate payload provided"),
            (b"nonsense", RECORDIO, "", 400, "unable to evaluate payload provided"),
            (wide, RECORDIO, "image/png", 406, "image/png"),
        ):
            reply = server.post(body, content_type, accept)
            assert (reply.status, said in reply.text) == (status, True), (body, reply.text)

    def test_the_first_format_is_meant_by_a_body_without_a_type(self, server) -> None:
        assert server.post('{"instances": [{"features": [1, 0, 0, 0, 0, 0]}]}').status == 200


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("binary", [True, False])
def test_gradients_are_those_of_the_loss(binary: bool, sparse: bool) -> None:
    draw = np.random.default_rng(8)
    dense = draw.normal(size=(9, 5)) * (draw.random((9, 5)) < 0.6)
    dense[:, 3] = 0
    rows = csr_matrix(dense) if sparse else dense
    labels = draw.integers(0, 2, 9).astype(float)
    made = drawn(5, 3, draw)

    def loss() -> float:
        pairs = ((dense @ made.v) ** 2 - dense**2 @ made.v**2).sum(axis=1) / 2
        scores = made.w0[0, 0] + (dense @ made.w1)[:, 0] + pairs
        if binary:
            return float((np.logaddexp(0, scores) - labels * scores).sum())
        return float(((scores - labels) ** 2).sum() / 2)

    scores, found = made.gradients(rows, labels, binary)
    assert scores == pytest.approx(made.scores(dense), rel=1e-5)
    assert (found.touched is None) != sparse
    for name, own in (("w0", None), ("w1", found.touched), ("v", found.touched)):
        parameter = getattr(made, name)
        gradient = np.zeros_like(parameter)
        gradient[slice(None) if own is None else own] = getattr(found, name)
        for place in np.ndindex(parameter.shape):
            kept = parameter[place]
            parameter[place] = kept + 1e-5
            up = loss()
            parameter[place] = kept - 1e-5
            down = loss()
            parameter[place] = kept
            assert gradient[place] == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-6), (name, place)


def drawn(features: int, factors: int, draw: np.random.Generator) -> machine.Machine:
    return machine.Machine(*(draw.normal(size=shape) for shape in ((1, 1), (features, 1), (features, factors))))


@pytest.mark.parametrize("sparse", [True, False])
def test_the_graph_of_the_artifact_computes_the_scores(sparse: bool) -> None:
    draw = np.random.default_rng(8)
    made, rows = drawn(6, 3, draw), draw.normal(size=(4, 6))
    arrays = network.arrays(made, sparse)
    graph = network.symbol({name: value.shape for name, value in arrays.items()}, binary=False)
    found = run_graph(graph, {**arrays, "data": rows, "out_label": None})
    assert found == pytest.approx(made.scores(rows)[:, None], rel=1e-5)
    again = network.machine(arrays)
    assert [(getattr(again, name) == getattr(made, name)).all() for name in machine.GROUPS] == [True] * 3


def run_graph(graph, inputs):
    """As MXNet does it: the values of the nodes one after the other."""
    operators = {
        "dot": lambda a, b, transpose_b="False": a @ (b.T if transpose_b == "True" else b),
        "FullyConnected": lambda x, weight, bias, num_hidden: x @ weight.T + bias,
        "broadcast_add": np.add,
        "elemwise_add": np.add,
        "elemwise_sub": np.subtract,
        "square": np.square,
        "sum": lambda x, axis, keepdims: x.sum(axis=int(axis), keepdims=keepdims == "True"),
        "_mul_scalar": lambda x, scalar: x * float(scalar),
        "LinearRegressionOutput": lambda x, label: x,
    }
    values = []
    for node in graph["nodes"]:
        taken = [values[place] for place, _, _ in node["inputs"]]
        given = node.get("attrs", {})
        values.append(inputs[node["name"]] if node["op"] == "null" else operators[node["op"]](*taken, **given))
    return values[graph["heads"][0][0]]


def test_features_that_no_record_has_stay_as_they_began() -> None:
    values = {"feature_dim": 1_000_000, "num_factors": 2, "use_bias": True, "use_linear": True}
    values |= {f"{group}_{what}": v for group in machine.GROUPS.values() for what, v in (("lr", 0.1), ("wd", 0.1))}
    values |= {f"{group}_init_method": "normal" for group in machine.GROUPS.values()}
    values |= {f"{group}_init_sigma": 0.1 for group in machine.GROUPS.values()}
    made, before = (machine.begin(values, np.random.default_rng(1)) for _ in range(2))
    rows = csr_matrix((np.ones(4, np.float32), [5, 900_000, 5, 7], [0, 2, 4]), shape=(2, 1_000_000))
    machine.Trainer(made, values).learn(rows, np.array([0, 1], np.float32), binary=True)
    moved = np.flatnonzero((made.v != before.v).any(axis=1))
    assert moved.tolist() == [5, 7, 900_000] and np.flatnonzero(made.w1 != before.w1).tolist() == [5, 7, 900_000]


def test_scores_are_the_sum_over_all_pairs() -> None:
    made = drawn(4, 3, np.random.default_rng(8))
    row = np.array([1.0, 0, -2, 3])
    pairs = sum(made.v[i] @ made.v[j] * row[i] * row[j] for i in range(4) for j in range(i + 1, 4))
    assert made.scores(csr_matrix(row))[0] == pytest.approx(made.w0[0, 0] + row @ made.w1[:, 0] + pairs, rel=1e-5)


def taste(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who likes what: 30 users and 40 items of two tastes each, one of each a row; liking is the product of tastes."""
    fixed, draw = np.random.default_rng(0), np.random.default_rng(seed)
    users, items = fixed.normal(size=(30, 2)), fixed.normal(size=(40, 2))
    user, item = draw.integers(0, 30, count), draw.integers(0, 40, count)
    rows = np.zeros((count, 70), np.float32)
    rows[np.arange(count), user] = rows[np.arange(count), 30 + item] = 1
    return rows, (users[user] * items[item]).sum(axis=1), draw.normal(0, 0.1, count)


def records(rows: csr_matrix, labels: np.ndarray) -> bytes:
    """Sparse records, as `write_spmatrix_to_sparse_tensor` of the SDK writes them."""
    return b"".join(record(rows.indices[a:b], rows.data[a:b], rows.shape[1], label)
                    for a, b, label in zip(rows.indptr[:-1], rows.indptr[1:], labels, strict=True))  # fmt: skip


def record(keys: np.ndarray, values: np.ndarray, width: int, label: float) -> bytes:
    def field(number: int, content: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(content)) + content

    def entry(*tensor: bytes) -> bytes:
        return field(1, b"values") + field(2, field(2, b"".join(field(n, one) for n, one in enumerate(tensor, 1))))

    features = entry(values.astype("<f4").tobytes(), b"".join(varint(int(key)) for key in keys), varint(width))
    payload = field(1, features) + field(2, entry(struct.pack("<f", label)))
    return struct.pack("<II", recordio.MAGIC, len(payload)) + payload + bytes(-len(payload) % 4)


def varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def trained(folder: Path, kind: str, data, held, **more: str) -> tuple[Job, Ended]:
    job = Job(folder, "factorization_machines")
    width = str(data[0].shape[1])
    job.prepare({**JOB, "feature_dim": width, "num_factors": "4", "predictor_type": kind, **more}, train="", test="")
    for channel, (rows, labels) in (("train", data), ("test", held)):
        labels = labels.astype(np.float32)
        write = records if hasattr(rows, "tocsr") else recordio.write_features
        job.put(f"{channel}/a", write(rows, labels))
    ended = job.train(
        OPENBLAS_NUM_THREADS="1"
    )  # As in a zygote: two that wait for each other take long on a busy machine.
    assert ended.code == 0, ended.output
    return job, ended


def told(ended: Ended, what: str) -> float:
    return [float(text.rpartition("=")[2]) for text in ended.output.splitlines() if what in text][-1]


ARRAYS = {
    True: {"arg:w0_weight": (1, 1), "arg:w1_weight": (70, 1), "arg:v": (70, 4)},
    False: {"arg:Linear_Plus_Bias_bias": (1,), "arg:Linear_Plus_Bias_weight": (1, 70), "arg:v": (4, 70)},
}


@pytest.mark.parametrize("sparse", [True, False])
def test_a_regressor_finds_interactions_that_a_line_cannot(tmp_path: Path, sparse: bool) -> None:
    """The line is left with all of the spread of 1.4, the machine with less than the noise, whose spread is 0.1."""
    rows, likes, noise = taste(3000, 1)
    held, wanted, _ = taste(1000, 2)
    made = csr_matrix if sparse else np.asarray
    job, ended = trained(tmp_path, "regressor", (made(rows), likes + noise), (made(held), wanted))
    line = float(((Ridge(1.0).fit(rows, likes + noise).predict(held) - wanted) ** 2).mean() ** 0.5)
    rmse = told(ended, ", test rmse <loss>")
    assert rmse < 0.1 < 1.0 < line, (rmse, line)
    members = packed.unpacked(job.model)
    assert set(members) == {"symbol.json", "params", "meta.json"}
    assert json.loads(members["meta.json"])["training_parameters"]["feature_dim"] == "70"
    arrays = ndarray_list.read(members["params"])
    assert {name: value.shape for name, value in arrays.items()} == ARRAYS[sparse]
    with job.serve() as server:
        answers = server.post(recordio.write_features(held), RECORDIO, JSON).json()["predictions"]
    gaps = np.array([one["score"] for one in answers]) - wanted
    assert (gaps**2).mean() ** 0.5 == pytest.approx(rmse, rel=1e-4)
    assert all(set(one) == {"score"} for one in answers)


def test_a_classifier_finds_interactions_that_a_line_cannot(tmp_path: Path) -> None:
    rows, likes, _ = taste(3000, 1)
    held, wanted, _ = taste(1000, 2)
    job, _ = trained(tmp_path, "binary_classifier", (csr_matrix(rows), likes > 0), (csr_matrix(held), wanted > 0))
    line = LogisticRegression().fit(rows, likes > 0).predict_proba(held)[:, 1]
    with job.serve() as server:
        answers = server.post(recordio.write_features(held), RECORDIO, JSON).json()["predictions"]
    scores = [one["score"] for one in answers]
    assert roc_auc_score(wanted > 0, scores) > 0.97 > 0.75 > roc_auc_score(wanted > 0, line)
    assert [one["predicted_label"] for one in answers] == [int(score > 0.5) for score in scores]


MOVIES = {"mini_batch_size": "200", "epochs": "20", "num_factors": "8", "bias_lr": "0.02", "linear_lr": "0.005",
          "factors_lr": "0.004", "factors_init_sigma": "0.05", "factors_wd": "0.001"}  # fmt: skip


def movies() -> tuple[csr_matrix, np.ndarray, np.ndarray]:
    """Stars as of MovieLens: 300 users, 200 movies, the popular ones seen most; each star is the rounded sum of a mean,
    what the user and the movie add, how three tastes meet, and noise. The third are the sums without the noise."""
    draw, count = np.random.default_rng(5), 14000
    weights = 1 / np.arange(1, 201) ** 0.7
    user, movie = draw.integers(0, 300, count), draw.choice(200, count, p=weights / weights.sum())
    tastes, kinds = draw.normal(0, 0.65, (300, 3)), draw.normal(0, 0.65, (200, 3))
    meant = (
        3.5 + draw.normal(0, 0.4, 300)[user] + draw.normal(0, 0.4, 200)[movie] + (tastes[user] * kinds[movie]).sum(1)
    )
    stars = np.clip(np.round(meant + draw.normal(0, 0.6, count)), 1, 5)
    places = np.column_stack([user, 300 + movie]).ravel()
    return (
        csr_matrix((np.ones(2 * count, np.float32), places, np.arange(0, 2 * count + 1, 2)), (count, 500)),
        stars,
        meant,
    )


def test_stars_of_movies_are_closer_than_those_of_users_and_movies_added(tmp_path: Path) -> None:
    """Half of the way from the line to who knows the process, whose gaps are the noise and the rounding alone."""
    rows, stars, meant = movies()
    data, held = (rows[:12000], stars[:12000]), (rows[12000:], stars[12000:])
    _, ended = trained(tmp_path, "regressor", data, held, **MOVIES)
    rmse, line = told(ended, ", test rmse <loss>"), Ridge(1.0).fit(*data).predict(held[0])
    knowing = np.clip(meant[12000:], 1, 5)
    best, linear = (float(((one - held[1]) ** 2).mean() ** 0.5) for one in (knowing, line))
    assert rmse < (best + linear) / 2, (rmse, best, linear)


def test_a_training_that_diverges_fails_with_what_to_do(tmp_path: Path) -> None:
    rows, likes, _ = taste(500, 1)
    job = Job(tmp_path, "factorization_machines")
    values = {**JOB, "feature_dim": "70", "num_factors": "4", "predictor_type": "regressor", "factors_lr": "1e30"}
    job.prepare(values, train="")
    job.put("train/a", recordio.write_features(rows * 1e6, likes.astype(np.float32)))
    ended = job.train()
    assert ended.code == 1 and "Lower bias_lr, linear_lr and factors_lr" in ended.failure, ended.output
