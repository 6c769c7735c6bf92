"""The blocks of a test: an image or an endpoint that is a function, and something that goes wrong on purpose."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from sagelet import places
from sagelet.environment import variables
from sagelet.testing import voice
from sagelet.testing.listener import Listener
from sagelet.testing.runs import ProcessingJob, TrainingJob
from sagelet.testing.serving import Request

FUNCTIONS, FAULTS = "/_sagelet/functions", "/_sagelet/faults"
LOOK_SECONDS, LOOKS = 0.05, 1200


class EndpointFailed(Exception):
    """The endpoint of a function did not come into service; the message is its FailureReason."""


@contextmanager
def image(
    image: str,
    *,
    train: Callable[[TrainingJob], Any] | None = None,
    serve: Callable[[Request], Any] | None = None,
    process: Callable[[ProcessingJob], Any] | None = None,
) -> Iterator[str]:
    """For a block (or a decorated test) jobs and models of `image` are answered for by functions, in this process.

    `image` is as requests name it; `*` and `?` are patterns. `train` does the work of training jobs, `process` that of
    processing jobs: returning is success, raising is failure, in the words of the exception. `serve` answers the
    invocations of endpoints and transform jobs. What has no function is done as without this. Jobs that are under way
    when the block ends have failed. `NoServer` where no server is, or one that cannot reach this process.
    """
    given = {"train": train, "serve": serve, "process": process}
    words = {word: function for word, function in given.items() if function is not None}
    if not words:
        raise TypeError(f"image({image!r}) answers for nothing: give train=, serve= or process=")
    url = places.find()
    listener = Listener({"run" if word == "process" else word: function for word, function in words.items()})
    with voice.listening(), contextlib.closing(_Closing(listener, image)):
        where = {"port": listener.port, "token": listener.token, "pid": os.getpid()}
        body = {"image": image, "account": account(), **where, **dict.fromkeys(words, True)}
        kept = places.ask(url, FUNCTIONS, "POST", body)["id"]
        try:
            yield image
        finally:
            _forget(url, f"{FUNCTIONS}/{kept}")


@contextmanager
def endpoint(name: str, function: Callable[[Request], Any]) -> Iterator[str]:
    """For a block (or a decorated test) there is an endpoint in service that answers with `function`, in this process.

    It is a real one, with a model and a configuration of the same name, which go with it.
    """
    with ExitStack() as stack:
        own = stack.enter_context(image(f"sagelet.testing/{name}", serve=function))
        client = _client("sagemaker")
        client.create_model(ModelName=name, PrimaryContainer={"Image": own})
        stack.callback(_gone, client.delete_model, ModelName=name)
        instances = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        variant = {"VariantName": "AllTraffic", "ModelName": name, **instances}
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        stack.callback(_gone, client.delete_endpoint_config, EndpointConfigName=name)
        client.create_endpoint(EndpointName=name, EndpointConfigName=name)
        stack.callback(_deleted, client, name)
        _in_service(client, name)
        yield name


@contextmanager
def fault(kind: str, **members: Any) -> Iterator[str]:
    """For a block (or a decorated test) something goes wrong on purpose: what `sagelet faults add` takes.

    In a worker of pytest-xdist it strikes that worker's account alone, unless `account` says otherwise. `NoServer` with
    the server's words for what it does not take.
    """
    url = places.find()
    whose = {} if account() == "*" else {"account": account()}
    rule = places.ask(url, FAULTS, "POST", {**whose, "kind": kind, **members})["id"]
    try:
        yield rule
    finally:
        _forget(url, f"{FAULTS}/{rule}")


def account() -> str:
    """The account that this process acts in, where its access key names one; else any."""
    key = os.environ.get("AWS_ACCESS_KEY_ID", "")
    return key if re.fullmatch(r"\d{12}", key) else "*"


class _Closing:
    def __init__(self, listener: Listener, image: str) -> None:
        self._listener, self._image = listener, image

    def close(self) -> None:
        self._listener.close(f"The block of sagelet.testing.image({self._image!r}) ended while the function ran.")


def _client(service: str) -> Any:
    import boto3

    url, given = places.find(), os.environ
    said = variables(url)
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=given.get("AWS_REGION") or given.get("AWS_DEFAULT_REGION") or said["AWS_REGION"],
        aws_access_key_id=given.get("AWS_ACCESS_KEY_ID") or said["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given.get("AWS_SECRET_ACCESS_KEY") or said["AWS_SECRET_ACCESS_KEY"],
    )


def _in_service(client: Any, name: str) -> None:
    from botocore.exceptions import WaiterError

    pace = {"Delay": LOOK_SECONDS, "MaxAttempts": LOOKS}
    try:
        client.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=pace)
    except WaiterError as error:
        told = client.describe_endpoint(EndpointName=name)
        reason = told.get("FailureReason") or f"{error}"
        raise EndpointFailed(f"The endpoint {name} is {told['EndpointStatus']}: {reason}") from error


def _deleted(client: Any, name: str) -> None:
    """Its function is let go when the server no longer needs it."""
    if _gone(client.delete_endpoint, EndpointName=name):
        pace = {"Delay": LOOK_SECONDS, "MaxAttempts": LOOKS}
        client.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=pace)


def _gone(delete: Callable[..., Any], **key: str) -> bool:
    """Delete it; False where a reset, or the test, was first."""
    from botocore.exceptions import ClientError

    try:
        delete(**key)
    except ClientError as error:
        if "not find" not in str(error) and "not exist" not in str(error):
            raise
        return False
    return True


def _forget(url: str, path: str) -> None:
    """Take it back; a reset, or the end of the server, may have been first."""
    try:
        places.ask(url, path, "DELETE")
    except places.NoServer as error:
        if "There is no" not in str(error) and "No Sagelet answers" not in str(error):
            raise
