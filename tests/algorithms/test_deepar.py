"""DeepAR: what all first-party algorithms owe, of time series, and the image's way of asking for forecasts."""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.algorithms.job import ROOT, Ended, Job, Server
from tests.algorithms.seasons import before, hourly, lines
from tests.algorithms.several import Hosts
from tests.contracts.first_party_contract import JSON, JSONLINES, FirstPartyContract

STEPS = 12
PLAIN, GZIP, PARQUET = "json", "json.gz", "parquet"


@pytest.fixture(autouse=True, scope="module")
def library() -> None:
    """Not at the head of the file, which the journey of all algorithms imports."""
    pytest.importorskip("torch", reason="pip install 'sagelet[torch]'")


def records() -> list[dict[str, Any]]:
    """With categories, features, and gaps in both spellings."""
    found, _ = hourly(6, 120, 1)
    for number, one in enumerate(found):
        one["target"][50 + number] = None
        one["target"][70 + number] = "NaN"
        one["dynamic_feat"] = [[float(step % 5 == number % 5) for step in range(120)]]
    return found


def instances() -> list[dict[str, Any]]:
    """What is known at the time of a forecast: targets, and features beyond them."""
    return [one | {"target": one["target"][:-STEPS]} for one in records()]


def parquet(found: list[dict[str, Any]]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    def plain(value: Any) -> float | None:
        return None if value in (None, "NaN") else float(value)

    rows = [one | {"target": [plain(value) for value in one["target"]]} for one in found]
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), stream)
    return stream.getvalue()


def told(found: list[dict[str, Any]], form: str) -> bytes:
    if form == PARQUET:
        return parquet(found)
    text = lines(found).encode()
    return gzip.compress(text) if form == GZIP else text


class TestDeepAR(FirstPartyContract):
    """Series instead of rows of numbers: what the contract asks of rows is asked of series here."""

    name = "deepar"
    values: ClassVar = {
        "context_length": "12", "prediction_length": str(STEPS), "epochs": "2", "time_freq": "H",
        "mini_batch_size": "16", "num_cells": "16",
    }  # fmt: skip
    formats = (PLAIN, GZIP, PARQUET)
    artifact = ("model_algo-1-0000.params", "model_algo-1-config.json")
    metrics = (
        "train:progress", "train:throughput", "train:loss", "train:loss:batch", "train:final_loss", "test:RMSE",
        "test:mean_wQuantileLoss",
    )  # fmt: skip

    @classmethod
    def put(cls, job: Job, channel: str, form: str) -> None:
        if form == PARQUET:
            pytest.importorskip("pyarrow", reason="pip install 'sagelet[parquet]'")
        found = records() if channel == "test" else before(records(), STEPS)
        job.put(f"{channel}/{channel}.{form}", told(found, form))

    @classmethod
    def type_of(cls, form: str) -> str:
        return form

    @classmethod
    def question(cls):
        return lines(instances()), JSONLINES

    # --- training ---------------------------------------------------------------------------------------------------

    def test_the_log_tells_what_was_found_and_how_it_went(self, trained: tuple[Job, Ended]) -> None:
        job, ended = trained
        for said in (
            f"[cardinality=auto] `cat` field was found in the file `{job.base}/input/data/train/train.json` and will",
            "[cardinality=auto] Inferred value of cardinality=[3] from dataset.",
            "[num_dynamic_feat=auto] Inferred value of num_dynamic_feat=1 from dataset.",
            "Training set statistics:", "Real time series", "number of time series: 6", "mean target length: 108.0",
            "number of observations: 636", "contains missing values: yes", "Test set statistics:",
            "Small number of time series. Doing 27 passes over dataset with prob 0.9876543209876543 per epoch.",
            "Epoch[1] Batch[5] avg_epoch_loss=", "Epoch[1] Batch [5]#011Speed: ", "(occurred at epoch 1)",
            "Evaluating model accuracy on testset using 100 samples", "#test_score (algo-1, wQuantileLoss[0.9]): ",
            "#test_score (algo-1, mean_absolute_QuantileLoss): ",
        ):  # fmt: skip
            assert said in ended.output, said

    def test_files_are_known_by_their_names_and_folders_are_searched(self, trained: Any, tmp_path: Path) -> None:
        pytest.importorskip("pyarrow", reason="pip install 'sagelet[parquet]'")
        job, found = Job(tmp_path, self.name), before(records(), STEPS)
        job.prepare(self.values, train="")
        for place, part, form in (
            ("a/2", found[:2], GZIP),
            ("a/b/c/d/1", found[2:4], PLAIN),
            ("e", found[4:], PARQUET),
        ):
            job.put(f"train/{place}.{form}", told(part, form))
        job.put("train/.hidden.json", b"nothing")
        job.put("train/a/_SUCCESS", b"nothing")
        job.put("train/x_SUCCESS", b"nothing")
        ended = job.train()
        assert ended.code == 0, ended.output
        for name in self.artifact:
            assert self._same(job, trained[0], name), "the order of the paths is that of the series"

    def test_several_hosts_make_the_model_of_one(self, trained: Any, tmp_path: Path) -> None:
        found = before(records(), STEPS)
        hosts = Hosts(tmp_path, 2, self.values, PLAIN, algorithm=self.name)
        sharded = {"TrainingInputMode": "File", "S3DistributionType": "ShardedByS3Key", "ContentType": PLAIN}
        for job in hosts.jobs:
            job.configure("inputdataconfig", {"train": sharded})
        hosts.put("train/a.json", told(found[:2], PLAIN), told(found[2:], PLAIN))
        assert [ended.code for ended in hosts.train()] == [0, 0]
        assert hosts.models() == [sorted(self.artifact), []]
        assert self._same(hosts.jobs[0], trained[0], self.artifact[0])

    def _same(self, job: Job, other: Job, name: str) -> bool:
        return (job.model / name).read_bytes() == (other.model / name).read_bytes()

    def test_training_ends_early_when_its_loss_does_not_fall(self, tmp_path: Path) -> None:
        job = self.job(tmp_path, early_stopping_patience="2", learning_rate="1e-12", epochs="50")
        ended = job.train()
        assert "Using early stopping with patience 2" in ended.output
        assert 3 <= (count := ended.output.count("processed a total of")) < 50
        [best] = re.findall(r"Final loss: \S+ \(occurred at epoch (\d+)\)", ended.output)
        assert int(best) == count - 3 and ended.output.count("loss did not improve") >= 2
        assert "stopping training now" in ended.output and "completed 100 % of epochs" in ended.output

    # --- training that fails ----------------------------------------------------------------------------------------

    def fails_with(self, folder: Path, *found: Any, **more: str) -> str:
        job = Job(folder, self.name)
        job.prepare({**self.values, **more}, train=PLAIN)
        job.put("train/a.json", "".join(one if isinstance(one, str) else json.dumps(one) + "\n" for one in found))
        return self.fails(job)

    def test_a_corrupt_record_in_the_middle_fails_the_job(self, tmp_path: Path) -> None:
        failure = self.fails_with(tmp_path, *records()[:2], '{"start": \n', *records()[2:])
        assert failure.startswith("ClientError: Error when parsing json (line 3 of file 'a.json'): ")
        for form in (GZIP, PARQUET):
            job = Job(tmp_path / form, self.name)
            job.prepare(self.values, train=form)
            self.put(job, "train", form)
            [file] = (job.base / "input/data/train").iterdir()
            file.write_bytes(file.read_bytes()[:-100])
            assert f"'train.{form}'" in self.fails(job)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"target": [1.0, "a"]}, "'target' has 'a', which is no number"),
            ({"target": [1.0, True]}, "'target' has 'True', which is no number"),
            ({"target": [1.0, float("inf")]}, "'target' has an infinite number"),
            ({"target": 4}, "'target' is no list of numbers"),
            ({"start": "yesterday"}, "'start' is 'yesterday', which is to be YYYY-MM-DD HH:MM:SS"),
            ({"start": "2021-03-01 00:00:00+02:00"}, "has a time zone"),
            ({"cat": ["a"]}, "categories are whole numbers from 0"),
            ({"dynamic_feat": [[None] * 120]}, "'dynamic_feat' has a missing value"),
            ({"dynamic_feat": [[1.0] * 119]}, "'dynamic_feat' has 119 steps, and there are 120 of 'target'"),
            ({"dynamic_feat": [[1.0] * 120, [1.0]]}, "the series of 'dynamic_feat' differ in length: [1, 120]"),
            ({"cat": []}, "'cat' has 0 categories, and others have 1"),
            ({"dynamic_feat": []}, "'dynamic_feat' has 0 series, and 1 are expected"),
        ],
    )
    def test_values_that_are_no_numbers_fail_the_job(self, tmp_path: Path, given: Any, said: str) -> None:
        """And whatever else is no time series."""
        first, *others = records()
        assert said in self.fails_with(tmp_path, *others, first | given)

    def test_data_that_do_not_do_fail_the_job(self, tmp_path: Path) -> None:
        zeros = [one | {"target": [0.0] * 120} for one in records()]
        for number, (found, more, said) in enumerate(
            (
                (records()[:2], {}, "have 236 observations in total, and DeepAR needs at least 300"),
                (zeros, {}, "training time series consist of only zeros"),
                (records(), {"cardinality": "[2]"}, "'cat' is [2], and the cardinality is [2]: they count from 0"),
                (records(), {"cardinality": "[3, 3]"}, "'cat' has 1 categories, and 2 are expected"),
                (records(), {"num_dynamic_feat": "2"}, "'dynamic_feat' has 1 series, and 2 are expected"),
                (records(), {"likelihood": "negative-binomial"}, "The likelihood negative-binomial is for counts"),
                (records(), {"likelihood": "beta"}, "The likelihood beta is for numbers between 0 and 1"),
                (records(), {"learning_rate": "1e36", "likelihood": "deterministic-L1"}, "The training has diverged"),
            )
        ):
            assert said in self.fails_with(tmp_path / str(number), *found, **more)

    def test_test_series_without_a_past_fail_the_job(self, tmp_path: Path) -> None:
        job = self.job(tmp_path)
        job.put("test/test.json", lines([one | {"target": [1.0], "dynamic_feat": [[1.0]]} for one in records()]))
        assert "No time series of channel 'test' is longer than prediction_length=12" in self.fails(job)

    def test_without_the_library_the_job_says_what_installs_it(self, tmp_path: Path) -> None:
        job = self.job(tmp_path)
        code = "import sys; sys.modules['torch'] = None; from algorithms.deepar.train import main; sys.exit(main())"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=job._environment({}), capture_output=True, check=False
        )
        assert done.returncode == 1 and b"Traceback" not in done.stderr
        assert (tmp_path / "output/failure").read_text().endswith("pip install 'sagelet[torch]'")

    # --- serving ----------------------------------------------------------------------------------------------------

    def forecasts(self, server: Server, given: list[dict[str, Any]], **configuration: Any) -> list[dict[str, Any]]:
        reply = server.post(json.dumps({"instances": given, "configuration": configuration}), JSON)
        assert reply.status == 200, reply.text
        assert reply.content_type == JSON and list(reply.json()) == ["predictions"]
        return reply.json()["predictions"]

    def test_all_ways_of_asking_give_the_same_answer(self, server: Server) -> None:
        whole = self.forecasts(server, instances())
        assert [set(one) for one in whole] == [{"mean", "quantiles"}] * 6
        assert list(whole[0]["quantiles"]) == [f"0.{tenth}" for tenth in range(1, 10)]
        assert all(len(values) == STEPS for values in (whole[0]["mean"], *whole[0]["quantiles"].values()))
        answer = server.post(lines(instances()), JSONLINES)
        assert answer.content_type == JSONLINES, "the format is that of the question"
        assert [json.loads(line) for line in answer.text.splitlines()] == whole
        assert server.post(lines(instances()), JSONLINES, JSON).json() == {"predictions": whole}
        assert server.post(json.dumps({"instances": instances()})).json() == {"predictions": whole}

    def test_all_ways_of_answering_say_the_same(self, server: Server) -> None:
        types = ["samples", "mean", "quantiles"]
        [one] = self.forecasts(
            server, instances()[:1], num_samples=50, output_types=types, quantiles=["0.5", "0.9", 0.25]
        )
        samples = np.array(one["samples"])
        assert samples.shape == (50, STEPS)
        assert one["mean"] == pytest.approx(samples.mean(0).tolist())
        assert list(one["quantiles"]) == ["0.5", "0.9", "0.25"]
        for text, values in one["quantiles"].items():
            assert np.quantile(samples, float(text), axis=0, method="nearest").tolist() == pytest.approx(values)
        assert set(self.forecasts(server, instances()[:1], output_types=["mean"])[0]) == {"mean"}

    def test_batches_are_answered_as_single_records(self, server: Server) -> None:
        together = self.forecasts(server, instances())
        assert together == [self.forecasts(server, [one])[0] for one in instances()]

    def test_a_series_of_which_little_or_nothing_is_known_is_forecast(self, server: Server) -> None:
        feature = {"cat": [1], "dynamic_feat": [[0.0] * (STEPS + 3)]}
        known = [("NaN", "NaN", "NaN"), (None, 5.0, "NaN"), (0, 0, 0)]
        given = [{"start": "2021-03-09", "target": list(target), **feature} for target in known]
        given.append({"start": "2021-03-09", "target": [], "cat": [1], "dynamic_feat": [[0.0] * STEPS]})
        for one in self.forecasts(server, given):
            assert np.isfinite(one["mean"]).all()

    def test_bad_requests_are_refused_in_words(self, server: Server) -> None:
        one = instances()[0]

        def asked(configuration: Any = None, **changes: Any) -> str:
            return json.dumps({"instances": [one | changes], "configuration": configuration})

        refused = "Unable to evaluate payload provided"
        for body, content_type, status, said in (
            ("{}", "text/csv", 415, "Customer Error: Content-Type header value 'text/csv' not supported (caused by"),
            *((body, JSON, 400, refused) for body in ("", "{", "[]", '{"instances": 1}', '{"instances": [1]}')),
            *((body, JSONLINES, 400, refused) for body in ("", "{", "1")),
            (asked(target="a"), JSON, 400, "'target' is no list of numbers"),
            (asked(start=1), JSON, 400, "'start' is 1"),
            (asked(cat=[3]), JSON, 400, "the cardinality is [3]: they count from 0"),
            (asked(cat=None), JSON, 400, "'cat' has 0 categories, and 1 are expected"),
            (asked(dynamic_feat=None), JSON, 400, "'dynamic_feat' has 0 series, and 1 are expected"),
            (asked(dynamic_feat=[[1.0] * 108]), JSON, 400, "there are 108 of 'target' and 12 of the prediction"),
            (asked({"num_samples": 0}), JSON, 400, "'num_samples' is 0"),
            (asked({"output_types": ["median"]}), JSON, 400, "there are mean, quantiles, samples"),
            (asked({"quantiles": ["1.5"]}), JSON, 400, "'quantiles' has '1.5'"),
            (asked({"quantile": ["0.5"]}), JSON, 400, "'configuration' has 'quantile'"),
            (asked(["0.5"]), JSON, 400, "'configuration' is no object"),
        ):  # fmt: skip
            reply = server.post(body, content_type)
            assert (reply.status, said in reply.text) == (status, True), (body, reply.text)
        assert server.post(asked(), JSON, "image/png").status == 406

    def copied(self, trained: tuple[Job, Ended], folder: Path) -> Job:
        job = Job(folder, self.name)
        job.model.mkdir(parents=True)
        for name in self.artifact:
            (job.model / name).write_bytes((trained[0].model / name).read_bytes())
        return job

    def test_a_container_is_configured_by_its_variables(self, trained: Any, tmp_path: Path) -> None:
        said = {"num_samples": 20, "output_types": ["quantiles"], "quantiles": ["0.5"]}
        variables = {"DEEPAR_INFERENCE_CONFIG": json.dumps(said), "DEEPAR_FORWARDED_FIELDS": '["id"]'}
        with self.copied(trained, tmp_path).serve(**variables) as server:
            answer = server.post(lines([instances()[0] | {"id": "first", "more": 1}, instances()[1]]), JSONLINES)
        first, second = (json.loads(line) for line in answer.text.splitlines())
        assert set(first) == {"id", "quantiles"} and first["id"] == "first" and list(first["quantiles"]) == ["0.5"]
        assert set(second) == {"quantiles"}

    @pytest.mark.parametrize(
        ("variables", "said"),
        [
            (
                {"DEEPAR_INFERENCE_CONFIG": '{"num_samples": "many"}'},
                "_CONFIG is no configuration of DeepAR: 'num_samples'",
            ),
            ({"DEEPAR_INFERENCE_CONFIG": "{"}, "The variable DEEPAR_INFERENCE_CONFIG is no configuration of DeepAR"),
            ({"DEEPAR_FORWARDED_FIELDS": "id"}, "The variable DEEPAR_FORWARDED_FIELDS is no list of fields in JSON"),
        ],
    )
    def test_variables_that_say_nothing_are_refused(self, trained: Any, variables: Any, said: str) -> None:
        place = str(trained[0].base / "refused")
        with trained[0].start("serve", SAGEMAKER_BIND_TO_SOCKET=place, **variables) as process:
            output, _ = process.communicate(timeout=60)
        assert process.returncode == 1 and output.startswith("ClientError: The variable DEEPAR_") and said in output

    def test_what_is_no_model_is_refused_in_a_sentence(self, trained: Any, tmp_path: Path) -> None:
        for number, (name, content) in enumerate(((self.artifact[0], b"none"), (self.artifact[1], b"{}"))):
            job = self.copied(trained, tmp_path / str(number))
            (job.model / name).write_bytes(content)
            with job.start("serve", SAGEMAKER_BIND_TO_SOCKET=str(tmp_path / "s")) as process:
                output, _ = process.communicate(timeout=60)
            assert process.returncode == 1 and "hold no model of DeepAR" in output and "Traceback" not in output
