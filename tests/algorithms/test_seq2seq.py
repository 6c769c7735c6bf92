"""Seq2Seq: what all first-party algorithms owe, of sequences and vocabularies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest

from algorithms.common import recordio
from tests.algorithms import toy
from tests.algorithms.aialgs import frame, record_class
from tests.algorithms.job import ROOT, Ended, Job, Server
from tests.contracts.first_party_contract import JSON, JSONLINES, RECORDIO, FirstPartyContract

pytest.importorskip("torch", reason="pip install 'sagelet[torch]'")
CHANNELS = {"train": RECORDIO, "validation": RECORDIO, "vocab": JSON}
Record = record_class()


def asked(sentences: toy.Sentences, member: str = "data") -> list[dict[str, Any]]:
    return [{member: toy.text("a", one)} for one in sentences]


def lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(one) + "\n" for one in records)


def as_aws_writes(sentences: toy.Sentences) -> bytes:
    """What create_vocab_proto.py does with Google's own protobuf; the example asks with an empty target."""
    found = b""
    for one in sentences:
        record = Record()
        record.features["source"].int32_tensor.values.extend(one)
        record.features["target"].int32_tensor.values.extend([])
        found += frame(record.SerializeToString())
    return found


class TestSeq2Seq(FirstPartyContract):
    """Sequences instead of rows of numbers: what the contract asks of rows is asked of sequences here."""

    name = "seq2seq"
    values: ClassVar = {
        "num_embed_source": "16", "num_embed_target": "16", "rnn_num_hidden": "32", "learning_rate": "0.01",
        "batch_size": "16", "max_num_epochs": "3", "checkpoint_frequency_num_batches": "20", "bleu_sample_size": "20",
    }  # fmt: skip
    formats = (RECORDIO,)
    artifact = ("config", "params.best", "vocab.src.json", "vocab.trg.json")
    metrics = ("train:perplexity", "validation:perplexity", "validation:accuracy", "validation:bleu")

    @classmethod
    def job(cls, base: Path, **more: str) -> Job:
        job = Job(base, cls.name)
        job.prepare({**cls.values, **more}, **CHANNELS)
        job.put("train/train.rec", toy.records(toy.sources(400, 1), toy.translated))
        job.put("validation/val.rec", toy.records(toy.sources(60, 2), toy.translated))
        for name, content in toy.vocabularies().items():
            job.put(f"vocab/{name}", content)
        return job

    @classmethod
    def question(cls):
        return lines(asked(toy.sources(6, 3), "source")), JSONLINES

    # --- training that fails ----------------------------------------------------------------------------------------

    def test_a_channel_without_a_content_type_is_recordio(self, tmp_path: Path) -> None:
        job = self.job(tmp_path)
        job.prepare(self.values, train="", validation="", vocab="")
        assert job.train().code == 0

    @pytest.mark.parametrize("channel", CHANNELS)
    def test_each_channel_is_required(self, tmp_path: Path, channel: str) -> None:
        job = self.job(tmp_path)
        job.prepare(self.values, **{name: kind for name, kind in CHANNELS.items() if name != channel})
        assert f"'{channel}' is a required property" in self.fails(job)

    def test_an_unknown_channel_fails_the_job(self, tmp_path: Path) -> None:
        job = self.job(tmp_path)
        job.prepare(self.values, **CHANNELS, elsewhere=RECORDIO)
        assert "Additional properties are not allowed ('elsewhere' was unexpected)" in self.fails(job)

    def test_a_content_type_that_is_not_taken_fails_the_job(self, tmp_path: Path) -> None:
        job = self.job(tmp_path)
        job.prepare(self.values, **{**CHANNELS, "train": "text/csv"})
        assert "No iterator has been registered for ContentType ('text/csv', '1.0')" in self.fails(job)

    def test_an_empty_channel_fails_the_job(self, tmp_path: Path) -> None:
        for channel, file in (("train", "train.rec"), ("validation", "val.rec")):
            job = self.job(tmp_path / channel)
            job.put(f"{channel}/{file}", b"")
            assert f"No data was found in channel '{channel}'" in self.fails(job)

    def test_a_corrupt_record_in_the_middle_fails_the_job(self, tmp_path: Path) -> None:
        job = self.job(tmp_path)
        content = toy.records(toy.sources(50, 1), toy.translated)
        job.put("train/train.rec", content[:400] + b"bad" + content[400:])
        assert "Unable to read data channel 'train'" in self.fails(job)

    @pytest.mark.parametrize(
        ("record", "said"),
        [
            ({"source": [4], "target": [4, 24]}, "'target' of record 1 has a word 24; vocab.trg.json has words from 0"),
            ({"source": [-1], "target": [4]}, "'source' of record 1 has a word -1; vocab.src.json has words from 0"),
            ({"source": [4]}, "record 1 has no 'target' (it has: source)"),
        ],
    )
    def test_values_that_are_no_numbers_fail_the_job(self, tmp_path: Path, record: dict, said: str) -> None:
        """Here: numbers that are no words."""
        job = self.job(tmp_path)
        job.put("train/train.rec", recordio.write_sequences([{"source": [4], "target": [5]}, record]))
        assert said in self.fails(job)

    def test_numbers_with_a_point_are_no_words(self, tmp_path: Path) -> None:
        record = Record()
        record.features["source"].float32_tensor.values.extend([4.0, 5.0])
        record.features["target"].int32_tensor.values.extend([4])
        job = self.job(tmp_path)
        job.put("train/train.rec", frame(record.SerializeToString()))
        assert "'source' of record 0 has no Int32 tensor" in self.fails(job)

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "No 'vocab.trg.json' among the vocabularies (found: vocab.src.json)"),
            ("{", "'vocab.trg.json' is no JSON"),
            ('["a"]', "is to be a JSON object that gives each word its number"),
            ('{"a": 4}', "'vocab.trg.json' has no <pad>, <unk>, <s>, </s>"),
            ('{"<pad>": 4, "<unk>": 1, "<s>": 2, "</s>": 3}', "gives <pad> the number 4: it is to be 0"),
            ('{"<pad>": 0, "<unk>": 1, "<s>": 2, "</s>": 2}', "gives several words the same number"),
        ],
    )
    def test_what_is_no_vocabulary_fails_the_job(self, tmp_path: Path, content: str | None, said: str) -> None:
        job = self.job(tmp_path)
        path = job.put("vocab/vocab.trg.json", content or "")
        if content is None:
            path.unlink()
        assert said in self.fails(job)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"min_num_epochs": "4"}, "min_num_epochs is 4, and may not be above max_num_epochs, 3"),
            ({"weight_init_scale": "-1"}, "weight_init_scale is -1.0: of weight_init_type xavier it is to be above 0"),
            ({"rnn_num_hidden": "33"}, "The value '33' is not valid for the 'rnn_num_hidden' hyperparameter"),
        ],
    )
    def test_settings_that_do_not_fit_are_refused(self, tmp_path: Path, given: dict[str, str], said: str) -> None:
        assert said in self.fails(self.job(tmp_path, **given))

    def test_a_training_that_diverges_says_what_to_lower(self, tmp_path: Path) -> None:
        failure = self.fails(self.job(tmp_path, optimizer_type="sgd", learning_rate="1e38", clip_gradient="-1"))
        assert "The training has diverged before checkpoint 1" in failure and "Lower learning_rate" in failure

    def test_without_the_library_the_job_says_what_installs_it(self, tmp_path: Path) -> None:
        job = self.job(tmp_path)
        code = "import sys; sys.modules['torch'] = None; from algorithms.seq2seq.train import main; sys.exit(main())"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=job._environment({}), capture_output=True, check=False
        )
        assert done.returncode == 1
        assert (tmp_path / "output/failure").read_text().endswith("pip install 'sagelet[torch]'")

    def test_records_without_words_are_left_out(self, tmp_path: Path) -> None:
        job = self.job(tmp_path, max_num_epochs="1")
        empty = [{"source": [], "target": [4]}, {"source": [5], "target": []}]
        more = recordio.write_sequences(empty) + toy.records(toy.sources(20, 1), toy.translated)
        job.put("train/train.rec", more)
        ended = job.train()
        assert ended.code == 0 and "2 records of channel 'train' have no source or no target" in ended.output

    # --- serving ----------------------------------------------------------------------------------------------------

    def test_all_ways_of_asking_give_the_same_answer(self, server: Server) -> None:
        sentences = toy.sources(5, 3)
        whole = server.post(json.dumps({"instances": asked(sentences)}), JSON).json()
        assert list(whole) == ["predictions"] and [set(one) for one in whole["predictions"]] == [{"target"}] * 5
        told = server.post(lines(asked(sentences, "source")), JSONLINES)
        assert told.content_type == JSONLINES, "the format is that of the question"
        assert [json.loads(line) for line in told.text.splitlines()] == whole["predictions"]
        assert server.post(as_aws_writes(sentences), RECORDIO, JSON).json() == whole

    def test_all_ways_of_answering_say_the_same(self, server: Server) -> None:
        """The way back of AWS's example: words of `features["target"].int32_tensor`."""
        sentences = toy.sources(5, 3)
        told = [
            one["target"]
            for one in server.post(json.dumps({"instances": asked(sentences)}), JSON).json()["predictions"]
        ]
        answer = server.post(as_aws_writes(sentences), RECORDIO)
        assert answer.content_type == RECORDIO
        found = []
        for payload in recordio.frames(answer.body, joint=b""):
            record = Record()
            record.ParseFromString(payload)
            found.append(list(record.features["target"].int32_tensor.values))
        assert [toy.text("b", one) for one in found] == told

    def test_batches_are_answered_as_single_records(self, server: Server) -> None:
        instances = asked(toy.sources(6, 4))
        together = server.post(json.dumps({"instances": instances}), JSON).json()["predictions"]
        for one, told in zip(instances, together, strict=True):
            assert server.post(json.dumps({"instances": [one]}), JSON).json()["predictions"] == [told]

    def test_attention_is_answered_to_those_who_ask(self, server: Server) -> None:
        sentence = toy.sources(1, 5)[0]
        plain, wide = asked([sentence, sentence])
        wide |= {"configuration": {"attention_matrix": "true", "beam_size": "2"}}
        first, second = server.post(json.dumps({"instances": [plain, wide]}), JSON).json()["predictions"]
        assert "matrix" not in first and len(second["matrix"]) == len(second["target"].split())
        for row in second["matrix"]:
            assert len(row) == len(sentence) and sum(row) == pytest.approx(1, abs=1e-5)

    def test_unknown_words_and_none_are_answered_too(self, server: Server) -> None:
        instances = [{"data": "never seen a1"}, {"data": " "}]
        told = server.post(json.dumps({"instances": instances}), JSON).json()["predictions"]
        assert len(told) == 2 and told[0]["target"] and told[1] == {"target": ""}

    def test_bad_requests_are_refused_in_words(self, server: Server) -> None:
        one = {"data": "a1", "configuration": {"beam_size": "0"}}
        for body, content_type, accept, status, said in (
            ("a1 a2", "text/csv", "", 415, "content-type text/csv not supported"),
            (json.dumps({"instances": asked([[4]])}), JSON, "image/png", 406, "image/png"),
            ("", JSON, "", 400, "the body is empty"),
            ("{", JSON, "", 400, "unable to evaluate payload provided"),
            ('{"rows": []}', JSON, "", 400, "instances"),
            ('{"instances": []}', JSON, "", 400, "there are no instances"),
            ('{"instances": [{"data": 4}]}', JSON, "", 400, "instance 0 has no text as 'data'"),
            ('{"text": "a1"}', JSONLINES, "", 400, "instance 0 has no text as 'source'"),
            (json.dumps({"instances": [one]}), JSON, "", 400, "beam_size is to be a number from 1 to"),
            (b"nonsense", RECORDIO, "", 400, "unable to evaluate payload provided"),
            (recordio.write_sequences([{"target": [4]}]), RECORDIO, "", 400, "record 0 has no 'source'"),
            (as_aws_writes([[24]]), RECORDIO, "", 400, "'source' of record 0 has a word 24"),
        ):
            reply = server.post(body, content_type, accept)
            assert (reply.status, said in reply.text) == (status, True), (body, reply.text)

    def test_a_broken_model_is_refused_in_a_sentence(self, trained: tuple[Job, Ended], tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.model.mkdir()
        for path in trained[0].model.iterdir():
            content = path.read_bytes()
            (job.model / path.name).write_bytes(content[:1000] if path.name == "params.best" else content)
        with job.start("serve", SAGEMAKER_BIND_TO_SOCKET=str(tmp_path / "s")) as process:
            output, _ = process.communicate(timeout=60)
        assert process.returncode == 1 and "'params.best' and 'config' are no model of Seq2Seq" in output
