"""Training as the Object Detection image does it, with the lines that its log was seen to have."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party.definition import Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.object_detection import artifact, examples
from algorithms.object_detection.hyperparameters import CHECKS, DECLARED
from algorithms.vision import channels, earlier, epochs, libraries

if TYPE_CHECKING:
    from algorithms.object_detection.fitting import Epoch
    from algorithms.object_detection.network import Detector

TITLE, START = "Object Detection", earlier.CHANNEL
WHOLE = ("FullyReplicated",)
DEFINITION = Definition(
    title=TITLE,
    hyperparameters=DECLARED,
    checks=CHECKS,
    checkpoints=True,
    formats=(channels.RECORDIO, *channels.IMAGES, channels.JSONLINES),
    channels=(
        Channel("train", required=True, piped=channels.PIPED, distributions=WHOLE),
        Channel("validation", piped=channels.PIPED, distributions=WHOLE),
        Channel("train_annotation", distributions=WHOLE),
        Channel("validation_annotation", distributions=WHOLE),
        Channel(START, distributions=WHOLE),
    ),
)
SEED = 1


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Read pictures and boxes, train, keep the best epoch."""
    libraries.demand(TITLE)
    train = examples.read(run, "train")
    held = examples.read(run, "validation") if run.has("validation") else None
    channels.tell_count(run, len(train))
    files = earlier.given(run, "1, which is the default", "0")
    start = artifact.FORM.read(files, f"Channel '{START}'") if files else None
    base = _base(run, start[1] if start else {})
    from algorithms.object_detection.fitting import Fitting, Losses

    def say(epoch: int, batch: int, losses: Losses) -> None:
        run.log.quality("train", "cross_entropy", losses.cross_entropy, epoch=epoch, batch=batch)
        run.log.quality("train", "smooth_l1", losses.smooth_l1, epoch=epoch, batch=batch)

    fitting = Fitting(_network(run, base, start), run.values, (train, held), say)
    told = {one.name: run.values[one.name] for one in DECLARED if one.name in run.values}
    shelf = artifact.FORM.shelf(run.layout.model, told | {artifact.BASE: base})
    epochs.train(run, fitting, lambda epoch, best: _tell(run, epoch, len(train)), shelf)


def _base(run: Run, before: Mapping[str, Any]) -> str:
    """As asked for; else that of the model that it goes on from, else a small one."""
    from algorithms.object_detection.network import LIGHT, RESNET, VGG

    if "base_network" in run.layout.hyperparameters:
        return str(run.values["base_network"])
    if before.get(artifact.BASE) in (LIGHT, RESNET, VGG):
        return str(before[artifact.BASE])
    run.log.info(
        "base_network is not set: the network stands on a small residual one here, of 10 layers, instead of the vgg-16 "
        "of the default, which takes too long without a GPU. Set base_network to have another.",
        "WARNING",
    )
    return LIGHT


def _network(run: Run, base: str, start: tuple[dict[str, Any], dict[str, Any]] | None) -> Detector:
    import torch

    from algorithms.object_detection.network import Detector

    torch.manual_seed(SEED)
    network = Detector(base, run.values["num_classes"])
    if start is None:
        return network
    arrays, told = start
    others = told["num_classes"] != run.values["num_classes"] and run.values["use_pretrained_model"]
    try:
        network.put(arrays, ("kinds",) if others else ())
    except ValueError as error:
        raise UserError(
            f"The model of channel '{START}' does not fit this job: {error}. base_network and num_classes are to be "
            "those of the job that made it; with use_pretrained_model the classes may be others."
        ) from error
    run.log.info(f"Training goes on from the model of channel '{START}'.")
    return network


def _tell(run: Run, epoch: Epoch, count: int) -> None:
    """The mAP stands in parentheses, which the service's own regex takes off."""
    host = run.layout.current_host
    if epoch.validation is not None:
        print(
            f"#quality_metric: host={host}, epoch={epoch.number}, validation mAP <score>=({epoch.validation})",
            flush=True,
        )
    run.log.throughput(count, time.time() - epoch.seconds)
    run.log.progress(epoch.number + 1, run.values["epochs"])
