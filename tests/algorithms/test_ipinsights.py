"""IP Insights: what all first-party algorithms owe of pairs, exact gradients, and planted habits that are found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from algorithms.ipinsights import encoders, pairs
from algorithms.ipinsights.encoders import Adam, Encoders
from tests.algorithms.job import Ended, Job, Server
from tests.contracts.first_party_contract import CSV, JSON, JSONLINES, FirstPartyContract

SMALL = {"num_entity_vectors": "100", "vector_dim": "8", "epochs": "3", "mini_batch_size": "50"}


def habits(count: int, seed: int, entities: int = 60) -> tuple[list[str], list[str]]:
    """Logins: everybody has three subnets of their own (/24) out of 150, and comes from one of them."""
    fixed, draw = np.random.default_rng(0), np.random.default_rng(seed)
    subnets = fixed.integers(1, 255, (150, 3))
    own = fixed.integers(0, 150, (entities, 3))
    who = draw.integers(0, entities, count)
    where = subnets[own[who, draw.integers(0, 3, count)]]
    hosts = draw.integers(1, 255, count)
    return [f"user {n}" for n in who], [
        ".".join(map(str, (*net, host))) for net, host in zip(where, hosts, strict=True)
    ]


def lines(entities: list[str], addresses: list[str]) -> str:
    return "".join(f"{entity},{address}\n" for entity, address in zip(entities, addresses, strict=True))


class TestIPInsights(FirstPartyContract):
    name = "ipinsights"
    values = SMALL
    formats = (CSV,)
    test_channel = "validation"
    metrics = (
        "train:progress", "train:throughput", "train:binary_classification_cross_entropy",
        "train:binary_classification_accuracy", "train:binary_classification_cross_entropy:epoch",
        "train:binary_classification_accuracy:epoch", "validation:discriminator_auc",
    )  # fmt: skip
    fields = ("dot_product",)

    @classmethod
    def put(cls, job: Job, channel: str, form: str) -> None:
        job.put(f"{channel}/data.csv", lines(*habits(200, 1, 10)))

    @classmethod
    def question(cls):
        return lines(*habits(6, 1, 10)), CSV

    @classmethod
    def ask(cls, server: Server, rows: str, accept: str = JSON):
        reply = server.post(rows, CSV, accept)
        assert reply.status == 200, reply.text
        return reply

    def test_values_that_are_no_numbers_fail_the_job(self, tmp_path: Path) -> None:
        """Here: what is no address, by file and line."""
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train=CSV)
        job.put("train/data.csv", "a,1.2.3.4\nb,1.2.3.256\n")
        assert "line 2 of file 'data.csv': '1.2.3.256' is no IPv4 address" in self.fails(job)

    def test_all_ways_of_asking_give_the_same_answer(self, server: Server) -> None:
        asked = [["user 1", "10.0.0.1"], ["user 2", "10.0.0.2"], ["never seen", "255.255.255.255"]]
        whole = self.ask(server, "".join(f"{one}, {other}\n" for one, other in asked)).json()
        assert [set(one) for one in whole["predictions"]] == [{"dot_product"}] * 3
        for given in ([{"features": one} for one in asked], [{"data": {"features": {"values": one}}} for one in asked]):
            assert server.post(json.dumps({"instances": given}), JSON).json() == whole
            assert server.post("\n".join(map(json.dumps, given)), JSONLINES).json() == whole

    def test_all_ways_of_answering_say_the_same(self, server: Server) -> None:
        asked = "user 1,10.0.0.1\nuser 2,10.0.0.2\n"
        records = self.ask(server, asked).json()["predictions"]
        assert [json.loads(line) for line in self.ask(server, asked, JSONLINES).text.splitlines()] == records

    def test_batches_are_answered_as_single_records(self, server: Server) -> None:
        asked = ["user 1,10.0.0.1\n", "user 2,10.0.0.2\n"]
        together = self.ask(server, "".join(asked)).json()["predictions"]
        alone = [self.ask(server, one).json()["predictions"][0]["dot_product"] for one in asked]
        assert [one["dot_product"] for one in together] == pytest.approx(alone, rel=1e-4, abs=1e-5)

    def test_verbose_answers_tell_the_vectors_whose_product_it_is(self, server: Server) -> None:
        for accept in ("application/json;verbose=True", "application/json; verbose=true"):
            [found] = self.ask(server, "user 1,10.0.0.1", accept).json()["predictions"]
            assert len(found["entity_embedding"]) == len(found["ip_embedding"]) == 8
            product = np.dot(found["entity_embedding"], found["ip_embedding"])
            assert found["dot_product"] == pytest.approx(product, rel=1e-4, abs=1e-5)

    def test_bad_requests_are_refused_in_words(self, server: Server) -> None:
        for body, content_type, accept, status, said in (
            ("a,1.2.3.4", "application/x-recordio-protobuf", "", 415, "application/x-recordio-protobuf not supported"),
            ("a,1.2.3.4", CSV, "image/png", 406, "image/png"),
            ("", CSV, "", 400, "empty"),
            ("1.2.3.4", CSV, "", 400, "not an entity and an IPv4 address"),
            ("a,1.2.3", CSV, "", 400, "'1.2.3' is no IPv4 address"),
            ("a,::1", CSV, "", 400, "'::1' is no IPv4 address"),
            ('{"instances": [{"features": ["a"]}]}', JSON, "", 400, "not an entity"),
            ('{"pairs": []}', JSON, "", 400, "instances"),
            ("{", JSON, "", 400, "unable to evaluate payload provided"),
        ):
            reply = server.post(body, content_type, accept)
            assert (reply.status, said in reply.text) == (status, True), (body, reply.text)

    def test_without_negatives_there_is_nothing_to_learn(self, tmp_path: Path) -> None:
        rates = {"random_negative_sampling_rate": "0", "shuffled_negative_sampling_rate": "0"}
        assert "are both 0" in self.fails(self.job(tmp_path, **rates))

    def test_several_hosts_are_refused(self, tmp_path: Path) -> None:
        job = self.job(tmp_path)
        job.configure("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]})
        assert "trains on one host, and the job has 2: set InstanceCount to 1" in self.fails(job)


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_gradients_are_those_of_the_loss(layers: int) -> None:
    draw = np.random.default_rng(3)
    made = Encoders.begin({"num_entity_vectors": 6, "vector_dim": 4, "num_ip_encoder_layers": layers}, draw)
    made.entities = made.entities.astype(np.float64)
    made.weights = [weight.astype(np.float64) for weight in made.weights]
    made.biases = [draw.normal(size=bias.shape) for bias in made.biases]
    buckets, addresses = draw.integers(0, 5, 20), draw.integers(0, 1 << 32, 20, dtype=np.uint32)
    seen = draw.integers(0, 2, 20).astype(np.float64)

    def loss() -> float:
        scores = made.scores(buckets, addresses)
        return float((np.logaddexp(0, scores) - seen * scores).mean())

    _, found = made.gradients(buckets, addresses, seen)
    entities = np.zeros((6, 4))
    entities[found["rows"]] = found["entities"]
    for parameter, gradient in [
        (made.entities, entities),
        *zip(made.weights, found["weights"], strict=True),
        *zip(made.biases, found["biases"], strict=True),
    ]:
        for place in list(np.ndindex(parameter.shape))[:40]:
            kept = parameter[place]
            parameter[place] = kept + 1e-6
            up = loss()
            parameter[place] = kept - 1e-6
            down = loss()
            parameter[place] = kept
            assert gradient[place] == pytest.approx((up - down) / 2e-6, rel=1e-3, abs=1e-6)


def test_vectors_of_entities_that_a_batch_does_not_have_stay_as_they_are() -> None:
    draw = np.random.default_rng(3)
    made = Encoders.begin({"num_entity_vectors": 6, "vector_dim": 4, "num_ip_encoder_layers": 1}, draw)
    before = made.entities.copy()
    _, gradients = made.gradients(np.array([2, 2]), np.array([1, 2], np.uint32), np.array([1, 0], np.float32))
    Adam(made, 0.1, 0.0).step(gradients)
    assert (made.entities[[0, 1, 3, 4, 5]] == before[[0, 1, 3, 4, 5]]).all()
    assert (made.entities[2] != before[2]).all()


def test_the_area_under_the_curve_is_scikit_learn_s() -> None:
    draw = np.random.default_rng(3)
    scores, seen = draw.integers(0, 9, 200), draw.integers(0, 2, 200)
    assert encoders.auc(scores, seen) == pytest.approx(roc_auc_score(seen, scores))


@pytest.mark.parametrize(("text", "number"), [("0.0.0.1", 1), ("1.2.3.4", 0x01020304), ("255.255.255.255", 0xFFFFFFFF)])
def test_addresses_are_32_bits(text: str, number: int) -> None:
    assert pairs.ipv4(text) == number
    assert encoders.bits(np.array([number], np.uint32))[0, -1] == (1 if number & 1 else -1)


def trained(folder: Path, **more: str) -> tuple[Job, Ended]:
    job = Job(folder, "ipinsights")
    values = {"num_entity_vectors": "500", "vector_dim": "32", "epochs": "30", "mini_batch_size": "500", **more}
    job.prepare({**values, "learning_rate": "0.01"}, train=CSV, validation=CSV)
    job.put("train/a.csv", lines(*habits(6000, 1)))
    job.put("validation/a.csv", lines(*habits(1000, 2)))
    ended = job.train()
    assert ended.code == 0, ended.output
    return job, ended


def test_habits_are_told_from_addresses_of_others_and_of_nobody(tmp_path: Path) -> None:
    job, ended = trained(tmp_path)
    told = [float(line.rpartition("=")[2]) for line in ended.output.splitlines() if "discriminator_auc" in line]
    assert len(told) == 30 and told[-1] > 0.95, told
    entities, addresses = habits(600, 3)
    strangers = [addresses[n - 1] for n in range(600)]  # of whoever came before
    with job.serve() as server:
        good, bad = (
            [one["dot_product"] for one in server.post(lines(entities, asked), CSV).json()["predictions"]]
            for asked in (addresses, strangers)
        )
    assert roc_auc_score([1] * 600 + [0] * 600, good + bad) > 0.9
