"""Neo and Edge Manager: fleets are records; compiling, packaging and deploying are work."""

from __future__ import annotations

from emulator.kinds.kind import ASC, Kind, Listing, Missing

KINDS = (
    Kind("CompilationJob", work=True, listing=Listing(sort=("CreationTime", ASC))),
    Kind("EdgePackagingJob", work=True),
    Kind("EdgeDeploymentPlan", work=True, listing=Listing(page=50)),
    Kind("DeviceFleet", missing=Missing("ValidationException", "No devicefleet with name {name}")),
    Kind(
        "Device",
        work=True,
        key=("DeviceFleetName", "DeviceName"),
        missing=Missing("ValidationException", "No device with name {name}"),
        refers={"DeviceFleetName": "DeviceFleet"},
    ),
)
