"""What every algorithm owes whoever runs it, as a class that each algorithm's tests inherit.

    class TestMine(AlgorithmContract):
        name = "mine"
        images = ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/mine:1",)
        declared = hyperparameters.DECLARED
        minimum = {"k": "2"}                 # hyperparameters that train
        refusal = ""                         # or a part of the sentence with which `train` refuses to exist
        def fill(self, job): ...             # writes tiny data and the channels' configuration
        def model(self, folder): ...         # only without training: writes a model
        request = (body, content_type)

Everything runs as a real process with its own base folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import Hyperparameter
from tests.algorithms.job import Ended, Job, Server
from tests.contracts.manifest_contract import ManifestContract


class AlgorithmContract(ManifestContract):
    declared: Sequence[Hyperparameter] = ()
    minimum: Mapping[str, str] = {}
    refusal = ""
    request: tuple[bytes, str]

    def fill(self, job: Job) -> None:
        raise NotImplementedError

    def model(self, folder: Path) -> None:
        raise NotImplementedError

    # --- hyperparameters ---------------------------------------------------------------------------------------

    def test_every_declared_hyperparameter_accepts_what_is_valid_and_refuses_what_is_not(self):
        for one in self.declared:
            for text in one.valid():
                one.read(text)
            assert one.invalid(), one.name
            for text in one.invalid():
                with pytest.raises(UserError, match=f"^Hyperparameter {one.name}: "):
                    one.read(text)

    def test_an_unknown_hyperparameter_is_named(self, tmp_path):
        if self.refusal:
            pytest.skip("nothing is trained")
        ended = self._train(tmp_path, {**self.minimum, "no_such_thing": "1"})
        assert ended.code == 1
        assert ended.failure == "ClientError: Extraneous hyperparameter found: no_such_thing"

    # --- training and serving ----------------------------------------------------------------------------------

    def test_it_trains_on_tiny_data_or_says_why_not(self, tmp_path):
        ended = self._train(tmp_path, self.minimum)
        if self.refusal:
            assert ended.code == 1
            assert ended.failure.startswith("ClientError: ")
            assert self.refusal in ended.failure
        else:
            assert (ended.code, ended.failure) == (0, ""), ended.output
            assert any((tmp_path / "model").iterdir())

    def test_it_fails_in_one_sentence_without_data(self, tmp_path):
        job = Job(tmp_path, self.name)
        job.prepare(self.minimum, train="text/csv")
        ended = job.train()
        assert ended.code == 1
        assert ended.failure.startswith("ClientError: ")
        assert "Traceback" not in ended.failure

    def test_it_serves_the_contract(self, tmp_path):
        job = self._ready_to_serve(tmp_path)
        with job.serve() as server:
            self._check_answers(server)
        assert '"POST /invocations HTTP/1.1" 200' in job.log

    def test_without_a_model_the_server_ends_with_a_sentence(self, tmp_path):
        (tmp_path / "model").mkdir()
        process = Job(tmp_path, self.name).start("serve", SAGEMAKER_BIND_TO_SOCKET=str(tmp_path / "s"))
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "was found in" in output
        assert "Traceback" not in output

    def _check_answers(self, server: Server) -> None:
        body, content_type = self.request
        assert server.get("/ping").body == b""
        first, second = server.post(body, content_type), server.post(body, content_type)
        assert first.status == 200, first.text
        assert first == second
        assert first.body
        unknown = server.post(body, "application/x-unheard-of")
        assert unknown.status == 415
        assert "application/x-unheard-of" in unknown.text
        assert server.post(body, content_type, "application/x-unheard-of").status == 406
        assert server.get("/execution-parameters").json()["BatchStrategy"] == "MULTI_RECORD"
        assert server.get("/nowhere").status == 404
        assert server.get("/invocations").status == 405

    def _train(self, base: Path, given: Mapping[str, str]) -> Ended:
        job = Job(base, self.name)
        self.fill(job)
        job.configure("hyperparameters", dict(given))
        return job.train()

    def _ready_to_serve(self, base: Path) -> Job:
        if self.refusal:
            (base / "model").mkdir()
            self.model(base / "model")
        else:
            assert self._train(base, self.minimum).code == 0
        return Job(base, self.name)
