"""MLflow tracking servers and apps, and apps of partners, as records. Nothing serves them: they have no URL."""

from __future__ import annotations

from emulator.kinds.kind import Kind, Listing, Move

ACTIVE = ("Created", "Started", "Updated")

KINDS = (
    Kind(
        "MlflowTrackingServer",
        moves={
            "Update": Move("Updating", "Updated", ACTIVE),
            "Stop": Move("Stopping", "Stopped", ACTIVE),
            "Start": Move("Starting", "Started", ("Stopped",)),
        },
        follows={"IsActive": {**dict.fromkeys((*ACTIVE, "Updating"), "Active"), "": "Inactive"}},
        defaults={
            "TrackingServerSize": "Small",
            "AutomaticModelRegistration": False,
            "S3BucketOwnerVerification": True,
        },
        refuses={"CreatePresignedMlflowTrackingServerUrl": "a tracking server is a record here, and no MLflow runs"},
        why="API_CreateMlflowTrackingServer has the defaults",
    ),
    Kind(
        "MlflowApp",
        mint="app-{upper}",
        listing=Listing(summary={"DefaultForDomainId": "DefaultDomainIdList"}),
        defaults={"ModelRegistrationMode": "AutoModelRegistrationDisabled", "AccountDefaultStatus": "DISABLED"},
        refuses={"CreatePresignedMlflowAppUrl": "an MLflow app is a record here, and no MLflow runs"},
        why="API_CreateMlflowApp has the defaults",
    ),
    Kind(
        "PartnerApp",
        mint="app-{upper}",
        defaults={"EnableAutoMinorVersionUpgrade": False},
        refuses={
            "CreatePartnerAppPresignedUrl": "an app of a partner is a record here, and nothing of the partner's runs"
        },
        why="the model's pattern for its ARN is partner-app/app-[A-Z0-9]{12}",
    ),
)
