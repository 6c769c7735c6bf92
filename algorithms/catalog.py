"""Which algorithms there are and which image URIs mean them, read from `algorithms/*/manifest.json`.

The only file of the payload that the server imports: standard library only, and nothing is read before it is asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

FOLDER = Path(__file__).resolve().parent
JUMPSTART = "jumpstart-cache-prod-"
NEWEST = (9999,)
"""The version of an image that does not say one: it behaves as the newest does."""


@dataclass(frozen=True)
class ImageName:
    """An image URI taken apart: `registry/repository:tag@digest`, each part empty when it is not said."""

    registry: str
    repository: str
    tag: str
    digest: str


@dataclass(frozen=True)
class Framework:
    """The library whose version the tags of a family's images name.

    `module` is what is imported, `distribution` what pip calls it (or that with `-cpu` behind it), `extra` the extra of
    sagelet that brings it, empty when it comes without one; `tag` is the pattern whose group is the version in a tag.
    """

    module: str
    distribution: str
    extra: str = ""
    tag: str = r"(\d+(?:\.\d+)*)"


@dataclass(frozen=True)
class Algorithm:
    """One built-in algorithm or framework, as its manifest describes it.

    `repositories` are names of ECR repositories (fnmatch patterns allowed); `train` and `serve` are `module:function`,
    empty when there is no such verb; `preload` are modules that may be imported once and forked often; `image` is the
    tag that `make images` gives to our own image of the family, empty without one; `metrics` are MetricDefinitions;
    `requires` says for each library that is not in the standard library how to install it; `versions` says what a
    repository's tags mean that are not version numbers; `commands` is whether a command of the caller's (a processing
    job's `python3 x.py`) may run where this family runs, and `prepare` the `module:function` that makes ready what such
    a command runs in, as a process, and returns what it finds in its environment. `definition` is the `module:value`
    that says what a built-in algorithm takes, empty for what is none; `checkpoints` is the first version of its image
    that goes on from a checkpoint, empty when none does; `instances` are the classes of instance types (CPU, GPU) that
    AWS names for its training, and `objectives` the metrics that a tuning job may optimize, each with its direction.
    """

    name: str
    repositories: tuple[str, ...]
    train: str
    serve: str
    preload: tuple[str, ...]
    image: str
    metrics: tuple[Mapping[str, str], ...]
    requires: Mapping[str, str]
    versions: Mapping[str, Mapping[str, str]]
    commands: bool = False
    prepare: str = ""
    run: str = ""
    bin: str = ""
    framework: Framework | None = None
    definition: str = ""
    checkpoints: str = ""
    instances: tuple[str, ...] = ()
    objectives: Mapping[str, str] = field(default_factory=dict)

    def version(self, image_uri: str) -> tuple[int, ...]:
        """The version that an image URI of this family stands for: `…/sagemaker-xgboost:1.7-1` is (1, 7, 1)."""
        numbers = re.match(r"\d+(?:[.-]\d+)*", self._tag(image_uri))
        return tuple(int(n) for n in re.findall(r"\d+", numbers.group())) if numbers else NEWEST

    def goes_on(self, image_uri: str) -> bool:
        """Whether a job of this image goes on from its checkpoint."""
        return bool(self.checkpoints) and self.version(image_uri) >= _numbers(self.checkpoints)

    def framework_versions(self, image_uri: str) -> tuple[str, str]:
        """(the framework's version that the tag asks for, the one installed here), each empty when there is none."""
        if self.framework is None:
            return "", ""
        wanted = self.framework.tag
        # A plain number stands at the head of a tag; one with a word before it stands anywhere.
        find = re.match if wanted == Framework.tag else re.search
        asked = find(wanted, self._tag(image_uri))
        name = self.framework.distribution
        return asked.group(1) if asked else "", _installed(name) or _installed(f"{name}-cpu")

    def _tag(self, image_uri: str) -> str:
        image = parse(image_uri)
        return self.versions.get(image.repository, {}).get(image.tag or "latest", image.tag)


def parse(image_uri: str) -> ImageName:
    """Take an image URI apart. The first part is a registry when it looks like a host name, as Docker decides."""
    rest, _, digest = image_uri.strip().partition("@")
    registry, slash, path = rest.partition("/")
    if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
        registry, path = "", rest
    repository, _, tag = path.partition(":")
    return ImageName(registry, repository, tag, digest)


def find(image_uri: str) -> Algorithm | None:
    """The algorithm that an image URI means, by its repository's name alone: any account, region and tag."""
    repository = parse(image_uri).repository
    for algorithm in _all():
        if repository and repository == algorithm.image.partition(":")[0]:
            return algorithm
        if any(fnmatchcase(repository, pattern) for pattern in algorithm.repositories):
            return algorithm
    return None


def published(bucket: str) -> Mapping[str, bytes]:
    """What the public bucket of that name holds here, by key: JumpStart's of a region. Nothing for any other bucket."""
    if not bucket.startswith(JUMPSTART):
        return {}
    from algorithms.jumpstart import bucket as jumpstart

    return jumpstart.objects(bucket.removeprefix(JUMPSTART))


def specification(image_uri: str, instance_types: Iterable[str]) -> Mapping[str, Any] | None:
    """The TrainingSpecification of the built-in algorithm that an image URI means; None for any other image."""
    algorithm = find(image_uri)
    if algorithm is None or not algorithm.definition:
        return None
    from algorithms import specification as described

    return described.training(algorithm, image_uri, instance_types)


def get(name: str) -> Algorithm:
    """The algorithm of that folder; KeyError with the names that there are."""
    for algorithm in _all():
        if algorithm.name == name:
            return algorithm
    raise KeyError(f"no algorithm is named {name!r}; there are: {', '.join(names())}")


def names() -> tuple[str, ...]:
    """All algorithms by name, sorted."""
    return tuple(algorithm.name for algorithm in _all())


def conflicts() -> tuple[str, ...]:
    """What is wrong with the installed libraries, each as a sentence with its remedy; empty when nothing is.

    The distributions `xgboost` and `xgboost-cpu` write the same folder: pip installs both without a word, the later one
    wins, and removing either breaks the other. See docs/adr/0006-xgboost-distribution.md.
    """
    remedy = "pip uninstall -y xgboost xgboost-cpu && pip install 'xgboost-cpu>=3.0.5,<3.1'"
    found = {name: version for name in ("xgboost", "xgboost-cpu") if (version := _installed(name))}
    if len(found) == 2:
        both = " and ".join(f"{name} {version}" for name, version in found.items())
        return (f"{both} are both installed and overwrite each other's files. Keep one: {remedy}",)
    for name, version in found.items():
        if not _has_files(name):
            return (f"{name} {version} is installed but its files are gone (removing its twin does that): {remedy}",)
        if not (3, 0, 5) <= _numbers(version) < (3, 1):
            return (
                f"{name} {version} is installed; tested is 3.0.5 up to, not including, 3.1, which refuses models "
                f"in the binary format of the images 1.3-1 to 1.7-1: {remedy}",
            )
    return ()


@cache
def _all() -> tuple[Algorithm, ...]:
    return tuple(_read(path) for path in sorted(FOLDER.glob("*/manifest.json")))


def _read(path: Path) -> Algorithm:
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Algorithm(
        name=told["name"],
        repositories=tuple(told["repositories"]),
        train=told.get("train", ""),
        serve=told.get("serve", ""),
        preload=tuple(told.get("preload", ())),
        image=told.get("image", ""),
        metrics=tuple(MappingProxyType(dict(metric)) for metric in told.get("metrics", ())),
        requires=MappingProxyType(dict(told.get("requires", {}))),
        versions=MappingProxyType(dict(told.get("versions", {}))),
        commands=bool(told.get("commands", False)),
        prepare=told.get("prepare", ""),
        run=told.get("run", ""),
        bin=told.get("bin", ""),
        framework=Framework(**told["framework"]) if "framework" in told else None,
        definition=told.get("definition") or told.get("declares", ""),
        checkpoints=told.get("checkpoints", ""),
        instances=tuple(told.get("instances", ())),
        objectives=MappingProxyType(
            {name: direction for direction, names in told.get("objectives", {}).items() for name in names}
        ),
    )


def _installed(distribution: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _has_files(distribution: str) -> bool:
    from importlib import metadata

    listed = metadata.files(distribution) or []
    return any(str(file) == "xgboost/core.py" and Path(str(file.locate())).exists() for file in listed)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version)[:3])
