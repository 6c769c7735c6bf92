"""Versions of Studio's images, as records: what they may be made of, and their aliases. Nothing is pulled or built."""

from __future__ import annotations

import re
from dataclasses import replace

from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import InUse, Validation
from emulator.kinds.kind import ASC
from emulator.resources import making, moving, parts, versions

ECR = re.compile(
    r"\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9][a-z0-9._/-]*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?"
)
NAMING = ("Version", "Alias", "AliasesToAdd", "AliasesToDelete")


def create_image_version(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateImageVersion.html."""
    params = call.params
    image = rooms.resources.get("Image", call.scope, params["ImageName"])
    if image.status != "CREATED":
        raise Validation(f"Image {image.key} is in an invalid state.")
    base = params["BaseImage"]
    if not ECR.fullmatch(base):
        raise Validation(
            f"BaseImage {base} is not the path of an image in Amazon ECR: "
            "give account.dkr.ecr.region.amazonaws.com/repository with a :tag or a @digest."
        )
    aliases = tuple(params.get("Aliases") or ())
    extra = {"ImageArn": image.arn, "ContainerImage": base}
    record = rooms.resources.create("ImageVersion", call, version_of=image.key, aliases=aliases, extra=extra)
    return {"ImageVersionArn": record.arn}


def update_image_version(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateImageVersion.html."""
    facts, params = rooms.resources.facts("ImageVersion"), call.params
    version = rooms.resources.named("ImageVersion", call)
    moving.check(facts, "Update", version)
    add, remove = params.get("AliasesToAdd") or (), params.get("AliasesToDelete") or ()
    if add or remove:
        number = version.body["Version"]
        rooms.resources.change(
            "Image", call.scope, version.parent, lambda image: versions.renamed(facts, image, number, add, remove)
        )
    given = replace(call, params={name: value for name, value in params.items() if name not in NAMING})
    edited = rooms.resources.move(
        "ImageVersion", call.scope, version.key, "Update", lambda current: making.edited(facts, current, given)
    )
    return {"ImageVersionArn": edited.arn}


def delete_image_version(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteImageVersion.html."""
    version = rooms.resources.named("ImageVersion", call)
    if version.status == "DELETING":
        raise InUse(f"ImageVersion ({version.arn}) is being deleted")
    return rooms.resources.delete("ImageVersion", call)


def list_aliases(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListAliases.html."""
    image = rooms.resources.get("Image", call.scope, call.params["ImageName"])
    found = list(versions.aliases(image))
    if call.params.get("Version") is not None or call.params.get("Alias"):
        found = versions.of_number(image, rooms.resources.named("ImageVersion", call).body["Version"])
    listed = (parts.Part(alias, alias, alias) for alias in found)
    return parts.page(call, listed, "SageMakerImageVersionAliases", ASC)
