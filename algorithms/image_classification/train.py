"""Training as the Image Classification image does it, with the lines that its log was seen to have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from algorithms.common.channels import Channel
from algorithms.common.faults import UserError
from algorithms.first_party.definition import Definition
from algorithms.first_party.run import Run
from algorithms.first_party.run import main as run
from algorithms.image_classification import artifact, examples
from algorithms.image_classification.hyperparameters import CHECKS, DECLARED
from algorithms.image_classification.kept import Kept
from algorithms.vision import channels, earlier, libraries
from algorithms.vision.resnet import SMALL, SMALL_PICTURE, UNITS
from algorithms.vision.settings import sizes
from algorithms.vision.stopping import EarlyStopping

if TYPE_CHECKING:
    from algorithms.vision.network import Network
    from algorithms.vision.symbol import Symbol

TITLE, START = "Image Classification", earlier.CHANNEL
WHOLE = ("FullyReplicated",)
DEFINITION = Definition(
    title=TITLE,
    hyperparameters=DECLARED,
    checks=CHECKS,
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

    network = _network(run, made, start)
    kept = Kept(run, network)
    best = _epochs(run, Fitting(network, run.values, train, held, run.log.info), kept)
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


def _epochs(run: Run, fitting: Any, kept: Kept) -> int:
    """Train until the end or until it gets no better; the number of the best epoch, from 1."""
    values = run.values
    stops = EarlyStopping(
        values["early_stopping_min_epochs"], values["early_stopping_patience"], values["early_stopping_tolerance"]
    )
    ended = [stops.ends(number, score) for number, score in enumerate(kept.scores)]
    if values["early_stopping"] and any(ended[-1:]):
        return kept.best
    for epoch in fitting.epochs(len(kept.scores)):
        _told(run, epoch)
        kept.take(epoch)
        run.log.progress(epoch.number + 1, values["epochs"])
        if stops.ends(epoch.number, epoch.watched) and values["early_stopping"]:
            run.log.info(f"Early stopping behind epoch {epoch.number}: the accuracy gets no better.")
            break
    return kept.best


def _told(run: Run, epoch: Any) -> None:
    at = f"Epoch[{epoch.number}]"
    for name, value in epoch.train.items():
        run.log.info(f"{at} Train-{name}={value:.6f}")
    run.log.info(f"{at} Time cost={epoch.seconds:.3f}")
    for name, value in (epoch.validation or {}).items():
        run.log.info(f"{at} Validation-{name}={value:.6f}")
