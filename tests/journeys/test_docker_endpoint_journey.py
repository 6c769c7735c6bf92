"""An endpoint of an image of the user's own: two containers, which are replaced when somebody takes one away."""

from __future__ import annotations

import pytest

from sagelet.server import Server
from tests.journeys.conftest import ROLE, archive, variant
from tests.journeys.docker_box import Box, own_image, until

pytestmark = pytest.mark.docker


@pytest.fixture
def box(tmp_path):
    with own_image("sagelet-test/served") as image, Server(tmp_path, ["--executor", "docker"]) as server:
        made = Box(server, image)
        yield made
        made.end()


def ask(box: Box, endpoint: str, **more) -> tuple[str, str]:
    answer = box.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"hello", ContentType="text/plain", **more)
    return answer["Body"].read().decode(), answer.get("CustomAttributes", "")


def test_containers_of_an_endpoint_are_two_and_stay_two(box):
    bucket = box.bucket()
    box.s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=archive({"weights": b"w"}))
    primary = {
        "Image": box.image, "ModelDataUrl": f"s3://{bucket}/model.tar.gz", "Environment": {"COLOUR": "red"}
    }  # fmt: skip
    box.sagemaker.create_model(ModelName="m", PrimaryContainer=primary, ExecutionRoleArn=ROLE)
    box.configure("e", [variant("all", "m", count=2)])
    box.sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="e")
    box.in_service("e")
    first = names(box)
    assert len(first) == 2
    # Custom attributes go both ways
    text, attributes = ask(box, "e", CustomAttributes="trace=7")
    assert text.split()[1:] == ["red", "hello"] and attributes == "7=ecart"
    # Both are asked
    hosts = {ask(box, "e")[0].split()[0] for _ in range(20)}
    assert len(hosts) == 2
    assert box.lines("all", group="/aws/sagemaker/Endpoints/e") == ["serving ['weights']"] * 2
    # One that is killed is replaced, and one that is removed
    for harm in (lambda c: c.kill("SIGKILL"), lambda c: c.remove(force=True)):
        before = ids(box)
        harm(box.containers()[0])
        until(lambda old=before: len(ids(box)) == 2 and ids(box) != old, "it is not replaced")
        for _ in range(20):
            until(lambda: answers(box), "the endpoint does not answer")
    assert box.sagemaker.describe_endpoint(EndpointName="e")["EndpointStatus"] == "InService"
    # The next server finds both
    until(lambda: ready(box), "the new one does not serve")
    before = ids(box)
    box.server.kill()
    box.server.start()
    box = Box(box.server, box.image)
    box.in_service("e")
    assert ids(box) == before, [(c.name, c.status) for c in box.containers()] + sorted(before)
    assert ask(box, "e")[0].endswith("red hello")
    box.sagemaker.delete_endpoint(EndpointName="e")
    until(lambda: box.left() == [], "something is left")
    box.end()


def answers(box: Box) -> bool:
    try:
        return ask(box, "e")[0].endswith("red hello")
    except box.runtime.exceptions.ModelError:  # the new one has just been made
        return False


def names(box: Box) -> set[str]:
    return {c.name for c in box.containers()}


def ids(box: Box) -> set[str]:
    return {c.id for c in box.containers()}


def ready(box: Box) -> bool:
    variants = box.sagemaker.describe_endpoint(EndpointName="e")["ProductionVariants"]
    return variants[0]["CurrentInstanceCount"] == 2
