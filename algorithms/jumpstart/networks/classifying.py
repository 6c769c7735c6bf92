"""The training of any network that classifies, told in the log as Keras tells it, a line an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as compute
from networks.measures import MEASURES
from networks.training import Training
from torch import Tensor


class Classifying(Training):
    """Of examples that have `labels`, which are classes from 0."""

    def lost(self, examples: Any, numbers: Sequence[int], learning: bool) -> tuple[Tensor, Any]:
        scores, labels = self.network(*examples.inputs(numbers, learning)), examples.labels[list(numbers)]
        loss = self._loss(scores, labels)
        return loss, (float(loss.detach()), _chances(scores.detach()), labels)

    def measured(self, told: list[Any]) -> dict[str, float]:
        losses, chances, labels = zip(*told, strict=True)
        loss = np.average(losses, weights=[len(one) for one in labels])
        names = dict.fromkeys(("accuracy", self._metric))
        every = np.concatenate(chances), np.concatenate(labels)
        return {"loss": float(loss), **{name: MEASURES[name](*every) for name in names}}

    def watched(self, found: Mapping[str, float]) -> float:
        return found[f"val_{self._metric}"]

    def say(self, steps: int, seconds: float, found: Mapping[str, float]) -> None:
        """Keras's line, and values with `=`, as the developer guide's regular expressions have them."""
        told = " - ".join(f"{name}: {value:.4f}" for name, value in found.items())
        print(f"{steps}/{steps} - {seconds:.0f}s - {told} - {seconds * 1000 / steps:.0f}ms/step", flush=True)
        shown = ", ".join(f"{name}={value:.4f}" for name, value in found.items() if name.startswith("val_"))
        print(f"Metrics: {shown}", flush=True)

    @property
    def _metric(self) -> str:
        return str(self.values.get("eval_metric", "accuracy"))

    def _loss(self, scores: Tensor, labels: Any) -> Tensor:
        smooth, wanted = self.values.get("label_smoothing", 0.0), torch.as_tensor(labels)
        if scores.shape[1] > 1:
            return compute.cross_entropy(scores, wanted, label_smoothing=smooth)
        soft = wanted.to(torch.float32) * (1 - smooth) + smooth / 2
        return compute.binary_cross_entropy_with_logits(scores[:, 0], soft)


def _chances(scores: Tensor) -> Any:
    return (scores.softmax(dim=1) if scores.shape[1] > 1 else scores.sigmoid()).numpy()
