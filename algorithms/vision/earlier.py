"""The model of an earlier job, or the weights of ImageNet that are not here."""

from __future__ import annotations

from algorithms.common.earlier import members
from algorithms.common.faults import UserError
from algorithms.first_party.definition import MODEL_CHANNEL as CHANNEL
from algorithms.first_party.run import Run


def given(run: Run, on: str, off: str) -> dict[str, bytes] | None:
    """The files of the channel `model`, None without one. UserError where `use_pretrained_model`, which is `on`, then
    demands weights that are not here.
    """
    if run.has(CHANNEL):
        return members(run.layout.channel(CHANNEL))
    if run.values["use_pretrained_model"]:
        raise UserError(
            f"use_pretrained_model is {on}, and this container has no weights that were trained on ImageNet: give the "
            f"model of an earlier job in a channel '{CHANNEL}', or set use_pretrained_model to {off}."
        )
    return None
