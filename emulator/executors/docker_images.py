"""Images: pulled when the user allows it, with progress in the log, and listed as an ECR repository would hold them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from emulator.ports import LocalImage

if TYPE_CHECKING:
    from docker import DockerClient

REPORT_SECONDS = 1.0
_DONE = ("Pull complete", "Already exists")
_UNTAGGED = "<none>"


class PullFailed(Exception):
    """The image is not there and cannot be fetched; the text is a sentence with the remedy."""


def pull(client: DockerClient, name: str, say: Callable[[str], None]) -> None:
    """Fetch an image; `say` gets a line now and then. Credentials are those of `docker login`."""
    from docker.errors import APIError

    say(f"Sagelet pulls the image {name}.")
    repository, reference = split_name(name)
    try:
        events = client.api.pull(repository, tag=reference, stream=True, decode=True)
        _report(events, say)
    except APIError as problem:
        raise PullFailed(failure(name, problem.explanation or str(problem))) from problem
    except OSError as problem:
        raise PullFailed(failure(name, str(problem))) from problem
    say(f"Sagelet has pulled the image {name}.")


def _report(events: Iterable[Mapping[str, Any]], say: Callable[[str], None]) -> None:
    from docker.errors import APIError

    layers: dict[str, bool] = {}
    last, due = "", time.monotonic() + REPORT_SECONDS
    for event in events:
        if "error" in event:
            raise APIError(str(event["error"]), explanation=str(event["error"]))
        status, layer = str(event.get("status", "")), str(event.get("id", ""))
        if status == "Pulling fs layer" or status in _DONE:
            layers[layer] = status in _DONE
        now, line = time.monotonic(), f"Pulling: {sum(layers.values())} of {len(layers)} layers are here."
        if layers and now >= due and line != last:
            say(line)
            last, due = line, now + REPORT_SECONDS


_REMEDIES = (
    (
        r"no basic auth|denied|unauthorized|authentication required",
        "The registry wants credentials or knows no such image: sign in with `docker login`, and check the name.",
    ),
    (r"not found|manifest unknown|does not exist", "The registry has no such image: check its name and tag."),
    (
        r"no matching manifest",
        "The registry has it for other processors only: name an image for this one, or pull it yourself with "
        "`docker pull --platform`.",
    ),
    (r"no space left", "The engine's disk is full: `docker system prune` frees what is not used."),
)
_OFFLINE = "The registry cannot be reached: connect to its network, or bring the image with `docker load`."


def failure(name: str, words: str) -> str:
    """The registry's or the engine's refusal as a sentence with the remedy."""
    remedy = next((sentence for pattern, sentence in _REMEDIES if re.search(pattern, words, re.I)), _OFFLINE)
    return f"The image {name} cannot be pulled. {remedy} ({words.strip().splitlines()[0] if words.strip() else '?'})"


def split_name(name: str) -> tuple[str, str]:
    """An image's name as the API's pull takes it: (repository with registry, tag or digest)."""
    if "@" in name:
        repository, _, digest = name.partition("@")
        return re.sub(r":[^/:]+$", "", repository), digest
    tagged = re.fullmatch(r"(?P<repository>.+):(?P<tag>[^/:]+)", name)
    return (tagged.group("repository"), tagged.group("tag")) if tagged else (name, "latest")


def local_images(client: DockerClient, repository: str) -> list[LocalImage]:
    """What the engine holds under the name of a repository, of whatever registry; the newest first."""
    found = []
    for entry in client.api.images():
        tags = [tag for name in entry.get("RepoTags") or () if (tag := _under(name, repository, ":"))]
        digests = [digest for name in entry.get("RepoDigests") or () if (digest := _under(name, repository, "@"))]
        if (tags and tags != [_UNTAGGED]) or digests:
            kept = tuple(dict.fromkeys(tag for tag in tags if tag != _UNTAGGED))
            # An image that was built here has no digest of a registry; its own id is one of the same form.
            digest = digests[0] if digests else str(entry["Id"])
            found.append(LocalImage(kept, digest, int(entry["Size"]), _seconds(entry["Created"])))
    return sorted(found, key=lambda image: image.pushed_at, reverse=True)


def _under(name: str, repository: str, mark: str) -> str:
    """The tag or digest of `name` when it belongs to `repository`, with or without a registry before it."""
    path, _, rest = name.rpartition(mark)
    registry, slash, tail = path.partition("/")
    hosted = slash and ("." in registry or ":" in registry or registry == "localhost")
    return rest if repository in (path, tail if hosted else path) else ""


def _seconds(created: Any) -> float:
    """Docker's time is a number of seconds, Podman's may be a text."""
    if isinstance(created, int | float):
        return float(created)
    return datetime.fromisoformat(re.sub(r"\.\d+|Z$", "", str(created))).timestamp()
