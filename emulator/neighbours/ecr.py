"""ECR shows what the local engine holds under a repository's name, besides what was put into moto's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from emulator.errors import CallerFault, NotBuilt, Validation
from emulator.neighbours.asked import Asked
from emulator.neighbours.http import HttpReply
from emulator.neighbours.replies import answer_json
from emulator.ports import LocalImage

if TYPE_CHECKING:
    from emulator.neighbours.neighbours import Neighbours

PAGE = 100
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIGURATION = "application/vnd.docker.container.image.v1+json"


def describe_images(front: Neighbours, asked: Asked) -> HttpReply | None:
    """All images of a repository, or those that were named; None where the engine has nothing of that name."""
    images = _images(front, asked)
    if images is None or isinstance(images, HttpReply):
        return images
    wanted = asked.params().get("imageIds") or []
    found = [image for image in images if not wanted or any(_means(named, image) for named in wanted)]
    for named in wanted:
        if not any(_means(named, image) for image in found):
            raise _missing(named, asked)
    return _page([image for image in found if _passes(image, asked)], asked, "imageDetails")


def list_images(front: Neighbours, asked: Asked) -> HttpReply | None:
    """The images' digests and tags, one entry a tag; None where the engine has nothing of that name."""
    images = _images(front, asked)
    if images is None or isinstance(images, HttpReply):
        return images
    return _page([ident for image in images if _passes(image, asked) for ident in _idents(image)], asked, "imageIds")


def batch_get_image(front: Neighbours, asked: Asked) -> HttpReply | None:
    """Manifests are moto's. What only the engine holds has none that it would tell."""
    local = [_shown(image, asked) for image in _local(front, asked)]
    own = _own(front, asked) if local else []
    if isinstance(own, HttpReply):
        return own
    for named in asked.params().get("imageIds") or []:
        if any(_means(named, image) for image in local) and not any(_means(named, image) for image in own):
            raise NotBuilt(
                f"ecr BatchGetImage of {named} is not built: the image is in the local engine, which does not tell its "
                "manifest. DescribeImages shows its digest; run it by its name."
            )
    return None


def _images(front: Neighbours, asked: Asked) -> list[dict[str, Any]] | HttpReply | None:
    """moto's images and the engine's: a digest once, a tag where the engine has it."""
    local = [_shown(image, asked) for image in _local(front, asked)]
    if not local:
        return None
    own = _own(front, asked)
    if isinstance(own, HttpReply):
        return own  # there is no such repository
    taken = {tag for image in local for tag in image.get("imageTags", ())}
    digests = {image["imageDigest"] for image in local}
    return local + [_without(image, taken) for image in own if image["imageDigest"] not in digests]


def _local(front: Neighbours, asked: Asked) -> list[LocalImage]:
    name = asked.params().get("repositoryName")
    return list(front.local_images(str(name))) if name else []


def _own(front: Neighbours, asked: Asked) -> list[dict[str, Any]] | HttpReply:
    params = asked.params()
    members = {name: params[name] for name in ("repositoryName", "registryId") if params.get(name)}
    reply = front.desk.forward(asked.as_operation("DescribeImages", members))
    if reply.status != 200 or not isinstance(reply.body, bytes):
        return reply
    found: list[dict[str, Any]] = json.loads(reply.body)["imageDetails"]
    return found


def _shown(image: LocalImage, asked: Asked) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "registryId": asked.scope.account,
        "repositoryName": asked.params()["repositoryName"],
        "imageDigest": image.digest,
        "imageSizeInBytes": image.size_bytes,
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": MANIFEST,
        "artifactMediaType": CONFIGURATION,
    }
    return {**shown, "imageTags": list(image.tags)} if image.tags else shown


def _without(image: Mapping[str, Any], taken: set[str]) -> dict[str, Any]:
    """An image that has lost the tags which another one was given since."""
    tags = [tag for tag in image.get("imageTags", ()) if tag not in taken]
    rest = {name: value for name, value in image.items() if name != "imageTags"}
    return {**rest, "imageTags": tags} if tags else rest


def _means(named: Mapping[str, str], image: Mapping[str, Any]) -> bool:
    digest, tag = named.get("imageDigest"), named.get("imageTag")
    tagged: bool = tag is None or tag in image.get("imageTags", ())
    return tagged and digest in (None, image["imageDigest"])


def _idents(image: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    digest = {"imageDigest": image["imageDigest"]}
    tags = image.get("imageTags") or [None]
    return ({**digest, "imageTag": tag} if tag else digest for tag in tags)


def _passes(image: Mapping[str, Any], asked: Asked) -> bool:
    status = (asked.params().get("filter") or {}).get("tagStatus", "ANY")
    return bool(status == "ANY" or (status == "TAGGED") == bool(image.get("imageTags")))


def _missing(named: Mapping[str, str], asked: Asked) -> CallerFault:
    digest, tag = named.get("imageDigest", "null"), named.get("imageTag", "null")
    return CallerFault(
        f"The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within the repository "
        f"with name '{asked.params()['repositoryName']}' in the registry with id '{asked.scope.account}'",
        "ImageNotFoundException",
    )


def _page(found: list[Any], asked: Asked, member: str) -> HttpReply:
    params = asked.params()
    token, size = str(params.get("nextToken") or "0"), params.get("maxResults") or PAGE
    if not token.isdigit() or not isinstance(size, int):
        raise Validation("Invalid parameter at 'nextToken' or 'maxResults'", "InvalidParameterException")
    start = int(token)
    members: dict[str, Any] = {member: found[start : start + size]}
    if start + size < len(found):
        members["nextToken"] = str(start + size)
    return answer_json(members)
