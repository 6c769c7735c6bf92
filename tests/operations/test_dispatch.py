"""Who answers: a behaviour before a kind before a refusal; and nobody before the parameters are right."""

import sys
import types

import pytest

from emulator import spec
from emulator.call import Call, Scope
from emulator.errors import CallerFault, InUse, LimitExceeded, NotBuilt, NotFound, Validation
from emulator.operations.dispatch import Dispatch

SCOPE = Scope("123456789012", "us-east-1")


def behaviour(rooms, call):
    """Named by the rows of the tests."""
    return {"rooms": rooms, "by": "behaviour", "operation": call.operation}


@pytest.fixture
def dispatch(monkeypatch):
    module = types.ModuleType("rows_of_the_test")
    module.behaviour = behaviour
    monkeypatch.setitem(sys.modules, "rows_of_the_test", module)
    rows = [("sagemaker", "ListModels", "rows_of_the_test:behaviour"), ("sagemaker", "ListApps", "no.such.module:f")]
    generic = {"ListModels": lambda call: {"by": "kind"}, "ListEndpoints": lambda call: {"by": "kind"}}
    return Dispatch(spec.load, rows, "the rooms", generic, {"s3": lambda call: {"by": "s3"}}).dispatch


def call(operation, service="sagemaker", **params):
    return Call(service, operation, params, SCOPE)


def test_a_behaviour_comes_before_the_kind_and_gets_the_rooms(dispatch):
    assert dispatch(call("ListModels")) == {"rooms": "the rooms", "by": "behaviour", "operation": "ListModels"}


def test_the_kind_answers_where_there_is_no_behaviour(dispatch):
    assert dispatch(call("ListEndpoints")) == {"by": "kind"}


def test_another_service_answers_everything_of_its_own(dispatch):
    assert dispatch(call("PutObject", "s3")) == {"by": "s3"}


def test_a_behaviours_module_is_imported_only_when_called(dispatch):
    assert dispatch.__self__.answers("sagemaker", "ListApps") == "behaviour"
    with pytest.raises(ModuleNotFoundError):
        dispatch(call("ListApps"))


def test_what_nobody_answers_is_refused_by_name(dispatch):
    with pytest.raises(NotBuilt, match="ListSpaces of sagemaker"):
        dispatch(call("ListSpaces"))
    with pytest.raises(NotBuilt, match="GetRecord of sagemaker-featurestore-runtime"):
        params = {"FeatureGroupName": "f", "RecordIdentifierValueAsString": "1"}
        dispatch(call("GetRecord", "sagemaker-featurestore-runtime", **params))
    assert dispatch.__self__.answers("sagemaker", "ListSpaces") == ""


def test_parameters_are_checked_before_anybody_is_asked(dispatch):
    with pytest.raises(Validation, match="at 'maxResults' failed"):
        dispatch(call("ListModels", MaxResults=1000))


@pytest.mark.parametrize(("service", "operation"), [("sagemaker", "Frobnicate"), ("frob", "ListModels")])
def test_an_unknown_operation_or_service(dispatch, service, operation):
    with pytest.raises(CallerFault, match=f"{service} has no operation {operation}") as raised:
        dispatch(call(operation, service))
    assert raised.value.code == "UnknownOperationException"


@pytest.mark.parametrize(
    ("operation", "params", "raised", "told"),
    [
        ("DescribeHub", {"HubName": "h"}, NotFound, "ResourceNotFound"),
        ("DeleteHyperParameterTuningJob", {"HyperParameterTuningJobName": "t"}, NotFound, "ValidationException"),
        ("DeleteEndpoint", {"EndpointName": "e"}, InUse, "ValidationException"),
        ("DeleteModel", {"ModelName": "m"}, LimitExceeded, "ValidationException"),
        ("DeleteDomain", {"DomainId": "d-1"}, InUse, "ResourceInUse"),
    ],
)
def test_an_operation_answers_only_errors_that_the_model_gives_it(operation, params, raised, told):
    def generic(call):
        raise raised("So it is.")

    dispatch = Dispatch(spec.load, [], "the rooms", {operation: generic}).dispatch
    with pytest.raises(CallerFault, match="So it is") as answered:
        dispatch(call(operation, **params))
    assert answered.value.code == told
