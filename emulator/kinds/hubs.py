"""Hubs and their contents. The public hub of AWS is not here."""

from __future__ import annotations

from emulator.kinds.kind import Kind, Listing, Missing, Move, Taken, Versions

NO_REFERENCE = "a reference is to a model of SageMakerPublicHub, which is not here; import the model instead"

KINDS = (
    Kind("Hub", refuses={"CreateHubContentReference": NO_REFERENCE}),
    Kind(
        "HubContent",
        refers={"HubName": "Hub"},
        moves={"Create": Move(to="Available"), "Delete": Move()},
        listing=Listing(summary={"OriginalCreationTime": "created"}),
        refuses={"UpdateHubContentReference": NO_REFERENCE, "DeleteHubContentReference": NO_REFERENCE},
        why="a document is all that is imported, and that is done when it has been checked",
    ),
    Kind(
        "HubContentVersion",
        versions=Versions(of="HubContent", number="HubContentVersion"),
        missing=Missing("ResourceNotFound", "Version {name} of HubContent '{parent}' does not exist."),
        taken=Taken("ResourceInUse", "Version {name} of HubContent '{parent}' already exists."),
        refers={"HubName": "Hub"},
    ),
)
