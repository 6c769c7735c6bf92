"""The instances of an endpoint as its record keeps them, so that a restart finds the model server of each again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from emulator import ids
from emulator.hosts.plan import VariantPlan
from emulator.servers import ServerSpec
from emulator.store.records import Record

Instance = dict[str, str]
"""`variant`, `instance` (its id), `run_id` of its server, and the `generation` that it belongs to."""


def new(variant: VariantPlan, generation: int) -> Instance:
    """One that has not been started."""
    return {
        "variant": variant.name,
        "instance": f"i-{ids.hex_id(17)}",
        "run_id": f"host-{ids.short_id(16)}",
        "generation": str(generation),
    }


def added(record: Record, instance: Instance, replaced: str = "") -> Record:
    """In the place of the one that it replaces, or a restart would look for the dead and forget the living."""
    kept = _kept(record)
    place = next((n for n, known in enumerate(kept) if known["run_id"] == replaced), len(kept))
    return replace(record, hidden={**record.hidden, "hosts": [*kept[:place], instance, *kept[place + 1 :]]})


def removed(record: Record, generation: int) -> Record:
    """The record without the instances of a generation."""
    rest = [instance for instance in _kept(record) if instance["generation"] != str(generation)]
    return replace(record, hidden={**record.hidden, "hosts": rest})


def server(record: Record, variant: VariantPlan, instance: Mapping[str, str], data_dir: str | Path) -> ServerSpec:
    """The model server of an instance."""
    return ServerSpec(
        run_id=instance["run_id"],
        arn=record.arn,
        image=variant.image,
        model_data=variant.model_data,
        folder=Path(data_dir) / "work" / instance["run_id"],
        log_group=f"/aws/sagemaker/Endpoints/{record.key}",
        log_stream=f"{variant.name}/{instance['instance']}",
        environment=dict(variant.environment),
        network=variant.network,
        uncompressed=variant.uncompressed,
        role=variant.role,
    )


def known(
    record: Record, generation: int, wanted: tuple[VariantPlan, ...], data_dir: str | Path
) -> dict[str, tuple[tuple[str, ServerSpec], ...]]:
    """The servers that a generation had before the house was started anew, by variant, each with its instance's id."""
    mine = [instance for instance in _kept(record) if instance["generation"] == str(generation)]
    return {
        variant.name: tuple(
            (instance["instance"], server(record, variant, instance, data_dir))
            for instance in mine
            if instance["variant"] == variant.name
        )
        for variant in wanted
    }


def all_servers(record: Record, data_dir: str | Path) -> Iterator[ServerSpec]:
    """Those of all generations, as far as it takes to find and stop them: what ran in them is not said."""
    for instance in _kept(record):
        yield server(record, VariantPlan(instance["variant"], "", ""), instance, data_dir)


def _kept(record: Record) -> list[Instance]:
    return list(record.hidden.get("hosts", ()))
