"""Kinds of hyperparameters that the algorithms for pictures have and no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from algorithms.common.hyperparameters import Hyperparameter


@dataclass(frozen=True)
class ImageShape(Hyperparameter):
    """`channels,height,width`; the value is the text."""

    def valid(self) -> list[str]:
        return ["3,224,224", "1,28,28", "3, 32, 48"]

    def invalid(self) -> list[str]:
        return ["", "224", "224,224", "2,224,224", "3,0,224", "3,a,224", "3,224,224,1"]

    def says(self) -> str:
        return "channels,height,width with 1 or 3 channels"

    def _parse(self, text: str) -> Any:
        sizes(text)
        return text

    def _holds(self, value: Any) -> bool:
        channels, height, width = sizes(value)
        return channels in (1, 3) and height > 0 and width > 0


def sizes(text: str) -> tuple[int, int, int]:
    """Channels, height and width."""
    channels, height, width = (int(part) for part in text.split(","))
    return channels, height, width


@dataclass(frozen=True)
class Steps(Hyperparameter):
    """Epochs after which the rate falls: `10,20,30`; the value is the text."""

    def valid(self) -> list[str]:
        return ["10", "10,20,30", "1, 2"]

    def invalid(self) -> list[str]:
        return ["ten", "0", "20,10", "10,", "-1", "1.5"]

    def says(self) -> str:
        return "of rising epochs, separated by commas"

    def _parse(self, text: str) -> Any:
        epochs(text)
        return text

    def _holds(self, value: Any) -> bool:
        found = epochs(value)
        return all(one > 0 for one in found) and found == sorted(set(found))


def epochs(text: str) -> list[int]:
    """The numbers of a text; none of an empty one."""
    return [int(part) for part in text.split(",")] if text.strip() else []
