"""What every first-party algorithm owes, as a class to inherit: configuration, log, artifact, serving, refusals.

A test class of an algorithm says what it is (`name`, `values`, `rows`, ...) and gets these tests.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from algorithms import catalog
from algorithms.common import recordio
from algorithms.common.contract import Layout
from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import validate
from algorithms.first_party import wording
from algorithms.first_party.run import check_channels
from tests.algorithms.job import ROOT, Ended, Job, Server
from tests.contracts.manifest_contract import ManifestContract

CSV, JSON, JSONLINES = "text/csv", "application/json", "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"


SLOW = {"pandas", "pyarrow", "scipy", "sklearn", "sympy", "torch", "torch._dynamo", "torchvision"}
"""To import: 0.2 to 4 s."""


class FirstPartyContract(ManifestContract):
    """Inherit, and say what is different."""

    values: ClassVar[Mapping[str, str]]
    """Hyperparameters of a job that takes about a second."""
    labelled: ClassVar[bool] = False
    """Whether its records have labels."""
    formats: ClassVar[tuple[str, ...]] = (RECORDIO, CSV)
    """The content types of its channels."""
    artifact: ClassVar[tuple[str, ...]] = ("model_algo-1",)
    metrics: ClassVar[tuple[str, ...]] = ()
    """Names of metrics of the manifest that a job with all channels must show."""
    test_channel: ClassVar[str] = "test"
    envelope: ClassVar[str] = "predictions"
    fields: ClassVar[tuple[str, ...]] = ()
    """What an answer holds of each record."""

    @classmethod
    def rows(cls) -> tuple[np.ndarray, np.ndarray]:
        """Features (n, d) as float32 and labels (n,) to train with."""
        raise NotImplementedError

    @classmethod
    def question(cls) -> tuple[str, str]:
        """Some records, one a line, and their content type."""
        return csv(cls.rows()[0][:6]), CSV

    # --- help -------------------------------------------------------------------------------------------------------

    @classmethod
    def job(cls, base: Path, **more: str) -> Job:
        """A job with a training channel in the algorithm's first format."""
        job = Job(base, cls.name)
        job.prepare({**cls.values, **more}, train=cls.formats[0], **{cls.test_channel: cls.formats[0]})
        cls.put(job, "train", cls.formats[0])
        cls.put(job, cls.test_channel, cls.formats[0])
        return job

    @classmethod
    def put(cls, job: Job, channel: str, form: str) -> None:
        rows, labels = cls.rows()
        if form == RECORDIO:
            job.put(f"{channel}/data.pbr", recordio.write_features(rows, labels if cls.labelled else None))
        else:
            whole = np.column_stack([labels, rows]) if cls.labelled else rows
            job.put(f"{channel}/data.csv", "".join(",".join(map(repr, row)) + "\n" for row in whole.tolist()))

    @classmethod
    def type_of(cls, form: str) -> str:
        return form if form != CSV or cls.labelled else "text/csv;label_size=0"

    @pytest.fixture(scope="class")
    @classmethod
    def trained(cls, tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Ended]:
        """One job that several tests look at."""
        job = cls.job(tmp_path_factory.mktemp(cls.name))
        job.configure("checkpointconfig", {"LocalPath": str(job.base / "checkpoints")})
        ended = job.train()
        assert ended.code == 0, ended.output
        return job, ended

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, trained: tuple[Job, Ended]):
        with trained[0].serve() as server:
            yield server

    def ask(self, server: Server, rows: Any, accept: str = JSON) -> Any:
        reply = server.post(csv(rows), CSV, accept)
        assert reply.status == 200, reply.text
        return reply

    # --- speed ------------------------------------------------------------------------------------------------------

    def test_a_job_imports_nothing_that_takes_long_for_its_zygote_has(self, tmp_path: Path) -> None:
        code = (
            "import importlib, sys\n"
            "for name in sys.argv[2:]: importlib.import_module(name)\n"
            "import algorithms.run\n"
            "before = set(sys.modules)\n"
            "code = algorithms.run.main([sys.argv[1], 'train'])\n"
            "print('imported', code, *sorted({'.'.join(name.split('.')[:2]) for name in set(sys.modules) - before}))\n"
        )
        preload = catalog.get(self.name).preload
        done = subprocess.run(
            [sys.executable, "-c", code, self.name, *preload],
            cwd=ROOT, env=self.job(tmp_path)._environment({}), capture_output=True, text=True, timeout=240,
        )  # fmt: skip
        [_, status, *imported] = done.stdout.splitlines()[-1].split()
        assert status == "0", done.stderr
        assert not SLOW & set(imported)

    # --- configuration ----------------------------------------------------------------------------------------------

    def test_declared_hyperparameters_take_what_is_valid_and_refuse_what_is_not(self) -> None:
        definition = self.definition()
        for one in definition.hyperparameters:
            for text in one.valid():
                one.read(text, wording.SCHEMA)
            for text in one.invalid():
                with pytest.raises(UserError, match=f"is not valid for the '{one.name}' hyperparameter which"):
                    one.read(text, wording.SCHEMA)

    def test_defaults_are_valid(self) -> None:
        for one in self.definition().hyperparameters:
            if one.default is None or one.default == "":
                continue
            text = one.default if isinstance(one.default, str) else json.dumps(one.default)
            value = one.read(text, wording.SCHEMA)
            assert value == one.default or str(value).lower() == str(one.default).lower()

    def test_what_is_required_is_demanded_by_name(self) -> None:
        for one in self.definition().hyperparameters:
            if one.required:
                given = {name: text for name, text in self.values.items() if name != one.name}
                with pytest.raises(UserError, match=f"specified for '{one.name}' which are required"):
                    validate(self.definition().hyperparameters, given, (), wording.SCHEMA)

    @classmethod
    def definition(cls) -> Any:
        told = json.loads((catalog.FOLDER / cls.name / "manifest.json").read_text())
        module, _, name = told["definition"].partition(":")
        return getattr(importlib.import_module(module), name)

    # --- training ---------------------------------------------------------------------------------------------------

    def test_a_job_leaves_its_artifact_and_the_lines_that_regexes_look_for(self, trained: tuple[Job, Ended]) -> None:
        job, ended = trained
        assert sorted(path.name for path in job.model.iterdir()) == sorted(self.artifact)
        found = {metric["Name"]: re.findall(metric["Regex"], ended.output) for metric in catalog.get(self.name).metrics}
        assert set(self.metrics) <= set(found)
        for name in self.metrics:
            assert found[name], f"{name} is not in the log:\n{ended.output}"
            assert all(np.isfinite(float(value)) for value in found[name])
        structured = [json.loads(line[9:]) for line in ended.output.splitlines() if line.startswith("#metrics ")]
        assert {line["Dimensions"]["Algorithm"] for line in structured} == {self.definition().title}
        assert {"setuptime", "totaltime"} <= structured[-1]["Metrics"].keys()

    def test_checkpoints_are_left_by_those_alone_that_go_on_from_them(self, trained: tuple[Job, Ended]) -> None:
        job, ended = trained
        declared = bool(catalog.get(self.name).checkpoints)
        assert self.definition().checkpoints is declared
        assert ("Checkpoint loading and saving are disabled." in ended.output) is not declared
        assert (job.base / "checkpoints").exists() is declared

    def test_a_model_to_go_on_from_is_taken_by_those_alone_that_do(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train=self.formats[0], model="application/x-sagemaker-model")
        layout = Layout(job.base)
        required = [one.name for one in self.definition().channels if one.required]
        job.configure("inputdataconfig", {**dict.fromkeys(required, layout.channels["train"]), **layout.channels})
        if self.definition().incremental:
            check_channels(self.definition(), layout)
        else:
            with pytest.raises(UserError, match="'model'"):
                check_channels(self.definition(), layout)

    def test_the_same_job_gives_the_same_model(self, trained: tuple[Job, Ended], tmp_path: Path) -> None:
        again = self.job(tmp_path)
        assert again.train().code == 0
        for name in self.artifact:
            assert (again.model / name).read_bytes() == (trained[0].model / name).read_bytes(), name

    def test_all_formats_give_the_same_model(self, trained: tuple[Job, Ended], tmp_path: Path) -> None:
        for form in self.formats[1:]:
            job = Job(tmp_path / form.replace("/", "-"), self.name)
            job.prepare(self.values, train=self.type_of(form))
            self.put(job, "train", form)
            ended = job.train()
            assert ended.code == 0, ended.output
            for name in self.artifact:
                assert (job.model / name).read_bytes() == (trained[0].model / name).read_bytes(), name

    def test_a_channel_without_a_content_type_is_recordio(self, tmp_path: Path) -> None:
        """The SDK's `record_set()` names none."""
        if self.formats[0] != RECORDIO:
            pytest.skip("it does not take recordio-protobuf")
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train="")
        self.put(job, "train", RECORDIO)
        assert job.train().code == 0

    # --- training that fails ----------------------------------------------------------------------------------------

    def fails(self, job: Job) -> str:
        ended = job.train()
        assert ended.code == 1, ended.output
        assert "Traceback" not in ended.output
        assert ended.failure.startswith("ClientError: ")
        assert not job.model.exists() or not list(job.model.iterdir())
        return ended.failure

    def test_an_unknown_hyperparameter_fails_the_job(self, tmp_path: Path) -> None:
        failure = self.fails(self.job(tmp_path, unheard_of="1"))
        assert "Additional hyperparameters are not allowed ('unheard_of' was unexpected)" in failure

    def test_a_missing_channel_fails_the_job(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values)
        assert "'train' is a required property" in self.fails(job)

    def test_an_unknown_channel_fails_the_job(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train=self.formats[0], elsewhere=self.formats[0])
        assert "Additional properties are not allowed ('elsewhere' was unexpected)" in self.fails(job)

    def test_a_content_type_that_is_not_taken_fails_the_job(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train="application/x-parquet")
        job.put("train/data.parquet", b"PAR1")
        assert "No iterator has been registered for ContentType ('application/x-parquet', '1.0')" in self.fails(job)

    def test_an_empty_channel_fails_the_job(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train=self.type_of(self.formats[0]))
        assert "No data was found in channel 'train'" in self.fails(job)

    def test_a_corrupt_record_in_the_middle_fails_the_job(self, tmp_path: Path) -> None:
        for form in self.formats:
            job = Job(tmp_path / form.replace("/", "-"), self.name)
            job.prepare(self.values, train=self.type_of(form))
            self.put(job, "train", form)
            [file] = (job.base / "input/data/train").iterdir()
            content = file.read_bytes()
            at = content.index(b"\n", len(content) // 2) + 1 if form == CSV else len(content) // 2
            file.write_bytes(content[:at] + b"bad,row\n" + content[at:])
            assert "Unable to read data channel 'train'" in self.fails(job)

    def test_values_that_are_no_numbers_fail_the_job(self, tmp_path: Path) -> None:
        for form in self.formats:
            job = Job(tmp_path / form.replace("/", "-"), self.name)
            job.prepare(self.values, train=self.type_of(form))
            rows, labels = self.rows()
            rows[3, 0] = np.nan
            if form == RECORDIO:
                job.put("train/data.pbr", recordio.write_features(rows, labels if self.labelled else None))
            else:
                job.put("train/data.csv", csv(np.column_stack([labels, rows]) if self.labelled else rows))
            assert "in record 3" in self.fails(job)

    def test_another_feature_dim_fails_the_job(self, tmp_path: Path) -> None:
        if "feature_dim" not in self.values:
            pytest.skip("it is not told its width")
        failure = self.fails(self.job(tmp_path, feature_dim=str(int(self.values["feature_dim"]) + 2)))
        assert "doesn't match train data dimensionality" in failure

    # --- serving ----------------------------------------------------------------------------------------------------

    def test_all_ways_of_asking_give_the_same_answer(self, server: Server) -> None:
        rows = self.rows()[0][:5]
        whole = self.ask(server, rows).json()
        assert list(whole) == [self.envelope] and len(whole[self.envelope]) == 5
        assert set(whole[self.envelope][0]) == set(self.fields)
        instances = [{"features": row} for row in rows.tolist()]
        dense = [{"data": {"features": {"values": row}}} for row in rows.tolist()]
        sparse = [
            {"data": {"features": {"keys": list(range(len(row))), "shape": [len(row)], "values": row}}}
            for row in rows.tolist()
        ]
        for given in (instances, dense, sparse):
            assert_close(server.post(json.dumps({"instances": given}), JSON, JSON).json(), whole)
            lines = "\n".join(json.dumps(one) for one in given)
            assert_close(server.post(lines, JSONLINES, JSON).json(), whole)
        assert_close(server.post(recordio.write_features(rows), RECORDIO, JSON).json(), whole)
        assert_close(server.post(recordio.write_features(rows), RECORDIO).json(), whole)  # JSON is the first of all

    def test_all_ways_of_answering_say_the_same(self, server: Server) -> None:
        rows = self.rows()[0][:4]
        records = self.ask(server, rows).json()[self.envelope]
        lines = self.ask(server, rows, JSONLINES)
        assert [json.loads(line) for line in lines.text.splitlines()] == records
        answered = list(recordio.read(self.ask(server, rows, RECORDIO).body))
        for (_, label), record in zip(answered, records, strict=True):
            assert set(label) == set(record)
            for name, value in record.items():
                assert label[name][0].tolist() == np.atleast_1d(value).tolist()

    def test_batches_are_answered_as_single_records(self, server: Server) -> None:
        rows = self.rows()[0][:6]
        together = self.ask(server, rows).json()[self.envelope]
        assert_close(together, [self.ask(server, rows[n : n + 1]).json()[self.envelope][0] for n in range(6)])

    def test_execution_parameters_are_there_for_transform_jobs(self, server: Server) -> None:
        told = server.get("/execution-parameters").json()
        assert told["BatchStrategy"] == "MULTI_RECORD" and told["MaxPayloadInMB"] == 6

    def test_bad_requests_are_refused_in_words(self, server: Server) -> None:
        rows = self.rows()[0][:2]
        wide = np.column_stack([rows, rows[:, 0]])
        for body, content_type, accept, status, said in (
            (csv(rows), "application/x-parquet", "", 415, "content-type application/x-parquet not supported"),
            (csv(rows), CSV, "image/png", 406, "image/png"),
            ("", CSV, "", 400, "empty"),
            (csv(wide), CSV, "", 400, f"{rows.shape[1] + 1} features"),
            ("1,2\n3\n", CSV, "", 400, "unable to evaluate payload provided"),
            ("1,a\n", CSV, "", 400, "unable to evaluate payload provided"),
            ('{"rows": []}', JSON, "", 400, "instances"),
            ('{"instances": [{"values": [1]}]}', JSON, "", 400, "unable to evaluate payload provided"),
            ("{", JSON, "", 400, "unable to evaluate payload provided"),
            (b"nonsense", RECORDIO, "", 400, "unable to evaluate payload provided"),
        ):
            reply = server.post(body, content_type, accept)
            assert (reply.status, said in reply.text) == (status, True), (body, reply.text)

    def test_an_archive_without_a_model_is_refused_in_a_sentence(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.model.mkdir()
        (job.model / "other").write_bytes(b"x")
        with job.start("serve", SAGEMAKER_BIND_TO_SOCKET=str(tmp_path / "s")) as process:
            output, _ = process.communicate(timeout=60)
        assert process.returncode == 1
        assert f"has no file '{self.artifact[0]}' (it has: other)" in output


def csv(rows: Any) -> str:
    """Rows as lines of CSV, to the last digit of a float32."""
    return "".join(",".join(repr(float(value)) for value in row) + "\n" for row in np.asarray(rows, np.float32))


def assert_close(found: Any, wanted: Any) -> None:
    """Equal but for the last digits of numbers: the width of a batch changes the order in which a library adds."""
    if isinstance(wanted, dict):
        assert set(found) == set(wanted)
        for name, value in wanted.items():
            assert_close(found[name], value)
    elif isinstance(wanted, list):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_close(one, other)
    else:
        assert found == pytest.approx(wanted, rel=1e-3, abs=1e-4)
