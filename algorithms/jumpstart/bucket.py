"""The objects of a region's JumpStart bucket: the manifest, a specification a model, scripts, and artifacts.

Made anew from the folders of this room, the same bytes each time, so that an ETag changes only with what it stands for.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from functools import cache
from typing import Any

from algorithms.jumpstart import families, specs
from algorithms.jumpstart.families import Family

MANIFESTS = ("models_manifest.json", "proprietary-sdk-manifest.json")
NONE = {
    "model_id": "no-proprietary-model-is-here",
    "version": "0.0.0",
    "min_version": "9999.0.0",
    "spec_key": "proprietary-models/none.json",
    "search_keywords": [],
}
"""`list_jumpstart_models` reads the first entry of either manifest unguarded; one for a later SDK is never listed."""
UNTRAINED = (
    "This is the artifact that JumpStart demands as channel `model`. It holds no model: training begins without one, "
    "and an endpoint needs the artifact of a training job.\n"
)


@cache
def objects(region: str) -> Mapping[str, bytes]:
    """Objects by key; nothing for what is no region."""
    if not specs.is_region(region):
        return {}
    made, listed = {MANIFESTS[1]: _json([NONE]), **_archives()}, []
    for family in families.every():
        for model in family.models:
            spec = specs.spec(family, model, region)
            key = f"community_models/{spec['model_id']}/specs_v{spec['version']}.json"
            made[key] = _json(spec)
            listed.append(_listed(spec, key))
    return {**made, MANIFESTS[0]: _json(listed)}


def stand_in(key: str) -> str:
    """What computes the jobs of a script in place of what its family is named after; empty where nothing does."""
    return next((each.stand_in for each in families.every() if key.startswith(specs.scripts_of(each))), "")


@cache
def _archives() -> Mapping[str, bytes]:
    """Scripts and artifacts of all models: packed once, as they are the same in every region."""
    return {key: data for family in families.every() for key, data in _of_family(family).items()}


def _of_family(family: Family) -> dict[str, bytes]:
    made, untrained = {}, _archive({"README.txt": UNTRAINED.encode()})
    for model in family.models:
        keys, told = specs.keys(family, model), {"told.json": _json(specs.told(family, model))}
        inference = {**families.scripts(family, "inference"), **told}
        training = {**families.scripts(family, "training"), **told}
        # What is put into the artifact, so that it can be deployed without naming a script.
        training |= {f"inference/{name}": data for name, data in inference.items()}
        made[keys["training_script_key"]] = _archive(training)
        made[keys["hosting_script_key"]] = _archive(inference)
        for member in ("training_artifact_key", "hosting_artifact_key"):
            made[keys[member]] = untrained
    return made


def _listed(spec: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {
        "model_id": spec["model_id"],
        "version": spec["version"],
        "min_version": spec["min_sdk_version"],
        "spec_key": key,
        "search_keywords": [],
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()


def _archive(files: Mapping[str, bytes]) -> bytes:
    """A tar.gz that says nothing of when it was made."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w") as tar,
    ):
        for name, data in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()
