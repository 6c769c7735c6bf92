"""Object2Vec: what all first-party algorithms owe, asked of pairs; its artifact computes what it answers."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from algorithms.common import ndarray_list
from tests.algorithms.job import Job, Server
from tests.algorithms.pairs import WITH_TORCH, drawn, lines, pair, prepared, train
from tests.contracts.first_party_contract import JSON, JSONLINES, FirstPartyContract, assert_close

pytestmark = WITH_TORCH


def arrays_of(job: Job) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO((job.model / "model_algo-1").read_bytes())) as archive:
        assert set(archive.namelist()) == {"params", "meta.json"}
        return {name.removeprefix("arg:"): value for name, value in ndarray_list.read(archive.read("params")).items()}


class TestObject2Vec(FirstPartyContract):
    """Pairs instead of rows of numbers: what the contract asks of rows is asked of pairs here."""

    name = "object2vec"
    values: ClassVar = {
        "enc0_max_seq_len": "8", "enc0_vocab_size": "20", "enc0_token_embedding_dim": "6", "enc_dim": "13",
        "mlp_dim": "8", "mlp_activation": "tanh", "num_classes": "3", "epochs": "2",
    }  # fmt: skip
    formats = (JSONLINES,)
    metrics = (
        "train:progress", "train:throughput", "train:accuracy", "train:cross_entropy", "validation:accuracy",
        "validation:cross_entropy", "test:accuracy", "test:cross_entropy",
    )  # fmt: skip

    @classmethod
    def job(cls, base: Path, **more: str) -> Job:
        channels = {"train": drawn(200, 1), "validation": drawn(50, 2), "test": drawn(50, 3)}
        return prepared(base, {**cls.values, **more}, **channels)

    @classmethod
    def put(cls, job: Job, channel: str, form: str) -> None:
        job.put(f"{channel}/a.jsonl", lines(drawn(200, 1)))

    @classmethod
    def question(cls):
        asked = drawn(4, 4)
        return lines([*asked, {"in0": [3, 4]}, {"in1": [5]}]), JSONLINES

    def said(self, server: Server, instances: list[Any], content_type: str = JSON) -> list[dict[str, list[float]]]:
        reply = server.post(json.dumps({"instances": instances}), content_type, JSON)
        assert reply.status == 200, reply.text
        return reply.json()["predictions"]

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('{"in0": [1], "in1": [2]}', "it has no 'label'"),
            ('{"in0": [1], "in1": [2], "label": "a"}', 'its label is no number: "a"'),
            ('{"in0": [1], "in1": [2], "label": true}', "its label is no number: true"),
            ('{"in0": [1], "in1": [2], "label": NaN}', "line 2"),
            ('{"in0": [1], "label": 1}', "it has no 'in1'"),
            ('{"in0": [], "in1": [2], "label": 1}', "its in0 has no tokens"),
            ('{"in0": [1, 2.5], "in1": [2], "label": 1}', "its in0 is to hold whole numbers, and holds 2.5"),
            ('{"in0": [[1]], "in1": [2], "label": 1}', "its in0 is to hold whole numbers, and holds [1]"),
            ('{"in0": [99999999999999], "in1": [2], "label": 1}', "a number that is no token"),
            ('{"in0": "1", "in1": [2], "label": 1}', 'its in0 is no list of tokens: "1"'),
            ("[1]", "it is no object with in0, in1 and label"),
            ('{"in0"', "line 2 of file 'a.jsonl'"),
        ],
    )
    def test_a_line_that_is_no_pair_is_named(self, tmp_path: Path, line: str, said: str) -> None:
        failure = self.fails(prepared(tmp_path, self.values, train=f"{lines(drawn(1, 1))}{line}\n{lines(drawn(3, 2))}"))
        assert "Unable to read data channel 'train'" in failure and "line 2 of file 'a.jsonl'" in failure
        assert said in failure

    def test_values_that_are_no_numbers_fail_the_job(self, tmp_path: Path) -> None:
        """Here: labels that are no classes, tokens that no vocabulary has."""
        for label in (3, -1, 0.5):
            records = [*drawn(5, 1), pair(1, 2, label)]
            failure = self.fails(prepared(tmp_path / str(label), self.values, train=records))
            assert f"Label value outside of the expected range in channel 'train': {label}." in failure
        for token in (20, -3):
            records = [*drawn(5, 1), pair([1] * 9, [1] * 8 + [token], 1)]
            failure = self.fails(prepared(tmp_path / str(token), self.values, train=drawn(9, 1), test=records))
            said = "is not less than vocab_size=20" if token > 0 else "is less than 0"
            assert failure == f'ClientError: Inconsistent vocab for in1 found. Vocab id "{token}" {said}'

    def test_all_ways_of_asking_give_the_same_answer(self, server: Server) -> None:
        asked = drawn(5, 5)
        whole = self.said(server, asked)
        assert [set(one) for one in whole] == [{"scores"}] * 5
        assert all(len(one["scores"]) == 3 and sum(one["scores"]) == pytest.approx(1, abs=1e-5) for one in whole)
        assert_close(server.post(lines(asked), JSONLINES, JSON).json()["predictions"], whole)
        assert_close(server.post(lines(asked), JSONLINES).json()["predictions"], whole)  # JSON is the first of all
        for side in ("in0", "in1"):
            alone = self.said(server, [{side: one[side]} for one in asked])
            assert all(set(one) == {"embeddings"} and len(one["embeddings"]) == 13 for one in alone)
        assert_close(self.said(server, [{"in0": [1, 2]}]), self.said(server, [{"in1": [1, 2]}]))  # of one encoder

    def test_all_ways_of_answering_say_the_same(self, server: Server) -> None:
        body, content_type = self.question()
        told = server.post(body, content_type, JSON).json()["predictions"]
        reply = server.post(body, content_type, JSONLINES)
        assert reply.content_type == JSONLINES
        assert [json.loads(line) for line in reply.text.splitlines()] == told
        assert [list(one) for one in told] == [["scores"]] * 4 + [["embeddings"]] * 2

    def test_batches_are_answered_as_single_records(self, server: Server) -> None:
        """Whatever else is asked for, and however long that is."""
        asked = [*drawn(300, 6), *({"in0": one["in0"]} for one in drawn(40, 7))]
        together = self.said(server, asked)
        for number in (0, 5, 299, 300, 339):
            assert_close([together[number]], self.said(server, [asked[number]]))

    def test_longer_sequences_are_cut_where_the_content_type_says(self, server: Server) -> None:
        long = list(range(12))
        whole, cut = self.said(server, [{"in0": long}, {"in0": long[:8]}])
        assert_close(whole, cut)
        [longer] = self.said(server, [{"in0": long}], f"{JSON}; infer_max_seqlens=12,8")
        assert longer != whole
        [short] = self.said(server, [{"in1": long}], f"{JSON}; infer_max_seqlens=12,2")
        assert_close([short], self.said(server, [{"in1": long[:2]}]))

    def test_bad_requests_are_refused_in_words(self, server: Server) -> None:
        wrong, good = "unable to evaluate payload provided: ", lines(drawn(1, 1))
        for body, content_type, accept, status, said in (
            (good, "text/csv", "", 415, "content-type text/csv not supported"),
            (good, JSONLINES, "image/png", 406, "image/png"),
            ("", JSON, "", 400, wrong + "the body is empty"),
            ("{", JSON, "", 400, wrong),
            (b"\xff\xfe", JSONLINES, "", 400, wrong),
            ('{"rows": []}', JSON, "", 400, "no member 'instances'"),
            ('{"instances": []}', JSON, "", 400, wrong + "there are no instances"),
            ('{"instances": [1]}', JSON, "", 400, wrong),
            ('{"in0": [1]}\n{"label": 1}', JSONLINES, "", 400, "of instance 1, it has neither 'in0' nor 'in1'"),
            ('{"in0": [], "in1": [1]}', JSONLINES, "", 400, "of instance 0, its in0 has no tokens"),
            ('{"in0": [1], "in1": null}', JSONLINES, "", 400, "its in1 is no list of tokens: null"),
            ('{"in0": ["1"]}', JSONLINES, "", 400, "its in0 is to hold whole numbers"),
            ('{"in0": [1, true]}', JSONLINES, "", 400, "its in0 is to hold whole numbers"),
            ('{"in0": [20]}', JSONLINES, "", 400, 'Inconsistent vocab for in0 found. Vocab id "20" is not less than'),
            ('{"in1": [-1]}', JSONLINES, "", 400, 'Inconsistent vocab for in1 found. Vocab id "-1" is less than 0'),
            ('{"in0": [1e9999]}', JSONLINES, "", 400, wrong),
            ("[" * 9000, JSON, "", 400, wrong),
            (good, f"{JSONLINES}; infer_max_seqlens=5", "", 400, "infer_max_seqlens is to be two numbers"),
            (good, f"{JSONLINES}; infer_max_seqlens=5,5001", "", 400, "numbers from 1 to 5000"),
        ):
            reply = server.post(body, content_type, accept)
            assert (reply.status, said in reply.text) == (status, True), (body, reply.text)

    def test_a_model_that_is_none_is_refused_in_a_sentence(self, trained, tmp_path: Path) -> None:
        """One of other sizes than it says, and no archive at all."""
        whole = (trained[0].model / "model_algo-1").read_bytes()
        broken = (
            whole.replace(b'"vocabulary": 20', b'"vocabulary": 21'),
            whole.replace(b'"hadamard"', b'"hadamurd"'),
            whole[:500],
        )
        for number, content in enumerate(broken):
            job = Job(tmp_path / str(number), self.name)
            job.model.mkdir(parents=True)
            (job.model / "model_algo-1").write_bytes(content)
            with job.start("serve", SAGEMAKER_BIND_TO_SOCKET=str(tmp_path / "s")) as process:
                output, _ = process.communicate(timeout=60)
            assert process.returncode == 1 and "Traceback" not in output
            assert "'model_algo-1' holds no pair of encoders" in output or "is no archive of a model" in output

    @pytest.mark.parametrize("mode", ["embedding", "whatever"])
    def test_both_are_answered_whatever_is_preferred(self, trained, tmp_path: Path, mode: str) -> None:
        job = Job(tmp_path, self.name)
        job.model.symlink_to(trained[0].model)
        with job.serve(INFERENCE_PREFERRED_MODE=mode, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
            told = self.said(server, [drawn(1, 1)[0], {"in0": [1]}])
        assert [list(one) for one in told] == [["scores"], ["embeddings"]]
        wanted = "it is ignored" if mode == "whatever" else "both answered"
        assert "INFERENCE_PREFERRED_MODE" in job.log and wanted in job.log


# --- what the network computes ------------------------------------------------------------------------------------


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def hcnn(rows: np.ndarray, arrays: dict[str, np.ndarray], of: str) -> np.ndarray:
    """By the definition: filters over a sequence that is zero beyond its ends, the largest value of each."""
    largest, layer = [], 0
    while (weight := arrays.get(f"{of}.layers.{layer}.weight")) is not None:
        width = weight.shape[2]
        left = (width - 1) // 2
        around = np.pad(rows, ((left, width - 1 - left), (0, 0)))
        windows = np.stack([around[n : n + len(rows)] for n in range(width)], 2)
        rows = np.maximum(np.einsum("tdw,odw->to", windows, weight) + arrays[f"{of}.layers.{layer}.bias"], 0)
        largest.append(rows.max(axis=0))
        layer += 1
    return np.concatenate(largest)


def bilstm(rows: np.ndarray, arrays: dict[str, np.ndarray], of: str) -> np.ndarray:
    layer = 0
    while f"{of}.lstm.weight_ih_l{layer}" in arrays:
        both = [one_way(rows, arrays, f"{of}.lstm", f"l{layer}"),
                one_way(rows[::-1], arrays, f"{of}.lstm", f"l{layer}_reverse")[::-1]]  # fmt: skip
        rows, layer = np.concatenate(both, 1), layer + 1
    return rows.max(axis=0)


def one_way(rows: np.ndarray, arrays: dict[str, np.ndarray], of: str, end: str) -> np.ndarray:
    inner, outer = arrays[f"{of}.weight_ih_{end}"], arrays[f"{of}.weight_hh_{end}"]
    bias = arrays[f"{of}.bias_ih_{end}"] + arrays[f"{of}.bias_hh_{end}"]
    state = cell = np.zeros(outer.shape[1])
    found = []
    for row in rows:
        enter, forget, fresh, leave = np.split(inner @ row + outer @ state + bias, 4)
        cell = sigmoid(forget) * cell + sigmoid(enter) * np.tanh(fresh)
        state = sigmoid(leave) * np.tanh(cell)
        found.append(state)
    return np.array(found)


ENCODERS = {"hcnn": hcnn, "bilstm": bilstm, "pooled_embedding": lambda rows, arrays, of: rows.mean(axis=0)}


@pytest.mark.parametrize(
    ("first", "second", "more"),
    [
        ("hcnn", "bilstm", {"comparator_list": "concat, abs_diff", "enc0_cnn_filter_width": "4", "dropout": "0.2"}),
        ("bilstm", "pooled_embedding", {"comparator_list": '["abs_diff"]', "enc0_layers": "2", "dropout": "0.2"}),
        ("pooled_embedding", "pooled_embedding", {"tied_token_embedding_weight": "True", "mlp_layers": "0"}),
        ("hcnn", "hcnn", {"comparator_list": "hadamard", "enc0_layers": "3", "bucket_width": "3"}),
    ],
)
def test_answers_are_what_the_arrays_of_the_artifact_make_of_a_pair(tmp_path: Path, first, second, more) -> None:
    values = {
        "enc0_max_seq_len": "8", "enc0_vocab_size": "20", "enc0_token_embedding_dim": "5", "enc0_network": first,
        "enc1_max_seq_len": "6", "enc1_vocab_size": "20", "enc1_token_embedding_dim": "4", "enc1_network": second,
        "enc_dim": "11", "mlp_dim": "7", "mlp_activation": "relu", "epochs": "2", "learning_rate": "0.01",
        "output_layer": "mean_squared_error", "optimizer": "rmsprop", **more,
    }  # fmt: skip
    job, _ = train(tmp_path, values, train=drawn(100, 1))
    arrays, asked = arrays_of(job), drawn(4, 2)
    with job.serve(SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        told = server.post(lines(asked), JSONLINES, JSON).json()["predictions"]
        alone = [{name: one[name]} for one in asked for name in ("in0", "in1")]
        embedded = server.post(lines(alone), JSONLINES, JSON).json()["predictions"]
    for number, one in enumerate(asked):
        made = []
        for side, network in enumerate((first, second)):
            tokens = one[f"in{side}"][: int(values[f"enc{side}_max_seq_len"])]
            rows = arrays[f"tables.{0 if 'tables.1' not in arrays else side}"][tokens].astype(np.float64)
            made.append(ENCODERS[network](rows, arrays, f"encoders.{side}")[:11])
            assert embedded[2 * number + side]["embeddings"] == pytest.approx(made[-1], abs=1e-5)
        by_name = {"hadamard": made[0] * made[1], "concat": np.concatenate(made), "abs_diff": abs(made[0] - made[1])}
        names = more.get("comparator_list", "hadamard, concat, abs_diff").strip("[]").replace('"', "").split(", ")
        values_there = np.concatenate([by_name[name] for name in names])
        last = int(more.get("mlp_layers", 2))
        for layer in range(last + 1):
            values_there = arrays[f"mlp.{layer}.weight"] @ values_there + arrays[f"mlp.{layer}.bias"]
            values_there = np.maximum(values_there, 0) if layer < last else values_there
        assert told[number]["scores"] == pytest.approx(values_there, abs=1e-4)
