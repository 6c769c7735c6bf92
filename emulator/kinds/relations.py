"""How records hang together beside one record's naming of another: the relations of the store's links."""

from __future__ import annotations

IN_TRIAL = "Trial"
"""From a trial component to each trial that it is associated with."""

IN_EXPERIMENT = "Experiment"
"""From a trial component to the experiments of those trials."""

ASSOCIATION = "Association"
"""From one lineage entity to another."""
