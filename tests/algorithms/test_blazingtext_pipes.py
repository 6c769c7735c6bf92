"""BlazingText reading augmented manifests: texts and labels through pipes, attribute by attribute."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.algorithms.aialgs import frame
from tests.algorithms.job import Job
from tests.algorithms.test_blazingtext import JSONLINES, PLAIN, WORDS, TestBlazingText, reviews
from tests.algorithms.test_xgboost_pipes import fed

pytest.importorskip("floret", reason="pip install 'sagelet[text]'")
VALUES = TestBlazingText.values
del TestBlazingText  # Its tests are of the other module.


def augmented(texts: list[str], labels: list) -> list[bytes]:
    """What the service sends of an augmented manifest: each attribute as a record, what is no text as JSON."""
    shown = [label if isinstance(label, str) else json.dumps(label, separators=(",", ":")) for label in labels]
    return [frame(part.encode()) for pair in zip(texts, shown, strict=True) for part in pair]


def piped(folder: Path, **channel: str) -> Job:
    job = Job(folder, "blazingtext")
    job.prepare(VALUES, train=JSONLINES)
    told = {"TrainingInputMode": "Pipe", "RecordWrapperType": "RecordIO", "ContentType": JSONLINES} | channel
    job.configure("inputdataconfig", {"train": told})
    return job


def test_augmented_manifests_through_a_pipe_make_the_model_of_their_texts(tmp_path: Path) -> None:
    texts, kinds = reviews(200, 1)
    plain = Job(tmp_path / "plain", "blazingtext")
    plain.prepare(VALUES, train=JSONLINES)
    labels = [[kind, "all"] if kind else kind for kind in kinds]
    records = [{"source": text, "label": label} for text, label in zip(texts, labels, strict=True)]
    plain.put("train/a", "".join(json.dumps(record) + "\n" for record in records))
    assert plain.train().code == 0
    job = piped(tmp_path / "pipe")
    with fed(job, train=[augmented(texts, labels)]):
        ended = job.train()
    assert ended.code == 0, ended.output
    assert (job.model / "model.bin").read_bytes() == (plain.model / "model.bin").read_bytes()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([frame(b"a b"), frame(b"1"), frame(b"c")], "line 2 of the augmented manifest: it has a source and no label"),
        ([b"a b 1 c d 2 not wrapped"], "line 1 of the augmented manifest"),
        ([], "No data was found in channel 'train'"),
    ],
)
def test_what_is_no_pair_of_attributes_fails_the_job(tmp_path: Path, content: list[bytes], said: str) -> None:
    job = piped(tmp_path)
    with fed(job, train=[content]):
        assert said in job.train().failure


@pytest.mark.parametrize("channel", [{"ContentType": PLAIN}, {"RecordWrapperType": "None"}])
def test_a_pipe_of_anything_else_is_refused(tmp_path: Path, channel: dict[str, str]) -> None:
    assert "AttributeNames to ['source', 'label']" in piped(tmp_path, **channel).train().failure


def test_words_alone_do_not_come_through_pipes(tmp_path: Path) -> None:
    job = piped(tmp_path)
    job.configure("hyperparameters", WORDS | {"mode": "skipgram"})
    assert "Channel 'train' is in Pipe mode, which is of the mode supervised alone" in job.train().failure
