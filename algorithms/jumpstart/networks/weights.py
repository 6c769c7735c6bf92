"""Where a network's values come from and go to: the channel `model`, an artifact, or chance where that is allowed."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from common import model
from common.failing import Refused
from networks import scratch
from networks.start import Work
from torch import nn

FILE, FOREIGN, FORMS = "model.pt", "saved_model.pb", (".pth", ".pt")
"""A state_dict as `torch.load` reads it; TensorFlow's own file; and how those of pretrained networks end."""

LABELS = "class_label_to_prediction_index.json"


@dataclass(frozen=True)
class Beginning:
    """Values to begin with: of an earlier job of ours, which `facts` tells of, or of a pretrained network;
    `files` are all that the channel has, by name."""

    values: Mapping[str, Any]
    facts: Mapping[str, Any] | None
    files: Mapping[str, Path]

    def keeps(self, values: Mapping[str, Any], classes: Sequence[Any]) -> bool:
        """Whether the last layer stays: Auto keeps it of a model of ours and makes it anew for a pretrained one.
        Refused when it would stay and tells other classes than the data have."""
        wanted = values["reinitialize_top_layer"]
        if wanted == "True" or (wanted == "Auto" and self.facts is None):
            return False
        known = self.facts["labels"] if self.facts else classes
        if list(known) != list(classes):
            raise Refused(
                f"The model in the channel model knows the classes {_listed(known)}, and the data have "
                f"{_listed(classes)}. They have to be the same, or set reinitialize_top_layer to True."
            )
        return True


def given(work: Work) -> Beginning | None:
    """What the channel `model` has; None where training begins by chance. Refused where that was not allowed."""
    told = os.environ.get("SM_CHANNEL_MODEL", "")
    files = _unpacked(Path(told)) if told else {}
    if FOREIGN in files:
        raise Refused(
            f"The channel model holds a SavedModel of TensorFlow's, and PyTorch, which stands in for it, cannot read "
            f"one. Give the ModelArtifacts of a training job of {work.told['model_id']} here, or leave the channel out."
        )
    if model.SAVED in files:
        return _earlier(work, files)
    pretrained = sorted(name for name in files if name.endswith(FORMS))
    if pretrained:
        return Beginning(_read(files[pretrained[0]]), None, files)
    if not scratch.allowed():
        raise Refused(
            f"{work.told['model_id']} is fine-tuned from pretrained weights, and there are none here: the artifact "
            f"that the bucket has for it is empty. {work.told['pretrained']}, or {scratch.REMEDY}"
        )
    print(
        "Training begins from scratch, as was allowed: no pretrained weights are here, so that more data and more "
        "epochs are needed than on AWS.",
        flush=True,
    )
    return None


def demand_learned(values: Mapping[str, Any], learned: bool) -> None:
    """Refused where the last layer alone is to learn, of a network that has not."""
    if values["train_only_on_top_layer"] == "True" and not learned:
        raise Refused(
            "train_only_on_top_layer=True teaches the last layer of a network that has learned before, and this one "
            "begins by chance. Set it to False, or give a model in the channel model."
        )


def _earlier(work: Work, files: Mapping[str, Path]) -> Beginning:
    facts = json.loads(files[model.SAVED].read_text(encoding="utf-8"))
    if facts.get("network") != work.told["network"] or FILE not in files:
        raise Refused(
            f"The channel model holds a model of {facts.get('model_id')}; {work.told['model_id']} goes on from one of "
            "its own training jobs alone."
        )
    print(f"Training goes on from an earlier model of {facts['model_id']}.", flush=True)
    return Beginning(_read(files[FILE]), facts, files)


def _read(path: Path) -> Any:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(found, Mapping):
            raise TypeError(f"it holds a {type(found).__name__}")
    except Exception as error:  # PyTorch has no one kind of error for files that are not its own.
        raise Refused(f"{path.name} of the channel model is no state_dict of PyTorch's: {error}") from error
    return found


def put(network: nn.Module, values: Mapping[str, Any], top: tuple[str, ...] = ()) -> None:
    """Take values over, but those whose names begin as `top`; Refused when one is missing or has another shape."""
    kept = network.state_dict()
    taken = {}
    for name, value in kept.items():
        if name.startswith(top or ("\0",)):
            taken[name] = value
        elif name not in values or values[name].shape != value.shape:
            found = "none" if name not in values else tuple(values[name].shape)
            raise Refused(
                f"The values of the channel model do not fit the network: of {name} there is {found}, and "
                f"{tuple(value.shape)} is needed."
            )
        else:
            taken[name] = values[name]
    network.load_state_dict(taken)


def save(work: Work, network: nn.Module, facts: Mapping[str, Any]) -> None:
    """The artifact: values, what is known of them (`labels` at least), the mapping of labels, and the code that
    serves."""
    torch.save(network.state_dict(), model.folder() / FILE)
    mapping = {str(label): place for place, label in enumerate(facts["labels"])}
    (model.folder() / LABELS).write_text(json.dumps(mapping), encoding="utf-8")
    model.save({"model_id": work.told["model_id"], "network": work.told["network"], **facts})


def saved(folder: str) -> Any:
    """The values in an artifact."""
    return torch.load(Path(folder) / FILE, map_location="cpu", weights_only=True)


def _listed(classes: Sequence[Any]) -> str:
    return ", ".join(map(str, classes))


def _unpacked(folder: Path) -> dict[str, Path]:
    """The files of a channel by name, archives unpacked beside it.

    By their bare names, which can lead nowhere else: Python 3.11.2, Debian's, has no filters for archives yet.
    """
    place = Path(os.environ.get("TMPDIR", "/tmp")) / "model-channel"
    place.mkdir(exist_ok=True)
    for path in sorted(folder.rglob("*.gz")):
        try:
            with tarfile.open(path) as archive:
                for member in filter(tarfile.TarInfo.isfile, archive):
                    with (place / Path(member.name).name).open("wb") as file:
                        shutil.copyfileobj(archive.extractfile(member), file)
        except (tarfile.TarError, OSError, EOFError) as error:
            raise Refused(f"{path.name} of the channel model cannot be unpacked: {error}") from error
    return {path.name: path for root in (folder, place) for path in sorted(root.rglob("*")) if path.is_file()}
