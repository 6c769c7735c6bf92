"""Projects, and whether Service Catalog is enabled for them. Neither provisions anything here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from emulator import ids
from emulator.behaviours.departed import forget
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import Validation
from emulator.resources import making
from emulator.resources.faults import fault
from emulator.store.records import Record

GONE = "DeleteCompleted"
PORTFOLIO = "Service Catalog portfolio"
TEMPLATES = "TemplateProviderDetails"
PRODUCT = "ServiceCatalogProvisioningDetails"


def create_project(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProject.html."""
    forget(rooms, "Project", call.scope, GONE)
    params = dict(call.params)
    templates = [_template(given) for given in params.pop("TemplateProviders", None) or ()]
    extra: dict[str, Any] = {"ProjectId": f"p-{ids.short_id()}"}
    if templates:
        extra[TEMPLATES] = [{"CfnTemplateProviderDetail": template} for template in templates]
    project = rooms.resources.create("Project", replace(call, params=params), extra=extra)
    return {"ProjectArn": project.arn, "ProjectId": project.body["ProjectId"]}


def describe_project(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeProject.html."""
    forget(rooms, "Project", call.scope, GONE)
    return rooms.resources.describe("Project", call)


def list_projects(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListProjects.html."""
    forget(rooms, "Project", call.scope, GONE)
    return rooms.resources.list("Project", call)


def update_project(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateProject.html."""
    facts, params = rooms.resources.facts("Project"), dict(call.params)
    product = params.pop("ServiceCatalogProvisioningUpdateDetails", None) or {}
    templates = [_template(given) for given in params.pop("TemplateProvidersToUpdate", None) or ()]
    rooms.resources.tags.check(_living(rooms, call).arn, call)

    def edit(project: Record) -> Record:
        body = dict(project.body)
        if product:
            body[PRODUCT] = _provisioned(body, product)
        if templates:
            body[TEMPLATES] = _retemplated(body, templates)
        return making.edited(facts, replace(project, body=body), replace(call, params=params))

    project = rooms.resources.move("Project", call.scope, params["ProjectName"], "Update", edit)
    rooms.resources.retag(project, call)
    return {"ProjectArn": project.arn}


def delete_project(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteProject.html."""
    _living(rooms, call)
    return rooms.resources.delete("Project", call)


def enable_portfolio(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_EnableSagemakerServicecatalogPortfolio.html."""
    rooms.resources.notes.put(call.scope, PORTFOLIO, {"Status": "Enabled"})
    return {}


def disable_portfolio(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DisableSagemakerServicecatalogPortfolio.html."""
    rooms.resources.notes.put(call.scope, PORTFOLIO, {"Status": "Disabled"})
    return {}


def portfolio_status(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_GetSagemakerServicecatalogPortfolioStatus.html."""
    return {"Status": "Disabled", **rooms.resources.notes.get(call.scope, PORTFOLIO)}


def _living(rooms: Rooms, call: Call) -> Record:
    """A project that was deleted is still described for a while, and that is all that can be done with it."""
    project = rooms.resources.get("Project", call.scope, call.params["ProjectName"])
    if project.status == GONE:
        facts = rooms.resources.facts("Project")
        raise fault(facts.missing, facts, project.key, project.arn)
    return project


def _template(given: Mapping[str, Any]) -> dict[str, Any]:
    if not given.get("CfnTemplateProvider"):
        raise Validation("A template provider needs its CfnTemplateProvider.")
    return dict(given["CfnTemplateProvider"])


def _provisioned(body: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    if PRODUCT not in body:
        raise Validation(f"The project {body['ProjectName']} was not made from a product of Service Catalog.")
    details: dict[str, Any] = dict(body[PRODUCT])
    if "ProvisioningParameters" in update:
        details["ProvisioningParameters"] = _with(
            details.get("ProvisioningParameters"), update["ProvisioningParameters"]
        )
    return {**details, **{name: value for name, value in update.items() if name != "ProvisioningParameters"}}


def _retemplated(body: Mapping[str, Any], updates: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    details = {item["CfnTemplateProviderDetail"]["TemplateName"]: item for item in body.get(TEMPLATES) or ()}
    for update in updates:
        name = update["TemplateName"]
        if name not in details:
            raise Validation(f"The project {body['ProjectName']} has no template {name}.")
        detail = details[name]["CfnTemplateProviderDetail"]
        more = {"Parameters": _with(detail.get("Parameters"), update["Parameters"])} if "Parameters" in update else {}
        details[name] = {"CfnTemplateProviderDetail": {**detail, **update, **more}}
    return list(details.values())


def _with(parameters: Iterable[Mapping[str, Any]] | None, more: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Parameters with others of the same keys in their places."""
    found = {item.get("Key"): dict(item) for item in (*(parameters or ()), *more)}
    return list(found.values())
