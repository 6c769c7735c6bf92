"""Feature groups: the stores behind them are work."""

from __future__ import annotations

from emulator.kinds.kind import Kind, Missing, Taken

KINDS = (
    Kind(
        "FeatureGroup",
        work=True,
        missing=Missing(
            "ResourceNotFound",
            "Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name {name}",
        ),
        taken=Taken(
            "ResourceInUse",
            "Resource Already Exists: FeatureGroup with name {name} already exists. Choose a different name.\n"
            "Info: Feature Group '{name}' already exists.",
        ),
    ),
)
