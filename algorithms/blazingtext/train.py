"""Training as the BlazingText image does it: vectors of words to `vectors.txt` and `.bin`, classes to `model.bin`."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from algorithms.blazingtext import corpus, fasttext_file, library, similarity
from algorithms.blazingtext.hyperparameters import BATCH_SKIPGRAM, CHECKS, DECLARED, SUPERVISED
from algorithms.blazingtext.lookup import Lookup
from algorithms.common import channels
from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party import data
from algorithms.first_party.definition import Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run

PIPED = (corpus.JSONLINES,)
DEFINITION = Definition(
    title="AWS/BlazingText",
    hyperparameters=DECLARED,
    checks=CHECKS,
    formats=("text/plain", corpus.JSONLINES),
    channels=(Channel("train", required=True, piped=PIPED), Channel("validation", piped=PIPED)),
    several=False,
)
MODEL, VECTORS, TEXT, SCORES = "model.bin", "vectors.bin", "vectors.txt", "eval.json"


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Gather the texts, and train in the mode that was asked for."""
    if run.has("validation") and run.values["mode"] != SUPERVISED:
        raise UserError(f"A channel 'validation' is for the mode {SUPERVISED} alone; the mode is {run.values['mode']}.")
    library.floret()
    with tempfile.TemporaryDirectory() as folder:
        train = _gathered(run, "train", Path(folder))
        held = _gathered(run, "validation", Path(folder)) if run.has("validation") else None
        if run.values["mode"] == SUPERVISED:
            _classes(run, train, held)
        else:
            _vectors(run, train)


def _classes(run: Run, train: Path, held: Path | None) -> None:
    start = time.time()
    if not corpus.has_labels(train):
        raise UserError(f"No line of channel 'train' has a label: begin lines with words such as {corpus.PREFIX}1.")
    stops = run.values["early_stopping"]
    if stops and held is None:
        raise UserError("early_stopping needs a channel 'validation'.")
    model, stored = (
        _until_no_better(run, train, held) if stops and held else library.train(train, run.values, _all(run))
    )
    _told_of_the_end(run, stored, start)
    for split, path in (("train", train), ("validation", held)):
        if path is not None:
            count, accuracy, _ = model.test(str(path))
            print(f"#{split}_accuracy: {accuracy:.6g}\nNumber of {split} examples: {count}\n", flush=True)
    run.layout.model.mkdir(parents=True, exist_ok=True)
    fasttext_file.write(run.layout.model / MODEL, stored)


def _all(run: Run) -> int:
    return int(run.values["epochs"])


def _until_no_better(run: Run, train: Path, held: Path) -> tuple[Any, fasttext_file.Stored]:
    """Trained for one epoch more each time, and from the start, as the rate falls with what is still to come."""
    run.log.info(
        "early_stopping: a training of its own for each number of epochs, as the library cannot go on from one."
    )
    best: tuple[Any, fasttext_file.Stored] | None = None
    highest, since = -1.0, 0
    for epochs in range(min(run.values["min_epochs"], _all(run)), _all(run) + 1):
        made = library.train(train, run.values, epochs)
        accuracy = made[0].test(str(held))[1]
        print(f"-------------- End of epoch: {epochs}\nValidation accuracy: {accuracy:.6g}", flush=True)
        if accuracy > highest:
            print("Validation accuracy improved! Storing best weights...", flush=True)
            best, highest, since = made, accuracy, 0
            continue
        since += 1
        print(f"Validation accuracy has not improved for last {since} epochs.", flush=True)
        if since >= run.values["patience"]:
            print("Reached patience. Terminating training.", flush=True)
            break
    assert best is not None
    return best


def _vectors(run: Run, train: Path) -> None:
    start = time.time()
    if run.values["mode"] == BATCH_SKIPGRAM:
        run.log.info("batch_skipgram is trained as skipgram here: batch_size has no effect.", "WARNING")
    _, stored = library.train(train, run.values, _all(run))
    _told_of_the_end(run, stored, start)
    run.layout.model.mkdir(parents=True, exist_ok=True)
    fasttext_file.write(run.layout.model / VECTORS, stored)
    lookup = Lookup(stored)
    with (run.layout.model / TEXT).open("w", encoding="utf-8") as out:
        out.write(f"{len(stored.words)} {lookup.dim}\n")
        for word in stored.words:
            out.write(f"{word} {' '.join(f'{value:.5g}' for value in lookup.vector(word).tolist())}\n")
    if run.values["evaluation"]:
        _evaluate(run, lookup, frozenset(stored.words))


def _evaluate(run: Run, lookup: Lookup, known: frozenset[str]) -> None:
    if (pairs := similarity.judgements()) is None:
        run.log.info(
            "evaluation: WordSim-353 is not on this machine, so there is no mean_rho: pip install gensim", "WARNING"
        )
        return
    told = similarity.evaluate(lookup, known, pairs)
    (run.layout.model / SCORES).write_text(json.dumps(told))
    print(json.dumps(told), flush=True)
    run.log.info(f"#mean_rho: {told['mean_rho']}")


def _told_of_the_end(run: Run, stored: fasttext_file.Stored, start: float) -> None:
    spent = max(time.time() - start, 1e-9)
    millions = sum(stored.word_counts) * _all(run) / spent / 1e6
    print(f"Number of words:  {len(stored.words)}", flush=True)
    print(f"##### Alpha: 0.0000  Progress: 100.00%  Million Words/sec: {millions:.2f} #####", flush=True)
    print(f"Training finished.\nAverage throughput in Million words/sec: {millions:.2f}", flush=True)
    print(f"Total training time in seconds: {spent:.2f}\n", flush=True)


def _gathered(run: Run, channel: str, folder: Path) -> Path:
    kind = data.kind_of(channel, dict(run.layout.channels[channel]), DEFINITION.formats)
    into = folder / channel
    if channels.is_piped(run.layout.channels[channel]):
        _demand_manifest(run, channel, kind.media)
        count = corpus.gather_pipe(channels.pipe(run.layout.channel(channel), 0), into, channel)
    else:
        count = corpus.gather(run.layout.channel(channel), kind.media, into, channel)
    size = into.stat().st_size / 1e6
    print(f"Processing {run.layout.channel(channel)} . File size: {size:.1f} MB, {count} lines", flush=True)
    return into


def _demand_manifest(run: Run, channel: str, media: str) -> None:
    """Through pipes come the labelled texts of augmented manifests, attribute by attribute."""
    if run.values["mode"] != SUPERVISED:
        raise UserError(
            f"Channel '{channel}' is in Pipe mode, which is of the mode {SUPERVISED} alone: "
            "set TrainingInputMode to 'File'."
        )
    wrapped = run.layout.channels[channel].get("RecordWrapperType")
    if media not in PIPED or wrapped != "RecordIO":
        raise UserError(
            f"Channel '{channel}' is in Pipe mode, which takes augmented manifests alone: set S3DataType to "
            "'AugmentedManifestFile', AttributeNames to ['source', 'label'], RecordWrapperType to 'RecordIO' and "
            f"ContentType to '{corpus.JSONLINES}', or TrainingInputMode to 'File'."
        )
