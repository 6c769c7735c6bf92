"""Neo and Edge Manager: fleets, devices and plans are records; compiling, packaging and deploying are work."""

from __future__ import annotations

from emulator.kinds.kind import ASC, Kind, Listing, Missing

NO_IOT = "there is no AWS IoT here that could have a role alias, so true is refused"

KINDS = (
    Kind("CompilationJob", work=True, listing=Listing(sort=("CreationTime", ASC))),
    Kind("EdgePackagingJob", work=True),
    Kind(
        "EdgeDeploymentPlan",
        parent="DeviceFleetName",
        refers={"DeviceFleetName": "DeviceFleet"},
        refuses={"StartEdgeDeploymentStage": "nothing here deploys to a device"},
        listing=Listing(page=50),
        defaults={"EdgeDeploymentSuccess": 0, "EdgeDeploymentPending": 0, "EdgeDeploymentFailed": 0},
    ),
    Kind(
        "DeviceFleet",
        missing=Missing("ValidationException", "No devicefleet with name {name}", "Terraform's provider looks for it"),
        unshown={"EnableIotRoleAlias": NO_IOT},
    ),
    Kind(
        "Device",
        arn="device-fleet/{parent}/device/{name}",
        key=("DeviceFleetName", "DeviceName"),
        missing=Missing("ValidationException", "No device with name {name}", "Terraform's provider looks for it"),
        refers={"DeviceFleetName": "DeviceFleet"},
        listing=Listing(
            contains=("DeviceFleetName",),
            summary={"ModelName": "Models[].ModelName"},
            why="API_ListDevices: fleets containing this name; devices that contain this name in any of their models",
        ),
    ),
)
