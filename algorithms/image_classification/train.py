"""Training as the Image Classification image does it, with the lines that its log was seen to have."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party.definition import Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.image_classification import artifact, examples
from algorithms.image_classification.hyperparameters import CHECKS, DECLARED
from algorithms.vision import channels, earlier, epochs, libraries
from algorithms.vision.resnet import SMALL, SMALL_PICTURE, UNITS
from algorithms.vision.settings import sizes

if TYPE_CHECKING:
    from algorithms.vision.network import Network
    from algorithms.vision.symbol import Symbol

TITLE, START = "Image Classification", earlier.CHANNEL
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
        Channel("train_lst", distributions=WHOLE),
        Channel("validation_lst", distributions=WHOLE),
        Channel(START, distributions=WHOLE),
    ),
)
SEED = 1
LIGHT, LIGHT_SMALL = 18, 20


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(DEFINITION, fit)


def fit(run: Run) -> None:
    """Read the pictures, train, keep the best epoch."""
    libraries.demand(TITLE)
    files = earlier.given(run, "1", "0")
    start = artifact.read(files, f"Channel '{START}'") if files else None
    train = examples.read(run, "train")
    held = examples.read(run, "validation") if run.has("validation") else None
    _tell(run, len(train))
    shape, classes = sizes(run.values["image_shape"]), run.values["num_classes"]
    made = artifact.network(_layers(run, start), shape, classes, run.values["multi_label"])
    from algorithms.image_classification.fitting import Fitting

    fitting = Fitting(_network(run, made, start), run.values, train, held, run.log.info)
    shelf = artifact.Shelf(run.layout.model, run.log.info)
    best = epochs.train(run, fitting, partial(_told, run), shelf, run.values.get("checkpoint_frequency"))
    artifact.describe(run.layout.model, made, shape, best)


def _tell(run: Run, count: int) -> None:
    values = run.values
    channels.tell_count(run, count)
    if values["precision_dtype"] == "float16":
        run.log.info("precision_dtype float16 is for GPUs: the network is computed in float32 here.", "WARNING")
    if values["use_weighted_loss"] and not values["multi_label"]:
        run.log.info("use_weighted_loss has no effect without multi_label.", "WARNING")


def _layers(run: Run, start: artifact.Stored | None) -> int:
    """As asked for; else those of the model that it goes on from, else few."""
    if "num_layers" in run.layout.hyperparameters:
        return int(run.values["num_layers"])
    shape, classes = sizes(run.values["image_shape"]), run.values["num_classes"]
    for count in (*SMALL, *UNITS) if start else ():
        wanted = artifact.network(count, shape, classes, False).shapes
        if set(wanted) <= set(start.arrays) and len(wanted) == len(start.arrays):
            return count
    found = LIGHT_SMALL if shape[1] <= SMALL_PICTURE else LIGHT
    run.log.info(
        f"num_layers is not set: the network has {found} layers here instead of the 152 of the default, which takes "
        "too long without a GPU. Set num_layers to have another.",
        "WARNING",
    )
    return found


def _network(run: Run, made: Symbol, start: artifact.Stored | None) -> Network:
    from algorithms.vision.network import Network

    network = Network.begin(made, SEED)
    if start is None:
        return network
    last = (f"{artifact.LAST_LAYER}_weight", f"{artifact.LAST_LAYER}_bias")
    skipped = last if run.values["use_pretrained_model"] else ()
    arrays: dict[str, Any] = {}
    for name, shape in made.shapes.items():
        there = start.arrays.get(name)
        if name not in skipped and (there is None or there.shape != shape):
            found = "none" if there is None else there.shape
            raise UserError(
                f"The model of channel '{START}' does not fit this job: of '{name}' it has {found}, and {shape} is "
                "needed. num_layers, image_shape and num_classes are to be those of the job that made it; with "
                "use_pretrained_model the classes may be others."
            )
        arrays[name] = network.arrays()[f"arg:{name}"] if name in skipped else there
    run.log.info(f"Training goes on from the model of channel '{START}'.")
    return Network(made.nodes, arrays)


def _told(run: Run, epoch: Any, best: bool) -> None:
    at = f"Epoch[{epoch.number}]"
    for name, value in epoch.train.items():
        run.log.info(f"{at} Train-{name}={value:.6f}")
    run.log.info(f"{at} Time cost={epoch.seconds:.3f}")
    for name, value in (epoch.validation or {}).items():
        run.log.info(f"{at} Validation-{name}={value:.6f}")
    if best:
        split = "validation" if epoch.validation else "train"
        run.log.info(f"Storing the best model with {split} accuracy: {epoch.watched:.6f}")
    run.log.progress(epoch.number + 1, run.values["epochs"])
