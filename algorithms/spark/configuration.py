"""`configuration.json` of a Spark job, in the form of EMR's classifications: files of Spark's conf folder, variables.

https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-configure-apps.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

PROPERTIES = {
    "spark-defaults": "spark-defaults.conf",
    "spark-log4j": "log4j.properties",
    "spark-log4j2": "log4j2.properties",
    "spark-metrics": "metrics.properties",
}
SITES = {"core-site": "core-site.xml", "hdfs-site": "hdfs-site.xml", "spark-hive-site": "hive-site.xml"}
VARIABLES = ("spark-env", "hadoop-env", "yarn-env")
IGNORED = ("yarn-site",)
"""There is no YARN on a local master."""
DEFAULTS = "spark-defaults"


class BadConfiguration(ValueError):
    """The file is not what the service's image would take."""


@dataclass
class Configuration:
    """What a job's `configuration.json` asks for."""

    files: dict[str, dict[str, str]] = field(default_factory=dict)
    """Properties by classification."""
    variables: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)

    def write(self, folder: Path, defaults: Mapping[str, str]) -> None:
        """Fill Spark's conf folder; `defaults` are of spark-defaults, and the job's own go before them."""
        files = {**self.files, DEFAULTS: {**defaults, **self.files.get(DEFAULTS, {})}}
        for name, properties in files.items():
            if name in SITES:
                (folder / SITES[name]).write_bytes(_site(properties))
            else:
                between = " " if name == DEFAULTS else "="
                lines = [f"{key}{between}{value}\n" for key, value in properties.items()]
                (folder / PROPERTIES[name]).write_text("".join(lines), encoding="utf-8")


def read(path: Path) -> Configuration:
    """The configuration of a job; an empty one when the file is not there."""
    if not path.is_file():
        return Configuration()
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadConfiguration(f"{path} is not JSON: {error}") from error
    found = Configuration()
    for part in told if isinstance(told, list) else [told]:
        _take(found, part)
    return found


def _take(found: Configuration, part: Any) -> None:
    if not isinstance(part, Mapping) or not isinstance(part.get("Classification"), str):
        raise BadConfiguration(f"each part of the configuration needs a Classification: {part!r}")
    name = part["Classification"]
    if name in VARIABLES:
        found.variables |= dict(_exported(part))
    elif name in PROPERTIES or name in SITES:
        found.files.setdefault(name, {}).update(_properties(part))
    elif name in IGNORED:
        found.ignored.append(name)
    else:
        known = ", ".join([*PROPERTIES, *SITES, *VARIABLES, *IGNORED])
        raise BadConfiguration(f"the Classification {name!r} is not known; there are: {known}")


def _exported(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _properties(part).items()
    for inner in part.get("Configurations") or ():
        yield from _exported(inner)


def _properties(part: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in (part.get("Properties") or {}).items()}


def _site(properties: Mapping[str, str]) -> bytes:
    root = ElementTree.Element("configuration")
    for key, value in properties.items():
        entry = ElementTree.SubElement(root, "property")
        ElementTree.SubElement(entry, "name").text = key
        ElementTree.SubElement(entry, "value").text = value
    return bytes(ElementTree.tostring(root, encoding="utf-8"))
