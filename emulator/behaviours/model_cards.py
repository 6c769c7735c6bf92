"""Model cards: contents that follow their schema, each other one a new version of the card."""

from __future__ import annotations

from emulator.behaviours import card_contents
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import Conflict, Validation
from emulator.resources import making, versions
from emulator.store.records import Record

ARCHIVED = "Archived"


def create_model_card(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelCard.html."""
    card_contents.check(call.params["Content"], card_contents.CARD)
    return {"ModelCardArn": rooms.resources.create("ModelCard", call).arn}


def describe_model_card(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeModelCard.html."""
    body = rooms.resources.describe("ModelCard", call)
    if call.params.get("IncludedData") == "MetadataOnly":
        body["Content"] = card_contents.metadata(body["Content"])
    return body


def update_model_card(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelCard.html.

    A new content is a new version. A new status is not: "any edits other than an approval status update made to a model
    card result in additional model card versions" (developer guide, model-cards). What is as it was is no edit.
    """
    facts, copies = rooms.resources.facts("ModelCard"), rooms.resources.facts("ModelCardVersion")
    card_contents.check(call.params.get("Content"), card_contents.CARD)

    def edit(card: Record) -> Record:
        changed = [
            member
            for member in ("Content", "ModelCardStatus")
            if call.params.get(member) not in (None, card.body[member])
        ]
        if len(changed) > 1:
            raise Validation("You cannot update both model card content and model card status in a single call.")
        if "Content" in changed and card.status == ARCHIVED:
            raise Conflict("Model Card is in Archived state.")
        edited = making.edited(facts, card, call)
        return versions.following(copies, edited, edited.body) if "Content" in changed else edited

    key = rooms.resources.named("ModelCard", call).key
    return {"ModelCardArn": rooms.resources.change("ModelCard", call.scope, key, edit).arn}
