"""Studio: domains and what lives in them, as records. Nothing serves a domain: it has no URL and no file system."""

from __future__ import annotations

from emulator.kinds.kind import ASC, Kind, Listing, Missing, Move, Taken, Versions

BY_AGE = Listing(sort=("CreationTime", ASC))
IN_DOMAIN = {"DomainId": "Domain", "DomainIdEquals": "Domain"}
VALID_NAME = "Please provide a valid ImageName."
UNSERVED = "a domain is a record here, and no Studio stands behind it"

KINDS = (
    Kind(
        "Domain",
        mint="d-{short}",
        listing=BY_AGE,
        defaults={"AppNetworkAccessType": "PublicInternetOnly", "TagPropagation": "DISABLED"},
        renamed={"DomainSettingsForUpdate": "DomainSettings"},
        merges=("DefaultUserSettings", "DefaultSpaceSettings", "DomainSettings"),
        refuses={"CreatePresignedDomainUrl": UNSERVED},
        why="API_CreateDomain has the defaults; the developer guide updates one setting without giving the others",
    ),
    Kind("UserProfile", refers=IN_DOMAIN, listing=BY_AGE, caseless=True, merges=("UserSettings",)),
    Kind(
        "Space",
        refers=IN_DOMAIN,
        listing=Listing(
            sort=("CreationTime", ASC),
            summary={
                "SpaceSettingsSummary": "SpaceSettings",
                "SpaceSharingSettingsSummary": "SpaceSharingSettings",
                "OwnershipSettingsSummary": "OwnershipSettings",
            },
        ),
        merges=("SpaceSettings",),
        refuses={"StartSession": "no program runs in a space that one could connect to"},
    ),
    Kind(
        "App",
        key=("DomainId", "UserProfileName", "AppType", "AppName"),
        moves={
            "Create": Move("Pending", "InService", ("Deleted",)),
            "Delete": Move("Deleting", "Deleted", ("InService", "Failed")),
        },
        refers={"DomainIdEquals": "Domain"},
        listing=BY_AGE,
        why="an app of a space has the space's name in the place of a profile's; a deleted one is listed for 24 hours",
    ),
    Kind(
        "AppImageConfig",
        taken=Taken("ResourceInUse", "The ID or Name specified is already in use."),
        defaults={
            "KernelGatewayImageConfig.FileSystemConfig.MountPath": "/home/sagemaker-user",
            "KernelGatewayImageConfig.FileSystemConfig.DefaultUid": 1000,
            "KernelGatewayImageConfig.FileSystemConfig.DefaultGid": 100,
            "JupyterLabAppImageConfig.FileSystemConfig.MountPath": "/home/sagemaker-user",
            "JupyterLabAppImageConfig.FileSystemConfig.DefaultUid": 1000,
            "JupyterLabAppImageConfig.FileSystemConfig.DefaultGid": 100,
            "CodeEditorAppImageConfig.FileSystemConfig.MountPath": "/home/sagemaker-user",
            "CodeEditorAppImageConfig.FileSystemConfig.DefaultUid": 1000,
            "CodeEditorAppImageConfig.FileSystemConfig.DefaultGid": 100,
        },
        why="API_FileSystemConfig has the defaults",
    ),
    Kind("StudioLifecycleConfig"),
    Kind(
        "Image",
        missing=Missing("ResourceNotFound", f"Image with ImageName {{name}} does not exist. {VALID_NAME}"),
        taken=Taken(
            "ResourceInUse", "The Image with ImageName {name} already exists. Please use a different ImageName."
        ),
    ),
    Kind(
        "ImageVersion",
        missing=Missing(
            "ResourceNotFound", f"ImageVersion {{name}} with ImageName {{parent}} does not exist. {VALID_NAME}"
        ),
        versions=Versions(
            of="Image",
            number="Version",
            alias="Alias",
            none=f"Latest ImageVersion with ImageName {{name}} does not exist. {VALID_NAME}",
        ),
        refers={"ImageName": "Image"},
        parent="ImageName",
        bound=True,
        why="API_DeleteImage deletes an image and all its versions; messages of the latest version and of a taken name "
        "were seen",
    ),
)
