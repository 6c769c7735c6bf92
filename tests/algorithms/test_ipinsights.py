"""IP Insights: what all first-party algorithms owe of pairs, exact gradients, and planted habits that are found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from algorithms.common.adam import Adam
from algorithms.common.hyperparameters import defaults
from algorithms.ipinsights import artifact, encoders, pairs, train
from algorithms.ipinsights.encoders import Encoders
from algorithms.ipinsights.hyperparameters import DECLARED
from tests.algorithms.job import Ended, Job, Server
from tests.algorithms.several import Hosts
from tests.contracts.first_party_contract import CSV, JSON, JSONLINES, FirstPartyContract

FACTS = json.loads((Path(__file__).parents[1] / "facts/first_party.json").read_text())
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
        assert "Caused by: file 'data.csv', line 2: '1.2.3.256' is no IPv4 address." in self.fails(job)

    def test_a_corrupt_record_in_the_middle_fails_the_job(self, tmp_path: Path) -> None:
        """In the sentence that was seen of the image, for the line that it was seen for."""
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train=CSV)
        job.put("train/data.csv", '1982,45.15.9.216\n3769,"37.244.105.230, 165.225.16.83"\n1030,116.75.245.173\n')
        [seen] = [fact["text"] for fact in FACTS if fact["algorithm"] == "ipinsights"]
        failure = self.fails(job)
        assert failure.startswith(seen.partition(" (caused by")[0].replace("Customer Error", "ClientError"))
        assert "line 2: '37.244.105.230, 165.225.16.83' is no IPv4 address" in failure

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("entity,ip\n1,1.2.3.4\n", "line 1: 'ip' is no IPv4 address. The data have no header."),
            ("1,1.2.3.4,x\n", "line 1: 3 columns instead of an entity and an IPv4 address"),
            ("1,1.2.3.4\n,1.2.3.4\n", "line 2: the entity is empty"),
            ("1,1.2.3.4\n\n1,fe80::1\n", "line 3: 'fe80::1' is no IPv4 address."),
            ("1.2.3.4\n", "line 1: 1 columns instead of"),
        ],
    )
    def test_lines_that_are_no_pairs_are_told(self, tmp_path: Path, text: str, said: str) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train=CSV)
        job.put("train/data.csv", text)
        assert said in self.fails(job)

    def test_a_model_that_is_too_large_is_refused(self, tmp_path: Path) -> None:
        failure = self.fails(self.job(tmp_path, num_entity_vectors="250000000", vector_dim="128"))
        assert "make a model of 119.2 GB. The maximum is 8 GB" in failure

    def test_pipe_mode_is_refused(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train=CSV)
        job.configure("inputdataconfig", {"train": {"TrainingInputMode": "Pipe", "ContentType": CSV}})
        assert "Channel 'train' is in Pipe mode, which this algorithm does not take" in self.fails(job)

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
            ("1.2.3.4", CSV, "", 400, "1 columns instead of an entity and an IPv4 address"),
            ("a,1.2.3.4\nb,1.2.3", CSV, "", 400, "line 2: '1.2.3' is no IPv4 address"),
            ("a,1.2.3", CSV, "", 400, "'1.2.3' is no IPv4 address"),
            ("a,::1", CSV, "", 400, "'::1' is no IPv4 address"),
            ('{"instances": [{"features": ["a"]}]}', JSON, "", 400, "not an entity"),
            (
                '{"instances": [{"features": ["a", "1.2.3.x"]}]}',
                JSON,
                "",
                400,
                "instance 0: '1.2.3.x' is no IPv4 address",
            ),
            ('{"instances": []}', JSON, "", 400, "there are no instances"),
            ('{"pairs": []}', JSON, "", 400, "instances"),
            ("{", JSON, "", 400, "unable to evaluate payload provided"),
        ):
            reply = server.post(body, content_type, accept)
            assert (reply.status, said in reply.text) == (status, True), (body, reply.text)

    def test_without_negatives_there_is_nothing_to_learn(self, tmp_path: Path) -> None:
        rates = {"random_negative_sampling_rate": "0", "shuffled_negative_sampling_rate": "0"}
        assert "are both 0" in self.fails(self.job(tmp_path, **rates))

    def test_a_number_for_an_entity_is_the_text_of_it(self, server: Server) -> None:
        asked = json.dumps({"instances": [{"features": [17, "10.0.0.1"]}]})
        assert server.post(asked, JSON).json() == self.ask(server, '"17", 10.0.0.1').json()


def test_shards_make_the_model_of_the_whole(tmp_path: Path) -> None:
    parts = [lines(*habits(200, seed, 10)) for seed in (1, 2)]
    hosts = Hosts(tmp_path / "hosts", 2, SMALL, CSV, algorithm="ipinsights")
    shards = {"TrainingInputMode": "File", "S3DistributionType": "ShardedByS3Key", "ContentType": CSV}
    for job in hosts.jobs:
        job.configure("inputdataconfig", {"train": shards})
    hosts.put("train/a", *parts)
    ended = hosts.train()
    assert [one.code for one in ended] == [0, 0], ended
    alone = Job(tmp_path / "alone", "ipinsights")
    alone.prepare(SMALL, train=CSV)
    alone.put("train/a.csv", "".join(parts))
    assert alone.train().code == 0
    arrays, wanted = (dict(artifact.read(job.model).arrays) for job in (hosts.jobs[0], alone))
    assert all((arrays[name] == wanted[name]).all() for name in wanted)


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_gradients_are_those_of_the_loss(layers: int) -> None:
    draw = np.random.default_rng(3)
    made = begun(layers)
    made.arrays = {name: array + draw.normal(0, 0.5, array.shape) for name, array in made.arrays.items()}
    buckets, addresses = draw.integers(0, 5, 20), np.repeat(draw.integers(0, 1 << 32, 10), 2)
    seen = draw.integers(0, 2, 20).astype(np.float64)

    def loss() -> float:
        scores = made.scores(buckets, addresses)
        return float((np.logaddexp(0, scores) - seen * scores).mean())

    scores, found, rows = made.gradients(buckets, addresses, seen)
    assert scores == pytest.approx(made.scores(buckets, addresses))
    whole = np.zeros((6, 4))
    whole[rows] = found["entities"]
    assert found.keys() == made.arrays.keys()
    for name, gradient in (found | {"entities": whole}).items():
        array = made.arrays[name]
        touched = sorted({int(row) for row in encoders.octets(addresses).ravel()}) if name == "octets" else None
        for place in [(row, 1) for row in touched] if touched else np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + 1e-6
            up = loss()
            array[place] = kept - 1e-6
            down = loss()
            array[place] = kept
            assert gradient[place] == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-8), (name, place)


def begun(layers: int) -> Encoders:
    values = {"num_entity_vectors": 6, "vector_dim": 4, "num_ip_encoder_layers": layers}
    return Encoders.begin(values, np.random.default_rng(3))


def test_vectors_of_entities_that_a_batch_does_not_have_stay_as_they_are() -> None:
    made, before = begun(1), begun(1).arrays["entities"]
    pairs_ = np.array([2, 2]), np.array([1, 2]), np.array([1, 0], np.float32)
    made.learn(Adam(), pairs_, {"learning_rate": 0.1, "weight_decay": 0.1})
    assert (made.arrays["entities"] != before).any(axis=1).tolist() == [False, False, True, False, False, False]


def test_the_area_under_the_curve_is_scikit_learn_s() -> None:
    draw = np.random.default_rng(3)
    scores, seen = draw.integers(0, 9, 200), draw.integers(0, 2, 200)
    assert encoders.auc(scores, seen) == pytest.approx(roc_auc_score(seen, scores))


@pytest.mark.parametrize(("text", "number"), [("0.0.0.1", 1), ("1.2.3.4", 0x01020304), ("255.255.255.255", 0xFFFFFFFF)])
def test_addresses_are_32_bits_and_each_has_four_rows_of_its_own(text: str, number: int) -> None:
    assert pairs.ipv4(text) == number
    assert encoders.octets(np.array([number])).tolist() == [
        [n * 256 + int(part) for n, part in enumerate(text.split("."))]
    ]


@pytest.mark.parametrize("form", ["user_{}", "{}", "i-{:08x}"])
def test_entities_fill_the_buckets_as_chance_would(form: str) -> None:
    """Of 16,384 buckets and 10,000 entities chance fills 7,485, give or take 40."""
    filled = {pairs.bucket(form.format(number), 16384) for number in range(10000)}
    assert abs(len(filled) - 16384 * (1 - (1 - 1 / 16384) ** 10000)) < 200


def test_the_bucket_of_an_entity_never_changes() -> None:
    """Models that have been trained hold what was learned of each."""
    assert [pairs.bucket(entity, 20000) for entity in ("user_1", "17", "ü")] == [17040, 16256, 17525]


@pytest.mark.parametrize("layers", [0, 10])
def test_any_number_of_layers_learns(layers: int) -> None:
    values = defaults(DECLARED) | {"num_ip_encoder_layers": layers}
    values |= {"num_entity_vectors": 500, "vector_dim": 32, "learning_rate": 0.01}
    seen, held = (pairs.numbers(zip(who, map(pairs.ipv4, where), strict=True), 500)
                  for who, where in (habits(6000, 1), habits(1000, 2)))  # fmt: skip
    draw, adam = np.random.default_rng(1), Adam()
    made = Encoders.begin(values, draw)
    for _ in range(8):
        for at in range(0, 6000, 500):
            made.learn(adam, train._with_negatives(seen[at : at + 500], values, draw), values)
    buckets, addresses, labels = train._beside_drawn(held, 1, draw)
    assert roc_auc_score(labels, made.scores(buckets, addresses)) > 0.99


def trained(folder: Path) -> tuple[Job, Ended]:
    job = Job(folder, "ipinsights")
    values = {"num_entity_vectors": "500", "vector_dim": "32", "epochs": "12", "mini_batch_size": "500"}
    job.prepare({**values, "learning_rate": "0.01"}, train=CSV, validation=CSV)
    job.put("train/a.csv", lines(*habits(6000, 1)))
    job.put("validation/a.csv", lines(*habits(1000, 2)))
    ended = job.train(
        OPENBLAS_NUM_THREADS="1"
    )  # As in a zygote: two that wait for each other take long on a busy machine.
    assert ended.code == 0, ended.output
    return job, ended


def test_habits_are_told_from_addresses_of_others_and_of_nobody(tmp_path: Path) -> None:
    job, ended = trained(tmp_path)
    told = [float(line.rpartition("=")[2]) for line in ended.output.splitlines() if "discriminator_auc" in line]
    assert len(told) == 12 and told[-1] > 0.99, told
    entities, addresses = habits(600, 3)
    strangers = [addresses[n - 1] for n in range(600)]  # of whoever came before
    with job.serve() as server:
        good, bad = (
            [one["dot_product"] for one in server.post(lines(entities, asked), CSV).json()["predictions"]]
            for asked in (addresses, strangers)
        )
    assert roc_auc_score([1] * 600 + [0] * 600, good + bad) > 0.95
    assert np.mean(np.array(good) > 0) > 0.9, "0 is a threshold that Amazon's example proposes"
