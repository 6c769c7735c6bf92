"""What every algorithm for pictures owes beside the rest: pictures asked in each form, and refusals of what is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.algorithms import drawn
from tests.algorithms.job import Job, Server
from tests.contracts.first_party_contract import JSON, JSONLINES, FirstPartyContract

X_IMAGE, X_RECORDIO = "application/x-image", "application/x-recordio"


class PictureContract(FirstPartyContract):
    """Inherit, and say what is different. Rows of numbers are pictures here."""

    formats: ClassVar = (X_RECORDIO,)
    test_channel: ClassVar = "validation"
    accept: ClassVar = JSONLINES
    """What the journey asks for."""

    first: ClassVar = JSON
    """What is answered when anything will do."""

    @classmethod
    def pictures(cls) -> list[Any]:
        """Some to ask about, as arrays."""
        raise NotImplementedError

    @classmethod
    def question(cls) -> tuple[Any, str]:
        return drawn.encoded(cls.pictures()[0]), X_IMAGE

    @classmethod
    def plain(cls, reply: Any) -> Any:
        """What an answer in JSON says, in the form of JSON Lines."""
        return reply.json()

    def test_a_channel_without_a_content_type_is_recordio(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train="")
        self.put(job, "train", self.formats[0])
        assert job.train().code == 0

    def test_values_that_are_no_numbers_fail_the_job(self, tmp_path: Path) -> None:
        raise NotImplementedError("labels that are out of range")

    test_another_feature_dim_fails_the_job = None

    def test_all_ways_of_asking_give_the_same_answer(self, server: Server) -> None:
        for pixels in self.pictures()[:3]:
            content = drawn.encoded(pixels)
            wanted = server.post(content, X_IMAGE, self.first)
            assert wanted.status == 200 and wanted.content_type == self.first
            for media in ("image/png", "image/png; x=y", ""):
                assert server.post(content, media, self.first).body == wanted.body
            photo = drawn.encoded(pixels, "JPEG")
            assert server.post(photo, "image/jpeg").body == server.post(photo, X_IMAGE).body

    def test_all_ways_of_answering_say_the_same(self, server: Server) -> None:
        content = drawn.encoded(self.pictures()[0])
        told = server.post(content, X_IMAGE, JSON)
        for accept in ("", "*/*"):
            assert server.post(content, X_IMAGE, accept).text == told.text
        lines = server.post(content, X_IMAGE, JSONLINES)
        assert lines.content_type == JSONLINES and lines.text.endswith("\n") and lines.text.count("\n") == 1
        assert lines.json() == self.plain(told)

    test_batches_are_answered_as_single_records = None

    def test_bad_requests_are_refused_in_words(self, server: Server) -> None:
        content = drawn.encoded(self.pictures()[0])
        wrong = "unable to evaluate payload provided: "
        for body, content_type, accept, status, said in (
            (content, "text/csv", "", 415, "content-type text/csv not supported"),
            (content, X_IMAGE, "application/x-parquet", 406, "Accept type application/x-parquet not supported"),
            (b"", X_IMAGE, "", 400, wrong + "the body is empty"),
            (b"no picture", X_IMAGE, "", 400, wrong + "it is no picture"),
            (content[: len(content) // 2], "image/png", "", 400, wrong),
        ):
            reply = server.post(body, content_type, accept)
            assert (reply.status, said in reply.text) == (status, True), (body[:20], reply.text)

    def test_a_picture_of_more_pixels_than_there_is_room_for_is_refused(self, server: Server) -> None:
        bomb = drawn.encoded_claim(60000, 60000)
        reply = server.post(bomb, X_IMAGE)
        assert reply.status == 400 and "unable to evaluate payload provided" in reply.text

    @pytest.mark.parametrize("damage", ["cut", "claim"])
    def test_a_model_that_is_broken_is_refused_in_a_sentence(self, trained: Any, tmp_path: Path, damage: str) -> None:
        job = Job(tmp_path, self.name)
        job.model.mkdir()
        for path in trained[0].model.iterdir():
            content = path.read_bytes()
            if path.suffix == ".params":
                content = {"cut": content[: len(content) // 2], "claim": b"\xff" * 100}[damage]
            (job.model / path.name).write_bytes(content)
        with job.start("serve", SAGEMAKER_BIND_TO_SOCKET=str(tmp_path / "s")) as process:
            output, _ = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "ClientError: The model archive holds no model" in output and "Traceback" not in output
