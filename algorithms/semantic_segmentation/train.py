"""Training as the Semantic Segmentation image does it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party.definition import Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.semantic_segmentation import artifact, examples
from algorithms.semantic_segmentation.hyperparameters import CHECKS, DECLARED
from algorithms.vision import earlier, epochs, libraries
from algorithms.vision.channels import IMAGES, JSONLINES, RECORDIO, tell_count

if TYPE_CHECKING:
    from algorithms.semantic_segmentation.fitting import Epoch
    from algorithms.semantic_segmentation.network import Segmenter

TITLE, START = "Semantic Segmentation", earlier.CHANNEL
WHOLE = ("FullyReplicated",)
FORMATS = ("image/jpeg", "image/png", IMAGES[0], RECORDIO, JSONLINES)
DEFINITION = Definition(
    title=TITLE,
    hyperparameters=DECLARED,
    checks=CHECKS,
    checkpoints=True,
    formats=FORMATS,
    channels=(
        Channel("train", required=True, piped=FORMATS, distributions=WHOLE),
        Channel("validation", piped=FORMATS, distributions=WHOLE),
        Channel("train_annotation", distributions=WHOLE),
        Channel("validation_annotation", distributions=WHOLE),
        Channel(examples.MAPS, distributions=WHOLE),
        Channel(START, distributions=WHOLE),
    ),
    several=False,
)
SEED = 1


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Read pictures and masks, train, keep the best epoch."""
    libraries.demand(TITLE)
    train = examples.read(run, "train")
    held = examples.read(run, "validation") if run.has("validation") else None
    tell_count(run, len(train))
    files = earlier.given(run, "True, which is the default", "False")
    start = artifact.FORM.read(files, f"Channel '{START}'") if files else None
    backbone = _backbone(run, start[1] if start else {})
    from algorithms.semantic_segmentation.fitting import Fitting
    from algorithms.vision import learning

    learning.suit_threads(run.values["crop_size"], run.values["crop_size"])
    fitting = Fitting(_network(run, backbone, start), run.values, train, held)
    told = {one.name: run.values[one.name] for one in DECLARED if one.name in run.values}
    shelf = artifact.FORM.shelf(run.layout.model, told | {artifact.BACKBONE: backbone})
    epochs.train(run, fitting, lambda epoch, best: _tell(run, epoch, len(train)), shelf)
    maps = run.layout.channel(examples.MAPS) / "train_label_map.json"
    if run.has(examples.MAPS) and maps.is_file():
        run.save(maps.name, maps.read_bytes())


def _backbone(run: Run, before: Mapping[str, Any]) -> str:
    """As asked for; else that of the model that it goes on from, else a small one."""
    from algorithms.semantic_segmentation.network import BACKBONES, LIGHT

    if "backbone" in run.layout.hyperparameters:
        return str(run.values["backbone"])
    if before.get(artifact.BACKBONE) in BACKBONES:
        return str(before[artifact.BACKBONE])
    run.log.info(
        "backbone is not set: the network stands on a small one here, of 10 layers, instead of the resnet-50 of the "
        "default, which takes too long without a GPU. Set backbone to have another.",
        "WARNING",
    )
    return LIGHT


def _network(run: Run, backbone: str, start: tuple[dict[str, Any], dict[str, Any]] | None) -> Segmenter:
    import torch

    from algorithms.semantic_segmentation.network import Segmenter

    torch.manual_seed(SEED)
    network = Segmenter(run.values["algorithm"], backbone, run.values["num_classes"])
    if start is None:
        return network
    arrays, told = start
    same = all(told[name] == run.values[name] for name in ("algorithm", "num_classes"))
    skipped = () if same or not run.values["use_pretrained_model"] else ("head", "auxiliary")
    try:
        network.put(arrays, skipped)
    except ValueError as error:
        raise UserError(
            f"The model of channel '{START}' does not fit this job: {error}. backbone, algorithm and num_classes are "
            "to be those of the job that made it; with use_pretrained_model the last two may be others."
        ) from error
    run.log.info(f"Training goes on from the model of channel '{START}'.")
    return network


def _tell(run: Run, epoch: Epoch, count: int) -> None:
    log = run.log
    log.quality("train", "loss", epoch.loss, epoch=epoch.number)
    if epoch.validation:
        log.quality("validation", "mIOU", epoch.validation.mean, "score", epoch=epoch.number)
        log.quality("validation", "pixel_accuracy", epoch.validation.accuracy, "score", epoch=epoch.number)
    log.throughput(count, time.time() - epoch.seconds)
    log.progress(epoch.number + 1, run.values["epochs"])
