"""BlazingText: what all first-party algorithms owe of texts, and fastText's own files and answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from algorithms.blazingtext import fasttext_file, similarity
from algorithms.blazingtext.lookup import Lookup
from tests.algorithms.job import ROOT, Ended, Job, Server
from tests.contracts.first_party_contract import JSON, JSONLINES, FirstPartyContract

pytest.importorskip("floret", reason="pip install 'sagelet[text]'")
PLAIN = "text/plain"


def reviews(count: int, seed: int, classes: int = 3) -> tuple[list[str], list[int]]:
    """Texts of eight words, some of their class's own, the rest common to all."""
    draw = np.random.default_rng(seed)
    kinds = draw.integers(0, classes, count)
    own = draw.random((count, 8)) < 0.4
    words = draw.integers(0, 30, (count, 8))
    texts = [
        " ".join(f"k{kind}w{word}" if mine else f"c{word}" for mine, word in zip(*row, strict=True))
        for kind, *row in zip(kinds, own, words, strict=True)
    ]
    return texts, kinds.tolist()


def labelled(texts: list[str], kinds: list[int]) -> str:
    return "".join(f"__label__{kind} {text}\n" for text, kind in zip(texts, kinds, strict=True))


class TestBlazingText(FirstPartyContract):
    """Texts instead of rows of numbers: what the contract asks of rows is asked of texts here."""

    name = "blazingtext"
    values: ClassVar = {"mode": "supervised", "vector_dim": "10", "buckets": "1000", "min_count": "1", "epochs": "8"}
    formats = (PLAIN,)
    artifact = ("model.bin",)
    test_channel = "validation"
    metrics = ("validation:accuracy",)

    @classmethod
    def put(cls, job: Job, channel: str, form: str) -> None:
        job.put(f"{channel}/texts", labelled(*reviews(400, 1)))

    @classmethod
    def question(cls):
        return "".join(json.dumps({"source": text, "k": 2}) + "\n" for text in reviews(6, 2)[0]), JSONLINES

    def test_a_corrupt_record_in_the_middle_fails_the_job(self, tmp_path: Path) -> None:
        """Any line is a text; of JSON Lines one may be none."""
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train=JSONLINES)
        job.put("train/a.jsonl", '{"source": "a b", "label": 1}\n{"text": "c"}\n')
        failure = self.fails(job)
        assert "line 2 of file 'a.jsonl': it has no text as 'source'" in failure

    def test_values_that_are_no_numbers_fail_the_job(self, tmp_path: Path) -> None:
        """Here: texts without labels."""
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train=PLAIN)
        job.put("train/a", "no labels\nanywhere\n")
        assert "No line of channel 'train' has a label" in self.fails(job)

    def test_all_ways_of_asking_give_the_same_answer(self, server: Server) -> None:
        texts = reviews(5, 3)[0]
        told = {"instances": texts, "configuration": {"k": 2}}
        whole = server.post(json.dumps(told), JSON).json()
        assert [set(one) for one in whole] == [{"label", "prob"}] * 5
        assert all(len(one["label"]) == 2 and one["label"][0].startswith("__label__") for one in whole)
        lines = "".join(json.dumps({"source": text, "k": 2}) + "\n" for text in texts)
        answer = server.post(lines, JSONLINES, JSON)
        assert answer.content_type == JSONLINES, "the format is that of the question"
        assert [json.loads(line) for line in answer.text.splitlines()] == whole
        [one] = server.post(json.dumps({"instances": texts[:1]}), JSON).json()
        assert len(one["label"]) == 1, "one label where k is not said"

    test_all_ways_of_answering_say_the_same = None

    def test_batches_are_answered_as_single_records(self, server: Server) -> None:
        texts = reviews(5, 3)[0]
        together = server.post(json.dumps({"instances": texts}), JSON).json()
        assert together == [server.post(json.dumps({"instances": [text]}), JSON).json()[0] for text in texts]

    def test_bad_requests_are_refused_in_words(self, server: Server) -> None:
        wrong = "Customer Error: Unable to decode payload: Incorrect data format."
        for body, content_type, status, said in (
            ("{}", "application/octet-stream", 415, "content-type application/octet-stream not supported"),
            *((body, JSON, 400, wrong) for body in ("", "{", '["a"]', '{"a": 1}', '{"instances": [1]}')),
            *((body, JSONLINES, 400, wrong) for body in ("", '{"text": "a"}')),
        ):  # fmt: skip
            reply = server.post(body, content_type)
            assert (reply.status, said in reply.text) == (status, True), (body, reply.text)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"window_size": "3"}, "window_size cannot be set in the mode supervised"),
            ({"mode": "skipgram", "word_ngrams": "2"}, "word_ngrams cannot be set in the mode skipgram"),
            ({"mode": "batch_skipgram", "subwords": "True"}, "subwords cannot be True in the mode batch_skipgram"),
            ({"mode": "cbow"}, "A channel 'validation' is for the mode supervised alone"),
        ],
    )
    def test_settings_that_do_not_fit_are_refused(self, tmp_path: Path, given: dict[str, str], said: str) -> None:
        assert said in self.fails(self.job(tmp_path, **given))


def test_a_text_without_frequent_words_is_refused(tmp_path: Path) -> None:
    job = Job(tmp_path, "blazingtext")
    job.prepare({"mode": "skipgram", "min_count": "9999"}, train=PLAIN)
    job.put("train/a", "a text\nof few words\n")
    assert "No word occurs 9999 times, as min_count demands" in job.train().failure


def train(folder: Path, values: dict[str, str], **channels: str) -> tuple[Job, Ended]:
    job = Job(folder, "blazingtext")
    job.prepare(values, **dict.fromkeys(channels, PLAIN))
    for name, text in channels.items():
        job.put(f"{name}/a", text)
    ended = job.train()
    assert ended.code == 0, ended.output
    return job, ended


def said(ended: Ended, name: str) -> float:
    [line] = [line for line in ended.output.splitlines() if line.startswith(f"#{name}: ")]
    return float(line.partition(": ")[2])


@pytest.mark.parametrize("ngrams", ["1", "2"])
def test_classes_are_told_as_well_as_by_a_logistic_regression(tmp_path: Path, ngrams: str) -> None:
    (texts, kinds), (held, wanted) = reviews(1500, 1), reviews(500, 2)
    values = {**TestBlazingText.values, "word_ngrams": ngrams, "epochs": "15"}
    job, ended = train(tmp_path, values, train=labelled(texts, kinds), validation=labelled(held, wanted))
    words = CountVectorizer(token_pattern=r"\S+").fit(texts)
    oracle = LogisticRegression(max_iter=500).fit(words.transform(texts), kinds).score(words.transform(held), wanted)
    assert said(ended, "validation_accuracy") > oracle - 0.01
    lookup = Lookup(fasttext_file.read(job.model / "model.bin"))
    right = np.mean(
        [lookup.classes(text, 1)[0][0] == f"__label__{kind}" for text, kind in zip(held, wanted, strict=True)]
    )
    assert right == pytest.approx(said(ended, "validation_accuracy"), abs=1e-5)


def test_fasttext_opens_our_files_and_says_the_same(tmp_path: Path) -> None:
    fasttext = pytest.importorskip("fasttext")
    texts, kinds = reviews(400, 1)
    job, _ = train(tmp_path / "classes", dict(TestBlazingText.values), train=labelled(texts, kinds))
    theirs, ours = (
        fasttext.load_model(str(job.model / "model.bin")),
        Lookup(fasttext_file.read(job.model / "model.bin")),
    )
    for text in [*texts[:50], "k1w1 unseen über k1w2", "", "unseen"]:
        found = theirs.f.predict(text + "\n", 3, 0.0, "strict")
        assert [label for _, label in found] == [label for label, _ in ours.classes(text, 3)]
        assert [chance for chance, _ in found] == pytest.approx(
            [chance for _, chance in ours.classes(text, 3)], abs=2e-4
        )
    theirs.save_model(str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == (job.model / "model.bin").read_bytes()


SENTENCES = "".join(
    f"{a} likes {b} and größe{n % 7}\n" for n, (a, b) in enumerate([("ann", "tea"), ("bob", "rum")] * 120)
)
WORDS = {"vector_dim": "12", "min_count": "1", "evaluation": "False"}


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
@pytest.mark.parametrize("subwords", ["False", "True"])
def test_vectors_of_words_are_those_that_fasttext_reads(tmp_path: Path, mode: str, subwords: str) -> None:
    fasttext = pytest.importorskip("fasttext")
    values = {**WORDS, "mode": mode, "subwords": subwords, "buckets": "500"}
    job, ended = train(tmp_path, values, train=SENTENCES)
    assert sorted(path.name for path in job.model.iterdir()) == ["vectors.bin", "vectors.txt"]
    assert "Training finished." in ended.output
    theirs = fasttext.load_model(str(job.model / "vectors.bin"))
    words = ["ann", "größe3", "tea", "größer", "unseen", "</s>"]
    with job.serve() as server:
        answers = server.post(json.dumps({"instances": words}), JSON).json()
        lines = server.post("".join(json.dumps({"source": word}) + "\n" for word in words), JSONLINES).text
    assert [json.loads(line) for line in lines.splitlines()] == answers
    assert [one["word"] for one in answers] == words
    for one in answers:
        assert one["vector"] == pytest.approx(theirs.get_word_vector(one["word"]).tolist(), abs=1e-6), one["word"]
    assert any(answers[4]["vector"]) is (subwords == "True"), "of an unknown word nothing is known but its parts"
    head, *rows = (job.model / "vectors.txt").read_text().splitlines()
    assert head == f"{len(rows)} 12" and set(theirs.get_words()) == {row.split(" ")[0] for row in rows}
    first = rows[0].split(" ")
    assert [float(v) for v in first[1:]] == pytest.approx(theirs.get_word_vector(first[0]).tolist(), rel=1e-3, abs=1e-5)


def test_words_that_are_used_alike_are_alike(tmp_path: Path) -> None:
    draw = np.random.default_rng(6)
    groups = [[f"g{group}w{n}" for n in range(8)] for group in range(5)]
    text = "".join(" ".join(draw.choice(groups[draw.integers(5)], 10)) + "\n" for _ in range(2000))
    values = {**WORDS, "mode": "batch_skipgram", "epochs": "10", "sampling_threshold": "0.9"}
    job, ended = train(tmp_path, values, train=text)
    assert "batch_skipgram is trained as skipgram here" in ended.output
    lookup = Lookup(fasttext_file.read(job.model / "vectors.bin"))
    vectors = np.array([lookup.vector(word) for group in groups for word in group])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -1)
    assert np.mean(alike.argmax(axis=1) // 8 == np.arange(40) // 8) == 1


def test_early_stopping_keeps_the_best_number_of_epochs(tmp_path: Path) -> None:
    (texts, kinds), (held, wanted) = reviews(300, 1), reviews(200, 2)
    values = {**TestBlazingText.values, "epochs": "30", "min_epochs": "2", "patience": "2", "early_stopping": "True"}
    job, ended = train(tmp_path, values, train=labelled(texts, kinds), validation=labelled(held, wanted))
    scores = [
        float(line.partition(": ")[2]) for line in ended.output.splitlines() if line.startswith("Validation accuracy: ")
    ]
    assert 3 <= len(scores) < 29 and "Reached patience. Terminating training." in ended.output
    assert said(ended, "validation_accuracy") == max(scores)
    kept = fasttext_file.read(job.model / "model.bin").arguments.epoch
    assert scores[kept - 2] == max(scores)


def test_early_stopping_needs_something_to_see_it_by(tmp_path: Path) -> None:
    job = Job(tmp_path, "blazingtext")
    job.prepare({**TestBlazingText.values, "early_stopping": "True"}, train=PLAIN)
    job.put("train/a", labelled(*reviews(50, 1)))
    assert "early_stopping needs a channel 'validation'" in job.train().failure


def test_labels_of_json_lines_are_those_of_texts(tmp_path: Path) -> None:
    texts, kinds = reviews(200, 1)
    plain, _ = train(tmp_path / "plain", dict(TestBlazingText.values), train=labelled(texts, kinds))
    job = Job(tmp_path / "json", "blazingtext")
    job.prepare(TestBlazingText.values, train=JSONLINES)
    records = [{"source": text, "label": [kind]} for text, kind in zip(texts, kinds, strict=True)]
    job.put("train/a", "".join(json.dumps(record) + "\n" for record in records))
    assert job.train().code == 0
    assert (job.model / "model.bin").read_bytes() == (plain.model / "model.bin").read_bytes()


def test_the_similarity_set_is_used_where_it_is_and_missed_in_words_where_not(tmp_path: Path) -> None:
    job, ended = train(tmp_path, {**WORDS, "mode": "skipgram", "evaluation": "True"}, train=SENTENCES)
    known = similarity.judgements()
    assert (job.model / "eval.json").exists() is (known is not None)
    assert ("#mean_rho: " in ended.output) is (known is not None)
    assert ("WordSim-353 is not on this machine" in ended.output) is (known is None)


def test_agreement_with_judgements_is_a_rank_correlation() -> None:
    words, draw = ["a", "b", "c", "d"], np.random.default_rng(2)
    arguments = fasttext_file.Arguments(
        3, 5, 1, 1, 5, 1, fasttext_file.NEGATIVE_SAMPLING, fasttext_file.SKIPGRAM, 0, 0, 0
    )
    made = Lookup(
        fasttext_file.Stored(arguments, words, [1] * 4, [], [], draw.normal(size=(4, 3)).astype("f4"), np.zeros((4, 3)))
    )
    pairs = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    cosines = [float(np.dot(*(made.vector(w) / np.linalg.norm(made.vector(w)) for w in pair))) for pair in pairs]
    told = similarity.evaluate(
        made, frozenset(words), [(*pair, c) for pair, c in zip(pairs, cosines, strict=True)] + [("a", "z", 1)]
    )
    assert told["mean_rho"] == pytest.approx(1)
    assert told[similarity.NAME] == {"not_found": 1, "spearmans_rho": told["mean_rho"], "total_pairs": 5}


def test_without_the_library_the_job_says_what_installs_it(tmp_path: Path) -> None:
    job = Job(tmp_path, "blazingtext")
    job.prepare(TestBlazingText.values, train=PLAIN)
    job.put("train/a", labelled(*reviews(20, 1)))
    code = "import sys; sys.modules['floret'] = None; from algorithms.blazingtext.train import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=job._environment({}), capture_output=True, check=False
    )
    assert done.returncode == 1
    assert (tmp_path / "output/failure").read_text().endswith("pip install 'sagelet[text]'")


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\xba\x16\x4f\x2f\x0c\x00\x00\x00"])
def test_what_is_no_model_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.bin").write_bytes(content)
    with pytest.raises(fasttext_file.Malformed, match=r"^'model[.]bin' is no model of fastText"):
        fasttext_file.read(tmp_path / "model.bin")
