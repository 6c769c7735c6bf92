"""Policies of endpoints: kept with the endpoint, refused where they are no policies, gone with it."""

from __future__ import annotations

import json

from emulator.call import Call
from tests.behaviours.conftest import ARN, SCOPE, Desk

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint"}]})


def endpoint(desk: Desk, status: str = "InService") -> None:
    call = Call("sagemaker", "CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}, SCOPE)
    desk.house.resources.create("Endpoint", call, status=status)


def test_a_policy_is_kept_replaced_and_taken_away(desk: Desk) -> None:
    endpoint(desk)
    arn = f"{ARN}:endpoint/e"
    none = ("ValidationException", f"Cannot find resource policy for: {arn}")
    assert desk.refused("GetEndpointPolicy", EndpointName="e") == none
    assert desk.do("DeleteEndpointPolicy", EndpointName="e") == {}
    assert desk.do("PutEndpointPolicy", EndpointName="e", ResourcePolicy=POLICY) == {"EndpointArn": arn}
    newer = POLICY.replace("Allow", "Deny")
    desk.do("PutEndpointPolicy", EndpointName="e", ResourcePolicy=newer)
    found = desk.do("GetEndpointPolicy", EndpointName="e")
    assert found == {"EndpointName": "e", "EndpointArn": arn, "ResourcePolicy": newer}
    assert "policy" not in desk.do("DescribeEndpoint", EndpointName="e")
    desk.do("DeleteEndpointPolicy", EndpointName="e")
    assert desk.refused("GetEndpointPolicy", EndpointName="e") == none
    desk.do("PutEndpointPolicy", EndpointName="e", ResourcePolicy=POLICY)
    desk.house.resources.remove("Endpoint", SCOPE, "e")
    endpoint(desk)
    assert desk.refused("GetEndpointPolicy", EndpointName="e") == none


def test_what_is_no_policy_or_has_no_endpoint_is_refused(desk: Desk) -> None:
    absent = ("ResourceNotFound", f'Could not find endpoint "{ARN}:endpoint/e".')
    for verb, more in (("Put", {"ResourcePolicy": POLICY}), ("Get", {}), ("Delete", {})):
        assert desk.refused(f"{verb}EndpointPolicy", EndpointName="e", **more) == absent
    endpoint(desk)
    for wrong in ("no", "[]", "{}", POLICY.replace("Allow", "Allöw")):
        assert desk.refused("PutEndpointPolicy", EndpointName="e", ResourcePolicy=wrong)[0] == "ValidationException"


def test_an_endpoint_that_ends_takes_no_policy(desk: Desk) -> None:
    endpoint(desk, "Failed")
    code, message = desk.refused("PutEndpointPolicy", EndpointName="e", ResourcePolicy=POLICY)
    assert (code, "its status is Failed" in message) == ("ValidationException", True)
