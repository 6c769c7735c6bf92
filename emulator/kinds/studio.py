"""Studio: domains and what lives in them. Apps are work; a domain here has no URL."""

from __future__ import annotations

from emulator.kinds.kind import ASC, Kind, Listing

BY_AGE = Listing(sort=("CreationTime", ASC))
IN_DOMAIN = {"DomainId": "Domain", "DomainIdEquals": "Domain"}

KINDS = (
    Kind("Domain", mint="d-{short}", listing=BY_AGE),
    Kind("UserProfile", refers=IN_DOMAIN, listing=BY_AGE),
    Kind("Space", refers=IN_DOMAIN, listing=BY_AGE),
    Kind("App", work=True, refers=IN_DOMAIN, listing=BY_AGE),
    Kind("AppImageConfig"),
    Kind("StudioLifecycleConfig"),
    Kind("Image"),
    Kind("ImageVersion", work=True, refers={"ImageName": "Image"}),
    Kind("PartnerApp", work=True),
)
